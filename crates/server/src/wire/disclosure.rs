//! What is told, as the exact bytes to which the log is committed.

use prost::Message as _;
use schakel_api::v1;
use schakel_core::{
    minimise::{Item, Released, Told},
    party::Contact,
    purpose::LegalBasis,
};

use super::code::Coded;

/// The encoded `Disclosure` of what is released. The same release always gives the same bytes.
#[must_use]
pub fn encode(released: &Released) -> Vec<u8> {
    disclosure(released).encode_to_vec()
}

/// A functional contact as it is sent.
pub(crate) fn contact(contact: &Contact) -> v1::Contact {
    let Contact {
        team,
        email,
        telephone,
    } = contact;
    v1::Contact {
        team: team.clone(),
        email: email.clone(),
        telephone: telephone.clone(),
    }
}

/// A legal basis as it is sent.
pub(crate) fn basis(basis: &LegalBasis) -> v1::LegalBasis {
    let LegalBasis { basis, law_ref } = basis;
    v1::LegalBasis {
        basis: basis.to_string(),
        law_ref: law_ref.clone(),
    }
}

fn disclosure(released: &Released) -> v1::Disclosure {
    let Released {
        purpose,
        version,
        items,
        regime,
        retention_days,
    } = released;
    v1::Disclosure {
        purpose: purpose.to_string(),
        purpose_version: *version,
        items: items.iter().map(item).collect(),
        regime: regime.to_wire(),
        retention_days: u32::from(*retention_days),
    }
}

fn item(item: &Item) -> v1::DisclosedItem {
    let Item {
        condition,
        told: what,
        moment,
        counterpart,
        contact: reach,
        provider_basis,
        recipient_basis,
    } = item;
    v1::DisclosedItem {
        condition: condition.to_wire(),
        told: Some(told(what)),
        moment: moment.map(Coded::to_wire),
        counterpart_party_id: counterpart.to_string(),
        contact: Some(contact(reach)),
        provider_basis: provider_basis.as_ref().map(basis),
        recipient_basis: Some(basis(recipient_basis)),
    }
}

fn told(told: &Told) -> v1::disclosed_item::Told {
    use v1::disclosed_item::Told as Wire;
    match told {
        Told::Signal(needed) => Wire::HelpNeeded(*needed),
        Told::Status(status) => Wire::Status(status.to_wire()),
        Told::StatusWithDates {
            status,
            as_of,
            expected,
        } => Wire::Dated(v1::DatedStatus {
            status: status.to_wire(),
            as_of: as_of.to_string(),
            expected: expected.map(|day| day.to_string()),
        }),
    }
}
