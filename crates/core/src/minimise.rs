//! What is left of a permit when everything that is not needed is taken away, and how it stays closed
//! until the trail holds it.
//!
//! [`minimise`] spends a permit. What it gives can be written down in an entry, and its values cannot be
//! read: [`Minimised::commit`] turns them into the exact bytes to release and hands out their digest
//! alone, and [`Committed::release`] gives the bytes to whoever proves with [`Durable`] that the entry is
//! on disk. None of the three can be made by hand, copied, or read early:
//!
//! ```compile_fail,E0451
//! use schakel_core::minimise::Minimised;
//! let forged = Minimised { released: todo!(), grants: Vec::new() };
//! ```
//!
//! ```compile_fail,E0616
//! # fn peek(minimised: schakel_core::minimise::Minimised) {
//! let early = minimised.released;
//! # }
//! ```
//!
//! ```compile_fail,E0308
//! # fn smuggle(minimised: schakel_core::minimise::Minimised) {
//! let mut early = Vec::new();
//! minimised.commit(
//!     |released| {
//!         early.extend_from_slice(&released.items);
//!         Vec::new()
//!     },
//!     &[0; 32],
//!     |_, _| [0; 32],
//! );
//! # }
//! ```
//!
//! ```compile_fail,E0451
//! use schakel_core::minimise::Committed;
//! let forged = Committed { content: Vec::new(), digest: [0; 32] };
//! ```
//!
//! ```compile_fail,E0616
//! # fn peek(committed: schakel_core::minimise::Committed) {
//! let early = committed.content;
//! # }
//! ```
//!
//! ```compile_fail,E0599
//! # fn release_twice(committed: schakel_core::minimise::Committed) {
//! let again = committed.clone();
//! # }
//! ```
//!
//! ```compile_fail,E0423
//! # fn unrecorded(committed: schakel_core::minimise::Committed) {
//! use schakel_core::minimise::Durable;
//! committed.release(&Durable(()));
//! # }
//! ```

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};

use crate::{
    code::{Condition, Granularity, Moment, Regime, Status},
    decide::{self, Grant, Permit},
    dossier::Dossier,
    id::{PartyId, PurposeCode},
    party::{Contact, Party},
    purpose::{LegalBasis, PurposeVersion},
    registry::Registry,
    status::{Report, StatusRecord},
    time::{Date, Timestamp},
};

/// What a disclosure says. It never says what was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// What it was disclosed for.
    pub purpose: PurposeCode,
    /// The version of the purpose.
    pub version: u32,
    /// What is told, by condition.
    pub items: Vec<Item>,
    /// The law under which the recipient now holds it: the Wjsg when any of it came under the Wjsg.
    pub regime: Regime,
    /// How many days the recipient must and may keep it.
    pub retention_days: u16,
}

/// What is told of one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The condition.
    pub condition: Condition,
    /// As much as may be told.
    pub told: Told,
    /// The moment in the trajectory; outsiders are not told.
    pub moment: Option<Moment>,
    /// The party to talk to: who reported it; to outsiders the municipality of return.
    pub counterpart: PartyId,
    /// How to reach that party's team.
    pub contact: Contact,
    /// The basis for providing; outsiders are not told.
    pub provider_basis: Option<LegalBasis>,
    /// The basis for receiving.
    pub recipient_basis: LegalBasis,
}

/// As much of a status as may be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Whether help is needed.
    Signal(bool),
    /// The status code.
    Status(Status),
    /// The status code with its days.
    StatusWithDates {
        /// The code.
        status: Status,
        /// The day on which it stood so.
        as_of: Date,
        /// The day by which it should be settled.
        expected: Option<Date>,
    },
}

/// What may be released, and is not yet.
#[must_use = "what was minimised is committed to, recorded and released"]
pub struct Minimised {
    released: Released,
    grants: Vec<Grant>,
}

/// The exact bytes that will be released, closed until the entry that commits to them is on disk.
#[must_use = "what was committed to is released once it is recorded"]
pub struct Committed {
    content: Vec<u8>,
    digest: [u8; 32],
}

/// Proof that an entry is durably in the log. Whoever holds one has recorded what it is about to release.
///
/// The store makes it, in one place, after the log's fdatasync has returned; nobody else does.
#[derive(Debug)]
pub struct Durable(());

/// Spends a permit: takes the values it grants out of the dossier and leaves out everything else.
///
/// Parties that may not know of detention are told one item a condition, the newest; no moment, no
/// provider, no basis for providing; and the municipality of return is their counterpart.
///
/// A grant whose report is no longer in the dossier, or that was granted on another one, gives nothing.
pub fn minimise(
    permit: Permit,
    dossier: &Dossier,
    registry: &Registry,
    now: Timestamp,
) -> Minimised {
    let (subject, version, outsider, granted) = permit.spend();
    let granted = if subject == dossier.subject {
        granted
    } else {
        Vec::new()
    };
    let sources = granted.into_iter().filter_map(|grant| {
        let source = Source::find(&grant, dossier, registry, outsider, now)?;
        Some((grant, source))
    });
    let kept = if outsider {
        newest_of_each_condition(sources)
    } else {
        sources.collect()
    };
    let items = kept
        .iter()
        .map(|(grant, source)| source.item(grant, outsider));
    let released = Released {
        purpose: version.code.clone(),
        version: version.version,
        items: items.collect(),
        regime: regime(&version, &kept, outsider),
        retention_days: version.retention_days,
    };
    let grants = kept.into_iter().map(|(grant, _)| grant).collect();
    Minimised { released, grants }
}

