//! Whether classes of denials can be told apart: by their bytes, or by a classifier that goes by their time.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{class::Class, probe::Face};
use crate::bench::statistics::{Learned, auc, auc_either_way, auc_standard_error, median};

/// The most a classifier may achieve (invariant 5).
pub(super) const MOST: f64 = 0.52;

/// By how many standard errors chance alone may exceed 0.5: with 75 classifiers that have nothing to go by,
/// one exceeds it in about one campaign of two hundred.
const CHANCE: f64 = 4.0;

/// The grid on which denials leave, in microseconds.
const GRID_US: f64 = 10_000.0;

/// Into how many bins the learning classifier divides latencies.
const BINS: usize = 50;

/// The denials of one class.
#[derive(Clone, Debug)]
pub(super) struct Samples {
    pub(super) class: Class,
    /// How long each took, in microseconds, in the order in which they were made.
    pub(super) latencies_us: Vec<f64>,
    /// How many bytes each had.
    pub(super) bytes: Vec<f64>,
    /// What they looked like.
    pub(super) faces: BTreeSet<Face>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Verdict {
    /// How many denials of each class were timed.
    pub(super) samples: usize,
    /// Every two classes, and how well they can be told apart.
    pub(super) pairs: Vec<Pair>,
    /// The best of all classifiers over all pairs.
    pub(super) most: f64,
    /// From where on they can be told apart: 0.52, or what chance alone achieves with so few samples.
    pub(super) allowed: f64,
    /// How far chance alone takes a classifier from 0.5: one standard error.
    pub(super) standard_error: f64,
    /// How many different answers there were, the random reference blanked: 1 when all are alike.
    pub(super) different_answers: usize,
    /// What follows.
    pub(super) conclusion: Conclusion,
}

/// Whether the classes can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Conclusion {
    /// No classifier achieves more than is allowed, and one that does would have been seen.
    Passed,
    /// They can be told apart, by more than chance.
    Failed,
    /// Nothing was found, but chance alone exceeds what is allowed: nothing is shown by it.
    TooFewSamples,
}

/// How many denials of each class it takes until chance alone stays within what is allowed.
pub(super) fn enough() -> f64 {
    // The n of which `CHANCE` standard errors, sqrt((2n + 1) / 12n²), make up the room between 0.5 and `MOST`.
    let error = (MOST - 0.5) / CHANCE;
    let square = 12.0 * error * error;
    ((1.0 + (1.0 + square).sqrt()) / square).ceil()
}

/// Two classes.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Pair {
    pub(super) classes: (Class, Class),
    /// What each classifier achieves: the area under its ROC curve.
    pub(super) classifiers: Vec<(&'static str, f64)>,
}

impl Pair {
    /// The best classifier.
    pub(super) fn best(&self) -> (&'static str, f64) {
        let better = |(_, one): &&(_, f64), (_, other): &&(_, f64)| one.total_cmp(other);
        self.classifiers
            .iter()
            .max_by(better)
            .copied()
            .unwrap_or(("none", 0.5))
    }
}

/// Judges all pairs of classes.
pub(super) fn judge(classes: &[Samples]) -> Verdict {
    let samples = classes
        .iter()
        .map(|class| class.latencies_us.len())
        .min()
        .unwrap_or(0);
    let pairs: Vec<_> = classes
        .iter()
        .enumerate()
        .flat_map(|(at, one)| {
            classes
                .iter()
                .skip(at + 1)
                .map(move |other| pair(one, other))
        })
        .collect();
    let most = pairs.iter().map(|pair| pair.best().1).fold(0.5, f64::max);
    let standard_error = auc_standard_error(samples, samples);
    let by_chance = CHANCE.mul_add(standard_error, 0.5);
    let allowed = f64::max(MOST, by_chance);
    let faces: BTreeSet<_> = classes.iter().flat_map(|class| &class.faces).collect();
    Verdict {
        samples,
        pairs,
        most,
        allowed,
        standard_error,
        different_answers: faces.len(),
        conclusion: if most > allowed || faces.len() != 1 {
            Conclusion::Failed
        } else if by_chance > MOST {
            Conclusion::TooFewSamples
        } else {
            Conclusion::Passed
        },
    }
}

fn pair(one: &Samples, other: &Samples) -> Pair {
    let both = [one.latencies_us.as_slice(), &other.latencies_us].concat();
    let middle = median(&both, f64::total_cmp).unwrap_or_default();
    let by = |score: &dyn Fn(f64) -> f64| {
        let scores = |list: &[f64]| list.iter().map(|took| score(*took)).collect::<Vec<_>>();
        auc_either_way(&scores(&one.latencies_us), &scores(&other.latencies_us))
    };
    let classifiers = [
        ("latency", by(&|took| took)),
        ("off the median", by(&|took| (took - middle).abs())),
        ("within the grid", by(&|took| took % GRID_US)),
        ("learned", learned(&one.latencies_us, &other.latencies_us)),
        ("size", auc_either_way(&one.bytes, &other.bytes)),
    ];
    Pair {
        classes: (one.class, other.class),
        // Without samples nothing can be told apart, and nothing is claimed: see `samples`.
        classifiers: classifiers
            .map(|(name, auc)| (name, auc.unwrap_or(0.5)))
            .into(),
    }
}

