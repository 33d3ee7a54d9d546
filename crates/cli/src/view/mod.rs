//! What answers look like: for people as a page, for machines as JSON with the field names of `proto/`.

#![expect(
    clippy::struct_field_names,
    reason = "the fields are named as in proto/"
)]

mod case;
mod certificate;
mod consent;
mod disclosure;
mod enrolment;
mod entry;
mod inbox;
mod outcome;
mod oversight;
mod party;
mod purpose;
mod reconciliation;
mod registry;
mod replay;
mod report;
mod retention;
mod right;
mod trail;
mod usage;

pub(crate) use case::Case;
pub(crate) use certificate::{Certificates, OwnCertificate};
pub(crate) use consent::Consents;
pub(crate) use disclosure::{Disclosed, Introduction};
pub(crate) use enrolment::{Enrolment, Enrolments, Invited, IssuedCertificates};
pub(crate) use entry::{Entries, EntryWithProof, Explanation};
pub(crate) use inbox::{Acknowledged, Message, Notices, Pulled};
pub(crate) use outcome::{Answers, Confirmed, Done, Outcome};
pub(crate) use oversight::{Breach, Integrity, Searches};
pub(crate) use party::{Parties, Party};
pub(crate) use purpose::{PurposeVersion, Purposes};
pub(crate) use reconciliation::{Exported, Reconciled};
pub(crate) use registry::{Proposals, Proposed};
pub(crate) use replay::{AsOf, Replayed};
pub(crate) use report::Report;
pub(crate) use retention::{Erasing, Erasures, Retention, RetentionCheck};
pub(crate) use right::Rights;
pub(crate) use trail::{Checkpoint, Consistency};
pub(crate) use usage::Usages;

use schakel_api::v1;
use serde::Serialize;

use crate::{instant, page::Page};

/// Proof that an entry stands in the log; verified before it is shown.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Receipt {
    index: u64,
    leaf: String,
    hashes: Vec<String>,
    checkpoint: String,
}

/// A period, the end not inside.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Period {
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// How to reach a team.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Contact {
    team: String,
    email: String,
    telephone: String,
}

/// A legal basis.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LegalBasis {
    basis: String,
    law_ref: String,
}

impl From<v1::Receipt> for Receipt {
    fn from(receipt: v1::Receipt) -> Self {
        Self {
            index: receipt.index,
            leaf: hex::encode(&receipt.leaf),
            hashes: receipt.hashes.iter().map(hex::encode).collect(),
            checkpoint: String::from_utf8_lossy(&receipt.checkpoint).into_owned(),
        }
    }
}

impl Receipt {
    /// The entry it proves.
    pub(crate) const fn index(&self) -> u64 {
        self.index
    }

    /// One line at the end of an answer.
    fn write(receipt: Option<&Self>, page: &mut Page) {
        if let Some(receipt) = receipt {
            page.line(&format!("Entry {} of the log, verified.", receipt.index));
        }
    }
}

impl From<v1::Period> for Period {
    fn from(period: v1::Period) -> Self {
        Self {
            from: instant::shown_if(period.from.as_ref()),
            until: instant::shown_if(period.until.as_ref()),
        }
    }
}

impl Period {
    /// In words.
    fn spoken(&self) -> String {
        let from = self
            .from
            .as_deref()
            .map(instant::spoken)
            .unwrap_or_default();
        match &self.until {
            Some(until) => format!("from {from} until {}", instant::spoken(until)),
            None => format!("from {from}"),
        }
    }
}

impl From<v1::Contact> for Contact {
    fn from(contact: v1::Contact) -> Self {
        let v1::Contact {
            team,
            email,
            telephone,
        } = contact;
        Self {
            team,
            email,
            telephone,
        }
    }
}

impl Contact {
    /// In one line.
    fn spoken(&self) -> String {
        let parts = [&self.team, &self.email, &self.telephone];
        let parts: Vec<&str> = parts
            .into_iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        parts.join(", ")
    }
}

impl From<v1::LegalBasis> for LegalBasis {
    fn from(basis: v1::LegalBasis) -> Self {
        let v1::LegalBasis { basis, law_ref } = basis;
        Self { basis, law_ref }
    }
}

impl LegalBasis {
    /// In one line.
    fn spoken(&self) -> String {
        if self.law_ref.is_empty() {
            self.basis.clone()
        } else {
            format!("{} ({})", self.basis, self.law_ref)
        }
    }
}

/// Values of one kind as views of them.
fn all<T, V: From<T>>(values: Vec<T>) -> Vec<V> {
    values.into_iter().map(V::from).collect()
}
