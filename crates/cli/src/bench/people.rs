//! The persons a benchmark is about, made known to the broker call by call, as partners would.

use std::{future::Future, sync::Arc};

use anyhow::{Context as _, Result, bail};
use prost_types::Timestamp;
use schakel_api::v1;
use schakel_client::Client;
use schakel_core::time::Timestamp as Instant;
use tokio::{sync::Semaphore, task::JoinSet};

/// The prison that opens cases.
pub(super) const PI: &str = "pi-noord";
/// The municipality of return.
pub(super) const MUNICIPALITY: &str = "gemeente-oost";

/// How many persons are prepared at a time.
const AT_ONCE: usize = 64;
const DAY_MS: u64 = 86_400_000;

/// Prepares persons for one partner and one condition.
#[derive(Clone, Debug)]
pub(super) struct Preparing {
    /// The prison.
    pub(super) pi: Client,
    /// The municipality of return.
    pub(super) municipality: Client,
    /// The partner that will ask.
    pub(super) partner: Client,
    /// What it may help with.
    pub(super) condition: v1::Condition,
    /// The present, as cases and consents tell it.
    pub(super) now: Instant,
}

/// A consent that a person gives the municipality.
#[derive(Clone, Copy, Debug)]
pub(super) struct Consenting {
    /// For which condition.
    pub(super) condition: v1::Condition,
    /// For which purpose.
    pub(super) purpose: &'static str,
    /// How many days ago it was given.
    pub(super) given_days_ago: u32,
    /// For how many days it holds from then on.
    pub(super) holds_days: u32,
}

impl Preparing {
    /// Opens a case for a person, with its municipality of return and how the condition stands.
    pub(super) async fn open(&self, bsn: &str) -> Result<String> {
        let request = v1::OpenCaseRequest {
            actor: actor(),
            bsn: Some(bsn.to_owned()),
            municipality_party_id: Some(MUNICIPALITY.to_owned()),
            ..v1::OpenCaseRequest::default()
        };
        let Some(v1::open_case_response::Outcome::Opened(opened)) =
            self.pi.open_case(request).await?.outcome
        else {
            bail!("a case was not opened");
        };
        let case = opened.case_id;
        let report = v1::ReportStatusRequest {
            actor: actor(),
            subject: Some(subject(v1::subject_ref::Reference::CaseId(case.clone()))),
            condition: self.condition.into(),
            status: v1::ConditionStatus::ActionNeeded.into(),
            as_of: self.now.date().to_string(),
            moment: v1::Moment::Entry.into(),
            ..v1::ReportStatusRequest::default()
        };
        let Some(v1::report_status_response::Outcome::Reported(_)) =
            self.pi.report_status(report).await?.outcome
        else {
            bail!("a status was not reported");
        };
        Ok(case)
    }

    /// Introduces the partner to a case, and has it redeem the code under a mark.
    pub(super) async fn introduce(&self, case: String, mark: &str) -> Result<()> {
        let request = v1::IntroduceRequest {
            actor: actor(),
            case_id: case,
            partner_party_id: self.partner.party().to_owned(),
            condition: self.condition.into(),
            ..v1::IntroduceRequest::default()
        };
        let Some(v1::introduce_response::Outcome::Introduction(introduced)) =
            self.municipality.introduce(request).await?.outcome
        else {
            bail!("the partner was not introduced");
        };
        let redeem = v1::RedeemRequest {
            actor: actor(),
            code: introduced.code,
            client_ref: mark.to_owned(),
            ..v1::RedeemRequest::default()
        };
        self.partner.redeem(redeem).await?;
        Ok(())
    }

