//! The ledger of an authority: what it issued, revoked and listed, one line each, never changed.
//!
//! A line is written and on disk *before* what it tells leaves the authority, and holds the certificate
//! itself. So whatever crashed: a certificate that anybody has stands in the ledger and can be revoked. Each
//! line names the SHA-256 of the one before, so that a line that was taken out or changed is noticed.

mod issuance;
mod line;

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::Path,
};

use schakel_core::time::Timestamp;

use self::line::{Line, START};
pub use self::{
    issuance::Issuance,
    line::{Der, Kind, LedgerEntry, SerialText},
};
use crate::{
    identity::{IdentityError, Serial, sha256},
    issuing::Revoked,
    validity::Validity,
};

/// A revocation list that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Its number.
    pub number: u64,
    /// From thisUpdate to nextUpdate.
    pub validity: Validity,
}

/// What stands in a ledger.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    issued: BTreeMap<Serial, Issuance>,
    listed: Option<Listing>,
    lines: u64,
    last: Option<[u8; 32]>,
    /// How many bytes of the file count: a line without an end was never acknowledged.
    length: u64,
}

/// A ledger that can be written: nobody else can as long as this lives.
#[derive(Debug)]
pub struct OpenLedger {
    ledger: Ledger,
    file: File,
    /// A line may be on disk or not: nothing more may be written after it.
    broken: bool,
}

/// Why a ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A line does not say what a line must say.
    #[error("line {line} of the ledger cannot be read: restore the ledger from its backup")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A line does not follow the one before.
    #[error(
        "line {line} of the ledger does not follow line {}: a line was changed or taken out; restore the ledger from its backup",
        line.saturating_sub(1)
    )]
    Broken {
        /// Counted from 1.
        line: u64,
    },
    /// Another process is at it.
    #[error("another command is working with this authority: wait until it is done")]
    Busy,
    /// The disk said no.
    #[error("the ledger cannot be {action}")]
    Disk {
        /// What was tried, as a participle.
        action: &'static str,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The serial number is not one of this authority's.
    #[error("no certificate with serial number {serial} was issued by this authority")]
    NotIssued {
        /// The number.
        serial: Serial,
    },
    /// The certificate is revoked already.
    #[error("certificate {serial} was revoked at {} already", at.spoken())]
    Revoked {
        /// Its serial number.
        serial: Serial,
        /// When.
        at: Timestamp,
    },
    /// The serial number was used before.
    #[error(
        "serial number {serial} was used before: the source of randomness repeats itself; do not go on"
    )]
    SerialUsed {
        /// The number.
        serial: Serial,
    },
    /// What is to be written is no certificate.
    #[error("what is to be written is no certificate")]
    NoCertificate(#[source] IdentityError),
}

impl Ledger {
    /// Reads a ledger without touching it.
    ///
    /// # Errors
    /// When it cannot be read, or a line is not as it was written.
    pub fn read(path: &Path) -> Result<Self, LedgerError> {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .map_err(disk("read"))?;
        Self::parse(&bytes)
    }

    /// Every certificate, by serial number.
    pub fn issued(&self) -> impl Iterator<Item = &Issuance> {
        self.issued.values()
    }

    /// A certificate.
    #[must_use]
    pub fn find(&self, serial: &Serial) -> Option<&Issuance> {
        self.issued.get(serial)
    }

    /// Every certificate of a key, by serial number.
    pub fn of_key(&self, key_sha256: [u8; 32]) -> impl Iterator<Item = &Issuance> {
        let issued = self.issued.values();
        issued.filter(move |issuance| issuance.key_sha256 == key_sha256)
    }

    /// The newest revocation list.
    #[must_use]
    pub const fn listed(&self) -> Option<Listing> {
        self.listed
    }

    /// How many lines there are.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// What the next revocation list must name: everything revoked that has not expired, and what expired
    /// since the list before, so that nothing leaves a list without having stood on one (RFC 5280 5). A list counts
    /// from when it is written down, which is before it is published.
    #[must_use]
    pub fn to_list(&self) -> Vec<Revoked> {
        let since = self
            .listed
            .map_or(Timestamp::EPOCH, |listed| listed.validity.not_before());
        self.issued()
            .filter(|issuance| since <= issuance.validity.not_after())
            .filter_map(|issuance| {
                let (at, reason) = issuance.revoked?;
                let serial = issuance.serial.clone();
                Some(Revoked { serial, at, reason })
            })
            .collect()
    }