/// The values behind a grant.
struct Source<'a> {
    record: &'a StatusRecord,
    told: Told,
    counterpart: &'a Party,
}

impl<'a> Source<'a> {
    fn find(
        grant: &Grant,
        dossier: &'a Dossier,
        registry: &'a Registry,
        outsider: bool,
        now: Timestamp,
    ) -> Option<Self> {
        let key = (grant.case, grant.condition, grant.provider.clone());
        let record = dossier.statuses.get(&key)?;
        let told = Told::of(&record.report, grant.granularity)?;
        let counterpart = if outsider {
            registry.counterpart(dossier.cases.get(&grant.case)?, now)?
        } else {
            registry.party(&grant.provider)?
        };
        (record.entry == grant.status).then_some(Self {
            record,
            told,
            counterpart,
        })
    }

    fn item(&self, grant: &Grant, outsider: bool) -> Item {
        Item {
            condition: grant.condition,
            told: self.told.clone(),
            moment: (!outsider).then_some(self.record.report.moment),
            counterpart: self.counterpart.id.clone(),
            contact: self.counterpart.contact.clone(),
            provider_basis: (!outsider).then(|| grant.provider_basis.clone()),
            recipient_basis: grant.recipient_basis.clone(),
        }
    }

    /// What makes one report newer than another: the day it is about, then the order of the log.
    fn age(&self) -> (Date, crate::id::EntryIndex) {
        (self.record.report.as_of, self.record.entry)
    }
}

/// Keeps one grant a condition. Two would tell that two parties report, and so hint at who they are.
fn newest_of_each_condition<'a>(
    sources: impl Iterator<Item = (Grant, Source<'a>)>,
) -> Vec<(Grant, Source<'a>)> {
    let mut newest: BTreeMap<Condition, (Grant, Source<'a>)> = BTreeMap::new();
    for (grant, source) in sources {
        match newest.entry(grant.condition) {
            Entry::Vacant(place) => drop(place.insert((grant, source))),
            Entry::Occupied(mut place) => {
                if place.get().1.age() < source.age() {
                    place.insert((grant, source));
                }
            }
        }
    }
    newest.into_values().collect()
}

fn regime(version: &PurposeVersion, kept: &[(Grant, Source<'_>)], outsider: bool) -> Regime {
    let mut routes = kept
        .iter()
        .filter_map(|(grant, _)| version.routes.get(usize::from(grant.route)));
    if !outsider && routes.any(|route| route.regime == Regime::Wjsg) {
        Regime::Wjsg
    } else {
        Regime::Avg
    }
}

impl Told {
    /// As much of a report as the granularity allows; `None` when there is nothing to say.
    fn of(report: &Report, granularity: Granularity) -> Option<Self> {
        let signal = report.status.signal()?;
        Some(match granularity {
            Granularity::Signal => Self::Signal(signal),
            Granularity::Status => Self::Status(report.status),
            Granularity::StatusWithDates => Self::StatusWithDates {
                status: report.status,
                as_of: report.as_of,
                expected: report.expected,
            },
        })
    }
}

impl Minimised {
    /// What is told, and on what: for the entry.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// The most that is told of any condition.
    #[must_use]
    pub fn granularity(&self) -> Granularity {
        decide::most(&self.grants)
    }

    /// The number of the purpose version that decided.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.released.version
    }

    /// What it would be told on, with the party to talk to and the basis for providing as they would be told;
    /// the values are dropped.
    pub(crate) fn without_values(
        self,
    ) -> impl Iterator<Item = (Grant, PartyId, Option<LegalBasis>)> {
        let items = self.released.items.into_iter();
        let shown = items.map(|item| (item.counterpart, item.provider_basis));
        let grants = self.grants.into_iter();
        grants
            .zip(shown)
            .map(|(grant, (counterpart, basis))| (grant, counterpart, basis))
    }

    /// Turns the values into the exact bytes to release, and gives out only their digest under a salt.
    ///
    /// Both are plain functions, not closures: they can carry nothing away.
    pub fn commit(
        self,
        encode: fn(&Released) -> Vec<u8>,
        salt: &[u8; 32],
        digest: fn(&[u8; 32], &[u8]) -> [u8; 32],
    ) -> Committed {
        let content = encode(&self.released);
        let digest = digest(salt, &content);
        Committed { content, digest }
    }
}

impl Committed {
    /// The digest of the content under its salt: for the leaf.
    #[must_use]
    pub const fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The content, once the entry that commits to it is on disk.
    #[must_use]
    pub fn release(self, _recorded: &Durable) -> Vec<u8> {
        self.content
    }
}

impl Durable {
    /// Asserts that the entry is on disk. A test holds that only the store's recorder says so.
    #[must_use]
    pub const fn assertion() -> Self {
        Self(())
    }
}

impl fmt::Debug for Minimised {
    /// Shows what the entry holds, and no value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minimised")
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Committed {
    /// Shows no content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committed").finish_non_exhaustive()
    }
}
