//! The stored hashes: one tile of each level at a time, each read once.

use super::{
    Files, Finding,
    files::{Fetched, fetch, unread_tile},
};
use crate::{
    tile::{Kind, Tile},
    tree::Hash,
};

/// The tiles of hashes that are being passed, one a level.
#[derive(Clone, Debug, Default)]
pub(super) struct Stored {
    open: Vec<Option<Open>>,
}

#[derive(Clone, Debug)]
struct Open {
    tile: Tile,
    /// `None` when it cannot be read.
    hashes: Option<Vec<Hash>>,
}

impl Stored {
    /// A stored hash of a tile level, and the tile that it stands in. `None` when it cannot be had; what is
    /// wrong with its tile was then found, once.
    pub(super) fn hash<F: Files + ?Sized>(
        &mut self,
        level: u8,
        index: u64,
        size: u64,
        files: &F,
        findings: &mut Vec<Finding>,
    ) -> Option<(Tile, Hash)> {
        let tile = Tile::of(Kind::Hashes(level), index / Tile::WIDTH, size)?;
        let at = usize::from(level);
        if self.open.len() <= at {
            self.open.resize(at + 1, None);
        }
        let slot = self.open.get_mut(at)?;
        if slot
            .as_ref()
            .is_none_or(|open| open.tile.index() != tile.index())
        {
            *slot = Some(read(tile, files, findings));
        }
        let open = slot.as_ref()?;
        let within = usize::try_from(index % Tile::WIDTH).ok()?;
        let hash = open.hashes.as_ref()?.get(within)?;
        Some((open.tile, *hash))
    }
}

fn read<F: Files + ?Sized>(tile: Tile, files: &F, findings: &mut Vec<Finding>) -> Open {
    match hashes(tile, files) {
        Ok((tile, hashes)) => Open {
            tile,
            hashes: Some(hashes),
        },
        Err(finding) => {
            findings.push(finding);
            Open { tile, hashes: None }
        }
    }
}

/// The hashes of a tile, as many as it has in the log at hand.
pub(super) fn hashes<F: Files + ?Sized>(
    tile: Tile,
    files: &F,
) -> Result<(Tile, Vec<Hash>), Finding> {
    let Fetched { tile: file, bytes } = fetch(tile, files).map_err(|why| unread_tile(tile, why))?;
    let width = usize::try_from(tile.width()).unwrap_or(0);
    match file.hashes(&bytes) {
        Ok(hashes) => Ok((file, hashes.take(width).collect())),
        Err(fault) => Err(Finding::TileLength { tile: file, fault }),
    }
}
