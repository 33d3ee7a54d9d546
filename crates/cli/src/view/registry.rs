//! Changes of the registry that wait.

use schakel_api::v1;
use serde::Serialize;

use super::{Party, PurposeVersion, Receipt, all};
use crate::{code::short, instant, output::View, page::Page};

/// A change that was proposed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Proposed {
    proposal_id: String,
    receipt: Option<Receipt>,
}

/// The changes that wait.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Proposals {
    proposals: Vec<Proposal>,
}

/// A change that waits.
#[derive(Clone, Debug, Serialize)]
struct Proposal {
    proposal_id: String,
    change: Option<Change>,
    proposed_by: String,
    proposed_at: Option<String>,
    expires_at: Option<String>,
}

/// A change.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    PutParty(Box<Party>),
    SuspendPartyId(String),
    ReinstatePartyId(String),
    PutPurpose(Box<PurposeVersion>),
    WithdrawPurpose { code: String, version: u32 },
    BlockCertificate { certificate: String, reason: String },
    UnblockCertificate(String),
}

impl From<v1::ProposeChangeResponse> for Proposed {
    fn from(response: v1::ProposeChangeResponse) -> Self {
        Self {
            proposal_id: response.proposal_id,
            receipt: response.receipt.map(Receipt::from),
        }
    }
}

impl From<Vec<v1::Proposal>> for Proposals {
    fn from(proposals: Vec<v1::Proposal>) -> Self {
        Self {
            proposals: all(proposals),
        }
    }
}

impl From<v1::Proposal> for Proposal {
    fn from(proposal: v1::Proposal) -> Self {
        let change = proposal.change.and_then(|change| change.change);
        Self {
            proposal_id: proposal.proposal_id,
            change: change.map(Change::from),
            proposed_by: proposal.proposed_by,
            proposed_at: instant::shown_if(proposal.proposed_at.as_ref()),
            expires_at: instant::shown_if(proposal.expires_at.as_ref()),
        }
    }
}

impl From<v1::change::Change> for Change {
    fn from(change: v1::change::Change) -> Self {
        use v1::change::Change as Sent;
        match change {
            Sent::PutParty(party) => Self::PutParty(Box::new(party.into())),
            Sent::SuspendPartyId(id) => Self::SuspendPartyId(id),
            Sent::ReinstatePartyId(id) => Self::ReinstatePartyId(id),
            Sent::PutPurpose(version) => Self::PutPurpose(Box::new(version.into())),
            Sent::WithdrawPurpose(name) => Self::WithdrawPurpose {
                code: name.code,
                version: name.version,
            },
            Sent::BlockCertificate(block) => Self::BlockCertificate {
                reason: short::<v1::StopReason>(block.reason),
                certificate: block.certificate,
            },
            Sent::UnblockCertificate(certificate) => Self::UnblockCertificate(certificate),
        }
    }
}

impl View for Proposed {
    fn write(&self, page: &mut Page) {
        page.line(&format!("Proposed as {}.", self.proposal_id));
        page.line("Another administrator, with another certificate, approves it with");
        page.indented(|page| {
            page.line(&format!("schakel proposal approve {}", self.proposal_id));
        });
        Receipt::write(self.receipt.as_ref(), page);
    }
}

impl View for Proposals {
    fn write(&self, page: &mut Page) {
        if self.proposals.is_empty() {
            page.line("Nothing waits for approval.");
        }
        for (at, proposal) in self.proposals.iter().enumerate() {
            if at > 0 {
                page.blank();
            }
            let when = proposal
                .proposed_at
                .as_deref()
                .map(instant::spoken)
                .unwrap_or_default();
            page.line(&format!("Proposal {}", proposal.proposal_id));
            page.indented(|page| {
                page.pair("proposed", &format!("{when}, by {}", proposal.proposed_by));
                let until = proposal.expires_at.as_deref().map(instant::spoken);
                page.pair_if("waits until", until.as_deref());
                if let Some(change) = &proposal.change {
                    change.write(page);
                }
            });
        }
    }
}

impl Change {
    fn write(&self, page: &mut Page) {
        match self {
            Self::PutParty(party) => {
                page.line("Register this party, in place of what is registered of it:");
                page.indented(|page| party.write(page));
            }
            Self::SuspendPartyId(id) => page.line(&format!("Suspend {id}.")),
            Self::ReinstatePartyId(id) => page.line(&format!("End the suspension of {id}.")),
            Self::PutPurpose(version) => {
                page.line("Register this purpose:");
                page.indented(|page| version.write(page));
            }
            Self::WithdrawPurpose { code, version } => {
                page.line(&format!("Withdraw {code} version {version}."));
            }
            Self::BlockCertificate {
                certificate,
                reason,
            } => page.line(&format!("Block certificate {certificate}: {reason}.")),
            Self::UnblockCertificate(certificate) => {
                page.line(&format!("Let certificate {certificate} count again."));
            }
        }
    }
}
