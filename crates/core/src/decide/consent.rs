//! The consents on which an exchange may rest.

use super::{
    Finding, Reason,
    exchange::{Exchange, Passage},
};
use crate::{
    code::Condition,
    consent::{Consent, ConsentKind, ConsentState},
};

impl<'a> Exchange<'a> {
    /// The consent on which the passage may rest, the one that allows most.
    pub(super) fn consent(
        &self,
        passage: &Passage<'_>,
        explicit: bool,
    ) -> Result<&'a Consent, Finding> {
        let mut best: Option<&Consent> = None;
        let mut nearest: Option<(Obstacle, &Consent)> = None;
        for consent in self.consents(passage, ConsentKind::ProcessingBasis) {
            match self.obstacle(consent, passage.record.condition, explicit) {
                None => {
                    if best.is_none_or(|best| best.terms.granularity < consent.terms.granularity) {
                        best = Some(consent);
                    }
                }
                Some(obstacle) => {
                    let nearness = obstacle.nearness(consent);
                    if nearest.is_none_or(|(other, than)| other.nearness(than) < nearness) {
                        nearest = Some((obstacle, consent));
                    }
                }
            }
        }
        best.ok_or_else(|| match nearest {
            Some((obstacle, consent)) => Finding {
                consent: Some(consent.id),
                ..passage.stop(obstacle.reason)
            },
            None => passage.stop(Reason::ConsentMissing),
        })
    }

    /// The waiver that lifts the provider's secrecy, the one that allows most.
    pub(super) fn secrecy_waiver(&self, passage: &Passage<'_>) -> Result<&'a Consent, Finding> {
        self.consents(passage, ConsentKind::SecrecyWaiver)
            .into_iter()
            .filter(|consent| {
                let condition = passage.record.condition;
                self.obstacle(consent, condition, false).is_none()
            })
            .max_by_key(|consent| consent.terms.granularity)
            .ok_or_else(|| passage.stop(Reason::SecrecyWaiverMissing))
    }

    /// The consents of one kind whose terms cover the passage, whatever their state. An agreement to
    /// the help itself is never looked for.
    fn consents(&self, passage: &Passage<'_>, kind: ConsentKind) -> Vec<&'a Consent> {
        let (case, record) = (passage.case, passage.record);
        let covers = |consent: &&Consent| {
            let (terms, purpose) = (&consent.terms, &self.version.code);
            terms.kind == kind
                && terms.case.is_none_or(|id| id == case.id)
                && consent.covers(record.condition, purpose, &record.reporter, self.recipient)
        };
        self.dossier.consents.values().filter(covers).collect()
    }

    /// Why a consent that covers a passage cannot carry it; `None` when it can.
    fn obstacle(
        &self,
        consent: &Consent,
        condition: Condition,
        explicit: bool,
    ) -> Option<Obstacle> {
        let ended = |reason| Some(Obstacle { rank: 0, reason });
        match consent.state_for(condition, self.recipient, self.now) {
            Some(ConsentState::Given | ConsentState::Renewed) => {
                if self.now < consent.terms.valid_from {
                    let reason = Reason::ConsentNotYetValid;
                    return Some(Obstacle { rank: 1, reason });
                }
                let reason = Reason::ConsentNotExplicit;
                (explicit && !consent.terms.explicit).then_some(Obstacle { rank: 2, reason })
            }
            Some(ConsentState::Expired) => ended(Reason::ConsentExpired),
            Some(ConsentState::Withdrawn) => ended(Reason::ConsentWithdrawn),
            Some(ConsentState::Revoked | ConsentState::Invalidated) => {
                ended(Reason::ConsentInvalidated)
            }
            Some(ConsentState::Refused) => ended(Reason::ConsentRefused),
            Some(ConsentState::Requested | ConsentState::Deferred) | None => {
                ended(Reason::ConsentNotGiven)
            }
        }
    }
}

/// Why a consent cannot carry an exchange.
#[derive(Clone, Copy)]
struct Obstacle {
    /// One that lacks only explicitness is nearer than one that must still begin, and that one than
    /// what ended or never was.
    rank: u8,
    reason: Reason,
}

impl Obstacle {
    /// Which of two came nearer: by rank, then the person's latest word.
    fn nearness(self, consent: &Consent) -> (u8, Option<crate::id::EntryIndex>) {
        (self.rank, consent.last_entry())
    }
}
