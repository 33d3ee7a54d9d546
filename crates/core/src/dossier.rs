//! Everything the broker holds about one person, and how an event changes it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    case::{Assignment, Case},
    code::Condition,
    consent::{Consent, StateChange},
    decide::Grant,
    event::{ConsentEnded, Details, Event, SlotUse},
    id::{CaseId, ConsentId, EntryIndex, NoticeId, PartyId, RestrictionId, SlotId, SubjectId},
    notice::Notice,
    person::{Identifier, SubjectRef},
    restriction::Restriction,
    status::StatusRecord,
    time::{Period, Timestamp},
};

/// Everything about one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dossier {
    /// The person.
    pub subject: SubjectId,
    /// By what the person is found.
    pub identifiers: BTreeMap<Identifier, EntryIndex>,
    /// The keys that seal what is about the person.
    pub slots: BTreeMap<SlotUse, SlotId>,
    /// The cases.
    pub cases: BTreeMap<CaseId, Case>,
    /// The consents.
    pub consents: BTreeMap<ConsentId, Consent>,
    /// The statuses, the last report of each reporter.
    pub statuses: BTreeMap<(CaseId, Condition, PartyId), StatusRecord>,
    /// The restrictions and objections.
    pub restrictions: BTreeMap<RestrictionId, Restriction>,
    /// The codes with which partners may be introduced, by their SHA-256.
    pub introductions: BTreeMap<[u8; 32], Introduction>,
    /// Who was ever served what.
    pub served: BTreeMap<(PartyId, Condition), Served>,
    /// The notices.
    pub notices: BTreeMap<NoticeId, Notice>,
}

/// A code that the person may hand to a partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introduction {
    /// SHA-256 of the code.
    pub code_sha256: [u8; 32],
    /// The case.
    pub case: CaseId,
    /// The partner.
    pub partner: PartyId,
    /// The condition.
    pub condition: Condition,
    /// Until when it works.
    pub until: Timestamp,
    /// Whether it was used.
    pub redeemed: bool,
}

/// What a recipient was served of one condition: those to whom notices go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The recipient.
    pub recipient: PartyId,
    /// The condition.
    pub condition: Condition,
    /// How the recipient named the person when it was first served.
    pub reference: SubjectRef,
    /// The consents it was ever served under.
    pub consents: BTreeSet<ConsentId>,
    /// The providers whose reports it was ever served.
    pub providers: BTreeSet<PartyId>,
}

/// A row of a dossier that changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKey {
    /// An identifier.
    Identifier(Identifier),
    /// A key in use.
    Slot(SlotUse),
    /// A case.
    Case(CaseId),
    /// A consent.
    Consent(ConsentId),
    /// A status.
    Status(CaseId, Condition, PartyId),
    /// A restriction.
    Restriction(RestrictionId),
    /// An introduction.
    Introduction([u8; 32]),
    /// What a recipient was served.
    Served(PartyId, Condition),
    /// A notice.
    Notice(NoticeId),
}

/// A row of a dossier as it is kept on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    /// An identifier.
    Identifier(Identifier, EntryIndex),
    /// A key in use.
    Slot(SlotUse, SlotId),
    /// A case.
    Case(Case),
    /// A consent.
    Consent(Consent),
    /// A status.
    Status(StatusRecord),
    /// A restriction.
    Restriction(Restriction),
    /// An introduction.
    Introduction(Introduction),
    /// What a recipient was served.
    Served(Served),
    /// A notice.
    Notice(Notice),
}

impl Dossier {
    /// A dossier with nothing in it.
    #[must_use]
    pub fn new(subject: SubjectId) -> Self {
        Self {
            subject,
            identifiers: BTreeMap::new(),
            slots: BTreeMap::new(),
            cases: BTreeMap::new(),
            consents: BTreeMap::new(),
            statuses: BTreeMap::new(),
            restrictions: BTreeMap::new(),
            introductions: BTreeMap::new(),
            served: BTreeMap::new(),
            notices: BTreeMap::new(),
        }
    }

