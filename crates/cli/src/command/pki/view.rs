//! What the commands of an authority show.

mod judged;

use std::path::Path;

use schakel_core::time::Timestamp;
use schakel_pki::{
    ledger::{Issuance, Ledger},
    office::{Founded, Places, SignedList},
    request::CertificateRequest,
};
use serde::Serialize;

pub(in crate::command) use self::judged::{Checked, Rehearsed};
use super::uses::Uses;
use crate::{instant, output::View, page::Page};

/// An authority that began.
#[derive(Debug, Serialize)]
pub(super) struct Begun {
    root: String,
    issuing: String,
    public: String,
    root_sha256: String,
    root_until: String,
    issuing_until: String,
}

/// A certificate that was issued.
#[derive(Debug, Serialize)]
pub(super) struct Certificate {
    serial: String,
    profile: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    oin: Option<String>,
    name: String,
    from: String,
    until: String,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
}

/// A request that was made.
#[derive(Debug, Serialize)]
pub(super) struct Requested {
    key: String,
    request: String,
    request_sha256: String,
}

/// What stands in a ledger.
#[derive(Debug, Serialize)]
pub(super) struct Ledgered {
    certificates: Vec<Certificate>,
    not_shown: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<CurrentList>,
    /// Whether a broker told when they were used.
    #[serde(skip)]
    uses_known: bool,
    /// Why what is not shown is not.
    #[serde(skip)]
    why_not: &'static str,
    #[serde(skip)]
    now: Timestamp,
}

/// The newest list.
#[derive(Debug, Serialize)]
struct CurrentList {
    number: u64,
    until: String,
    ended: bool,
}

/// A list that was signed.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    /// What the command revoked, the one that was named last.
    revoked_now: Vec<Certificate>,
    number: u64,
    revoked: usize,
    from: String,
    until: String,
    files: Vec<String>,
}

impl Begun {
    pub(super) fn new(places: &Places, founded: &Founded) -> Self {
        let shown = |path: &Path| path.display().to_string();
        Self {
            root: shown(&places.root),
            issuing: shown(&places.issuing),
            public: shown(&places.public),
            root_sha256: hex::encode(founded.root_sha256),
            root_until: founded.root_until.to_string(),
            issuing_until: founded.issuing_until.to_string(),
        }
    }
}

impl View for Begun {
    fn write(&self, page: &mut Page) {
        page.pair("root", &self.root);
        page.pair("holds until", &instant::spoken(&self.root_until));
        page.pair("issuing", &self.issuing);
        page.pair("holds until", &instant::spoken(&self.issuing_until));
        page.pair("to publish", &self.public);
        page.blank();
        page.line("Next:");
        page.line(&format!(
            "1. Take `{}` to a medium that is kept offline, with its passphrase elsewhere.",
            self.root
        ));
        page.line(&format!(
            "2. Publish what is in `{}` at the address that stands in the certificates.",
            self.public
        ));
        page.line(
            "3. Tell partners this fingerprint of the root by another way than the certificate:",
        );
        page.line(&self.root_sha256);
    }
}

impl From<&Issuance> for Certificate {
    fn from(issuance: &Issuance) -> Self {
        Self {
            serial: issuance.serial.to_string(),
            profile: issuance.kind.code(),
            oin: issuance.oin.as_ref().map(ToString::to_string),
            name: issuance.name.clone(),
            from: issuance.validity.not_before().to_string(),
            until: issuance.validity.not_after().to_string(),
            sha256: hex::encode(issuance.sha256),
            replaces: issuance.replaces.as_ref().map(ToString::to_string),
            revoked_at: issuance.revoked.map(|(at, _)| at.to_string()),
            reason: issuance.revoked.map(|(_, reason)| reason.code()),
            last_used_at: None,
        }
    }
}

impl View for Certificate {
    fn write(&self, page: &mut Page) {
        page.pair("serial number", &self.serial);
        page.pair("profile", self.profile);
        page.pair_if("OIN", self.oin.as_deref());
        page.pair("name", &self.name);
        page.pair("holds until", &instant::spoken(&self.until));
        page.pair("SHA-256", &self.sha256);
        page.pair_if("replaces", self.replaces.as_deref());
        if let (Some(at), Some(reason)) = (&self.revoked_at, self.reason) {
            page.pair("revoked", &format!("{}, {reason}", instant::spoken(at)));
        }
    }
}

impl Requested {
    pub(super) fn new(request: &CertificateRequest, key: &Path, out: &Path) -> Self {
        Self {
            key: key.display().to_string(),
            request: out.display().to_string(),
            request_sha256: hex::encode(request.sha256()),
        }
    }
}

