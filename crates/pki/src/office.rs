//! An authority on disk: its directory, and the verbs of whoever keeps it.
//!
//! | file | what it is |
//! |---|---|
//! | `authority.cert.pem` | its certificate |
//! | `authority.key.pem` | its private key, encrypted under a passphrase |
//! | `authority.toml` | what stands in every certificate it issues |
//! | `ledger.jsonl` | what it issued, revoked and listed |
//! | `above.pem` | for an issuing authority: the root's certificate |
//! | `certificates/<serial>.cert.pem` | a copy of each certificate, for people |
//!
//! Root and issuing authority have a directory each, so that the root's can be taken away and kept offline;
//! a third one, which holds no secret, is what is published.

mod answer;
mod error;
mod files;
mod found;
mod look;
mod order;
mod publish;
mod revoke;

use std::path::{Path, PathBuf};

use schakel_core::{random::Random, time::Timestamp};
use serde::{Deserialize, Serialize};

pub use self::{
    answer::Asked,
    error::OfficeError,
    found::{Founded, Founding, Places, found, renew_issuing},
    order::{Below, Level, Order, Renewed},
    publish::{publish, published},
};
use self::{
    files::Readers,
    look::{settings, unlocked},
};
use crate::{
    identity::{IdentityError, Serial, sha256},
    issuing::{IssueError, SigningAuthority, Terms},
    ledger::{Der, Issuance, Kind, Ledger, LedgerEntry, LedgerError, OpenLedger, SerialText},
    pem,
    request::AdmittedKey,
    secret::Passphrase,
    validity::Validity,
};

/// The certificate of an authority.
pub const CERTIFICATE: &str = "authority.cert.pem";
/// The encrypted private key of an authority.
pub const KEY: &str = "authority.key.pem";
/// The ledger of an authority.
pub const LEDGER: &str = "ledger.jsonl";
const SETTINGS: &str = "authority.toml";
const ABOVE: &str = "above.pem";
const CERTIFICATES: &str = "certificates";

/// How often a serial number is drawn anew before the source of randomness is given up on.
const DRAWS: usize = 4;

/// What an authority keeps about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    level: Level,
    terms: Terms,
}

/// An authority on disk, in the hands of one process.
#[derive(Debug)]
pub struct Office {
    dir: PathBuf,
    settings: Settings,
    certificate: Vec<u8>,
    ledger: OpenLedger,
}

/// A revocation list that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedList {
    /// Its number.
    pub number: u64,
    /// From thisUpdate to nextUpdate.
    pub validity: Validity,
    /// How many certificates it names.
    pub revoked: usize,
    /// The list, DER.
    pub der: Vec<u8>,
}

impl Office {
    /// Opens the directory of an authority. Copies of certificates that a crash kept from being written are
    /// written now.
    ///
    /// # Errors
    /// When it is no such directory, the ledger is not as it was written, or another process is at it.
    pub fn open(dir: &Path) -> Result<Self, OfficeError> {
        let settings = settings(dir)?;
        let path = dir.join(LEDGER);
        let ledger =
            OpenLedger::open(&path).map_err(|source| OfficeError::Ledger { path, source })?;
        let office = Self {
            dir: dir.to_owned(),
            settings,
            certificate: certificate(dir)?,
            ledger,
        };
        for issuance in office.ledger().issued() {
            office.copy(issuance)?;
        }
        Ok(office)
    }

    /// Opens the private key. Everything that signs needs it.
    ///
    /// # Errors
    /// When the passphrase is another, or certificate and key do not belong together.
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<SigningAuthority, OfficeError> {
        let terms = self.settings.terms.clone();
        unlocked(&self.dir, self.certificate.clone(), terms, passphrase)
    }

