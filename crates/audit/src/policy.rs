//! Policies (C2SP tlog-policy): which logs one knows, which witnesses, and which of those must have seen a
//! checkpoint before one relies on it. Whoever verifies writes or is handed one; it never comes from the log.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use schakel_audit::policy::{Level, Policy};
//!
//! let policy: Policy = "
//!     ## The log, two witnesses, and at least one of them.
//!     log broker.example.org/audit/2026+b735221b+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop
//!     witness one witness.example.net/w1+3988e403+BIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c
//!     witness two witness.example.net/w2+379c0add+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU
//!     group outsiders any one two
//!     quorum outsiders
//! ".parse()?;
//!
//! let endorsed = policy.open("broker.example.org/audit/2026
//! 7
//! mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=
//!
//! — broker.example.org/audit/2026 tzUiG3eiRHaMrpwNWNSJt1UhPyIbXgV4gvh5TPGGFdYu9KpHu/Lr8jG184uYFxH+uV5npnwxJav/Cm6kRnfbTaYKkgc=
//! — witness.example.net/w1 OYjkAwAAAABqsTuAayaovoS8YOGS/W2Nmf8moecGSe2nQ+T7GP1qGtDMECXoCoan5sEduRrzswFnhb+Ocf0EcGk0GwlAI4wCrDPfBw==
//! ")?;
//! assert_eq!(endorsed.level(), Level::Witnessed);
//! assert_eq!(endorsed.checkpoint().size, 7);
//! # Ok(())
//! # }
//! ```

use thiserror::Error;

use crate::{
    checkpoint::{Checkpoint, CheckpointError, Origin},
    cosignature::WitnessKey,
    note::{Note, NoteError, SignatureError, VerifyingKey},
};

mod parse;
mod policies;

pub use parse::{PolicyError, PolicyFault};
pub use policies::Policies;

/// Which logs are known, which witnesses, and which of those must have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    // INVARIANT: a rule names only rules before it, and no rule is named by two.
    rules: Vec<Rule>,
    quorum: Quorum,
}

/// A log that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Its origin: in a policy file always the name of its key.
    pub origin: Origin,
    /// The key that verifies its checkpoints.
    pub key: VerifyingKey,
    /// Where it is published or submitted to.
    pub url: Option<String>,
}

/// A witness that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// What the policy calls it.
    pub name: String,
    /// The key that verifies its cosignatures.
    pub key: WitnessKey,
    /// Where checkpoints are submitted to it.
    pub url: Option<String>,
}

/// Something that is met or not.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// The witness with this index has signed.
    Witness(usize),
    /// At least so many of these rules are met.
    Group { threshold: usize, of: Vec<usize> },
}

/// What must be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quorum {
    /// Nothing: no witness is asked for.
    None,
    /// The rule with this index.
    Rule(usize),
}

/// How far a checkpoint can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The log signed it. That it shows the same to everybody is its word alone.
    LogSigned,
    /// The witnesses that the policy asks for saw it too, and saw nothing lost since the one before.
    Witnessed,
}

/// A checkpoint that a known log has signed, with those who saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsed<'a> {
    policy: &'a Policy,
    checkpoint: Checkpoint,
    log: &'a Log,
    /// For each witness of the policy, when it saw the checkpoint.
    seen: Vec<Option<u64>>,
}

