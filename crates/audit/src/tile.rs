//! The files in which a log is published (C2SP tlog-tiles): which there are, where they stand, what is
//! in them.
//!
//! A *tile* is 256 consecutive hashes of one tile level, or 256 consecutive entries. Tile level *l* holds
//! the nodes of tree level 8·*l*. The last tile of a level is partial, unless it happens to be full:
//!
//! ```
//! use schakel_audit::tile::Tile;
//!
//! let paths: Vec<String> = Tile::all(256).map(|tile| tile.to_string()).collect();
//! assert_eq!(paths, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
//! ```

use crate::tree::{Hash, Nodes, node_hash};

mod bundle;
mod path;

pub use bundle::{BundleError, EntryTooLong, MAX_ENTRY, entries, push_entry};
pub(crate) use path::grouped;
pub use path::{PathError, parse_grouped};

use thiserror::Error;

/// A file with hashes or entries, full or partial, of a log that has at most 2^64 - 1 entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    kind: Kind,
    index: u64,
    // INVARIANT: from 1 to 256, and such that the tile ends within the largest log.
    width: u16,
}

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The entries themselves: an *entry bundle*.
    Entries,
    /// The hashes of this tile level, from 0 to [`Tile::MAX_LEVEL`].
    Hashes(u8),
}

impl Kind {
    /// Every kind, those first that others are computed from.
    pub fn all() -> impl Iterator<Item = Self> {
        let hashes = (0..=Tile::MAX_LEVEL).map(Self::Hashes);
        std::iter::once(Self::Entries).chain(hashes)
    }

    /// How many hashes or entries of this kind a log of `size` entries has.
    #[must_use]
    pub const fn count(self, size: u64) -> u64 {
        match size.checked_shr(self.shift()) {
            Some(count) => count,
            // A level that no log has.
            None => 0,
        }
    }

    /// The binary logarithm of how many entries one hash covers.
    const fn shift(self) -> u32 {
        match self {
            Self::Entries => 0,
            Self::Hashes(level) => Tile::HEIGHT * level as u32,
        }
    }
}

impl Tile {
    /// How many hashes or entries a full tile has.
    pub const WIDTH: u64 = 256;
    /// The greatest tile level of a log of at most 2^64 - 1 entries.
    pub const MAX_LEVEL: u8 = 7;
    /// The length of a full tile of hashes, in bytes.
    pub const LEN: usize = 256 * Hash::LEN;
    /// The binary logarithm of the width.
    const HEIGHT: u32 = 8;

    /// The tile with this index among those of its kind, and this many hashes or entries. `None` when
    /// no log has it.
    #[must_use]
    pub fn new(kind: Kind, index: u64, width: u64) -> Option<Self> {
        let end = index.checked_mul(Self::WIDTH)?.checked_add(width)?;
        let fits = (1..=Self::WIDTH).contains(&width) && end <= kind.count(u64::MAX);
        let width = u16::try_from(width).ok()?;
        fits.then_some(Self { kind, index, width })
    }

    /// The tile of this kind and index as it is in a log of `size` entries. `None` when it is not there.
    #[must_use]
    pub fn of(kind: Kind, index: u64, size: u64) -> Option<Self> {
        let first = index.checked_mul(Self::WIDTH)?;
        let width = kind.count(size).checked_sub(first)?;
        Self::new(kind, index, width.min(Self::WIDTH))
    }

