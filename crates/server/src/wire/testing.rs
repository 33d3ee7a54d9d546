//! Callers and requests for the tests of this module.

use schakel_api::v1;
use schakel_core::{code::Role, party::Peer};

/// A caller with one role, `party-1`.
pub(crate) fn peer(role: Role) -> Peer {
    Peer {
        principal: "party-1".parse().unwrap(),
        transport: "party-1".parse().unwrap(),
        roles: vec![role],
    }
}

/// Somebody who acts.
pub(crate) fn actor() -> Option<v1::Actor> {
    Some(v1::Actor {
        actor_ref: "emp-7".into(),
        responsible_ref: None,
    })
}

/// A UUID.
pub(crate) fn id(n: u8) -> String {
    format!("00000000-0000-0000-0000-0000000000{n:02x}")
}

/// A person named by a case.
pub(crate) fn subject() -> Option<v1::SubjectRef> {
    Some(v1::SubjectRef {
        reference: Some(v1::subject_ref::Reference::CaseId(id(1))),
    })
}
