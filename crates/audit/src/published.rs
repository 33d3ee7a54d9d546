//! Verifying a published log as a whole, as an outsider who has nothing but its files and a checkpoint that
//! is signed as it must be.
//!
//! Every entry is hashed and read, every stored hash compared, and the root held against the signed one. All
//! that is wrong is found, not only the first of it. At any time one entry bundle and one tile of each level are
//! in memory, whatever the size of the log.
//!
//! What no such check can see is a log that was rewritten from a point on and signed anew with its own key.
//! That takes something from elsewhere: a checkpoint or receipt that somebody holds ([`LogCheck::hold`]), or
//! the signatures of witnesses ([`policy`](crate::policy)).

use std::{collections::BTreeMap, mem};

use crate::{
    checkpoint::Checkpoint,
    leaf::{EntryType, Leaf, Month, RetentionClass},
    succession,
    tile::Tile,
    tree::{Frontier, Hash},
};

mod erasures;
mod files;
mod finding;
mod group;
mod keys;
mod resume;
mod stored;

pub use files::{Files, Unread};
pub use finding::{ErasureFault, Finding, KeyFault};
pub use keys::key_statements;

use files::unread;
use group::{Group, Outcome, node_above};
use stored::Stored;

/// The verification of a published log, a bundle of entries at a time.
#[derive(Debug)]
pub struct LogCheck {
    signed: Checkpoint,
    /// Checkpoints held from elsewhere that are still to be met, the smallest last.
    held: Vec<Checkpoint>,
    /// The tree so far; `None` since a part of which nothing could be had.
    tree: Option<Frontier>,
    stored: Stored,
    /// The bundle that comes next.
    next: u64,
    /// Below this index entries need no longer be published.
    minimum: u64,
    /// The time of the last entry that was read.
    last_ms: Option<u64>,
    /// How many entries there were of each class and month of destruction.
    months: BTreeMap<(RetentionClass, Month), u64>,
    summary: Summary,
}

/// What was seen of a log.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many entries were read and are sound.
    pub entries: u64,
    /// The first entry that was looked at.
    pub from: u64,
    /// How many entries were not there to be read, as they need not be.
    pub pruned: u64,
    /// The times of the first and the last entry read, in milliseconds since 1970.
    pub times: Option<(u64, u64)>,
    /// What was erased, by the code of the rule and where it stands in the law.
    pub erased: BTreeMap<(String, String), Erased>,
    /// Whether all entries together have the root that was signed.
    pub root_holds: bool,
    /// The held checkpoints that the log was found to extend, smallest first.
    pub extended: Vec<Checkpoint>,
}

/// How much was erased by a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// How many erasures there were.
    pub erasures: u64,
    /// How many entries they cover; one that two of them cover counts twice.
    pub entries: u64,
}

impl LogCheck {
    /// Begins to verify the log under a checkpoint that was found to be signed as it must be.
    #[must_use]
    pub fn new(signed: Checkpoint) -> Self {
        Self {
            signed,
            held: Vec::new(),
            tree: Some(Frontier::new()),
            stored: Stored::default(),
            next: 0,
            minimum: 0,
            last_ms: None,
            months: BTreeMap::new(),
            summary: Summary::default(),
        }
    }

    /// Holds the log against a checkpoint from elsewhere, signed by the same log, larger or smaller. To be
    /// asked before the first step.
    pub fn hold(&mut self, held: Checkpoint, findings: &mut Vec<Finding>) {
        let signed = &self.signed;
        if held.size > signed.size {
            findings.push(Finding::Rollback { held });
        } else if held.size == signed.size && held.root != signed.root {
            findings.push(Finding::Fork { held });
        } else if held.size == 0 {
            self.summary.extended.push(held);
        } else {
            let at = self.held.partition_point(|it| it.size > held.size);
            self.held.insert(at, held);
        }
    }

    /// Does without bundles whose entries all lie below this index, where they are not there: the operator need no
    /// longer publish them, by a retention policy. Their hashes must be there all the same, and bundles that are
    /// there are verified. To be asked before the first step.
    pub const fn prune(&mut self, below: u64) {
        self.minimum = below;
    }

