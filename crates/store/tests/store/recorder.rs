//! A small broker: records events in a log, keeps the state, and fills the indexes.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use schakel_audit::leaf::{EntryType, Leaf, Month, RetentionClass};
use schakel_core::{
    dossier::Dossier,
    event::{Call, Details, Event, SlotUse, Write},
    id::{EntryIndex, IdempotencyKey, PartyId, SlotId, SubjectId},
    inbox::Inbox,
    person::{Identifier, SubjectRef},
    random::Random as _,
    registry::Registry,
    time::Timestamp,
};
use schakel_store::{
    details, entry,
    index::{self, Facts},
    keyring::{Kek, Keyring},
    log::{Frame, Log, Settings},
    random::OsRandom,
    seal::{self, Scope, Term},
    world::{OpenWorldError, Options, World, Written},
};
use tempfile::TempDir;

use super::{
    story::METHODS,
    support::{ORIGIN, said},
};

/// The first instant of the tests: 2026-11-23T14:00:00Z.
pub(crate) const START_MS: u64 = 1_795_442_400_000;

/// A log with a keyring, and the state of it.
pub(crate) struct Recorder {
    pub(crate) data: TempDir,
    pub(crate) log: Log,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) world: World,
    pub(crate) now: Timestamp,
}

/// What is to be recorded.
pub(crate) struct Happening {
    pub(crate) by: PartyId,
    pub(crate) subject: Option<SubjectId>,
    pub(crate) others: BTreeSet<PartyId>,
    pub(crate) write: Option<Write>,
    pub(crate) event: Event,
}

/// Everything that can be asked of the state about some people and parties.
#[derive(Debug, PartialEq)]
pub(crate) struct State {
    applied: u64,
    registry: Arc<Registry>,
    inboxes: Vec<Option<Inbox>>,
    dossiers: Vec<Dossier>,
    found: Vec<Option<SubjectId>>,
    said: Vec<SubjectId>,
    introduced: Vec<Option<SubjectId>>,
    written: Vec<Option<Written>>,
}

/// Whom and what to ask the state about.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) parties: Vec<PartyId>,
    pub(crate) subjects: Vec<SubjectId>,
    pub(crate) references: Vec<SubjectRef>,
    pub(crate) codes: Vec<[u8; 32]>,
    pub(crate) keys: Vec<IdempotencyKey>,
}

pub(crate) fn party(id: &str) -> PartyId {
    id.parse().unwrap()
}

pub(crate) fn person(n: u8) -> SubjectId {
    SubjectId::from_bytes([n; 16])
}

/// Something done by one party about one person.
pub(crate) fn by(id: &str, subject: Option<u8>, event: Event) -> Happening {
    Happening {
        by: party(id),
        subject: subject.map(person),
        others: BTreeSet::new(),
        write: None,
        event,
    }
}

