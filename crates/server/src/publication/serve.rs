//! Serving what is published over HTTPS, with the verification that calls get: mutual TLS, an active party.
//!
//! Checkpoint and hashes are for every party, and for readers whose certificates are configured; the entries, and
//! what was opened beside them, for auditors. No path of a request is ever a path on disk: it is read as the name
//! of a file of the format, and the file of that name is opened. What no published checkpoint covers is not there.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use http::{HeaderValue, Method as Verb, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use schakel_audit::{
    erasure, minimum, succession,
    tile::{Kind, Tile},
};
use schakel_core::{code::Role, event::RefusalReason, id::PartyId};
use schakel_store::publication::CHECKPOINT;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinSet, spawn_blocking},
    time::timeout,
};
use tokio_stream::StreamExt as _;

use crate::{
    access::{Admits, Method},
    clock::Clock,
    edge::{
        accept::Acceptor,
        identify::{Acting, Connection, Directory, UnknownParty},
        link::Link,
        refusals::Refusals,
    },
    trail::Trail,
};

/// How long the head of a request may be.
const MOST_HEAD: usize = 16 * 1024;
/// How long a checkpoint may be kept by who got it.
const CHECKPOINT_AGE: HeaderValue = HeaderValue::from_static("private, max-age=5");
/// Everything else never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// Reading, as the table of calls would have it.
const READ: Method = Method {
    path: "",
    name: "Publication/Read",
    admits: Admits::Party,
    streams: false,
    never_refused: false,
    names: false,
};

/// The listener through which the published files are read.
#[derive(Debug)]
pub(crate) struct Door {
    /// What is served.
    pub(crate) files: Files,
    /// How connections are accepted.
    pub(crate) acceptor: Acceptor,
    /// How long the head of a request may take.
    pub(crate) head_timeout: Duration,
    /// How long answers under way may still take at the end.
    pub(crate) stop_timeout: Duration,
}

/// What is served, and to whom.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) dir: Arc<Path>,
    pub(crate) trail: Trail,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) clock: Arc<dyn Clock>,
    /// SHA-256 of the certificates of readers that are no party.
    pub(crate) readers: Arc<[[u8; 32]]>,
}

/// A file that may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Checkpoint,
    Tile(Tile),
    Erasure(u64),
    Key(u64),
    KeyLeaf(u64),
    MinimumIndex,
}

/// Who asks.
enum Reader {
    Party(PartyId, bool),
    Configured,
}

impl Door {
    /// Serves until told to stop, and then until what is under way has left.
    pub(crate) async fn serve(self, listener: TcpListener, mut stopping: watch::Receiver<bool>) {
        let mut links = self.acceptor.run(listener, stopping.clone());
        let mut open = JoinSet::new();
        loop {
            let next = tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => break,
                Some(_) = open.join_next() => continue,
                next = links.next() => next,
            };
            let Some(Ok(link)) = next else { break };
            let files = self.files.clone();
            open.spawn(converse(files, link, self.head_timeout, stopping.clone()));
        }
        let last = async { while open.join_next().await.is_some() {} };
        if timeout(self.stop_timeout, last).await.is_err() {
            tracing::warn!(
                "readers of published files did not end in time: their connections are cut"
            );
            open.shutdown().await;
        }
    }
}

