//! What those who oversee ask of the trail: replays, the past as of an instant, the statement for the
//! person, breaches and reports. All of it is read from the log and its indexes; nothing here decides
//! what may be disclosed, and whoever looks is recorded before anything is shown.

pub(crate) mod as_of;
pub(crate) mod breach;
pub(crate) mod held;
pub(crate) mod integrity;
pub(crate) mod meant;
pub(crate) mod records;
pub(crate) mod report;
pub(crate) mod sampler;
pub(crate) mod statement;
pub(crate) mod usage;
pub(crate) mod wide;

use std::time::Duration;

use schakel_core::{
    dossier::{Dossier, Served},
    id::PartyId,
    registry::Registry,
};

/// How far officers may look by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The longest period of a search that names no person and needs no second officer.
    pub wide_period: Duration,
    /// How long a search that was approved may be made.
    pub approval: Duration,
}

/// Whether what somebody was served came from a controller: it reported it, or, to outsiders, stood in for
/// whoever did as the municipality of return.
pub(crate) fn served_by(
    controller: &PartyId,
    served: &Served,
    dossier: &Dossier,
    registry: &Registry,
) -> bool {
    let recipient = registry.party(&served.recipient);
    let insider = recipient.is_some_and(|party| {
        let mut roles = party.roles.iter();
        roles.any(|role| role.knows_of_detention())
    });
    let mut returns = dossier.cases.values().flat_map(|case| &case.returns);
    served.providers.contains(controller)
        || (!insider && returns.any(|given| given.party == *controller))
}
