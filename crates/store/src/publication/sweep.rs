//! Removing what need not be kept: partial tiles that a full one replaces, and bundles of entries that are
//! past their retention.

use std::{io, path::Path};

use schakel_audit::{
    leaf::{EntryType, Leaf},
    minimum::{self, MinimumIndex},
    succession,
    tile::{Kind, Tile, entries},
};

use super::{Publication, PublicationError, at, place};
use crate::{disk::Disk, durable};

/// The file that says how far partial tiles were collected, in entries.
pub(super) const SWEPT: &str = ".swept";
/// The file that says below which entry bundles were pruned.
pub(super) const PRUNED: &str = ".pruned";

impl Publication {
    /// Removes the partial tiles of tiles that are full by now.
    pub(super) fn sweep(&mut self) -> Result<(), PublicationError> {
        let (from, to) = (self.swept, self.size());
        for kind in Kind::all() {
            let full = |size| kind.count(size) / Tile::WIDTH;
            for tile in (full(from)..full(to)).filter_map(|n| Tile::new(kind, n, Tile::WIDTH)) {
                remove_partial(&self.disk, &place(&self.dir, tile))?;
            }
        }
        if Tile::WIDTH <= to && from / Tile::WIDTH < to / Tile::WIDTH {
            write_mark(&self.disk, &self.dir.join(SWEPT), to)?;
        }
        self.swept = to;
        Ok(())
    }

    /// Announces below which entry bundles are pruned, for those who verify: before any is. A log of which
    /// everything is published, and always was, announces nothing.
    ///
    /// # Errors
    /// When the disk failed.
    pub fn announce(&self, minimum: &MinimumIndex) -> Result<(), PublicationError> {
        let file = self.dir.join(minimum::PATH);
        let note = minimum.to_string();
        match self.disk.read(&file) {
            Ok(found) if found == note.as_bytes() => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && minimum.index() == 0 => Ok(()),
            // What cannot be read is replaced.
            _ => durable::replace(&self.disk, &file, note.as_bytes()).map_err(at(&file)),
        }
    }

    /// Removes bundles of entries below this index, by a retention policy that is on record. The hashes stay,
    /// so that the tree and every proof stay valid, and so do the leaves of entries about checkpoint keys, beside
    /// what was opened of them; of a bundle in which this index lies nothing goes, nor of what is not published
    /// yet. Returns below which entry none is kept now.
    ///
    /// # Errors
    /// When the disk failed; what was removed stays removed.
    pub fn prune(&mut self, minimum: u64) -> Result<u64, PublicationError> {
        let whole = |index: u64| index / Tile::WIDTH;
        let (from, to) = (whole(self.pruned), whole(minimum.min(self.size())));
        if from >= to {
            return Ok(self.pruned);
        }
        for tile in (from..to).filter_map(|n| Tile::new(Kind::Entries, n, Tile::WIDTH)) {
            let file = place(&self.dir, tile);
            match self.disk.read(&file) {
                Ok(bundle) => self.keep_key_leaves(&file, &bundle, tile.first())?,
                // A crash came before the mark below was written.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(at(&file)(error)),
            }
            self.disk.remove(&file).map_err(at(&file))?;
        }
        // Last, so that after a crash the rest goes too.
        write_mark(&self.disk, &self.dir.join(PRUNED), to * Tile::WIDTH)?;
        self.pruned = to * Tile::WIDTH;
        Ok(self.pruned)
    }

    /// Keeps of a bundle what proves the succession of checkpoint keys. One that is cut short stays: what it should
    /// hold is nowhere else among the files.
    fn keep_key_leaves(
        &self,
        bundle_file: &Path,
        bundle: &[u8],
        first: u64,
    ) -> Result<(), PublicationError> {
        for (index, entry) in (first..).zip(entries(bundle)) {
            let entry = entry.map_err(|_| PublicationError::Damaged {
                file: bundle_file.to_owned(),
            })?;
            let leaf = Leaf::decode(entry).ok();
            if leaf.is_some_and(|leaf| leaf.entry_type == EntryType::Key) {
                let file = self.dir.join(succession::leaf_path(index));
                let folder = durable::parent(&file);
                durable::create_dir(&self.disk, folder).map_err(at(folder))?;
                durable::replace(&self.disk, &file, entry).map_err(at(&file))?;
            }
        }
        Ok(())
    }
}

/// Removes the folder of partial tiles beside a full one, which must be there.
fn remove_partial(disk: &Disk, full: &Path) -> Result<(), PublicationError> {
    let folder = full.with_added_extension("p");
    if !disk.is_dir(&folder) {
        return Ok(());
    }
    disk.read(full).map_err(at(full))?;
    for file in disk.list(&folder).map_err(at(&folder))? {
        disk.remove(&file).map_err(at(&file))?;
    }
    disk.remove_dir(&folder).map_err(at(&folder))
}

/// A mark that is missing or no number means that nothing was done yet: it is done again then.
pub(super) fn read_mark(disk: &Disk, path: &Path) -> u64 {
    let bytes = disk.read(path).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

fn write_mark(disk: &Disk, path: &Path, size: u64) -> Result<(), PublicationError> {
    durable::replace(disk, path, format!("{size}\n").as_bytes()).map_err(at(path))
}
