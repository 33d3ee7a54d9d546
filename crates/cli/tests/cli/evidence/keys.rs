//! Logs whose checkpoint keys changed, honestly and otherwise, and one of which old entries are pruned.

use schakel_audit::{
    checkpoint::Checkpoint,
    commitment::commit,
    erasure::Opened,
    leaf::{EntryType, Leaf, RetentionClass},
    minimum::{self, MinimumIndex},
    note::SigningKey,
    succession::{self, Statement, Turn, leaf_path, path},
    tree::root,
};

use super::{Log, ORIGIN, export, leaf, published};

const BLIND: [u8; 32] = [5; 32];

/// What a log says of its keys: where, of which key, whether it is in use from there, and who signs that.
type Said<'a> = (u64, u8, bool, &'a [u8]);

/// The life of the key that `log.vkey` is: another is taken into use beside it, and outlives it.
const HONEST: &[Said<'_>] = &[(2, 9, true, &[7, 9]), (5, 7, false, &[9])];

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[seed; 32]).unwrap()
}

/// A log of so many entries that says this of its keys, and what is published beside its tiles.
fn turned(size: u64, said: &[Said<'_>]) -> (Log, Vec<(String, Vec<u8>)>) {
    let mut log = Log::of(size);
    let mut opened = Vec::new();
    for (index, about, in_use, signers) in said {
        let turn = if *in_use { Turn::InUse } else { Turn::Retired };
        let signers: Vec<SigningKey> = signers.iter().map(|seed| key(*seed)).collect();
        let signers: Vec<&SigningKey> = signers.iter().collect();
        let (origin, about) = (ORIGIN.parse().unwrap(), key(*about));
        let statement = Statement::make(&origin, turn, about.verifying_key(), &signers).unwrap();
        let details = details(&statement, *in_use);
        let entry = Leaf {
            entry_type: EntryType::Key,
            commitment: commit(&BLIND, &details),
            class: RetentionClass::Permanent,
            destroy: None,
            purpose: None,
            released: None,
            subject_tag: None,
            ..Leaf::decode(&leaf(*index)).unwrap()
        };
        log.0[usize::try_from(*index).unwrap()] = entry.encode();
        let blind = BLIND;
        opened.push((path(*index), Opened { blind, details }.encode()));
        opened.push((leaf_path(*index), entry.encode()));
    }
    (log, opened)
}

/// Its checkpoint of so many entries, signed by a key.
fn signed(log: &Log, size: u64, by: u8) -> String {
    let checkpoint = Checkpoint {
        origin: ORIGIN.parse().unwrap(),
        size,
        root: root(size, log).unwrap(),
    };
    checkpoint.sign(&key(by))
}

/// The published files of a log of so many entries that says this of its keys, signed by one of them.
fn said(name: &str, size: u64, said: &[Said<'_>], by: u8) -> Vec<(String, Vec<u8>)> {
    let (log, opened) = turned(size, said);
    let mut files = published(name, &log, signed(&log, size, by));
    // The leaves stand beside them once the bundle is pruned.
    let is_pruned = size > 256;
    let opened = opened.into_iter();
    files.extend(
        opened
            .filter(|(path, _)| is_pruned || succession::parse_leaf_path(path).is_none())
            .map(|(path, bytes)| (format!("{name}/{path}"), bytes)),
    );
    files.retain(|(path, _)| !path.ends_with("tile/entries/000"));
    files
}

/// The details as `key.cddl` has them.
fn details(statement: &Statement, in_use: bool) -> Vec<u8> {
    let mut bytes = b"\xa1\x65event\xa1\x6dCheckpointKey\xa3\x69statement\x79".to_vec();
    let note = statement.to_string();
    bytes.extend(u16::try_from(note.len()).unwrap().to_be_bytes());
    bytes.extend(note.as_bytes());
    let vkey = statement.key().to_string();
    bytes.extend(b"\x63key\x78");
    bytes.push(u8::try_from(vkey.len()).unwrap());
    bytes.extend(vkey.as_bytes());
    bytes.extend(b"\x66in_use");
    bytes.push(if in_use { 0xf5 } else { 0xf4 });
    bytes
}

/// What is announced of a log of which old entries are pruned.
fn announced(name: &str, by: u8) -> (String, Vec<u8>) {
    let origin = ORIGIN.parse().unwrap();
    let note = MinimumIndex::make(&origin, 258, &[key(by)]).unwrap();
    let path = format!("{name}/{}", minimum::PATH);
    (path, note.to_string().into_bytes())
}

pub(super) fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = said("rotated", 9, HONEST, 9);
    // Signed on by a key that was retired.
    files.extend(said("retired", 9, HONEST, 7));
    // A key that a stranger vouches for, and one taken into use before the one that vouches for it is.
    files.extend(said("stranger", 9, &[(2, 8, true, &[6, 8])], 8));
    let early: &[Said<'_>] = &[(2, 9, true, &[8, 9]), (5, 8, true, &[7, 8])];
    files.extend(said("disordered", 9, early, 9));
    // A retired key that comes back.
    let back: &[Said<'_>] = &[HONEST[0], HONEST[1], (7, 7, true, &[9, 7])];
    files.extend(said("returned", 9, back, 9));
    // The word of one key, altered to be about another.
    let mut forged = said("forged", 9, HONEST, 9);
    let mut parts = forged.iter_mut();
    let (_, bytes) = parts.find(|(path, _)| path.ends_with("keys/002")).unwrap();
    let at = bytes.len() - 20;
    bytes[at] ^= 1;
    files.extend(forged);
    for (name, by) in [("pruned", 9), ("pruned-by-nobody", 6)] {
        files.extend(said(name, 260, HONEST, 9));
        files.push(announced(name, by));
    }
    // A section under the first key, and one under the key that outlived it, or under the first all the same.
    let (log, _) = turned(9, HONEST);
    for (name, by) in [("rotated.jsonl", 9), ("retired.jsonl", 7)] {
        let checkpoints = [(5, signed(&log, 5, 7)), (9, signed(&log, 9, by))];
        files.push((name.to_owned(), export(&log, &checkpoints)));
    }
    let next = format!("{}\n", key(9).verifying_key());
    files.push(("next.vkey".to_owned(), next.into_bytes()));
    files
}
