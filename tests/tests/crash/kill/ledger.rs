//! What the log itself says of people and inboxes, read with the keyring: what the broker must say after a kill.

use std::collections::{BTreeMap, BTreeSet};

use schakel_api::v1;
use schakel_core::{
    consent::ConsentState,
    event::{Asked, Delivered, Denied, Details, Event},
    id::{PartyId, SubjectId},
    inbox::{Pending, Topic},
};
use schakel_tests::{Child, Scene};

use super::account::Account;

/// What the entries so far come to, by rules of the test's own: none of the broker's code reads them.
#[derive(Default)]
pub(super) struct Ledger {
    /// The leaves that were read, as they were.
    leaves: Vec<Vec<u8>>,
    /// Who a case is about.
    persons: BTreeMap<String, SubjectId>,
    /// Each person's consents, and whether they stand.
    consents: BTreeMap<SubjectId, BTreeMap<String, bool>>,
    inboxes: BTreeMap<PartyId, Inbox>,
}

/// What is in an inbox.
#[derive(Default)]
struct Inbox {
    /// What was never handed over.
    waits: Vec<Pending>,
    /// The deliveries that were not acknowledged, by position.
    handed: BTreeMap<u64, String>,
}

impl Ledger {
    /// Checks the log of a broker that was killed against everything received from it, and reads on where it stopped.
    pub(super) fn read(&mut self, killed: &Child) {
        let log = killed.check_log();
        // What was received is in this log; that it stays there is seen by the leaves.
        killed.evidence().let_go();
        let known = self.leaves.len();
        assert!(log.encoded.len() > known, "the log lost entries");
        assert_eq!(log.encoded[..known], self.leaves[..], "entries changed");
        for details in log.details_from(killed.place(), known) {
            self.learn(&details.expect("nothing was erased"));
        }
        self.leaves = log.encoded;
    }

    fn learn(&mut self, details: &Details) {
        let by = details.call.as_ref().map(|call| &call.principal);
        match &details.event {
            Event::CaseOpened { case, .. } => {
                let subject = details.subject.expect("a case is about somebody");
                self.persons.insert(case.to_string(), subject);
            }
            Event::ConsentRecorded { consent, state, .. } => {
                let subject = details.subject.expect("a consent is somebody's");
                let consents = self.consents.entry(subject).or_default();
                consents.insert(consent.to_string(), *state == ConsentState::Given);
            }
            Event::ConsentEnded(ended) => {
                assert!(ended.narrowed.is_empty(), "all of them are withdrawn whole");
                let subject = details.subject.expect("they are all of known people");
                let consents = self.consents.entry(subject).or_default();
                for consent in &ended.consents {
                    let stood = consents.insert(consent.to_string(), false);
                    assert_eq!(stood, Some(true), "only what stood is ended");
                }
                for notice in &ended.notices {
                    let topic = Topic::Notice(notice.id);
                    self.waits(&notice.recipient, Pending { subject, topic });
                }
            }
            Event::StatusReported { messages, .. } => {
                for (party, message) in messages {
                    self.waits(party, message.clone());
                }
            }
            Event::Delivered(delivered) => self.handed(by.expect("a receiver"), delivered),
            Event::Acknowledged { position, .. } => {
                let inbox = self.inbox(by.expect("a receiver"));
                let was = inbox.handed.remove(position);
                assert!(was.is_some(), "only what was handed over is acknowledged");
            }
            Event::Denied(Denied {
                asked: Asked::Message { message, .. },
                ..
            }) => panic!("everything that waits may be read: {message:?}"),
            _ => {}
        }
    }

    fn waits(&mut self, party: &PartyId, message: Pending) {
        let inbox = self.inbox(party);
        if !inbox.waits.contains(&message) {
            inbox.waits.push(message);
        }
    }

    fn handed(&mut self, party: &PartyId, delivered: &Delivered) {
        let delivery = delivered.delivery.to_string();
        let inbox = self.inbox(party);
        if delivered.order.is_some() {
            let at = inbox.waits.iter().position(|one| *one == delivered.message);
            inbox.waits.remove(at.expect("it waited"));
            inbox.handed.insert(delivered.position, delivery);
        } else {
            let known = inbox.handed.values().any(|one| *one == delivery);
            assert!(known, "handed over again, though it was acknowledged");
        }
    }

    fn inbox(&mut self, party: &PartyId) -> &mut Inbox {
        self.inboxes.entry(party.clone()).or_default()
    }

    /// That a broker says what the log says.
    pub(super) fn hold_against(&self, account: &Account, scenes: &[Scene]) {
        for (number, scene) in scenes.iter().enumerate() {
            let subject = &self.persons[&scene.case];
            let wanted = self.consents.get(subject).cloned().unwrap_or_default();
            let stands = wanted.values().any(|stands| *stands);
            assert_eq!(account.told[number], stands, "who is told of {scene:?}");
            let shown = account.consents[number].iter();
            let given = i32::from(v1::ConsentState::Given);
            let shown = shown.map(|one| (one.consent_id.clone(), one.state == given));
            assert_eq!(shown.collect::<BTreeMap<_, _>>(), wanted, "{scene:?}");
        }
        for (party, shown) in &account.inboxes {
            let party: PartyId = party.parse().expect("an id");
            let Some(inbox) = self.inboxes.get(&party) else {
                assert!(shown.is_empty(), "{party} has nothing: {shown:?}");
                continue;
            };
            let handed: BTreeSet<_> = inbox.handed.values().collect();
            let lost: Vec<_> = handed
                .iter()
                .filter(|id| !shown.contains_key(**id))
                .collect();
            assert!(lost.is_empty(), "{party} is not handed again {lost:?}");
            let wanted = handed.len() + inbox.waits.len();
            assert_eq!(shown.len(), wanted, "{party}: {shown:?}");
        }
    }
}
