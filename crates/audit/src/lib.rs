//! The mathematics of the audit trail: leaf, Merkle tree, signed note, checkpoint and proofs, and their verification.
