//! The collector of a logbook. It must have said of every line that it took it.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, logs_service_client::LogsServiceClient,
};
use tonic::{
    Code, Request, Status,
    transport::{Channel, Endpoint, Uri},
};

use crate::{
    exit::{Exit, Failure},
    session::Session,
};

/// How long a collector may take for one batch.
const PATIENCE: Duration = Duration::from_secs(30);

/// A collector.
#[derive(Clone, Debug)]
pub(super) struct Collector {
    client: LogsServiceClient<Channel>,
}

/// What a collector did with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It took all of it.
    All,
    /// It says that it did not take so many, and why.
    NotAll(i64, String),
}

impl Collector {
    /// Where `to` says: `https://` with TLS, in which this party shows its certificate; `http://` on this machine
    /// only, because the standard wants TLS.
    pub(super) async fn connect(
        session: &Session,
        to: &str,
        ca_pem: Option<String>,
    ) -> Result<Self, Failure> {
        let wrong = |rule: &str| Failure::usage(format!("`--to {to}` {rule}."));
        let uri: Uri = to
            .parse()
            .map_err(|_| wrong("must be an address like https://collector.example:4317"))?;
        let host = uri.host().unwrap_or_default().to_owned();
        let port = uri.port_u16().unwrap_or(4317);
        let channel = match uri.scheme_str() {
            Some("https") => secured(session, &host, port, ca_pem).await?,
            Some("http") if is_here(&host) => {
                let endpoint = Endpoint::from(uri.clone()).connect_timeout(PATIENCE);
                endpoint.connect_lazy()
            }
            Some("http") => {
                return Err(wrong(
                    "must be https://: lines about persons leave this machine by TLS only",
                ));
            }
            _ => {
                return Err(wrong(
                    "must begin with https:// or, on this machine, http://",
                ));
            }
        };
        Ok(Self {
            client: LogsServiceClient::new(channel),
        })
    }

    /// Hands over a batch.
    pub(super) async fn hand_over(
        &mut self,
        batch: ExportLogsServiceRequest,
    ) -> Result<Taken, Failure> {
        let mut request = Request::new(batch);
        request.set_timeout(PATIENCE);
        let answer = self
            .client
            .export(request)
            .await
            .map_err(|status| refused(&status))?;
        let partly = answer.into_inner().partial_success;
        Ok(match partly {
            Some(partly) if partly.rejected_log_records > 0 => {
                Taken::NotAll(partly.rejected_log_records, partly.error_message)
            }
            _ => Taken::All,
        })
    }
}

async fn secured(
    session: &Session,
    host: &str,
    port: u16,
    ca_pem: Option<String>,
) -> Result<Channel, Failure> {
    let mut config = session.config().clone();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    config.address = format!("{host}:{port}");
    bare.clone_into(&mut config.server_name);
    if let Some(ca_pem) = ca_pem {
        config.ca_pem = ca_pem;
    }
    config.connections = 1;
    let channels = schakel_client::channels(&config).await?;
    let first = channels.into_iter().next();
    first.ok_or_else(|| Failure::new(Exit::Unavailable, "The collector gave no connection."))
}

fn is_here(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// What passes by itself (the OTLP specification names the codes) may be tried again; the rest may not.
fn refused(status: &Status) -> Failure {
    let passing = matches!(
        status.code(),
        Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss
            | Code::ResourceExhausted
            | Code::Unknown
    );
    let said = format!(
        "The collector did not take the lines: {} ({}).",
        status.message(),
        status.code()
    );
    let exit = if passing {
        Exit::Unavailable
    } else {
        Exit::Failed
    };
    Failure::new(exit, said)
}