impl Recorder {
    /// Begins in a directory of its own.
    pub(crate) fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let log = Log::create(data.path(), settings()).unwrap();
        let keyring = keyring(data.path());
        let world = open_world(data.path(), &log, &keyring).unwrap();
        keyring.ready().unwrap();
        let now = Timestamp::from_millis(START_MS).unwrap();
        Self {
            data,
            log,
            keyring,
            world,
            now,
        }
    }

    /// Ends, does something to the files, and begins again: the log, the keyring and the state are opened anew.
    pub(crate) fn again(self, meanwhile: impl FnOnce(&Path)) -> Result<Self, OpenWorldError> {
        let Self {
            data,
            log,
            keyring,
            world,
            now,
        } = self;
        drop((world, keyring, log));
        meanwhile(data.path());
        let log = Log::open(data.path(), settings()).unwrap().log;
        let keyring = self::keyring(data.path());
        let world = open_world(data.path(), &log, &keyring)?;
        keyring.ready().unwrap();
        Ok(Self {
            data,
            log,
            keyring,
            world,
            now,
        })
    }

    pub(crate) fn view(&self) -> PathBuf {
        self.data.path().join("view")
    }

    /// Records as one batch.
    pub(crate) fn record(&mut self, batch: impl IntoIterator<Item = Happening>) {
        let frames: Vec<Frame> = (self.log.size()..)
            .zip(batch)
            .map(|(index, happening)| self.compose(EntryIndex(index), happening))
            .collect();
        self.log.append(self.log.size(), &frames).unwrap();
        self.world.flush(self.log.size()).unwrap();
    }

    /// What an entry can be found by.
    pub(crate) fn facts(&self, index: EntryIndex) -> Vec<Facts> {
        let stored = self.log.read(index.0);
        let found = entry::open(index.0, stored, ORIGIN, &self.keyring).unwrap();
        index::facts(&found.leaf, &found.details.unwrap(), index)
    }

    /// Asks the state everything.
    pub(crate) fn state(&mut self, asked: &Asked) -> State {
        let world = &mut self.world;
        let of = |world: &World, reference| -> Vec<Option<SubjectId>> {
            asked
                .parties
                .iter()
                .map(|party| world.subject_of(reference, party))
                .collect()
        };
        State {
            applied: world.applied(),
            registry: world.registry(),
            inboxes: asked
                .parties
                .iter()
                .map(|party| world.inbox(party).cloned())
                .collect(),
            dossiers: asked
                .subjects
                .iter()
                .map(|subject| Dossier::clone(&world.dossier(*subject).unwrap()))
                .collect(),
            found: asked
                .references
                .iter()
                .flat_map(|reference| of(world, reference))
                .collect(),
            said: said(world, &asked.references, &asked.parties),
            introduced: asked
                .codes
                .iter()
                .map(|code| world.subject_by_code(code))
                .collect(),
            written: asked
                .keys
                .iter()
                .flat_map(|key| {
                    let world = &*world;
                    let now = self.now;
                    asked.parties.iter().flat_map(move |party| {
                        METHODS.map(|method| world.written(party, method, *key, now).cloned())
                    })
                })
                .collect(),
        }
    }

    fn compose(&mut self, index: EntryIndex, happening: Happening) -> Frame {
        let Happening {
            by,
            subject,
            mut others,
            write,
            event,
        } = happening;
        if subject.is_some() {
            others.insert(by.clone());
        }
        let mut binds = Vec::new();
        let mut slots = Vec::new();
        if let Some(subject) = subject {
            let dossier = self.world.dossier(subject).unwrap();
            slots.extend(
                others
                    .iter()
                    .map(|party| self.slot(&dossier, party, &mut binds)),
            );
            let keepers = dossier.keepers(&event);
            let kept = keepers.difference(&others).filter_map(|party| {
                let usage = SlotUse::Controller(party.clone());
                let slot = dossier.slots.get(&usage).copied();
                slot.map(|slot| (usage, slot))
            });
            let kept: Vec<_> = kept.collect();
            slots.extend(kept.iter().map(|(_, slot)| *slot));
            binds.extend(kept);
        }
        let mut leaf = self.leaf(&by, subject, &event);
        let details = Details {
            call: Some(call(by, write)),
            subject,
            controllers: others,
            binds,
            event,
        };
        let scope = if slots.is_empty() {
            Scope::Open
        } else {
            Scope::Slots {
                slots: &slots,
                term: Term::ClassMonth,
            }
        };
        let (keyring, random) = (&self.keyring, &mut OsRandom);
        // Some as older brokers sealed them.
        let sealed = if slots.is_empty() || index.0.is_multiple_of(3) {
            let encoded = details::encode(&details).unwrap();
            seal::seal(&mut leaf, &encoded, &scope, ORIGIN, keyring, random)
        } else {
            let encoded = details::encode_apart(&details, [7; 32]).unwrap();
            seal::seal_apart(&mut leaf, &encoded, &scope, ORIGIN, keyring, random)
        };
        let sealed = sealed.unwrap();
        self.world.apply(&details, &leaf, index, self.now).unwrap();
        Frame {
            leaf: leaf.encode(),
            sealed,
        }
    }

    fn leaf(&self, by: &PartyId, subject: Option<SubjectId>, event: &Event) -> Leaf {
        let mut id = [0; 16];
        OsRandom.fill(&mut id);
        let (class, destroy) = match event {
            Event::Erased(_) => (RetentionClass::Permanent, None),
            _ => (RetentionClass::Standard, Some(self.destroy())),
        };
        Leaf {
            entry_type: kind(event),
            at_ms: self.now.as_millis(),
            party: by.to_string(),
            transport: None,
            purpose: Some(("P-TEST".to_owned(), 1)),
            id,
            commitment: [0; 32],
            released: None,
            subject_tag: subject.map(|_| id),
            class,
            destroy,
            rules: None,
        }
    }

    fn slot(
        &self,
        dossier: &Dossier,
        party: &PartyId,
        binds: &mut Vec<(SlotUse, SlotId)>,
    ) -> SlotId {
        let usage = SlotUse::Controller(party.clone());
        let bound = dossier.slots.get(&usage).copied();
        bound.unwrap_or_else(|| {
            let slot = self.keyring.take_slot().unwrap();
            binds.push((usage, slot));
            slot
        })
    }

    /// Details are kept for two months in these tests.
    fn destroy(&self) -> Month {
        let (year, month) = self.now.date().month();
        Month::new(year, month).unwrap().plus_months(2)
    }
}

