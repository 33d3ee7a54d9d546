//! The writer with everything behind it, without the wire.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use schakel_audit::note::SigningKey;
use schakel_core::{
    ask::Ask,
    catalogue::Catalogue,
    code::{Condition, Granularity, Moment, Role, Status},
    id::{IdempotencyKey, PartyId},
    party::Peer,
    person::{Identifier, SubjectRef},
    status::Report,
    time::Timestamp,
};
use schakel_pki::organisation::Organisations;
use schakel_store::{disk::Disk, keyring::Kek, random::OsRandom};

use super::{Paths, Sequencer, Setup, StartError, Started, start};
use crate::{
    call::{Answer, Call, CallError, Outcome, Request},
    clock::{Clock as _, ManualClock},
    telemetry::Metrics,
};

pub(crate) const ORIGIN: &str = "schakel.test/log";

pub(crate) struct Bench {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) paths: Paths,
    /// The disk that the log is on.
    pub(crate) disk: Disk,
    pub(crate) segment_len: u64,
    founding: Catalogue,
    _dir: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let paths = Paths {
            data: at("data"),
            keyring: at("keyring"),
            kek: at("kek"),
            checkpoint_key: at("checkpoint.key"),
            next_checkpoint_key: None,
            outside: None,
        };
        Kek::create(&paths.kek, &mut OsRandom).unwrap();
        let key = SigningKey::from_seed(ORIGIN, &[7; 32]).unwrap();
        write_secret(&paths.checkpoint_key, key.to_skey().as_bytes());
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        Self {
            clock: Arc::new(ManualClock::new(now)),
            paths,
            disk: Disk::real(),
            segment_len: 1 << 22,
            founding: founding(now),
            _dir: dir,
        }
    }

    /// As many more housing associations take part, named `wonen-0` and so on.
    fn with_associations(mut self, count: u32) -> Self {
        let known = self.founding.parties.iter();
        let one = known
            .clone()
            .find(|party| party.id.as_str() == "wonen-zuid");
        let one = one.unwrap().clone();
        self.founding.parties.extend((0..count).map(|n| {
            let mut party = one.clone();
            party.id = association(n).parse().unwrap();
            party.oins[0].oin = format!("00000099{n:012}").parse().unwrap();
            party
        }));
        self
    }

    pub(crate) fn start(&self) -> Started {
        self.try_start().unwrap()
    }

    pub(crate) fn try_start(&self) -> Result<Started, StartError> {
        let setup = Setup {
            origin: ORIGIN,
            segment_len: self.segment_len,
            disk: self.disk.clone(),
            founding: &self.founding,
            retention: crate::config::Retention::default(),
            clock: self.clock.clone(),
            metrics: Metrics::unsent(),
            runtime: tokio::runtime::Handle::current(),
            progress: &mut |_, _, _| {},
        };
        start(&self.paths, setup)
    }
}

fn founding(now: Timestamp) -> Catalogue {
    let from = now.minus_millis(86_400_000);
    let organisations = Organisations::of_development().unwrap();
    let parties = organisations
        .iter()
        .map(|organisation| organisation.party(from))
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/purposes.toml");
    let purposes: Catalogue = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    Catalogue {
        parties,
        purposes: purposes.purposes,
    }
}

fn association(n: u32) -> String {
    format!("wonen-{n}")
}

pub(crate) fn request(party: &str, role: Role, call: Call) -> Request {
    let principal: PartyId = party.parse().unwrap();
    Request {
        peer: Peer {
            principal: principal.clone(),
            transport: principal,
            roles: vec![role],
            unit: None,
        },
        certificate: [1; 32],
        address: "127.0.0.1:1".into(),
        actor: Some("tester".parse().unwrap()),
        responsible: None,
        transaction: None,
        trace: None,
        method: method_of(&call),
        write: None,
        call,
    }
}

