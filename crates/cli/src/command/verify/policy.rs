//! By what it is verified: which logs and witnesses count, and how old a checkpoint may be.

use std::path::Path;

use schakel_audit::{
    checkpoint::Checkpoint,
    note::{Note, SignatureError, VerifyingKey},
    policy::{EndorseError, Endorsed, Policies, Policy},
};
use schakel_core::time::Timestamp;
use schakel_server::clock::{Clock as _, SystemClock};

use super::{Check, Report, Unchecked, keys::Keys, read};
use crate::{exit::chain, instant};

/// What everything is verified by.
#[derive(Debug, clap::Args)]
pub(super) struct PolicyArgs {
    #[command(flatten)]
    by: By,
    /// The name of the log [default: that of its key].
    #[arg(long, value_name = "NAME", requires = "verifier_key")]
    origin: Option<String>,
    /// The least size of a checkpoint that is not stale.
    #[arg(long, value_name = "SIZE")]
    at_least: Option<u64>,
    /// The greatest age of a checkpoint that is not stale, such as 36h: how long ago witnesses saw it,
    /// enough of them for the policy.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    fresh: Option<u64>,
    /// The instant from which age is reckoned [default: now].
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse, requires = "fresh")]
    as_of: Option<Timestamp>,
    /// Print one JSON document instead of lines.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct By {
    /// A C2SP tlog-policy: which logs are known, which witnesses, and how many of those must have signed.
    #[arg(long, value_name = "FILE")]
    policy: Option<String>,
    /// The key that verifies the log, or a file with it; no witness is asked for. Have it from the operator,
    /// never from the log.
    #[arg(long, value_name = "VKEY|FILE")]
    verifier_key: Option<String>,
}

/// What everything is verified by, read.
pub(super) struct Rules {
    keys: Keys,
    at_least: Option<u64>,
    /// How old a checkpoint may be, in seconds, and from when that is reckoned.
    fresh: Option<(u64, u64)>,
}

impl PolicyArgs {
    /// This key, and no witness.
    pub(super) fn of_key(verifier_key: &str) -> Self {
        Self {
            by: By {
                policy: None,
                verifier_key: Some(verifier_key.to_owned()),
            },
            origin: None,
            at_least: None,
            fresh: None,
            as_of: None,
            json: false,
        }
    }

    pub(super) fn read(&self) -> Result<Rules, Unchecked> {
        let fresh = self.fresh.map(|fresh| {
            let as_of = self.as_of.unwrap_or_else(|| SystemClock.now());
            (fresh, as_of.as_millis() / 1000)
        });
        Ok(Rules {
            keys: Keys::known(self.policy()?),
            at_least: self.at_least,
            fresh,
        })
    }

    fn policy(&self) -> Result<Policy, Unchecked> {
        if let Some(path) = &self.by.policy {
            let text = read(Path::new(path))?;
            return text.parse().map_err(|error| {
                Unchecked::malformed(&format!("`{path}` is no policy: {}", chain(&error)))
            });
        }
        let key = self.key()?;
        let origin = self.origin.as_deref().unwrap_or(key.name());
        let origin = origin
            .parse()
            .map_err(|error| Unchecked::malformed(&chain(&error)))?;
        Ok(Policy::of_log(origin, key))
    }

    fn key(&self) -> Result<VerifyingKey, Unchecked> {
        let given = self.by.verifier_key.as_deref().unwrap_or_default();
        let path = Path::new(given);
        let text = if path.exists() {
            read(path)?
        } else {
            given.to_owned()
        };
        text.trim().parse().map_err(|error| {
            Unchecked::malformed(&format!(
                "the verifier key cannot be used: {}",
                chain(&error)
            ))
        })
    }
}

impl Rules {
    /// Which logs and witnesses are known from elsewhere, and what that came to be as keys changed.
    pub(super) const fn policies(&self) -> &Policies {
        self.keys.policies()
    }

    /// The keys that may have signed a checkpoint.
    pub(super) fn keys(&self, signed: &Checkpoint) -> impl Iterator<Item = &VerifyingKey> {
        let logs = self.policies().at(signed.size).logs().iter();
        logs.filter(|log| log.origin == signed.origin)
            .map(|log| &log.key)
    }

    /// Follows what a published log says of its keys under this checkpoint of it, from those that are known.
    pub(super) fn follow(&mut self, note: &str, dir: &Path, report: &mut Report) {
        // What is no checkpoint is told of when it is opened.
        if let Some(under) = unopened(note) {
            self.keys.follow(&under, dir, report);
        }
    }

