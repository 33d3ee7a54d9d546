//! A party that calls the broker, and keeps what it receives as evidence.

mod erasing;
mod reading;

use std::sync::Arc;

use prost::Message as _;
use schakel_api::v1::{
    self, ask_response, audit_service_client::AuditServiceClient,
    cases_service_client::CasesServiceClient,
    certificates_service_client::CertificatesServiceClient,
    consents_service_client::ConsentsServiceClient, exchange_service_client::ExchangeServiceClient,
    export_service_client::ExportServiceClient, inbox_service_client::InboxServiceClient,
    introduce_response, message::Content, notices_service_client::NoticesServiceClient,
    open_case_response, reconciliation_service_client::ReconciliationServiceClient,
    record_consent_response, registry_service_client::RegistryServiceClient,
    report_status_response, retention_service_client::RetentionServiceClient,
};
use schakel_core::time::Timestamp;
use schakel_server::clock::Clock;
use tonic::{Status, transport::Channel};

use crate::{
    evidence::{Evidence, Kept},
    requests::{HOUSING, actor, consent, item, key, mark, report},
};

/// A party on one connection. Clones share it.
#[derive(Clone, Debug)]
pub struct Party {
    /// Its id.
    pub id: String,
    channel: Channel,
    evidence: Arc<Evidence>,
    clock: Arc<dyn Clock>,
}

