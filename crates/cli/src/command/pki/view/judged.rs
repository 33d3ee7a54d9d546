//! What is said of certificates beforehand: whether the broker accepts them, and who breaks when.

use std::{borrow::Cow, path::Path};

use schakel_api::v1;
use schakel_core::time::Timestamp;
use schakel_pki::{
    check::{Finding, Verdict},
    rehearse::{Fate, Outcome},
};
use serde::Serialize;

use crate::{instant, output::View, page::Page};

/// What was looked at.
#[derive(Debug, Serialize)]
pub(in crate::command) struct Checked {
    accepted: bool,
    findings: Vec<Found>,
    /// The file that says who is registered, where the broker itself is not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    parties: Option<String>,
}

#[derive(Debug, Serialize)]
struct Found {
    check: Cow<'static, str>,
    verdict: &'static str,
    said: String,
}

/// What would be.
#[derive(Debug, Serialize)]
pub(in crate::command) struct Rehearsed {
    at: String,
    organisations: Vec<Organisation>,
}

#[derive(Debug, Serialize)]
struct Organisation {
    oin: String,
    name: String,
    fate: &'static str,
    accepted: usize,
    certificates: usize,
    why: Vec<String>,
}

impl Checked {
    pub(in crate::command::pki) fn new(findings: &[Finding], parties: Option<&Path>) -> Self {
        let found = |finding: &Finding| Found {
            check: finding.check.into(),
            verdict: match finding.verdict {
                Verdict::Passed => "ok",
                Verdict::Warned => "warning",
                Verdict::Failed => "refused",
            },
            said: finding.said.clone(),
        };
        Self {
            accepted: findings.iter().all(|f| f.verdict != Verdict::Failed),
            findings: findings.iter().map(found).collect(),
            parties: parties.map(|path| path.display().to_string()),
        }
    }
}

impl From<v1::CheckedCertificate> for Checked {
    fn from(checked: v1::CheckedCertificate) -> Self {
        let found = |finding: v1::CertificateFinding| Found {
            verdict: match finding.verdict() {
                v1::CheckVerdict::Passed => "ok",
                v1::CheckVerdict::Warned => "warning",
                v1::CheckVerdict::Failed | v1::CheckVerdict::Unspecified => "refused",
            },
            check: finding.check.into(),
            said: finding.said,
        };
        Self {
            accepted: checked.accepted,
            findings: checked.findings.into_iter().map(found).collect(),
            parties: None,
        }
    }
}

impl View for Checked {
    fn write(&self, page: &mut Page) {
        for finding in &self.findings {
            page.pair(
                &finding.check,
                &format!("{}: {}", finding.verdict, finding.said),
            );
        }
        page.blank();
        page.line(if self.accepted {
            "The broker accepts this certificate."
        } else {
            "The broker refuses this certificate."
        });
        if let Some(parties) = &self.parties {
            page.line(&format!(
                "Who is registered was read from `{parties}`; `schakel certificate check` asks the broker itself."
            ));
        }
    }
}

impl Rehearsed {
    pub(in crate::command) fn new(outcomes: &[Outcome], at: Timestamp) -> Self {
        let organisation = |outcome: &Outcome| Organisation {
            oin: outcome.oin.to_string(),
            name: outcome.name.clone(),
            fate: match outcome.fate {
                Fate::Breaks => "breaks",
                Fate::Out => "out already",
                Fate::Holds => "holds",
            },
            accepted: outcome.accepted.0,
            certificates: outcome.accepted.1,
            why: outcome.why.clone(),
        };
        Self {
            at: at.to_string(),
            organisations: outcomes.iter().map(organisation).collect(),
        }
    }
}

impl View for Rehearsed {
    fn write(&self, page: &mut Page) {
        let count = |fate: &str| {
            let with = self.organisations.iter().filter(|one| one.fate == fate);
            with.count()
        };
        page.line(&format!(
            "With the broker's clock at {}: {} hold, {} break, {} out already.",
            instant::spoken(&self.at),
            count("holds"),
            count("breaks"),
            count("out already")
        ));
        let alike = |one: &Organisation, other: &Organisation| {
            one.fate == other.fate && one.why == other.why
        };
        for alike in self.organisations.chunk_by(alike) {
            page.blank();
            for organisation in alike {
                organisation.write(page);
            }
            let why = alike.first().map_or(&[][..], |one| &one.why);
            page.indented(|page| why.iter().for_each(|why| page.line(why)));
        }
    }
}

impl Organisation {
    fn write(&self, page: &mut Page) {
        let all = match self.certificates {
            1 => String::new(),
            all => format!(", {} of {all} certificates", self.accepted),
        };
        let said = format!("{}, OIN {}{all}", self.name, self.oin);
        page.pair(self.fate, &said);
    }
}
