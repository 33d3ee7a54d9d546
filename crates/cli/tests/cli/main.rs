//! The command as people and programs meet it: its texts to the letter, its exit codes, and what it does with
//! a broker that runs.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper that fails, fails its test"
)]

mod bench;
mod evidence;
mod golden;
mod journey;
mod rights;
mod story;
