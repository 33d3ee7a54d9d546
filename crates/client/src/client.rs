//! The client: a connection or several, and the checking of everything that comes over them.

use std::{
    cell::RefCell,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use schakel_api::v1::{self, registry_service_client::RegistryServiceClient};
use tokio::time::{Instant, timeout};
use tonic::{
    Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use crate::{
    answer::{Answer, Fault, Incomplete},
    config::{ClientConfig, Identity, PRINCIPAL_HEADER, UNIT_HEADER},
    connect::{self, ConnectError},
    entropy::EntropyError,
    method::SectionError,
    receipt::{Expected, ReceiptError},
    refusal::Refusal,
    register::RegisterError,
    retry::{self, Failure, Safety},
    trail::{Head, HeadError, Trail},
};

/// A client of the broker. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    call_timeout: Duration,
}

/// What the clones of a client share.
#[derive(Debug)]
struct Shared {
    lines: RwLock<Lines>,
    next: AtomicUsize,
    config: ClientConfig,
    principal: Option<MetadataValue<Ascii>>,
    unit: Option<MetadataValue<Ascii>>,
}

/// The connections in use, and the certificate with which they are made.
#[derive(Debug)]
struct Lines {
    channels: Vec<Channel>,
    certificate_pem: String,
}

/// Why a call did not come to an answer that can be relied on.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no connection.
    #[error("there is no connection to the broker")]
    Connect(#[from] ConnectError),
    /// The broker did not answer in time. A write may have been made: repeat it with the same key.
    #[error("the broker did not answer in time")]
    Deadline,
    /// No key could be drawn.
    #[error("no idempotency key can be made")]
    Entropy(#[from] EntropyError),
    /// The checkpoint that the broker gave is not accepted.
    #[error("the checkpoint is not accepted")]
    Head(#[from] HeadError),
    /// Part of the answer is missing.
    #[error("the answer of the broker is incomplete")]
    Incomplete(#[from] Incomplete),
    /// The log was changed between two checkpoints: the notes of both prove it.
    #[error("the log of {} entries does not begin with that of {}", to.checkpoint.size, from.checkpoint.size)]
    Inconsistent {
        /// The earlier head.
        from: Arc<Head>,
        /// The later head.
        to: Arc<Head>,
        /// What the proof leads to instead.
        #[source]
        source: schakel_audit::tree::ConsistencyError,
    },
    /// What the answer claims is not proved by its receipt.
    #[error("the receipt of the broker does not hold")]
    Receipt(#[from] ReceiptError),
    /// A section of an export does not hold.
    #[error("the export does not hold")]
    Section(#[from] SectionError),
    /// The receipt holds and cannot be kept. What was asked may have been done.
    #[error("the receipt cannot be kept")]
    Register(#[from] RegisterError),
    /// The broker refused.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// TLS refused: most often a certificate that has expired, was revoked or is of another authority.
    #[error("TLS refused the connection: {said}")]
    Tls {
        /// What TLS says of it.
        said: String,
    },
    /// The connection was lost. A write may have been made: repeat it with the same key.
    #[error("the connection to the broker was lost")]
    Transport(#[source] Box<Status>),
}

impl Client {
    /// Connects. Fails when the first connection cannot be made; one that is lost later opens itself anew.
    ///
    /// # Errors
    /// What is wrong with the configuration, why the broker cannot be reached, or what TLS says.
    pub async fn connect(config: ClientConfig) -> Result<Self, ConnectError> {
        let principal = match &config.principal {
            Some(party) if *party != config.identity.party => Some(header(party)?),
            _ => None,
        };
        let unit = config.unit.as_deref().map(unit_header).transpose()?;
        let lines = Lines {
            channels: connect::channels(&config).await?,
            certificate_pem: config.identity.certificate_pem.clone(),
        };
        Ok(Self {
            call_timeout: config.timeouts.call,
            shared: Arc::new(Shared {
                lines: RwLock::new(lines),
                next: AtomicUsize::new(0),
                config,
                principal,
                unit,
            }),
        })
    }

    /// Goes on with another certificate of the same party, for all clones. Calls and subscriptions that run end on
    /// the connection they began on; what begins later is made over new ones. A call with the new certificate is
    /// tried first: when the broker does not take it, nothing changes.
    ///
    /// # Errors
    /// As [`Self::connect`], and what the broker has against the certificate.
    pub async fn change_identity(&self, identity: Identity) -> Result<(), ClientError> {
        let config = ClientConfig {
            identity,
            ..self.config().clone()
        };
        let channels = connect::channels(&config).await?;
        let within = config.timeouts.attempt;
        if let Some(channel) = channels.first().cloned() {
            let own = v1::GetMyCertificateRequest {};
            let mut registry = RegistryServiceClient::new(channel);
            let tried = timeout(within, registry.get_my_certificate(own)).await;
            tried
                .map_err(|_| ClientError::Deadline)?
                .map_err(Failure::of)?;
        }
        let lines = Lines {
            channels,
            certificate_pem: config.identity.certificate_pem,
        };
        let current = self.shared.lines.write();
        *current.unwrap_or_else(PoisonError::into_inner) = lines;
        Ok(())
    }

    /// Whether connections are made with this certificate.
    pub(crate) fn calls_with(&self, certificate_pem: &str) -> bool {
        let lines = self.shared.lines.read();
        let lines = lines.unwrap_or_else(PoisonError::into_inner);
        lines.certificate_pem == certificate_pem
    }

    /// The same client with another time for a call as a whole.
    #[must_use]
    pub fn with_call_timeout(&self, call: Duration) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            call_timeout: call,
        }
    }

    /// What is known of the log.
    #[must_use]
    pub fn trail(&self) -> &Arc<Trail> {
        &self.shared.config.trail
    }

    /// The party for which this client calls.
    #[must_use]
    pub fn party(&self) -> &str {
        self.shared.config.acting_party()
    }

    /// A new idempotency key: a random UUID. A write whose key is left empty gets one by itself; whoever
    /// wants to be able to repeat a write after an error chooses the key beforehand.
    ///
    /// # Errors
    /// When no random bytes can be had.
    pub fn idempotency_key(&self) -> Result<String, EntropyError> {
        let mut bytes = [0; 16];
        self.config().entropy.fill(&mut bytes)?;
        let key = uuid::Builder::from_random_bytes(bytes).into_uuid();
        Ok(key.to_string())
    }

    pub(crate) fn config(&self) -> &ClientConfig {
        &self.shared.config
    }

    /// Makes a call and checks the answer. `fresh` is whether the entry must be new.
    pub(crate) async fn call<Q, A, F, Fut>(
        &self,
        safety: Safety,
        fresh: bool,
        request: Q,
        send: F,
    ) -> Result<A, ClientError>
    where
        Q: Clone,
        A: Answer,
        F: Fn(Channel, Request<Q>) -> Fut,
        Fut: Future<Output = Result<Response<A>, Status>>,
    {
        let config = self.config();
        let expected = self.expect(fresh);
        let times = (config.timeouts.attempt, Instant::now() + self.call_timeout);
        let answer = retry::run(&config.retry, safety, times, &*config.entropy, |within| {
            let mut request = self.request(request.clone());
            request.set_timeout(within);
            send(self.channel(), request)
        });
        let answer = answer.await?.into_inner();
        answer.check(&expected)?;
        self.keep(expected).await?;
        Ok(answer)
    }

    /// Keeps what was accepted, where that is wanted: on disk before the answer is handed over.
    pub(crate) async fn keep(&self, expected: Expected<'_>) -> Result<(), ClientError> {
        let accepted = expected
            .accepted
            .map(RefCell::into_inner)
            .unwrap_or_default();
        let Some(register) = self.config().register.clone() else {
            return Ok(());
        };
        if accepted.is_empty() {
            return Ok(());
        }
        let kept = tokio::task::spawn_blocking(move || register.keep(&accepted)).await;
        // A thread that panicked kept nothing that could be relied on.
        kept.unwrap_or(Err(RegisterError::Abandoned))
            .map_err(ClientError::from)
    }

    /// What the answer to a call that is made now is held to.
    pub(crate) fn expect(&self, fresh: bool) -> Expected<'_> {
        let config = self.config();
        let transport = self.shared.principal.as_ref();
        Expected {
            trail: &config.trail,
            party: config.acting_party(),
            transport: transport.map(|_| config.identity.party.as_str()),
            floor: config.trail.newest(),
            fresh,
            accepted: config.register.is_some().then(RefCell::default),
        }
    }

    pub(crate) fn request<Q>(&self, message: Q) -> Request<Q> {
        let mut request = Request::new(message);
        if let Some(principal) = &self.shared.principal {
            request
                .metadata_mut()
                .insert(PRINCIPAL_HEADER, principal.clone());
        }
        if let Some(unit) = &self.shared.unit {
            request.metadata_mut().insert(UNIT_HEADER, unit.clone());
        }
        request
    }

    /// The next connection in turn.
    pub(crate) fn channel(&self) -> Channel {
        let lines = self.shared.lines.read();
        let channels = &lines.unwrap_or_else(PoisonError::into_inner).channels;
        let turn = self.shared.next.fetch_add(1, Ordering::Relaxed) % channels.len();
        #[expect(
            clippy::indexing_slicing,
            reason = "the turn is below the length, which is at least 1"
        )]
        channels[turn].clone()
    }
}

impl From<Failure> for ClientError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Deadline => Self::Deadline,
            Failure::Lost(status) => Self::Transport(status.into()),
            Failure::Refused(refusal) => Self::Refused(refusal.into()),
            Failure::Tls(said) => Self::Tls { said },
        }
    }
}

impl From<Fault> for ClientError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Incomplete(incomplete) => Self::Incomplete(incomplete),
            Fault::Receipt(error) => Self::Receipt(error),
        }
    }
}

fn header(principal: &str) -> Result<MetadataValue<Ascii>, ConnectError> {
    id(principal, 3).ok_or_else(|| ConnectError::Principal {
        principal: principal.to_owned(),
    })
}

fn unit_header(unit: &str) -> Result<MetadataValue<Ascii>, ConnectError> {
    id(unit, 1).ok_or_else(|| ConnectError::Unit {
        unit: unit.to_owned(),
    })
}

/// An id of so many characters at least, as a header.
fn id(text: &str, least: usize) -> Option<MetadataValue<Ascii>> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let fits = (least..=40).contains(&text.len()) && text.bytes().all(allowed);
    fits.then(|| text.parse().ok()).flatten()
}
