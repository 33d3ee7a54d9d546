//! One entry bundle and the tile of hashes beside it.

use super::{
    Files, Finding, Unread,
    files::{Fetched, fetch, unread_tile},
    stored::hashes,
};
use crate::{
    tile::{Kind, Tile, entries},
    tree::{Hash, leaf_hash, node_hash},
};

/// Up to 256 entries, and what is stored of their hashes.
pub(super) struct Group {
    /// The bundle as it was read.
    bundle: Fetched,
    /// How many entries it must have.
    width: usize,
    /// The hashes of the entries that are there, at most as many as there must be.
    computed: Vec<Hash>,
    /// The tile of level 0, and its hashes, exactly as many as there must be.
    stored: Option<(Tile, Vec<Hash>)>,
    /// Whether the bundle is not there, and need not be.
    is_pruned: bool,
}

/// What is gone on with, above a group.
pub(super) enum Outcome {
    /// These are the hashes of its leaves.
    Leaves(Vec<Hash>),
    /// The leaves cannot be had, but the node above them can.
    Node(Hash),
    /// Nothing can be had.
    Unknown,
}

impl Group {
    /// Reads a group; of one that ends at or before `minimum` the bundle need not be there.
    pub(super) fn read<F: Files + ?Sized>(
        index: u64,
        size: u64,
        minimum: u64,
        files: &F,
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let tile = Tile::of(Kind::Entries, index, size)?;
        let width = usize::try_from(tile.width()).ok()?;
        let nothing = Fetched {
            tile,
            bytes: Vec::new(),
        };
        let mut is_pruned = false;
        let bundle = match fetch(tile, files) {
            Ok(bundle) => {
                check_length(&bundle, width, findings);
                bundle
            }
            Err(Unread::Absent) if tile.covers().1 <= minimum => {
                is_pruned = true;
                nothing
            }
            Err(why) => {
                findings.push(unread_tile(tile, why));
                nothing
            }
        };
        let whole = entries(&bundle.bytes).map_while(Result::ok);
        let computed: Vec<Hash> = whole.take(width).map(leaf_hash).collect();
        let stored = Tile::of(Kind::Hashes(0), index, size)?;
        let stored = hashes(stored, files)
            .map_err(|finding| findings.push(finding))
            .ok();
        Some(Self {
            bundle,
            width,
            computed,
            stored,
            is_pruned,
        })
    }

    /// Decides what the leaves are. Where entries and stored hashes disagree, `fits` tells which of the two
    /// what lies above bears out, if it can be asked.
    pub(super) fn judge(
        &self,
        fits: impl Fn(&[Hash]) -> bool,
        above: Option<Hash>,
        findings: &mut Vec<Finding>,
    ) -> Outcome {
        let whole = self.computed.len() == self.width;
        match &self.stored {
            Some((_, stored)) if whole && self.computed == *stored => {
                Outcome::Leaves(self.computed.clone())
            }
            Some((tile, stored)) if whole && !fits(stored) && fits(&self.computed) => {
                findings.extend(self.differences(stored).map(|(at, want, got)| {
                    let (tile, want, got) = (*tile, got, want);
                    Finding::TileHash {
                        tile,
                        at,
                        want,
                        got,
                    }
                }));
                Outcome::Leaves(self.computed.clone())
            }
            Some((_, stored)) => {
                let trusted = if whole && !fits(stored) {
                    &self.computed
                } else {
                    stored
                };
                findings.extend(self.differences(stored).map(|(at, want, got)| {
                    let (index, tile) = (self.bundle.tile.first() + at, self.bundle.tile);
                    Finding::EntryHash {
                        index,
                        tile,
                        want,
                        got,
                    }
                }));
                Outcome::Leaves(trusted.clone())
            }
            None if whole => Outcome::Leaves(self.computed.clone()),
            None => above.map_or(Outcome::Unknown, Outcome::Node),
        }
    }

    /// The places where an entry does not have the hash that is stored, both of them there.
    fn differences(&self, stored: &[Hash]) -> impl Iterator<Item = (u64, Hash, Hash)> {
        let pairs = (0..).zip(stored.iter().zip(&self.computed));
        pairs.filter_map(|(at, (want, got))| (want != got).then_some((at, *want, *got)))
    }

    /// The entries that have the hashes they should, with their indexes.
    pub(super) fn sound<'a>(&'a self, leaves: &'a [Hash]) -> impl Iterator<Item = (u64, &'a [u8])> {
        let hashes = leaves.iter().zip(&self.computed);
        let whole = entries(&self.bundle.bytes).map_while(Result::ok);
        (self.bundle.tile.first()..)
            .zip(whole.zip(hashes))
            .filter_map(|(index, (entry, (want, got)))| (want == got).then_some((index, entry)))
    }

    /// How many entries were not there to be read, as they need not be.
    pub(super) fn pruned(&self) -> u64 {
        if self.is_pruned {
            self.tile().width()
        } else {
            0
        }
    }

    pub(super) const fn tile(&self) -> Tile {
        self.bundle.tile
    }
}

/// Whether a bundle has the entries that its name says, and nothing after them.
fn check_length(bundle: &Fetched, width: usize, findings: &mut Vec<Finding>) {
    let tile = bundle.tile;
    let mut read = entries(&bundle.bytes);
    // A full bundle in place of a partial one has more than is asked for.
    let want = usize::try_from(tile.width()).unwrap_or(width);
    let got = read.by_ref().take(want).flatten().count();
    if got < want {
        let index = tile.first().saturating_add(u64::try_from(got).unwrap_or(0));
        findings.push(Finding::BundleCut { tile, index });
    } else if read.next().is_some() {
        findings.push(Finding::BundleExtra { tile });
    }
}

/// The node above the hashes of a full tile.
pub(super) fn node_above(hashes: &[Hash]) -> Option<Hash> {
    let mut hashes = hashes.to_vec();
    while hashes.len() > 1 {
        let (pairs, rest) = hashes.as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        hashes = pairs
            .iter()
            .map(|[left, right]| node_hash(left, right))
            .collect();
    }
    hashes.first().copied()
}
