//! Reading an entry back: its leaf, and its details as far as the keys that open them are still there.

use std::{collections::BTreeSet, fmt};

use schakel_audit::{
    erasure::Opened,
    leaf::{Leaf, LeafError},
};
use schakel_core::{
    event::{Details, SlotUse},
    id::{PartyId, SlotId},
};

use crate::{
    details::{self, Apart, DetailsError},
    keyring::Keyring,
    log::{ReadError, Stored},
    seal,
};

/// An entry as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its leaf.
    pub leaf: Leaf,
    /// Its details, as far as they remain for the controllers that did not erase the person; `None` when the
    /// keys that open them are gone. Their `binds` name every key in use, whichever entry used it first.
    pub details: Option<Details>,
    /// The controllers concerned that have erased the person since.
    pub erased: BTreeSet<PartyId>,
}

impl Entry {
    /// Whether the party that acted has erased the person since.
    #[must_use]
    pub fn actor_is_erased(&self) -> bool {
        let call = self
            .details
            .as_ref()
            .and_then(|details| details.call.as_ref());
        call.is_some_and(|call| self.erased.contains(&call.principal))
    }

    /// The entry as one controller can read it: without its details when it has erased the person or was never
    /// concerned, even while they can be opened for another.
    #[must_use]
    pub fn read_by(self, controller: &PartyId) -> Self {
        let details = self.details;
        Self {
            details: details.filter(|details| details.controllers.contains(controller)),
            ..self
        }
    }
}

/// An entry with everything that shows what its leaf is committed to, and to whom its details were sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Whole {
    /// Its leaf, as it is stored.
    pub encoded: Vec<u8>,
    /// The entry.
    pub entry: Entry,
    /// What the leaf is committed to, as it was sealed: what a controller that has erased the person must not be
    /// shown is still in it. `None` when the keys that open it are gone.
    pub opened: Option<Opened>,
    /// What was kept apart of `opened`: less by older brokers, and nothing where details name nobody.
    pub apart: Apart,
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
        let unsealed = match seal::open_whole(&leaf, &sealed, origin, keyring) {
            Ok(unsealed) => Some(unsealed),
            Err(seal::OpenError::Erased) => None,
            Err(seal::OpenError::Damaged) => return Err(EntryFault::Sealed),
        };
        let details = unsealed
            .as_ref()
            .map(|unsealed| details::decode_with(&unsealed.opened.details, &unsealed.links));
        let (details, apart) = details.transpose()?.unzip();
        let apart = apart.unwrap_or(Apart::Nothing);
        let opened = unsealed.map(|unsealed| unsealed.opened);
        let slots = seal::slots(&sealed);
        let Some(mut details) = details else {
            return Ok(Whole {
                encoded,
                entry: Entry {
                    leaf,
                    details,
                    erased: BTreeSet::new(),
                },
                opened,
                apart,
                slots,
            });
        };
        let erased = erased(&details, &slots, keyring);
        bind(&mut details, &sealed, keyring);
        Ok(Whole {
            encoded,
            slots: remaining(&details, &erased, slots),
            entry: Entry {
                leaf,
                details: Some(details.without(&erased)),
                erased,
            },
            opened,
            apart,
        })
    };
    open().map_err(|fault| EntryError { index, fault })
}

/// The controllers whose slots are gone: an entry about a person is sealed for each of them, in their order.
fn erased(details: &Details, slots: &[SlotId], keyring: &Keyring) -> BTreeSet<PartyId> {
    if details.subject.is_none() {
        return BTreeSet::new();
    }
    let sealed_for = details.controllers.iter().zip(slots);
    sealed_for
        .filter(|(_, slot)| keyring.is_destroyed(**slot))
        .map(|(party, _)| party.clone())
        .collect()
}

/// The slots without those of the controllers that have erased the person.
fn remaining(details: &Details, erased: &BTreeSet<PartyId>, slots: Vec<SlotId>) -> Vec<SlotId> {
    let gone = details
        .controllers
        .iter()
        .map(|party| erased.contains(party));
    let gone = gone.chain(std::iter::repeat(false));
    let left = slots.into_iter().zip(gone).filter(|(_, gone)| !gone);
    left.map(|(slot, _)| slot).collect()
}

/// Names the key of every controller concerned and of the record, not only those that this entry was the first
/// to use: the entry that was the first may be unreadable.
fn bind(details: &mut Details, sealed: &[u8], keyring: &Keyring) {
    if details.subject.is_some() {
        let record = details.event.record().zip(seal::record(sealed));
        let sealed_for = details.controllers.iter().zip(seal::slots(sealed));
        let uses: Vec<_> = sealed_for
            .map(|(party, slot)| (SlotUse::Controller(party.clone()), slot))
            .chain(record)
            .filter(|used| !details.binds.contains(used))
            .collect();
        details.binds.extend(uses);
    }
    details
        .binds
        .retain(|(_, slot)| !keyring.is_destroyed(*slot));
}