    /// Checks the origin of a signed checkpoint, and every signature by a known key. `None` when it cannot be
    /// relied on.
    pub(super) fn open(
        &self,
        note: &str,
        report: &mut Report,
    ) -> Result<Option<Endorsed<'_>>, Unchecked> {
        let policy = self.policies().of(note);
        let endorsed = match policy.open(note) {
            Ok(endorsed) => endorsed,
            Err(error @ (EndorseError::Note(_) | EndorseError::Form(_))) => {
                return Err(Unchecked::malformed(&chain(&error)));
            }
            Err(EndorseError::Origin { want, got }) => {
                let check = Check::fail("origin").with("want", want);
                report.add(check.with("got", got.as_str()));
                return Ok(None);
            }
            Err(EndorseError::Signature(error)) => {
                self.keys.explain(note, report);
                report.add(self.unsigned(policy, &error));
                return Ok(None);
            }
        };
        let checkpoint = endorsed.checkpoint();
        let check = Check::ok("checkpoint-signature").with("origin", checkpoint.origin.as_str());
        let key = endorsed.log().key.id().to_string();
        report.add(check.with("key", key).with("size", checkpoint.size));
        Ok(Some(endorsed))
    }

    fn unsigned(&self, policy: &Policy, error: &SignatureError) -> Check {
        let (key, is_unknown) = match error {
            SignatureError::Forged { id, .. } => (id.to_string(), false),
            SignatureError::Unknown { .. } => {
                let logs = policy.logs().iter();
                let ids: Vec<String> = logs.map(|log| log.key.id().to_string()).collect();
                (ids.join(","), true)
            }
        };
        let check = if is_unknown && self.keys.is_short() {
            Check::missing("checkpoint-signature")
        } else {
            Check::fail("checkpoint-signature")
        };
        check.with("key", key).with("reason", error.to_string())
    }

    /// Says who saw the checkpoint, whether those are enough, and whether it is as large and as young as was
    /// asked for.
    pub(super) fn weigh(&self, endorsed: &Endorsed<'_>, report: &mut Report) {
        for (witness, at) in endorsed.seen() {
            let check = Check::ok("cosignature").with("witness", witness.name.as_str());
            let key = witness.key.id().to_string();
            report.add(check.with("key", key).with("at", spoken(at)));
        }
        if self.policies().pinned().wants_witnesses() {
            let check = if endorsed.is_met() {
                Check::ok("quorum")
            } else {
                Check::short("quorum")
            };
            report.add(check.with("witnesses", endorsed.seen().count()));
        }
        self.size(endorsed.checkpoint(), report);
        if let Some((fresh, as_of)) = self.fresh {
            report.add(age(endorsed, fresh, as_of));
        }
    }

    /// Warns when the checkpoint is smaller than was asked for.
    fn size(&self, checkpoint: &Checkpoint, report: &mut Report) {
        if let Some(wanted) = self.at_least.filter(|wanted| checkpoint.size < *wanted) {
            let check = Check::short("stale").with("size", checkpoint.size);
            report.add(check.with("wanted", wanted));
        }
    }
}

/// A checkpoint as it stands in a note, whoever signed that.
fn unopened(note: &str) -> Option<Checkpoint> {
    Checkpoint::parse(Note::parse(note).ok()?.text()).ok()
}

/// Whether a checkpoint is young enough.
fn age(endorsed: &Endorsed<'_>, fresh: u64, now: u64) -> Check {
    let Some(seen) = endorsed.as_of() else {
        let reason = "too few witnesses say when it was seen";
        return Check::short("stale").with("reason", reason);
    };
    let age = now.saturating_sub(seen);
    let check = if age <= fresh {
        Check::ok("fresh")
    } else {
        Check::short("stale")
    };
    check
        .with("seen", spoken(seen))
        .with("age", format!("{age}s"))
}

/// Seconds since 1970 as an instant.
fn spoken(seconds: u64) -> String {
    let at = Timestamp::from_millis(seconds.saturating_mul(1000));
    at.unwrap_or(Timestamp::MAX).to_string()
}

/// A number and a unit, in seconds.
fn parse_duration(text: &str) -> Result<u64, String> {
    let refused = || "must be a number and s, m, h or d, such as 36h".to_owned();
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        _ => return Err(refused()),
    };
    let number = text.trim_end_matches(['s', 'm', 'h', 'd']);
    let is_plain = number.len() + 1 == text.len() && number.bytes().all(|it| it.is_ascii_digit());
    let number = number.parse::<u64>().ok().filter(|_| is_plain);
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, seconds) in [
            ("0s", 0),
            ("90s", 90),
            ("5m", 300),
            ("36h", 129_600),
            ("7d", 604_800),
        ] {
            assert_eq!(parse_duration(text), Ok(seconds));
        }
        for text in [
            "",
            "h",
            "36",
            "1hh",
            "+1h",
            "-1h",
            "1.5h",
            "1 h",
            "1w",
            "99999999999999999999d",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
