//! Why the broker does not start, or ended of its own.

use std::{io, net::SocketAddr};

use super::{FoundingError, ReaderError};
use crate::{
    edge::tls::TlsError,
    issuing::IssuingError,
    publication::WitnessesError,
    sequencer::{StartError, WriterError},
    telemetry::TelemetryError,
};

/// Why the broker does not start, or ended of its own.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address at which certificates are asked for.
    #[error("`enrolment.address`: it cannot be listened at")]
    Enrolment(#[source] io::Error),
    /// What is to be registered first.
    #[error(transparent)]
    Founding(#[from] FoundingError),
    /// The authority with which the broker issues by itself.
    #[error(transparent)]
    Issuing(#[from] IssuingError),
    /// The listener for published files.
    #[error("`publication.listen`: cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A certificate of a reader of published files.
    #[error(transparent)]
    Reader(#[from] ReaderError),
    /// The reflection service.
    #[error("the description of the interface cannot be served")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// Connections.
    #[error("connections can no longer be served")]
    Serve(#[source] tonic::transport::Error),
    /// Log, keyring, view or indexes.
    #[error("the store cannot be opened")]
    Store(#[from] StartError),
    /// A task ended that never should.
    #[error("a task of the broker ended in a fault")]
    Task,
    /// Logs, traces and metrics.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// Certificates and keys.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Calls that would not end.
    #[error("calls did not end in time: what was recorded stays recorded")]
    Unfinished,
    /// The witnesses.
    #[error(transparent)]
    Witnesses(#[from] WitnessesError),
    /// The writer.
    #[error("the log can no longer be written")]
    Writer(#[from] WriterError),
}

impl RunError {
    /// Whether the configuration, or a file that it names, is at fault: starting again does not mend that.
    #[must_use]
    pub const fn is_of_configuration(&self) -> bool {
        matches!(
            self,
            Self::Founding(_) | Self::Issuing(_) | Self::Reader(_) | Self::Tls(_)
        )
    }
}
