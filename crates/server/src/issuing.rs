//! The authority with which this broker issues by itself, and whose revocation list it keeps where that is said.
//!
//! Its key is opened once, at the start; its ledger only while something is issued or listed, so that whoever keeps
//! the authority can work with it beside the running broker.

mod listing;

pub(crate) use self::listing::Wanted;

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use schakel_core::{
    enrolment::{Der, Enrolment},
    registry::Registry,
    time::Timestamp,
};
use schakel_pki::{
    issuing::SigningAuthority,
    office::{Asked, Level, Office, OfficeError},
    request::CertificateRequest,
    secret::{Passphrase, ShortPassphrase},
};
use schakel_store::random::OsRandom;
use tokio::sync::{Mutex, MutexGuard};

use crate::{config, wire::enrolment::to_profile};

/// An authority that can issue. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Issuing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    authority: SigningAuthority,
    days: u32,
    /// The directory in which its revocation list is published, when the broker keeps that.
    public: Option<PathBuf>,
    turn: Mutex<()>,
}

/// Why a broker cannot issue by itself.
#[derive(Debug, thiserror::Error)]
pub enum IssuingError {
    /// The authority cannot be used.
    #[error("`enrolment.issuing.authority`: the authority cannot be used")]
    Authority(#[source] OfficeError),
    /// The passphrase cannot be read.
    #[error("`enrolment.issuing.passphrase_file`: `{}` cannot be read", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Others than the broker's user may read the passphrase.
    #[error(
        "`enrolment.issuing.passphrase_file`: others may read `{}`, and whoever has it can make callers: `chmod 600` it",
        file.display()
    )]
    Exposed {
        /// The file.
        file: PathBuf,
    },
    /// The passphrase is too short.
    #[error("`enrolment.issuing.passphrase_file`")]
    Passphrase(#[source] ShortPassphrase),
    /// The authority is a root.
    #[error(
        "`enrolment.issuing.authority`: `{}` is a root, which stays offline: give the directory of the authority below it",
        dir.display()
    )]
    Root {
        /// Its directory.
        dir: PathBuf,
    },
}

/// Why a request goes on waiting.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotIssued {
    /// The authority could not.
    #[error(transparent)]
    Office(#[from] OfficeError),
    /// Something that was checked before it was recorded cannot be read.
    #[error("the request or its holder cannot be read")]
    Unreadable,
    /// The thread ended.
    #[error("the thread that issues ended in a fault")]
    Thread,
}

impl Issuing {
    /// Opens the key of the authority.
    ///
    /// # Errors
    /// When a file cannot be read, the passphrase does not open the key, or it is a root.
    pub(crate) fn open(config: &config::Issuing) -> Result<Self, IssuingError> {
        let passphrase = passphrase(config)?;
        let dir = &config.authority;
        let office = Office::open(dir).map_err(IssuingError::Authority)?;
        if office.level() == Level::Root {
            return Err(IssuingError::Root { dir: dir.clone() });
        }
        let authority = office
            .unlock(&passphrase)
            .map_err(IssuingError::Authority)?;
        Ok(Self(Arc::new(Inner {
            dir: dir.clone(),
            authority,
            days: config.days,
            public: config.public.clone(),
            turn: Mutex::default(),
        })))
    }

    /// The certificate of the authority, DER.
    pub(crate) fn certificate(&self) -> &[u8] {
        self.0.authority.certificate()
    }

    /// Whether it could be opened: changes nothing, and waits for nobody who works with the authority.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn look(config: &config::Issuing) -> Result<(), IssuingError> {
        let level = Office::look(&config.authority, &passphrase(config)?);
        match level.map_err(IssuingError::Authority)? {
            Level::Issuing => Ok(()),
            Level::Root => Err(IssuingError::Root {
                dir: config.authority.clone(),
            }),
        }
    }

    /// Waits for the turn to issue and to have it recorded: one at a time, so that nothing is issued twice.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.turn.lock().await
    }

    /// Issues for a request that waits, in the ledger of the authority first. What a crash kept from being
    /// recorded is given again.
    ///
    /// # Errors
    /// Why the request goes on waiting.
    pub(crate) async fn issue(
        &self,
        enrolment: &Enrolment,
        request: &Der,
        registry: Arc<Registry>,
        now: Timestamp,
    ) -> Result<Vec<u8>, NotIssued> {
        let inner = Arc::clone(&self.0);
        let (enrolment, request) = (enrolment.clone(), request.clone());
        let issuing =
            tokio::task::spawn_blocking(move || inner.issue(&enrolment, &request, &registry, now));
        issuing.await.map_err(|_| NotIssued::Thread)?
    }
}

impl Inner {
    fn issue(
        &self,
        enrolment: &Enrolment,
        request: &Der,
        registry: &Registry,
        now: Timestamp,
    ) -> Result<Vec<u8>, NotIssued> {
        let request = CertificateRequest::read(&request.0).map_err(|_| NotIssued::Unreadable)?;
        let holder = to_profile(&enrolment.holder).ok_or(NotIssued::Unreadable)?;
        let asked = Asked {
            request: &request,
            holder,
            replaces: enrolment.replaces,
            days: Some(self.days),
        };
        let mut office = Office::open(Path::new(&self.dir))?;
        let is_known =
            |issuance: &schakel_pki::ledger::Issuance| registry.issued(&issuance.sha256).is_some();
        let issued = office.answer(&self.authority, asked, is_known, now, &mut OsRandom)?;
        Ok(issued.der)
    }
}

/// The passphrase of the authority's key.
fn passphrase(config: &config::Issuing) -> Result<Passphrase, IssuingError> {
    let file = &config.passphrase_file;
    let unreadable = |source| IssuingError::File {
        file: file.clone(),
        source,
    };
    let mode = fs::metadata(file).map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(IssuingError::Exposed { file: file.clone() });
    }
    let text = fs::read_to_string(file).map_err(unreadable)?;
    Passphrase::new(text).map_err(IssuingError::Passphrase)
}
