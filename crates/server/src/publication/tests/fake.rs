//! A witness for tests: honest as C2SP tlog-witness has it, or as bad as a test wants it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use schakel_audit::{
    checkpoint::Checkpoint,
    cosignature::WitnessSigningKey,
    note::{Note, VerifyingKey},
    tree::verify_consistency,
    witness::{AddCheckpoint, CONFLICT_TYPE, conflict},
};
use schakel_pki::authority::Issued;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::edge::tls;

/// How a witness behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// As it should.
    Honest,
    /// It never answers.
    Silent,
    /// It signs with another key.
    Forging,
    /// Its signature is of another text.
    Elsewhere,
    /// Its clock is hours behind.
    Behind,
    /// Whatever it is asked, it says that it has seen this many entries.
    Claiming(u64),
    /// It answers with nonsense.
    Babbling,
    /// It ends with a fault.
    Failing,
}

#[derive(Debug)]
struct State {
    manner: Manner,
    seen: Option<Checkpoint>,
    asked: Vec<u64>,
    now: u64,
}

/// A witness that runs.
#[derive(Clone)]
pub(super) struct FakeWitness {
    name: String,
    seed: u8,
    address: SocketAddr,
    scheme: &'static str,
    log: Arc<Vec<VerifyingKey>>,
    state: Arc<Mutex<State>>,
}

impl FakeWitness {
    /// Starts a witness that knows a log by these keys.
    pub(super) async fn start(seed: u8, log: Vec<VerifyingKey>, now: u64) -> Self {
        Self::serve(seed, log, now, None).await
    }

    /// The same, behind TLS with this certificate.
    pub(super) async fn start_tls(
        seed: u8,
        log: Vec<VerifyingKey>,
        now: u64,
        own: &Issued,
    ) -> Self {
        let chain = CertificateDer::pem_slice_iter(own.cert_pem.as_bytes());
        let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(tls::provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::serve(seed, log, now, Some(acceptor)).await
    }

    async fn serve(
        seed: u8,
        log: Vec<VerifyingKey>,
        now: u64,
        acceptor: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let witness = Self {
            name: format!("witness.example/w{seed}"),
            seed,
            address: listener.local_addr().unwrap(),
            scheme: if acceptor.is_some() { "https" } else { "http" },
            log: Arc::new(log),
            state: Arc::new(Mutex::new(State {
                manner: Manner::Honest,
                seen: None,
                asked: Vec::new(),
                now,
            })),
        };
        let serving = witness.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (witness, acceptor) = (serving.clone(), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => witness.listen(stream).await,
                        // Whoever does not accept its certificate hangs up.
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                witness.listen(stream).await;
                            }
                        }
                    }
                });
            }
        });
        witness
    }

    async fn listen(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let service = service_fn(move |request: Request<Incoming>| {
            let witness = self.clone();
            async move { witness.answer(request).await }
        });
        let serve = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        drop(serve.await);
    }

    pub(super) fn behave(&self, manner: Manner) {
        self.state.lock().unwrap().manner = manner;
    }

    /// The sizes from which it was asked.
    pub(super) fn asked(&self) -> Vec<u64> {
        self.state.lock().unwrap().asked.clone()
    }

    /// How many entries it has seen.
    pub(super) fn seen(&self) -> u64 {
        let state = self.state.lock().unwrap();
        state.seen.as_ref().map_or(0, |seen| seen.size)
    }

    /// Its line in a policy.
    pub(super) fn line(&self) -> String {
        let key = self.key(self.seed).witness_key();
        format!(
            "witness w{} {key} {}://{}/x\n",
            self.seed, self.scheme, self.address
        )
    }

    fn key(&self, seed: u8) -> WitnessSigningKey {
        WitnessSigningKey::from_seed(&self.name, &[seed; 32]).unwrap()
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, &'static str> {
        assert_eq!(request.uri().path(), "/x/add-checkpoint");
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let body = std::str::from_utf8(&body).unwrap().to_owned();
        let manner = self.state.lock().unwrap().manner;
        match manner {
            Manner::Silent => {
                std::future::pending::<()>().await;
                Err("never")
            }
            Manner::Failing => Ok(said(500, "out of order")),
            Manner::Babbling => Ok(said(200, "signed, honestly")),
            Manner::Claiming(size) => Ok(claims(size)),
            _ => Ok(self.add(&body.parse().unwrap(), manner)),
        }
    }

    /// As the specification has it.
    fn add(&self, asked: &AddCheckpoint, manner: Manner) -> Response<Full<Bytes>> {
        let mut state = self.state.lock().unwrap();
        state.asked.push(asked.old);
        let note = Note::parse(&asked.checkpoint).unwrap();
        let keys: Vec<&VerifyingKey> = self.log.iter().collect();
        if note.verify(&keys).is_err() {
            return said(403, "not signed by a known key");
        }
        let new = Checkpoint::parse(note.text()).unwrap();
        let known = state.seen.as_ref().map_or(0, |seen| seen.size);
        if asked.old != known {
            return claims(known);
        }
        if let Some(seen) = &state.seen {
            let follows =
                verify_consistency(seen.size, seen.root, new.size, new.root, &asked.proof);
            if follows.is_err() {
                return said(422, "does not follow");
            }
        }
        state.seen = Some(new);
        let (seed, text, at) = match manner {
            Manner::Forging => (99, note.text().to_owned(), state.now),
            Manner::Elsewhere => (self.seed, note.text().replace('\n', "\n\n"), state.now),
            Manner::Behind => (self.seed, note.text().to_owned(), state.now - 7200),
            _ => (self.seed, note.text().to_owned(), state.now),
        };
        said(200, &self.key(seed).cosign(&text, at).to_string())
    }
}

fn claims(size: u64) -> Response<Full<Bytes>> {
    let mut response = said(409, &conflict(size));
    let kind = http::HeaderValue::from_static(CONFLICT_TYPE);
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, kind);
    response
}

fn said(status: u16, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text.to_owned())));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    response
}
