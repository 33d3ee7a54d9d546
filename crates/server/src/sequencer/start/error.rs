//! Why the writer did not start.

use std::{io, path::PathBuf};

use schakel_audit::checkpoint::OriginError;
use schakel_core::catalogue::CatalogueError;
use schakel_store::{
    entry::EntryError,
    halt::Halted,
    index::OpenIndexError,
    keyring::{KeyringError, SeenError},
    log::{OpenError, ReadError},
    world::OpenWorldError,
};

use crate::{
    publication::outside::OutsideError,
    sequencer::{keys::KeysError, writer::WriterError},
};

/// Why the writer did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The keyring.
    #[error("the keyring cannot be opened")]
    Keyring(#[from] KeyringError),
    /// The log.
    #[error("the log cannot be opened")]
    Log(#[from] OpenError),
    /// The keyring is of a log that is not there.
    #[error(
        "`{}` holds no log, and the keys in `{}` belong to one: bring its volume back, or restore it; \
         to begin another log, name another `broker.keyring_dir` and another `broker.origin`",
        data.display(),
        keyring.display()
    )]
    LogMissing {
        /// The directory of data.
        data: PathBuf,
        /// The directory of the keyring.
        keyring: PathBuf,
    },
    /// The log is not the one for which the keyring was last written.
    #[error("the log in `{}` does not go with the keyring", data.display())]
    Seen {
        /// The directory of data.
        data: PathBuf,
        /// What does not fit.
        #[source]
        source: SeenError,
    },
    /// The state.
    #[error("the view cannot be opened")]
    World(#[from] OpenWorldError),
    /// The indexes.
    #[error("the search indexes cannot be opened")]
    Index(#[from] OpenIndexError<EntryError>),
    /// What was signed for the log and stands outside it.
    #[error("the log and what was signed for it do not go together")]
    Outside(#[from] OutsideError),
    /// The keys that sign.
    #[error("the checkpoints cannot be signed as the log says")]
    Keys(#[from] KeysError),
    /// The origin.
    #[error("the origin of the log cannot be used")]
    Origin(#[from] OriginError),
    /// The founding parties or purposes.
    #[error("what is to be registered at the first start cannot be used")]
    Founding(#[from] CatalogueError),
    /// They are more than can be registered at once.
    #[error(
        "what is to be registered at the first start is registered whole or not at all, and of {of} parties and \
         purposes {fit} fit: name fewer in the files of `bootstrap`, and propose the others once the broker runs"
    )]
    FoundingTooLarge {
        /// How many of the first could be registered at once.
        fit: usize,
        /// How many there are.
        of: usize,
    },
    /// Nothing can be recorded.
    #[error(
        "what is to be registered at the first start cannot be recorded yet: mend what the log of the broker says \
         above, and start again"
    )]
    NotFounded,
    /// No party is the broker.
    #[error("no registered party has the role BROKER: name one in the file of the first parties")]
    NoBroker,
    /// The newest entry of the log.
    #[error("the newest entry of the log cannot be read")]
    Newest(#[from] ReadError),
    /// Signing was stopped, and nobody lifted that.
    #[error(
        "signing was stopped at {}: {}; compare the log with what was seen of it before anything else, then lift this \
         with `schakel resume`",
        .0.at, .0.why
    )]
    Halted(Halted),
    /// A thread, or the word on whether signing was stopped.
    #[error("a thread cannot be started, or the data directory not be read")]
    Thread(#[from] io::Error),
    /// The first entries.
    #[error("the first entries cannot be recorded")]
    Writer(#[from] WriterError),
    /// The view's key.
    #[error("a key cannot be used")]
    Cursors,
}
