//! Recording: the one place where something becomes releasable.

use schakel_core::minimise::Durable;

use crate::log::Log;

/// A value whose entry is on disk. Only [`Log::recorded`] makes one.
///
/// ```compile_fail
/// // There is no other way to come by one.
/// let recorded = schakel_store::record::Recorded { value: 1, index: 0 };
/// ```
#[derive(Debug)]
pub struct Recorded<T> {
    value: T,
    index: u64,
}

impl Log {
    /// Says of a value that its entry is on disk; `None` when it is not.
    #[must_use]
    pub fn recorded<T>(&self, index: u64, value: T) -> Option<Recorded<T>> {
        (index < self.size()).then_some(Recorded { value, index })
    }
}

impl<T> Recorded<T> {
    /// The position of the entry.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The value, and the proof that opens what it holds.
    #[must_use]
    pub fn into_parts(self) -> (T, Durable) {
        (self.value, Durable::assertion())
    }
}
