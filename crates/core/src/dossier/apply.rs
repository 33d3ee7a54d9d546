//! How an event changes a dossier.

mod case;

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::{Dossier, Introduction, RowKey, Served};
use crate::{
    consent::{Consent, Narrowing, StateChange},
    decide::Grant,
    event::{ConsentEnded, Delivered, Details, Event},
    id::{ConsentId, EntryIndex, NoticeId, PartyId},
    inbox::Topic,
    notice::Notice,
    person::{Identifier, SubjectRef},
    restriction::Restriction,
    status::StatusRecord,
    time::Timestamp,
};

/// When something happened, by whom, and the rows it touched so far.
struct Change<'a> {
    entry: EntryIndex,
    at: Timestamp,
    by: Option<&'a PartyId>,
    rows: Vec<RowKey>,
}

impl Dossier {
    /// Applies what happened, and names the rows it touched. Events about other things touch nothing.
    pub fn apply(&mut self, details: &Details, entry: EntryIndex, at: Timestamp) -> Vec<RowKey> {
        let mut change = Change {
            entry,
            at,
            by: details.call.as_ref().map(|call| &call.principal),
            rows: Vec::new(),
        };
        for (usage, slot) in &details.binds {
            self.slots.insert(usage.clone(), *slot);
            change.rows.push(RowKey::Slot(usage.clone()));
        }
        match &details.event {
            Event::ConsentRecorded { .. } | Event::ConsentEnded(_) => {
                self.apply_consent(&details.event, &mut change);
            }
            Event::CaseOpened { .. }
            | Event::MunicipalityAssigned { .. }
            | Event::MemberAdded { .. }
            | Event::MemberRemoved { .. }
            | Event::CaseClosed { .. } => self.apply_case(&details.event, &mut change),
            Event::Introduced { .. } | Event::Redeemed { .. } => {
                self.apply_introduction(&details.event, &mut change);
            }
            Event::StatusReported { .. } => self.apply_status(&details.event, &mut change),
            Event::Restricted { .. } | Event::RestrictionLifted { .. } => {
                self.apply_restriction(&details.event, &mut change);
            }
            Event::Disclosed(disclosed) => {
                self.serve(&disclosed.ask.subject, &disclosed.grants, &mut change);
            }
            Event::Delivered(delivered) => self.apply_delivery(delivered, &mut change),
            Event::Acknowledged { notice, .. } => self.acknowledge(*notice, &mut change),
            Event::Denied(_)
            | Event::LookedUp(_)
            | Event::Withheld(_)
            | Event::SearchProposed(_)
            | Event::SearchDecided(_)
            | Event::TrailVerified(_)
            | Event::ReplayDiffered(_)
            | Event::Issuance(_)
            | Event::Proposed(_)
            | Event::Changed { .. }
            | Event::Rejected { .. }
            | Event::CertificatesUsed { .. }
            | Event::Refused { .. }
            | Event::Started { .. }
            | Event::Stopped
            | Event::ClockJumped { .. }
            | Event::ClockAcknowledged { .. }
            | Event::SigningResumed { .. }
            | Event::Erased(_)
            | Event::ErasureProposed(_)
            | Event::ErasureApproved { .. }
            | Event::ErasureRejected { .. }
            | Event::KekRotated
            | Event::CheckpointKey { .. } => {}
        }
        change.rows
    }

    fn acknowledge(&mut self, notice: Option<NoticeId>, change: &mut Change<'_>) {
        if let Some(notice) = notice.and_then(|id| self.notices.get_mut(&id)) {
            notice.acknowledged_at.get_or_insert(change.at);
            change.rows.push(RowKey::Notice(notice.id));
        }
    }

    fn apply_consent(&mut self, event: &Event, change: &mut Change<'_>) {
        match event {
            Event::ConsentRecorded {
                consent,
                state,
                terms,
                identifier,
            } => {
                let step = StateChange {
                    state: *state,
                    at: change.at,
                    by: terms.collected_by.clone(),
                    entry: change.entry,
                };
                let record = Consent {
                    id: *consent,
                    terms: terms.clone(),
                    history: vec![step],
                    narrowed: Vec::new(),
                };
                self.consents.insert(*consent, record);
                change.rows.push(RowKey::Consent(*consent));
                if let Some(identifier) = identifier {
                    self.know_by(identifier, change);
                }
            }
            Event::ConsentEnded(ended) => self.end_consents(ended, change),
            _ => {}
        }
    }

    fn end_consents(&mut self, ended: &ConsentEnded, change: &mut Change<'_>) {
        let Some(by) = change.by else { return };
        for id in &ended.consents {
            self.alter_consent(*id, change, |consent, change| {
                consent.history.push(StateChange {
                    state: ended.state,
                    at: change.at,
                    by: by.clone(),
                    entry: change.entry,
                });
            });
        }
        for id in &ended.narrowed {
            self.alter_consent(*id, change, |consent, change| {
                consent.narrowed.push(Narrowing {
                    state: ended.state,
                    conditions: ended.conditions.clone(),
                    recipient: ended.recipient.clone(),
                    at: change.at,
                    by: by.clone(),
                    entry: change.entry,
                });
            });
        }
        self.keep_notices(&ended.notices, change);
    }

