//! Ids by which a caller and an operator speak of the same fault.

use std::sync::atomic::{AtomicU64, Ordering};

use schakel_core::random::Random;

/// Gives ids that no other process and no other fault of this one has.
#[derive(Debug)]
pub(super) struct FaultIds {
    process: u64,
    next: AtomicU64,
}

impl FaultIds {
    pub(super) fn new(random: &mut dyn Random) -> Self {
        let mut process = [0; 8];
        random.fill(&mut process);
        Self {
            process: u64::from_le_bytes(process),
            next: AtomicU64::new(1),
        }
    }

    /// The next one: 16 hexadecimal digits of the process, and a number.
    pub(super) fn next(&self) -> String {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}-{next}", self.process)
    }
}
