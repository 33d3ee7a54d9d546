//! Everything that can be asked of the trail: every method of the services about it, so that a new one is asked too.

mod exported;

use prost::{Message as _, bytes::Bytes};
use prost_types::FileDescriptorSet;
use schakel_api::v1;
use schakel_audit::leaf::{EntryType, Leaf};
use schakel_tests::{Party, TestBroker, actor, at, bsn, key, second_actor};

use super::{Person, Told};

const PURPOSE: &str = "P-ACCOUNTABILITY";
const DAY_MS: u64 = 86_400_000;

/// Who asks about whom.
pub(super) struct Asking<'a> {
    pub(super) broker: &'a TestBroker,
    pub(super) party: &'a Party,
    pub(super) officer: &'a Party,
    pub(super) people: Vec<Person>,
    /// The approvals of an export of entries and of one of lines.
    pub(super) approved: [Bytes; 2],
}

/// The methods of the services about the trail.
pub(super) fn methods() -> Vec<String> {
    let described = FileDescriptorSet::decode(schakel_api::DESCRIPTORS).unwrap();
    let services = described.file.iter().flat_map(|file| &file.service);
    let about_the_trail = ["AuditService", "ExportService", "ReconciliationService"];
    let wanted = services.filter(|service| about_the_trail.contains(&service.name()));
    let methods = wanted.flat_map(|service| {
        let methods = service.method.iter();
        methods.map(|method| format!("{}/{}", service.name(), method.name()))
    });
    let mut methods: Vec<_> = methods.collect();
    // Last: it records a look at each person, in an order drawn at random.
    methods.sort_by_key(|method| method.ends_with("/GetBreach"));
    methods
}

/// Notes an answer, and its receipt apart.
macro_rules! note {
    ($told:expr, $what:expr, $answer:expr) => {
        match $answer {
            Ok(answer) => {
                let mut answer = answer.into_inner();
                if let Some(receipt) = answer.receipt.take() {
                    $told.receipt($what, Some(receipt));
                }
                $told.note($what, &answer);
            }
            Err(refused) => $told.note($what, &(refused.code(), refused.message())),
        }
    };
}

