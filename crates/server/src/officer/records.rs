//! The records as they stood at any entry of the log, made again from the entries before it.

use std::collections::{BTreeMap, HashMap, hash_map};

use schakel_audit::{
    commitment,
    leaf::{EntryType, Leaf},
};
use schakel_core::{
    dossier::Dossier,
    event::{Details, Event},
    id::{EntryIndex, PartyId, SubjectId},
    registry::Registry,
    replay::{self, Content, Replay, Then},
    time::Timestamp,
};
use schakel_store::{entry::Entry, index::Query};

use crate::{
    trail::{Trail, TrailError},
    wire::disclosure,
};

/// Records that are moved forward through the log: asked for entries in ascending order, each entry about
/// a person is opened once.
pub(crate) struct Records<'t> {
    trail: &'t Trail,
    registry: Registry,
    /// The entries that change the registry and are not made yet, the last of them first.
    changes: Vec<EntryIndex>,
    people: HashMap<SubjectId, Person>,
}

/// The records of one person, and what they were made from.
struct Person {
    dossier: Dossier,
    /// The entries about the person that are not applied yet, the last of them first.
    ahead: Vec<EntryIndex>,
    /// How many of those applied say more to each controller than that it named the person.
    told: BTreeMap<PartyId, u64>,
    unreadable: u64,
}

/// The records as they stood.
#[derive(Clone, Copy)]
pub(crate) struct Stood<'r> {
    pub(crate) registry: &'r Registry,
    pub(crate) dossier: Option<&'r Dossier>,
    told: Option<&'r BTreeMap<PartyId, u64>>,
    /// How many of them can no longer be read.
    pub(crate) unreadable: u64,
}

/// What came of deciding again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// This.
    Decided(Replay),
    /// Nothing: what it was decided from, or it itself, is erased.
    Unreadable,
}

impl Stood<'_> {
    /// How many of the entries that they are made from say more to a controller than that it named the person. How
    /// many there are of others would tell it that the person is known, and how much is held of them.
    pub(crate) fn told(&self, controller: &PartyId) -> u64 {
        let told = self.told.and_then(|told| told.get(controller));
        told.copied().unwrap_or_default()
    }
}

impl<'t> Records<'t> {
    /// The records before the first entry.
    pub(crate) fn new(trail: &'t Trail) -> Result<Self, TrailError> {
        let changes = trail.each(Query::all_of(EntryType::Registry));
        Ok(Self {
            trail,
            registry: Registry::default(),
            changes: changes.collect::<Result<_, _>>()?,
            people: HashMap::new(),
        })
    }

    /// Moves forward to just before an entry, for the person it is about.
    pub(crate) fn before(
        &mut self,
        entry: EntryIndex,
        subject: Option<SubjectId>,
    ) -> Result<Stood<'_>, TrailError> {
        while let Some(change) = self.changes.pop_if(|change| *change < entry) {
            if let Some((details, at)) = self.trail.entry(change.0)?.and_then(opened)
                && let Event::Changed { change: made, .. } = &details.event
            {
                self.registry.make(made, change, at);
            }
        }
        let person = match subject {
            Some(subject) => Some(Self::move_person(
                self.trail,
                &mut self.people,
                subject,
                entry,
            )?),
            None => None,
        };
        Ok(Stood {
            registry: &self.registry,
            dossier: person.map(|person| &person.dossier),
            told: person.map(|person| &person.told),
            unreadable: person.map_or(0, |person| person.unreadable),
        })
    }

    /// Decides again what an entry decided.
    pub(crate) fn replay(&mut self, index: EntryIndex, entry: &Entry) -> Result<Again, TrailError> {
        let (Some(details), Ok(at)) = (&entry.details, Timestamp::from_millis(entry.leaf.at_ms))
        else {
            return Ok(Again::Unreadable);
        };
        let may_be_erased = self.may_be_erased(index, entry);
        let stood = self.before(index, details.subject)?;
        let then = Then {
            dossier: stood.dossier,
            registry: stood.registry,
            at,
        };
        let content = Content {
            encode: disclosure::encode,
            digest: commitment::released,
            released: entry.leaf.released,
        };
        Ok(match replay::replay(details, &then, &content) {
            Replay::Differs(_) if stood.unreadable > 0 || may_be_erased => Again::Unreadable,
            replayed => Again::Decided(replayed),
        })
    }

    /// Whether something that a decision was made from may have been erased since: what can no longer be read is
    /// not always found under its person any more.
    fn may_be_erased(&self, index: EntryIndex, entry: &Entry) -> bool {
        let concerned = |party: &PartyId| {
            let details = entry.details.as_ref();
            entry.erased.contains(party)
                || details.is_some_and(|details| details.controllers.contains(party))
        };
        let erasures = self.trail.erasures();
        erasures
            .done()
            .any(|done| done.entry > index && done.erased.controller.as_ref().is_none_or(concerned))
    }

    fn move_person<'p>(
        trail: &Trail,
        people: &'p mut HashMap<SubjectId, Person>,
        subject: SubjectId,
        entry: EntryIndex,
    ) -> Result<&'p Person, TrailError> {
        let person = match people.entry(subject) {
            hash_map::Entry::Occupied(known) => known.into_mut(),
            hash_map::Entry::Vacant(place) => {
                let ahead = trail.each(Query::about(subject));
                place.insert(Person {
                    dossier: Dossier::new(subject),
                    ahead: ahead.collect::<Result<_, _>>()?,
                    told: BTreeMap::new(),
                    unreadable: 0,
                })
            }
        };
        while let Some(next) = person.ahead.pop_if(|next| *next < entry) {
            let Some(found) = trail.entry_if(next, alters)? else {
                continue;
            };
            match opened(found) {
                Some((details, at)) => {
                    person.dossier.apply(&details, next, at);
                    let told = details.controllers.iter();
                    for party in told.filter(|party| details.says_more_to(party)) {
                        *person.told.entry(party.clone()).or_default() += 1;
                    }
                }
                None => person.unreadable += 1,
            }
        }
        Ok(person)
    }
}

/// Whether an entry of this kind can change what decisions are made from.
const fn alters(kind: EntryType) -> bool {
    !matches!(kind, EntryType::Denial | EntryType::LookUp)
}

/// The details of an entry with its instant, when they can be read.
pub(crate) fn opened(entry: Entry) -> Option<(Details, Timestamp)> {
    let at = at(&entry.leaf)?;
    Some((entry.details?, at))
}

/// The instant of a leaf.
pub(crate) fn at(leaf: &Leaf) -> Option<Timestamp> {
    Timestamp::from_millis(leaf.at_ms).ok()
}
