//! What is remembered of the answer to a write, so that a retry within 24 hours gets the same.

use schakel_core::event::Remembered;

use crate::call::Outcome;

/// The outcome that a retry of a write gets.
pub(super) fn outcome(remembered: &Remembered) -> Outcome {
    match *remembered {
        Remembered::Erased(entries, final_at) => Outcome::Erased(entries, final_at),
        Remembered::Retained(ref duty) => Outcome::Retained(duty.clone()),
        Remembered::Done => Outcome::Done,
        Remembered::NotDisclosed(reference) => Outcome::NotDisclosed(reference),
        Remembered::CaseOpened(id) => Outcome::CaseOpened(id),
        Remembered::ConsentRecorded(id) => Outcome::ConsentRecorded(id),
        Remembered::Restricted(id) => Outcome::Restricted(id),
        Remembered::Introduced(code, until) => Outcome::Introduced { code, until },
        Remembered::Proposed(id) => Outcome::Proposed(id),
        Remembered::Enrolment(id) => Outcome::Enrolment(id),
    }
}

/// What to remember of an outcome. Look-ups and asks are never answered from memory.
pub(in crate::sequencer) fn remembered(outcome: &Outcome) -> Remembered {
    match outcome {
        Outcome::NotDisclosed(reference) => Remembered::NotDisclosed(*reference),
        Outcome::CaseOpened(id) => Remembered::CaseOpened(*id),
        Outcome::ConsentRecorded(id) => Remembered::ConsentRecorded(*id),
        Outcome::Restricted(id) => Remembered::Restricted(*id),
        Outcome::Introduced { code, until } => Remembered::Introduced(*code, *until),
        Outcome::Proposed(id) => Remembered::Proposed(*id),
        Outcome::Erased(entries, final_at) => Remembered::Erased(*entries, *final_at),
        Outcome::Retained(duty) => Remembered::Retained(duty.clone()),
        Outcome::Enrolment(id) => Remembered::Enrolment(*id),
        Outcome::Done
        | Outcome::Case(_)
        | Outcome::Consents(..)
        | Outcome::Disclosed { .. }
        | Outcome::Message(_)
        | Outcome::NoMessage
        | Outcome::Notices(_)
        | Outcome::Rights(_)
        | Outcome::SearchProposed(_)
        | Outcome::SearchDecided(_) => Remembered::Done,
    }
}
