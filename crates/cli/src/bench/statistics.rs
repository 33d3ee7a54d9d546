//! The statistics of a benchmark: percentiles, and how well a number tells two groups apart.

/// How well a score tells two groups apart: the probability that it is larger for one drawn from `a` than
/// for one drawn from `b`, ties counting half. 0.5 is a coin, 1 and 0 are certainty. This is the area under
/// the ROC curve of the classifier that goes by the score, computed from rank sums (Mann and Whitney, 1947).
///
/// `None` when a group is empty or a score is no number.
pub(crate) fn auc(a: &[f64], b: &[f64]) -> Option<f64> {
    let of = |group: &[f64], first| {
        group
            .iter()
            // A negative zero is a zero.
            .map(|score| (*score + 0.0, first))
            .collect::<Vec<_>>()
    };
    let mut scores = [of(a, true), of(b, false)].concat();
    if a.is_empty() || b.is_empty() || scores.iter().any(|(score, _)| score.is_nan()) {
        return None;
    }
    scores.sort_unstable_by(|(one, _), (other, _)| one.total_cmp(other));
    let (mut twice_wins, mut below) = (0, 0);
    for tied in scores.chunk_by(|(one, _), (other, _)| one.total_cmp(other).is_eq()) {
        let firsts = tied.iter().filter(|(_, first)| *first).count();
        let seconds = tied.len() - firsts;
        twice_wins += firsts * (2 * below + seconds);
        below += seconds;
    }
    Some(real(twice_wins) / (2.0 * real(a.len()) * real(b.len())))
}

/// The same whichever of the groups has the larger scores: 0.5 to 1.
pub(crate) fn auc_either_way(a: &[f64], b: &[f64]) -> Option<f64> {
    auc(a, b).map(|auc| auc.max(1.0 - auc))
}

/// The standard error of the area when both groups are alike: how far chance alone takes it from 0.5.
pub(crate) fn auc_standard_error(a: usize, b: usize) -> f64 {
    (real(a + b + 1) / (12.0 * real(a) * real(b))).sqrt()
}

/// What tells two groups apart best by where scores lie, learned from examples: the log of how much more
/// often a score of this size came from `a`, by bins that each hold as many of the examples.
///
/// Unlike [`auc_either_way`] it finds a group that is both faster and slower than the other.
#[derive(Debug)]
pub(crate) struct Learned {
    /// The upper ends of all bins but the last, and how much more often `a` fell into each.
    bins: Vec<(f64, f64)>,
    last: f64,
}

impl Learned {
    /// Learns from examples of both groups.
    pub(crate) fn from(a: &[f64], b: &[f64], bins: usize) -> Self {
        let sorted = |group: &[f64]| {
            let mut group = group.to_vec();
            group.sort_unstable_by(f64::total_cmp);
            group
        };
        let (a, b) = (sorted(a), sorted(b));
        let all = sorted(&[a.as_slice(), b.as_slice()].concat());
        let ends = (1..bins).filter_map(|bin| all.get(bin * all.len() / bins).copied());
        let mut below = (0, 0);
        let mut weigh = |end: Option<f64>| {
            let up_to = |group: &[f64]| {
                end.map_or(group.len(), |end| {
                    group.partition_point(|score| *score < end)
                })
            };
            let until = (up_to(&a), up_to(&b));
            // One more of each: a bin nobody fell into tells nothing rather than everything.
            let weight = (real(until.0 - below.0 + 1) / real(until.1 - below.1 + 1)).ln();
            below = until;
            weight
        };
        let bins = ends.map(|end| (end, weigh(Some(end)))).collect();
        Self {
            bins,
            last: weigh(None),
        }
    }

    /// How much a score speaks for `a`.
    pub(crate) fn score(&self, score: f64) -> f64 {
        let bin = self.bins.partition_point(|(end, _)| *end <= score);
        self.bins.get(bin).map_or(self.last, |(_, weight)| *weight)
    }
}

/// The value below or at which this part of the sorted values lies (nearest rank); `None` when there are none.
pub(crate) fn percentile<T: Copy>(sorted: &[T], part: f64) -> Option<T> {
    let rank = (part * real(sorted.len())).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank is a small whole number; a negative one becomes 0, the least"
    )]
    let rank = rank as usize;
    sorted
        .get(rank.saturating_sub(1))
        .or(sorted.last())
        .copied()
}

/// The middle of some values; of an even number, the lower of the two in the middle.
pub(crate) fn median<T: Copy>(
    values: &[T],
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(order);
    percentile(&sorted, 0.5)
}

/// A count as a real number: exact below 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts here stay far below 2^53"
)]
pub(crate) const fn real(count: usize) -> f64 {
    count as f64
}

/// Pseudo-random numbers that can be repeated: `SplitMix64` (Steele, Lea and Flood, 2014). For the order of
/// samples; never for anything secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repeatable(u64);