/// Why a checkpoint is none of a known log's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EndorseError {
    /// It is not a signed note.
    #[error("the checkpoint is not a signed note")]
    Note(#[from] NoteError),
    /// What was signed is not a checkpoint.
    #[error("what was signed is not a checkpoint")]
    Form(#[from] CheckpointError),
    /// It is of a log that the policy does not know.
    #[error("the checkpoint is of the log `{got}`, and known is `{want}`")]
    Origin {
        /// The logs that are known, with commas.
        want: String,
        /// The log that the checkpoint names.
        got: Origin,
    },
    /// The log's signature is not there, or one by a known key does not hold.
    #[error("the checkpoint is not signed as it must be")]
    Signature(#[from] SignatureError),
}

impl Policy {
    /// Knows one log, and asks for no witness.
    #[must_use]
    pub fn of_log(origin: Origin, key: VerifyingKey) -> Self {
        let url = None;
        Self {
            logs: vec![Log { origin, key, url }],
            witnesses: Vec::new(),
            rules: Vec::new(),
            quorum: Quorum::None,
        }
    }

    /// The same, but that a log is known by these keys: those that its own entries lead to from the ones it was
    /// known by.
    #[must_use]
    pub fn succeeded(&self, origin: &Origin, keys: &[VerifyingKey]) -> Self {
        let others = self.logs.iter().filter(|log| log.origin != *origin);
        let own = keys.iter().map(|key| Log {
            origin: origin.clone(),
            key: key.clone(),
            url: None,
        });
        Self {
            logs: others.cloned().chain(own).collect(),
            ..self.clone()
        }
    }

    /// The logs, in the order of their lines.
    #[must_use]
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses, in the order of their lines.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether any witness must have signed.
    #[must_use]
    pub const fn wants_witnesses(&self) -> bool {
        matches!(self.quorum, Quorum::Rule(_))
    }

    /// Whether the quorum is met when these witnesses have signed, and no others.
    pub fn is_met_by(&self, signed: impl Fn(&Witness) -> bool) -> bool {
        self.meets(|at| self.witnesses.get(at).is_some_and(&signed))
    }

    fn meets(&self, signed: impl Fn(usize) -> bool) -> bool {
        let mut met: Vec<bool> = Vec::with_capacity(self.rules.len());
        for rule in &self.rules {
            let holds = match rule {
                Rule::Witness(at) => signed(*at),
                Rule::Group { threshold, of } => {
                    let count = of.iter().filter(|at| met.get(**at) == Some(&true));
                    count.count() >= *threshold
                }
            };
            met.push(holds);
        }
        match self.quorum {
            Quorum::None => true,
            Quorum::Rule(at) => met.get(at) == Some(&true),
        }
    }

    /// Reads a signed checkpoint, and checks that a known log signed it and every signature by a known
    /// witness. Whether there are enough of those is for [`Endorsed::level`] to tell.
    ///
    /// # Errors
    /// When it is not a signed note or not a checkpoint, no known log signed it, or a signature by a known
    /// key does not hold.
    pub fn open(&self, note: &str) -> Result<Endorsed<'_>, EndorseError> {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        let log = self.log(&note, &checkpoint)?;
        let seen = self.witnesses.iter().map(|witness| witness.key.seen(&note));
        Ok(Endorsed {
            policy: self,
            log,
            seen: seen.collect::<Result<_, _>>()?,
            checkpoint,
        })
    }

    /// The log that signed the checkpoint.
    fn log(&self, note: &Note, checkpoint: &Checkpoint) -> Result<&Log, EndorseError> {
        let known: Vec<&str> = self.logs.iter().map(|log| log.origin.as_str()).collect();
        let mut verdict = Err(EndorseError::Origin {
            want: known.join(", "),
            got: checkpoint.origin.clone(),
        });
        // A log whose key is being changed stands there with both.
        for log in self
            .logs
            .iter()
            .filter(|log| log.origin == checkpoint.origin)
        {
            verdict = match (note.verify(&[&log.key]), verdict) {
                (Err(error @ SignatureError::Forged { .. }), _) => return Err(error.into()),
                (_, Ok(first)) => Ok(first),
                (Ok(()), Err(_)) => Ok(log),
                (Err(error), Err(_)) => Err(error.into()),
            };
        }
        verdict
    }
}

impl Endorsed<'_> {
    /// The checkpoint.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The log that signed it.
    #[must_use]
    pub const fn log(&self) -> &Log {
        self.log
    }

    /// The witnesses that saw it, and when, in seconds since 1970.
    pub fn seen(&self) -> impl Iterator<Item = (&Witness, u64)> {
        let witnesses = self.policy.witnesses.iter().zip(&self.seen);
        witnesses.filter_map(|(witness, seen)| seen.map(|at| (witness, at)))
    }

    /// How far it can be relied on. Without a quorum in the policy that is the log's word.
    #[must_use]
    pub fn level(&self) -> Level {
        if self.policy.wants_witnesses() && self.is_met() {
            Level::Witnessed
        } else {
            Level::LogSigned
        }
    }

    /// Whether the policy asks for nothing more.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.is_met_since(0)
    }

    /// Whether the policy asks for nothing more, counting only witnesses that saw it at `since` or later,
    /// in seconds since 1970.
    #[must_use]
    pub fn is_met_since(&self, since: u64) -> bool {
        let seen = |at: usize| self.seen.get(at).copied().flatten();
        self.policy
            .meets(|at| seen(at).is_some_and(|at| at >= since))
    }

    /// The latest time as of which the quorum was met, in seconds since 1970: what age is reckoned from.
    /// `None` when it is not met, or no witness is asked for and none has signed.
    #[must_use]
    pub fn as_of(&self) -> Option<u64> {
        let met = self.seen().map(|(_, at)| at);
        met.filter(|at| self.is_met_since(*at)).max()
    }
}