    fn apply_introduction(&mut self, event: &Event, change: &mut Change<'_>) {
        match event {
            Event::Introduced {
                case,
                partner,
                condition,
                code_sha256,
                until,
            } => {
                let introduction = Introduction {
                    code_sha256: *code_sha256,
                    case: *case,
                    partner: partner.clone(),
                    condition: *condition,
                    until: *until,
                    redeemed: false,
                };
                self.introductions.insert(*code_sha256, introduction);
                change.rows.push(RowKey::Introduction(*code_sha256));
            }
            Event::Redeemed {
                code_sha256,
                client_ref,
            } => {
                let Some(found) = self.introductions.get_mut(code_sha256) else {
                    return;
                };
                found.redeemed = true;
                let (case, condition) = (found.case, found.condition);
                change.rows.push(RowKey::Introduction(*code_sha256));
                let Some(by) = change.by else { return };
                self.alter_case(case, change, |case| {
                    case.introduced.insert((by.clone(), condition));
                });
                self.know_by(
                    &Identifier::ClientRef(by.clone(), client_ref.clone()),
                    change,
                );
            }
            _ => {}
        }
    }

    fn apply_status(&mut self, event: &Event, change: &mut Change<'_>) {
        let Event::StatusReported {
            case,
            condition,
            report,
            regime,
            notices,
            ..
        } = event
        else {
            return;
        };
        let Some(by) = change.by else { return };
        let record = StatusRecord {
            case: *case,
            condition: *condition,
            reporter: by.clone(),
            report: report.clone(),
            regime: *regime,
            reported_at: change.at,
            entry: change.entry,
        };
        let key = (*case, *condition, by.clone());
        self.statuses.insert(key, record);
        let key = RowKey::Status(*case, *condition, by.clone());
        change.rows.push(key);
        self.keep_notices(notices, change);
    }

    fn apply_restriction(&mut self, event: &Event, change: &mut Change<'_>) {
        match event {
            Event::Restricted {
                restriction,
                kind,
                controller,
                conditions,
                between_others,
                notices,
            } => {
                let Some(by) = change.by else { return };
                let record = Restriction {
                    id: *restriction,
                    kind: *kind,
                    controller: controller.clone(),
                    conditions: conditions.clone(),
                    recorded_by: by.clone(),
                    between_others: *between_others,
                    from: change.at,
                    lifted_at: None,
                    lifted_for: BTreeMap::new(),
                    entry: change.entry,
                };
                self.restrictions.insert(*restriction, record);
                change.rows.push(RowKey::Restriction(*restriction));
                self.keep_notices(notices, change);
            }
            Event::RestrictionLifted {
                restriction,
                controller,
            } => {
                if let Some(found) = self.restrictions.get_mut(restriction) {
                    match controller {
                        Some(controller) => {
                            let lifted = &mut found.lifted_for;
                            lifted.entry(controller.clone()).or_insert(change.at);
                        }
                        None => found.lifted_at = Some(change.at),
                    }
                    change.rows.push(RowKey::Restriction(*restriction));
                }
            }
            _ => {}
        }
    }

    fn apply_delivery(&mut self, delivered: &Delivered, change: &mut Change<'_>) {
        if let Some(disclosed) = &delivered.disclosed {
            self.serve(&disclosed.ask.subject, &disclosed.grants, change);
        }
        let Topic::Notice(id) = &delivered.message.topic else {
            return;
        };
        if let Some(notice) = self.notices.get_mut(id) {
            notice.delivered_at.get_or_insert(change.at);
            change.rows.push(RowKey::Notice(*id));
        }
    }

    fn serve(&mut self, reference: &SubjectRef, grants: &[Grant], change: &mut Change<'_>) {
        let Some(recipient) = change.by else { return };
        for grant in grants {
            let key = (recipient.clone(), grant.condition);
            let served = self.served.entry(key.clone()).or_insert_with(|| Served {
                recipient: recipient.clone(),
                condition: grant.condition,
                reference: reference.clone(),
                consents: BTreeSet::new(),
                providers: BTreeSet::new(),
            });
            let before = (served.consents.len(), served.providers.len());
            served.consents.extend(grant.consents.iter().copied());
            served.providers.insert(grant.provider.clone());
            if before != (served.consents.len(), served.providers.len()) {
                change.rows.push(RowKey::Served(key.0, key.1));
            }
        }
    }

    fn keep_notices(&mut self, notices: &[Notice], change: &mut Change<'_>) {
        for notice in notices {
            let notice = Notice {
                entry: change.entry,
                ..notice.clone()
            };
            change.rows.push(RowKey::Notice(notice.id));
            self.notices.insert(notice.id, notice);
        }
    }

    fn know_by(&mut self, identifier: &Identifier, change: &mut Change<'_>) {
        if let Entry::Vacant(place) = self.identifiers.entry(identifier.clone()) {
            place.insert(change.entry);
            change.rows.push(RowKey::Identifier(identifier.clone()));
        }
    }

    fn alter_consent(
        &mut self,
        id: ConsentId,
        change: &mut Change<'_>,
        alter: impl FnOnce(&mut Consent, &Change<'_>),
    ) {
        if let Some(found) = self.consents.get_mut(&id) {
            alter(found, change);
            change.rows.push(RowKey::Consent(id));
        }
    }
}