/// The method by which a call comes in.
fn method_of(call: &Call) -> &'static str {
    match call {
        Call::OpenCase { .. } => "CasesService/OpenCase",
        Call::AssignMunicipality { .. } => "CasesService/AssignMunicipality",
        Call::AddMember { .. } => "CasesService/AddMember",
        Call::RemoveMember { .. } => "CasesService/RemoveMember",
        Call::CloseCase { .. } => "CasesService/CloseCase",
        Call::GetCase { .. } => "CasesService/GetCase",
        Call::RecordConsent { .. } => "ConsentsService/RecordConsent",
        Call::WithdrawConsent { .. } => "ConsentsService/WithdrawConsent",
        Call::Consents { .. } => "ConsentsService/ListConsents",
        Call::RecordRestriction { .. } => "ConsentsService/RecordRestriction",
        Call::LiftRestriction { .. } => "ConsentsService/LiftRestriction",
        Call::ReportStatus { .. } => "ExchangeService/ReportStatus",
        Call::Introduce { .. } => "ExchangeService/Introduce",
        Call::Redeem { .. } => "ExchangeService/Redeem",
        Call::Ask(_) => "ExchangeService/Ask",
        Call::MyRights { .. } => "ExchangeService/GetMyRights",
        Call::NextMessage { .. } => "InboxService/Pull",
        Call::Acknowledge { .. } => "InboxService/Acknowledge",
        Call::Notices { .. } => "NoticesService/GetNotice",
        Call::ProposeChange(_) => "RegistryService/ProposeChange",
        Call::ApproveChange(_) => "RegistryService/ApproveChange",
        Call::RejectChange(_) => "RegistryService/RejectChange",
        Call::Stop(..) => "RegistryService/Stop",
        Call::ProposeErasure { .. } => "RetentionService/ProposeErasure",
        Call::ApproveErasure { .. } => "RetentionService/ApproveErasure",
        Call::RejectErasure(_) => "RetentionService/RejectErasure",
        Call::RotateKek => "RetentionService/RotateKek",
        Call::AcknowledgeClock => "RetentionService/AcknowledgeClock",
        Call::Issuance(_) => "CertificatesService/RegisterCertificate",
        Call::LookUp(_) => "AuditService/SearchEntries",
        Call::Withhold { .. } => "AuditService/RecordWithholding",
        Call::RecordVerification(_) => "AuditService/RecordVerification",
        Call::ProposeSearch { .. } => "AuditService/ProposeSearch",
        Call::DecideSearch { .. } => "AuditService/DecideSearch",
    }
}

async fn submit(sequencer: &Sequencer, party: &str, role: Role, call: Call) -> Answer {
    sequencer.submit(request(party, role, call)).await.unwrap()
}

async fn case_with_housing(sequencer: &Sequencer, now: Timestamp) -> SubjectRef {
    let open = Call::OpenCase {
        identifiers: vec![Identifier::Bsn("999999990".parse().unwrap())],
        municipality: Some("gemeente-oost".parse().unwrap()),
    };
    let Outcome::CaseOpened(case) = submit(sequencer, "pi-noord", Role::Pi, open).await.outcome
    else {
        panic!("the case should be opened");
    };
    let report = Call::ReportStatus {
        subject: SubjectRef::Case(case),
        condition: Condition::Housing,
        report: Report {
            status: Status::ActionNeeded,
            as_of: now.date(),
            expected: None,
            moment: Moment::Entry,
            origin: Role::Pi,
            offered_by: None,
        },
        correction: false,
    };
    let reported = submit(sequencer, "pi-noord", Role::Pi, report).await;
    assert!(
        matches!(reported.outcome, Outcome::Done),
        "{:?}",
        reported.outcome
    );
    SubjectRef::Case(case)
}

pub(crate) fn plan_ask(subject: SubjectRef) -> Call {
    Call::Ask(Ask {
        subject,
        purpose: "P-PLAN".parse().unwrap(),
        version: None,
        conditions: [Condition::Housing].into(),
        granularity: Granularity::StatusWithDates,
    })
}

