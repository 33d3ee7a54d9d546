//! Which keys may have signed: those that are known, and those that the log's own entries lead to from them.

use std::path::{Path, PathBuf};

use schakel_audit::{
    checkpoint::Checkpoint,
    note::{Note, VerifyingKey},
    policy::{Policies, Policy},
    published::key_statements,
    succession::{Followed, Statement, Succession},
};

use super::{
    Check, Report, Unchecked,
    directory::Directory,
    finding::{Evidence, line},
    policy::Rules,
    read,
};
use crate::exit::chain;

/// Where the changes of keys are read from.
#[derive(Debug, clap::Args)]
pub(super) struct PublishedArgs {
    /// The published log, when its checkpoint keys may have changed since the key at hand: each change is proved
    /// from it, and the key that took over counts.
    #[arg(long, value_name = "DIR")]
    published: Option<PathBuf>,
}

/// The keys of a log over time.
#[derive(Debug)]
pub(super) struct Keys {
    /// Those that are known from elsewhere and those they led to, and the witnesses.
    policies: Policies,
    /// Keys that no longer sign, and the entries that say so.
    retired: Vec<(VerifyingKey, u64)>,
    /// Keys that nobody who is known vouches for, and the entries that name them.
    unvouched: Vec<(VerifyingKey, u64)>,
    /// Whether something of what the log says of its keys is not there.
    is_short: bool,
}

impl Keys {
    /// Those that are known from elsewhere.
    pub(super) fn known(pinned: Policy) -> Self {
        Self {
            policies: pinned.into(),
            retired: Vec::new(),
            unvouched: Vec::new(),
            is_short: false,
        }
    }

    /// Those that are known from elsewhere and those they led to, and the witnesses.
    pub(super) const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Follows what a published log says of its keys under a checkpoint of it, and says which changes there
    /// were. Whether the checkpoint itself holds is to be judged after that.
    pub(super) fn follow(&mut self, under: &Checkpoint, dir: &Path, report: &mut Report) {
        let mut findings = Vec::new();
        let statements = key_statements(under, &Directory(dir), &mut findings);
        let evidence = Evidence::new(String::new());
        for finding in &findings {
            self.is_short |= finding.is_absence();
            report.add(line(finding, &evidence));
        }
        let own = self.policies.pinned().logs().iter();
        let own = own.filter(|log| log.origin == under.origin);
        let keys = own.map(|log| log.key.clone());
        let mut succession = Succession::pinned(under.origin.clone(), keys);
        for (index, statement) in statements {
            report.extend(self.turn(index, &statement, &mut succession));
        }
    }

    /// Takes the next statement; what there is to say of it.
    fn turn(
        &mut self,
        index: u64,
        statement: &Statement,
        succession: &mut Succession,
    ) -> Option<Check> {
        let key = statement.key().clone();
        let about = |check: Check| {
            let check = check.with("index", index);
            check.with("key", key.id().to_string())
        };
        let followed = match succession.follow(statement) {
            Ok(followed) => followed,
            Err(error) => {
                return Some(about(Check::fail("key-change")).with("reason", chain(&error)));
            }
        };
        let check = about(Check::ok("key-change")).with("turn", statement.turn().to_string());
        match followed {
            Followed::Nothing => {
                let mut known = succession.in_use().iter().chain(succession.retired());
                if !known.any(|it| *it == key) {
                    self.unvouched.push((key, index));
                }
                return None;
            }
            Followed::Retired => self.retired.push((key, index)),
            Followed::Taken => {}
        }
        let pinned = self.policies.pinned();
        let policy = pinned.succeeded(succession.origin(), succession.in_use());
        // The entry itself is under the checkpoints of more entries than come before it.
        self.policies.turn(index.saturating_add(1), policy);
        Some(check)
    }

    /// Whether a key that is not known may be one that is vouched for where something is not there.
    pub(super) const fn is_short(&self) -> bool {
        self.is_short
    }

    /// What the log says of the keys that signed a note which no known key has signed.
    pub(super) fn explain(&self, note: &str, report: &mut Report) {
        let Ok(note) = Note::parse(note) else {
            return;
        };
        let signed = |(key, index): &(VerifyingKey, u64)| {
            let mut signatures = note.signatures().iter();
            let is_its = signatures.any(|it| it.id() == key.id() && it.name() == key.name());
            is_its.then(|| {
                let check = Check::fail("key-change").with("index", *index);
                check.with("key", key.id().to_string())
            })
        };
        for check in self.retired.iter().filter_map(signed) {
            report.add(check.with("reason", "the key was retired by this entry"));
        }
        for check in self.unvouched.iter().filter_map(signed) {
            let reason = "no key that was known to be in use says that this one is";
            report.add(check.with("reason", reason));
        }
    }
}

impl PublishedArgs {
    /// The rules, with the keys that the published log leads to. `None` when that log itself does not verify.
    pub(super) fn follow(
        &self,
        mut rules: Rules,
        report: &mut Report,
    ) -> Result<Option<Rules>, Unchecked> {
        let Some(dir) = &self.published else {
            return Ok(Some(rules));
        };
        let note = read(&dir.join("checkpoint"))?;
        rules.follow(&note, dir, report);
        // What was read from it counts only under a checkpoint that holds.
        let holds = rules.open(&note, report)?.is_some();
        Ok(holds.then_some(rules))
    }
}
