//! Reading an entry back: its leaf, and its details as far as the keys that open them are still there.

use std::fmt;

use schakel_audit::{
    erasure::Opened,
    leaf::{Leaf, LeafError},
};
use schakel_core::{
    event::Details,
    id::{PartyId, SlotId},
};

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

/// An entry with everything that shows what its leaf is committed to, and to whom its details were sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Whole {
    /// Its leaf, as it is stored.
    pub encoded: Vec<u8>,
    /// The entry.
    pub entry: Entry,
    /// What the leaf is committed to; `None` when the keys that open it are gone.
    pub opened: Option<Opened>,
    /// The slots that open the details, in the order of their controllers; none when they are open to
    /// everybody, and one that is nobody's when they are about nobody known.
    pub slots: Vec<SlotId>,
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

impl fmt::Debug for Whole {
    /// Shows nothing of the details.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Whole({:?})", self.entry.leaf)
    }
}

impl Whole {
    /// The slot of one controller with the person the entry is about; `None` when there is none.
    #[must_use]
    pub fn slot_of(&self, controller: &PartyId) -> Option<SlotId> {
        let details = self.entry.details.as_ref()?;
        details.subject?;
        let at = details.controllers.iter().position(|one| one == controller);
        self.slots.get(at?).copied()
    }
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
    whole(index, stored, origin, keyring).map(|whole| whole.entry)
}

/// As [`open`], with what shows to others that it is so.
///
/// # Errors
/// As [`open`].
pub fn whole(
    index: u64,
    stored: Result<Stored, ReadError>,
    origin: &str,
    keyring: &Keyring,
) -> Result<Whole, EntryError> {
    let open = || {
        let Stored {
            leaf: encoded,
            sealed,
        } = stored?;
        let leaf = Leaf::decode(&encoded)?;
        let opened = match seal::open_whole(&leaf, &sealed, origin, keyring) {
            Ok(opened) => Some(opened),
            Err(seal::OpenError::Erased) => None,
            Err(seal::OpenError::Damaged) => return Err(EntryFault::Sealed),
        };
        let details = opened
            .as_ref()
            .map(|opened| details::decode(&opened.details));
        let details = details.transpose()?;
        Ok(Whole {
            encoded,
            entry: Entry { leaf, details },
            opened,
            slots: seal::slots(&sealed),
        })
    };
    open().map_err(|fault| EntryError { index, fault })
}
