//! Where idempotency keys and the jitter of pauses come from.

use std::fmt::Debug;

use rustls::crypto::aws_lc_rs;

/// A source of random bytes. A parameter, so that tests can draw the same ones every time.
pub trait Entropy: Debug + Send + Sync {
    /// Fills the buffer with random bytes.
    ///
    /// # Errors
    /// When none can be had; then no key is made up in their place.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// No random bytes can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct EntropyError;

/// The random bytes of the operating system, as the cryptographic library draws them.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        aws_lc_rs::default_provider()
            .secure_random
            .fill(bytes)
            .map_err(|_| EntropyError)
    }
}
