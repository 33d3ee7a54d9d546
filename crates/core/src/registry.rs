//! The registry: which parties and purposes there are, the changes that wait for a second actor, and the keys
//! that sign the log's checkpoints.

mod administrators;
mod certificate;
mod chain;
mod check;
mod enrolment;
mod key;
mod peer;
mod proposal;
mod shared;
mod term;

pub use self::{
    certificate::MOST_SEEN,
    key::CheckpointKey,
    peer::{NoStanding, Proven},
    term::{
        KEPT_DAYS, MOST_ANNOUNCED, MOST_CLOSED, MOST_ENDED, MOST_IN_A_ROW, MOST_IN_FORCE,
        MOST_UNDER_WAY,
    },
};

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    case::Case,
    certificate::{Blocked, Seen, StopReason, Thumbprint},
    code::Role,
    enrolment::{Enrolment, IssuedCertificate},
    id::{EnrolmentId, EntryIndex, PartyId, ProposalId, PurposeCode},
    party::{MOST_PERIODS, Party},
    purpose::PurposeVersion,
    time::{Period, Timestamp},
};

/// Everything registered, as of one position in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    parties: BTreeMap<PartyId, Arc<Party>>,
    purposes: BTreeMap<PurposeCode, BTreeMap<u32, Registered>>,
    proposals: BTreeMap<ProposalId, Proposal>,
    blocked: BTreeMap<Thumbprint, Blocked>,
    seen: BTreeMap<Thumbprint, Seen>,
    checkpoint_keys: BTreeMap<String, CheckpointKey>,
    issued: BTreeMap<[u8; 32], Arc<IssuedCertificate>>,
    enrolments: BTreeMap<EnrolmentId, Arc<Enrolment>>,
    /// The enrolment that each token proves, by SHA-256 of the token.
    tokens: BTreeMap<[u8; 32], EnrolmentId>,
}

/// A registered purpose version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The version.
    #[serde(with = "shared")]
    pub version: Arc<PurposeVersion>,
    /// The entry that registered it.
    pub entry: EntryIndex,
    /// When it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
}

/// A change of the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Registers a party, or replaces what is registered of it.
    PutParty(Party),
    /// Suspends a party from the moment the change is made.
    SuspendParty(PartyId),
    /// Ends the suspension of a party.
    ReinstateParty(PartyId),
    /// Registers a purpose version.
    PutPurpose(PurposeVersion),
    /// Withdraws a purpose version from the moment the change is made.
    WithdrawPurpose(PurposeCode, u32),
    /// Blocks a certificate from the moment the change is made, whatever its authority says.
    BlockCertificate(Thumbprint, StopReason),
    /// Lets a blocked certificate count again.
    UnblockCertificate(Thumbprint),
}

/// A change proposed by one actor, waiting for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// What is to change.
    pub change: Change,
    /// Who proposed it.
    pub proposed_by: PartyId,
    /// SHA-256 of the certificate with which it was proposed.
    pub certificate: [u8; 32],
    /// When.
    pub proposed_at: Timestamp,
    /// The party whose connection it was; absent in what older brokers recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<PartyId>,
}

/// A row of the registry that changed, for whoever keeps a copy on disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RegistryKey {
    /// A party.
    Party(PartyId),
    /// A purpose version.
    Purpose(PurposeCode, u32),
    /// A proposal.
    Proposal(ProposalId),
    /// A blocked certificate.
    Blocked(Thumbprint),
    /// A certificate that was used.
    Seen(Thumbprint),
    /// A checkpoint key, by its vkey.
    CheckpointKey(String),
    /// A certificate that was issued, by its SHA-256.
    Issued([u8; 32]),
    /// An enrolment.
    Enrolment(EnrolmentId),
}

