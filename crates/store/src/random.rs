//! Randomness of the operating system.

use std::process;

use aws_lc_rs::rand;
use schakel_core::random::Random;

/// Unpredictable bytes from the cryptographic library's generator, which the operating system seeds.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&mut self, bytes: &mut [u8]) {
        if rand::fill(bytes).is_err() {
            // Going on would mean keys that can be guessed. Nothing after this line may run.
            process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_fresh_each_time() {
        let (mut one, mut other) = ([0; 32], [0; 32]);
        OsRandom.fill(&mut one);
        OsRandom.fill(&mut other);
        assert_ne!(one, [0; 32]);
        assert_ne!(one, other);
    }
}