    /// Applies what happened, and names the rows it touched. Events about other things touch nothing.
    pub fn apply(&mut self, details: &Details, entry: EntryIndex, at: Timestamp) -> Vec<RowKey> {
        let mut rows = Vec::new();
        for (usage, slot) in &details.binds {
            self.slots.insert(usage.clone(), *slot);
            rows.push(RowKey::Slot(usage.clone()));
        }
        let by = details.call.as_ref().map(|call| &call.principal);
        match &details.event {
            Event::ConsentRecorded { .. } | Event::ConsentEnded(_) => {
                self.apply_consent(&details.event, entry, at, by, &mut rows);
            }
            Event::CaseOpened { .. }
            | Event::MunicipalityAssigned { .. }
            | Event::MemberAdded { .. }
            | Event::MemberRemoved { .. }
            | Event::CaseClosed { .. } => {
                self.apply_case(&details.event, entry, at, by, &mut rows);
            }
            Event::Introduced { .. } | Event::Redeemed { .. } => {
                self.apply_introduction(&details.event, entry, by, &mut rows);
            }
            Event::StatusReported { .. } => {
                self.apply_status(&details.event, entry, at, by, &mut rows);
            }
            Event::Restricted { .. } | Event::RestrictionLifted { .. } => {
                self.apply_restriction(&details.event, entry, at, by, &mut rows);
            }
            Event::Disclosed(disclosed) => {
                if let Some(by) = by {
                    self.serve(by, &disclosed.ask.subject, &disclosed.grants, &mut rows);
                }
            }
            Event::Delivered(_) | Event::Acknowledged { .. } => {
                self.apply_delivery(&details.event, at, by, &mut rows);
            }
            Event::Denied(_)
            | Event::LookedUp(_)
            | Event::Proposed(_)
            | Event::Changed { .. }
            | Event::Rejected { .. }
            | Event::Refused { .. }
            | Event::Started { .. }
            | Event::Stopped
            | Event::ClockJumped { .. } => {}
        }
        rows
    }

    /// Puts a row back that was read from disk.
    pub fn restore(&mut self, row: Row) {
        match row {
            Row::Identifier(identifier, entry) => drop(self.identifiers.insert(identifier, entry)),
            Row::Slot(usage, slot) => drop(self.slots.insert(usage, slot)),
            Row::Case(case) => drop(self.cases.insert(case.id, case)),
            Row::Consent(consent) => drop(self.consents.insert(consent.id, consent)),
            Row::Status(status) => {
                let key = (status.case, status.condition, status.reporter.clone());
                self.statuses.insert(key, status);
            }
            Row::Restriction(restriction) => {
                self.restrictions.insert(restriction.id, restriction);
            }
            Row::Introduction(introduction) => {
                self.introductions
                    .insert(introduction.code_sha256, introduction);
            }
            Row::Served(served) => {
                self.served
                    .insert((served.recipient.clone(), served.condition), served);
            }
            Row::Notice(notice) => drop(self.notices.insert(notice.id, notice)),
        }
    }

    /// The row to keep on disk for a key; `None` when it is gone.
    #[must_use]
    pub fn row(&self, key: &RowKey) -> Option<Row> {
        match key {
            RowKey::Identifier(id) => self
                .identifiers
                .get(id)
                .map(|entry| Row::Identifier(id.clone(), *entry)),
            RowKey::Slot(usage) => self
                .slots
                .get(usage)
                .map(|slot| Row::Slot(usage.clone(), *slot)),
            RowKey::Case(id) => self.cases.get(id).cloned().map(Row::Case),
            RowKey::Consent(id) => self.consents.get(id).cloned().map(Row::Consent),
            RowKey::Status(case, condition, reporter) => {
                let key = (*case, *condition, reporter.clone());
                self.statuses.get(&key).cloned().map(Row::Status)
            }
            RowKey::Restriction(id) => self.restrictions.get(id).cloned().map(Row::Restriction),
            RowKey::Introduction(code) => {
                self.introductions.get(code).cloned().map(Row::Introduction)
            }
            RowKey::Served(party, condition) => self
                .served
                .get(&(party.clone(), *condition))
                .cloned()
                .map(Row::Served),
            RowKey::Notice(id) => self.notices.get(id).cloned().map(Row::Notice),
        }
    }

    /// The key of every row there is.
    #[must_use]
    pub fn keys(&self) -> Vec<RowKey> {
        let mut keys: Vec<RowKey> = self
            .identifiers
            .keys()
            .cloned()
            .map(RowKey::Identifier)
            .collect();
        keys.extend(self.slots.keys().cloned().map(RowKey::Slot));
        keys.extend(self.cases.keys().copied().map(RowKey::Case));
        keys.extend(self.consents.keys().copied().map(RowKey::Consent));
        keys.extend(
            self.statuses
                .keys()
                .cloned()
                .map(|(a, b, c)| RowKey::Status(a, b, c)),
        );
        keys.extend(self.restrictions.keys().copied().map(RowKey::Restriction));
        keys.extend(self.introductions.keys().copied().map(RowKey::Introduction));
        keys.extend(
            self.served
                .keys()
                .cloned()
                .map(|(a, b)| RowKey::Served(a, b)),
        );
        keys.extend(self.notices.keys().copied().map(RowKey::Notice));
        keys
    }

