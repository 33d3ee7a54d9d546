//! The nodes of the tree, kept so that a proof needs at most one small read a level.
//!
//! The arithmetic is that of C2SP tlog-tiles: a tile is 256 consecutive hashes, tile level *l* holds the
//! nodes of tree level 8·*l*, and only full tiles are written, one after the other, to the file
//! `hashes/<l>`. The tiles at the right edge, and the last few full ones, are in memory with all nodes
//! inside them, so that proofs of new entries read and hash nothing.
//!
//! All of it is derived from the entries. Opening the log computes every tile again and writes those
//! that are missing or wrong; nothing is synced. A tile that finds the disk full stays in memory until there
//! is room: entries find theirs in segments made ahead, and must not wait for it.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use schakel_audit::tree::{Frontier, Hash, leaf_hash};

use crate::{
    disk::{Disk, File},
    durable,
};

/// The binary logarithm of the number of hashes in a tile.
const HEIGHT: u8 = 8;
/// How many hashes a tile has.
const WIDTH: usize = 1 << HEIGHT;
/// The length of a full tile in bytes.
const TILE_LEN: u64 = (WIDTH * Hash::LEN) as u64;
/// How many tiles of a level stay in memory: those of the largest batch, and the one it began in.
const KEPT: usize = 6;

/// What a batch adds to the tree.
#[derive(Clone, Debug)]
pub(super) struct Growth {
    frontier: Frontier,
    nodes: Vec<Node>,
}

/// A complete subtree. Those of one level come in order, so that none needs its number.
#[derive(Clone, Copy, Debug)]
struct Node {
    level: u8,
    hash: Hash,
}

impl Growth {
    /// Nothing yet, after the tree with this frontier.
    pub(super) fn after(frontier: &Frontier) -> Self {
        Self {
            frontier: frontier.clone(),
            nodes: Vec::new(),
        }
    }

    /// Adds one leaf, with these exact bytes.
    pub(super) fn append(&mut self, leaf: &[u8]) {
        let nodes = &mut self.nodes;
        self.frontier
            .append_with(leaf_hash(leaf), |level, _, hash| {
                nodes.push(Node { level, hash });
            });
    }

    /// The tree after the batch.
    pub(super) fn frontier(&self) -> &Frontier {
        &self.frontier
    }
}

/// The tiles of all levels.
#[derive(Debug)]
pub(super) struct Tiles {
    disk: Disk,
    dir: PathBuf,
    levels: Vec<Level>,
}

/// The tiles of one level.
#[derive(Debug)]
struct Level {
    file: Arc<File>,
    /// The number of the first tile in `kept`.
    first_kept: u64,
    /// How many tiles are on disk.
    stored: u64,
    // INVARIANT: never empty; the last may be partial, those before it are full; those from `stored` on are here.
    kept: VecDeque<Tile>,
}

/// A tile with the nodes inside it: row 0 has its hashes, row *r* those of 2^*r* consecutive ones each.
#[derive(Debug, Default)]
struct Tile {
    rows: [Vec<Hash>; HEIGHT as usize],
}

/// Where the hash of a complete subtree comes from.
#[derive(Debug)]
pub(super) enum Place {
    /// From memory.
    Known(Hash),
    /// From this many consecutive hashes in a file of tiles.
    Stored {
        /// The file.
        file: Arc<File>,
        /// Where the first hash begins.
        offset: u64,
        /// How many there are: a power of two, at most 128.
        count: usize,
    },
}

impl Tiles {
    /// The tiles of an empty tree; what the directory holds is replaced as the tree grows.
    pub(super) fn empty(disk: &Disk, dir: PathBuf) -> io::Result<Self> {
        durable::create_dir(disk, &dir)?;
        Ok(Self {
            disk: disk.clone(),
            dir,
            levels: Vec::new(),
        })
    }

    /// Adds what a batch added to the tree.
    pub(super) fn grow(&mut self, growth: &Growth) -> io::Result<()> {
        growth.nodes.iter().try_for_each(|node| self.add(node))
    }

    /// Removes what the directory holds beyond the full tiles of the tree: they are of no log that
    /// still exists.
    pub(super) fn trim(&self) -> io::Result<()> {
        for path in self.disk.list(&self.dir)? {
            let level = path
                .file_name()
                .and_then(|name| name.to_str()?.parse().ok());
            match level.and_then(|level: usize| self.levels.get(level)) {
                Some(level) => level.file.set_len(level.stored * TILE_LEN)?,
                None => self.disk.remove(&path)?,
            }
        }
        Ok(())
    }