impl View for Requested {
    fn write(&self, page: &mut Page) {
        page.line(&format!(
            "The private key is in `{}` and stays there. Send `{}` to the authority; it is no secret.",
            self.key, self.request
        ));
        page.line("Its fingerprint, for the telephone:");
        page.line(&self.request_sha256);
    }
}

impl Ledgered {
    pub(super) fn new(
        ledger: &Ledger,
        shown: impl FnMut(&&Issuance) -> bool,
        uses: Option<&Uses>,
        why_not: &'static str,
        now: Timestamp,
    ) -> Self {
        let with_use = |issuance: &Issuance| {
            let certificate = Certificate::from(issuance);
            let last_used_at = uses
                .and_then(|uses| uses.last(&certificate.sha256))
                .cloned();
            Certificate {
                last_used_at,
                ..certificate
            }
        };
        let mut certificates: Vec<&Issuance> = ledger.issued().filter(shown).collect();
        certificates.sort_by_key(|issuance| issuance.validity.not_after());
        Self {
            not_shown: ledger.issued().count() - certificates.len(),
            certificates: certificates.into_iter().map(with_use).collect(),
            list: ledger.listed().map(|list| CurrentList {
                number: list.number,
                until: list.validity.not_after().to_string(),
                ended: list.validity.not_after() < now,
            }),
            uses_known: uses.is_some(),
            why_not,
            now,
        }
    }
}

impl View for Ledgered {
    fn write(&self, page: &mut Page) {
        for certificate in &self.certificates {
            let oin = certificate.oin.as_deref().unwrap_or("");
            page.line(&format!(
                "{} {} {oin}",
                self.left(&certificate.until),
                certificate.name
            ));
            page.indented(|page| {
                page.pair(certificate.profile, &certificate.serial);
                page.pair_if("replaces", certificate.replaces.as_deref());
                if let (Some(at), Some(reason)) = (&certificate.revoked_at, certificate.reason) {
                    page.pair("revoked", &format!("{}, {reason}", instant::spoken(at)));
                }
                let last = certificate.last_used_at.as_deref().map(instant::spoken);
                let last = last.as_deref().or(self.uses_known.then_some("not known"));
                page.pair_if("last used", last);
            });
        }
        if !self.uses_known && !self.certificates.is_empty() {
            page.line("When each was last used, a broker knows:");
            page.indented(|page| {
                page.line("schakel certificate list --json | schakel pki list --uses -");
            });
        }
        if self.not_shown > 0 {
            page.line(&format!("Not shown: {}{}.", self.not_shown, self.why_not));
        }
        match &self.list {
            None => page.line("No revocation list was signed yet: `schakel pki crl`."),
            Some(list) => page.line(&format!(
                "Revocation list {} {} {}.",
                list.number,
                if list.ended {
                    "ENDED at"
                } else {
                    "counts until"
                },
                instant::spoken(&list.until)
            )),
        }
    }
}

impl Ledgered {
    /// The day on which it ends, and how far that is.
    fn left(&self, until: &str) -> String {
        let day = until.get(..10).unwrap_or(until);
        let until: Timestamp = until.parse().unwrap_or(self.now);
        let left = until.as_millis().saturating_sub(self.now.as_millis()) / Timestamp::DAY_MS;
        if until < self.now {
            format!("{day} (ended)")
        } else {
            format!("{day} ({left} days)")
        }
    }
}

impl Listed {
    pub(super) fn new(list: &SignedList, files: Vec<String>, revoked: &[Issuance]) -> Self {
        Self {
            revoked_now: revoked.iter().map(Certificate::from).collect(),
            number: list.number,
            revoked: list.revoked,
            from: list.validity.not_before().to_string(),
            until: list.validity.not_after().to_string(),
            files,
        }
    }
}

impl View for Listed {
    fn write(&self, page: &mut Page) {
        if let Some((named, others)) = self.revoked_now.split_last() {
            page.line(&format!("Revoked {}, {}.", named.serial, named.name));
            if !others.is_empty() {
                page.line("Of the same key, and so revoked with it:");
            }
            page.indented(|page| {
                for other in others {
                    page.line(&format!("{}, {}", other.serial, other.name));
                }
            });
        }
        let revoked = match self.revoked {
            1 => "1 certificate".to_owned(),
            count => format!("{count} certificates"),
        };
        page.line(&format!(
            "Revocation list {} names {revoked} and counts until {}.",
            self.number,
            instant::spoken(&self.until)
        ));
        page.pairs("published", &self.files);
    }
}
