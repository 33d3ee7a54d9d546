//! The tree against published numbers, and `tests/vectors/tree.json`: proofs whole, bent and broken.

use schakel_audit::tree::{
    Frontier, Hash, consistency_proof, empty_root, inclusion_proof, leaf_hash, node_hash, root,
    verify_consistency, verify_inclusion,
};
use serde::Deserialize;

use super::support::{Levels, canonical, hash};

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const INCLUSION_5_OF_8: [&str; 3] = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
];
const CONSISTENCY_6_TO_8: [&str; 3] = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
];

#[test]
fn leaves_and_nodes_are_hashed_as_published() {
    assert_eq!(
        leaf_hash(b"L123456"),
        hash("395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56")
    );
    // The published node has children of four bytes; ours are hashes, so the rule is shown on a root.
    let leaves = canonical(2);
    assert_eq!(node_hash(&leaves[0], &leaves[1]), hash(ROOTS[2]));
    assert_eq!(empty_root(), hash(ROOTS[0]));
    assert_eq!(
        empty_root().to_base64(),
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    );
}

#[test]
fn roots_are_as_published() {
    let levels = Levels::new(&canonical(8));
    let mut frontier = Frontier::new();
    for (size, want) in (0u64..).zip(ROOTS) {
        assert_eq!(root(size, &levels), Ok(hash(want)));
        assert_eq!(frontier.root(), hash(want));
        if let Some(leaf) = canonical(8).get(usize::try_from(size).unwrap()) {
            frontier.append(*leaf);
        }
    }
}

#[test]
fn proofs_are_as_published() {
    let levels = Levels::new(&canonical(8));
    let proof = inclusion_proof(5, 8, &levels).unwrap();
    assert_eq!(proof, INCLUSION_5_OF_8.map(hash));
    assert_eq!(
        verify_inclusion(canonical(6)[5], 5, 8, &proof, hash(ROOTS[8])),
        Ok(())
    );
    let proof = consistency_proof(6, 8, &levels).unwrap();
    assert_eq!(proof, CONSISTENCY_6_TO_8.map(hash));
    assert_eq!(
        verify_consistency(6, hash(ROOTS[6]), 8, hash(ROOTS[8]), &proof),
        Ok(())
    );
}

#[test]
fn inclusion_holds_exactly_where_the_definition_says() {
    let vectors = vectors().inclusion;
    assert!(vectors.len() > 300);
    for it in vectors {
        let proof = hashes(&it.proof);
        let (leaf, root) = (base64(&it.leaf_hash), base64(&it.root));
        let got = verify_inclusion(leaf, it.leaf_idx, it.tree_size, &proof, root);
        assert_eq!(got.is_err(), it.want_err, "{}: {got:?}", it.desc);
    }
}

#[test]
fn consistency_holds_exactly_where_the_definition_says() {
    let vectors = vectors().consistency;
    assert!(vectors.len() > 300);
    for it in vectors {
        let proof = hashes(&it.proof);
        let (old, new) = (base64(&it.root1), base64(&it.root2));
        let got = verify_consistency(it.size1, old, it.size2, new, &proof);
        assert_eq!(got.is_err(), it.want_err, "{}: {got:?}", it.desc);
    }
}

#[derive(Deserialize)]
struct Vectors {
    inclusion: Vec<Inclusion>,
    consistency: Vec<Consistency>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    desc: String,
    leaf_idx: u64,
    tree_size: u64,
    root: String,
    leaf_hash: String,
    proof: Vec<String>,
    want_err: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    desc: String,
    size1: u64,
    size2: u64,
    root1: String,
    root2: String,
    proof: Vec<String>,
    want_err: bool,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/tree.json")).unwrap()
}

fn base64(text: &str) -> Hash {
    Hash::from_base64(text).unwrap()
}

fn hashes(proof: &[String]) -> Vec<Hash> {
    proof.iter().map(|text| base64(text)).collect()
}
