//! Which keys sign checkpoints: those of the configuration, as far as the log's own entries agree.
//!
//! A log says in entries which keys sign for it (see [`schakel_audit::succession`]). A key is changed in two
//! restarts: named beside the old one it is taken into use and both sign; named alone, the old one is retired.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use schakel_audit::{
    checkpoint::Origin,
    note::{KeyError, SigningKey, VerifyingKey},
    succession::{Statement, StatementError, Turn},
};
use schakel_core::{event::Event, registry::Registry};

/// The keys of a start.
pub(super) struct Keys {
    /// The keys that sign, the one that verifiers are told of first.
    pub(super) signing: Vec<SigningKey>,
    /// That one, as a vkey.
    pub(super) verifier_key: String,
    /// Every key whose signature on an earlier checkpoint counts.
    pub(super) known: Vec<VerifyingKey>,
    /// What the log is to say about its keys from this start on.
    pub(super) events: Vec<Event>,
}

/// Why the keys that are configured cannot sign for the log.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file cannot be read.
    #[error("the checkpoint key `{}` cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Others than the owner may read a file, or it is no file.
    #[error("`{}` must be a file that nobody but its owner can read: chmod 600 it", .0.display())]
    Exposed(PathBuf),
    /// A file holds no key.
    #[error("`{}` does not hold a signing key", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: KeyError,
    },
    /// A key is another log's.
    #[error("the checkpoint key is named `{name}`: it must be named as the origin, `{origin}`")]
    Name {
        /// Its name.
        name: String,
        /// The origin.
        origin: String,
    },
    /// Both files hold one key.
    #[error("both checkpoint keys are `{key}`: `next_checkpoint_key_file` must hold another key")]
    Twice {
        /// The key.
        key: String,
    },
    /// The log has another key.
    #[error(
        "the checkpoint key `{key}` is not one that the log has taken into use: put back the file of `{wanted}`; \
         to change keys, name the new one in `broker.next_checkpoint_key_file` beside it"
    )]
    NotTheLogs {
        /// The key of the configuration.
        key: String,
        /// The keys in use.
        wanted: String,
    },
    /// The key was retired.
    #[error("the checkpoint key `{key}` was retired by the log: a retired key never signs again")]
    Retired {
        /// The key.
        key: String,
    },
    /// A newer key signs too.
    #[error(
        "the log says that `{key}` signs its checkpoints as well: name its file in \
         `broker.next_checkpoint_key_file`, or in `broker.checkpoint_key_file` to retire the one before"
    )]
    Absent {
        /// The key.
        key: String,
    },
    /// A statement cannot be made.
    #[error("what the log is to say about its keys cannot be signed")]
    Statement(#[from] StatementError),
}

impl Keys {
    /// Reads the files and holds them against what the log says of its keys.
    pub(super) fn resolve(
        files: (&Path, Option<&Path>),
        origin: &Origin,
        registry: &Registry,
    ) -> Result<Self, KeysError> {
        let mut signing = vec![read(files.0, origin)?];
        if let Some(next) = files.1 {
            signing.push(read(next, origin)?);
        }
        let vkeys: Vec<String> = signing
            .iter()
            .map(|key| key.verifying_key().to_string())
            .collect();
        if let [one, two] = vkeys.as_slice()
            && one == two
        {
            return Err(KeysError::Twice { key: one.clone() });
        }
        let said = Said::by(registry);
        said.check(&vkeys)?;
        let mut known: Vec<VerifyingKey> = said.all().filter_map(|key| key.parse().ok()).collect();
        if known.is_empty() {
            // Before the log says anything, its first key counts.
            known.extend(signing.first().map(|key| key.verifying_key().clone()));
        }
        let events = said.turns(&vkeys, &signing, origin)?;
        Ok(Self {
            signing,
            verifier_key: vkeys.into_iter().next().unwrap_or_default(),
            known,
            events,
        })
    }
}

/// What the log says of its keys, oldest first.
struct Said<'a> {
    in_use: Vec<&'a str>,
    retired: Vec<&'a str>,
}

