//! One kind of call, made again and again.

use std::future::Future;

/// Makes calls of one kind.
pub(super) trait Call: Clone + Send + Sync + 'static {
    /// Makes a call for this worker, its turn counted from 0, and waits for the answer.
    ///
    /// # Errors
    /// When the answer is not the one that is measured.
    fn call(&self, worker: usize, turn: usize) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// What a worker uses in its turn: each walks through all, starting at a place of its own far from those of
/// the others.
pub(super) fn pick<T>(list: &[T], worker: usize, turn: usize) -> Option<&T> {
    let start = worker.wrapping_mul(APART);
    list.get(start.wrapping_add(turn) % list.len().max(1))
}

/// How far apart workers start: a prime, so that they meet all places.
const APART: usize = 7919;

/// The connection a worker uses: workers are spread evenly.
pub(super) fn connection<T>(list: &[T], worker: usize) -> Option<&T> {
    list.get(worker % list.len().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_start_at_their_own_place_and_walk_through_all() {
        let list = ["a", "b", "c"];
        let walk = |worker| {
            (0..4)
                .filter_map(|turn| pick(&list, worker, turn).copied())
                .collect::<String>()
        };
        assert_eq!(walk(0), "abca");
        // 7919 = 3 * 2639 + 2
        assert_eq!(walk(1), "cabc");
        assert_eq!(pick::<u8>(&[], 1, 1), None);
    }
}
