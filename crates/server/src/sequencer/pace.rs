//! The grid on which answers that hold a denial leave, so that their delay tells nothing.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The width of the grid. Wide enough that deciding, recording and any difference between the reasons
/// of a denial end within its first step on a healthy disk.
pub const GRID: Duration = Duration::from_millis(10);

/// Waits for the next point of the grid that starts at an arrival.
pub(super) async fn until_grid(arrival: Instant) {
    sleep_until(next_point(arrival, Instant::now())).await;
}

fn next_point(arrival: Instant, now: Instant) -> Instant {
    let passed = now.saturating_duration_since(arrival).as_nanos();
    let steps = passed.div_ceil(GRID.as_nanos()).max(1);
    let steps = u32::try_from(steps).unwrap_or(u32::MAX);
    arrival + GRID.saturating_mul(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_leaves_on_the_next_point_of_the_grid() {
        let arrival = Instant::now();
        for (millis, leaves) in [(0, 10), (3, 10), (10, 10), (11, 20), (29, 30)] {
            let now = arrival + Duration::from_millis(millis);
            assert_eq!(
                next_point(arrival, now),
                arrival + Duration::from_millis(leaves)
            );
        }
    }
}
