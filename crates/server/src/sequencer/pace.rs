//! The grid on which answers leave that hold a denial, or that are the same whoever is meant, so that their delay
//! tells nothing.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::call::{Answer, Call, CallError, Outcome};

/// The width of the grid. Wide enough that deciding, recording and any difference between the reasons
/// of a denial end within its first step on a healthy disk.
pub const GRID: Duration = Duration::from_millis(10);

/// Waits for the next point of the grid that starts at an arrival.
pub(super) async fn until_grid(arrival: Instant) {
    sleep_until(next_point(arrival, Instant::now())).await;
}

/// Whether the answer to a call is the same whoever is meant, known or not, and must take as long.
pub(super) const fn is_even(call: &Call) -> bool {
    match call {
        Call::OpenCase { .. }
        | Call::RecordConsent { .. }
        | Call::WithdrawConsent { .. }
        | Call::RecordRestriction { .. }
        | Call::LiftRestriction { .. }
        | Call::Redeem { .. }
        | Call::Acknowledge { .. }
        | Call::NextMessage { .. }
        | Call::ProposeErasure { .. }
        | Call::ApproveErasure { .. }
        | Call::Withhold { .. } => true,
        Call::LookUp(look_up) => look_up.subject.is_some() || look_up.entry.is_some(),
        Call::AssignMunicipality { .. }
        | Call::AddMember { .. }
        | Call::RemoveMember { .. }
        | Call::CloseCase { .. }
        | Call::GetCase { .. }
        | Call::Consents { .. }
        | Call::ReportStatus { .. }
        | Call::Introduce { .. }
        | Call::Ask(_)
        | Call::MyRights { .. }
        | Call::Notices { .. }
        | Call::ProposeChange(_)
        | Call::ApproveChange(_)
        | Call::RejectChange(_)
        | Call::Stop(..)
        | Call::RejectErasure(_)
        | Call::RotateKek
        | Call::AcknowledgeClock
        | Call::Issuance(_)
        | Call::RecordVerification(_)
        | Call::ProposeSearch { .. }
        | Call::DecideSearch { .. } => false,
    }
}

/// Whether an answer leaves on the grid: every denial, and what must take as long as another answer. A message that
/// is handed over differs from one that is not by being there.
pub(super) const fn waits(answer: &Result<Answer, CallError>, is_even: bool) -> bool {
    match answer {
        Ok(answer) => match answer.outcome {
            Outcome::NotDisclosed(_) => true,
            Outcome::Message(_) => false,
            _ => is_even,
        },
        Err(_) => false,
    }
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
