//! The choices of a simulated disk.

/// A generator whose choices follow from its seed (splitmix64).
#[derive(Clone, Debug)]
pub(super) struct Generator {
    state: u64,
    /// How many of eight unsynced things survive in this stop.
    survival: u64,
}

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            state: seed,
            survival: 4,
        }
    }

    /// A number below `end`; 0 when there is none.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        mixed.checked_rem(end).unwrap_or_default()
    }

    /// Chooses how much survives from now on: nothing, everything, or a part.
    pub(super) fn set_survival(&mut self) {
        self.survival = self.below(9);
    }

    /// Whether something that was not synced survives.
    pub(super) fn survives(&mut self) -> bool {
        self.below(8) < self.survival
    }

    /// Which of the versions 0 (what was synced last) to `newest` survives.
    pub(super) fn version(&mut self, newest: usize) -> usize {
        if self.survives() {
            newest
        } else {
            let older = self.below(newest as u64);
            usize::try_from(older).unwrap_or_default()
        }
    }
}
