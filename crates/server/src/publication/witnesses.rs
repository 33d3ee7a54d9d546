//! The witnesses of a policy: asked side by side, each within its time.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::{TLS12, TLS13},
};
use schakel_audit::{
    note::{Note, Signature},
    policy::{Level, Policy, PolicyError},
};
use schakel_core::time::Timestamp;
use tokio::task::JoinSet;

use super::witness::{Address, Refused, Witness};
use crate::{config, edge::tls, telemetry::Metrics, trail::Trail};

/// The witnesses, and which of them must have seen a checkpoint.
#[derive(Debug)]
pub(crate) struct Witnesses {
    policy: Policy,
    all: Vec<Arc<Witness>>,
    within: Duration,
    tls: Option<Files>,
}

/// From what connections to witnesses are made; read again each time, because certificates are renewed.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) authorities: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// What witnesses are asked about.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) size: u64,
    pub(super) checkpoint: Arc<str>,
    pub(super) trail: Trail,
    pub(super) now: Timestamp,
}

/// What came of asking.
pub(super) struct Answered {
    /// The checkpoint with the cosignatures, when they are enough.
    pub(super) note: Result<String, Lacking>,
    /// What proves that the log was taken back.
    pub(super) rollback: Option<String>,
}

/// The quorum is not met.
#[derive(Debug, thiserror::Error)]
#[error("the quorum of witnesses is not met: {why}")]
pub(super) struct Lacking {
    why: String,
}

/// Why the witnesses of the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WitnessesError {
    /// A file cannot be read.
    #[error("`{key}`: `{}` cannot be read", file.display())]
    Unreadable {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is no policy.
    #[error("`publication.policy`: `{}` cannot be used", file.display())]
    Policy {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        source: PolicyError,
    },
    /// The policy is not about this log.
    #[error("`publication.policy`: no `log` line is of `{origin}`: add the log with its key")]
    NotThisLog {
        /// The origin.
        origin: String,
    },
    /// A witness has no address that can be asked.
    #[error(
        "`publication.policy`: the address of witness `{name}` must be `https://…`, or `http://` on this machine"
    )]
    Address {
        /// Its name.
        name: String,
    },
    /// The witnesses that can be asked are not enough.
    #[error(
        "`publication.policy`: the witnesses with an address do not meet the quorum: add addresses"
    )]
    TooFew,
    /// A file holds no certificate, or not the key it should.
    #[error("`{key}`: `{}` cannot be used for connections to witnesses", file.display())]
    Tls {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        file: PathBuf,
    },
    /// A witness is asked by `https`, and whose certificates count is not said.
    #[error(
        "`publication.witness_ca` must name the authorities of the witnesses that are asked by https"
    )]
    NoAuthorities,
}

impl Witnesses {
    /// Reads the policy; `None` when there is none, or it asks for no witness.
    pub(crate) fn load(config: &config::Config) -> Result<Option<Self>, WitnessesError> {
        let publication = &config.publication;
        let Some(file) = &publication.policy else {
            return Ok(None);
        };
        let policy = read_policy(file)?;
        let origin = &config.broker.origin;
        if !policy
            .logs()
            .iter()
            .any(|log| log.origin.as_str() == origin)
        {
            return Err(WitnessesError::NotThisLog {
                origin: origin.clone(),
            });
        }
        let tls = publication.witness_ca.as_ref().map(|authorities| Files {
            authorities: authorities.clone(),
            certificate: config.tls.certificate.clone(),
            key: config.tls.key.clone(),
        });
        Self::of(policy, publication.witness_timeout, tls)
    }

    /// The witnesses of a policy; `None` when it has none that can be asked.
    pub(super) fn of(
        policy: Policy,
        within: Duration,
        tls: Option<Files>,
    ) -> Result<Option<Self>, WitnessesError> {
        if !policy.is_met_by(|witness| witness.url.is_some()) {
            return Err(WitnessesError::TooFew);
        }
        let all = addressed(&policy)?;
        match &tls {
            Some(files) => drop(files.connect()?),
            None if all.iter().any(|witness| witness.address.encrypted) => {
                return Err(WitnessesError::NoAuthorities);
            }
            None => {}
        }
        let asks = !all.is_empty();
        Ok(asks.then_some(Self {
            policy,
            all,
            within,
            tls,
        }))
    }

    /// Whether a published checkpoint was seen by as many witnesses as must be.
    pub(super) fn have_seen(&self, note: &str) -> bool {
        let opened = self.policy.open(note);
        opened.is_ok_and(|endorsed| endorsed.level() == Level::Witnessed)
    }

