//! What the broker of the tests answers.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use prost::Message as _;
use schakel_api::v1::{
    self, audit_service_server::AuditService, exchange_service_server::ExchangeService,
    inbox_service_server::InboxService,
};
use schakel_audit::{commitment::released, leaf::EntryType};
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status};

use crate::log::{Log, leaf};

/// The party that the tests call as.
pub(crate) const PARTY: &str = "wonen-zuid";

/// What happens to the next call, in place of an answer or to it.
pub(crate) enum Step {
    /// The broker refuses.
    Refuse(Status),
    /// The broker does what it should and its answer never comes.
    Hang,
    /// The broker lies about an ask.
    LieAsk(Box<dyn Fn(&mut v1::AskResponse) + Send>),
    /// The broker lies about a withdrawal or report.
    LieReport(Box<dyn Fn(&mut v1::ReportStatusResponse) + Send>),
    /// The stream ends after so many messages.
    EndAfter(usize),
}

/// The state of the broker.
pub(crate) struct State {
    pub(crate) log: Log,
    pub(crate) script: VecDeque<Step>,
    /// The calls that came, as method, idempotency key, and the principal in the metadata.
    pub(crate) calls: Vec<(&'static str, String, Option<String>)>,
    /// Cursors with which streams were opened.
    pub(crate) cursors: Vec<Option<Vec<u8>>>,
    /// A checkpoint to give instead of the true one.
    pub(crate) checkpoint: Option<String>,
    /// Who the leaves say acted.
    pub(crate) party: String,
    pub(crate) transport: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Service(pub(crate) Arc<Mutex<State>>);

impl Service {
    pub(crate) fn new() -> Self {
        let mut log = Log::new();
        for id in 0..5 {
            log.append(&leaf(EntryType::System, "broker", id));
        }
        Self(Arc::new(Mutex::new(State {
            log,
            script: VecDeque::new(),
            calls: Vec::new(),
            cursors: Vec::new(),
            checkpoint: None,
            party: PARTY.into(),
            transport: None,
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn next<Q>(&self, method: &'static str, key: &str, request: &Request<Q>) -> Option<Step> {
        let principal = request
            .metadata()
            .get(schakel_client::PRINCIPAL_HEADER)
            .map(|value| value.to_str().unwrap().to_owned());
        let mut state = self.state();
        state.calls.push((method, key.to_owned(), principal));
        state.script.pop_front()
    }
}

impl State {
    fn append(&mut self, kind: EntryType) -> u64 {
        let mut leaf = leaf(kind, &self.party, u8::try_from(self.log.size()).unwrap());
        leaf.transport.clone_from(&self.transport);
        self.log.append(&leaf)
    }

    fn disclose(&mut self, kind: EntryType, purpose: &str) -> v1::Disclosed {
        let disclosure = v1::Disclosure {
            purpose: purpose.into(),
            purpose_version: 1,
            ..v1::Disclosure::default()
        };
        let (content, salt) = (disclosure.encode_to_vec(), [9; 32]);
        let mut leaf = leaf(kind, &self.party, u8::try_from(self.log.size()).unwrap());
        leaf.transport.clone_from(&self.transport);
        leaf.purpose = Some((purpose.into(), 1));
        leaf.released = Some(released(&salt, &content));
        let index = self.log.append(&leaf);
        v1::Disclosed {
            disclosure: content.into(),
            salt: salt.to_vec().into(),
            receipt: Some(self.log.receipt(index)),
        }
    }

    fn message(&mut self, position: u8) -> v1::Message {
        let disclosed = self.disclose(EntryType::Delivery, "P-PLAN");
        v1::Message {
            delivery_id: format!("delivery-{position}"),
            cursor: vec![position].into(),
            subject: None,
            content: Some(v1::message::Content::Disclosed(disclosed)),
        }
    }
}

fn nobody_asks<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("no test calls this"))
}

#[tonic::async_trait]
impl ExchangeService for Service {
    async fn ask(
        &self,
        request: Request<v1::AskRequest>,
    ) -> Result<Response<v1::AskResponse>, Status> {
        let step = self.next("Ask", "", &request);
        if let Some(Step::Refuse(status)) = step {
            return Err(status);
        }
        let mut answer = {
            let disclosed = self
                .state()
                .disclose(EntryType::Disclosure, "P-ARRANGE-HOUSING");
            let outcome = v1::ask_response::Outcome::Disclosed(disclosed);
            v1::AskResponse {
                outcome: Some(outcome),
            }
        };
        match step {
            Some(Step::LieAsk(lie)) => lie(&mut answer),
            Some(Step::Hang) => tokio::time::sleep(Duration::from_mins(1)).await,
            _ => {}
        }
        Ok(Response::new(answer))
    }

    async fn report_status(
        &self,
        request: Request<v1::ReportStatusRequest>,
    ) -> Result<Response<v1::ReportStatusResponse>, Status> {
        let step = self.next("ReportStatus", &request.get_ref().idempotency_key, &request);
        if let Some(Step::Refuse(status)) = step {
            return Err(status);
        }
        let mut answer = {
            let mut state = self.state();
            let index = state.append(EntryType::Status);
            let receipt = Some(state.log.receipt(index));
            let outcome =
                v1::report_status_response::Outcome::Reported(v1::StatusReported { receipt });
            v1::ReportStatusResponse {
                outcome: Some(outcome),
            }
        };
        match step {
            Some(Step::LieReport(lie)) => lie(&mut answer),
            Some(Step::Hang) => tokio::time::sleep(Duration::from_mins(1)).await,
            _ => {}
        }
        Ok(Response::new(answer))
    }

    async fn introduce(
        &self,
        _: Request<v1::IntroduceRequest>,
    ) -> Result<Response<v1::IntroduceResponse>, Status> {
        nobody_asks()
    }

    async fn redeem(
        &self,
        _: Request<v1::RedeemRequest>,
    ) -> Result<Response<v1::RedeemResponse>, Status> {
        nobody_asks()
    }

    async fn ask_batch(
        &self,
        request: Request<v1::AskBatchRequest>,
    ) -> Result<Response<v1::AskBatchResponse>, Status> {
        self.next("AskBatch", "", &request);
        // One answer, whatever was asked.
        let disclosed = self
            .state()
            .disclose(EntryType::Disclosure, "P-ARRANGE-HOUSING");
        let outcome = Some(v1::ask_response::Outcome::Disclosed(disclosed));
        let answers = vec![v1::AskResponse { outcome }];
        Ok(Response::new(v1::AskBatchResponse { answers }))
    }

    async fn get_my_rights(
        &self,
        _: Request<v1::GetMyRightsRequest>,
    ) -> Result<Response<v1::GetMyRightsResponse>, Status> {
        nobody_asks()
    }
}

type Events = Pin<Box<dyn Stream<Item = Result<v1::SubscribeResponse, Status>> + Send>>;

#[tonic::async_trait]
impl InboxService for Service {
    type SubscribeStream = Events;

    async fn pull(
        &self,
        _: Request<v1::PullRequest>,
    ) -> Result<Response<v1::PullResponse>, Status> {
        nobody_asks()
    }

    /// Hands over ten messages after the cursor, with heartbeats between, until the script ends it.
    async fn subscribe(
        &self,
        request: Request<v1::SubscribeRequest>,
    ) -> Result<Response<Events>, Status> {
        let step = self.next("Subscribe", "", &request);
        let cursor = request.into_inner().cursor.map(|cursor| cursor.to_vec());
        self.state().cursors.push(cursor.clone());
        let most = match step {
            Some(Step::Refuse(status)) => return Err(status),
            Some(Step::EndAfter(most)) => most,
            _ => usize::MAX,
        };
        let after = cursor
            .and_then(|cursor| cursor.first().copied())
            .unwrap_or(0);
        let service = self.clone();
        let positions = tokio_stream::iter(after + 1..=10).take(most);
        let events = positions.map(move |position| {
            let event = if position % 3 == 0 {
                let cursor = vec![position].into();
                v1::subscribe_response::Event::Heartbeat(v1::Heartbeat { cursor })
            } else {
                v1::subscribe_response::Event::Message(service.state().message(position))
            };
            Ok(v1::SubscribeResponse { event: Some(event) })
        });
        Ok(Response::new(Box::pin(events)))
    }

    async fn acknowledge(
        &self,
        _: Request<v1::AcknowledgeRequest>,
    ) -> Result<Response<v1::AcknowledgeResponse>, Status> {
        nobody_asks()
    }
}

/// A service of which nobody asks some methods.
macro_rules! partly {
    ($service:ident: $($method:ident($request:ident) -> $answer:ident,)*; $($asked:tt)*) => {
        #[tonic::async_trait]
        impl $service for Service {
            $(
                async fn $method(
                    &self,
                    _: Request<v1::$request>,
                ) -> Result<Response<v1::$answer>, Status> {
                    nobody_asks()
                }
            )*

            $($asked)*
        }
    };
}

partly! { AuditService:
    search_entries(SearchEntriesRequest) -> SearchEntriesResponse,
    get_receipt(GetReceiptRequest) -> GetReceiptResponse,
    explain_entry(ExplainEntryRequest) -> ExplainEntryResponse,
    replay_entry(ReplayEntryRequest) -> ReplayEntryResponse,
    get_as_of(GetAsOfRequest) -> GetAsOfResponse,
    get_statement(GetStatementRequest) -> GetStatementResponse,
    record_withholding(RecordWithholdingRequest) -> RecordWithholdingResponse,
    get_breach(GetBreachRequest) -> GetBreachResponse,
    get_report(GetReportRequest) -> GetReportResponse,
    get_usage(GetUsageRequest) -> GetUsageResponse,
    get_integrity(GetIntegrityRequest) -> GetIntegrityResponse,
    record_verification(RecordVerificationRequest) -> RecordVerificationResponse,
    propose_search(ProposeSearchRequest) -> ProposeSearchResponse,
    decide_search(DecideSearchRequest) -> DecideSearchResponse,
    list_searches(ListSearchesRequest) -> ListSearchesResponse,
    ;

    async fn get_entry(
        &self,
        request: Request<v1::GetEntryRequest>,
    ) -> Result<Response<v1::GetEntryResponse>, Status> {
        self.next("GetEntry", "", &request);
        let mut state = self.state();
        let look_up = state.append(EntryType::LookUp);
        Ok(Response::new(v1::GetEntryResponse {
            proof: Some(state.log.receipt(1)),
            entry: None,
            receipt: Some(state.log.receipt(look_up)),
        }))
    }

    async fn get_checkpoint(
        &self,
        request: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::GetCheckpointResponse>, Status> {
        self.next("GetCheckpoint", "", &request);
        let state = self.state();
        let checkpoint = state
            .checkpoint
            .clone()
            .unwrap_or_else(|| state.log.checkpoint());
        Ok(Response::new(v1::GetCheckpointResponse {
            checkpoint: checkpoint.into(),
            verifier_key: Log::vkey(),
        }))
    }

    async fn get_consistency(
        &self,
        request: Request<v1::GetConsistencyRequest>,
    ) -> Result<Response<v1::GetConsistencyResponse>, Status> {
        self.next("GetConsistency", "", &request);
        let (state, asked) = (self.state(), request.into_inner());
        let new = asked.new_size.unwrap_or(state.log.size());
        Ok(Response::new(v1::GetConsistencyResponse {
            hashes: state
                .log
                .consistency(asked.old_size, new.min(state.log.size())),
            new_size: new,
            ..v1::GetConsistencyResponse::default()
        }))
    }
}
