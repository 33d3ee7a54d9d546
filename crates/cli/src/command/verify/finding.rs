//! What is found wrong with a published log, as lines.

use std::ops::Range;

use schakel_audit::{
    checkpoint::Checkpoint,
    published::Finding,
    tile::{Kind, Tile},
    tree::Hash,
};

use super::{Check, Report, Unchecked, policy::Rules, spoken_millis};
use crate::exit::chain;

/// The signed notes that may have to be shown.
pub(super) struct Evidence {
    /// That of the log.
    signed: String,
    /// Those held from elsewhere.
    held: Vec<(Checkpoint, String)>,
}

impl Evidence {
    pub(super) const fn new(signed: String) -> Self {
        let held = Vec::new();
        Self { signed, held }
    }

    /// Opens a checkpoint held from elsewhere, and keeps its note. `None` when it is not signed as it must be,
    /// or is of another log.
    pub(super) fn open(
        &mut self,
        rules: &Rules,
        note: String,
        signed: &Checkpoint,
        report: &mut Report,
    ) -> Result<Option<Checkpoint>, Unchecked> {
        let Some(endorsed) = rules.open(&note, report)? else {
            return Ok(None);
        };
        let held = endorsed.checkpoint().clone();
        if held.origin != signed.origin {
            let check = Check::fail("origin").with("want", signed.origin.as_str());
            report.add(check.with("got", held.origin.as_str()));
            return Ok(None);
        }
        self.held.push((held.clone(), note));
        Ok(Some(held))
    }

    /// The check with both notes.
    fn show(&self, check: Check, held: &Checkpoint) -> Check {
        let note = self.held.iter().find(|(it, _)| it == held);
        let check = match note {
            Some((_, note)) => check.with_note(note),
            None => check,
        };
        check.with_note(&self.signed)
    }
}

/// The line of a finding.
pub(super) fn line(finding: &Finding, evidence: &Evidence) -> Check {
    match finding {
        Finding::Missing { file, entries } => on(Check::missing("missing"), file, entries),
        Finding::Unreadable {
            file,
            entries,
            reason,
        } => on(Check::missing("unreadable"), file, entries).with("reason", reason.as_str()),
        Finding::TooLong { file, entries } => on(Check::fail("too-long"), file, entries),
        Finding::TileLength { tile, fault } => {
            let check = Check::fail("tile-length").with("file", tile.to_string());
            check.with("want", fault.want).with("got", fault.got)
        }
        Finding::BundleCut { tile, index } => {
            let check = Check::fail("bundle-cut").with("index", *index);
            check.with("file", tile.to_string())
        }
        Finding::BundleExtra { tile } => Check::fail("bundle-extra").with("file", tile.to_string()),
        Finding::EntryHash {
            index,
            tile,
            want,
            got,
        } => {
            let check = Check::fail("entry-hash").with("index", *index);
            hashes(check.with("file", tile.to_string()), *want, *got)
        }
        Finding::TileHash {
            tile,
            at,
            want,
            got,
        } => hashes(place(*tile, *at), *want, *got),
        Finding::Leaf { index, tile, error } => {
            let check = Check::fail("leaf").with("index", *index);
            let check = check.with("file", tile.to_string());
            check.with("reason", chain(error))
        }
        Finding::Order { index, before, at } => {
            let check = Check::fail("order").with("index", *index);
            let check = check.with("before", spoken_millis(*before));
            check.with("at", spoken_millis(*at))
        }
        Finding::Erasure { index, file, fault } => {
            let check = Check::fail("erasure").with("index", *index);
            let check = check.with("file", file.as_str());
            check.with("reason", chain(fault))
        }
        Finding::Key { index, file, fault } => {
            let check = Check::fail("key-change").with("index", *index);
            let check = check.with("file", file.as_str());
            check.with("reason", chain(fault))
        }
        Finding::Root { .. }
        | Finding::Rollback { .. }
        | Finding::Fork { .. }
        | Finding::Rewritten { .. } => of_the_whole(finding, evidence),
    }
}

/// A finding that is not about a place.
fn of_the_whole(finding: &Finding, evidence: &Evidence) -> Check {
    let hex = |hash: &Hash| hash.to_string();
    match finding {
        Finding::Rollback { held } => {
            let check = Check::fail("rollback").with("anchor", held.size);
            evidence.show(check, held)
        }
        Finding::Fork { held } => {
            let check = Check::fail("fork").with("size", held.size);
            evidence.show(check.with("root", hex(&held.root)), held)
        }
        Finding::Rewritten { held, computed } => {
            let check = Check::fail("consistency").with("from", held.size);
            let check = check.with("want", hex(&held.root));
            let got = computed.as_ref().map_or_else(|| "unknown".to_owned(), hex);
            evidence.show(check.with("got", got), held)
        }
        Finding::Root { signed, computed } => {
            let check = Check::fail("root-mismatch").with("size", signed.size);
            let check = check.with("signed", hex(&signed.root));
            check.with("computed", hex(computed))
        }
        _ => Check::fail("unknown"),
    }
}

fn on(check: Check, file: &str, entries: &Range<u64>) -> Check {
    let check = check.with("file", file);
    let check = check.with("from", entries.start);
    check.with("to", entries.end.saturating_sub(1))
}

fn place(tile: Tile, at: u64) -> Check {
    let level = match tile.kind() {
        Kind::Entries => 0,
        Kind::Hashes(level) => level,
    };
    let check = Check::fail("tile-hash").with("level", level);
    let check = check.with("n", tile.index()).with("pos", at);
    check.with("file", tile.to_string())
}

fn hashes(check: Check, want: Hash, got: Hash) -> Check {
    check
        .with("want", want.to_string())
        .with("got", got.to_string())
}
