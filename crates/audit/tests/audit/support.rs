//! Trees in memory, and the definitions of RFC 6962 section 2.1 word for word.

use std::convert::Infallible;

use schakel_audit::tree::{Frontier, Hash, Nodes, empty_root, leaf_hash, node_hash};

/// The eight leaves with which implementations of RFC 6962 compare themselves.
pub(crate) const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// The hashes of the first of [`LEAVES`].
pub(crate) fn canonical(count: usize) -> Vec<Hash> {
    LEAVES[..count]
        .iter()
        .map(|leaf| leaf_hash(&hex::decode(leaf).unwrap()))
        .collect()
}

/// The hashes of as many leaves, each different.
pub(crate) fn numbered(count: u64) -> Vec<Hash> {
    (0..count)
        .map(|index| leaf_hash(&index.to_be_bytes()))
        .collect()
}

pub(crate) fn hash(hex: &str) -> Hash {
    let bytes: [u8; 32] = hex::decode(hex).unwrap().try_into().unwrap();
    bytes.into()
}

/// Every complete subtree of a tree, by level.
#[derive(Default)]
pub(crate) struct Levels {
    pub(crate) frontier: Frontier,
    nodes: Vec<Vec<Hash>>,
}

impl Levels {
    pub(crate) fn new(leaves: &[Hash]) -> Self {
        let mut levels = Self::default();
        for leaf in leaves {
            levels.append(*leaf);
        }
        levels
    }

    pub(crate) fn append(&mut self, leaf: Hash) {
        let nodes = &mut self.nodes;
        self.frontier.append_with(leaf, |level, index, hash| {
            let level = usize::from(level);
            if level == nodes.len() {
                nodes.push(Vec::new());
            }
            assert_eq!(u64::try_from(nodes[level].len()).unwrap(), index);
            nodes[level].push(hash);
        });
    }
}

impl Nodes for Levels {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        Ok(self.nodes[usize::from(level)][usize::try_from(index).unwrap()])
    }
}

/// The tree in which every leaf has the same hash, of any size.
pub(crate) struct Uniform(Vec<Hash>);

impl Uniform {
    pub(crate) fn new() -> Self {
        let first = leaf_hash(b"the same everywhere");
        let next = |hash: &Hash| Some(node_hash(hash, hash));
        Self(std::iter::successors(Some(first), next).take(64).collect())
    }

    pub(crate) fn leaf(&self) -> Hash {
        self.0[0]
    }
}

impl Nodes for Uniform {
    type Error = Infallible;

    fn node(&self, level: u8, _: u64) -> Result<Hash, Infallible> {
        Ok(self.0[usize::from(level)])
    }
}

/// `MTH` of RFC 6962 section 2.1.
pub(crate) fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = halves(leaves);
            node_hash(&mth(left), &mth(right))
        }
    }
}

/// `PATH` of RFC 6962 section 2.1.1.
pub(crate) fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = halves(leaves);
    if index < left.len() {
        [path(index, left), vec![mth(right)]].concat()
    } else {
        [path(index - left.len(), right), vec![mth(left)]].concat()
    }
}

/// `SUBPROOF` of RFC 6962 section 2.1.2; `PROOF` is that of the whole.
pub(crate) fn subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![mth(leaves)] };
    }
    let (left, right) = halves(leaves);
    if old <= left.len() {
        [subproof(old, left, whole), vec![mth(right)]].concat()
    } else {
        [subproof(old - left.len(), right, false), vec![mth(left)]].concat()
    }
}

fn halves(leaves: &[Hash]) -> (&[Hash], &[Hash]) {
    let mut at = 1;
    while at * 2 < leaves.len() {
        at *= 2;
    }
    leaves.split_at(at)
}