    /// Records a consent of a person in favour of the partner.
    pub(super) async fn consent(&self, bsn: &str, consenting: Consenting) -> Result<()> {
        let given = self
            .now
            .minus_millis(DAY_MS.saturating_mul(consenting.given_days_ago.into()));
        let terms = v1::ConsentTerms {
            kind: v1::ConsentKind::ProcessingBasis.into(),
            explicit: true,
            conditions: vec![consenting.condition.into()],
            purposes: vec![consenting.purpose.to_owned()],
            provider_party_ids: vec![PI.to_owned(), MUNICIPALITY.to_owned()],
            recipient_party_ids: vec![self.partner.party().to_owned()],
            granularity: v1::Granularity::Signal.into(),
            valid_from: Some(wire(given)?),
            valid_until: Some(wire(given.plus_days(consenting.holds_days))?),
            notice: Some(v1::NoticeText {
                version: "1".to_owned(),
                language: "nl".to_owned(),
                sha256: vec![0x42; 32].into(),
            }),
            method: v1::CollectionMethod::Written.into(),
            collected_at: Some(wire(given)?),
            representative_mandate_sha256: None,
            interpreter: false,
            attestations: Some(v1::Attestations {
                own_interest: true,
                help_question: true,
                refusal_without_detriment: true,
                alternative_offered: true,
            }),
        };
        let request = v1::RecordConsentRequest {
            actor: actor(),
            subject: Some(subject(v1::subject_ref::Reference::Bsn(bsn.to_owned()))),
            state: v1::ConsentState::Given.into(),
            terms: Some(terms),
            ..v1::RecordConsentRequest::default()
        };
        let Some(v1::record_consent_response::Outcome::Recorded(_)) =
            self.municipality.record_consent(request).await?.outcome
        else {
            bail!("a consent was not recorded");
        };
        Ok(())
    }

    /// Withdraws every consent of a person.
    pub(super) async fn withdraw(&self, bsn: &str) -> Result<()> {
        let request = v1::WithdrawConsentRequest {
            actor: actor(),
            subject: Some(subject(v1::subject_ref::Reference::Bsn(bsn.to_owned()))),
            ..v1::WithdrawConsentRequest::default()
        };
        self.municipality.withdraw_consent(request).await?;
        Ok(())
    }
}

/// Does something for each item, many at a time; the first error ends it.
pub(super) async fn each<T, F>(
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> F,
) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut under_way = JoinSet::new();
    for item in items {
        let place = Arc::clone(&room)
            .acquire_owned()
            .await
            .context("the room is never closed")?;
        while let Some(done) = under_way.try_join_next() {
            done.context("the preparation ended before its time")??;
        }
        let work = work(item);
        under_way.spawn(async move {
            let done = work.await;
            drop(place);
            done
        });
    }
    while let Some(done) = under_way.join_next().await {
        done.context("the preparation ended before its time")??;
    }
    Ok(())
}

/// Who acts in a benchmark.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every request has it as an optional message"
)]
pub(super) fn actor() -> Option<v1::Actor> {
    Some(v1::Actor {
        actor_ref: "bench".to_owned(),
        responsible_ref: None,
    })
}

/// A person by a reference.
pub(super) fn subject(reference: v1::subject_ref::Reference) -> v1::SubjectRef {
    v1::SubjectRef {
        reference: Some(reference),
    }
}

/// Citizen service numbers that pass the eleven test, ascending, from a range that is not given out.
pub(super) fn numbers() -> impl Iterator<Item = String> {
    (99_000_000..=99_999_999_u32).filter_map(|start| {
        let start = start.to_string();
        let weighed = start
            .bytes()
            .zip((2..=9).rev())
            .map(|(digit, weight)| u32::from(digit - b'0') * weight);
        let last = weighed.sum::<u32>() % 11;
        (last < 10).then(|| format!("{start}{last}"))
    })
}

fn wire(at: Instant) -> Result<Timestamp> {
    let millis = at.as_millis();
    Ok(Timestamp {
        seconds: i64::try_from(millis / 1000)?,
        nanos: i32::try_from(millis % 1000 * 1_000_000)?,
    })
}

#[cfg(test)]
mod tests {
    use schakel_core::person::Bsn;

    use super::*;

    #[test]
    fn the_numbers_are_numbers() {
        for number in numbers().step_by(997) {
            number.parse::<Bsn>().unwrap();
        }
        assert!(numbers().count() > 900_000);
        assert!(numbers().is_sorted());
    }

    #[test]
    fn an_error_of_one_is_the_error_of_all() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let work = |number: usize| async move {
            anyhow::ensure!(number != 100, "not the hundredth");
            Ok(())
        };
        runtime.block_on(each(0..100, work)).unwrap();
        let error = runtime.block_on(each(0..200, work)).unwrap_err();
        assert_eq!(error.to_string(), "not the hundredth");
    }
}
