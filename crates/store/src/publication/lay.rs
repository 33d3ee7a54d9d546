//! Laying down files: made from the log, written so that a crash leaves all or nothing of each, read back.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use schakel_audit::{
    erasure,
    leaf::{EntryType, Leaf},
    succession,
    tile::{self, Kind, Tile, TileNodes},
    tree::{self, Frontier, Hash, Nodes as _, leaf_hash},
};

use super::{PublicationError, at, place};
use crate::{
    disk::Disk,
    durable,
    log::{LogReader, ReadError},
    seal,
};

/// What files are made from, and where they go.
pub(super) struct Layer<'a> {
    pub(super) disk: &'a Disk,
    pub(super) dir: &'a Path,
    pub(super) log: &'a LogReader,
    /// Bundles of entries below this one were pruned.
    pub(super) pruned: u64,
    /// Directories whose names are durable for certain.
    pub(super) durable: RefCell<BTreeSet<PathBuf>>,
    /// Directories in which names changed that are not durable yet.
    pub(super) renamed: RefCell<BTreeSet<PathBuf>>,
}

/// The most directories remembered, of either kind.
const MOST_REMEMBERED: usize = 64;

/// A bundle of entries with the tile of their hashes.
struct Bundle {
    entries: Vec<u8>,
    hashes: Vec<u8>,
}