impl Repeatable {
    /// The numbers that follow from a seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which must not be 0; even enough for bounds far below 2^64.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.draw() % bound).unwrap_or(0)
    }

    /// Puts a list in random order (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            list.swap(end, self.below(end + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares every pair: the definition.
    fn auc_by_definition(a: &[f64], b: &[f64]) -> f64 {
        let mut wins = 0.0;
        for one in a {
            for other in b {
                wins += match one.total_cmp(other) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                };
            }
        }
        wins / (real(a.len()) * real(b.len()))
    }

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-12, "got {got}, want {want}");
    }

    #[test]
    fn the_area_is_known_for_known_samples() {
        for (a, b, want) in [
            (vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 3.0], 0.5),
            (vec![4.0, 5.0], vec![1.0, 2.0, 3.0], 1.0),
            (vec![1.0], vec![2.0, 3.0], 0.0),
            (vec![7.0; 5], vec![7.0; 9], 0.5),
            (vec![2.0, 4.0], vec![1.0, 3.0], 0.75),
            (vec![0.0], vec![-0.0], 0.5),
        ] {
            close(auc(&a, &b).unwrap(), want);
            close(auc_either_way(&a, &b).unwrap(), f64::max(want, 1.0 - want));
        }
        assert_eq!(auc(&[], &[1.0]), None);
        assert_eq!(auc(&[1.0], &[f64::NAN]), None);
    }

    #[test]
    fn the_area_is_what_comparing_every_pair_gives() {
        let mut numbers = Repeatable::new(1);
        let mut group =
            |size, spread| -> Vec<f64> { (0..size).map(|_| real(numbers.below(spread))).collect() };
        for spread in [2, 5, 40, 100_000] {
            let (a, b) = (group(57, spread), group(83, spread));
            close(auc(&a, &b).unwrap(), auc_by_definition(&a, &b));
        }
    }

    #[test]
    fn the_standard_error_is_that_of_the_rank_sum() {
        close(auc_standard_error(1, 1), 0.5);
        close(
            auc_standard_error(10_000, 10_000),
            (20_001.0_f64 / 1.2e9).sqrt(),
        );
    }

    #[test]
    fn chance_stays_within_four_standard_errors() {
        let mut numbers = Repeatable::new(2);
        for _ in 0..50 {
            let mut group =
                || -> Vec<f64> { (0..400).map(|_| real(numbers.below(1000))).collect() };
            let (a, b) = (group(), group());
            let off = (auc(&a, &b).unwrap() - 0.5).abs();
            assert!(off < 4.0 * auc_standard_error(400, 400), "off by {off}");
        }
    }

    #[test]
    fn what_is_learned_tells_groups_apart_that_no_threshold_does() {
        // `b` lies on both sides of `a`.
        let a: Vec<f64> = (0..1000_u32).map(|n| 1000.0 + f64::from(n % 500)).collect();
        let b: Vec<f64> = (0..1000_u32)
            .map(|n| f64::from(n % 500) + 2000.0 * f64::from(n % 2))
            .collect();
        close(auc_either_way(&a, &b).unwrap(), 0.5);
        let learned = Learned::from(&a, &b, 20);
        let score = |group: &[f64]| group.iter().map(|x| learned.score(*x)).collect::<Vec<_>>();
        assert!(auc(&score(&a), &score(&b)).unwrap() > 0.95);
    }

    #[test]
    fn what_is_learned_from_equal_groups_is_nothing() {
        let group = [1.0, 2.0, 3.0, 4.0];
        let learned = Learned::from(&group, &group, 4);
        for x in [0.0, 1.0, 2.5, 4.0, 9.0] {
            close(learned.score(x), 0.0);
        }
    }

    #[test]
    fn percentiles_are_the_nearest_ranks() {
        let sorted: Vec<u32> = (1..=1000).collect();
        for (part, want) in [
            (0.0, 1),
            (0.5, 500),
            (0.9, 900),
            (0.99, 990),
            (0.999, 999),
            (1.0, 1000),
        ] {
            assert_eq!(percentile(&sorted, part), Some(want));
        }
        assert_eq!(percentile(&[7], 0.999), Some(7));
        assert_eq!(percentile::<u32>(&[], 0.5), None);
        assert_eq!(median(&[3, 1, 2], Ord::cmp), Some(2));
        assert_eq!(median(&[4, 1, 3, 2], Ord::cmp), Some(2));
    }

    #[test]
    fn the_repeatable_numbers_are_those_of_splitmix64() {
        // Reference values for seed 1234567, as published with the Java and C versions.
        let mut numbers = Repeatable::new(1_234_567);
        let got = [numbers.draw(), numbers.draw(), numbers.draw()];
        let want = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(got, want);
        let mut list: Vec<usize> = (0..100).collect();
        Repeatable::new(3).shuffle(&mut list);
        assert_ne!(list, (0..100).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..100).collect::<Vec<_>>());
    }
}
