//! Writes a log as it is published, and what goes with it, for verifiers that are not ours: see
//! `tests/verifiers/run`.
//!
//! ```text
//! published DIR SIZE
//! ```
//!
//! * `log/`: the published log of so many entries; `log.vkey`: the key that verifies it.
//! * `receipt.tlog-proof` and `receipt.tlog-proof.leaf`: a receipt for one of its entries.
//! * `earlier.checkpoint` and `earlier.proof`: the log when it had a third of its entries, and that it only grew.
//! * `forked.checkpoint`: another log of the same size, signed by the same key.
//! * `first.request`, `next.request`, `forked.request`: what a witness is asked: to cosign the earlier
//!   checkpoint, the later one, and the forked one.

use std::{convert::Infallible, env, error::Error, fs, path::Path};

use schakel_audit::{
    checkpoint::Checkpoint,
    leaf::{EntryType, Leaf, Month, RetentionClass},
    note::SigningKey,
    proof::TlogProof,
    tile::{Kind, Tile, push_entry},
    tree::{Frontier, Hash, Nodes, consistency_proof, inclusion_proof, leaf_hash, root},
    witness::AddCheckpoint,
};

const ORIGIN: &str = "broker.example/audit";
/// A key that is worth nothing: it signs invented logs alone.
const SEED: [u8; 32] = [42; 32];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(dir), Some(size)) = (arguments.next(), arguments.next()) else {
        return Err("usage: published DIR SIZE".into());
    };
    let (dir, size) = (Path::new(&dir), size.parse::<u64>()?);
    if size < 3 {
        return Err("the size must be at least 3".into());
    }
    let key = SigningKey::from_seed(ORIGIN, &SEED)?;
    let (log, forked) = (Log::new(size, "wonen-zuid"), Log::new(size, "wonen-noord"));
    log.publish(&dir.join("log"), &key)?;
    let vkey = format!("{}\n", key.verifying_key());
    fs::write(dir.join("log.vkey"), vkey)?;

    let (earlier, index) = (size / 3, size / 2);
    let proof = inclusion_proof(index, size, &log)?;
    let receipt = TlogProof::new(index, proof, log.sign(size, &key)?);
    fs::write(dir.join("receipt.tlog-proof"), receipt.to_string())?;
    fs::write(
        dir.join("receipt.tlog-proof.leaf"),
        log.leaf(index).encode(),
    )?;

    let proof = consistency_proof(earlier, size, &log)?;
    let lines: Vec<String> = proof.iter().map(Hash::to_base64).collect();
    fs::write(dir.join("earlier.checkpoint"), log.sign(earlier, &key)?)?;
    fs::write(dir.join("earlier.proof"), lines.join("\n") + "\n")?;
    fs::write(dir.join("forked.checkpoint"), forked.sign(size, &key)?)?;

    let ask = |name: &str, old: u64, proof: Vec<Hash>, checkpoint: String| {
        let request = AddCheckpoint {
            old,
            proof,
            checkpoint,
        };
        fs::write(dir.join(name), request.to_string())
    };
    ask("first.request", 0, Vec::new(), log.sign(earlier, &key)?)?;
    ask("next.request", earlier, proof, log.sign(size, &key)?)?;
    let proof = consistency_proof(earlier, size, &forked)?;
    ask("forked.request", earlier, proof, forked.sign(size, &key)?)?;
    Ok(())
}

/// A log whose entries all are of one party.
struct Log {
    size: u64,
    party: &'static str,
    nodes: Vec<Vec<Hash>>,
}

impl Log {
    fn new(size: u64, party: &'static str) -> Self {
        let mut log = Self {
            size,
            party,
            nodes: vec![Vec::new(); 64],
        };
        let mut frontier = Frontier::new();
        for index in 0..size {
            let leaf = leaf_hash(&log.leaf(index).encode());
            frontier.append_with(leaf, |level, _, hash| {
                if let Some(level) = log.nodes.get_mut(usize::from(level)) {
                    level.push(hash);
                }
            });
        }
        log
    }

    fn leaf(&self, index: u64) -> Leaf {
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(index.to_be_bytes()) {
            *to = from;
        }
        Leaf {
            entry_type: EntryType::Disclosure,
            at_ms: 1_795_442_400_000 + index,
            party: self.party.to_owned(),
            transport: None,
            purpose: Some(("P-ARRANGE-HOUSING".to_owned(), 1)),
            id,
            commitment: *leaf_hash(&id).as_bytes(),
            released: None,
            subject_tag: None,
            class: RetentionClass::Standard,
            destroy: Some(Month::MAX),
            rules: None,
        }
    }

    fn sign(&self, size: u64, key: &SigningKey) -> Result<String, Box<dyn Error>> {
        let checkpoint = Checkpoint {
            origin: ORIGIN.parse()?,
            size,
            root: root(size, self)?,
        };
        Ok(checkpoint.sign(key))
    }

    fn publish(&self, dir: &Path, key: &SigningKey) -> Result<(), Box<dyn Error>> {
        for tile in Tile::all(self.size) {
            let mut bytes = Vec::new();
            for at in tile.first()..tile.first() + tile.width() {
                match tile.kind() {
                    Kind::Entries => push_entry(&mut bytes, &self.leaf(at).encode())?,
                    Kind::Hashes(level) => {
                        bytes.extend_from_slice(self.node(8 * level, at)?.as_bytes());
                    }
                }
            }
            let path = dir.join(tile.to_string());
            fs::create_dir_all(path.parent().unwrap_or(dir))?;
            fs::write(path, bytes)?;
        }
        fs::write(dir.join("checkpoint"), self.sign(self.size, key)?)?;
        Ok(())
    }
}

impl Nodes for Log {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        let level = self.nodes.get(usize::from(level));
        let node = level.and_then(|level| level.get(usize::try_from(index).ok()?));
        // It is asked only for what lies within the log.
        Ok(node.copied().unwrap_or(Hash::new([0; 32])))
    }
}
