//! The rules, from the outside: what is decided, told, planned and kept.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, whichever helper it is in"
)]

/// What the tests of this crate are made of.
mod core {
    mod catalogue;
    mod concerned;
    mod decisions;
    mod deliver;
    mod dossier;
    mod exact;
    mod explain;
    mod inbox;
    mod kept;
    mod notices;
    mod numbers;
    mod plans;
    mod properties;
    mod records;
    mod registry;
    mod release;
    mod rights;
    mod scene;
    mod world;
}
