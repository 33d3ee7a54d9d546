//! What a published log says of its checkpoint keys, each word of it proved to stand in the log.

use super::{
    Files, Finding, KeyFault, Unread,
    files::{fetch, unread, unread_tile},
    resume::Nodes,
};
use crate::{
    checkpoint::Checkpoint,
    erasure::Opened,
    leaf::{EntryType, Leaf},
    succession::{Statement, leaf_path, path},
    tile::{Kind, MAX_ENTRY, Tile, TileNodes, entries},
    tree::{inclusion_proof, leaf_hash, verify_inclusion},
};

/// Reads what a log says of its keys, oldest first: the index of each entry, and its statement. Every entry is
/// proved to stand under the checkpoint, whose own signature need not be known yet: it is the statements,
/// followed from a pinned key, that tell who may have signed it
/// ([`Succession`](crate::succession::Succession)).
///
/// The leaf of an entry stands in its bundle, and beside the opened details once that bundle is pruned.
pub fn key_statements<F: Files + ?Sized>(
    under: &Checkpoint,
    files: &F,
    findings: &mut Vec<Finding>,
) -> Vec<(u64, Statement)> {
    let mut indexes = match files.key_entries() {
        Ok(indexes) => indexes,
        Err(why) => {
            findings.push(unread("keys".to_owned(), 0..under.size, why));
            Vec::new()
        }
    };
    // What is laid down already and not shown yet is of a later checkpoint.
    indexes.retain(|index| *index < under.size);
    indexes.sort_unstable();
    let mut statements = Vec::new();
    for index in indexes {
        match statement(index, under, files) {
            Ok(statement) => statements.extend(statement.map(|said| (index, said))),
            // A tile that cannot be read may be wanted for many of them, and is found once.
            Err(finding) => {
                let file = finding.unread_file();
                if file.is_none() || findings.iter().all(|known| known.unread_file() != file) {
                    findings.push(finding);
                }
            }
        }
    }
    statements
}

fn statement<F: Files + ?Sized>(
    index: u64,
    under: &Checkpoint,
    files: &F,
) -> Result<Option<Statement>, Finding> {
    let entry = entry(index, under.size, files)?;
    prove(index, &entry, under, files)?;
    let file = path(index);
    let bytes = files
        .read(&file, MAX_LEN)
        .map_err(|why| unread(file.clone(), index..index + 1, why))?;
    read(&entry, &bytes).map_err(|fault| Finding::Key { index, file, fault })
}

/// The statement in an entry; `None` in one about another key of the broker.
fn read(entry: &[u8], bytes: &[u8]) -> Result<Option<Statement>, KeyFault> {
    let leaf = Leaf::decode(entry)?;
    if leaf.entry_type != EntryType::Key {
        return Err(KeyFault::Other(leaf.entry_type));
    }
    let opened = Opened::decode(bytes).ok_or(KeyFault::Short)?;
    if !opened.opens(&leaf) {
        return Err(KeyFault::Commitment);
    }
    if !Statement::stands_in(&opened) {
        return Ok(None);
    }
    Ok(Some(Statement::in_details(&opened)?))
}

/// The bytes of the leaf: beside the opened details, or in its bundle.
fn entry<F: Files + ?Sized>(index: u64, size: u64, files: &F) -> Result<Vec<u8>, Finding> {
    let beside = leaf_path(index);
    let absent = |file| unread(file, index..index + 1, Unread::Absent);
    match files.read(&beside, MAX_ENTRY) {
        Ok(bytes) => return Ok(bytes),
        Err(Unread::Absent) => {}
        Err(why) => return Err(unread(beside, index..index + 1, why)),
    }
    let tile = Tile::of(Kind::Entries, index / Tile::WIDTH, size);
    let Some(tile) = tile else {
        return Err(absent(beside));
    };
    let bundle = fetch(tile, files).map_err(|why| match why {
        Unread::Absent => absent(beside),
        why => unread_tile(tile, why),
    })?;
    let at = usize::try_from(index % Tile::WIDTH).unwrap_or(usize::MAX);
    match entries(&bundle.bytes).nth(at) {
        Some(Ok(entry)) => Ok(entry.to_owned()),
        _ => Err(Finding::BundleCut { tile, index }),
    }
}

/// Proves from the stored hashes that the entry stands under the checkpoint.
fn prove<F: Files + ?Sized>(
    index: u64,
    entry: &[u8],
    under: &Checkpoint,
    files: &F,
) -> Result<(), Finding> {
    let nodes = Nodes::new(files);
    let tiles = TileNodes::new(under.size, |tile| nodes.read(tile));
    let proof = inclusion_proof(index, under.size, &tiles).unwrap_or_default();
    if let Some(unread) = nodes.take().pop() {
        return Err(unread);
    }
    verify_inclusion(leaf_hash(entry), index, under.size, &proof, under.root).map_err(|error| {
        let (file, fault) = (path(index), KeyFault::Unproved(error));
        Finding::Key { index, file, fault }
    })
}

/// The longest opened details that are read, in bytes: many times what an entry can have.
pub(super) const MAX_LEN: usize = 1 << 16;
