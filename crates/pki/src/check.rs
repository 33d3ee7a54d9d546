//! Whether a broker will accept a certificate, and if not, why: before it is ordered, or used.
//!
//! What is checked is what a broker checks, in words. The last word has the broker's own verifier, which
//! goes by the same files.

mod chain;
mod end;

use std::collections::BTreeSet;

use schakel_core::{id::AnchorName, party::Party, time::Timestamp};
use x509_parser::pem::Pem;

use crate::{
    identity::{self, Serial, sha256},
    pem,
    revocation::RevocationList,
};

/// What a broker goes by.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// Whether real data come there: certificates for development are refused then.
    pub production: bool,
    /// What it trusts: a certificate is accepted when it is under one of them.
    pub anchors: Vec<Anchor>,
    /// Who is registered; absent when that is not known here.
    pub parties: Option<Vec<Party>>,
}

/// Authorities that a broker trusts together.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// What the broker asks under this anchor; absent when that is not known here.
    pub terms: Option<AnchorTerms>,
    /// The authorities that are trusted by themselves, DER.
    pub authorities: Vec<Vec<u8>>,
    /// Authorities below those, DER: they complete a chain that is sent short, and are trusted no further than it.
    pub intermediates: Vec<Vec<u8>>,
    /// The revocation lists of all of them.
    pub lists: Vec<KnownList>,
}

/// A revocation list, and how long the broker relies on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownList {
    /// Where it is from, for people.
    pub from: String,
    /// The list, PEM; absent when it is to be fetched and never was.
    pub text: Option<String>,
    /// From when its age counts; absent when that is from when it was signed.
    pub counted_from: Option<Timestamp>,
    /// How old it may be, in milliseconds; absent means as long as the authority says.
    pub max_age_ms: Option<u64>,
    /// Whether certificates are admitted although it is older.
    pub admits_stale: bool,
}

/// What a broker asks of a certificate under an anchor.
#[derive(Clone, Debug)]
pub struct AnchorTerms {
    /// How the broker calls the anchor: a number that is pinned to another is not accepted under it.
    pub name: AnchorName,
    /// Whether numbers that are pinned to no anchor count under it.
    pub takes_unpinned: bool,
    /// The policies of which a certificate must have one, as object identifiers with dots; any will do when there
    /// are none.
    pub policies: Vec<String>,
    /// The extended key usages of which it must have one, as object identifiers with dots.
    pub usages: Vec<String>,
}

/// Under what a certificate is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// What the broker's clock says.
    pub at: Timestamp,
    /// How old the revocation lists are.
    pub lists: Lists,
    /// SHA-256 of the certificates of authorities that are revoked or no longer trusted.
    pub distrusted: BTreeSet<[u8; 32]>,
}

/// How old the revocation lists of the broker are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// As the files are.
    AsTheyAre,
    /// This many milliseconds: the last was signed that long before, whatever the files say.
    Aged(u64),
    /// Renewed in time.
    Fresh,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub check: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found; for what fails, how to mend it.
    pub said: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// In order.
    Passed,
    /// In order for now.
    Warned,
    /// Not in order: the broker refuses the certificate.
    Failed,
}

/// A certificate with what its holder sends along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    own: Vec<u8>,
    others: Vec<Vec<u8>>,
}

/// Why a text is no chain of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a chain of certificates in PEM, its own first")]
pub struct NoChain;

impl Chain {
    /// Reads a certificate and those that follow it. Keys and the like in the same file are passed over.
    ///
    /// # Errors
    /// When there is no certificate in it, or something that cannot be read.
    pub fn read(text: &str) -> Result<Self, NoChain> {
        let mut certificates = Vec::new();
        for block in Pem::iter_from_buffer(text.as_bytes()) {
            let block = block.map_err(|_| NoChain)?;
            if block.label == "CERTIFICATE" {
                identity::parse(&block.contents).map_err(|_| NoChain)?;
                certificates.push(block.contents);
            }
        }
        let mut certificates = certificates.into_iter();
        Ok(Self {
            own: certificates.next().ok_or(NoChain)?,
            others: certificates.collect(),
        })
    }

    /// A certificate and the others that its holder sends along, DER.
    #[must_use]
    pub const fn new(own: Vec<u8>, others: Vec<Vec<u8>>) -> Self {
        Self { own, others }
    }

    /// The certificate itself, DER.
    #[must_use]
    pub fn own(&self) -> &[u8] {
        &self.own
    }

    /// All of it, PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.iter()
            .map(|der| pem::block(der, "CERTIFICATE"))
            .collect()
    }

    /// All of it, the certificate itself first.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.own)
            .chain(&self.others)
            .map(Vec::as_slice)
    }
}

