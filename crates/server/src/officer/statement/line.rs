//! One line of the statement: what an entry tells the person.

use std::collections::BTreeSet;

use schakel_api::v1;
use schakel_core::{
    code::Condition,
    event::{Asked, ConsentEnded, Delivered, Denied, Details, Disclosed, Event},
    id::{EntryIndex, PartyId, PurposeCode},
};
use schakel_store::entry::Entry;

use super::Maker;
use crate::{
    officer::records::at,
    wire::{
        code::{Coded as _, to_wire},
        disclosure::basis,
        time::instant,
    },
};

impl Maker<'_> {
    /// The line that tells of an entry; `None` when there is nothing to tell by itself.
    pub(super) fn line(&self, index: EntryIndex, entry: &Entry) -> Option<v1::StatementLine> {
        let details = entry.details.as_ref()?;
        let party: PartyId = entry.leaf.party.parse().ok()?;
        let kind = kind(details)?;
        let (conditions, purpose) = about(&details.event);
        let mut line = v1::StatementLine {
            index: index.0,
            at: at(&entry.leaf).map(instant),
            kind: kind.into(),
            unit_name: self.unit(details, &party),
            party: Some(self.named(&party)),
            conditions: to_wire(&conditions),
            purpose_title: purpose.and_then(|code| self.title(code)),
            purpose: purpose.map(ToString::to_string),
            ..v1::StatementLine::default()
        };
        if let Event::Introduced { partner, .. } = &details.event {
            line.partner = Some(self.named(partner));
        }
        if let Some(disclosed) = told(&details.event) {
            self.tell_disclosed(&mut line, disclosed);
        }
        Some(line)
    }

    fn tell_disclosed(&self, line: &mut v1::StatementLine, disclosed: &Disclosed) {
        line.granularity = Some(disclosed.granularity.to_wire());
        let mut providers = BTreeSet::new();
        for grant in &disclosed.grants {
            // To outsiders the municipality stands in for whoever reported it: see the disclosure itself.
            if grant.provider == *self.viewer.controller() || !self.viewer.veil().is_drawn() {
                providers.insert(&grant.provider);
                line.bases.push(basis(&grant.provider_basis));
            }
            line.bases.push(basis(&grant.recipient_basis));
        }
        line.providers = providers.into_iter().map(|id| self.named(id)).collect();
        line.bases
            .sort_by(|a, b| (&a.basis, &a.law_ref).cmp(&(&b.basis, &b.law_ref)));
        line.bases.dedup();
    }

    /// The unit of a party that acted, by its newest name.
    fn unit(&self, details: &Details, party: &PartyId) -> Option<String> {
        let call = details
            .call
            .as_ref()
            .filter(|call| call.principal == *party)?;
        let units = self.registry.party(party)?.units.iter();
        let named = units.filter(|unit| Some(&unit.id) == call.unit.as_ref());
        let newest = named.max_by_key(|unit| unit.period.from)?;
        Some(newest.name.clone())
    }
}

fn told(event: &Event) -> Option<&Disclosed> {
    match event {
        Event::Disclosed(disclosed)
        | Event::Delivered(Delivered {
            disclosed: Some(disclosed),
            ..
        }) => Some(disclosed),
        _ => None,
    }
}

/// What a line about an event tells. What is withheld is not told by a line of its own, a message that was
/// dropped reached nobody, and that something was acknowledged stands with the notice.
fn kind(details: &Details) -> Option<v1::StatementKind> {
    use v1::StatementKind as Kind;
    Some(match &details.event {
        Event::StatusReported { .. } => Kind::Supplied,
        Event::Disclosed(_)
        | Event::Delivered(Delivered {
            disclosed: Some(_), ..
        }) => Kind::Received,
        Event::Denied(Denied { asked, .. }) => match asked {
            Asked::Disclosure(_) | Asked::Call { .. } => Kind::Asked,
            Asked::Message { .. } => return None,
        },
        // Whoever takes it out of the broker does more than look.
        Event::LookedUp(looked) if looked.method.starts_with("ExportService/") => Kind::Exported,
        Event::LookedUp(_) => Kind::Looked,
        Event::ConsentRecorded { .. } => Kind::Consent,
        Event::ConsentEnded(_) => Kind::ConsentEnded,
        Event::Restricted { .. } | Event::RestrictionLifted { .. } => Kind::Restriction,
        Event::CaseOpened { .. } => Kind::CaseOpened,
        Event::MunicipalityAssigned { .. }
        | Event::MemberAdded { .. }
        | Event::MemberRemoved { .. } => Kind::Case,
        Event::CaseClosed { .. } => Kind::CaseClosed,
        Event::Introduced { .. } => Kind::Introduced,
        Event::Redeemed { .. } => Kind::Redeemed,
        Event::Delivered(Delivered {
            disclosed: None, ..
        }) => Kind::Notice,
        Event::Withheld(_) | Event::Acknowledged { .. } => return None,
        _ => Kind::Other,
    })
}

/// The conditions that an event is about, and what it was for.
fn about(event: &Event) -> (BTreeSet<Condition>, Option<&PurposeCode>) {
    match event {
        Event::StatusReported { condition, .. } | Event::Introduced { condition, .. } => {
            ([*condition].into(), None)
        }
        Event::Denied(Denied {
            asked: Asked::Disclosure(ask),
            ..
        }) => (ask.conditions.clone(), Some(&ask.purpose)),
        Event::LookedUp(looked) => (BTreeSet::new(), looked.purpose.as_ref()),
        Event::ConsentRecorded { terms, .. } => (terms.conditions.clone(), None),
        Event::ConsentEnded(ConsentEnded { conditions, .. })
        | Event::Restricted { conditions, .. } => (conditions.clone(), None),
        event => match told(event) {
            Some(disclosed) => (
                disclosed
                    .grants
                    .iter()
                    .map(|grant| grant.condition)
                    .collect(),
                Some(&disclosed.ask.purpose),
            ),
            None => (BTreeSet::new(), None),
        },
    }
}
