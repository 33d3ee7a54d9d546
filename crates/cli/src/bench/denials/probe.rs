//! Asking without help of the client library: every byte of an answer counts, and so does every microsecond.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use prost::{
    Message as _,
    bytes::{Buf as _, BufMut as _, Bytes},
};
use schakel_api::v1;
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    metadata::{KeyAndValueRef, MetadataMap},
    transport::Channel,
};

const ASK: &str = "/schakel.v1.ExchangeService/Ask";

/// How long an answer took, and what it looked like.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    /// From the call until the answer and what follows it were there.
    pub(super) took: Duration,
    /// Everything that came, the random reference blanked.
    pub(super) face: Face,
}

/// An answer as it came over the wire, without what is random or the time in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Face {
    /// The headers, in their order.
    pub(super) headers: Vec<String>,
    /// The encoded message.
    pub(super) message: Vec<u8>,
    /// The trailers, in their order.
    pub(super) trailers: Vec<String>,
}

impl Face {
    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        let text = self.headers.iter().chain(&self.trailers);
        self.message.len() + text.map(String::len).sum::<usize>()
    }
}

/// Asks.
pub(super) async fn ask(channel: &Channel, question: &Bytes) -> Result<Answered> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await?;
    let (request, path) = (
        Request::new(question.clone()),
        PathAndQuery::from_static(ASK),
    );
    let begun = Instant::now();
    // As a stream of one message: so the headers and the trailers are had apart.
    let answer = grpc.server_streaming(request, path, Verbatim).await?;
    let (headers, mut stream, _) = answer.into_parts();
    let message = stream
        .message()
        .await?
        .context("the answer holds no message")?;
    let trailers = stream.trailers().await?.unwrap_or_default();
    let took = begun.elapsed();
    let face = Face {
        headers: lines(&headers),
        message: blanked(&message)?,
        trailers: lines(&trailers),
    };
    Ok(Answered { took, face })
}

/// The message with zeros in the place of its reference. It must be a denial.
fn blanked(message: &Bytes) -> Result<Vec<u8>> {
    let answer = v1::AskResponse::decode(message.clone())?;
    let Some(v1::ask_response::Outcome::NotDisclosed(denial)) = answer.outcome else {
        bail!("an answer that should be a denial is none");
    };
    let mut bytes = message.to_vec();
    let len = denial.reference.len();
    let at = bytes
        .windows(len.max(1))
        .position(|window| window == denial.reference);
    let place = at.and_then(|at| bytes.get_mut(at..at + len));
    place.context("a denial has no reference")?.fill(0);
    Ok(bytes)
}

/// Headers as text, without the time of day.
fn lines(headers: &MetadataMap) -> Vec<String> {
    let line = |header: KeyAndValueRef<'_>| match header {
        KeyAndValueRef::Ascii(name, _) if name.as_str() == "date" => "date".to_owned(),
        KeyAndValueRef::Ascii(name, value) => format!("{name}: {value:?}"),
        KeyAndValueRef::Binary(name, value) => format!("{name}: {value:?}"),
    };
    headers.iter().map(line).collect()
}

/// Messages as they are.
#[derive(Clone, Copy, Debug)]
struct Verbatim;

impl Codec for Verbatim {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Verbatim {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Verbatim {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(reference: &[u8]) -> Bytes {
        let denied = v1::NotDisclosed {
            reference: reference.to_vec().into(),
        };
        let outcome = Some(v1::ask_response::Outcome::NotDisclosed(denied));
        v1::AskResponse { outcome }.encode_to_vec().into()
    }

    #[test]
    fn only_the_reference_is_blanked() {
        let (one, other) = (denial(&[7; 16]), denial(&[9; 16]));
        assert_ne!(one, other);
        assert_eq!(blanked(&one).unwrap(), blanked(&other).unwrap());
        assert_eq!(blanked(&one).unwrap(), denial(&[0; 16]));
        assert_ne!(blanked(&denial(&[7; 15])).unwrap(), blanked(&one).unwrap());
    }

    #[test]
    fn what_is_no_denial_is_refused() {
        assert!(blanked(&Bytes::new()).is_err());
        assert!(blanked(&denial(&[])).is_err());
    }

    #[test]
    fn headers_keep_their_order_and_lose_the_time() {
        let mut headers = MetadataMap::new();
        headers.insert("b", "1".parse().unwrap());
        headers.insert("date", "Mon, 23 Nov 2026 22:00:00 GMT".parse().unwrap());
        headers.insert("a", "2".parse().unwrap());
        assert_eq!(lines(&headers), ["b: \"1\"", "date", "a: \"2\""]);
    }
}
