//! The files that `tests/golden/verify.trycmd` verifies, made again from what is written here, so that none
//! of them can drift from the formats.

use std::{convert::Infallible, fs, path::Path};

use schakel_audit::{
    checkpoint::Checkpoint,
    commitment::released,
    cosignature::WitnessSigningKey,
    export::{Details, End, Entry, Head, Line},
    leaf::{EntryType, Leaf, Month, RetentionClass},
    note::{Note, SigningKey},
    proof::TlogProof,
    tile::{Kind, Tile, push_entry},
    tree::{Hash, Nodes, consistency_proof, inclusion_proof, leaf_hash, node_hash, root},
};

mod keys;

const ORIGIN: &str = "broker.example/log";
const DISCLOSURE: &[u8] = b"what was disclosed";
const SALT: [u8; 32] = [9; 32];
/// When the first witness saw the log of nine entries: 2026-11-23T15:00:00Z.
const SEEN: u64 = 1_795_446_000;

/// A log of these leaves.
struct Log(Vec<Vec<u8>>);

impl Nodes for Log {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        Ok(match level {
            0 => leaf_hash(&self.0[usize::try_from(index).unwrap()]),
            _ => node_hash(
                &self.node(level - 1, 2 * index)?,
                &self.node(level - 1, 2 * index + 1)?,
            ),
        })
    }
}

impl Log {
    /// A log of so many leaves, of which each says a little else.
    fn of(size: u64) -> Self {
        Self((0..size).map(leaf).collect())
    }

    fn size(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap()
    }

    fn checkpoint(&self) -> String {
        sign(self.size(), root(self.size(), self).unwrap())
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[7; 32]).unwrap()
}

fn sign(size: u64, root: Hash) -> String {
    let origin = ORIGIN.parse().unwrap();
    Checkpoint { origin, size, root }.sign(&key())
}

/// A checkpoint with the signature of the first witness.
fn cosign(checkpoint: &str) -> String {
    let mut note = Note::parse(checkpoint).unwrap();
    let text = note.text().to_owned();
    note.add(witness(1).cosign(&text, SEEN));
    note.to_string()
}

fn witness(number: u8) -> WitnessSigningKey {
    WitnessSigningKey::from_seed(&format!("witness.example/{number}"), &[number; 32]).unwrap()
}

/// A policy that knows the log and two witnesses.
fn policy(quorum: &str) -> String {
    let (first, second) = (witness(1).witness_key(), witness(2).witness_key());
    let log = key();
    let log = log.verifying_key();
    format!(
        "log {log}\nwitness first {first}\nwitness second {second}\n\
         group outsiders {quorum} first second\nquorum outsiders\n"
    )
}

/// An export of all entries of a log, none of them opened: a section for each of these checkpoints and their sizes.
fn export(log: &Log, checkpoints: &[(u64, String)]) -> Vec<u8> {
    let (mut lines, mut from) = (Vec::new(), 0);
    for (size, checkpoint) in checkpoints {
        let consistency = match from {
            0 => Vec::new(),
            from => consistency_proof(from, *size, log).unwrap(),
        };
        lines.push(Line::Head(Head {
            origin: ORIGIN.parse().unwrap(),
            checkpoint: checkpoint.clone(),
            from,
            controller: None,
            consistency,
        }));
        lines.extend((from..*size).map(|index| {
            Line::Entry(Entry {
                index,
                leaf: log.0[usize::try_from(index).unwrap()].clone(),
                proof: inclusion_proof(index, *size, log).unwrap(),
                details: Details::Withheld,
            })
        }));
        lines.push(Line::End(End {
            end: *size,
            entries: size - from,
        }));
        from = *size;
    }
    let lines: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    lines.concat().into_bytes()
}

/// The published files of a log, with this checkpoint.
fn published(name: &str, log: &Log, checkpoint: String) -> Vec<(String, Vec<u8>)> {
    let file = |tile: Tile| {
        let mut bytes = Vec::new();
        for index in tile.first()..tile.first() + tile.width() {
            match tile.kind() {
                Kind::Entries => {
                    let entry = &log.0[usize::try_from(index).unwrap()];
                    push_entry(&mut bytes, entry).unwrap();
                }
                Kind::Hashes(level) => {
                    bytes.extend_from_slice(log.node(8 * level, index).unwrap().as_bytes());
                }
            }
        }
        (format!("{name}/{tile}"), bytes)
    };
    let mut files: Vec<_> = Tile::all(log.size()).map(file).collect();
    files.push((format!("{name}/checkpoint"), checkpoint.into_bytes()));
    files
}

