//! What is published, read by an outsider who has only the files.

use std::{io, path::Path};

use schakel_audit::{
    checkpoint::Checkpoint,
    note::Note,
    tile::{self, Kind, Tile, TileNodes},
    tree::{self, Frontier, leaf_hash},
};
use schakel_store::{disk::simulated::Simulation, log::Frame};

use super::model::text;
use crate::store::publication::key;

/// Where the log is published.
pub(super) const DIR: &str = "/public";

/// The size of the checkpoint that stands there, 0 when there is none, once everything that it needs was found
/// and is what the entries say.
pub(super) fn shown(disk: &Simulation, entries: &[Frame]) -> Result<u64, String> {
    let file = |name: &str| disk.content(&Path::new(DIR).join(name));
    let Some(note) = file("checkpoint") else {
        return Ok(0);
    };
    let note = Note::parse(std::str::from_utf8(&note).map_err(text)?).map_err(text)?;
    note.verify(&[key().verifying_key()]).map_err(text)?;
    let checkpoint = Checkpoint::parse(note.text()).map_err(text)?;
    let size = checkpoint.size;
    let Some(entries) = entries.get(..usize::try_from(size).unwrap()) else {
        return Err(format!(
            "{size} entries are published, and {} durable",
            entries.len()
        ));
    };
    let mut tree = Frontier::new();
    for entry in entries {
        tree.append(leaf_hash(&entry.leaf));
    }
    let read = |tile: Tile| {
        // A partial tile may have made place for the full one: its beginning is the same.
        let whole = || file(&tile.filled()?.to_string());
        let found = file(&tile.to_string()).or_else(whole);
        let missing = || io::Error::new(io::ErrorKind::NotFound, tile.to_string());
        let mut found = found.ok_or_else(missing)?;
        found.truncate(usize::try_from(tile.width()).unwrap() * 32);
        Ok::<_, io::Error>(found)
    };
    let root = tree::root(size, &TileNodes::new(size, read)).map_err(text)?;
    if root != checkpoint.root || root != tree.root() {
        return Err(format!("the checkpoint of {size} entries has another root"));
    }
    for tile in Tile::all(size).filter(|tile| tile.kind() == Kind::Entries) {
        let whole = || file(&tile.filled()?.to_string());
        let bundle = file(&tile.to_string()).or_else(whole);
        let bundle = bundle.ok_or_else(|| format!("{tile} is missing"))?;
        let found = tile::entries(&bundle).map_while(Result::ok);
        let (first, end) = tile.covers();
        let wanted = &entries[usize::try_from(first).unwrap()..usize::try_from(end).unwrap()];
        if !wanted
            .iter()
            .map(|entry| &entry.leaf[..])
            .eq(found.take(wanted.len()))
        {
            return Err(format!("{tile} holds other entries"));
        }
    }
    Ok(size)
}
