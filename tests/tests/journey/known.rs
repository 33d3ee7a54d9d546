//! Invariant 5, from the side of who looks: an outsider and its officer learn from nothing they can ask whether the
//! broker knows somebody.

pub(super) mod acts;

use std::collections::BTreeMap;

use prost::bytes::Bytes;
use schakel_api::v1::{
    self, approve_erasure_response::Outcome as Approved, ask_response::Outcome as Asked,
    propose_erasure_response::Outcome as Proposed,
};
use schakel_audit::leaf::Leaf;
use schakel_tests::{Party, TestBroker, actor, at, bsn, bsn_number, item, key};

const PURPOSE: &str = "P-ACCOUNTABILITY";

/// The person everything is asked about, and another.
pub(super) const MEANT: u32 = 5;
pub(super) const OTHER: u32 = 8;

/// What an outsider and its officer were told, in order, without what is drawn at random.
#[derive(Default)]
pub(super) struct Told {
    pub(super) lines: Vec<String>,
    /// The tags in the leaves of receipts, each as the number of its first appearance.
    tags: BTreeMap<[u8; 16], usize>,
}

impl Told {
    pub(super) fn note(&mut self, what: &str, answer: &impl std::fmt::Debug) {
        self.lines.push(format!("{what}: {answer:?}"));
    }

    /// The leaf that a receipt shows, which says by its tag whether two entries are about one person.
    pub(super) fn receipt(&mut self, what: &str, receipt: Option<v1::Receipt>) {
        let receipt = receipt.expect("a receipt");
        let mut leaf = Leaf::decode(&receipt.leaf).expect("a leaf");
        let next = self.tags.len();
        let tag = leaf.subject_tag.take();
        let tag = tag.map(|tag| *self.tags.entry(tag).or_insert(next));
        (leaf.id, leaf.commitment) = ([0; 16], [0; 32]);
        leaf.released = leaf.released.map(|_| [0; 32]);
        let index = receipt.index;
        self.note(what, &(index, leaf, tag));
    }
}

/// An entry without what is drawn at random.
fn without_random(entry: &v1::Entry) -> v1::Entry {
    let words = entry.summary.split(' ');
    let words = words.map(|word| word.parse::<uuid::Uuid>().map_or(word, |_| "ID"));
    v1::Entry {
        reference: entry.reference.as_ref().map(|_| vec![0; 16].into()),
        summary: words.collect::<Vec<_>>().join(" "),
        ..entry.clone()
    }
}

/// What the outsider itself does about the person; what may differ at random is left out.
async fn party_asks(party: &Party, told: &mut Told) {
    let subject = || Some(bsn(&bsn_number(MEANT)));
    let conditions = [v1::Condition::Income, v1::Condition::Housing];
    for condition in conditions {
        let asked = v1::AskRequest {
            actor: actor(),
            item: Some(item(
                subject().unwrap(),
                "P-ARRANGE-INCOME",
                condition,
                v1::Granularity::Signal,
            )),
        };
        let answer = party.exchange().ask(asked).await.unwrap().into_inner();
        assert!(matches!(answer.outcome, Some(Asked::NotDisclosed(_))));
    }
    let asked = v1::ListConsentsRequest {
        actor: actor(),
        subject: subject(),
    };
    let answer = party.consents().list_consents(asked).await.unwrap();
    let outcome = answer.into_inner().outcome;
    told.note("consents", &outcome.map(|o| std::mem::discriminant(&o)));
}

/// What the outsider passes on for the person.
async fn party_writes(party: &Party, told: &mut Told) {
    let subject = || Some(bsn(&bsn_number(MEANT)));
    let withdrawn = party.withdraw(subject().unwrap()).await;
    let entry = withdrawn.index;
    told.receipt("withdrawal", Some(withdrawn));
    let request = v1::GetNoticeRequest {
        actor: actor(),
        subject: subject(),
        entry_index: entry,
    };
    let notice = party.notices().get_notice(request).await.unwrap();
    let outcome = notice.into_inner().outcome;
    told.note("notice", &outcome.map(|o| std::mem::discriminant(&o)));
    let request = v1::RecordRestrictionRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: subject(),
        kind: v1::RestrictionKind::Objection.into(),
        controller_party_id: None,
        conditions: Vec::new(),
    };
    let restricted = party.consents().record_restriction(request).await.unwrap();
    let restricted = restricted.into_inner();
    told.receipt("restriction", restricted.receipt);
    let request = v1::LiftRestrictionRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: subject(),
        restriction_id: restricted.restriction_id,
    };
    let lifted = party.consents().lift_restriction(request).await.unwrap();
    match lifted.into_inner().outcome {
        Some(v1::lift_restriction_response::Outcome::Lifted(done)) => {
            told.receipt("lifted", done.receipt);
        }
        other => panic!("{other:?}"),
    }
    let request = v1::RecordWithholdingRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: subject(),
        ground: "UAVG_41_1_I".into(),
        entry_indexes: vec![entry],
        until: at("2027-12-31T00:00:00Z".parse().unwrap()),
        counted: true,
    };
    match party.audit().record_withholding(request).await {
        Ok(withheld) => told.receipt("withheld", withheld.into_inner().receipt),
        Err(refused) => told.note("withholding refused", &(refused.code(), refused.message())),
    }
}

