//! Whether an entry has to be applied to a dossier at all.

use schakel_core::{
    decide::Grant,
    dossier::Dossier,
    event::{Details, Event},
    id::PartyId,
};

/// Whether an entry changes anything in the dossier of its person. Copying a dossier to find out that
/// nothing changed would be most of the cost of a disclosure.
pub(super) fn alters(details: &Details, dossier: &Dossier) -> bool {
    if !details.binds.is_empty() {
        return true;
    }
    match &details.event {
        Event::Denied(_) | Event::LookedUp(_) => false,
        Event::Disclosed(disclosed) => match &details.call {
            Some(call) => !disclosed
                .grants
                .iter()
                .all(|grant| was_served(dossier, &call.principal, grant)),
            None => false,
        },
        _ => true,
    }
}

/// Whether the recipient was served this condition before, from this provider and under these consents.
fn was_served(dossier: &Dossier, recipient: &PartyId, grant: &Grant) -> bool {
    let served = dossier.served.get(&(recipient.clone(), grant.condition));
    served.is_some_and(|served| {
        served.providers.contains(&grant.provider)
            && grant
                .consents
                .iter()
                .all(|consent| served.consents.contains(consent))
    })
}