/// What a classifier achieves that learned from one half of the samples and is tried on the other, both ways
/// around: it may not be tried on what it learned from.
fn learned(one: &[f64], other: &[f64]) -> Option<f64> {
    let half = |list: &[f64], rest: usize| -> Vec<f64> {
        list.iter().skip(rest).step_by(2).copied().collect()
    };
    let fold = |rest: usize| {
        let learned = Learned::from(&half(one, rest), &half(other, rest), BINS);
        let scores = |list: &[f64]| -> Vec<f64> {
            half(list, 1 - rest)
                .iter()
                .map(|took| learned.score(*took))
                .collect()
        };
        auc(&scores(one), &scores(other))
    };
    Some(f64::midpoint(fold(0)?, fold(1)?).max(0.5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::statistics::{Repeatable, real};

    fn face(bytes: usize) -> Face {
        Face {
            headers: Vec::new(),
            message: vec![0; bytes],
            trailers: Vec::new(),
        }
    }

    /// Denials that take between 10 and 11 ms, made later by `shift` microseconds.
    fn samples(class: Class, seed: u64, count: usize, shift: f64) -> Samples {
        let mut numbers = Repeatable::new(seed);
        let latencies_us = (0..count)
            .map(|_| 10_000.0 + real(numbers.below(1000)) + shift)
            .collect();
        Samples {
            class,
            latencies_us,
            bytes: vec![20.0; count],
            faces: [face(20)].into(),
        }
    }

    #[test]
    fn classes_that_are_alike_pass() {
        let classes: Vec<_> = Class::ALL
            .iter()
            .zip(1..)
            .map(|(class, seed)| samples(*class, seed, 7000, 0.0))
            .collect();
        let verdict = judge(&classes);
        assert_eq!(verdict.conclusion, Conclusion::Passed, "{verdict:?}");
        assert_eq!((verdict.pairs.len(), verdict.samples), (15, 7000));
    }

    #[test]
    fn a_class_a_little_slower_fails_and_is_named() {
        let classes = [
            samples(Class::Unknown, 1, 10_000, 0.0),
            samples(Class::NoConsent, 2, 10_000, 0.0),
            samples(Class::Withdrawn, 3, 10_000, 40.0),
        ];
        let verdict = judge(&classes);
        assert_eq!(verdict.conclusion, Conclusion::Failed);
        assert!((verdict.allowed - MOST).abs() < 1e-9);
        for pair in &verdict.pairs {
            let differ = pair.classes.1 == Class::Withdrawn;
            assert_eq!(pair.best().1 > MOST, differ, "{pair:?}");
        }
    }

    #[test]
    fn a_class_that_sometimes_misses_the_grid_fails() {
        let mut late = samples(Class::Expired, 2, 10_000, 0.0);
        late.latencies_us
            .iter_mut()
            .step_by(12)
            .for_each(|took| *took += 10_000.0);
        let verdict = judge(&[samples(Class::Unknown, 1, 10_000, 0.0), late]);
        assert_eq!(verdict.conclusion, Conclusion::Failed, "{verdict:?}");
    }

    #[test]
    fn one_byte_of_difference_fails() {
        let mut larger = samples(Class::Expired, 2, 100, 0.0);
        larger.bytes.fill(21.0);
        let verdict = judge(&[samples(Class::Unknown, 1, 100, 0.0), larger]);
        assert_eq!(verdict.conclusion, Conclusion::Failed);
        assert!(verdict.most > 0.99);
        let mut other = samples(Class::Expired, 2, 100, 0.0);
        other.faces.insert(face(19));
        let verdict = judge(&[samples(Class::Unknown, 1, 100, 0.0), other]);
        assert_eq!(verdict.conclusion, Conclusion::Failed);
        assert_eq!(verdict.different_answers, 2);
    }

    #[test]
    fn few_samples_pass_nothing() {
        let of = |count, shift| {
            judge(&[
                samples(Class::Unknown, 1, count, 0.0),
                samples(Class::Expired, 2, count, shift),
            ])
        };
        let verdict = of(100, 0.0);
        assert_eq!(verdict.conclusion, Conclusion::TooFewSamples);
        assert!(verdict.allowed > 0.6);
        // What is larger than chance is found all the same.
        assert_eq!(of(100, 2000.0).conclusion, Conclusion::Failed);
    }

    #[test]
    fn enough_samples_are_the_fewest_of_which_chance_stays_within() {
        let by_chance = |count| CHANCE.mul_add(auc_standard_error(count, count), 0.5);
        assert!(by_chance(6668) <= MOST && by_chance(6667) > MOST);
        assert!((enough() - 6668.0).abs() < 1e-9, "{}", enough());
    }
}
