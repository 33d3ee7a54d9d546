//! A dossier as rows on disk.

use serde::{Deserialize, Serialize};

use super::{Dossier, Introduction, Served};
use crate::{
    case::Case,
    code::Condition,
    consent::Consent,
    event::SlotUse,
    id::{CaseId, ConsentId, EntryIndex, NoticeId, PartyId, RestrictionId, SlotId},
    notice::Notice,
    person::Identifier,
    restriction::Restriction,
    status::StatusRecord,
};

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
}
