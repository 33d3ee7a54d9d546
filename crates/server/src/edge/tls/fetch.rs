//! Fetching a revocation list from an address of the configuration: HTTP/1.1, in bounded time and size, without
//! following anybody elsewhere.

use std::time::Duration;

use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

/// How long a fetch may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest list that is taken, in bytes.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// Why a list was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address is none.
    #[error("it is no address")]
    Address,
    /// The server broke off, or sent too much.
    #[error("the answer cannot be read")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server does not speak HTTP.
    #[error("the server does not answer")]
    Http(#[source] hyper::Error),
    /// The server cannot be reached.
    #[error("the server cannot be reached")]
    Reach(#[source] std::io::Error),
    /// The server has something else to say.
    #[error("the server answers {0}: name the address at which the list itself is")]
    Status(StatusCode),
    /// It took too long.
    #[error("it took longer than 30 seconds")]
    Time,
}

/// Fetches what is at an address.
///
/// # Errors
/// Why not.
pub(super) async fn fetch(url: &str) -> Result<Vec<u8>, FetchError> {
    timeout(PATIENCE, get(url))
        .await
        .map_err(|_| FetchError::Time)?
}

async fn get(url: &str) -> Result<Vec<u8>, FetchError> {
    let uri: Uri = url.parse().map_err(|_| FetchError::Address)?;
    let host = uri.host().ok_or(FetchError::Address)?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((bare, uri.port_u16().unwrap_or(80)))
        .await
        .map_err(FetchError::Reach)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(FetchError::Http)?;
    // It ends with the sender; what went wrong with it shows there.
    let driver = tokio::spawn(connection);
    let authority = uri.authority().ok_or(FetchError::Address)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(header::HOST, authority.as_str())
        .header(header::USER_AGENT, "schakel")
        .body(Empty::<Bytes>::new())
        .map_err(|_| FetchError::Address)?;
    let answer = sender
        .send_request(request)
        .await
        .map_err(FetchError::Http)?;
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status()));
    }
    let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await;
    driver.abort();
    Ok(body.map_err(FetchError::Body)?.to_bytes().to_vec())
}