fn leaf(index: u64) -> Vec<u8> {
    let byte = u8::try_from(index % 256).unwrap();
    let leaf = Leaf {
        entry_type: EntryType::Disclosure,
        at_ms: 1_795_442_400_000 + index,
        party: "wonen-zuid".into(),
        transport: None,
        purpose: Some(("P-ARRANGE-HOUSING".into(), 1)),
        id: [byte; 16],
        commitment: [byte; 32],
        released: Some(released(&SALT, DISCLOSURE)),
        subject_tag: Some([byte; 16]),
        class: RetentionClass::Standard,
        destroy: Some(Month::from_number(203_112).unwrap()),
        rules: None,
    };
    leaf.encode()
}

/// Every file by its name.
fn files() -> Vec<(String, Vec<u8>)> {
    let nine = Log::of(9);
    let checkpoint = cosign(&nine.checkpoint());
    let mut files: Vec<(String, Vec<u8>)> = published("published", &nine, checkpoint.clone());
    files.extend(
        published("damaged", &nine, checkpoint)
            .into_iter()
            .map(|(name, mut bytes)| {
                if name.contains("entries") {
                    // In the fourth entry.
                    let at = bytes.len() / 9 * 3 + 20;
                    bytes[at] ^= 1;
                }
                (name, bytes)
            }),
    );
    let single = single_files().into_iter();
    files.extend(single.map(|(name, bytes)| (name.to_owned(), bytes)));
    files.extend(keys::files());
    files
}

/// The files that stand by themselves.
fn single_files() -> Vec<(&'static str, Vec<u8>)> {
    let (five, nine) = (Log::of(5), Log::of(9));
    let proof = TlogProof::new(3, inclusion_proof(3, 9, &nine).unwrap(), nine.checkpoint());
    let consistency: Vec<_> = consistency_proof(5, 9, &nine).unwrap();
    let lines = |hashes: &[Hash]| -> String {
        let lines = hashes
            .iter()
            .flat_map(|hash| [hash.to_base64(), "\n".to_owned()]);
        lines.collect()
    };
    let mut altered = leaf(3);
    // The last digit of the party's name.
    let at = altered
        .windows(10)
        .position(|part| part == b"wonen-zuid")
        .unwrap()
        + 9;
    altered[at] = b'e';
    let other_key = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    let whole = [(9, cosign(&nine.checkpoint()))];
    vec![
        (
            "log.vkey",
            format!("{}\n", key().verifying_key()).into_bytes(),
        ),
        (
            "other.vkey",
            format!("{}\n", other_key.verifying_key()).into_bytes(),
        ),
        ("receipt.tlog-proof", proof.to_string().into_bytes()),
        ("receipt.tlog-proof.leaf", leaf(3)),
        ("receipt.tlog-proof.disclosure", DISCLOSURE.to_vec()),
        ("receipt.tlog-proof.salt", SALT.to_vec()),
        ("altered.leaf", altered),
        ("five.checkpoint", five.checkpoint().into_bytes()),
        ("nine.checkpoint", nine.checkpoint().into_bytes()),
        (
            "forked.checkpoint",
            sign(9, Hash::new([1; 32])).into_bytes(),
        ),
        ("five-to-nine.proof", lines(&consistency).into_bytes()),
        ("too-short.proof", lines(&consistency[1..]).into_bytes()),
        ("nonsense", b"nonsense\n".to_vec()),
        ("export.jsonl", export(&nine, &whole)),
        ("shorter.jsonl", {
            let mut export = export(&nine, &whole);
            let at = export.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            let next = export[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
            export.drain(at..at + next);
            export
        }),
        ("any.policy", policy("any").into_bytes()),
        ("all.policy", policy("all").into_bytes()),
        (
            "cosigned.checkpoint",
            cosign(&nine.checkpoint()).into_bytes(),
        ),
    ]
}

/// `SCHAKEL_WRITE_EVIDENCE=1` writes them.
#[test]
fn the_evidence_is_what_is_written_here() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/verify.in");
    for (name, bytes) in files() {
        let path = dir.join(&name);
        if std::env::var_os("SCHAKEL_WRITE_EVIDENCE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &bytes).unwrap();
        }
        assert!(fs::read(&path).unwrap() == bytes, "`{name}` is another");
    }
}
