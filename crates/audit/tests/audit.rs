//! The formats and proofs of the trail, against vectors, other implementations and bad input.

#[cfg(test)]
mod audit {
    mod checkpoint;
    mod commitment;
    mod cosignature;
    mod export;
    mod export_check;
    mod hostile;
    mod leaf;
    mod leaf_vectors;
    mod minimum;
    mod note;
    mod policy;
    mod proof;
    mod published;
    mod published_damage;
    mod published_keys;
    mod succession;
    mod support;
    mod tile;
    mod tree;
    mod tree_oracle;
    mod tree_vectors;
    mod witness;
}
