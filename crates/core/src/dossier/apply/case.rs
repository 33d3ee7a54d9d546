//! What becomes of cases, and of who has a place in them.

use std::collections::BTreeSet;

use super::{
    super::{Dossier, RowKey},
    Change,
};
use crate::{
    case::{Assignment, Case, ClosingReason},
    event::Event,
    id::{CaseId, PartyId},
    time::{Period, Timestamp},
};

impl Dossier {
    pub(super) fn apply_case(&mut self, event: &Event, change: &mut Change<'_>) {
        let at = change.at;
        match event {
            Event::CaseOpened { .. } => self.open_case(event, change),
            Event::MunicipalityAssigned { case, municipality } => {
                self.alter_case(*case, change, |case| {
                    end(&mut case.returns, at, |_| true);
                    case.returns.push(from(municipality, at));
                });
            }
            Event::MemberAdded {
                case,
                party,
                period,
            } => self.alter_case(*case, change, |case| {
                case.members.push(Assignment {
                    party: party.clone(),
                    period: *period,
                });
            }),
            Event::MemberRemoved {
                case,
                party,
                codes_ended,
            } => {
                self.alter_case(*case, change, |case| {
                    end(&mut case.members, at, |given| given.party == *party);
                    case.introduced.retain(|(partner, _)| partner != party);
                });
                if *codes_ended {
                    self.end_codes(*case, party, change);
                }
            }
            Event::CaseClosed { case, reason } => {
                let by = change.by;
                self.alter_case(*case, change, |case| {
                    case.closed_at = Some(at);
                    // What the opening said of numbers is the opener's own word, and nobody else takes it back.
                    let takes_back = by == Some(&case.opened_by);
                    case.in_error |= *reason == ClosingReason::OpenedInError && takes_back;
                });
            }
            _ => {}
        }
    }

    fn open_case(&mut self, event: &Event, change: &mut Change<'_>) {
        let Event::CaseOpened {
            case,
            identifiers,
            besides,
            municipality,
        } = event
        else {
            return;
        };
        let Some(by) = change.by else { return };
        let record = Case {
            id: *case,
            opened_by: by.clone(),
            opened_at: change.at,
            closed_at: None,
            returns: municipality
                .iter()
                .map(|party| from(party, change.at))
                .collect(),
            members: Vec::new(),
            introduced: BTreeSet::new(),
            entry: change.entry,
            besides: besides.clone(),
            in_error: false,
        };
        self.cases.insert(*case, record);
        change.rows.push(RowKey::Case(*case));
        for identifier in identifiers {
            self.know_by(identifier, change);
        }
    }

    /// Ends the codes that would still introduce a partner to a case.
    fn end_codes(&mut self, case: CaseId, partner: &PartyId, change: &mut Change<'_>) {
        let now = change.at;
        let codes = self.introductions.values_mut();
        for code in codes.filter(|code| code.leads(case, partner, now)) {
            code.until = now;
            change.rows.push(RowKey::Introduction(code.code_sha256));
        }
    }

    pub(super) fn alter_case(
        &mut self,
        id: CaseId,
        change: &mut Change<'_>,
        alter: impl FnOnce(&mut Case),
    ) {
        if let Some(found) = self.cases.get_mut(&id) {
            alter(found);
            change.rows.push(RowKey::Case(id));
        }
    }
}

/// A place from an instant on, without an end.
fn from(party: &PartyId, at: Timestamp) -> Assignment {
    Assignment {
        party: party.clone(),
        period: Period {
            from: at,
            until: None,
        },
    }
}

/// Ends the running assignments that match. One that would become empty disappears.
fn end(assignments: &mut Vec<Assignment>, at: Timestamp, matches: impl Fn(&Assignment) -> bool) {
    for given in assignments.iter_mut() {
        if matches(given) && given.period.until.is_none_or(|until| at < until) {
            given.period.until = Some(at.max(given.period.from));
        }
    }
    assignments.retain(|given| given.period.until != Some(given.period.from));
}