    /// Asks all of them at once, and waits until each has answered or its time is over.
    pub(super) async fn ask(&self, asked: Asked, metrics: &Metrics) -> Answered {
        let asked = Arc::new(asked);
        let tls = match self.tls.as_ref().map(Files::connect).transpose() {
            Ok(tls) => tls,
            Err(error) => {
                let why = error.to_string();
                return Answered {
                    note: Err(Lacking { why }),
                    rollback: None,
                };
            }
        };
        let mut asking = JoinSet::new();
        for witness in &self.all {
            let (witness, asked, tls) = (Arc::clone(witness), Arc::clone(&asked), tls.clone());
            let within = self.within;
            asking.spawn(async move {
                let answer = witness.ask(&asked, tls.as_ref(), within).await;
                (witness, answer)
            });
        }
        let (mut signatures, mut refusals, mut rollback) = (Vec::new(), Vec::new(), None);
        while let Some(answer) = asking.join_next().await {
            let Ok((witness, answer)) = answer else {
                continue;
            };
            metrics.witness(&witness.name, answer.is_ok());
            match answer {
                Ok(signature) => signatures.push(signature),
                Err(refused) => {
                    note_refusal(&witness, &refused);
                    let said = format!("{}: {refused}", witness.name);
                    if matches!(refused, Refused::Rollback { .. }) {
                        rollback.get_or_insert(format!("witness {said}"));
                    }
                    refusals.push(said);
                }
            }
        }
        refusals.sort();
        Answered {
            note: self.endorsed(&asked.checkpoint, signatures, &refusals),
            rollback,
        }
    }

    /// The checkpoint with these cosignatures, when they are enough.
    fn endorsed(
        &self,
        checkpoint: &str,
        signatures: Vec<Signature>,
        refusals: &[String],
    ) -> Result<String, Lacking> {
        let lacking = |why: String| Lacking { why };
        let mut note = Note::parse(checkpoint).map_err(|error| lacking(error.to_string()))?;
        for signature in signatures {
            note.add(signature);
        }
        let note = note.to_string();
        let endorsed = self.policy.open(&note);
        let endorsed = endorsed.map_err(|error| lacking(error.to_string()))?;
        if endorsed.is_met() {
            return Ok(note);
        }
        Err(lacking(refusals.join("; ")))
    }
}

fn note_refusal(witness: &Witness, refused: &Refused) {
    let error: &dyn std::error::Error = refused;
    let name = &witness.name;
    if matches!(refused, Refused::Inconsistent | Refused::Rollback { .. }) {
        tracing::error!(name, error, "a witness contradicts the log");
    } else {
        tracing::warn!(name, error, "a witness did not cosign");
    }
}

fn read_policy(file: &PathBuf) -> Result<Policy, WitnessesError> {
    let text = read(file, "publication.policy")?;
    let text = String::from_utf8_lossy(&text).into_owned();
    text.parse().map_err(|source| WitnessesError::Policy {
        file: file.clone(),
        source,
    })
}

fn addressed(policy: &Policy) -> Result<Vec<Arc<Witness>>, WitnessesError> {
    let mut all = Vec::new();
    for witness in policy.witnesses() {
        let Some(url) = &witness.url else { continue };
        let name = witness.name.clone();
        let address = Address::parse(url).ok_or(WitnessesError::Address { name })?;
        let (name, key) = (witness.name.clone(), witness.key.clone());
        all.push(Arc::new(Witness::new(name, key, address)));
    }
    Ok(all)
}

fn read(file: &PathBuf, key: &'static str) -> Result<Vec<u8>, WitnessesError> {
    fs::read(file).map_err(|source| unreadable(file, key, source))
}

fn unreadable(file: &Path, key: &'static str, source: io::Error) -> WitnessesError {
    WitnessesError::Unreadable {
        key,
        file: file.to_owned(),
        source,
    }
}

impl Files {
    /// What the next connections go by: the broker shows its own certificate to a witness that asks.
    fn connect(&self) -> Result<Arc<ClientConfig>, WitnessesError> {
        let broken = |key: &'static str, file: &PathBuf| WitnessesError::Tls {
            key,
            file: file.clone(),
        };
        let (ca, own) = ("publication.witness_ca", "tls.certificate");
        let certificates = |file: &PathBuf, key| {
            let found: Result<Vec<_>, _> =
                CertificateDer::pem_slice_iter(&read(file, key)?).collect();
            let found = found.ok().filter(|found| !found.is_empty());
            found.ok_or_else(|| broken(key, file))
        };
        let roots = tls::roots(&self.authorities).map_err(|error| {
            if error.kind() == io::ErrorKind::InvalidData {
                broken(ca, &self.authorities)
            } else {
                unreadable(&self.authorities, ca, error)
            }
        })?;
        let chain = certificates(&self.certificate, own)?;
        let key = read(&self.key, "tls.key")?;
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| broken("tls.key", &self.key))?;
        let unusable = || broken(own, &self.certificate);
        let config = ClientConfig::builder_with_provider(Arc::new(tls::provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|_| unusable())?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(|_| unusable())?;
        Ok(Arc::new(config))
    }
}
