//! The catalogue: parties and purposes as they stand in a file, for a registry that is still empty.
//!
//! The file's format is the business of whoever reads it; the shape is here. Its law references are
//! configuration, reviewed by the party that registers the purpose.

use serde::{Deserialize, Serialize};

use crate::{
    id::EntryIndex,
    invalid::Invalid,
    party::Party,
    purpose::PurposeVersion,
    registry::{Change, Registry},
    time::Timestamp,
};

/// Parties and purposes, in the order in which they are registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The parties.
    #[serde(default, rename = "party", skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<Party>,
    /// The purposes, every version after the one before.
    #[serde(default, rename = "purpose", skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<PurposeVersion>,
}

/// What is wrong with an item of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` of `{item}` {rule}")]
pub struct CatalogueError {
    /// The party or the purpose.
    pub item: String,
    /// The field.
    pub field: &'static str,
    /// The rule that is broken.
    pub rule: Invalid,
}

impl Catalogue {
    /// The changes that register everything: the parties, then the purposes.
    pub fn changes(&self) -> impl Iterator<Item = Change> + '_ {
        let parties = self.parties.iter().cloned().map(Change::PutParty);
        let purposes = self.purposes.iter().cloned().map(Change::PutPurpose);
        parties.chain(purposes)
    }

    /// Checks that everything can be registered, one after the other, in a registry with nothing in it.
    ///
    /// # Errors
    /// The first item that cannot.
    pub fn check(&self) -> Result<(), CatalogueError> {
        let mut registry = Registry::default();
        for change in self.changes() {
            registry
                .check(&change)
                .map_err(|(field, rule)| CatalogueError {
                    item: name(&change),
                    field,
                    rule,
                })?;
            registry.make(&change, EntryIndex(0), Timestamp::MAX);
        }
        Ok(())
    }
}

fn name(change: &Change) -> String {
    match change {
        Change::PutParty(party) => party.id.to_string(),
        Change::SuspendParty(id) | Change::ReinstateParty(id) => id.to_string(),
        Change::BlockCertificate(certificate, _) | Change::UnblockCertificate(certificate) => {
            certificate.to_string()
        }
        Change::PutPurpose(version) => format!("{} {}", version.code, version.version),
        Change::WithdrawPurpose(code, version) => format!("{code} {version}"),
    }
}