/// Serves one connection.
async fn converse(
    files: Files,
    link: Link,
    head_timeout: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    let connection = tonic::transport::server::Connected::connect_info(&link);
    let service = service_fn(move |request: Request<Incoming>| {
        let (files, connection) = (files.clone(), connection.clone());
        async move { Ok::<_, std::convert::Infallible>(files.answer(&request, &connection).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(MOST_HEAD)
        .serve_connection(TokioIo::new(link), service);
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        // How a connection ends is the reader's affair.
        _ = serving.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    serving.as_mut().graceful_shutdown();
    drop(serving.await);
}

impl Files {
    async fn answer<B>(
        &self,
        request: &Request<B>,
        connection: &Connection,
    ) -> Response<Full<Bytes>> {
        let reader = match self.reader(connection) {
            Ok(reader) => reader,
            Err(error) => {
                self.count(None, RefusalReason::UnknownParty);
                return refusal(StatusCode::FORBIDDEN, &error.to_string());
            }
        };
        if !matches!(*request.method(), Verb::GET | Verb::HEAD) {
            self.count(reader.party(), RefusalReason::Invalid);
            let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED, "files are read with GET");
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(header::ALLOW, allowed);
            return response;
        }
        let wanted = match request.uri().query() {
            None => Wanted::parse(request.uri().path()),
            Some(_) => None,
        };
        let Some(wanted) = wanted else {
            self.count(reader.party(), RefusalReason::Invalid);
            return refusal(StatusCode::NOT_FOUND, "no published file has this name");
        };
        if wanted.is_for_auditors() && !reader.is_auditor() {
            self.count(reader.party(), RefusalReason::Access);
            return refusal(
                StatusCode::FORBIDDEN,
                "entries are for auditors: checkpoint and hashes are for every party",
            );
        }
        self.read(wanted, request.method() == Verb::HEAD).await
    }

    fn reader(&self, connection: &Connection) -> Result<Reader, UnknownParty> {
        let now = self.clock.now();
        let configured = connection.fingerprint(now);
        if configured.is_some_and(|found| self.readers.contains(&found)) {
            return Ok(Reader::Configured);
        }
        let registry = self.directory.registry();
        connection.certificate(&registry, now)?;
        let peer = connection.peer(&READ, &Acting::default(), &registry, now)?;
        let audits = peer.has_role(Role::Auditor);
        Ok(Reader::Party(peer.principal, audits))
    }

    async fn read(&self, wanted: Wanted, head_only: bool) -> Response<Full<Bytes>> {
        let gone = || refusal(StatusCode::NOT_FOUND, "this file is not published");
        if wanted.end() > self.trail.published_size() {
            return gone();
        }
        let path = wanted.place(&self.dir);
        let bytes = match spawn_blocking(move || fs::read(path)).await {
            Ok(Ok(bytes)) => Bytes::from(bytes),
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => return gone(),
            Ok(Err(error)) => {
                tracing::error!(%error, ?wanted, "a published file cannot be read");
                return refusal(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the file cannot be read now",
                );
            }
            Err(_) => {
                return refusal(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the file cannot be read now",
                );
            }
        };
        let (kind, age) = match wanted {
            Wanted::Checkpoint => (TEXT, CHECKPOINT_AGE),
            _ => (OCTETS, FOR_EVER),
        };
        let len = HeaderValue::from(bytes.len());
        let mut response = Response::new(Full::new(if head_only { Bytes::new() } else { bytes }));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CACHE_CONTROL, age);
        headers.insert(header::CONTENT_LENGTH, len);
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        response
    }

    fn count(&self, party: Option<&PartyId>, reason: RefusalReason) {
        self.refusals
            .count(party.cloned(), reason, self.clock.now());
    }
}

impl Reader {
    const fn party(&self) -> Option<&PartyId> {
        match self {
            Self::Party(party, _) => Some(party),
            Self::Configured => None,
        }
    }

    const fn is_auditor(&self) -> bool {
        matches!(self, Self::Party(_, true))
    }
}

impl Wanted {
    /// Reads the path of a request in its one spelling.
    fn parse(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        if path == CHECKPOINT {
            return Some(Self::Checkpoint);
        }
        if let Some(index) = erasure::parse_path(path) {
            return Some(Self::Erasure(index));
        }
        if let Some(index) = succession::parse_path(path) {
            return Some(Self::Key(index));
        }
        if let Some(index) = succession::parse_leaf_path(path) {
            return Some(Self::KeyLeaf(index));
        }
        if path == minimum::PATH {
            return Some(Self::MinimumIndex);
        }
        path.parse().ok().map(Self::Tile)
    }

    fn is_for_auditors(self) -> bool {
        match self {
            Self::Checkpoint | Self::MinimumIndex | Self::Key(_) | Self::KeyLeaf(_) => false,
            Self::Tile(tile) => tile.kind() == Kind::Entries,
            Self::Erasure(_) => true,
        }
    }

    /// How many entries must be published for it to be there.
    fn end(self) -> u64 {
        match self {
            Self::Checkpoint | Self::MinimumIndex => 0,
            Self::Tile(tile) => tile.covers().1,
            Self::Erasure(index) | Self::Key(index) | Self::KeyLeaf(index) => {
                index.saturating_add(1)
            }
        }
    }

    fn place(self, dir: &Path) -> PathBuf {
        match self {
            Self::Checkpoint => dir.join(CHECKPOINT),
            Self::Tile(tile) => dir.join(tile.to_string()),
            Self::Erasure(index) => dir.join(erasure::path(index)),
            Self::Key(index) => dir.join(succession::path(index)),
            Self::KeyLeaf(index) => dir.join(succession::leaf_path(index)),
            Self::MinimumIndex => dir.join(minimum::PATH),
        }
    }
}

fn refusal(status: StatusCode, why: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{why}\n"))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, TEXT);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_published_files_are_read_and_each_in_one_spelling() {
        let dir = Path::new("/public");
        for path in [
            "/checkpoint",
            "/tile/0/000",
            "/tile/0/x001/x234/067",
            "/tile/1/000.p/7",
            "/tile/entries/003.p/12",
            "/erasures/x001/234",
            "/keys/007",
            "/keys/x001/007.leaf",
            "/minimum-index",
        ] {
            let wanted = Wanted::parse(path).unwrap();
            assert_eq!(wanted.place(dir), Path::new(&format!("/public{path}")));
        }
        for path in [
            "",
            "/",
            "checkpoint",
            "//checkpoint",
            "/checkpoint/",
            "/Checkpoint",
            "/checkpoint.tmp",
            "/.swept",
            "/../data/log/00000000000000000000.seg",
            "/tile/../checkpoint",
            "/tile/0/..%2f..%2fcheckpoint",
            "/tile/0/%2e%2e/000",
            "/tile/00/000",
            "/tile/0/0",
            "/tile/0/000.p/256",
            "/tile/0/000.p/0",
            "/tile/8/000",
            "/tile/0/x000/001",
            "/tile/entries/000\0",
            "/erasures/../checkpoint",
            "/keys/7",
            "/keys/007.leaf.leaf",
            "/erasures/007.leaf",
        ] {
            assert_eq!(Wanted::parse(path), None, "{path}");
        }
    }

    #[test]
    fn entries_and_what_was_opened_of_erasures_are_for_auditors() {
        let auditors = |path: &str| Wanted::parse(path).unwrap().is_for_auditors();
        assert!(auditors("/tile/entries/000") && auditors("/erasures/000"));
        assert!(!auditors("/checkpoint") && !auditors("/tile/0/000") && !auditors("/keys/000"));
    }
}