/// A row of the registry as it is kept on disk.
#[expect(
    clippy::large_enum_variant,
    reason = "rows are read and written one at a time, and a box would show in every match"
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegistryRow {
    /// A party.
    Party(#[serde(with = "shared")] Arc<Party>),
    /// A purpose version.
    Purpose(Registered),
    /// A proposal.
    Proposal(Proposal),
    /// A blocked certificate.
    Blocked(Blocked),
    /// A certificate that was used.
    Seen(Seen),
    /// A checkpoint key.
    CheckpointKey(CheckpointKey),
    /// A certificate that was issued.
    Issued(#[serde(with = "shared")] Arc<IssuedCertificate>),
    /// An enrolment.
    Enrolment(#[serde(with = "shared")] Arc<Enrolment>),
}

impl Registry {
    /// Puts a row back that was read from disk.
    pub fn restore(&mut self, row: RegistryRow) {
        match row {
            RegistryRow::Party(party) => {
                self.parties.insert(party.id.clone(), party);
            }
            RegistryRow::Purpose(registered) => {
                let (code, version) = (registered.version.code.clone(), registered.version.version);
                self.purposes
                    .entry(code)
                    .or_default()
                    .insert(version, registered);
            }
            RegistryRow::Proposal(proposal) => {
                self.proposals.insert(proposal.id, proposal);
            }
            RegistryRow::Blocked(blocked) => {
                self.blocked.insert(blocked.certificate, blocked);
            }
            RegistryRow::Seen(seen) => {
                self.seen.insert(seen.certificate, seen);
            }
            RegistryRow::CheckpointKey(row) => {
                self.checkpoint_keys.insert(row.key.clone(), row);
            }
            RegistryRow::Issued(issued) => {
                self.issued.insert(issued.sha256, issued);
            }
            RegistryRow::Enrolment(enrolment) => {
                self.keep_enrolment(enrolment);
            }
        }
    }

    /// The row to keep on disk for a key; `None` when it is gone.
    #[must_use]
    pub fn row(&self, key: &RegistryKey) -> Option<RegistryRow> {
        match key {
            RegistryKey::Party(id) => self.parties.get(id).cloned().map(RegistryRow::Party),
            RegistryKey::Purpose(code, version) => self
                .purposes
                .get(code)?
                .get(version)
                .cloned()
                .map(RegistryRow::Purpose),
            RegistryKey::Proposal(id) => self.proposals.get(id).cloned().map(RegistryRow::Proposal),
            RegistryKey::Blocked(one) => self.blocked.get(one).cloned().map(RegistryRow::Blocked),
            RegistryKey::Seen(one) => self.seen.get(one).cloned().map(RegistryRow::Seen),
            RegistryKey::CheckpointKey(key) => self
                .checkpoint_keys
                .get(key)
                .cloned()
                .map(RegistryRow::CheckpointKey),
            RegistryKey::Issued(one) => self.issued.get(one).cloned().map(RegistryRow::Issued),
            RegistryKey::Enrolment(one) => {
                let enrolment = self.enrolments.get(one).cloned();
                enrolment.map(RegistryRow::Enrolment)
            }
        }
    }

    /// Makes a change and names the row it touched. What [`Self::check`] refuses must not come here;
    /// a change about something that is not registered touches nothing.
    pub fn make(
        &mut self,
        change: &Change,
        entry: EntryIndex,
        at: Timestamp,
    ) -> Option<RegistryKey> {
        match change {
            Change::PutParty(party) => {
                let mut party = party.clone();
                // Only a suspension's own end ends it.
                if let Some(registered) = self.parties.get(&party.id) {
                    party.suspensions.clone_from(&registered.suspensions);
                }
                let key = RegistryKey::Party(party.id.clone());
                self.parties.insert(party.id.clone(), Arc::new(party));
                Some(key)
            }
            Change::SuspendParty(id) => self.alter(id, |party| {
                if party.is_active(at) {
                    // What ended longest ago is in the log; here only so many are kept.
                    if party.suspensions.len() >= MOST_PERIODS {
                        party.suspensions.remove(0);
                    }
                    party.suspensions.push(Period {
                        from: at,
                        until: None,
                    });
                }
            }),
            Change::ReinstateParty(id) => self.alter(id, |party| {
                for period in party
                    .suspensions
                    .iter_mut()
                    .filter(|period| period.contains(at))
                {
                    period.until = Some(at);
                }
                party
                    .suspensions
                    .retain(|period| period.until != Some(period.from));
            }),
            Change::PutPurpose(version) => {
                let key = (version.code.clone(), version.version);
                let registered = Registered {
                    version: Arc::new(version.clone()),
                    entry,
                    withdrawn_at: None,
                };
                self.purposes
                    .entry(key.0.clone())
                    .or_default()
                    .insert(key.1, registered);
                Some(RegistryKey::Purpose(key.0, key.1))
            }
            Change::WithdrawPurpose(code, version) => {
                self.purposes.get_mut(code)?.get_mut(version)?.withdrawn_at = Some(at);
                Some(RegistryKey::Purpose(code.clone(), *version))
            }
            Change::BlockCertificate(certificate, reason) => {
                Some(self.block(*certificate, *reason, entry, at))
            }
            Change::UnblockCertificate(certificate) => Some(self.unblock(*certificate)),
        }
    }

    /// Keeps a proposal, and forgets those that expired by the time it was made.
    pub fn propose(&mut self, proposal: Proposal) -> Vec<RegistryKey> {
        let now = proposal.proposed_at;
        let expired = |waiting: &Proposal| waiting.expires_at() <= now;
        let gone: Vec<_> = self
            .proposals
            .values()
            .filter(|one| expired(one))
            .map(|one| one.id)
            .collect();
        self.proposals.retain(|_, waiting| !expired(waiting));
        let id = proposal.id;
        self.proposals.insert(id, proposal);
        gone.into_iter()
            .chain([id])
            .map(RegistryKey::Proposal)
            .collect()
    }

    /// Drops a proposal that was approved or rejected.
    pub fn settle(&mut self, id: ProposalId) -> RegistryKey {
        self.proposals.remove(&id);
        RegistryKey::Proposal(id)
    }

    /// A party.
    #[must_use]
    pub fn party(&self, id: &PartyId) -> Option<&Party> {
        self.parties.get(id).map(AsRef::as_ref)
    }

    /// Every party, by id.
    pub fn parties(&self) -> impl Iterator<Item = &Party> {
        self.parties.values().map(AsRef::as_ref)
    }

    /// Every purpose version, by code and version.
    pub fn purposes(&self) -> impl Iterator<Item = &Registered> {
        self.purposes.values().flat_map(BTreeMap::values)
    }

    /// Every version of one purpose.
    pub fn versions(&self, code: &PurposeCode) -> impl Iterator<Item = &Registered> {
        self.purposes
            .get(code)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// Every change that waits at an instant.
    pub fn proposals(&self, at: Timestamp) -> impl Iterator<Item = &Proposal> {
        self.proposals
            .values()
            .filter(move |waiting| at < waiting.expires_at())
    }

    /// A change that waits at an instant.
    #[must_use]
    pub fn proposal(&self, id: ProposalId, at: Timestamp) -> Option<&Proposal> {
        self.proposals
            .get(&id)
            .filter(|waiting| at < waiting.expires_at())
    }

    /// The version of a purpose in force at an instant: the one asked for, else the newest.
    #[must_use]
    pub fn purpose(
        &self,
        code: &PurposeCode,
        version: Option<u32>,
        at: Timestamp,
    ) -> Option<&Registered> {
        self.purposes
            .get(code)?
            .iter()
            .rev()
            .filter(|(number, _)| version.is_none_or(|asked| asked == **number))
            .map(|(_, registered)| registered)
            .find(|registered| registered.is_in_force(at))
    }

    /// The roles of a party at an instant; none when it is unknown or suspended.
    #[must_use]
    pub fn roles(&self, id: &PartyId, at: Timestamp) -> &[Role] {
        match self.party(id) {
            Some(party) if party.is_active(at) => &party.roles,
            _ => &[],
        }
    }

    /// The party that stands in as the counterpart towards those who may not know of detention: the
    /// municipality of return, which must be an active municipality and no PI besides.
    #[must_use]
    pub fn counterpart(&self, case: &Case, at: Timestamp) -> Option<&Party> {
        let id = case.municipality(at)?;
        let roles = self.roles(id, at);
        let fits = roles.contains(&Role::Municipality) && !roles.contains(&Role::Pi);
        self.party(id).filter(|_| fits)
    }

    fn alter(&mut self, id: &PartyId, change: impl FnOnce(&mut Party)) -> Option<RegistryKey> {
        change(Arc::make_mut(self.parties.get_mut(id)?));
        Some(RegistryKey::Party(id.clone()))
    }
}

impl Registered {
    /// Whether the version may be used at an instant.
    #[must_use]
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.version.validity.contains(at) && self.withdrawn_at.is_none_or(|end| at < end)
    }
}