    /// Every tile of a log of `size` entries: entry bundles, then hashes level by level.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        Self::added(0, size)
    }

    /// The tiles that a log of `new` entries has and the same log of `old` entries had not: what must
    /// be written when it grows. Partial tiles that these replace may go.
    pub fn added(old: u64, new: u64) -> impl Iterator<Item = Self> {
        Kind::all().flat_map(move |kind| {
            let (from, to) = (kind.count(old), kind.count(new));
            let last = if to > from {
                to.div_ceil(Self::WIDTH)
            } else {
                0
            };
            (from / Self::WIDTH..last).filter_map(move |index| Self::of(kind, index, new))
        })
    }

    /// Hashes or entries.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.kind
    }

    /// Which among those of its kind, from 0.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.index
    }

    /// How many hashes or entries it has, from 1 to 256.
    #[must_use]
    pub const fn width(self) -> u64 {
        self.width as u64
    }

    /// Whether it has fewer than a full tile.
    #[must_use]
    pub const fn is_partial(self) -> bool {
        self.width() < Self::WIDTH
    }

    /// The full tile that takes its place when the log has grown. `None` when the log ends before.
    #[must_use]
    pub fn filled(self) -> Option<Self> {
        Self::new(self.kind, self.index, Self::WIDTH)
    }

    /// The first of its hashes or entries, counted among those of its kind.
    #[must_use]
    pub const fn first(self) -> u64 {
        self.index * Self::WIDTH
    }

    /// The entries that it covers: from the first to the one after the last.
    #[must_use]
    pub const fn covers(self) -> (u64, u64) {
        let shift = self.kind.shift();
        (
            self.first() << shift,
            (self.first() + self.width()) << shift,
        )
    }

    /// The hashes in the bytes of a tile of hashes.
    ///
    /// # Errors
    /// When the bytes are not as many as its width asks for.
    pub fn hashes(self, bytes: &[u8]) -> Result<impl Iterator<Item = Hash>, TileLength> {
        let (hashes, rest) = bytes.as_chunks::<{ Hash::LEN }>();
        let (want, got) = (usize::from(self.width) * Hash::LEN, bytes.len());
        if want != got || !rest.is_empty() {
            return Err(TileLength { want, got });
        }
        Ok(hashes.iter().copied().map(Hash::new))
    }
}

/// A tile of hashes has another length than its width asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the tile has {got} bytes where it must have {want}: 32 for each hash")]
pub struct TileLength {
    /// The length it must have, in bytes.
    pub want: usize,
    /// The length it has.
    pub got: usize,
}

/// The nodes of a log's tree, computed from its tiles of hashes. `read` gives the bytes of a tile; each
/// node asks for one, so whoever makes many proofs keeps tiles at hand in it.
#[derive(Clone, Copy, Debug)]
pub struct TileNodes<F> {
    size: u64,
    read: F,
}

/// Why a node cannot be had from the tiles.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NodeError<E: std::error::Error + 'static> {
    /// A tile cannot be read.
    #[error("`{tile}` cannot be read")]
    Read {
        /// The tile, by level and number.
        tile: Tile,
        /// What reading it gave.
        #[source]
        source: E,
    },
    /// A tile has another length than it must have.
    #[error("`{tile}` is damaged")]
    Length {
        /// The tile, by level and number.
        tile: Tile,
        /// What is wrong with it.
        #[source]
        source: TileLength,
    },
    /// The log has no such node.
    #[error("a log of {size} entries has no node {index} at level {level}")]
    Absent {
        /// The size of the log.
        size: u64,
        /// The level asked for.
        level: u8,
        /// The index in that level.
        index: u64,
    },
}

impl<F, E> TileNodes<F>
where
    F: Fn(Tile) -> Result<Vec<u8>, E>,
    E: std::error::Error + 'static,
{
    /// The nodes of the log when it had `size` entries.
    pub const fn new(size: u64, read: F) -> Self {
        Self { size, read }
    }
}

impl<F, E> Nodes for TileNodes<F>
where
    F: Fn(Tile) -> Result<Vec<u8>, E>,
    E: std::error::Error + 'static,
{
    type Error = NodeError<E>;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        let absent = || NodeError::Absent {
            size: self.size,
            level,
            index,
        };
        // Below a node at height h within its tile lie 2^h of the tile's hashes.
        let (tile_level, height) = (level / 8, level % 8);
        let first = index.checked_mul(1 << height).ok_or_else(absent)?;
        let tile = Tile::of(Kind::Hashes(tile_level), first / Tile::WIDTH, self.size);
        let tile = tile.ok_or_else(absent)?;
        let bytes = (self.read)(tile).map_err(|source| NodeError::Read { tile, source })?;
        let hashes = tile
            .hashes(&bytes)
            .map_err(|source| NodeError::Length { tile, source })?;
        let skip = usize::try_from(first % Tile::WIDTH).unwrap_or(usize::MAX);
        let mut hashes: Vec<Hash> = hashes.skip(skip).take(1 << height).collect();
        if hashes.len() < 1 << height {
            return Err(absent());
        }
        for _ in 0..height {
            let (pairs, _) = hashes.as_chunks::<2>();
            hashes = pairs.iter().map(|[l, r]| node_hash(l, r)).collect();
        }
        hashes.first().copied().ok_or_else(absent)
    }
}