/// Everything the officer can ask about the person, and about what the own controller did; which entries it is shown.
pub(super) async fn officer_asks(
    broker: &TestBroker,
    officer: &Party,
    told: &mut Told,
) -> Vec<u64> {
    let subject = || Some(bsn(&bsn_number(MEANT)));
    let now = broker.now();
    let request = v1::SearchEntriesRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        subject: subject(),
        page_size: 100,
        ..v1::SearchEntriesRequest::default()
    };
    let found = officer.audit().search_entries(request).await.unwrap();
    let found = found.into_inner();
    let entries: Vec<_> = found.entries.iter().map(without_random).collect();
    told.note("search", &(&entries, found.next_page_token.is_some()));
    told.receipt("search", found.receipt);
    let request = v1::GetStatementRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        subject: subject(),
        period: None,
    };
    let mut answer = officer.audit().get_statement(request).await.unwrap();
    told.receipt("statement", answer.get_mut().receipt.take());
    told.note("statement", answer.get_ref());
    let request = v1::GetAsOfRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        subject: subject(),
        at: at(now),
    };
    let mut answer = officer.audit().get_as_of(request).await.unwrap();
    told.receipt("as of", answer.get_mut().receipt.take());
    told.note("as of", answer.get_ref());
    for report in 1..=8 {
        let request = v1::GetReportRequest {
            actor: actor(),
            purpose: PURPOSE.into(),
            report,
            subject: subject(),
            ..v1::GetReportRequest::default()
        };
        match officer.audit().get_report(request).await {
            Ok(mut answer) => {
                told.receipt("report", answer.get_mut().receipt.take());
                told.note("report", &(report, answer.get_ref()));
            }
            Err(refused) => told.note("report", &(report, refused.code())),
        }
    }
    entries.into_iter().map(|entry| entry.index).collect()
}

/// Whom a breach of the own controller touched.
pub(super) async fn officer_asks_of_a_breach(
    broker: &TestBroker,
    officer: &Party,
    told: &mut Told,
) {
    let now = broker.now();
    let request = v1::GetBreachRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        by: Some(v1::get_breach_request::By::PartyId("uwv-test".into())),
        period: Some(v1::Period {
            from: at(now.minus_millis(86_400_000)),
            until: at(now.plus_millis(1)),
        }),
        discovered_at: at(now),
        ..v1::GetBreachRequest::default()
    };
    let mut answer = officer.audit().get_breach(request).await.unwrap();
    told.receipt("breach", answer.get_mut().receipt.take());
    // By an id that is drawn at random.
    let persons = &mut answer.get_mut().persons;
    persons.sort_by(|a, b| a.entry_indexes.cmp(&b.entry_indexes));
    told.note("breach", answer.get_ref());
}