    fn apply_consent(
        &mut self,
        event: &Event,
        entry: EntryIndex,
        at: Timestamp,
        by: Option<&PartyId>,
        rows: &mut Vec<RowKey>,
    ) {
        match event {
            Event::ConsentRecorded {
                consent,
                state,
                terms,
                identifier,
            } => {
                let step = StateChange {
                    state: *state,
                    at,
                    by: terms.collected_by.clone(),
                    entry,
                };
                let record = Consent {
                    id: *consent,
                    terms: terms.clone(),
                    history: vec![step],
                    narrowed: Vec::new(),
                };
                self.consents.insert(*consent, record);
                rows.push(RowKey::Consent(*consent));
                if let Some(identifier) = identifier {
                    self.know_by(identifier, entry, rows);
                }
            }
            Event::ConsentEnded(ConsentEnded {
                state,
                consents,
                notices,
                ..
            }) => {
                for id in consents {
                    let (Some(found), Some(by)) = (self.consents.get_mut(id), by) else {
                        continue;
                    };
                    let step = StateChange {
                        state: *state,
                        at,
                        by: by.clone(),
                        entry,
                    };
                    found.history.push(step);
                    rows.push(RowKey::Consent(*id));
                }
                self.keep_notices(notices, entry, rows);
            }
            _ => {}
        }
    }

    fn apply_case(
        &mut self,
        event: &Event,
        entry: EntryIndex,
        at: Timestamp,
        by: Option<&PartyId>,
        rows: &mut Vec<RowKey>,
    ) {
        match event {
            Event::CaseOpened {
                case,
                identifiers,
                municipality,
            } => {
                let Some(by) = by else { return };
                let opened = Period {
                    from: at,
                    until: None,
                };
                let returns = municipality.iter().map(|party| Assignment {
                    party: party.clone(),
                    period: opened,
                });
                let record = Case {
                    id: *case,
                    opened_by: by.clone(),
                    opened_at: at,
                    closed_at: None,
                    returns: returns.collect(),
                    members: Vec::new(),
                    introduced: BTreeSet::new(),
                    entry,
                };
                self.cases.insert(*case, record);
                rows.push(RowKey::Case(*case));
                for identifier in identifiers {
                    self.know_by(identifier, entry, rows);
                }
            }
            Event::MunicipalityAssigned { case, municipality } => self.alter(*case, rows, |case| {
                end(&mut case.returns, at, |_| true);
                let period = Period {
                    from: at,
                    until: None,
                };
                case.returns.push(Assignment {
                    party: municipality.clone(),
                    period,
                });
            }),
            Event::MemberAdded {
                case,
                party,
                period,
            } => self.alter(*case, rows, |case| {
                case.members.push(Assignment {
                    party: party.clone(),
                    period: *period,
                });
            }),
            Event::MemberRemoved { case, party } => self.alter(*case, rows, |case| {
                end(&mut case.members, at, |given| given.party == *party);
                case.introduced.retain(|(partner, _)| partner != party);
            }),
            Event::CaseClosed { case, .. } => {
                self.alter(*case, rows, |case| case.closed_at = Some(at));
            }
            _ => {}
        }
    }

    fn apply_introduction(
        &mut self,
        event: &Event,
        entry: EntryIndex,
        by: Option<&PartyId>,
        rows: &mut Vec<RowKey>,
    ) {
        match event {
            Event::Introduced {
                case,
                partner,
                condition,
                code_sha256,
                until,
            } => {
                let introduction = Introduction {
                    code_sha256: *code_sha256,
                    case: *case,
                    partner: partner.clone(),
                    condition: *condition,
                    until: *until,
                    redeemed: false,
                };
                self.introductions.insert(*code_sha256, introduction);
                rows.push(RowKey::Introduction(*code_sha256));
            }
            Event::Redeemed {
                code_sha256,
                client_ref,
            } => {
                let Some(found) = self.introductions.get_mut(code_sha256) else {
                    return;
                };
                found.redeemed = true;
                let (case, condition) = (found.case, found.condition);
                rows.push(RowKey::Introduction(*code_sha256));
                let Some(by) = by else { return };
                self.alter(case, rows, |case| {
                    case.introduced.insert((by.clone(), condition));
                });
                self.know_by(
                    &Identifier::ClientRef(by.clone(), client_ref.clone()),
                    entry,
                    rows,
                );
            }
            _ => {}
        }
    }

