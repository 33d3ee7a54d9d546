//! Requests and what they are made of, and the situation most tests begin with.

use prost_types::Timestamp as Stamp;
use schakel_api::v1::{self, subject_ref::Reference};
use schakel_core::{random::Random as _, time::Timestamp};
use schakel_store::random::OsRandom;
use tonic::Status;
use tonic_types::StatusExt as _;
use uuid::Builder;

use crate::{broker::TestBroker, party::Party};

/// The purpose under which an association asks about housing.
pub const HOUSING: &str = "P-ARRANGE-HOUSING";

/// A fresh key for a write.
#[must_use]
pub fn key() -> String {
    let mut bytes = [0; 16];
    OsRandom.fill(&mut bytes);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Who acts.
#[must_use]
pub fn actor() -> Option<v1::Actor> {
    Some(v1::Actor {
        actor_ref: "medewerker-1".into(),
        responsible_ref: None,
    })
}

/// An instant on the wire.
#[must_use]
pub fn at(instant: Timestamp) -> Option<Stamp> {
    let millis = i64::try_from(instant.as_millis()).expect("an instant");
    let nanos = i32::try_from(millis % 1000 * 1_000_000).expect("below a second");
    Some(Stamp {
        seconds: millis / 1000,
        nanos,
    })
}

/// The number of test person `n`: it passes the eleven test. Every number gives another.
///
/// # Panics
/// From a million on.
#[must_use]
pub fn bsn_number(n: u32) -> String {
    assert!(n < 1_000_000);
    // Of the hundred numbers that begin with these seven digits, the first that passes.
    (0..100)
        .map(|rest| format!("{:07}{rest:02}", 9_000_000 + n))
        .find(|text| {
            let digits = text.bytes().map(|digit| i32::from(digit - b'0'));
            let weights = [9, 8, 7, 6, 5, 4, 3, 2, -1];
            digits
                .zip(weights)
                .map(|(digit, weight)| digit * weight)
                .sum::<i32>()
                % 11
                == 0
        })
        .expect("a number")
}

/// A person by number.
#[must_use]
pub fn bsn(number: &str) -> v1::SubjectRef {
    v1::SubjectRef {
        reference: Some(Reference::Bsn(number.into())),
    }
}

/// A person by the caller's own mark.
#[must_use]
pub fn mark(mark: &str) -> v1::SubjectRef {
    v1::SubjectRef {
        reference: Some(Reference::ClientRef(mark.into())),
    }
}

/// The person of a case.
#[must_use]
pub fn by_case(case: &str) -> v1::SubjectRef {
    v1::SubjectRef {
        reference: Some(Reference::CaseId(case.into())),
    }
}

/// A question about one condition.
#[must_use]
pub fn item(
    subject: v1::SubjectRef,
    purpose: &str,
    condition: v1::Condition,
    granularity: v1::Granularity,
) -> v1::AskItem {
    v1::AskItem {
        subject: Some(subject),
        purpose: purpose.into(),
        purpose_version: None,
        conditions: vec![condition.into()],
        granularity: granularity.into(),
    }
}

/// A report about a case, as of the day of `now`.
#[must_use]
pub fn report(
    case: &str,
    condition: v1::Condition,
    status: v1::ConditionStatus,
    now: Timestamp,
) -> v1::ReportStatusRequest {
    v1::ReportStatusRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: Some(by_case(case)),
        condition: condition.into(),
        status: status.into(),
        as_of: now.date().to_string(),
        moment: v1::Moment::Entry.into(),
        ..v1::ReportStatusRequest::default()
    }
}

/// A consent in housing for the association `wonen-zuid`, from `now` on for thirty days.
#[must_use]
pub fn consent(subject: v1::SubjectRef, now: Timestamp) -> v1::RecordConsentRequest {
    let terms = v1::ConsentTerms {
        kind: v1::ConsentKind::ProcessingBasis.into(),
        explicit: true,
        conditions: vec![v1::Condition::Housing.into()],
        purposes: vec![HOUSING.into()],
        provider_party_ids: vec!["pi-noord".into(), "gemeente-oost".into()],
        recipient_party_ids: vec!["wonen-zuid".into()],
        granularity: v1::Granularity::Signal.into(),
        valid_from: at(now),
        valid_until: at(now.plus_millis(30 * 86_400_000)),
        notice: Some(v1::NoticeText {
            version: "1".into(),
            language: "nl".into(),
            sha256: vec![3; 32].into(),
        }),
        method: v1::CollectionMethod::Written.into(),
        collected_at: at(now),
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
        idempotency_key: key(),
        actor: actor(),
        subject: Some(subject),
        state: v1::ConsentState::Given.into(),
        terms: Some(terms),
    }
}

/// The reason in a status, as `error_reason.proto` names it without its prefix.
#[must_use]
pub fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

/// The fields that a status says break a rule, with the rule of each.
#[must_use]
pub fn violations(status: &Status) -> Vec<(String, String)> {
    let found = status
        .get_details_bad_request()
        .map(|bad| bad.field_violations);
    found
        .unwrap_or_default()
        .into_iter()
        .map(|violation| (violation.field, violation.description))
        .collect()
}

/// A person in a case of `pi-noord`, returning to `gemeente-oost`, who needs help with housing, and whom
/// `wonen-zuid` knows by a mark of its own.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The person's number.
    pub bsn: String,
    /// The case.
    pub case: String,
    /// The mark by which the association knows the person.
    pub mark: String,
}

impl Scene {
    /// Sets the scene for test person `n`.
    pub async fn set(broker: &TestBroker, n: u32) -> Self {
        let pi = broker.party("pi-noord").await;
        let municipality = broker.party("gemeente-oost").await;
        let association = broker.party("wonen-zuid").await;
        Self::set_with(&pi, &municipality, &association, n).await
    }

    /// Sets the scene over connections that are open already.
    pub async fn set_with(pi: &Party, municipality: &Party, association: &Party, n: u32) -> Self {
        let bsn = bsn_number(n);
        let case = pi.open_case(&bsn, Some("gemeente-oost")).await;
        let reported = pi
            .report(
                &case,
                v1::Condition::Housing,
                v1::ConditionStatus::ActionNeeded,
            )
            .await;
        assert!(reported, "a report by who opened the case");
        let code = municipality
            .introduce(&case, "wonen-zuid", v1::Condition::Housing)
            .await;
        let mark = format!("huurder-{n}");
        association.redeem(&code, &mark).await;
        Self { bsn, case, mark }
    }
}