    /// Issues a certificate to a holder, for a key that was admitted: in the ledger first.
    ///
    /// # Errors
    /// When a name or the term is out of its bounds, the authority does not hold now or is a root, a certificate of
    /// the key was revoked because the key was compromised, or the ledger cannot be written.
    pub fn issue(
        &mut self,
        authority: &SigningAuthority,
        key: &AdmittedKey,
        order: &Order,
        now: Timestamp,
        random: &mut dyn Random,
    ) -> Result<Issuance, OfficeError> {
        self.expect(Level::Issuing)?;
        self.expect_valid(now)?;
        self.expect_own_key(&key.spki)?;
        let holder = &order.holder;
        holder.check()?;
        let validity = Validity::days(holder.days(order.days)?, now);
        let kind = Kind::Holder(holder.profile);
        let draw = |random: &mut dyn Random| authority.certify(key, holder, validity, random);
        self.record(kind, order.replaces.as_ref(), draw, now, random)
    }

    /// Issues a certificate to the holder of another one, which stays valid beside it until it ends.
    ///
    /// # Errors
    /// As [`Self::issue`]; when the other was not issued here, is an authority's, or is revoked: whoever lost a
    /// key makes a new one and asks afresh; and everything for which a new request is refused.
    pub fn renew(
        &mut self,
        authority: &SigningAuthority,
        serial: &Serial,
        renewed: Renewed<'_>,
        days: Option<u32>,
        now: Timestamp,
        random: &mut dyn Random,
    ) -> Result<Issuance, OfficeError> {
        let old = self.found_in_ledger(serial)?;
        if let Some((at, _)) = old.revoked {
            let serial = serial.clone();
            return Err(OfficeError::Revoked { serial, at });
        }
        let Some(holder) = old.holder() else {
            return Err(OfficeError::NoHolder);
        };
        let key = match renewed {
            Renewed::Request(request) => request.admit(&holder)?,
            Renewed::SameKey => AdmittedKey::of(&old),
        };
        let order = Order {
            holder,
            days,
            replaces: Some(serial.clone()),
        };
        self.issue(authority, &key, &order, now, random)
    }

    /// Has the root certify the authority below it: a new one, or the same key for longer.
    ///
    /// # Errors
    /// As [`Self::issue`], and when this is no root.
    pub fn issue_authority(
        &mut self,
        authority: &SigningAuthority,
        below: &Below,
        now: Timestamp,
        random: &mut dyn Random,
    ) -> Result<Issuance, OfficeError> {
        self.expect(Level::Root)?;
        self.expect_valid(now)?;
        self.expect_own_key(&below.spki)?;
        let validity = Validity::days(below.days, now);
        let policy = below.terms.policy.as_ref();
        let draw = |random: &mut dyn Random| {
            authority.certify_authority(&below.name, &below.spki, validity, policy, random)
        };
        self.record(Kind::Authority, None, draw, now, random)
    }

    /// Signs a new revocation list. The number is taken in the ledger first: a list that a crash kept from
    /// being written leaves a gap, never the same number twice.
    ///
    /// # Errors
    /// When the authority does not hold now, or the ledger cannot be written.
    pub fn list(
        &mut self,
        authority: &SigningAuthority,
        days: u32,
        now: Timestamp,
    ) -> Result<SignedList, OfficeError> {
        self.expect_valid(now)?;
        let revoked = self.ledger().to_list();
        let number = self.ledger().listed().map_or(0, |listed| listed.number);
        let number = number.saturating_add(1);
        // It begins now and not earlier: what was revoked since must not look listed.
        let validity =
            Validity::between(now, now.plus_days(days)).unwrap_or(Validity::days(days, now));
        let until = validity.not_after();
        self.append(now, LedgerEntry::Listed { number, until })?;
        let der = authority.list(&revoked, number, validity)?;
        Ok(SignedList {
            number,
            validity,
            revoked: revoked.len(),
            der,
        })
    }

