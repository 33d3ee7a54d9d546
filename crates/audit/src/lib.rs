//! The mathematics of the audit trail: what an entry of the log looks like in public, how the
//! entries are bound together, and how anyone checks that without trusting the broker.
//!
//! * [`leaf`]: the public part of an entry, in deterministic CBOR (`leaf.cddl` beside this crate).
//! * [`commitment`]: how a leaf binds what it does not show.
//! * [`tree`]: the Merkle tree of RFC 6962 over the leaves, and its proofs.
//! * [`note`] and [`checkpoint`]: the signed head of the tree, in the C2SP formats.
//! * [`cosignature`], [`policy`] and [`witness`]: who else must have seen the head, and what is said to them.
//! * [`tile`] and [`erasure`]: the files in which a log is published.
//! * [`published`]: the verification of a published log as a whole.
//! * [`minimum`]: below which entry nothing need be published any more.
//! * [`succession`]: which keys sign for the log, followed from a pinned one through the log's own entries.
//! * [`proof`]: the receipt, a C2SP tlog-proof: inclusion under a signed head in one small text.
//! * [`reconciliation`]: what two sides hold of the same entries, compared by digests of periods.
//! * [`export`]: many entries with their proofs and what they hide, one JSON object a line.
//!
//! Nothing here knows a clock, a disk, a socket or a runtime, so an auditor can link it alone. No
//! input makes it panic, and no input makes it reserve more memory than a small multiple of its size.

pub mod checkpoint;
pub mod commitment;
pub mod cosignature;
pub mod erasure;
pub mod export;
pub mod leaf;
pub mod minimum;
pub mod note;
pub mod policy;
pub mod proof;
pub mod published;
pub mod reconciliation;
pub mod succession;
pub mod tile;
pub mod tree;
pub mod witness;

mod text;