impl<'a> Said<'a> {
    fn by(registry: &'a Registry) -> Self {
        let (in_use, retired): (Vec<_>, Vec<_>) = registry
            .checkpoint_keys()
            .into_iter()
            .partition(|row| row.retired.is_none());
        let names = |rows: Vec<&'a schakel_core::registry::CheckpointKey>| {
            rows.into_iter().map(|row| row.key.as_str()).collect()
        };
        Self {
            in_use: names(in_use),
            retired: names(retired),
        }
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.in_use.iter().chain(&self.retired).copied()
    }

    /// Whether the configured keys may sign.
    fn check(&self, vkeys: &[String]) -> Result<(), KeysError> {
        let retired = |key: &&String| self.retired.contains(&key.as_str());
        if let Some(key) = vkeys.iter().find(retired) {
            return Err(KeysError::Retired { key: key.clone() });
        }
        let first = vkeys.first().map_or("", String::as_str);
        if !self.in_use.is_empty() && !self.in_use.contains(&first) {
            return Err(KeysError::NotTheLogs {
                key: first.to_owned(),
                wanted: self.in_use.join("`, `"),
            });
        }
        // A key that is not configured any more ends only where a newer one takes over.
        match self.absent(vkeys).find(|at| !self.has_newer(*at, vkeys)) {
            Some(at) => Err(KeysError::Absent {
                key: self.in_use.get(at).copied().unwrap_or_default().to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Where in `in_use` the keys stand that are not configured.
    fn absent(&self, vkeys: &[String]) -> impl Iterator<Item = usize> {
        let configured = |key: &str| vkeys.iter().any(|vkey| vkey == key);
        let absent = self.in_use.iter().enumerate();
        absent.filter_map(move |(at, key)| (!configured(key)).then_some(at))
    }

    /// Whether a configured key is newer than the one that stands there.
    fn has_newer(&self, at: usize, vkeys: &[String]) -> bool {
        vkeys.iter().any(|vkey| {
            let found = self.in_use.iter().position(|key| key == vkey);
            found.is_none_or(|found| found > at)
        })
    }

    /// What the log is to say: which configured keys are new, and which keys end with this start.
    fn turns(
        &self,
        vkeys: &[String],
        signing: &[SigningKey],
        origin: &Origin,
    ) -> Result<Vec<Event>, KeysError> {
        let mut events = Vec::new();
        for (at, key) in signing.iter().enumerate() {
            if vkeys
                .get(at)
                .is_some_and(|vkey| self.in_use.contains(&vkey.as_str()))
            {
                continue;
            }
            // The one before vouches, and the key itself shows that it is at hand.
            let signers: Vec<&SigningKey> = signing.iter().take(at + 1).collect();
            events.push(said(origin, Turn::InUse, key.verifying_key(), &signers)?);
        }
        let signers: Vec<&SigningKey> = signing.iter().collect();
        for at in self.absent(vkeys) {
            let key = self.in_use.get(at).and_then(|key| key.parse().ok());
            if let Some(key) = key {
                events.push(said(origin, Turn::Retired, &key, &signers)?);
            }
        }
        Ok(events)
    }
}

fn said(
    origin: &Origin,
    turn: Turn,
    key: &VerifyingKey,
    signers: &[&SigningKey],
) -> Result<Event, StatementError> {
    let statement = Statement::make(origin, turn, key, signers)?;
    Ok(Event::CheckpointKey {
        statement: statement.to_string(),
        key: key.to_string(),
        in_use: turn == Turn::InUse,
    })
}

pub(crate) fn read(path: &Path, origin: &Origin) -> Result<SigningKey, KeysError> {
    let failed = |source| KeysError::File {
        path: path.to_owned(),
        source,
    };
    // Whoever has the key can sign another history.
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o077 != 0 {
        return Err(KeysError::Exposed(path.to_owned()));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let key = SigningKey::from_skey(text.trim()).map_err(|source| KeysError::Key {
        path: path.to_owned(),
        source,
    })?;
    if key.name() == origin.as_str() {
        return Ok(key);
    }
    let (name, origin) = (key.name().to_owned(), origin.to_string());
    Err(KeysError::Name { name, origin })
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use schakel_core::id::EntryIndex;

    use super::*;

    const ORIGIN: &str = "schakel.test/log";

    /// A directory of key files, and a log that says what each start adds.
    struct Log {
        dir: tempfile::TempDir,
        registry: Registry,
        entries: u64,
    }

    impl Log {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            for seed in 1..=4 {
                let key = SigningKey::from_seed(ORIGIN, &[seed; 32]).unwrap();
                let file = dir.path().join(seed.to_string());
                fs::write(&file, key.to_skey().as_str()).unwrap();
                fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            }
            Self {
                dir,
                registry: Registry::default(),
                entries: 0,
            }
        }

        /// Starts with these keys; what the log says then, by seed.
        fn start(&mut self, first: u8, next: Option<u8>) -> Result<Vec<String>, KeysError> {
            let file = |seed: u8| self.dir.path().join(seed.to_string());
            let next = next.map(file);
            let origin = ORIGIN.parse().unwrap();
            let keys = Keys::resolve((&file(first), next.as_deref()), &origin, &self.registry)?;
            let mut told = Vec::new();
            for event in keys.events {
                let Event::CheckpointKey { key, in_use, .. } = event else {
                    panic!("another event");
                };
                let at = EntryIndex(self.entries);
                self.entries += 1;
                self.registry.turn_key(&key, in_use, at);
                let seed = (1..=4).find(|seed| vkey(*seed) == key).unwrap();
                told.push(format!("{}{seed}", if in_use { '+' } else { '-' }));
            }
            Ok(told)
        }
    }

    fn vkey(seed: u8) -> String {
        let key = SigningKey::from_seed(ORIGIN, &[seed; 32]).unwrap();
        key.verifying_key().to_string()
    }

    #[test]
    fn a_key_that_others_can_read_does_not_sign() {
        let mut log = Log::new();
        let file = log.dir.path().join("1");
        for mode in [0o644, 0o640, 0o660, 0o604] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let error = log.start(1, None).unwrap_err();
            assert!(matches!(error, KeysError::Exposed(_)), "{mode:o}: {error}");
        }
    }

    #[test]
    fn a_key_is_taken_into_use_beside_the_old_one_and_outlives_it() {
        let mut log = Log::new();
        assert_eq!(log.start(1, None).unwrap(), ["+1"]);
        assert_eq!(log.start(1, None).unwrap(), [""; 0]);
        assert_eq!(log.start(1, Some(2)).unwrap(), ["+2"]);
        assert_eq!(log.start(1, Some(2)).unwrap(), [""; 0]);
        assert_eq!(log.start(2, None).unwrap(), ["-1"]);
        assert_eq!(log.start(2, None).unwrap(), [""; 0]);
        assert_eq!(log.start(2, Some(3)).unwrap(), ["+3"]);
    }

    #[test]
    fn a_key_that_the_log_does_not_know_stops_the_start() {
        let mut log = Log::new();
        log.start(1, None).unwrap();
        let error = log.start(2, None).unwrap_err();
        assert!(matches!(error, KeysError::NotTheLogs { .. }), "{error}");
        assert!(error.to_string().contains(&vkey(1)), "{error}");
        // Nor does it help to swap the two before the log says so.
        let error = log.start(2, Some(1)).unwrap_err();
        assert!(matches!(error, KeysError::NotTheLogs { .. }), "{error}");
    }

    #[test]
    fn a_retired_key_never_signs_again() {
        let mut log = Log::new();
        log.start(1, None).unwrap();
        log.start(1, Some(2)).unwrap();
        log.start(2, None).unwrap();
        for (first, next) in [(1, None), (2, Some(1))] {
            let error = log.start(first, next).unwrap_err();
            assert!(matches!(error, KeysError::Retired { .. }), "{error}");
        }
    }

    #[test]
    fn a_new_key_that_is_left_out_by_mistake_is_asked_for() {
        let mut log = Log::new();
        log.start(1, None).unwrap();
        log.start(1, Some(2)).unwrap();
        let error = log.start(1, None).unwrap_err();
        assert!(
            matches!(&error, KeysError::Absent { key } if *key == vkey(2)),
            "{error}"
        );
        // One that was lost before it took over is replaced by a newer one.
        assert_eq!(log.start(1, Some(3)).unwrap(), ["+3", "-2"]);
    }

    #[test]
    fn one_key_in_both_files_is_refused() {
        let error = Log::new().start(1, Some(1)).unwrap_err();
        assert!(matches!(error, KeysError::Twice { .. }), "{error}");
    }
}
