//! What would keep a broker from starting, looked at without starting one: nothing is written, locked or fetched.
//! Certificates and their lists are not looked at here; see [`crate::edge::tls::Tls`].

use std::{
    fs,
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use schakel_audit::checkpoint::Origin;
use schakel_core::text::chain;
use schakel_store::keyring;

use super::{founding, publish};
use crate::{
    config::Config, issuing::Issuing, publication::Witnesses, sequencer::read_checkpoint_key,
};

/// Something that a start needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// What it is.
    pub what: Need,
    /// How it is.
    pub outcome: Outcome,
}

/// What a start needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The first parties and purposes.
    Bootstrap,
    /// The keyring, and the key that opens it.
    Keyring,
    /// A key that signs checkpoints.
    CheckpointKey,
    /// A directory to write in.
    Directory,
    /// The policy that names the witnesses.
    Witnesses,
    /// The certificate of a reader of what is published.
    Readers,
    /// The authority by which the broker issues, and its passphrase.
    Issuing,
    /// An address to listen on.
    Address,
}

impl Need {
    /// In a word or two, for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::Keyring => "keyring",
            Self::CheckpointKey => "checkpoint key",
            Self::Directory => "directory",
            Self::Witnesses => "witnesses",
            Self::Readers => "readers",
            Self::Issuing => "issuing",
            Self::Address => "address",
        }
    }
}

/// How something that a start needs is, for people: it names the key of the configuration and the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it must be.
    Sound(String),
    /// It may be as it must be: the broker that runs is one explanation.
    Doubtful(String),
    /// A start is refused.
    Refused(String),
}

/// Looks at what a start needs, in the order of the configuration.
#[must_use]
pub fn inspect(config: &Config) -> Vec<Inspected> {
    let mut found = vec![founding_files(config), keyring_of(config)];
    found.extend(checkpoint_keys(config));
    found.extend(directories(config));
    found.extend(publication(config));
    found.extend(issuing(config));
    found.extend(addresses(config));
    found
}

impl Inspected {
    fn of(what: Need, judged: Result<String, String>) -> Self {
        let outcome = judged.map_or_else(Outcome::Refused, Outcome::Sound);
        Self { what, outcome }
    }
}

fn founding_files(config: &Config) -> Inspected {
    let (parties, purposes) = (&config.bootstrap.parties, &config.bootstrap.purposes);
    let judged = if config.broker.data_dir.join("log").exists() {
        Ok("the log has the first parties and purposes: their files are not needed".to_owned())
    } else {
        let read = founding::read_both(parties, purposes);
        read.map(|_| {
            format!(
                "`{}` and `{}` can be read",
                parties.display(),
                purposes.display()
            )
        })
        .map_err(|error| chain(&error))
    };
    Inspected::of(Need::Bootstrap, judged)
}

fn keyring_of(config: &Config) -> Inspected {
    let (kek, dir) = (&config.broker.kek_file, &config.broker.keyring_dir);
    let looked = keyring::look(kek, dir);
    let judged = looked
        .map(|()| format!("`{}` opens `{}`", kek.display(), dir.display()))
        .map_err(|error| {
            let keys = "`broker.kek_file` and `broker.keyring_dir`";
            format!("{keys}: {}", chain(&error))
        });
    Inspected::of(Need::Keyring, judged)
}

fn checkpoint_keys(config: &Config) -> Vec<Inspected> {
    let broker = &config.broker;
    let own = Some(("broker.checkpoint_key_file", &broker.checkpoint_key_file));
    let next = broker.next_checkpoint_key_file.as_ref();
    let next = next.map(|file| ("broker.next_checkpoint_key_file", file));
    let judged = own.into_iter().chain(next).map(|(key, file)| {
        let origin: Origin = broker.origin.parse().map_err(|error| chain(&error))?;
        let read = read_checkpoint_key(file, &origin);
        read.map(|_| format!("`{}` signs for {}", file.display(), broker.origin))
            .map_err(|error| format!("`{key}`: {}", chain(&error)))
    });
    judged
        .map(|judged| Inspected::of(Need::CheckpointKey, judged))
        .collect()
}

