//! Randomness as a parameter.

/// A source of unpredictable bytes.
pub trait Random {
    /// Fills the slice with fresh bytes.
    fn fill(&mut self, bytes: &mut [u8]);
}