    fn parse(bytes: &[u8]) -> Result<Self, LedgerError> {
        let mut ledger = Self::default();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let Some(text) = line.strip_suffix(b"\n") else {
                break;
            };
            ledger.take(text)?;
            let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
            ledger.length = ledger.length.saturating_add(length);
        }
        Ok(ledger)
    }

    fn take(&mut self, text: &[u8]) -> Result<(), LedgerError> {
        let number = self.lines.saturating_add(1);
        let wrong = |source: Box<dyn std::error::Error + Send + Sync>| LedgerError::Line {
            line: number,
            source,
        };
        let line: Line = serde_json::from_slice(text).map_err(|error| wrong(error.into()))?;
        if line.number != number || line.previous != self.last_hex() {
            return Err(LedgerError::Broken { line: number });
        }
        self.apply(line.at, &line.entry)
            .map_err(|error| wrong(error.into()))?;
        self.lines = number;
        self.last = Some(sha256(text));
        Ok(())
    }

    fn apply(&mut self, at: Timestamp, entry: &LedgerEntry) -> Result<(), LedgerError> {
        match entry {
            LedgerEntry::Issued {
                kind,
                certificate,
                replaces,
            } => {
                let mut issuance =
                    Issuance::read(&certificate.0).map_err(LedgerError::NoCertificate)?;
                issuance.kind = *kind;
                issuance.issued_at = at;
                issuance.replaces = replaces.as_ref().map(|serial| serial.0.clone());
                let serial = issuance.serial.clone();
                if self.issued.contains_key(&serial) {
                    return Err(LedgerError::SerialUsed { serial });
                }
                self.issued.insert(serial, issuance);
            }
            LedgerEntry::Revoked { serial, reason } => {
                let serial = serial.0.clone();
                let Some(issuance) = self.issued.get_mut(&serial) else {
                    return Err(LedgerError::NotIssued { serial });
                };
                if let Some((at, _)) = issuance.revoked {
                    return Err(LedgerError::Revoked { serial, at });
                }
                issuance.revoked = Some((at, *reason));
            }
            LedgerEntry::Listed { number, until } => {
                let validity = Validity::between(at, *until).unwrap_or(Validity::days(0, at));
                self.listed = Some(Listing {
                    number: *number,
                    validity,
                });
            }
        }
        Ok(())
    }

    fn last_hex(&self) -> String {
        self.last.map_or_else(|| START.to_owned(), hex::encode)
    }
}

impl OpenLedger {
    /// Opens a ledger to write in it, made when it is missing. What a crash left of a last line is cut off.
    ///
    /// # Errors
    /// As [`Ledger::read`], and when another process is at it.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(disk("opened"))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => LedgerError::Busy,
            TryLockError::Error(source) => disk("locked")(source),
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(disk("read"))?;
        let ledger = Ledger::parse(&bytes)?;
        file.set_len(ledger.length)
            .and_then(|()| file.sync_all())
            .map_err(disk("cut"))?;
        Ok(Self {
            ledger,
            file,
            broken: false,
        })
    }

    /// Writes a line and waits until it is on disk.
    ///
    /// # Errors
    /// When the entry does not fit the ledger: then nothing is written. When the disk says no: then nothing
    /// more can be written through this value, because the line may be there or not.
    pub fn append(&mut self, at: Timestamp, entry: LedgerEntry) -> Result<(), LedgerError> {
        if self.broken {
            return Err(disk("written")(io::Error::other(
                "an earlier line may be on disk or not",
            )));
        }
        // Checked on a copy: nothing is written that could not be read back.
        let mut next = self.ledger.clone();
        next.apply(at, &entry)?;
        let line = Line {
            number: next.lines.saturating_add(1),
            at,
            previous: next.last_hex(),
            entry,
        };
        let mut text =
            serde_json::to_vec(&line).map_err(|error| disk("written")(io::Error::other(error)))?;
        next.lines = line.number;
        next.last = Some(sha256(&text));
        text.push(b'\n');
        self.broken = true;
        self.file
            .write_all(&text)
            .and_then(|()| self.file.sync_all())
            .map_err(disk("written"))?;
        self.broken = false;
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        next.length = next.length.saturating_add(length);
        self.ledger = next;
        Ok(())
    }

    /// What stands in it.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

fn disk(action: &'static str) -> impl FnOnce(io::Error) -> LedgerError {
    move |source| LedgerError::Disk { action, source }
}
