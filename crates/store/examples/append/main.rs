//! A process to be killed, or lied to by its disk: it checks everything that processes before it were told
//! is durable, appends some batches, publishes them, and notes what it is told.
//!
//! `append DIRECTORY NOTES`: `NOTES` is a file of lines `durable N`, `destroying N`, `destroyed N` and `shown N`,
//! to which it adds. It ends with 0 when all went well, with 1 when something that was noted is not so, and
//! with 2 when it could not do its work. `tests/faults/run` runs it under strace.

mod published;

use std::{
    collections::BTreeSet,
    env,
    error::Error,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use schakel_audit::leaf::{Month, RetentionClass};
use schakel_core::id::SlotId;
use schakel_store::{
    keyring::{self, Kek, Key, Keyring},
    log::{Frame, Log, MIN_SEGMENT_LEN, OpenError, Settings},
    random::OsRandom,
};

/// The name of the log.
const ORIGIN: &str = "schakel.example/faults";
const BATCHES: u64 = 6;
const ENTRIES: u64 = 3;

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(dir), Some(notes)) = (arguments.next(), arguments.next()) else {
        return tell("append DIRECTORY NOTES", 2);
    };
    let mut process = match Process::open(&dir, notes) {
        Ok(process) => process,
        Err(error) => return tell(&error.to_string(), 2),
    };
    if let Err(broken) = process.check() {
        return tell(&format!("BROKEN: {broken}"), 1);
    }
    match process.work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => tell(&error.to_string(), 2),
    }
}

fn tell(what: &str, code: u8) -> ExitCode {
    // Whoever closed standard error does not want to be told.
    drop(writeln!(io::stderr(), "{what}"));
    ExitCode::from(code)
}

/// What somebody was told.
#[derive(Default)]
struct Noted {
    durable: u64,
    destroying: BTreeSet<u64>,
    destroyed: BTreeSet<u64>,
    shown: u64,
}

struct Process {
    notes: PathBuf,
    public: PathBuf,
    noted: Noted,
    keyring: Arc<Keyring>,
    log: Log,
}

impl Process {
    fn open(dir: &Path, path: PathBuf) -> Fallible<Self> {
        let noted = Noted::read(&path)?;
        let kek = dir.join("kek");
        fs::create_dir_all(dir)?;
        let kek = match Kek::read(&kek) {
            Ok(kek) => kek,
            Err(_) if noted.durable == 0 && !kek.exists() => Kek::create(&kek, &mut OsRandom)?,
            Err(error) => return Err(error.into()),
        };
        let settings = keyring::Settings {
            shard: 4,
            ..keyring::Settings::default()
        };
        let ring = dir.join("keyring");
        let keyring = Keyring::open_with(settings, &ring, kek, Box::new(OsRandom))?;
        let settings = Settings {
            segment_len: MIN_SEGMENT_LEN,
            ..Settings::new(ORIGIN)
        };
        let data = dir.join("data");
        let log = match Log::open(&data, settings.clone()) {
            Ok(opened) => opened.log,
            Err(OpenError::Absent(_)) if noted.durable == 0 => Log::create(&data, settings)?,
            Err(error) => return Err(error.into()),
        };
        for (_, entry) in log.iter(0) {
            keyring.mark_used(slot(&entry?).ok_or("an entry is too short")?);
        }
        keyring.ready()?;
        Ok(Self {
            notes: path,
            public: dir.join("public"),
            noted,
            keyring,
            log,
        })
    }

    /// Everything that was noted is so.
    fn check(&self) -> Fallible<()> {
        let (size, noted) = (self.log.size(), &self.noted);
        if size < noted.durable || !size.is_multiple_of(ENTRIES) {
            return Err(format!("{size} entries, and {} were durable", noted.durable).into());
        }
        for (index, found) in self.log.iter(0) {
            let found = found?;
            let slot = slot(&found).ok_or("an entry is too short")?;
            let key = self.keyring.key(slot);
            match key {
                Ok(_) if noted.destroyed.contains(&index) => {
                    return Err(format!("the key of entry {index} is back").into());
                }
                Ok(key) if found != entry(index, slot, &key) => {
                    return Err(format!("entry {index} is another").into());
                }
                Err(_) if !noted.destroying.contains(&index) => {
                    return Err(format!("the key of entry {index} is gone").into());
                }
                _ => {}
            }
        }
        let shown = published::check(&self.public, &self.log.reader())?;
        if shown < noted.shown {
            return Err(format!("{} entries were shown, and now {shown}", noted.shown).into());
        }
        Ok(())
    }

    fn work(&mut self) -> Fallible<()> {
        let month = Month::from_number(202_611)?;
        for batch in 0..BATCHES {
            self.keyring.month(RetentionClass::Standard, month)?;
            let size = self.log.size();
            let frames = (size..size + ENTRIES).map(|index| {
                let slot = self.keyring.take_slot()?;
                Ok(entry(index, slot, &self.keyring.key(slot)?))
            });
            let frames = frames.collect::<Fallible<Vec<_>>>()?;
            self.log.append(size, &frames)?;
            self.note(&format!("durable {}", self.log.size()))?;
            if batch.is_multiple_of(3) {
                self.note(&format!("destroying {size}"))?;
                let gone = frames.first().and_then(slot).ok_or("no entry")?;
                self.keyring.destroy_slot(gone)?;
                self.note(&format!("destroyed {size}"))?;
            }
            if batch % 3 == 2 {
                let shown = published::publish(&self.public, &self.log.reader())?;
                self.note(&format!("shown {shown}"))?;
            }
        }
        self.noted = Noted::read(&self.notes)?;
        self.check()
    }

    fn note(&self, line: &str) -> Fallible<()> {
        let mut notes = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.notes)?;
        // In one write: a note is there or not.
        notes.write_all(format!("{line}\n").as_bytes())?;
        Ok(())
    }
}

impl Noted {
    fn read(path: &Path) -> Fallible<Self> {
        let mut noted = Self::default();
        if !path.exists() {
            return Ok(noted);
        }
        for line in fs::read_to_string(path)?.lines() {
            let (what, number) = line.split_once(' ').ok_or("a note has two words")?;
            let number = number.parse()?;
            match what {
                "durable" => noted.durable = noted.durable.max(number),
                "shown" => noted.shown = noted.shown.max(number),
                "destroying" => drop(noted.destroying.insert(number)),
                _ => drop(noted.destroyed.insert(number)),
            }
        }
        Ok(noted)
    }
}

/// Entry `index`, bound to a key.
fn entry(index: u64, slot: SlotId, key: &Key) -> Frame {
    let mut leaf = slot.as_bytes().to_vec();
    leaf.extend(key.iter().take(8));
    leaf.extend_from_slice(&index.to_le_bytes());
    Frame {
        leaf,
        sealed: format!("entry {index} ").repeat(30).into_bytes(),
    }
}

fn slot(entry: &Frame) -> Option<SlotId> {
    let (slot, _) = entry.leaf.split_first_chunk()?;
    Some(SlotId::from_bytes(*slot))
}
