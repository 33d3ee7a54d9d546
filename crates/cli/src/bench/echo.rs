//! The yardstick: a bare echo behind the broker's own TLS and HTTP/2 settings, with messages of the same size.

use anyhow::{Context as _, Result, ensure};
use prost::{Message, bytes::Bytes};
use schakel_api::bench::{
    EchoRequest, EchoResponse, echo_service_client::EchoServiceClient,
    echo_service_server::EchoService,
};
use tonic::{Request, Response, Status, transport::Channel};

use super::call::{Call, connection};

/// Answers with as many bytes as it is told to.
#[derive(Clone, Debug, Default)]
pub(super) struct Echo;

/// The largest filling it answers with.
const MOST: usize = 64 * 1024;

#[tonic::async_trait]
impl EchoService for Echo {
    async fn echo(
        &self,
        request: Request<EchoRequest>,
    ) -> std::result::Result<Response<EchoResponse>, Status> {
        let wanted = usize::try_from(request.get_ref().answer_bytes).unwrap_or(usize::MAX);
        let filling = ZEROS
            .get(..wanted)
            .ok_or_else(|| Status::out_of_range("too large"))?;
        let filling = Bytes::from_static(filling);
        Ok(Response::new(EchoResponse { filling }))
    }
}

static ZEROS: [u8; MOST] = [0; MOST];

/// Calls the echo with messages of two given sizes.
#[derive(Clone, Debug)]
pub(super) struct Echoing {
    clients: Vec<EchoServiceClient<Channel>>,
    request: EchoRequest,
    answer_bytes: usize,
}

impl Echoing {
    /// Calls whose encoded request and answer have these sizes.
    pub(super) fn of_sizes(channels: &[Channel], request: usize, answer: usize) -> Result<Self> {
        let filling = filling(answer, |filling| EchoResponse { filling })?;
        let answer_bytes = u32::try_from(filling.len()).context("the answer is too large")?;
        let message = |filling| EchoRequest {
            filling,
            answer_bytes,
        };
        let filling = self::filling(request, message)?;
        Ok(Self {
            clients: channels
                .iter()
                .cloned()
                .map(EchoServiceClient::new)
                .collect(),
            request: message(filling),
            answer_bytes: answer,
        })
    }
}

impl Call for Echoing {
    async fn call(&self, worker: usize, _turn: usize) -> Result<()> {
        let mut client = connection(&self.clients, worker)
            .context("there is no connection")?
            .clone();
        let answer = client.echo(self.request.clone()).await?.into_inner();
        ensure!(
            answer.encoded_len() == self.answer_bytes,
            "the echo has another size"
        );
        Ok(())
    }
}

/// What fills a message so that it is encoded in exactly so many bytes.
fn filling<M: Message>(bytes: usize, message: impl Fn(Bytes) -> M) -> Result<Bytes> {
    // The length of a filling is itself encoded in a byte or more: where it grows by one byte, one size
    // cannot be had.
    let fits = |len: &usize| {
        let filling = ZEROS.get(..*len).map(Bytes::from_static);
        filling.is_some_and(|filling| message(filling).encoded_len() == bytes)
    };
    let len = (bytes.saturating_sub(16)..=bytes).find(fits);
    let filling = len.and_then(|len| ZEROS.get(..len)).map(Bytes::from_static);
    filling
        .with_context(|| format!("no echo can have {bytes} bytes: ask for another party or person"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_has_exactly_the_sizes_it_is_told() {
        let channel = tonic::transport::Endpoint::from_static("http://[::1]:1");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let _entered = runtime.enter();
        for (request, answer) in [(60, 300), (90, 1023), (200, 1500), (17_000, 20_000)] {
            let echoing = Echoing::of_sizes(&[channel.connect_lazy()], request, answer).unwrap();
            assert_eq!(echoing.request.encoded_len(), request);
            let filling = vec![0; echoing.request.answer_bytes as usize].into();
            assert_eq!(EchoResponse { filling }.encoded_len(), answer);
        }
        // 1 tag, 1 length, 127 bytes: 129. With 128 the length takes 2: 131.
        assert!(filling(130, |filling| EchoResponse { filling }).is_err());
        assert!(filling(MOST * 2, |filling| EchoResponse { filling }).is_err());
    }
}
