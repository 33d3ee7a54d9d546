//! Who must be told of a correction or an erasure about a person, and who was (AVG 19).

use schakel_api::v1;
use schakel_core::{dossier::Dossier, id::EntryIndex, notice::Notice};

use super::{Narrowed, Reported, Reporter};
use crate::{
    officer::{held, records::Records, served_by},
    trail::TrailError,
    wire::{
        code::{Coded as _, to_wire},
        time::instant,
    },
};

impl Reporter<'_> {
    /// Everybody who was ever told something by the controller, or the controller itself when it was told;
    /// each with the notices it got, and with the conditions of which it got none.
    pub(super) fn notices(&self, narrowed: &Narrowed) -> Result<Reported, TrailError> {
        let mut records = Records::new(self.trail)?;
        let end = EntryIndex(self.trail.size());
        let person = narrowed.person.as_ref().map(|person| person.subject);
        let dossier = records.before(end, person)?.dossier;
        let notices = dossier.map(|dossier| self.due(dossier)).transpose()?;
        let report = v1::GetReportResponse {
            notices: notices.unwrap_or_default(),
            ..v1::GetReportResponse::default()
        };
        Ok((report, None))
    }

    fn due(&self, dossier: &Dossier) -> Result<Vec<v1::NoticeDue>, TrailError> {
        let controller = self.viewer.controller();
        let held = held::told(self.trail, self.viewer, dossier.subject)?;
        let mut rows: Vec<v1::NoticeDue> = Vec::new();
        for served in dossier.served.values() {
            if !held.contains(&(served.recipient.clone(), served.condition)) {
                continue;
            }
            let concerns = served.recipient == *controller
                || served_by(controller, served, dossier, self.registry);
            if !concerns || self.viewer.veil().hides(&served.recipient) {
                continue;
            }
            let id = served.recipient.to_string();
            match rows.iter_mut().find(|row| row.recipient_party_id == id) {
                Some(row) => row.conditions.push(served.condition.to_wire()),
                None => rows.push(v1::NoticeDue {
                    recipient_party_id: id,
                    conditions: vec![served.condition.to_wire()],
                    ..v1::NoticeDue::default()
                }),
            }
        }
        let mut issued = Vec::new();
        for notice in dossier.notices.values() {
            if !held::erased(self.trail, notice.entry, controller)? {
                issued.push(notice);
            }
        }
        issued.sort_by_key(|notice| notice.entry);
        let due = rows.into_iter().flat_map(|mut row| {
            let issued = issued.iter();
            let issued =
                issued.filter(|notice| notice.recipient.as_str() == row.recipient_party_id);
            let told: Vec<_> = issued.map(|notice| told(notice)).collect();
            row.conditions
                .retain(|condition| !told.iter().any(|row| row.conditions.contains(condition)));
            // What was told of another condition has had no notice, whatever this one says.
            let without = (!row.conditions.is_empty()).then_some(row);
            told.into_iter().chain(without)
        });
        Ok(due.collect())
    }
}

fn told(notice: &Notice) -> v1::NoticeDue {
    v1::NoticeDue {
        recipient_party_id: notice.recipient.to_string(),
        conditions: to_wire(&notice.conditions),
        kind: Some(notice.kind.to_wire()),
        issued_at: Some(instant(notice.issued_at)),
        deadline: Some(instant(notice.deadline)),
        acknowledged_at: notice.acknowledged_at.map(instant),
    }
}