impl Acceptance {
    /// Everything that is looked at, in the order in which a broker would come upon it.
    #[must_use]
    pub fn check(&self, chain: &Chain, conditions: &Conditions) -> Vec<Finding> {
        let Ok(certificate) = identity::parse(&chain.own) else {
            return vec![failed("certificate", "cannot be read".to_owned())];
        };
        let under = |anchor| {
            let mut findings = Vec::new();
            end::check(
                self,
                anchor,
                &chain.own,
                &certificate,
                conditions,
                &mut findings,
            );
            chain::check(anchor, chain, conditions, &mut findings);
            end::check_party(self, anchor, &chain.own, conditions, &mut findings);
            findings
        };
        let all = self
            .anchors
            .iter()
            .map(under)
            .min_by_key(|findings| distance(findings));
        all.unwrap_or_else(|| vec![failed("authority", "the broker trusts none".to_owned())])
    }

    /// Whether a broker would accept it.
    #[must_use]
    pub fn accepts(&self, chain: &Chain, conditions: &Conditions) -> bool {
        let findings = self.check(chain, conditions);
        findings
            .iter()
            .all(|finding| finding.verdict != Verdict::Failed)
    }
}

impl Anchor {
    /// The lists that an authority (DER) signed.
    fn lists_of(&self, authority: &[u8]) -> Vec<(&KnownList, RevocationList)> {
        let lists = self.lists.iter();
        lists
            .filter_map(|known| {
                let list = RevocationList::parse(known.text.as_deref()?, authority).ok()?;
                Some((known, list))
            })
            .collect()
    }

    /// The lists that were never fetched: those of authorities that nobody knows.
    fn unfetched(&self) -> impl Iterator<Item = &KnownList> {
        self.lists.iter().filter(|known| known.text.is_none())
    }
}

impl KnownList {
    /// A list in a file, which counts as long as the authority says.
    #[must_use]
    pub const fn in_file(from: String, text: String) -> Self {
        Self {
            from,
            text: Some(text),
            counted_from: None,
            max_age_ms: None,
            admits_stale: false,
        }
    }

    /// The first instant at which the broker relies on it no more, under these conditions.
    fn ends_at(&self, list: &RevocationList, conditions: &Conditions) -> Timestamp {
        let (signed, end) = (list.validity().not_before(), list.validity().not_after());
        let age = |from: Timestamp| self.max_age_ms.map(|age| from.plus_millis(age));
        match conditions.lists {
            Lists::Fresh => Timestamp::MAX,
            Lists::AsTheyAre => {
                let end_by_age = age(self.counted_from.unwrap_or(signed));
                end_by_age.map_or(end, |by_age| by_age.min(end))
            }
            Lists::Aged(ms) => {
                let then = conditions.at.minus_millis(ms);
                let length = end.as_millis().saturating_sub(signed.as_millis());
                let end = then.plus_millis(length);
                age(then).map_or(end, |by_age| by_age.min(end))
            }
        }
    }
}

impl Conditions {
    /// As things are at an instant.
    #[must_use]
    pub const fn at(at: Timestamp) -> Self {
        Self {
            at,
            lists: Lists::AsTheyAre,
            distrusted: BTreeSet::new(),
        }
    }
}

/// How far a certificate is from being accepted: furthest when it is under another anchor.
fn distance(findings: &[Finding]) -> (bool, usize) {
    let failed = || {
        let all = findings.iter();
        all.filter(|finding| finding.verdict == Verdict::Failed)
    };
    (
        failed().any(|finding| finding.check == "authority"),
        failed().count(),
    )
}

/// Reads every certificate of a file of authorities, DER.
///
/// # Errors
/// When there is none, or something in it cannot be read.
pub fn authorities(text: &str) -> Result<Vec<Vec<u8>>, NoChain> {
    Ok(Chain::read(text)?.iter().map(<[u8]>::to_vec).collect())
}

/// A revocation list as [`Anchor::lists`] holds it: PEM, whether it was read as that or as DER.
#[must_use]
pub fn list_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains("-----BEGIN ") => text.to_owned(),
        _ => pem::block(bytes, "X509 CRL"),
    }
}

fn passed(check: &'static str, said: String) -> Finding {
    let verdict = Verdict::Passed;
    Finding {
        check,
        verdict,
        said,
    }
}

fn warned(check: &'static str, said: String) -> Finding {
    let verdict = Verdict::Warned;
    Finding {
        check,
        verdict,
        said,
    }
}

fn failed(check: &'static str, said: String) -> Finding {
    let verdict = Verdict::Failed;
    Finding {
        check,
        verdict,
        said,
    }
}

#[cfg(test)]
mod tests;
