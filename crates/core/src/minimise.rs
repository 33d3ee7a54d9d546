//! What is left of a permit when everything that is not needed is taken away.

/// Proof that an entry is durably in the log. Whoever holds one has recorded what it is about to release.
///
/// The store makes it, in one place, after the log's fdatasync has returned; nobody else does.
#[derive(Debug)]
pub struct Durable(());

impl Durable {
    /// Asserts that the entry is on disk. A test holds that only the store's recorder says so.
    #[must_use]
    pub const fn assertion() -> Self {
        Self(())
    }
}
