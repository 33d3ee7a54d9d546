//! Notices: what a recipient must be told about something it received (AVG 7(3), 19).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    code::{Condition, codes},
    dossier::{Dossier, Served},
    id::{EntryIndex, NoticeId, PartyId},
    person::SubjectRef,
    random::Random,
    time::Timestamp,
};

codes! {
    /// What happened to what was received.
    NoticeKind, "must be one of WITHDRAWAL, CORRECTION, RESTRICTION, RECALL" {
        /// The consent under which it was received was withdrawn: stop using it.
        Withdrawal = "WITHDRAWAL",
        /// It was corrected: ask again.
        Correction = "CORRECTION",
        /// Its use is restricted or objected to: hold it.
        Restriction = "RESTRICTION",
        /// It was about another person: destroy it.
        Recall = "RECALL",
    }
}

/// A notice to one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Drawn at random.
    pub id: NoticeId,
    /// What happened.
    pub kind: NoticeKind,
    /// Who must be told.
    pub recipient: PartyId,
    /// The person, as this recipient itself named the person when it was served.
    pub reference: SubjectRef,
    /// The conditions it is about.
    pub conditions: BTreeSet<Condition>,
    /// The party through which it came: it may see who is outstanding.
    pub issued_by: PartyId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// By when it must be acknowledged.
    pub deadline: Timestamp,
    /// When it was first handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// When the recipient acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// The entry that issued it. All notices of one withdrawal share it, unless they are so many that the
    /// withdrawal stands in several entries; their instant they always share. Known once that is recorded; until
    /// then 0.
    pub entry: EntryIndex,
    /// The first of the notices that were issued in one go with it; absent in what older brokers recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_with: Option<NoticeId>,
}

impl Notice {
    /// The notice, as far as it is a caller's to see how it stands: all that these see together, which are the caller
    /// and the controller whose officer it is.
    ///
    /// It is for who had a place in a case when it was issued, of the recipients that ever had one in that case.
    /// Whoever issued it sees besides what it received or provided itself, and what was served under a consent in
    /// which it stands. To anybody else it would tell that the person is known, and who helps with what: a withdrawal
    /// may be passed on by whoever the person turns to.
    #[must_use]
    pub fn seen_by(
        &self,
        parties: &BTreeSet<PartyId>,
        issued_it: bool,
        dossier: &Dossier,
    ) -> Option<Self> {
        let in_case = dossier.cases.values().any(|case| {
            let mut parties = parties.iter();
            let had_place = case.opened_at <= self.issued_at
                && parties.any(|party| case.has_member(party, self.issued_at));
            had_place && dossier.ever_placed(&self.recipient, case)
        });
        if in_case {
            return Some(self.clone());
        }
        let mut seen = self.clone();
        seen.conditions.retain(|condition| {
            let served = dossier.served.get(&(self.recipient.clone(), *condition));
            let mut parties = parties.iter();
            let is_theirs = served
                .is_some_and(|served| parties.any(|party| self.is_of(party, served, dossier)));
            issued_it && is_theirs
        });
        (!seen.conditions.is_empty()).then_some(seen)
    }

    /// Whether it was issued in one go with another.
    #[must_use]
    pub fn is_issued_with(&self, other: &Self) -> bool {
        // Older ones share who issued them, and when: a broker's batch of calls may share that too.
        let act = |notice: &Self| (notice.kind, notice.issued_by.clone(), notice.issued_at);
        self.issued_with == other.issued_with && act(self) == act(other)
    }

    /// Whether the party had to do with what the recipient was served.
    fn is_of(&self, party: &PartyId, served: &Served, dossier: &Dossier) -> bool {
        let mut consents = served
            .consents
            .iter()
            .filter_map(|id| dossier.consents.get(id));
        let mut stands_in = consents.by_ref().filter(|consent| consent.involves(party));
        self.recipient == *party
            || served.providers.contains(party)
            || stands_in.any(|consent| {
                let recorded = consent.history.first().map(|step| step.entry);
                recorded.is_some_and(|recorded| recorded < self.entry)
            })
    }
}

/// Days within which a notice must be acknowledged: this broker's own term.
pub const NOTICE_DEADLINE_DAYS: u32 = 14;

/// What notices say, to whomever they go.
pub(crate) struct Issue<'a> {
    pub(crate) kind: NoticeKind,
    pub(crate) by: &'a PartyId,
    pub(crate) at: Timestamp,
}

/// One notice to each recipient that was served what the filter picks, with all conditions picked.
pub(crate) fn to_served(
    dossier: &Dossier,
    issue: &Issue<'_>,
    random: &mut dyn Random,
    concerns: impl Fn(&Served) -> bool,
) -> Vec<Notice> {
    let mut notices: BTreeMap<&PartyId, Notice> = BTreeMap::new();
    let mut first = None;
    for served in dossier.served.values().filter(|served| concerns(served)) {
        notices
            .entry(&served.recipient)
            .or_insert_with(|| {
                let id = NoticeId::draw(random);
                Notice {
                    id,
                    kind: issue.kind,
                    recipient: served.recipient.clone(),
                    reference: served.reference.clone(),
                    conditions: BTreeSet::new(),
                    issued_by: issue.by.clone(),
                    issued_at: issue.at,
                    deadline: issue.at.plus_days(NOTICE_DEADLINE_DAYS),
                    delivered_at: None,
                    acknowledged_at: None,
                    entry: EntryIndex(0),
                    issued_with: Some(*first.get_or_insert(id)),
                }
            })
            .conditions
            .insert(served.condition);
    }
    notices.into_values().collect()
}