/// Everything the officer can ask about one entry.
pub(super) async fn officer_opens(officer: &Party, index: u64, told: &mut Told) {
    let request = v1::GetEntryRequest {
        actor: actor(),
        index,
        purpose: Some(PURPOSE.into()),
    };
    let answer = officer.audit().get_entry(request).await.unwrap();
    let answer = answer.into_inner();
    let entry = answer.entry.as_ref().map(without_random);
    told.note("entry", &entry);
    match answer.proof {
        Some(proof) => told.receipt("entry", Some(proof)),
        None => told.note("no proof", &answer.receipt.is_some()),
    }
    told.receipt("entry", answer.receipt);
    let request = v1::ExplainEntryRequest {
        actor: actor(),
        index,
        reference: None,
        purpose: PURPOSE.into(),
    };
    let mut answer = officer.audit().explain_entry(request).await.unwrap();
    match &mut answer.get_mut().outcome {
        Some(v1::explain_entry_response::Outcome::Explanation(told_of)) => {
            told.receipt("explained", told_of.receipt.take());
            told.note("explained", told_of);
        }
        other => told.note("not explained", &other.is_some()),
    }
    let request = v1::ReplayEntryRequest {
        actor: actor(),
        index,
        reference: None,
        purpose: PURPOSE.into(),
    };
    let mut answer = officer.audit().replay_entry(request).await.unwrap();
    match &mut answer.get_mut().outcome {
        Some(v1::replay_entry_response::Outcome::Replayed(told_of)) => {
            told.receipt("replayed", told_of.receipt.take());
            told.note("replayed", told_of);
        }
        other => told.note("not replayed", &other.is_some()),
    }
}

/// What leaves by export, of what does not differ at random.
pub(super) async fn officer_exports(officer: &Party, lines_approved: Bytes, told: &mut Told) {
    let request = v1::ExportEntriesRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        page_size: 100,
        ..v1::ExportEntriesRequest::default()
    };
    let exported = officer.export().export_entries(request).await.unwrap();
    for entry in exported.into_inner().entries {
        let leaf = Leaf::decode(&entry.leaf).expect("a leaf");
        let shown = (entry.index, leaf.entry_type, entry.details.is_some());
        told.note("exported", &shown);
    }
    let request = v1::ExportProcessingsRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        page_size: 100,
        search_id: Some(lines_approved),
        ..v1::ExportProcessingsRequest::default()
    };
    let exported = officer.export().export_processings(request).await.unwrap();
    for line in exported.into_inner().lines {
        let subjects = line.data_subject_id.is_some();
        told.note("line", &(line.index, line.name, subjects));
    }
}

async fn erased(officer: &Party, party: &Party, told: &mut Told) {
    let subject = || bsn(&bsn_number(MEANT));
    let ground = v1::ErasureGround::NotNeeded;
    let id = match officer.propose_erasure(subject(), ground).await {
        Proposed::Proposed(mut proposed) => {
            told.receipt("proposed", proposed.receipt.take());
            proposed.proposal_id
        }
        other => panic!("{other:?}"),
    };
    match party.approve_erasure(&id, Some(subject())).await {
        Ok(Approved::Erased(mut done)) => {
            told.receipt("erased", done.receipt.take());
            told.note("erased", &done);
        }
        other => panic!("{other:?}"),
    }
}

/// Everything that is told by a broker that knows one of the two, asked twice and once more after an erasure.
async fn everything(known: u32) -> Vec<String> {
    let broker = acts::knowing(known).await;
    let lines_approved = acts::all_connected(&broker).await;
    let (party, officer) = (
        broker.party("uwv-test").await,
        broker.party("fg-uwv-test").await,
    );
    let mut told = Told::default();
    for round in 1..=2 {
        party_asks(&party, &mut told).await;
        party_writes(&party, &mut told).await;
        acts::officer_writes(&officer, &party, &mut told).await;
        acts::others_act(&broker, round * 150).await;
        officer_asks(&broker, &officer, &mut told).await;
        officer_asks_of_a_breach(&broker, &officer, &mut told).await;
    }
    for entry in officer_asks(&broker, &officer, &mut told).await {
        officer_opens(&officer, entry, &mut told).await;
    }
    officer_exports(&officer, lines_approved, &mut told).await;
    erased(&officer, &party, &mut told).await;
    officer_asks(&broker, &officer, &mut told).await;
    acts::consent_made_up(&broker, &party, &officer, &mut told).await;
    broker.check_log().await;
    told.lines
}

/// Everything an outsider and its officer can ask, each twice, about the same number, of a broker that knows whose it
/// is and of one that knows somebody else: byte for byte the same, but for random numbers and what proves them.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_an_outsider_is_told_the_same_of_somebody_known_elsewhere_and_of_nobody() {
    let (known, nobody) = tokio::join!(everything(MEANT), everything(OTHER));
    for (one, other) in known.iter().zip(&nobody) {
        assert_eq!(one, other);
    }
    assert_eq!(known.len(), nobody.len());
    // It would prove nothing if the officer were shown nothing.
    let shown = |line: &&String| line.starts_with("explained") && line.contains("NO_BASIS");
    assert!(known.iter().filter(shown).count() > 4, "{known:#?}");
}