    /// What stands in the ledger.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        self.ledger.ledger()
    }

    /// Where it stands.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.settings.level
    }

    /// Its certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// A certificate with the authority's below it, PEM: what a holder installs. The root is left out, as
    /// whoever verifies has it already.
    #[must_use]
    pub fn chain(&self, issuance: &Issuance) -> String {
        issuance.pem() + &pem::block(&self.certificate, "CERTIFICATE")
    }

    fn record(
        &mut self,
        kind: Kind,
        replaces: Option<&Serial>,
        draw: impl Fn(&mut dyn Random) -> Result<Vec<u8>, IssueError>,
        now: Timestamp,
        random: &mut dyn Random,
    ) -> Result<Issuance, OfficeError> {
        for _ in 1..DRAWS {
            let der = draw(random)?;
            let issuance = self.sound(&der)?;
            if self.ledger().find(&issuance.serial).is_none() {
                return self.keep(kind, der, &issuance.serial, replaces, now);
            }
        }
        // The ledger refuses when this one was used as well.
        let der = draw(random)?;
        let serial = self.sound(&der)?.serial;
        self.keep(kind, der, &serial, replaces, now)
    }

    fn keep(
        &mut self,
        kind: Kind,
        der: Vec<u8>,
        serial: &Serial,
        replaces: Option<&Serial>,
        now: Timestamp,
    ) -> Result<Issuance, OfficeError> {
        let entry = LedgerEntry::Issued {
            kind,
            certificate: Der(der),
            replaces: replaces.cloned().map(SerialText),
        };
        self.append(now, entry)?;
        let issuance = self.found_in_ledger(serial)?;
        self.copy(&issuance)?;
        Ok(issuance)
    }

    /// Reads back what was signed with another library than the one that signed.
    fn sound(&self, der: &[u8]) -> Result<Issuance, OfficeError> {
        let unsound = |_: IdentityError| OfficeError::Unsound;
        let own = crate::identity::parse(&self.certificate).map_err(unsound)?;
        let parsed = crate::identity::parse(der).map_err(unsound)?;
        let fits = parsed.issuer().as_raw() == own.subject().as_raw()
            && parsed.verify_signature(Some(own.public_key())).is_ok();
        if !fits {
            return Err(OfficeError::Unsound);
        }
        Issuance::read(der).map_err(unsound)
    }

    fn found_in_ledger(&self, serial: &Serial) -> Result<Issuance, OfficeError> {
        let found = self.ledger().find(serial).cloned();
        found.ok_or_else(|| {
            let serial = serial.clone();
            self.refused(LedgerError::NotIssued { serial })
        })
    }

    fn append(&mut self, now: Timestamp, entry: LedgerEntry) -> Result<(), OfficeError> {
        let appended = self.ledger.append(now, entry);
        appended.map_err(|source| self.refused(source))
    }

    fn refused(&self, source: LedgerError) -> OfficeError {
        let path = self.dir.join(LEDGER);
        OfficeError::Ledger { path, source }
    }

    fn copy(&self, issuance: &Issuance) -> Result<(), OfficeError> {
        let name = format!("{}.cert.pem", issuance.serial);
        let path = self.dir.join(CERTIFICATES).join(name);
        if path.exists() {
            return Ok(());
        }
        files::put(&path, issuance.pem().as_bytes(), Readers::Everybody)
    }

    fn expect(&self, level: Level) -> Result<(), OfficeError> {
        if self.settings.level == level {
            return Ok(());
        }
        Err(OfficeError::OtherLevel {
            dir: self.dir.clone(),
            is: self.settings.level.spoken(),
            wanted: level.spoken(),
        })
    }

    fn expect_valid(&self, now: Timestamp) -> Result<(), OfficeError> {
        let own = Issuance::read(&self.certificate).map_err(|_| OfficeError::Unsound)?;
        let (from, until) = (own.validity.not_before(), own.validity.not_after());
        if own.validity.contains(now) {
            return Ok(());
        }
        Err(OfficeError::Expired { from, until })
    }
}

impl SignedList {
    /// The list, PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        pem::block(&self.der, "X509 CRL")
    }

    /// SHA-256 of the list.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.der)
    }
}

fn certificate(dir: &Path) -> Result<Vec<u8>, OfficeError> {
    let path = dir.join(CERTIFICATE);
    let der = pem::only_block(&files::read(&path)?, "CERTIFICATE");
    let wanted = "one certificate in PEM";
    der.ok_or(OfficeError::Unreadable { path, wanted })
}

#[cfg(test)]
mod tests;