impl Asking<'_> {
    /// Asks all there is to ask by one method. One that stands in the interface and not here fails.
    pub(super) async fn ask(&self, method: &str, told: &mut Told) {
        match method {
            "AuditService/SearchEntries" => self.searches(told).await,
            "AuditService/GetEntry"
            | "AuditService/ExplainEntry"
            | "AuditService/ReplayEntry"
            | "AuditService/GetReceipt" => self.entries(method, told).await,
            "AuditService/GetAsOf"
            | "AuditService/GetStatement"
            | "AuditService/RecordWithholding" => self.of_people(method, told).await,
            "AuditService/GetBreach" => self.breach(told).await,
            "AuditService/GetReport" => self.reports(told).await,
            "AuditService/GetUsage"
            | "AuditService/GetIntegrity"
            | "AuditService/RecordVerification"
            | "AuditService/ProposeSearch"
            | "AuditService/DecideSearch"
            | "AuditService/ListSearches"
            | "AuditService/GetCheckpoint"
            | "AuditService/GetConsistency" => self.of_the_trail(method, told).await,
            "ExportService/ExportEntries"
            | "ExportService/ExportProcessings"
            | "ExportService/ExportTransactions" => self.exports(method, told).await,
            "ReconciliationService/CompareDigests" | "ReconciliationService/ListHandedOver" => {
                self.reconciles(method, told).await;
            }
            other => panic!("{other} is not asked"),
        }
    }

    /// The people by citizen service number, which every officer may use.
    fn subjects(&self) -> impl Iterator<Item = Option<v1::SubjectRef>> {
        let people = self.people.iter();
        people.map(|person| Some(bsn(&person.bsn())))
    }

    fn day(&self) -> v1::Period {
        v1::Period {
            from: at(self.broker.now().minus_millis(DAY_MS)),
            until: at(self.broker.now().plus_millis(1)),
        }
    }

    fn search(&self) -> v1::SearchEntriesRequest {
        v1::SearchEntriesRequest {
            actor: actor(),
            purpose: PURPOSE.into(),
            page_size: 100,
            ..v1::SearchEntriesRequest::default()
        }
    }

    /// A search for each person, and one for everything that the stranger did.
    async fn searches(&self, told: &mut Told) {
        for subject in self.subjects() {
            let request = v1::SearchEntriesRequest {
                subject,
                ..self.search()
            };
            self.finds(request, told).await;
        }
        let request = v1::SearchEntriesRequest {
            period: Some(self.day()),
            party_id: Some(self.party.id().into()),
            ..self.search()
        };
        self.finds(request, told).await;
    }

    /// All pages of what a search finds.
    async fn finds(&self, mut request: v1::SearchEntriesRequest, told: &mut Told) {
        loop {
            let found = self.officer.audit().search_entries(request.clone()).await;
            let found = found.unwrap().into_inner();
            receipt_in(told, "SearchEntries", found.receipt);
            for entry in &found.entries {
                told.note("SearchEntries", entry);
            }
            request.page_token = found.next_page_token;
            if request.page_token.is_none() {
                return;
            }
        }
    }

    /// Each entry that the stranger or its officer made.
    async fn entries(&self, method: &str, told: &mut Told) {
        let mut audit = self.officer.audit();
        for index in self.own_entries().await {
            match method {
                "AuditService/GetEntry" => {
                    let request = v1::GetEntryRequest {
                        actor: actor(),
                        index,
                        purpose: Some(PURPOSE.into()),
                    };
                    let answer = audit.get_entry(request).await.unwrap().into_inner();
                    receipt_in(told, "GetEntry", answer.receipt);
                    told.note("GetEntry", &answer.entry);
                    receipt_in(told, "GetEntry", answer.proof);
                }
                "AuditService/ExplainEntry" => {
                    let request = v1::ExplainEntryRequest {
                        actor: actor(),
                        index,
                        reference: None,
                        purpose: PURPOSE.into(),
                    };
                    let answer = audit.explain_entry(request).await.unwrap();
                    told.note("ExplainEntry", answer.get_ref());
                }
                "AuditService/ReplayEntry" => {
                    let request = v1::ReplayEntryRequest {
                        actor: actor(),
                        index,
                        reference: None,
                        purpose: PURPOSE.into(),
                    };
                    let answer = audit.replay_entry(request).await.unwrap();
                    told.note("ReplayEntry", answer.get_ref());
                }
                _ => {
                    let request = v1::GetReceiptRequest {
                        actor: actor(),
                        index,
                        min_level: v1::ReceiptLevel::LogSigned.into(),
                    };
                    match self.party.audit().get_receipt(request).await {
                        Ok(answer) => receipt_in(told, "GetReceipt", answer.into_inner().proof),
                        Err(refused) => told.note("GetReceipt", &(refused.code(), index)),
                    }
                }
            }
        }
    }

    /// The places of the entries that the stranger and its officer made about people.
    async fn own_entries(&self) -> Vec<u64> {
        let log = self.broker.check_log().await;
        let own = |leaf: &Leaf| {
            let of_the_officer = leaf.party.starts_with("fg-");
            leaf.party == self.party.id()
                || (of_the_officer && leaf.entry_type != EntryType::LookUp)
        };
        let indexes = (0..).zip(&log.leaves).filter(|(_, leaf)| own(leaf));
        indexes.map(|(index, _)| index).collect()
    }

    async fn of_people(&self, method: &str, told: &mut Told) {
        let mut audit = self.officer.audit();
        for subject in self.subjects() {
            match method {
                "AuditService/GetAsOf" => {
                    let request = v1::GetAsOfRequest {
                        actor: actor(),
                        purpose: PURPOSE.into(),
                        subject,
                        at: at(self.broker.now()),
                    };
                    note!(told, "GetAsOf", audit.get_as_of(request).await);
                }
                "AuditService/GetStatement" => {
                    let request = v1::GetStatementRequest {
                        actor: actor(),
                        purpose: PURPOSE.into(),
                        subject,
                        period: None,
                    };
                    note!(told, "GetStatement", audit.get_statement(request).await);
                }
                _ => {
                    let request = v1::RecordWithholdingRequest {
                        idempotency_key: key(),
                        actor: actor(),
                        subject,
                        ground: "UAVG_41_1_I".into(),
                        entry_indexes: vec![1],
                        until: at("2027-12-31T00:00:00Z".parse().unwrap()),
                        counted: true,
                    };
                    let mut audit = self.party.audit();
                    if self.party.id() != "reclassering-test" {
                        note!(told, "withheld", audit.record_withholding(request).await);
                    }
                }
            }
        }
    }

    fn breach_of(&self) -> v1::GetBreachRequest {
        v1::GetBreachRequest {
            actor: actor(),
            purpose: PURPOSE.into(),
            by: Some(v1::get_breach_request::By::PartyId(self.party.id().into())),
            period: Some(self.day()),
            discovered_at: at(self.broker.now()),
            ..v1::GetBreachRequest::default()
        }
    }

    async fn breach(&self, told: &mut Told) {
        let answer = self.officer.audit().get_breach(self.breach_of()).await;
        let mut answer = answer.unwrap().into_inner();
        receipt_in(told, "GetBreach", answer.receipt.take());
        // By an id that is drawn at random.
        let persons = &mut answer.persons;
        persons.sort_by(|a, b| a.entry_indexes.cmp(&b.entry_indexes));
        told.note("GetBreach", &answer);
    }

    async fn reports(&self, told: &mut Told) {
        let people: Vec<_> = self.subjects().collect();
        for report in 1..=8 {
            for subject in people.iter().cloned().chain([None]) {
                let needs_one = report == i32::from(v1::Report::Notices);
                let may_name = needs_one
                    || [v1::Report::Readers, v1::Report::Check]
                        .map(i32::from)
                        .contains(&report);
                if (subject.is_some() && !may_name) || (subject.is_none() && needs_one) {
                    continue;
                }
                let wide = report == i32::from(v1::Report::Readers) && subject.is_none();
                let request = v1::GetReportRequest {
                    actor: actor(),
                    purpose: PURPOSE.into(),
                    report,
                    subject,
                    period: wide.then(|| self.day()),
                    party_id: wide.then(|| self.party.id().into()),
                    ..v1::GetReportRequest::default()
                };
                note!(
                    told,
                    "GetReport",
                    self.officer.audit().get_report(request).await
                );
            }
        }
    }

    /// What is about the trail and no person.
    async fn of_the_trail(&self, method: &str, told: &mut Told) {
        let mut audit = self.officer.audit();
        match method {
            "AuditService/GetUsage" => {
                let request = v1::GetUsageRequest {
                    actor: actor(),
                    purpose: PURPOSE.into(),
                    period: Some(self.day()),
                    ..v1::GetUsageRequest::default()
                };
                note!(told, "GetUsage", audit.get_usage(request).await);
            }
            "AuditService/GetIntegrity" => {
                let request = v1::GetIntegrityRequest { actor: actor() };
                let answer = audit.get_integrity(request).await.unwrap().into_inner();
                receipt_in(told, "GetIntegrity", answer.receipt);
                // Every party may know the size, and it tells of nobody but the broker in between.
                told.note("GetIntegrity", &answer.verifications);
            }
            "AuditService/RecordVerification" => {
                let request = v1::RecordVerificationRequest {
                    idempotency_key: key(),
                    actor: actor(),
                    size: 1,
                    root: vec![0; 32].into(),
                    sound: true,
                };
                note!(told, "verified", audit.record_verification(request).await);
            }
            "AuditService/ProposeSearch" | "AuditService/DecideSearch" => {
                self.wide_search(told).await;
            }
            "AuditService/ListSearches" => {
                let request = v1::ListSearchesRequest { actor: actor() };
                note!(told, "ListSearches", audit.list_searches(request).await);
            }
            "AuditService/GetCheckpoint" => {
                let answer = audit.get_checkpoint(v1::GetCheckpointRequest {}).await;
                told.note("GetCheckpoint", &answer.is_ok());
            }
            _ => {
                let request = v1::GetConsistencyRequest {
                    old_size: 1,
                    new_size: Some(2),
                };
                let answer = audit.get_consistency(request).await;
                told.note("GetConsistency", answer.unwrap().get_ref());
            }
        }
    }

    /// A search for everything, approved by a second officer.
    async fn wide_search(&self, told: &mut Told) {
        let mut audit = self.officer.audit();
        let search = self.search();
        let request = v1::ProposeSearchRequest {
            question: Some(v1::propose_search_request::Question::Search(search)),
        };
        let proposed = audit.propose_search(request).await.unwrap();
        let proposed = proposed.into_inner();
        receipt_in(told, "proposed", proposed.receipt);
        let second = self
            .broker
            .with_another_certificate(self.officer.id())
            .await;
        let request = v1::DecideSearchRequest {
            actor: second_actor(),
            search_id: proposed.search_id.clone(),
            approve: true,
        };
        note!(told, "decided", second.audit().decide_search(request).await);
        let request = v1::SearchEntriesRequest {
            search_id: Some(proposed.search_id),
            ..self.search()
        };
        self.finds(request, told).await;
    }
}

/// Notes a receipt, or that there is none.
fn receipt_in(told: &mut Told, what: &str, receipt: Option<v1::Receipt>) {
    match receipt {
        Some(receipt) => told.receipt(what, Some(receipt)),
        None => told.note(what, &"no receipt"),
    }
}