mod founding;
mod full;
mod limits;
mod older;
mod pauses;
mod retention;
mod roles;
mod second;

/// Writes a file that nobody but its owner can read.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn the_municipality_of_return_gets_its_plan_and_another_does_not() {
    let bench = Bench::new();
    let started = bench.start();
    let sequencer = started.sequencer;
    let case = case_with_housing(&sequencer, bench.clock.now()).await;
    let own = submit(
        &sequencer,
        "gemeente-oost",
        Role::Municipality,
        plan_ask(case.clone()),
    )
    .await;
    assert!(
        matches!(own.outcome, Outcome::Disclosed { .. }),
        "{:?}",
        own.outcome
    );
    let other = submit(
        &sequencer,
        "gemeente-west",
        Role::Municipality,
        plan_ask(case),
    )
    .await;
    assert!(
        matches!(other.outcome, Outcome::NotDisclosed(_)),
        "{:?}",
        other.outcome
    );
}

#[tokio::test]
async fn a_repeated_write_gets_the_same_answer_and_another_body_is_refused() {
    let bench = Bench::new();
    let sequencer = bench.start().sequencer;
    let key = IdempotencyKey::from_bytes([9; 16]);
    let open = |digest| {
        let call = Call::OpenCase {
            identifiers: vec![Identifier::Bsn("999999990".parse().unwrap())],
            municipality: None,
        };
        Request {
            write: Some((key, digest)),
            ..request("pi-noord", Role::Pi, call)
        }
    };
    let first = sequencer.submit(open([1; 32])).await.unwrap();
    let size = sequencer.trail().size();
    let again = sequencer.submit(open([1; 32])).await.unwrap();
    let (Outcome::CaseOpened(one), Outcome::CaseOpened(two)) = (first.outcome, again.outcome)
    else {
        panic!("both should name the case");
    };
    assert_eq!(one, two);
    assert_eq!(first.receipt.index, again.receipt.index);
    assert_eq!(sequencer.trail().size(), size);
    let other = sequencer.submit(open([2; 32])).await;
    assert!(matches!(other, Err(CallError::KeyReused)), "{other:?}");
}

/// A volume that was not mounted must not become a second history under the same name and key.
#[tokio::test]
async fn a_keyring_in_use_does_not_begin_another_log() {
    let bench = Bench::new();
    stop(bench.start()).await;
    let aside = bench.paths.data.with_extension("aside");
    fs::rename(&bench.paths.data, &aside).unwrap();
    fs::create_dir(&bench.paths.data).unwrap();
    let error = bench.try_start().map(drop).unwrap_err();
    assert!(matches!(error, StartError::LogMissing { .. }), "{error}");
    fs::remove_dir_all(&bench.paths.data).unwrap();
    fs::rename(&aside, &bench.paths.data).unwrap();
    stop(bench.start()).await;
}

#[tokio::test]
async fn everything_is_there_again_after_a_restart_and_without_the_view() {
    let bench = Bench::new();
    let started = bench.start();
    let case = case_with_housing(&started.sequencer, bench.clock.now()).await;
    let size = started.sequencer.trail().size();
    stop(started).await;
    for rebuilt in [false, true] {
        if rebuilt {
            fs::remove_dir_all(bench.paths.data.join("view")).unwrap();
            fs::remove_dir_all(bench.paths.data.join("index")).unwrap();
        }
        let started = bench.start();
        assert!(started.sequencer.trail().size() > size);
        let ask = plan_ask(case.clone());
        let own = submit(&started.sequencer, "gemeente-oost", Role::Municipality, ask).await;
        assert!(
            matches!(own.outcome, Outcome::Disclosed { .. }),
            "{:?}",
            own.outcome
        );
        stop(started).await;
    }
}

/// Everything in a directory, in another one.
pub(crate) fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_all(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

pub(crate) async fn stop(started: Started) {
    drop(started.sequencer);
    started.ended.await.unwrap().unwrap();
}
