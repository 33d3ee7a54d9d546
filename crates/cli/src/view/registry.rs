//! Changes of the registry that wait.

use schakel_api::v1;
use serde::Serialize;

use super::{Party, PurposeVersion, Receipt};
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
    /// The party as it is registered, where it is to change.
    #[serde(skip)]
    in_place_of: Option<Party>,
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

impl Proposals {
    /// What waits, beside the parties as they are registered.
    pub(crate) fn new(proposals: Vec<v1::Proposal>, registered: &[v1::Party]) -> Self {
        let beside = |proposal| Proposal::new(proposal, registered);
        Self {
            proposals: proposals.into_iter().map(beside).collect(),
        }
    }
}

impl Proposal {
    fn new(proposal: v1::Proposal, registered: &[v1::Party]) -> Self {
        let mut change = proposal.change.and_then(|change| change.change);
        let mut in_place_of = None;
        if let Some(v1::change::Change::PutParty(put)) = &mut change {
            let mut registered = registered.iter();
            in_place_of = registered.find(|party| party.party_id == put.party_id);
            // A proposal does not say them, and does not change them.
            put.suspensions = in_place_of.map_or_else(Vec::new, |party| party.suspensions.clone());
        }
        Self {
            in_place_of: in_place_of.cloned().map(Party::from),
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
                    change.write(proposal.in_place_of.as_ref(), page);
                }
            });
        }
    }
}

/// What of a party would no longer be as it is, and what would be new, line by line.
fn changes(registered: &Party, proposed: &Party, page: &mut Page) {
    let lines = |party: &Party| {
        let mut page = Page::default();
        party.write(&mut page);
        let lines = page.as_str().lines().map(|line| line.trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>()
    };
    let (before, after) = (lines(registered), lines(proposed));
    if before == after {
        page.line("It is registered so already.");
    }
    for (said, these, others) in [
        ("Registered now, and gone then:", &before, &after),
        ("New then:", &after, &before),
    ] {
        let only: Vec<_> = these.iter().filter(|line| !others.contains(line)).collect();
        if !only.is_empty() {
            page.line(said);
            page.indented(|page| only.iter().for_each(|line| page.line(line)));
        }
    }
}

impl Change {
    fn write(&self, in_place_of: Option<&Party>, page: &mut Page) {
        match self {
            Self::PutParty(party) => {
                page.line(match in_place_of {
                    None => "Register this party, which is new:",
                    Some(_) => "Register this party, in place of what is registered of it:",
                });
                page.indented(|page| party.write(page));
                if let Some(registered) = in_place_of {
                    changes(registered, party, page);
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(proposed: v1::Party, registered: &[v1::Party]) -> String {
        let change = Some(v1::change::Change::PutParty(proposed));
        let proposal = v1::Proposal {
            change: Some(v1::Change { change }),
            ..v1::Proposal::default()
        };
        let mut page = Page::default();
        Proposals::new(vec![proposal], registered).write(&mut page);
        page.as_str().to_owned()
    }

    #[test]
    fn whoever_approves_sees_what_would_be_gone_and_what_new() {
        let registered = v1::Party {
            party_id: "gemeente-elders".into(),
            name: "Gemeente Elders".into(),
            roles: vec![v1::Role::Municipality.into()],
            suspensions: vec![v1::Period::default()],
            ..v1::Party::default()
        };
        let proposed = v1::Party {
            roles: vec![v1::Role::DebtCounsellor.into()],
            suspensions: Vec::new(),
            ..registered.clone()
        };
        let text = shown(proposed.clone(), std::slice::from_ref(&registered));
        let (_, compared) = text.split_once("gone then:\n").unwrap();
        assert_eq!(
            compared,
            "    roles MUNICIPALITY\n  New then:\n    roles DEBT_COUNSELLOR\n"
        );
        let text = shown(proposed, &[]);
        assert!(
            text.contains("which is new") && !text.contains("then:"),
            "{text}"
        );
        let text = shown(registered.clone(), &[registered]);
        assert!(text.ends_with("It is registered so already.\n"), "{text}");
    }
}
