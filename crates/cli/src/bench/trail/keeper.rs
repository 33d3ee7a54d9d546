//! A trail of disclosures that never happened: log, keyring, view and indexes, as a broker keeps them.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use schakel_audit::leaf::{EntryType, Leaf, Month, RetentionClass};
use schakel_core::{
    ask::Ask,
    code::{Basis, Condition, Granularity},
    decide::Grant,
    event::{Call, Details, Disclosed, Event, SlotUse},
    id::{CaseId, ConsentId, EntryIndex, PartyId, SlotId, SubjectId},
    person::SubjectRef,
    purpose::LegalBasis,
    random::Random as _,
    time::Timestamp,
};
use schakel_store::{
    details, entry,
    index::{self, Index},
    keyring::{Kek, Keyring},
    log::{Frame, Log, LogReader, OpenError, Settings},
    random::OsRandom,
    seal::{self, Scope, Term},
    view,
    world::{self, World},
};

use crate::command::progress;

/// The name of the trail.
pub(super) const ORIGIN: &str = "bench.schakel.example";
/// Who provides, whose trail is searched.
pub(super) const PROVIDER: &str = "pi-noord";
const RECIPIENT: &str = "wonen-zuid";
const PURPOSE: &str = "R-WONEN";
/// When the first entry is recorded: 2026-11-01T00:00:00Z. One follows each millisecond.
const BEGIN_MS: u64 = 1_793_491_200_000;
/// Of so many entries in a row, a thousandth is about each of a thousand persons, who come up nowhere else.
const PERIOD: u64 = 10_000;
/// How many entries are about one person.
pub(super) const OF_ONE_PERSON: u64 = 10;

/// A trail that is open.
pub(super) struct Keeper {
    log: Log,
    keyring: Arc<Keyring>,
    world: World,
    index: Index,
    /// The slots of the persons of this period, with provider and recipient.
    slots: Vec<Option<[SlotId; 2]>>,
}

/// How long opening took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    pub(super) log: Duration,
    pub(super) view: Duration,
    pub(super) index: Duration,
}

/// Slots that an entry gives to a person, and what for.
type Binds = Vec<(SlotUse, SlotId)>;

/// Entries that are sealed and not recorded yet.
pub(super) struct Batch {
    pub(super) frames: Vec<Frame>,
    entries: Vec<(Leaf, Details)>,
}

/// The person with this number.
pub(super) fn person(number: u64) -> SubjectId {
    let mut id = [0x5a; 16];
    for (into, from) in id.iter_mut().zip(number.to_be_bytes()) {
        *into = from;
    }
    SubjectId::from_bytes(id)
}

impl Keeper {
    /// Opens the trail in a directory, and makes it when there is none.
    pub(super) fn open(data: &Path) -> Result<(Self, Opening)> {
        fs::create_dir_all(data)?;
        let kek = data.join("kek");
        let kek = if kek.exists() {
            Kek::read(&kek)?
        } else {
            Kek::create(&kek, &mut OsRandom)?
        };
        let keyring = Keyring::open(&data.join("keyring"), kek, Box::new(OsRandom))?;
        let mut progress = progress();
        let started = Instant::now();
        let log = match Log::open(data, Settings::new(ORIGIN)) {
            Ok(opened) => opened.log,
            Err(OpenError::Absent(_)) => Log::create(data, Settings::new(ORIGIN))?,
            Err(error) => return Err(error.into()),
        };
        let log_took = started.elapsed();
        let started = Instant::now();
        let options = world::Options {
            log: &log.reader(),
            origin: ORIGIN,
            keyring: &keyring,
            dir: &data.join("view"),
            random: Box::new(OsRandom),
        };
        let world = World::open(options, &mut |done, of| progress("view", done, of))?;
        keyring.ready()?;
        let view_took = started.elapsed();
        let started = Instant::now();
        let reader = log.reader();
        let options = index::Options {
            dir: data.join("index"),
            key: view::index_key(&keyring.view_key()?),
            size: log.size(),
            run: index::DEFAULT_RUN,
            random: Box::new(OsRandom),
        };
        let facts = |at: EntryIndex| {
            let found = entry::open(at.0, reader.read(at.0), ORIGIN, &keyring)?;
            let facts = found
                .details
                .map(|details| index::facts(&found.leaf, &details, at));
            Ok::<_, entry::EntryError>(facts.unwrap_or_default())
        };
        let index = Index::open(options, facts, &mut |done, of| {
            progress("search indexes", done, of);
        })?;
        let opening = Opening {
            log: log_took,
            view: view_took,
            index: started.elapsed(),
        };
        let keeper = Self {
            log,
            keyring,
            world,
            index,
            slots: Vec::new(),
        };
        Ok((keeper, opening))
    }

    pub(super) fn size(&self) -> u64 {
        self.log.size()
    }

    pub(super) fn reader(&self) -> LogReader {
        self.log.reader()
    }

    pub(super) const fn index(&self) -> &Index {
        &self.index
    }

    /// Seals the next entries, and applies them to the state.
    pub(super) fn compose(&mut self, count: u64) -> Result<Batch> {
        let first = self.log.size();
        let mut batch = Batch {
            frames: Vec::new(),
            entries: Vec::new(),
        };
        for index in first..first + count {
            let (frame, leaf, details) = self.entry(index)?;
            batch.frames.push(frame);
            batch.entries.push((leaf, details));
        }
        Ok(batch)
    }