    /// How many entries the log has by the checkpoint.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.signed.size
    }

    /// Up to which entry the log was looked at.
    #[must_use]
    pub fn reached(&self) -> u64 {
        self.signed.size.min(self.next.saturating_mul(Tile::WIDTH))
    }

    /// Looks at the next bundle of entries. Answers whether there was one.
    pub fn step<F: Files + ?Sized>(&mut self, files: &F, findings: &mut Vec<Finding>) -> bool {
        let size = self.signed.size;
        let Some(group) = Group::read(self.next, size, self.minimum, files, findings) else {
            return false;
        };
        self.summary.pruned += group.pruned();
        let mut stored = mem::take(&mut self.stored);
        let is_full = group.tile().first() + Tile::WIDTH <= size;
        let above = if is_full {
            stored.hash(1, self.next, size, files, findings)
        } else {
            None
        };
        let above = above.map(|(_, hash)| hash);
        let fits = |leaves: &[Hash]| match above {
            Some(above) => node_above(leaves) == Some(above),
            None => !is_full && self.leads_to_signed(leaves),
        };
        let outcome = group.judge(fits, above, findings);
        let mut compare = |level: u8, index: u64, got: Hash, findings: &mut Vec<Finding>| {
            compare(&mut stored, (level, index, got), size, files, findings);
        };
        match outcome {
            Outcome::Leaves(leaves) => {
                self.grow(&leaves, findings, &mut compare);
                for (index, entry) in group.sound(&leaves) {
                    self.entry(index, entry, group.tile(), files, findings);
                }
            }
            Outcome::Node(node) => self.graft(node, findings, &mut compare),
            Outcome::Unknown => self.tree = None,
        }
        self.stored = stored;
        self.next += 1;
        true
    }

    /// Holds the root against the one signed, and says what was seen.
    #[must_use]
    pub fn finish(mut self, findings: &mut Vec<Finding>) -> Summary {
        if let Some(tree) = &self.tree
            && tree.size() == self.signed.size
        {
            let computed = tree.root();
            self.summary.root_holds = computed == self.signed.root;
            if !self.summary.root_holds {
                let signed = self.signed.clone();
                findings.push(Finding::Root { signed, computed });
            }
        }
        self.summary
    }

    /// Whether the tree so far, with these leaves, is the one that was signed.
    fn leads_to_signed(&self, leaves: &[Hash]) -> bool {
        self.tree.clone().is_some_and(|mut tree| {
            for leaf in leaves {
                tree.append(*leaf);
            }
            tree.root() == self.signed.root
        })
    }

    /// Appends the leaves of a group, and holds each node above them against the one that is stored.
    fn grow(
        &mut self,
        leaves: &[Hash],
        findings: &mut Vec<Finding>,
        compare: &mut impl FnMut(u8, u64, Hash, &mut Vec<Finding>),
    ) {
        let Some(mut tree) = self.tree.take() else {
            // What lies below is lost, and with it all that stands on both; this group stands alone.
            if let Some(node) = node_above(leaves).filter(|_| leaves.len() == 256) {
                compare(8, self.next, node, findings);
            }
            return;
        };
        for leaf in leaves {
            tree.append_with(*leaf, |level, index, hash| {
                if level >= 8 {
                    compare(level, index, hash, findings);
                }
            });
            self.meet(&tree, findings);
        }
        self.tree = Some(tree);
    }

    /// Appends the node above a group whose leaves cannot be had.
    fn graft(
        &mut self,
        node: Hash,
        findings: &mut Vec<Finding>,
        compare: &mut impl FnMut(u8, u64, Hash, &mut Vec<Finding>),
    ) {
        let Some(mut tree) = self.tree.take() else {
            return;
        };
        let grown = tree.append_subtree(8, node, |level, index, hash| {
            if level > 8 {
                compare(level, index, hash, findings);
            }
        });
        // A checkpoint within the group cannot be met any more, and is not said to be.
        self.held.retain(|held| held.size >= tree.size());
        self.meet(&tree, findings);
        self.tree = grown.then_some(tree);
    }

    /// Holds the tree against the checkpoints held of its size.
    fn meet(&mut self, tree: &Frontier, findings: &mut Vec<Finding>) {
        while let Some(held) = self.held.pop_if(|held| held.size == tree.size()) {
            let computed = tree.root();
            if held.root == computed {
                self.summary.extended.push(held);
            } else {
                let computed = Some(computed);
                findings.push(Finding::Rewritten { held, computed });
            }
        }
    }

    /// Reads an entry whose hash is in the tree.
    fn entry<F: Files + ?Sized>(
        &mut self,
        index: u64,
        entry: &[u8],
        tile: Tile,
        files: &F,
        findings: &mut Vec<Finding>,
    ) {
        let leaf = match Leaf::decode(entry) {
            Ok(leaf) => leaf,
            Err(error) => {
                findings.push(Finding::Leaf { index, tile, error });
                return;
            }
        };
        let at = leaf.at_ms;
        if let Some(before) = self.last_ms.filter(|before| at < *before) {
            findings.push(Finding::Order { index, before, at });
        }
        self.last_ms = Some(at);
        let first = self.summary.times.map_or(at, |(first, _)| first);
        self.summary.times = Some((first, at));
        self.summary.entries += 1;
        if let Some(month) = leaf.destroy {
            *self.months.entry((leaf.class, month)).or_default() += 1;
        }
        self.erasure(index, &leaf, files, findings);
        key(index, &leaf, files, findings);
    }
}

/// Whether what an entry says of a checkpoint key is published: a turn that is kept back must not go unseen. What
/// it says is for [`key_statements`].
fn key<F: Files + ?Sized>(index: u64, leaf: &Leaf, files: &F, findings: &mut Vec<Finding>) {
    if leaf.entry_type != EntryType::Key {
        return;
    }
    let file = succession::path(index);
    if let Err(why) = files.read(&file, keys::MAX_LEN) {
        findings.push(unread(file, index..index + 1, why));
    }
}

/// Holds a node against the one that is stored, where one is.
fn compare<F: Files + ?Sized>(
    stored: &mut Stored,
    (level, index, want): (u8, u64, Hash),
    size: u64,
    files: &F,
    findings: &mut Vec<Finding>,
) {
    // Tiles hold every eighth level of the tree.
    if !level.is_multiple_of(8) {
        return;
    }
    let found = stored.hash(level / 8, index, size, files, findings);
    if let Some((tile, got)) = found.filter(|(_, got)| *got != want) {
        let at = index % Tile::WIDTH;
        findings.push(Finding::TileHash {
            tile,
            at,
            want,
            got,
        });
    }
}
