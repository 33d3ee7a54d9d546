//! The store as its users and its disk see it.
#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets what it did not expect must fail, and what it measures is small"
)]

mod store {
    mod anchor;
    mod campaign;
    mod eraser;
    mod erasing;
    mod events;
    mod halt;
    mod index;
    mod keyring;
    mod log_append;
    mod log_bytes;
    mod log_crash;
    mod log_faults;
    mod log_property;
    mod log_recovery;
    mod log_tree;
    mod publication;
    mod publication_crash;
    mod recorder;
    mod rotating;
    mod sealing;
    mod story;
    mod support;
    mod view;
    mod world;
}
