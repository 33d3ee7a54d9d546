//! Withdrawals: what ends, and who must be told (AVG 7(3)).
//!
//! A withdrawal is never refused and needs no consent id. It takes what the person names and nothing
//! more: a consent of which a part is named is narrowed, and the rest stands.

use std::collections::BTreeSet;

use crate::{
    code::Condition,
    consent::{Consent, ConsentState, MOST_NARROWINGS},
    dossier::Dossier,
    id::{ConsentId, PartyId},
    notice::{self, Issue, Notice, NoticeKind},
    random::Random,
    time::Timestamp,
};

/// What the person takes back.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The conditions; empty means all.
    pub conditions: &'a BTreeSet<Condition>,
    /// The recipient; none means all.
    pub recipient: Option<&'a PartyId>,
    /// The party whose own consents are left alone; none means nobody's.
    pub leaves: Option<&'a PartyId>,
}

/// What a withdrawal comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withdrawal {
    /// The consents that end.
    pub consents: Vec<ConsentId>,
    /// The consents of which the part named ends, while the rest stands.
    pub narrowed: Vec<ConsentId>,
    /// The notices: one to each recipient ever served under what ends.
    pub notices: Vec<Notice>,
}

/// Plans a withdrawal through a party. Every kind of consent is taken back, whether given, asked for
/// or deferred; what ended before is left alone.
///
/// A consent that was narrowed [`MOST_NARROWINGS`] times ends whole at the next: a withdrawal is never
/// refused.
pub fn plan(
    dossier: &Dossier,
    scope: &Scope<'_>,
    by: &PartyId,
    now: Timestamp,
    random: &mut dyn Random,
) -> Withdrawal {
    let mut withdrawal = Withdrawal::default();
    let mut ended: BTreeSet<(ConsentId, Condition, &PartyId)> = BTreeSet::new();
    let left = |consent: &&Consent| scope.leaves.is_some_and(|party| consent.involves(party));
    for consent in dossier.consents.values().filter(|one| !left(one)) {
        let live = live_parts(consent, now);
        let named: BTreeSet<_> = live
            .iter()
            .copied()
            .filter(|(condition, recipient)| scope.holds(*condition, recipient))
            .collect();
        if named.is_empty() {
            continue;
        }
        let whole = named == live || consent.narrowed.len() >= MOST_NARROWINGS;
        let (list, parts) = if whole {
            (&mut withdrawal.consents, live)
        } else {
            (&mut withdrawal.narrowed, named)
        };
        list.push(consent.id);
        ended.extend(
            parts
                .into_iter()
                .map(|(condition, recipient)| (consent.id, condition, recipient)),
        );
    }
    let issue = Issue {
        kind: NoticeKind::Withdrawal,
        by,
        at: now,
    };
    withdrawal.notices = notice::to_served(dossier, &issue, random, |served| {
        let mut consents = served.consents.iter();
        consents.any(|id| ended.contains(&(*id, served.condition, &served.recipient)))
    });
    withdrawal
}

/// The conditions and recipients for which a consent has not ended.
fn live_parts(consent: &Consent, now: Timestamp) -> BTreeSet<(Condition, &PartyId)> {
    let pairs = consent.terms.conditions.iter().flat_map(|condition| {
        let recipients = consent.terms.recipients.iter();
        recipients.map(|recipient| (*condition, recipient))
    });
    pairs
        .filter(|(condition, recipient)| {
            matches!(
                consent.state_for(*condition, recipient, now),
                Some(
                    ConsentState::Given
                        | ConsentState::Renewed
                        | ConsentState::Requested
                        | ConsentState::Deferred
                )
            )
        })
        .collect()
}

impl Scope<'_> {
    fn holds(&self, condition: Condition, recipient: &PartyId) -> bool {
        (self.conditions.is_empty() || self.conditions.contains(&condition))
            && self.recipient.is_none_or(|party| party == recipient)
    }
}
