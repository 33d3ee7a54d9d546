//! How well a measurement tells two groups apart.

/// The probability that a measurement of `a` is larger than one of `b`, ties counting half: the area under
/// the curve of the classifier that goes by it (Mann and Whitney, 1947). 0.5 is a coin.
///
/// # Panics
/// When a group is empty or a measurement is no number.
#[must_use]
pub fn area(a: &[f64], b: &[f64]) -> f64 {
    assert!(!a.is_empty() && !b.is_empty());
    let mut b = b.to_vec();
    b.sort_unstable_by(|one, other| one.partial_cmp(other).expect("numbers"));
    let wins: f64 = a
        .iter()
        .map(|score| {
            let below = b.partition_point(|other| other < score);
            let up_to = b.partition_point(|other| other <= score);
            f64::midpoint(count(below), count(up_to))
        })
        .sum();
    wins / (count(a.len()) * count(b.len()))
}

/// The better of the two ways round: 0.5 to 1.
#[must_use]
pub fn best_area(a: &[f64], b: &[f64]) -> f64 {
    let area = area(a, b);
    area.max(1.0 - area)
}

/// How far chance alone takes [`area`] from 0.5 when both groups are alike: one standard error.
#[must_use]
pub fn standard_error(a: usize, b: usize) -> f64 {
    ((count(a) + count(b) + 1.0) / (12.0 * count(a) * count(b))).sqrt()
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).expect("a small number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_are_alike_are_a_coin_and_others_certainty() {
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{got}");
        close(area(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]), 0.5);
        close(area(&[5.0, 5.0], &[5.0, 5.0]), 0.5);
        close(area(&[3.0, 4.0], &[1.0, 2.0]), 1.0);
        close(best_area(&[1.0, 2.0], &[3.0, 4.0]), 1.0);
        // Of four pairs the first wins one and ties one.
        close(area(&[1.0, 3.0], &[1.0, 5.0]), 0.375);
    }
}
