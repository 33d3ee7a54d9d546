//! The choices of a schedule.

use schakel_core::random::Random as _;

use crate::store::support::Seeded;

/// Makes choices that follow from a seed.
pub(super) struct Dice(Seeded);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(Seeded(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5851))
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % end
    }

    /// Whether something that happens once in so many times happens.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        match from.len() as u64 {
            0 => None,
            len => from.get(usize::try_from(self.below(len)).unwrap()).copied(),
        }
    }

    pub(super) fn bytes(&mut self, most: u64) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(self.below(most + 1)).unwrap()];
        self.0.fill(&mut bytes);
        bytes
    }

    /// A generator for what is tested.
    pub(super) fn random(&mut self) -> Seeded {
        Seeded(self.below(u64::MAX))
    }
}
