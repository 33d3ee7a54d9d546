//! Publishing the log, and reading what is published as somebody who has the files alone.

use std::{fs, io, path::Path};

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use schakel_audit::{
    checkpoint::Checkpoint,
    note::{Note, SigningKey},
    tile::{self, Kind, Tile, TileNodes},
    tree,
};
use schakel_store::{disk::Disk, log::LogReader, publication::Publication};
use sha2::Sha256;

use super::{Fallible, ORIGIN};

/// Publishes all there is; how many entries that are.
pub(super) fn publish(dir: &Path, log: &LogReader) -> Fallible<u64> {
    let mut publication = Publication::open(Disk::real(), dir)?;
    let (size, root) = log.head();
    let laid = publication.lay(log, size)?;
    let origin = ORIGIN.parse()?;
    let checkpoint = Checkpoint { origin, size, root };
    publication.show(&laid, &checkpoint.sign(&key()?))?;
    Ok(size)
}

/// How many entries are published, once everything is there that the checkpoint covers, and is what the log says.
pub(super) fn check(dir: &Path, log: &LogReader) -> Fallible<u64> {
    let note = match fs::read_to_string(dir.join("checkpoint")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        read => read?,
    };
    let note = Note::parse(&note)?;
    note.verify(&[key()?.verifying_key()])?;
    let Checkpoint { size, root, .. } = Checkpoint::parse(note.text())?;
    if size > log.size() {
        return Err(format!("{size} entries are published, and {} durable", log.size()).into());
    }
    let hashes = |tile: Tile| {
        let mut found = read(dir, tile)?;
        found.truncate(usize::try_from(tile.width()).unwrap_or(usize::MAX) * 32);
        Ok::<_, io::Error>(found)
    };
    let found = tree::root(size, &TileNodes::new(size, hashes))?;
    let others = root_by_others(log, size)?;
    if found != root || log.root_at(size)? != root || others != root.as_bytes() {
        return Err(format!("the checkpoint of {size} entries has another root").into());
    }
    for tile in Tile::all(size).filter(|tile| tile.kind() == Kind::Entries) {
        let bundle = read(dir, tile)?;
        let leaves = tile::entries(&bundle).map_while(Result::ok);
        let count = usize::try_from(tile.width())?;
        let wanted = log.iter(tile.first()).take(count);
        let wanted = wanted.map(|(_, entry)| Ok(entry?.leaf));
        let wanted = wanted.collect::<Fallible<Vec<_>>>()?;
        if !leaves.take(count).eq(wanted) {
            return Err(format!("{tile} holds other entries").into());
        }
    }
    Ok(size)
}

/// The root over the first entries by an implementation that others wrote.
fn root_by_others(log: &LogReader, size: u64) -> Fallible<Vec<u8>> {
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for (_, entry) in log.iter(0).take(usize::try_from(size)?) {
        tree.push(entry?.leaf);
    }
    Ok(tree.root().as_bytes().to_vec())
}

/// A tile; a partial one may have made place for the full one, which begins with the same.
fn read(dir: &Path, tile: Tile) -> io::Result<Vec<u8>> {
    let path = |tile: Tile| dir.join(tile.to_string());
    match (fs::read(path(tile)), tile.filled()) {
        (Err(error), Some(full)) if error.kind() == io::ErrorKind::NotFound => fs::read(path(full)),
        (read, _) => read,
    }
}

fn key() -> Fallible<SigningKey> {
    Ok(SigningKey::from_seed(ORIGIN, &[7; 32])?)
}
