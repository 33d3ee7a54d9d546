//! Trying again, only where that is safe.
//!
//! | what happened | a write with its key | an ask or a look-up |
//! |---|---|---|
//! | `UNAVAILABLE` (also `UNANSWERED`), connection lost | again | again: a new decision and a new entry |
//! | `RESOURCE_EXHAUSTED` `OVERLOADED` | again, not before it says | no |
//! | the attempt took too long, `DEADLINE_EXCEEDED`, `CANCELLED` | again | no |
//! | anything else | no | no |
//!
//! A call that meets the end of its connection's life is a connection lost. `CANCELLED` from the broker's side
//! is how some servers say that the deadline passed. What TLS refuses is not tried again: a certificate does
//! not get better.

use std::{error::Error, time::Duration};

use schakel_api::v1::ErrorReason;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Status, TimeoutExpired};

use crate::{connect::tls_refusal, entropy::Entropy, refusal::Refusal};

/// How often, and with which pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most attempts at one call, the first included; 1 tries nothing again. 4 unless set.
    pub max_attempts: u32,
    /// The longest the first pause may be; each next one may be twice as long. The pause itself is drawn
    /// between half of that and all of it. 50 ms unless set.
    pub first_pause: Duration,
    /// The longest any pause may be. 2 s unless set.
    pub longest_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(2),
        }
    }
}

impl RetryPolicy {
    /// The pause after this many failures. Without randomness it is the longest it may be.
    pub(crate) fn pause(&self, failures: u32, entropy: &dyn Entropy) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let most = self
            .first_pause
            .saturating_mul(1 << doublings)
            .min(self.longest_pause);
        let mut bytes = [0xff; 4];
        if entropy.fill(&mut bytes).is_err() {
            return most;
        }
        let drawn = f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX);
        most.mul_f64(0.5 + drawn / 2.0)
    }
}

/// What may happen to a call that is made twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Safety {
    /// A write with an idempotency key: twice is once.
    Write,
    /// An ask or a look-up: twice is two decisions and two entries.
    Ask,
}

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It took too long.
    Deadline,
    /// The connection was lost or could not be made.
    Lost(Status),
    /// The broker refused.
    Refused(Refusal),
    /// TLS refused, and what it said.
    Tls(String),
}

impl Failure {
    /// What a status means: the broker's own word, or a fault on this side of it.
    pub(crate) fn of(status: Status) -> Self {
        // A status that came over the wire has no source; one that was made here has what it was made of.
        match status.source() {
            None => Self::Refused(Refusal::of(&status)),
            Some(source) if took_too_long(source) => Self::Deadline,
            Some(source) => match tls_refusal(source) {
                Some(said) => Self::Tls(said),
                None => Self::Lost(status),
            },
        }
    }

    /// Whether trying again is safe and may help.
    pub(crate) fn may_be_retried(&self, safety: Safety) -> bool {
        match self {
            Self::Deadline => safety == Safety::Write,
            Self::Lost(_) => true,
            Self::Tls(_) => false,
            Self::Refused(refusal) => match refusal.code {
                Code::Unavailable => true,
                Code::Cancelled | Code::DeadlineExceeded => safety == Safety::Write,
                Code::ResourceExhausted => {
                    safety == Safety::Write && refusal.reason == Some(ErrorReason::Overloaded)
                }
                _ => false,
            },
        }
    }

    /// What the broker asks to wait at least.
    fn asked_pause(&self) -> Duration {
        match self {
            Self::Refused(refusal) => refusal.retry_after.unwrap_or_default(),
            Self::Deadline | Self::Lost(_) | Self::Tls(_) => Duration::ZERO,
        }
    }
}

/// Makes a call, again where that is safe, until the deadline. An attempt is told how long it may take.
pub(crate) async fn run<T, F, Fut>(
    policy: &RetryPolicy,
    safety: Safety,
    (attempt, deadline): (Duration, Instant),
    entropy: &dyn Entropy,
    mut once: F,
) -> Result<T, Failure>
where
    F: FnMut(Duration) -> Fut,
    Fut: Future<Output = Result<T, Status>>,
{
    let mut failures = 0;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::Deadline);
        }
        let within = attempt.min(left);
        let failure = match timeout(within, once(within)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(status)) => Failure::of(status),
            Err(_) => Failure::Deadline,
        };
        failures += 1;
        if failures >= policy.max_attempts || !failure.may_be_retried(safety) {
            return Err(failure);
        }
        let pause = policy.pause(failures, entropy).max(failure.asked_pause());
        // The failure says more than that the time is up.
        if Instant::now() + pause >= deadline {
            return Err(failure);
        }
        sleep(pause).await;
    }
}

/// Whether the transport gave up at the time that this side had set.
fn took_too_long(error: &(dyn Error + 'static)) -> bool {
    error.is::<TimeoutExpired>() || error.source().is_some_and(took_too_long)
}

#[cfg(test)]
mod tests;