impl Layer<'_> {
    /// Compares the tiles at the right edge of a log of so many entries, which is published, with the log:
    /// what comes next is built on them. One that is missing is written again.
    pub(super) fn check_edge(&self, size: u64) -> Result<(), PublicationError> {
        for kind in Kind::all() {
            let Some(last) = kind.count(size).checked_sub(1) else {
                continue;
            };
            let edge = Tile::of(kind, last / Tile::WIDTH, size);
            let kept = |tile: &Tile| kind != Kind::Entries || tile.covers().1 > self.pruned;
            let Some(tile) = edge.filter(kept) else {
                continue;
            };
            let bytes = match kind {
                Kind::Entries => self.bundle(tile)?.entries,
                Kind::Hashes(0) => self.bundle(tile)?.hashes,
                Kind::Hashes(_) => self.nodes(tile)?,
            };
            self.put(&place(self.dir, tile), &bytes)?;
        }
        Ok(())
    }

    /// Lays down what a log of `new` entries has more than one of `old`.
    pub(super) fn lay(&self, old: u64, new: u64) -> Result<(), PublicationError> {
        for tile in Tile::added(old, new) {
            match tile.kind() {
                Kind::Entries => self.lay_entries(tile, old)?,
                // Laid down with the entries.
                Kind::Hashes(0) => {}
                Kind::Hashes(_) => {
                    let hashes = self.nodes(tile)?;
                    self.check_full(tile, &hashes)?;
                    self.put(&place(self.dir, tile), &hashes)?;
                }
            }
        }
        Ok(())
    }

    /// The root to which the files lead, each read from disk.
    pub(super) fn root(&self, size: u64) -> Result<Hash, PublicationError> {
        let read = |tile| self.disk.read(&place(self.dir, tile));
        tree::root(size, &TileNodes::new(size, read)).map_err(|error| match error {
            tile::NodeError::Read { tile, source } => at(&place(self.dir, tile))(source),
            tile::NodeError::Length { tile, .. } => PublicationError::Damaged {
                file: place(self.dir, tile),
            },
            tile::NodeError::Absent { index, size, .. } => ReadError::Beyond { index, size }.into(),
        })
    }

    /// Lays down entries and their hashes, and beside them the details that everybody may read, of entries
    /// from `old` on.
    fn lay_entries(&self, entries: Tile, old: u64) -> Result<(), PublicationError> {
        let bundle = self.bundle(entries)?;
        if let Some(hashes) = Tile::new(Kind::Hashes(0), entries.index(), entries.width()) {
            self.check_full(hashes, &bundle.hashes)?;
            self.put(&place(self.dir, hashes), &bundle.hashes)?;
        }
        self.lay_opened(&bundle.entries, entries.first(), old)?;
        if entries.covers().1 <= self.pruned {
            return Ok(());
        }
        self.put(&place(self.dir, entries), &bundle.entries)
    }

    fn lay_opened(&self, bundle: &[u8], first: u64, old: u64) -> Result<(), PublicationError> {
        for (index, leaf) in (first..).zip(tile::entries(bundle).map_while(Result::ok)) {
            // Whether it is a leaf is not for here: every byte that is in the log is published.
            let Some(leaf) = Leaf::decode(leaf).ok().filter(|_| index >= old) else {
                continue;
            };
            let path = match leaf.entry_type {
                EntryType::Erasure => erasure::path(index),
                EntryType::Key => succession::path(index),
                _ => continue,
            };
            let stored = self.log.read(index)?;
            let opened = seal::opened(&stored.sealed).filter(|opened| opened.opens(&leaf));
            let opened = opened.ok_or(PublicationError::Closed { index })?;
            self.put(&self.dir.join(path), &opened.encode())?;
        }
        Ok(())
    }

    /// The entries of a tile, from the log, and their hashes.
    fn bundle(&self, tile: Tile) -> Result<Bundle, PublicationError> {
        let (first, end) = tile.covers();
        let mut bundle = Bundle {
            entries: Vec::new(),
            hashes: Vec::new(),
        };
        for (index, stored) in self.log.iter(first).take_while(|(index, _)| *index < end) {
            let leaf = stored?.leaf;
            // The log takes no longer leaf than fits.
            tile::push_entry(&mut bundle.entries, &leaf)
                .map_err(|_| PublicationError::Closed { index })?;
            bundle.hashes.extend(leaf_hash(&leaf).as_bytes());
        }
        Ok(bundle)
    }

    /// The hashes of a tile above the lowest, from the tree of the log.
    fn nodes(&self, tile: Tile) -> Result<Vec<u8>, PublicationError> {
        let Kind::Hashes(level) = tile.kind() else {
            return Ok(Vec::new());
        };
        let mut bytes = Vec::with_capacity(Tile::LEN);
        for index in tile.first()..tile.first() + tile.width() {
            bytes.extend(self.log.node(level * 8, index)?.as_bytes());
        }
        Ok(bytes)
    }

    /// Holds a full tile against the hash that the tree of the log has above it.
    fn check_full(&self, tile: Tile, hashes: &[u8]) -> Result<(), PublicationError> {
        let Kind::Hashes(level) = tile.kind() else {
            return Ok(());
        };
        if tile.is_partial() || level >= Tile::MAX_LEVEL {
            return Ok(());
        }
        let mut tree = Frontier::new();
        for hash in hashes.as_chunks().0 {
            tree.append(Hash::new(*hash));
        }
        if tree.root() == self.log.node((level + 1) * 8, tile.index())? {
            return Ok(());
        }
        let (first, end) = tile.covers();
        Err(PublicationError::Tree {
            first,
            last: end.saturating_sub(1),
        })
    }

    /// Puts a file in its place, unless it stands there already, and reads it back.
    fn put(&self, path: &Path, bytes: &[u8]) -> Result<(), PublicationError> {
        match self.disk.read(path) {
            // A crash may have come before it was synced, or its directory.
            Ok(found) if found == bytes => {
                let opened = self.disk.open(path).map_err(at(path))?;
                opened.sync_all().map_err(at(path))?;
                return self.changed(durable::parent(path));
            }
            Ok(_) => {
                return Err(PublicationError::Damaged {
                    file: path.to_owned(),
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(at(path)(error)),
        }
        let above = durable::parent(path);
        self.create_dir(above).map_err(at(above))?;
        durable::rename_into(self.disk, path, bytes).map_err(at(path))?;
        if self.disk.read(path).map_err(at(path))? != bytes {
            return Err(PublicationError::ReadBack {
                file: path.to_owned(),
            });
        }
        self.changed(above)
    }

    /// Notes that names in a directory are to be made durable.
    fn changed(&self, dir: &Path) -> Result<(), PublicationError> {
        if self.renamed.borrow().len() >= MOST_REMEMBERED {
            self.settle()?;
        }
        self.renamed.borrow_mut().insert(dir.to_owned());
        Ok(())
    }

    /// Makes everything durable that was laid down. A directory is synced once for all files in it: each time
    /// costs what a flush of the log costs, on the disk that the log may be on.
    pub(super) fn settle(&self) -> Result<(), PublicationError> {
        for dir in self.renamed.take() {
            self.disk.sync_dir(&dir).map_err(at(&dir))?;
        }
        Ok(())
    }

    /// Creates a directory below the root of what is published, and makes its name durable even when it was
    /// there: a crash may have come between the two.
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        if dir == self.dir || self.durable.borrow().contains(dir) {
            return Ok(());
        }
        let above = durable::parent(dir);
        self.create_dir(above)?;
        durable::create_dir(self.disk, dir)?;
        self.disk.sync_dir(above)?;
        let mut durable = self.durable.borrow_mut();
        if durable.len() >= MOST_REMEMBERED {
            durable.clear();
        }
        durable.insert(dir.to_owned());
        Ok(())
    }
}