impl Party {
    /// A party over a connection that shows its certificate.
    #[must_use]
    pub fn new(id: &str, channel: Channel, evidence: Arc<Evidence>, clock: Arc<dyn Clock>) -> Self {
        Self {
            id: id.to_owned(),
            channel,
            evidence,
            clock,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Opens a case.
    pub async fn open_case(&self, bsn: &str, municipality: Option<&str>) -> String {
        let request = v1::OpenCaseRequest {
            idempotency_key: key(),
            actor: actor(),
            skn: None,
            bsn: Some(bsn.into()),
            municipality_party_id: municipality.map(Into::into),
        };
        let answer = self
            .cases()
            .open_case(request)
            .await
            .expect("a case")
            .into_inner();
        match answer.outcome {
            Some(open_case_response::Outcome::Opened(opened)) => {
                self.keep(opened.receipt);
                opened.case_id
            }
            other => panic!("the case was not opened: {other:?}"),
        }
    }

    /// Reports how a condition stands in a case; whether it was taken.
    pub async fn report(
        &self,
        case: &str,
        condition: v1::Condition,
        status: v1::ConditionStatus,
    ) -> bool {
        self.try_report(report(case, condition, status, self.now()))
            .await
            .expect("a report")
    }

    /// Makes a report; whether it was taken.
    ///
    /// # Errors
    /// What the broker refuses.
    pub async fn try_report(&self, request: v1::ReportStatusRequest) -> Result<bool, Status> {
        let answer = self.exchange().report_status(request).await?.into_inner();
        Ok(match answer.outcome.expect("an outcome") {
            report_status_response::Outcome::Reported(reported) => {
                self.keep(reported.receipt);
                true
            }
            report_status_response::Outcome::NotDisclosed(_) => false,
        })
    }

    /// Introduces a partner and gives the code.
    pub async fn introduce(&self, case: &str, partner: &str, condition: v1::Condition) -> String {
        let request = v1::IntroduceRequest {
            idempotency_key: key(),
            actor: actor(),
            case_id: case.into(),
            partner_party_id: partner.into(),
            condition: condition.into(),
        };
        let answer = self
            .exchange()
            .introduce(request)
            .await
            .expect("a code")
            .into_inner();
        match answer.outcome {
            Some(introduce_response::Outcome::Introduction(introduction)) => {
                self.keep(introduction.receipt);
                introduction.code
            }
            other => panic!("nobody was introduced: {other:?}"),
        }
    }

    /// Redeems a code under a mark of its own.
    pub async fn redeem(&self, code: &str, client_ref: &str) {
        let request = v1::RedeemRequest {
            idempotency_key: key(),
            actor: actor(),
            code: code.into(),
            client_ref: client_ref.into(),
        };
        let answer = self
            .exchange()
            .redeem(request)
            .await
            .expect("an answer")
            .into_inner();
        self.keep(answer.receipt);
    }

    /// Records the consent of [`consent`], and gives its id.
    pub async fn consent(&self, subject: v1::SubjectRef) -> String {
        let recorded = self.try_consent(consent(subject, self.now())).await;
        recorded
            .expect("an answer")
            .expect("a consent that is recorded")
    }

    /// Records a consent; its id, unless that is denied.
    ///
    /// # Errors
    /// What the broker refuses.
    pub async fn try_consent(
        &self,
        request: v1::RecordConsentRequest,
    ) -> Result<Option<String>, Status> {
        let answer = self.consents().record_consent(request).await?.into_inner();
        Ok(match answer.outcome.expect("an outcome") {
            record_consent_response::Outcome::Recorded(recorded) => {
                self.keep(recorded.receipt);
                Some(recorded.consent_id)
            }
            record_consent_response::Outcome::NotDisclosed(_) => None,
        })
    }

    /// Withdraws every consent of a person, and gives the receipt.
    pub async fn withdraw(&self, subject: v1::SubjectRef) -> v1::Receipt {
        self.try_withdraw(subject, key())
            .await
            .expect("a withdrawal")
    }

    /// Withdraws every consent of a person under a key of the caller's.
    ///
    /// # Errors
    /// What the broker refuses, or that it is gone.
    pub async fn try_withdraw(
        &self,
        subject: v1::SubjectRef,
        key: String,
    ) -> Result<v1::Receipt, Status> {
        let request = v1::WithdrawConsentRequest {
            idempotency_key: key,
            actor: actor(),
            subject: Some(subject),
            conditions: Vec::new(),
            recipient_party_id: None,
        };
        let answer = self
            .consents()
            .withdraw_consent(request)
            .await?
            .into_inner();
        self.keep(answer.receipt.clone());
        Ok(answer.receipt.expect("a receipt"))
    }

    /// Asks about housing of somebody known by a mark; what is told, if anything.
    pub async fn ask_housing(&self, client_ref: &str) -> Option<v1::Disclosure> {
        self.ask(item(
            mark(client_ref),
            HOUSING,
            v1::Condition::Housing,
            v1::Granularity::Signal,
        ))
        .await
    }

    /// Asks; what is told, if anything.
    pub async fn ask(&self, item: v1::AskItem) -> Option<v1::Disclosure> {
        let (disclosure, _) = self.try_ask(item).await.expect("an answer")?;
        Some(disclosure)
    }

    /// Asks; what is told and where it stands in the log, if anything.
    ///
    /// # Errors
    /// What the broker refuses, or that it is gone.
    pub async fn try_ask(
        &self,
        item: v1::AskItem,
    ) -> Result<Option<(v1::Disclosure, u64)>, Status> {
        let request = v1::AskRequest {
            actor: actor(),
            item: Some(item),
        };
        let answer = self.exchange().ask(request).await?.into_inner();
        Ok(match answer.outcome.expect("an outcome") {
            ask_response::Outcome::Disclosed(disclosed) => Some(self.keep_disclosed(disclosed)),
            ask_response::Outcome::NotDisclosed(denial) => {
                assert_eq!(denial.reference.len(), 16);
                None
            }
        })
    }

    /// Keeps a message as evidence.
    pub fn keep_message(&self, message: &v1::Message) {
        match message.content.as_ref().expect("a content") {
            Content::Disclosed(disclosed) => {
                self.keep_disclosed(disclosed.clone());
            }
            Content::Notice(notice) => self.keep(notice.receipt.clone()),
        }
    }

    /// Keeps a receipt as evidence: there must be one.
    pub fn keep(&self, receipt: Option<v1::Receipt>) {
        let receipt = receipt.expect("a receipt");
        self.evidence.keep(Kept {
            party: self.id.clone(),
            receipt,
            disclosed: None,
        });
    }

    fn keep_disclosed(&self, disclosed: v1::Disclosed) -> (v1::Disclosure, u64) {
        let receipt = disclosed.receipt.expect("a receipt");
        let index = receipt.index;
        let content = disclosed.disclosure.to_vec();
        let disclosure = v1::Disclosure::decode(&content[..]).expect("a disclosure");
        let disclosed = Some((content, disclosed.salt.to_vec()));
        self.evidence.keep(Kept {
            party: self.id.clone(),
            receipt,
            disclosed,
        });
        (disclosure, index)
    }

    /// The time by the broker's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The generated clients, over the party's connection.
macro_rules! services {
    ($($name:ident: $client:ident;)*) => {
        impl Party {
            $(
                /// The generated client of this service.
                #[must_use]
                pub fn $name(&self) -> $client<Channel> {
                    $client::new(self.channel.clone())
                }
            )*

            /// The connection.
            #[must_use]
            pub fn channel(&self) -> Channel {
                self.channel.clone()
            }
        }
    };
}

services! {
    audit: AuditServiceClient;
    cases: CasesServiceClient;
    certificates: CertificatesServiceClient;
    consents: ConsentsServiceClient;
    exchange: ExchangeServiceClient;
    export: ExportServiceClient;
    inbox: InboxServiceClient;
    notices: NoticesServiceClient;
    reconciliation: ReconciliationServiceClient;
    registry: RegistryServiceClient;
    retention: RetentionServiceClient;
}
