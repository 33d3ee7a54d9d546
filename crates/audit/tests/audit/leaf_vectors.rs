//! The published examples of the leaf, `tests/vectors/leaf.txt`, and its schema, `leaf.cddl`.

use std::collections::BTreeMap;

use schakel_audit::{
    commitment::{commit, released, verify_commit, verify_released},
    leaf::{EntryType, Leaf, LeafError, Month, RetentionClass},
    tree::leaf_hash,
};

use super::support::hash;

const VECTORS: &str = include_str!("../vectors/leaf.txt");
const SCHEMA: &str = include_str!("../../leaf.cddl");

/// A block of the vectors: what its first line says, and the lines after it.
struct Block {
    kind: &'static str,
    name: &'static str,
    lines: BTreeMap<&'static str, &'static str>,
}

impl Block {
    fn get(&self, key: &str) -> &'static str {
        self.find(key)
            .unwrap_or_else(|| panic!("{}: no {key}", self.name))
    }

    fn find(&self, key: &str) -> Option<&'static str> {
        self.lines.get(key).copied()
    }

    fn bytes<const N: usize>(&self, key: &str) -> [u8; N] {
        hex::decode(self.get(key)).unwrap().try_into().unwrap()
    }

    fn find_bytes<const N: usize>(&self, key: &str) -> Option<[u8; N]> {
        self.find(key).map(|_| self.bytes(key))
    }

    fn number(&self, key: &str) -> u64 {
        self.get(key).parse().unwrap()
    }

    fn encoding(&self) -> Vec<u8> {
        hex::decode(self.find("bytes").unwrap_or_default()).unwrap()
    }
}

fn blocks(kind: &str) -> Vec<Block> {
    let blocks: Vec<_> = VECTORS
        .split("\n\n")
        .filter(|block| !block.starts_with('#'))
        .map(|block| {
            let mut lines = block
                .lines()
                .map(|line| line.split_once(' ').unwrap_or((line, "")));
            let (kind, name) = lines.next().unwrap();
            Block {
                kind,
                name,
                lines: lines.collect(),
            }
        })
        .filter(|block| block.kind == kind)
        .collect();
    assert!(!blocks.is_empty());
    blocks
}

fn leaf(block: &Block) -> Leaf {
    Leaf {
        entry_type: EntryType::from_number(block.number("entry-type")).unwrap(),
        at_ms: block.number("at-ms"),
        party: block.get("party").to_owned(),
        transport: block.find("transport").map(str::to_owned),
        purpose: block.find("purpose").map(|purpose| {
            let (code, version) = purpose.split_once(' ').unwrap();
            (code.to_owned(), version.parse().unwrap())
        }),
        id: block.bytes("id"),
        commitment: block.bytes("commitment"),
        released: block.find_bytes("released"),
        subject_tag: block.find_bytes("subject-tag"),
        class: RetentionClass::from_number(block.number("class")).unwrap(),
        destroy: block
            .find("destroy")
            .map(|month| Month::from_number(month.parse().unwrap()).unwrap()),
        rules: block.find_bytes("rules"),
    }
}

/// The name by which the vectors call an error.
fn name(error: &LeafError) -> &'static str {
    match error {
        LeafError::TooLong { .. } => "too-long",
        LeafError::Truncated { .. } => "truncated",
        LeafError::NotCanonical { .. } => "not-canonical",
        LeafError::Kind { .. } => "kind",
        LeafError::KeyOrder { .. } => "key-order",
        LeafError::UnknownKey { .. } => "unknown-key",
        LeafError::Missing { .. } => "missing",
        LeafError::Length { .. } => "length",
        LeafError::Trailing { .. } => "trailing",
        LeafError::Version { .. } => "version",
        LeafError::EntryType { .. } => "entry-type",
        LeafError::Class { .. } => "class",
        LeafError::PurposeVersion { .. } => "purpose-version",
        LeafError::Month(_) => "month",
        LeafError::Name { .. } => "name",
        LeafError::OwnTransport => "own-transport",
        LeafError::DestroyMissing { .. } => "destroy-missing",
        LeafError::DestroyUnwanted { .. } => "destroy-unwanted",
    }
}

#[test]
fn leaves_are_encoded_as_published() {
    for block in blocks("leaf") {
        let (leaf, bytes) = (leaf(&block), block.encoding());
        assert_eq!(
            hex::encode(leaf.encode()),
            hex::encode(&bytes),
            "{}",
            block.name
        );
        assert_eq!(Leaf::decode(&bytes), Ok(leaf), "{}", block.name);
        assert_eq!(leaf_hash(&bytes), hash(block.get("hash")), "{}", block.name);
    }
}

#[test]
fn refused_bytes_are_refused_for_the_published_reason() {
    for block in blocks("refused") {
        let error = Leaf::decode(&block.encoding()).expect_err(block.name);
        assert_eq!(name(&error), block.get("why"), "{}: {error}", block.name);
    }
}

#[test]
fn every_reason_to_refuse_has_an_example() {
    let mut reasons: Vec<_> = blocks("refused").iter().map(|b| b.get("why")).collect();
    reasons.sort_unstable();
    reasons.dedup();
    assert_eq!(reasons.len(), 18, "{reasons:?}");
}

#[test]
fn the_largest_leaf_is_of_the_stated_length() {
    let blocks = blocks("leaf");
    let largest = blocks.iter().find(|block| block.name == "largest").unwrap();
    assert_eq!(largest.encoding().len(), Leaf::MAX_LEN);
}

#[test]
fn commitments_are_made_as_published() {
    let [block] = blocks("commitments").try_into().ok().unwrap();
    let details = hex::decode(block.get("details")).unwrap();
    let content = hex::decode(block.get("content")).unwrap();
    let (blind, salt) = (block.bytes("blind"), block.bytes("salt"));
    assert_eq!(commit(&blind, &details), block.bytes("commitment"));
    assert_eq!(released(&salt, &content), block.bytes("released"));
    assert!(verify_commit(&blind, &details, &block.bytes("commitment")));
    assert!(verify_released(&salt, &content, &block.bytes("released")));
}

#[test]
fn the_schema_names_the_same_codes() {
    let codes = |rule: &str| -> Vec<String> {
        let (_, rest) = SCHEMA.split_once(&format!("{rule} = &(\n")).unwrap();
        let (body, _) = rest.split_once("\n)").unwrap();
        body.lines().map(|line| line.trim().to_owned()).collect()
    };
    let types = EntryType::ALL.map(|it| format!("{it}: {},", it.number()));
    assert_eq!(codes("entry-type"), types);
    let classes = RetentionClass::ALL.map(|it| format!("{it}: {},", it.number()));
    assert_eq!(codes("retention-class"), classes);
}