    /// Appends to the log alone: the batch must then be [`Self::applied`].
    pub(super) fn append(&mut self, batch: &Batch) -> Result<()> {
        Ok(self.log.append(self.log.size(), &batch.frames)?)
    }

    /// Writes what a batch that is durable changed to the view, and gives it to the indexes.
    pub(super) fn applied(&mut self, batch: &Batch) -> Result<()> {
        let size = self.log.size();
        self.world.flush(size)?;
        let first = size - batch.entries.len() as u64;
        let entries = batch.entries.iter().zip(first..);
        let facts =
            entries.map(|((leaf, details), at)| index::facts(leaf, details, EntryIndex(at)));
        self.index.add(EntryIndex(first), facts.collect());
        Ok(())
    }

    /// Appends and applies.
    pub(super) fn record(&mut self, batch: &Batch) -> Result<()> {
        self.append(batch)?;
        self.applied(batch)
    }

    /// Waits until the indexes hold everything.
    pub(super) fn settle(&self) -> Result<()> {
        let settled = self.index.wait(self.size(), Duration::from_mins(1));
        ensure!(settled, "the indexes do not catch up");
        Ok(())
    }

    fn entry(&mut self, index: u64) -> Result<(Frame, Leaf, Details)> {
        let at = Timestamp::from_millis(BEGIN_MS + index).context("no such time")?;
        let in_period = index % (PERIOD / OF_ONE_PERSON);
        let subject = person(index / PERIOD * PERIOD + in_period);
        if index.is_multiple_of(PERIOD) {
            self.slots.clear();
        }
        let (slots, binds) = self.slots(usize::try_from(in_period)?)?;
        let controllers: [PartyId; 2] = [PROVIDER.parse()?, RECIPIENT.parse()?];
        let destroy = Month::new(2026, 11)?.plus_months(60);
        let mut leaf = Leaf {
            entry_type: EntryType::Disclosure,
            at_ms: at.as_millis(),
            party: RECIPIENT.to_owned(),
            transport: None,
            purpose: Some((PURPOSE.to_owned(), 1)),
            id: drawn(),
            commitment: [0; 32],
            released: Some(drawn()),
            subject_tag: Some(self.keyring.tag(
                slots[0],
                &controllers[0],
                Month::new(2026, 11)?,
            )?),
            class: RetentionClass::Standard,
            destroy: Some(destroy),
            rules: Some([7; 32]),
        };
        let details = details_of(subject, index, controllers, binds)?;
        let sealed = seal::seal_apart(
            &mut leaf,
            &details::encode_apart(&details, drawn())?,
            &Scope::Slots {
                slots: &slots,
                term: Term::ClassMonth,
            },
            ORIGIN,
            &self.keyring,
            &mut OsRandom,
        )?;
        self.world.apply(&details, &leaf, EntryIndex(index), at)?;
        let frame = Frame {
            leaf: leaf.encode(),
            sealed,
        };
        Ok((frame, leaf, details))
    }

    /// The slots of a person of this period, and what binds them when they are new.
    fn slots(&mut self, person: usize) -> Result<([SlotId; 2], Binds)> {
        if let Some(Some(slots)) = self.slots.get(person) {
            return Ok((*slots, Vec::new()));
        }
        let slots = [self.keyring.take_slot()?, self.keyring.take_slot()?];
        self.slots.resize(self.slots.len().max(person + 1), None);
        if let Some(place) = self.slots.get_mut(person) {
            *place = Some(slots);
        }
        let [provider, recipient] = slots;
        let of = |party: &str| Ok::<_, anyhow::Error>(SlotUse::Controller(party.parse()?));
        let binds = vec![(of(PROVIDER)?, provider), (of(RECIPIENT)?, recipient)];
        Ok((slots, binds))
    }
}

fn details_of(
    subject: SubjectId,
    index: u64,
    controllers: [PartyId; 2],
    binds: Binds,
) -> Result<Details> {
    let [provider, recipient] = controllers;
    let basis = LegalBasis {
        basis: Basis::Consent,
        law_ref: "AVG 6(1)(a)".to_owned(),
    };
    let grant = Grant {
        case: CaseId::from_bytes(*subject.as_bytes()),
        condition: Condition::Housing,
        provider: provider.clone(),
        status: EntryIndex(index),
        route: 0,
        provider_basis: basis.clone(),
        recipient_basis: basis,
        consents: vec![ConsentId::from_bytes(*subject.as_bytes())],
        granularity: Granularity::Signal,
        criminal_data_ground: None,
        art9_ground: None,
    };
    let ask = Ask {
        subject: SubjectRef::Case(CaseId::from_bytes(*subject.as_bytes())),
        purpose: PURPOSE.parse()?,
        version: None,
        conditions: [Condition::Housing].into(),
        granularity: Granularity::Signal,
    };
    Ok(Details {
        call: Some(Call {
            principal: recipient.clone(),
            transport: recipient.clone(),
            certificate: [1; 32],
            roles: None,
            named: None,
            unit: None,
            address: "192.0.2.1".to_owned(),
            actor: None,
            responsible: None,
            transaction: None,
            trace: None,
            write: None,
        }),
        subject: Some(subject),
        controllers: [provider, recipient].into(),
        binds,
        event: Event::Disclosed(Disclosed {
            ask,
            version: 1,
            grants: vec![grant],
            granularity: Granularity::Signal,
            salt: drawn(),
        }),
    })
}

fn drawn<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRandom.fill(&mut bytes);
    bytes
}
