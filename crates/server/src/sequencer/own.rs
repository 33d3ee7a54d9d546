//! Entries the broker makes by itself: founding, starting, stopping, counting refusals.

use std::collections::BTreeSet;

use schakel_audit::leaf::EntryType;
use schakel_core::event::Event;

use super::plan::{Plan, Retention, Subject, Told};

/// The plan for an event that holds no personal data and that nobody asked for.
pub(super) fn plan(event: Event) -> Plan {
    let kind = match &event {
        Event::CertificatesUsed { .. } | Event::Changed { .. } | Event::Issuance(_) => {
            EntryType::Registry
        }
        Event::Refused { .. } => EntryType::Refusals,
        Event::CheckpointKey { .. } | Event::KekRotated => EntryType::Key,
        _ => EntryType::System,
    };
    Plan {
        kind,
        subject: Subject::Nobody,
        retention: Retention::Permanent,
        controllers: BTreeSet::new(),
        purpose: None,
        event,
        told: Told::Nobody,
    }
}
