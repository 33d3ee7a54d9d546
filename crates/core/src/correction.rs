//! Corrections: who must be told that what was reported before was wrong (AVG 19).

use crate::{
    code::Condition,
    dossier::Dossier,
    id::PartyId,
    notice::{self, Issue, Notice, NoticeKind},
    random::Random,
    time::Timestamp,
};

/// The notices of a correction: to everyone who was ever served this reporter's reports of the
/// condition.
pub fn notices(
    dossier: &Dossier,
    condition: Condition,
    reporter: &PartyId,
    now: Timestamp,
    random: &mut dyn Random,
) -> Vec<Notice> {
    let issue = Issue {
        kind: NoticeKind::Correction,
        by: reporter,
        at: now,
    };
    notice::to_served(dossier, &issue, random, |served| {
        served.condition == condition && served.providers.contains(reporter)
    })
}
