//! A dossier that is kept as the view keeps it.

use std::collections::{BTreeMap, BTreeSet};

use schakel_core::{
    dossier::{Dossier, Row, RowKey},
    event::{Call, Details, Event},
    id::{EntryIndex, SubjectId},
    person::Identifier,
    time::Timestamp,
};

use super::scene::{CASE, EAST, PI, at, party};

pub(crate) const SUBJECT: SubjectId = SubjectId::from_bytes([9; 16]);

/// A dossier that keeps, beside itself, the rows that the view would keep.
pub(crate) struct Kept {
    pub(crate) dossier: Dossier,
    rows: BTreeMap<RowKey, Row>,
    next: u64,
}

impl Kept {
    pub(crate) fn new() -> Self {
        Self {
            dossier: Dossier::new(SUBJECT),
            rows: BTreeMap::new(),
            next: 1,
        }
    }

    /// Applies an event, an hour after the one before, and checks that the rows it named are all that
    /// changed: a dossier restored from them is the same.
    pub(crate) fn apply(&mut self, by: &str, event: Event) -> Vec<RowKey> {
        self.apply_details(&details(by, &[], event))
    }

    pub(crate) fn apply_details(&mut self, details: &Details) -> Vec<RowKey> {
        let touched = self
            .dossier
            .apply(details, EntryIndex(self.next), self.now());
        self.next += 1;
        for key in &touched {
            match self.dossier.row(key) {
                Some(row) => drop(self.rows.insert(key.clone(), row)),
                None => drop(self.rows.remove(key)),
            }
        }
        let mut restored = Dossier::new(SUBJECT);
        for row in self.rows.values() {
            restored.restore(row.clone());
        }
        assert_eq!(
            restored, self.dossier,
            "the rows on disk make the same dossier"
        );
        let keys: BTreeSet<_> = self.dossier.keys().into_iter().collect();
        assert!(keys.iter().eq(self.rows.keys()), "every row has a key");
        touched
    }

    pub(crate) fn now(&self) -> Timestamp {
        at("2026-03-01T00:00:00Z").plus_millis(self.next * 3_600_000)
    }

    /// With a case that the PI opened, for a person known by a number.
    pub(crate) fn with_case() -> Self {
        let mut kept = Self::new();
        let identifiers = vec![Identifier::Skn("123".parse().unwrap())];
        let opened = Event::CaseOpened {
            case: CASE,
            identifiers,
            besides: Vec::new(),
            municipality: Some(party(EAST)),
        };
        kept.apply(PI, opened);
        kept
    }
}

/// What is sealed of an event that a party caused and that concerns these.
pub(crate) fn details(by: &str, controllers: &[&str], event: Event) -> Details {
    Details {
        call: Some(call(by)),
        subject: Some(SUBJECT),
        controllers: controllers.iter().map(|id| party(id)).collect(),
        binds: Vec::new(),
        event,
    }
}

fn call(by: &str) -> Call {
    Call {
        principal: party(by),
        transport: party(by),
        certificate: [0; 32],
        address: "192.0.2.1".into(),
        actor: None,
        responsible: None,
        transaction: None,
        trace: None,
        write: None,
        roles: None,
        named: None,
        unit: None,
    }
}
