//! Who plays in the story, and the requests they make.

use std::{path::Path, sync::Arc};

use anyhow::Result;
use prost_types::Timestamp;
use schakel_api::v1;
use schakel_client::{Client, Trail};

/// The person: a number that passes the eleven test and belongs to nobody.
pub(super) const BSN: &str = "999999990";
/// The same person in the justice chain.
pub(super) const SKN: &str = "SKN000000001";
/// How the housing association knows the person.
pub(super) const HOUSING_REF: &str = "huurder-4711";
pub(super) const PI: &str = "pi-noord";
pub(super) const MUNICIPALITY: &str = "gemeente-oost";
pub(super) const HOUSING: &str = "wonen-zuid";
pub(super) const CARE: &str = "zorg-midden";
pub(super) const OFFICER: &str = "fg-gemeente-oost";
pub(super) const AUDITOR: &str = "toetser";

/// The key of a write: left empty, the client draws one.
pub(super) const KEY: String = String::new();

const DAY: i64 = 86_400;
const NOTICE: &str =
    "Mag de gemeente de woningstichting laten weten of u hulp bij wonen nodig heeft?";

/// The players, each on a connection of its own.
pub(super) struct Scene {
    pub(super) pi: Client,
    pub(super) municipality: Client,
    pub(super) housing: Client,
    pub(super) care: Client,
    pub(super) officer: Client,
    pub(super) auditor: Client,
    now: i64,
}

impl Scene {
    /// Connects every player.
    pub(super) async fn set(connect: &Connect<'_>, now_seconds: i64) -> Result<Self> {
        Ok(Self {
            pi: connect.party(PI).await?,
            municipality: connect.party(MUNICIPALITY).await?,
            housing: connect.party(HOUSING).await?,
            care: connect.party(CARE).await?,
            officer: connect.party(OFFICER).await?,
            auditor: connect.party(AUDITOR).await?,
            now: now_seconds,
        })
    }

    pub(super) fn report(
        &self,
        case: &str,
        condition: v1::Condition,
        status: v1::ConditionStatus,
    ) -> v1::ReportStatusRequest {
        v1::ReportStatusRequest {
            idempotency_key: KEY,
            actor: actor(),
            subject: Some(subject(v1::subject_ref::Reference::CaseId(case.into()))),
            condition: condition.into(),
            status: status.into(),
            as_of: self.today(),
            moment: v1::Moment::Entry.into(),
            ..v1::ReportStatusRequest::default()
        }
    }

    pub(super) fn consent(&self) -> v1::RecordConsentRequest {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let terms = v1::ConsentTerms {
            kind: v1::ConsentKind::ProcessingBasis.into(),
            explicit: true,
            conditions: vec![v1::Condition::Housing.into()],
            purposes: vec!["P-ARRANGE-HOUSING".into()],
            provider_party_ids: vec![PI.into(), MUNICIPALITY.into()],
            recipient_party_ids: vec![HOUSING.into()],
            granularity: v1::Granularity::Signal.into(),
            valid_from: at(self.now),
            valid_until: at(self.now + 90 * DAY),
            notice: Some(v1::NoticeText {
                version: "1".into(),
                language: "nl".into(),
                sha256: super::sha256(NOTICE.as_bytes()).to_vec().into(),
            }),
            method: v1::CollectionMethod::Written.into(),
            collected_at: at(self.now),
            representative_mandate_sha256: None,
            interpreter: false,
            attestations: Some(v1::Attestations {
                own_interest: true,
                help_question: true,
                refusal_without_detriment: true,
                alternative_offered: true,
            }),
        };
        v1::RecordConsentRequest {
            idempotency_key: KEY,
            actor: actor(),
            subject: Some(subject(v1::subject_ref::Reference::Bsn(BSN.into()))),
            state: v1::ConsentState::Given.into(),
            terms: Some(terms),
        }
    }

    fn today(&self) -> String {
        let millis = self.now.unsigned_abs().saturating_mul(1000);
        schakel_core::time::Timestamp::from_millis(millis)
            .map(|now| now.date().to_string())
            .unwrap_or_default()
    }
}

/// How players connect.
pub(super) struct Connect<'a> {
    pub(super) server: &'a str,
    pub(super) certificates: &'a Path,
    pub(super) trail: Arc<Trail>,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every request has it as an optional message"
)]
pub(super) fn actor() -> Option<v1::Actor> {
    Some(v1::Actor {
        actor_ref: "story".into(),
        responsible_ref: None,
    })
}

pub(super) fn subject(reference: v1::subject_ref::Reference) -> v1::SubjectRef {
    v1::SubjectRef {
        reference: Some(reference),
    }
}

pub(super) fn item(
    reference: v1::subject_ref::Reference,
    purpose: &str,
    conditions: &[v1::Condition],
    granularity: v1::Granularity,
) -> v1::AskItem {
    v1::AskItem {
        subject: Some(subject(reference)),
        purpose: purpose.into(),
        purpose_version: None,
        conditions: conditions
            .iter()
            .map(|condition| (*condition).into())
            .collect(),
        granularity: granularity.into(),
    }
}

/// The association's question about housing, for somebody it knows by a mark.
pub(super) fn housing_ask(mark: &str) -> v1::AskRequest {
    let reference = v1::subject_ref::Reference::ClientRef(mark.into());
    let asked = [v1::Condition::Housing];
    let item = item(
        reference,
        "P-ARRANGE-HOUSING",
        &asked,
        v1::Granularity::Signal,
    );
    v1::AskRequest {
        actor: actor(),
        item: Some(item),
    }
}
