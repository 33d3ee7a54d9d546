//! What is refused before anything is decided, and how often.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, PoisonError},
};

use schakel_core::{
    event::RefusalReason,
    id::{Oin, PartyId},
    time::Timestamp,
};
use tonic::Code;

use super::identify::UnknownParty;
use crate::wire::InvalidRequest;

/// Why the edge refuses a call or ends one. None of these depends on what is held about a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The deadline of the call passed.
    Deadline,
    /// A fault of the broker.
    Internal {
        /// By which the fault is found in the broker's log.
        request_id: String,
    },
    /// The message, or something that came along with it, breaks a rule of its form.
    Invalid(InvalidRequest),
    /// No role of the caller may call the method.
    MethodNotForRole {
        /// The method, as `Service/Method`.
        method: &'static str,
    },
    /// The request is no call as gRPC makes one.
    NotGrpc(InvalidRequest),
    /// Too much at once.
    Overloaded,
    /// The certificate is no active party's, or its party may not act for the one it names.
    PartyUnknown(UnknownParty),
    /// The broker stops, or the connection has reached its age.
    Stopping,
    /// The method does not stand in the access table.
    UnknownMethod,
}

impl Refusal {
    /// As what it is counted; `None` for what is no refusal but an end.
    #[must_use]
    pub const fn reason(&self) -> Option<RefusalReason> {
        match self {
            Self::Deadline | Self::Internal { .. } | Self::Stopping => None,
            Self::Invalid(_) | Self::NotGrpc(_) => Some(RefusalReason::Invalid),
            Self::MethodNotForRole { .. } | Self::UnknownMethod => Some(RefusalReason::Access),
            Self::Overloaded => Some(RefusalReason::Quota),
            Self::PartyUnknown(UnknownParty::Blocked) => Some(RefusalReason::Blocked),
            Self::PartyUnknown(UnknownParty::Lapsed) => Some(RefusalReason::Lapsed),
            Self::PartyUnknown(_) => Some(RefusalReason::UnknownParty),
        }
    }
}

/// As what an error of a service is counted, by its code; `None` for what is no refusal.
#[must_use]
pub const fn reason_of(code: Code) -> Option<RefusalReason> {
    match code {
        Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::InvalidArgument
        | Code::NotFound
        | Code::OutOfRange => Some(RefusalReason::Invalid),
        Code::PermissionDenied | Code::Unauthenticated | Code::Unimplemented => {
            Some(RefusalReason::Access)
        }
        Code::ResourceExhausted => Some(RefusalReason::Quota),
        Code::Aborted
        | Code::Cancelled
        | Code::DataLoss
        | Code::DeadlineExceeded
        | Code::Internal
        | Code::Ok
        | Code::Unavailable
        | Code::Unknown => None,
    }
}

/// For whom a refusal counts, as far as a handshake proved it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whom {
    /// The party.
    pub party: Option<PartyId>,
    /// The number of a certificate, where it is no party's.
    pub oin: Option<Oin>,
}

impl From<Option<PartyId>> for Whom {
    fn from(party: Option<PartyId>) -> Self {
        Self { party, oin: None }
    }
}

/// The refusals of one party, of one number that is nobody's, or of nobody known, within one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The party; `None` when it is not known who called.
    pub party: Option<PartyId>,
    /// The number of a certificate, where it is no party's.
    pub oin: Option<Oin>,
    /// The first instant of the minute.
    pub minute: Timestamp,
    /// How often for which reason, each reason once.
    pub counts: Vec<(RefusalReason, u64)>,
}

/// Counts refusals by party and minute until they are taken to be recorded.
#[derive(Debug, Default)]
pub struct Refusals {
    counts: Mutex<Counts>,
}

type Counts = BTreeMap<(Timestamp, Whom), BTreeMap<RefusalReason, u64>>;

impl Refusals {
    /// Counts one.
    pub fn count(&self, whom: impl Into<Whom>, reason: RefusalReason, now: Timestamp) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts
            .entry((minute_of(now), whom.into()))
            .or_default()
            .entry(reason)
            .or_default();
        *count = count.saturating_add(1);
    }

    /// Puts back what was taken and could not be recorded.
    pub fn put_back(&self, tally: Tally) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let whom = Whom {
            party: tally.party,
            oin: tally.oin,
        };
        let kept = counts.entry((tally.minute, whom)).or_default();
        for (reason, more) in tally.counts {
            let count = kept.entry(reason).or_default();
            *count = count.saturating_add(more);
        }
    }

    /// Takes what was counted in the minutes before the one of `now`, oldest first.
    #[must_use]
    pub fn take_finished(&self, now: Timestamp) -> Vec<Tally> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let unfinished = counts.split_off(&(minute_of(now), Whom::default()));
        tallies(mem::replace(&mut *counts, unfinished))
    }

    /// Takes everything that was counted, the unfinished minute too, oldest first: when the broker stops.
    #[must_use]
    pub fn take_all(&self) -> Vec<Tally> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        tallies(mem::take(&mut *counts))
    }
}

fn tallies(counts: Counts) -> Vec<Tally> {
    counts
        .into_iter()
        .map(|((minute, Whom { party, oin }), counts)| Tally {
            party,
            oin,
            minute,
            counts: counts.into_iter().collect(),
        })
        .collect()
}

fn minute_of(at: Timestamp) -> Timestamp {
    at.minus_millis(at.as_millis() % 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn refusals_are_added_up_by_party_and_minute() {
        let refusals = Refusals::default();
        let party: PartyId = "pi-noord".parse().unwrap();
        for (party, reason, moment) in [
            (Some(&party), RefusalReason::Access, "2026-11-23T14:00:00Z"),
            (
                Some(&party),
                RefusalReason::Access,
                "2026-11-23T14:00:59.999Z",
            ),
            (Some(&party), RefusalReason::Quota, "2026-11-23T14:00:30Z"),
            (None, RefusalReason::Handshake, "2026-11-23T14:00:30Z"),
            (Some(&party), RefusalReason::Access, "2026-11-23T14:01:00Z"),
        ] {
            refusals.count(party.cloned(), reason, at(moment));
        }
        let first = at("2026-11-23T14:00:00Z");
        let expected = vec![
            Tally {
                party: None,
                oin: None,
                minute: first,
                counts: vec![(RefusalReason::Handshake, 1)],
            },
            Tally {
                party: Some(party.clone()),
                oin: None,
                minute: first,
                counts: vec![(RefusalReason::Access, 2), (RefusalReason::Quota, 1)],
            },
        ];
        assert_eq!(refusals.take_finished(first), []);
        assert_eq!(refusals.take_finished(at("2026-11-23T14:01:59Z")), expected);
        assert_eq!(refusals.take_finished(at("2026-11-23T14:01:59Z")), []);
        let rest = refusals.take_all();
        assert_eq!(rest.len(), 1);
        assert_eq!(rest[0].counts, [(RefusalReason::Access, 1)]);
        refusals.put_back(rest[0].clone());
        refusals.put_back(rest[0].clone());
        assert_eq!(refusals.take_all()[0].counts, [(RefusalReason::Access, 2)]);
    }
}