fn directories(config: &Config) -> Vec<Inspected> {
    [
        ("broker.data_dir", &config.broker.data_dir),
        ("broker.keyring_dir", &config.broker.keyring_dir),
    ]
    .map(|(key, dir)| {
        let judged = directory(dir).map_err(|said| format!("`{key}`: `{}` {said}", dir.display()));
        Inspected::of(Need::Directory, judged)
    })
    .into()
}

/// Whether whoever looks may write in a directory, or make it where it is not there yet.
fn directory(dir: &Path) -> Result<String, String> {
    let there = dir.ancestors().find(|above| above.exists());
    let there = there.filter(|path| !path.as_os_str().is_empty());
    let there = there.unwrap_or(Path::new("."));
    let metadata = fs::metadata(there).map_err(|error| format!("cannot be looked at: {error}"))?;
    if !metadata.is_dir() {
        return Err(format!("cannot be: `{}` is no directory", there.display()));
    }
    if !may_write(&metadata) {
        return Err(format!(
            "cannot be written in by who looks: let the user of the broker own `{}`",
            there.display()
        ));
    }
    if there != dir {
        return Ok(format!("`{}` is made by the first start", dir.display()));
    }
    match fs::read_dir(dir) {
        Ok(_) => Ok(format!("`{}` can be read and written", dir.display())),
        Err(error) => Err(format!("cannot be listed: {error}")),
    }
}

/// By the bits of the directory. Groups are not looked up: one that may write may be ours.
fn may_write(metadata: &fs::Metadata) -> bool {
    let Ok(own) = fs::metadata("/proc/self").map(|process| process.uid()) else {
        return true;
    };
    let enters = |bits: u32| metadata.mode() & bits == bits;
    own == 0 || (own == metadata.uid() && enters(0o300)) || enters(0o030) || enters(0o003)
}

fn publication(config: &Config) -> Vec<Inspected> {
    let publication = &config.publication;
    let mut found = Vec::new();
    if let Some(file) = &publication.policy {
        let loaded = Witnesses::load(config);
        let judged = loaded
            .map(|_| format!("`{}` names the witnesses", file.display()))
            .map_err(|error| format!("`publication.policy`: {}", chain(&error)));
        found.push(Inspected::of(Need::Witnesses, judged));
    }
    for file in &publication.reader_certificates {
        let read = publish::fingerprint(file);
        let judged = read
            .map(|_| format!("`{}` is a certificate", file.display()))
            .map_err(|error| chain(&error));
        found.push(Inspected::of(Need::Readers, judged));
    }
    found
}

fn issuing(config: &Config) -> Option<Inspected> {
    let issuing = config.enrolment.as_ref()?.issuing.as_ref()?;
    let judged = Issuing::look(issuing)
        .map(|()| format!("the passphrase opens `{}`", issuing.authority.display()))
        .map_err(|error| chain(&error));
    Some(Inspected::of(Need::Issuing, judged))
}

fn addresses(config: &Config) -> Vec<Inspected> {
    let enrolment = config.enrolment.as_ref().map(|enrolment| enrolment.address);
    let addresses = [
        ("listen.address", Some(config.listen.address)),
        ("enrolment.address", enrolment),
        ("publication.listen", config.publication.listen),
    ];
    let addresses = addresses.into_iter();
    let addresses = addresses.filter_map(|(key, address)| Some((key, address?)));
    addresses
        .map(|(key, address)| Inspected {
            what: Need::Address,
            outcome: free(key, address),
        })
        .collect()
}

fn free(key: &str, address: SocketAddr) -> Outcome {
    match TcpListener::bind(address) {
        Ok(_) => Outcome::Sound(format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Outcome::Doubtful(format!(
            "`{key}`: {address} is in use, which is as it should be where this broker runs"
        )),
        Err(error) => {
            Outcome::Refused(format!("`{key}`: {address} cannot be listened on: {error}"))
        }
    }
}
