//! The next certificate of a party, by itself.
//!
//! When a third of a certificate's life is left, [`Renewal`] makes a new key where the old one is, asks for a
//! certificate over the connection in use, keeps what comes beside what there is, and has the client go on with it.
//! Calls that run end on the connection they began on; the old certificate stays valid until it ends. Whatever
//! fails is told and tried again later: nothing of it disturbs a call.
//!
//! ```no_run
//! use schakel_client::{Client, IdentityFiles, Renewal};
//! # async fn example(mut config: schakel_client::ClientConfig) -> Result<(), Box<dyn std::error::Error>> {
//! let files = IdentityFiles::new("own.cert.pem", "own.key.pem");
//! config.identity = files.load("wonen-zuid")?;
//! let client = Client::connect(config).await?;
//! let renewal = Renewal::new(client.clone(), files);
//! tokio::spawn(renewal.run(std::time::SystemTime::now, |told| eprintln!("{told}")));
//! # Ok(())
//! # }
//! ```

mod due;
mod files;
mod maker;

use std::{
    error::Error,
    fmt,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use schakel_api::v1;
use schakel_pki::check::Chain;
use tokio::time::sleep;

pub use self::{
    due::renew_at,
    files::{FileError, IdentityFiles},
};
use self::{
    files::{Pair, Pending},
    maker::Current,
};
use crate::{
    client::{Client, ClientError},
    config::Identity,
    retry::RetryPolicy,
};

/// The longest until it is looked again, so that a clock that was set right is noticed.
const LONGEST: Duration = Duration::from_hours(24);

/// How long between two looks whether the authority has signed.
const WAITING: Duration = Duration::from_mins(30);

/// After failures: a minute at first, six hours at most.
const BACK_OFF: RetryPolicy = RetryPolicy {
    max_attempts: u32::MAX,
    first_pause: Duration::from_mins(1),
    longest_pause: Duration::from_hours(6),
};

/// Keeps the certificate of a client new. One program at a time may do so with the same files.
#[derive(Debug)]
pub struct Renewal {
    client: Client,
    files: IdentityFiles,
    failures: u32,
}

/// What the broker says of a request.
enum Answer {
    /// The certificate and the authorities above it.
    Certificate(Chain),
    /// It waits for the authority.
    Waiting,
    /// Nothing is issued for it.
    Closed,
}

/// What came of one look.
#[derive(Debug)]
pub struct Step {
    /// What happened.
    pub told: Told,
    /// In how long to look again.
    pub again_in: Duration,
}

/// What happened to a certificate.
#[derive(Debug)]
pub enum Told {
    /// It is not time yet.
    NotDue {
        /// When it is, since the Unix epoch.
        due: Duration,
    },
    /// The request waits for the authority.
    Waiting,
    /// The request was closed: nothing is issued for it. Its key is set aside, and the next look makes another.
    Closed {
        /// Where the key is now.
        key: PathBuf,
    },
    /// There is a new certificate, and calls go on with it.
    Renewed {
        /// Where it is.
        certificate: PathBuf,
    },
    /// Something came in the way. The certificate in use stays.
    Failed(RenewalError),
}

/// What came in the way of a renewal.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// What the broker answered is not a certificate for this party and the new key.
    #[error("the broker's answer is no certificate for this party and the new key")]
    Answer,
    /// The broker refused, or cannot be reached.
    #[error("the next certificate could not be asked for")]
    Ask(#[source] Box<ClientError>),
    /// The certificate in use cannot be read.
    #[error("the certificate in use cannot be read: it must be a chain in PEM that names an OIN")]
    Certificate,
    /// The broker does not take a call with the new certificate.
    #[error("no call could be made with the new certificate: the one in use stays")]
    Connect(#[source] Box<ClientError>),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// No new key could be made.
    #[error("the next key cannot be made")]
    Key(#[source] Box<dyn Error + Send + Sync>),
    /// The request that was kept is none.
    #[error(
        "the request that was kept cannot be read: delete it and its key, and a new one is made"
    )]
    Request,
}

impl Renewal {
    /// Keeps the certificate of this client, which was connected with the newest of these files.
    #[must_use]
    pub const fn new(client: Client, files: IdentityFiles) -> Self {
        Self {
            client,
            files,
            failures: 0,
        }
    }

    /// Looks again and again, and tells what happened each time, until it is dropped.
    pub async fn run(mut self, now: impl Fn() -> SystemTime, mut tell: impl FnMut(&Told)) {
        loop {
            let step = self.step(now()).await;
            tell(&step.told);
            sleep(step.again_in).await;
        }
    }

    /// Looks once: does what is to be done at this moment, and says when to look again.
    pub async fn step(&mut self, now: SystemTime) -> Step {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        match self.look(now).await {
            Ok(told) => {
                self.failures = 0;
                let again_in = match &told {
                    Told::NotDue { due } => due.saturating_sub(now).min(LONGEST),
                    // Not at once: whoever rejects each request is not to be asked without end.
                    Told::Waiting | Told::Closed { .. } => WAITING,
                    Told::Renewed { .. } | Told::Failed(_) => Duration::ZERO,
                };
                Step { told, again_in }
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                let entropy = &*self.client.config().entropy;
                Step {
                    told: Told::Failed(error),
                    again_in: BACK_OFF.pause(self.failures, entropy),
                }
            }
        }
    }

    async fn look(&self, now: Duration) -> Result<Told, RenewalError> {
        let pair = self.files.newest()?;
        if !self.client.calls_with(&pair.certificate_pem) {
            return self.go_on_with(pair).await;
        }
        let current = Current::read(&pair.certificate_pem)?;
        let (from, until) = current.holds();
        let due = renew_at(from, until, current.chance());
        if now < due {
            return Ok(Told::NotDue { due });
        }
        let pending = self.pending(&current, pair.generation.saturating_add(1))?;
        let certificate = match self.ask(&pending).await? {
            Answer::Certificate(answered) => answered,
            Answer::Waiting => return Ok(Told::Waiting),
            Answer::Closed => {
                let key = self.files.set_aside(pending.generation)?;
                return Ok(Told::Closed { key });
            }
        };
        let certificate_pem = current.followed_by(&certificate, &pending)?;
        self.files
            .keep_certificate(pending.generation, &certificate_pem)?;
        self.go_on_with(self.files.newest()?).await
    }

    /// The key that waits for its certificate, made when there is none.
    fn pending(&self, current: &Current, generation: u32) -> Result<Pending, RenewalError> {
        if let Some(pending) = self.files.pending(generation)? {
            return Ok(pending);
        }
        let pending = current.make_next(generation)?;
        self.files.keep_pending(&pending)?;
        Ok(pending)
    }

    async fn ask(&self, pending: &Pending) -> Result<Answer, RenewalError> {
        let request = v1::RenewCertificateRequest {
            idempotency_key: String::new(),
            request: maker::request_of(pending)?.into(),
        };
        let answer = self.client.renew_certificate(request).await;
        let answer = answer.map_err(|error| RenewalError::Ask(error.into()))?;
        Ok(match answer.certificate {
            Some(der) => {
                let authorities = answer.authorities.into_iter().map(Into::into);
                Answer::Certificate(Chain::new(der.into(), authorities.collect()))
            }
            None if answer.progress() == v1::EnrolmentProgress::Closed => Answer::Closed,
            None => Answer::Waiting,
        })
    }

    async fn go_on_with(&self, pair: Pair) -> Result<Told, RenewalError> {
        let certificate = self.files.certificate_of(pair.generation);
        let party = &self.client.config().identity.party;
        let identity = Identity::new(party, pair.certificate_pem, pair.key_pem);
        let changed = self.client.change_identity(identity).await;
        changed.map_err(|error| RenewalError::Connect(error.into()))?;
        Ok(Told::Renewed { certificate })
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDue { .. } => f.write_str("the certificate need not be renewed yet"),
            Self::Waiting => f.write_str("the request for the next certificate waits to be signed"),
            Self::Closed { key } => write!(
                f,
                "the broker closed the request for the next certificate: another key is made next time, and the one \
                 of this request is in `{}`",
                key.display()
            ),
            Self::Renewed { certificate } => {
                write!(
                    f,
                    "calls go on with the certificate in `{}`",
                    certificate.display()
                )
            }
            Self::Failed(error) => {
                write!(f, "the certificate is not renewed yet: {error}")?;
                let mut source = error.source();
                while let Some(error) = source {
                    write!(f, ": {error}")?;
                    source = error.source();
                }
                Ok(())
            }
        }
    }
}
