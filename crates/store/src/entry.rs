//! Reading an entry back: its leaf, and its details as far as the keys that open them are still there.

use schakel_audit::leaf::{Leaf, LeafError};
use schakel_core::event::Details;

use crate::{
    details::{self, DetailsError},
    keyring::Keyring,
    log::{ReadError, Stored},
    seal,
};

/// An entry as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its leaf.
    pub leaf: Leaf,
    /// Its details; `None` when the keys that open them are gone.
    pub details: Option<Details>,
}

/// Why an entry could not be read back.
#[derive(Debug, thiserror::Error)]
#[error("entry {index} cannot be read back")]
pub struct EntryError {
    /// The entry.
    pub index: u64,
    /// What is wrong.
    #[source]
    pub fault: EntryFault,
}

/// What is wrong with an entry.
#[derive(Debug, thiserror::Error)]
pub enum EntryFault {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The leaf is not one.
    #[error("its leaf is not one")]
    Leaf(#[from] LeafError),
    /// The details are not those the leaf is committed to, or were sealed by a log of another name.
    #[error("its details are damaged, or were sealed for a log of another origin")]
    Sealed,
    /// The details are not written as they should be.
    #[error(transparent)]
    Details(#[from] DetailsError),
    /// The keys that open the details are gone, and nothing says why.
    #[error(
        "its keys are gone and nothing in the log says that they were destroyed; restore the keyring"
    )]
    MissingKey,
}

/// Opens what is stored of an entry of the log with this origin.
///
/// # Errors
/// When the leaf or the details are not what they should be. That keys are gone is no error.
pub fn open(
    index: u64,
    stored: Result<Stored, ReadError>,
    origin: &str,
    keyring: &Keyring,
) -> Result<Entry, EntryError> {
    let open = || {
        let stored = stored?;
        let leaf = Leaf::decode(&stored.leaf)?;
        let details = match seal::open(&leaf, &stored.sealed, origin, keyring) {
            Ok(bytes) => Some(details::decode(&bytes)?),
            Err(seal::OpenError::Erased) => None,
            Err(seal::OpenError::Damaged) => return Err(EntryFault::Sealed),
        };
        Ok(Entry { leaf, details })
    };
    open().map_err(|fault| EntryError { index, fault })
}