fn call(by: PartyId, write: Option<Write>) -> Call {
    Call {
        principal: by.clone(),
        transport: by,
        certificate: [1; 32],
        address: "192.0.2.1".to_owned(),
        actor: None,
        responsible: None,
        transaction: None,
        trace: None,
        write,
        roles: None,
        named: None,
        unit: None,
    }
}

/// The identifier that a reference of this party stands for.
pub(crate) fn reference(identifier: &Identifier) -> SubjectRef {
    match identifier {
        Identifier::Bsn(bsn) => SubjectRef::Bsn(bsn.clone()),
        Identifier::Skn(skn) => SubjectRef::Skn(skn.clone()),
        Identifier::ClientRef(_, mark) => SubjectRef::ClientRef(mark.clone()),
    }
}

pub(crate) fn open_world(
    data: &Path,
    log: &Log,
    keyring: &Keyring,
) -> Result<World, OpenWorldError> {
    let options = Options {
        log: &log.reader(),
        origin: ORIGIN,
        keyring,
        dir: &data.join("view"),
        random: Box::new(OsRandom),
    };
    World::open(options, &mut |_, _| {})
}

fn keyring(data: &Path) -> Arc<Keyring> {
    Keyring::open(
        &data.join("keyring"),
        Kek::from_bytes([7; 32]),
        Box::new(OsRandom),
    )
    .unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings {
        segment_len: 256 << 10,
        ..Settings::new(ORIGIN)
    }
}

fn kind(event: &Event) -> EntryType {
    match event {
        Event::Disclosed(_) => EntryType::Disclosure,
        Event::Denied(_) => EntryType::Denial,
        Event::ConsentRecorded { .. } | Event::ConsentEnded(_) => EntryType::Consent,
        Event::StatusReported { .. } => EntryType::Status,
        Event::Introduced { .. } | Event::Redeemed { .. } => EntryType::Introduction,
        Event::Restricted { .. } | Event::RestrictionLifted { .. } => EntryType::Restriction,
        Event::Delivered(_) => EntryType::Delivery,
        Event::Acknowledged { .. } => EntryType::Acknowledgement,
        Event::LookedUp(_) => EntryType::LookUp,
        Event::Erased(_) => EntryType::Erasure,
        Event::Proposed(_)
        | Event::Changed { .. }
        | Event::Rejected { .. }
        | Event::CertificatesUsed { .. } => EntryType::Registry,
        Event::KekRotated => EntryType::Key,
        Event::ClockAcknowledged { .. } | Event::TrailVerified(_) => EntryType::System,
        _ => EntryType::Case,
    }
}