    /// Where to find the complete subtree `index` of tree level `level`; `None` when the tree has none.
    pub(super) fn place(&self, level: u8, index: u64) -> Option<Place> {
        let (at, row) = (level / HEIGHT, level % HEIGHT);
        let (tile, position) = (index >> (HEIGHT - row), index & ((1 << (HEIGHT - row)) - 1));
        let level = self.levels.get(usize::from(at))?;
        let Some(kept) = tile.checked_sub(level.first_kept) else {
            let offset = tile * TILE_LEN + (position << row) * Hash::LEN as u64;
            return Some(Place::Stored {
                file: Arc::clone(&level.file),
                offset,
                count: 1 << row,
            });
        };
        let tile = level.kept.get(usize::try_from(kept).ok()?)?;
        let hashes = tile.rows.get(usize::from(row))?;
        hashes
            .get(usize::try_from(position).ok()?)
            .copied()
            .map(Place::Known)
    }

    fn add(&mut self, node: &Node) -> io::Result<()> {
        let (at, row) = (
            usize::from(node.level / HEIGHT),
            usize::from(node.level % HEIGHT),
        );
        if at == self.levels.len() {
            self.levels.push(Level::empty(&self.disk, &self.dir, at)?);
        }
        match self.levels.get_mut(at) {
            Some(level) => level.add(row, node.hash),
            // A node is complete only after those below it: no level is ever skipped.
            None => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

impl Level {
    fn empty(disk: &Disk, dir: &Path, at: usize) -> io::Result<Self> {
        let file = Arc::new(disk.open(&dir.join(at.to_string()))?);
        Ok(Self {
            file,
            first_kept: 0,
            stored: 0,
            kept: VecDeque::from([Tile::default()]),
        })
    }

    fn add(&mut self, row: usize, hash: Hash) -> io::Result<()> {
        if row == 0 && self.kept.back().is_none_or(Tile::is_full) {
            self.kept.push_back(Tile::default());
            while self.kept.len() > KEPT && self.first_kept < self.stored {
                self.kept.pop_front();
                self.first_kept += 1;
            }
        }
        let Some(tile) = self.kept.back_mut() else {
            return Ok(());
        };
        if let Some(hashes) = tile.rows.get_mut(row) {
            hashes.push(hash);
        }
        if row == 0 && tile.is_full() {
            self.store_full()?;
        }
        Ok(())
    }

    /// Writes the full tiles that are not on disk, as far as there is room.
    fn store_full(&mut self) -> io::Result<()> {
        let stored = usize::try_from(self.stored - self.first_kept).unwrap_or(usize::MAX);
        let full = |tile: &&Tile| tile.is_full();
        for tile in self.kept.iter().skip(stored).take_while(full) {
            match store(&self.file, self.stored, &tile.bytes()) {
                Ok(()) => self.stored += 1,
                Err(error) if is_full(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Tile {
    fn hashes(&self) -> &[Hash] {
        let [hashes, ..] = &self.rows;
        hashes
    }

    fn is_full(&self) -> bool {
        self.hashes().len() == WIDTH
    }

    fn bytes(&self) -> Vec<u8> {
        self.hashes()
            .iter()
            .flat_map(|hash| *hash.as_bytes())
            .collect()
    }
}

impl Place {
    /// The hash. Reads at most half a tile, and nothing when it is in memory.
    pub(super) fn hash(self) -> io::Result<Hash> {
        let (file, offset, count) = match self {
            Self::Known(hash) => return Ok(hash),
            Self::Stored {
                file,
                offset,
                count,
            } => (file, offset, count),
        };
        let mut bytes = vec![0; count * Hash::LEN];
        file.read_exact_at(&mut bytes, offset)?;
        // A subtree of complete subtrees is itself a tree over their hashes.
        let mut tree = Frontier::new();
        for hash in bytes.as_chunks().0 {
            tree.append(Hash::new(*hash));
        }
        Ok(tree.root())
    }
}

/// Whether there was no room.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

/// Writes a full tile where it belongs, unless it stands there already.
fn store(file: &File, number: u64, tile: &[u8]) -> io::Result<()> {
    let offset = number * TILE_LEN;
    let mut found = vec![0; tile.len()];
    match file.read_exact_at(&mut found, offset) {
        Ok(()) if found == tile => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => file.write_all_at(tile, offset),
    }
}