    fn apply_status(
        &mut self,
        event: &Event,
        entry: EntryIndex,
        at: Timestamp,
        by: Option<&PartyId>,
        rows: &mut Vec<RowKey>,
    ) {
        let Event::StatusReported {
            case,
            condition,
            report,
            regime,
            ..
        } = event
        else {
            return;
        };
        let Some(by) = by else { return };
        let record = StatusRecord {
            case: *case,
            condition: *condition,
            reporter: by.clone(),
            report: report.clone(),
            regime: *regime,
            reported_at: at,
            entry,
        };
        self.statuses
            .insert((*case, *condition, by.clone()), record);
        rows.push(RowKey::Status(*case, *condition, by.clone()));
    }

    fn apply_restriction(
        &mut self,
        event: &Event,
        entry: EntryIndex,
        at: Timestamp,
        by: Option<&PartyId>,
        rows: &mut Vec<RowKey>,
    ) {
        match event {
            Event::Restricted {
                restriction,
                kind,
                controller,
                conditions,
                notices,
            } => {
                let Some(by) = by else { return };
                let record = Restriction {
                    id: *restriction,
                    kind: *kind,
                    controller: controller.clone(),
                    conditions: conditions.clone(),
                    recorded_by: by.clone(),
                    from: at,
                    lifted_at: None,
                    entry,
                };
                self.restrictions.insert(*restriction, record);
                rows.push(RowKey::Restriction(*restriction));
                self.keep_notices(notices, entry, rows);
            }
            Event::RestrictionLifted { restriction } => {
                if let Some(found) = self.restrictions.get_mut(restriction) {
                    found.lifted_at = Some(at);
                    rows.push(RowKey::Restriction(*restriction));
                }
            }
            _ => {}
        }
    }

    fn apply_delivery(
        &mut self,
        event: &Event,
        at: Timestamp,
        by: Option<&PartyId>,
        rows: &mut Vec<RowKey>,
    ) {
        use crate::inbox::Topic;
        match event {
            Event::Delivered(delivered) => {
                if let (Some(disclosed), Some(by)) = (&delivered.disclosed, by) {
                    self.serve(by, &disclosed.ask.subject, &disclosed.grants, rows);
                }
                let Topic::Notice(id) = &delivered.message.topic else {
                    return;
                };
                if let Some(notice) = self.notices.get_mut(id) {
                    notice.delivered_at.get_or_insert(at);
                    rows.push(RowKey::Notice(*id));
                }
            }
            Event::Acknowledged {
                notice: Some(id), ..
            } => {
                if let Some(notice) = self.notices.get_mut(id) {
                    notice.acknowledged_at.get_or_insert(at);
                    rows.push(RowKey::Notice(*id));
                }
            }
            _ => {}
        }
    }

    fn serve(
        &mut self,
        recipient: &PartyId,
        reference: &SubjectRef,
        grants: &[Grant],
        rows: &mut Vec<RowKey>,
    ) {
        for grant in grants {
            let key = (recipient.clone(), grant.condition);
            let fresh = !self.served.contains_key(&key);
            let served = self.served.entry(key.clone()).or_insert_with(|| Served {
                recipient: recipient.clone(),
                condition: grant.condition,
                reference: reference.clone(),
                consents: BTreeSet::new(),
                providers: BTreeSet::new(),
            });
            let before = (served.consents.len(), served.providers.len());
            served.consents.extend(grant.consents.iter().copied());
            served.providers.insert(grant.provider.clone());
            if fresh || before != (served.consents.len(), served.providers.len()) {
                rows.push(RowKey::Served(key.0, key.1));
            }
        }
    }

    fn keep_notices(&mut self, notices: &[Notice], entry: EntryIndex, rows: &mut Vec<RowKey>) {
        for notice in notices {
            let notice = Notice {
                entry,
                ..notice.clone()
            };
            rows.push(RowKey::Notice(notice.id));
            self.notices.insert(notice.id, notice);
        }
    }

    fn know_by(&mut self, identifier: &Identifier, entry: EntryIndex, rows: &mut Vec<RowKey>) {
        if self.identifiers.insert(identifier.clone(), entry).is_none() {
            rows.push(RowKey::Identifier(identifier.clone()));
        }
    }

    fn alter(&mut self, case: CaseId, rows: &mut Vec<RowKey>, change: impl FnOnce(&mut Case)) {
        if let Some(found) = self.cases.get_mut(&case) {
            change(found);
            rows.push(RowKey::Case(case));
        }
    }
}

/// Ends the running assignments that match. One that would become empty disappears.
fn end(assignments: &mut Vec<Assignment>, at: Timestamp, matches: impl Fn(&Assignment) -> bool) {
    for given in assignments.iter_mut() {
        if matches(given) && given.period.until.is_none_or(|until| at < until) {
            given.period.until = Some(at.max(given.period.from));
        }
    }
    assignments.retain(|given| given.period.until != Some(given.period.from));
}
