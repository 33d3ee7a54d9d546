//! What a broker says of people: who is told, what was agreed, what waits, and what the person may read of it.

use std::collections::BTreeMap;

use schakel_api::v1::{self, list_consents_response::Outcome, message::Content};
use schakel_core::time::Timestamp;
use schakel_tests::{Child, Party, Scene, actor, at, bsn};

use super::parties;

/// The whole of it, without the receipts, which tell where the telling was recorded.
#[derive(Debug, PartialEq)]
pub(super) struct Account {
    /// Whether the association is told about housing, person by person.
    pub(super) told: Vec<bool>,
    /// The consents of each person.
    pub(super) consents: Vec<Vec<v1::Consent>>,
    /// The statement for each person, of what was recorded until the kill.
    statements: Vec<v1::GetStatementResponse>,
    /// What each inbox holds, by delivery.
    pub(super) inboxes: BTreeMap<String, BTreeMap<String, String>>,
}

impl Account {
    /// Asks for all of it. Nothing that is asked changes what is asked next, but that a message that waited has been
    /// handed over from then on.
    pub(super) async fn of(child: &Child, scenes: &[Scene], until: Timestamp) -> Self {
        let [_, municipality, association] = parties(child);
        let officer = child.party("fg-gemeente-oost");
        let from = child.place().furnished_at();
        let mut account = Self {
            told: Vec::new(),
            consents: Vec::new(),
            statements: Vec::new(),
            inboxes: BTreeMap::new(),
        };
        for scene in scenes {
            let told = association.ask_housing(&scene.mark).await;
            account.told.push(told.is_some());
            account.consents.push(consents(&municipality, scene).await);
            let period = v1::Period {
                from: at(from),
                until: at(until),
            };
            let statement = statement(&officer, scene, period).await;
            account.statements.push(statement);
        }
        for party in [municipality, association] {
            let inbox = inbox(&party).await;
            account.inboxes.insert(party.id, inbox);
        }
        account
    }
}

async fn consents(party: &Party, scene: &Scene) -> Vec<v1::Consent> {
    let request = v1::ListConsentsRequest {
        actor: actor(),
        subject: Some(bsn(&scene.bsn)),
    };
    let answer = party.consents().list_consents(request).await;
    match answer.expect("an answer").into_inner().outcome {
        Some(Outcome::Consents(shown)) => {
            party.keep(shown.receipt);
            shown.consents
        }
        // As of somebody who gave none.
        Some(Outcome::NotDisclosed(_)) => Vec::new(),
        None => panic!("an answer says what came of it"),
    }
}

async fn statement(party: &Party, scene: &Scene, period: v1::Period) -> v1::GetStatementResponse {
    let request = v1::GetStatementRequest {
        actor: actor(),
        purpose: "P-ACCOUNTABILITY".into(),
        subject: Some(bsn(&scene.bsn)),
        period: Some(period),
    };
    let answer = party.audit().get_statement(request).await;
    let mut answer = answer.expect("a statement").into_inner();
    party.keep(answer.receipt.take());
    answer.at = None;
    answer
}

/// Everything that was not acknowledged, from the beginning.
async fn inbox(party: &Party) -> BTreeMap<String, String> {
    let (mut waiting, mut cursor) = (BTreeMap::new(), None);
    loop {
        let pulled = party.pull(cursor, 100).await;
        if pulled.messages.is_empty() {
            return waiting;
        }
        for message in pulled.messages {
            let says = match message.content {
                Some(Content::Notice(notice)) => {
                    let (id, kind) = (&notice.notice_id, notice.kind());
                    format!("{id} {kind:?} {:?} {:?}", notice.issued_at, notice.deadline)
                }
                Some(Content::Disclosed(disclosed)) => format!("{:?}", disclosed.disclosure),
                None => panic!("a message says something"),
            };
            let told = format!("{:?} {says}", message.subject);
            let twice = waiting.insert(message.delivery_id, told);
            assert!(twice.is_none(), "handed over twice: {twice:?}");
        }
        cursor = Some(pulled.cursor.to_vec());
    }
}
