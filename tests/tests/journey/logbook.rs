//! The logbook of a controller, fed from the log by the real `schakel export` in a process of its own: whatever
//! the collector refuses, half accepts or dies of, and whenever the exporter is killed, nothing is lost and
//! nothing counts twice.

mod file;

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::logs::v1::{
        ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
        logs_service_server::{LogsService, LogsServiceServer},
    },
    logs::v1::LogRecord,
};
use prost::bytes::Bytes;
use schakel_api::v1::ExportKind::{Entries, Processings};
use schakel_audit::{
    export::{Details, Line},
    tree::{Hash, leaf_hash, verify_consistency, verify_inclusion},
};
use schakel_tests::{Scene, Settings, TestBroker, bsn, schakel};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// What the collector does with the next batch.
#[derive(Clone, Copy, Debug)]
enum Does {
    /// Takes nothing, for now.
    Refuse,
    /// Takes all but the last line, and says how many it did not take.
    Half,
    /// Takes all of it and dies before it says so.
    TakeAndDie,
    /// Never answers.
    Hang,
}

/// Trace and span.
type Ids = (Vec<u8>, Vec<u8>);

/// A collector that keeps lines by their ids, as the standard wants.
#[derive(Clone, Debug, Default)]
struct Collector {
    kept: Arc<Mutex<BTreeMap<Ids, LogRecord>>>,
    does: Arc<Mutex<VecDeque<Does>>>,
    batches: Arc<Mutex<usize>>,
    called: Arc<Notify>,
}

impl Collector {
    async fn start(&self) -> (SocketAddr, JoinHandle<()>) {
        self.start_at(([127, 0, 0, 1], 0).into()).await
    }

    async fn start_at(&self, address: SocketAddr) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tonic::transport::Server::builder()
            .add_service(LogsServiceServer::new(self.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        let task = tokio::spawn(async move { server.await.expect("it serves") });
        (address, task)
    }

    fn then(&self, does: &[Does]) {
        self.does.lock().unwrap().extend(does);
    }

    fn records(&self) -> Vec<LogRecord> {
        self.kept.lock().unwrap().values().cloned().collect()
    }

    fn take(&self, records: &[LogRecord]) {
        let mut kept = self.kept.lock().unwrap();
        for record in records {
            let id = (record.trace_id.clone(), record.span_id.clone());
            if let Some(before) = kept.insert(id, record.clone()) {
                assert_eq!(&before, record, "a line that comes again is the same");
            }
        }
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        *self.batches.lock().unwrap() += 1;
        let logs = request.into_inner().resource_logs;
        let scopes = logs.into_iter().flat_map(|logs| logs.scope_logs);
        let records: Vec<_> = scopes.flat_map(|scope| scope.log_records).collect();
        let does = self.does.lock().unwrap().pop_front();
        let mut partial_success = None;
        match does {
            None => self.take(&records),
            Some(Does::Refuse) => return Err(Status::unavailable("not now")),
            Some(Does::Half) => {
                self.take(&records[..records.len() - 1]);
                partial_success = Some(ExportLogsPartialSuccess {
                    rejected_log_records: 1,
                    error_message: "one line is not wanted".into(),
                });
            }
            Some(Does::TakeAndDie) => {
                self.take(&records);
                return Err(Status::unavailable("died"));
            }
            Some(Does::Hang) => {
                self.take(&records);
                self.called.notify_one();
                std::future::pending::<()>().await;
            }
        }
        self.called.notify_one();
        Ok(Response::new(ExportLogsServiceResponse { partial_success }))
    }
}

/// A broker with something to export, and where the exporter keeps its files.
struct Stage {
    broker: TestBroker,
    dir: tempfile::TempDir,
    collector: Collector,
    address: SocketAddr,
    serving: JoinHandle<()>,
    /// The approvals of a second officer.
    lines_approved: Bytes,
    entries_approved: Bytes,
}

impl Stage {
    async fn set() -> Self {
        let broker = TestBroker::start_with(Settings {
            system_clock: true,
            ..Settings::default()
        })
        .await;
        act(&broker, 1).await;
        let collector = Collector::default();
        let (address, serving) = collector.start().await;
        let officer = "fg-gemeente-oost";
        let lines_approved = broker.approved_export(officer, Processings).await;
        Self {
            lines_approved,
            entries_approved: broker.approved_export(officer, Entries).await,
            broker,
            dir: tempfile::tempdir().unwrap(),
            collector,
            address,
            serving,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(schakel());
        command
            .arg("export")
            .args(arguments)
            .args(["--as", "fg-gemeente-oost", "--server"])
            .arg(self.broker.address().to_string())
            .arg("--certificates")
            .arg(self.broker.place().path("certificates"))
            .arg("--verifier-key")
            .arg(self.broker.verifier_key().to_string())
            .env("XDG_CONFIG_HOME", self.dir.path())
            .env("SCHAKEL_ACTOR", "export")
            .stdin(Stdio::null());
        command
    }

    fn ldv(&self, batch: &str) -> Command {
        let to = format!("http://{}", self.address);
        let approved = hex::encode(&self.lines_approved);
        let ldv = [
            "ldv",
            "--to",
            &to,
            "--batch",
            batch,
            "--approved",
            &approved,
        ];
        let mut command = self.command(&ldv);
        command.arg("--state").arg(self.path("state"));
        command
    }

    /// Runs a command that must end by itself.
    async fn run(&self, mut command: Command) -> Output {
        tokio::task::spawn_blocking(move || command.output().expect("a process"))
            .await
            .expect("an output")
    }

    async fn done(&self, command: Command) {
        let output = self.run(command).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }

    /// What there is to export by now, from the broker itself.
    async fn expected(&self) -> Vec<Ids> {
        let client = self.broker.client("fg-gemeente-oost", None).await;
        let request = schakel_api::v1::ExportProcessingsRequest {
            actor: schakel_tests::actor(),
            purpose: "P-ACCOUNTABILITY".into(),
            page_size: 500,
            search_id: Some(self.lines_approved.clone()),
            ..Default::default()
        };
        let page = client.export_processings(request).await.expect("lines");
        assert!(!page.more);
        let lines = page.lines.iter();
        let mut ids: Vec<_> = lines
            .map(|line| (line.trace_id.to_vec(), line.span_id.to_vec()))
            .collect();
        ids.sort();
        ids
    }

    /// Nothing is lost, and nothing came that is not there.
    async fn check(&self) {
        let kept: Vec<_> = self
            .collector
            .kept
            .lock()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(kept, self.expected().await);
    }
}

/// Something that gives the municipality lines.
async fn act(broker: &TestBroker, n: u32) {
    let scene = Scene::set(broker, n).await;
    let municipality = broker.party("gemeente-oost").await;
    municipality.consent(bsn(&scene.bsn)).await;
    let association = broker.party("wonen-zuid").await;
    association.ask_housing(&scene.mark).await.expect("told");
}

fn attribute(record: &LogRecord, key: &str) -> Option<String> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let found = record.attributes.iter().find(|one| one.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        other => Some(format!("{other:?}")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logbook_gets_every_line_once_and_goes_on_where_it_was() {
    let stage = Stage::set().await;
    stage.done(stage.ldv("2")).await;
    stage.check().await;
    let first = stage.collector.records().len();
    assert!(first > 2);
    let batches = *stage.collector.batches.lock().unwrap();
    stage.done(stage.ldv("2")).await;
    assert_eq!(
        *stage.collector.batches.lock().unwrap(),
        batches,
        "nothing came"
    );
    act(&stage.broker, 2).await;
    stage.done(stage.ldv("2")).await;
    stage.check().await;
    assert_eq!(stage.collector.records().len(), 2 * first);
    for record in stage.collector.records() {
        assert!(attribute(&record, "dpl.core.processing_activity_id").is_some());
        let status = attribute(&record, "status").unwrap();
        assert!(status == "Ok" || status == "Unset");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_refuses_half_accepts_or_dies_gets_every_line_all_the_same() {
    let stage = Stage::set().await;
    stage
        .collector
        .then(&[Does::Refuse, Does::TakeAndDie, Does::Half, Does::Refuse]);
    stage.done(stage.ldv("3")).await;
    stage.check().await;
    // A line that is never taken stops the export there, by name; it goes on with it.
    act(&stage.broker, 2).await;
    stage.collector.then(&[Does::Half; 7]);
    let output = stage.run(stage.ldv("3")).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains("does not take the line of entry"), "{said}");
    assert!(said.contains("one line is not wanted"), "{said}");
    stage.collector.does.lock().unwrap().clear();
    stage.done(stage.ldv("3")).await;
    stage.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_moves_nothing() {
    let mut stage = Stage::set().await;
    stage.serving.abort();
    let _ = (&mut stage.serving).await;
    let output = stage.run(stage.ldv("3")).await;
    assert_eq!(output.status.code(), Some(69));
    let state = fs::read_to_string(stage.path("state")).unwrap();
    assert!(
        state.contains("\"done\":0"),
        "nothing was acknowledged: {state}"
    );
    assert!(!state.contains("cursor"), "{state}");
    let (address, serving) = stage.collector.start_at(stage.address).await;
    (stage.address, stage.serving) = (address, serving);
    stage.done(stage.ldv("3")).await;
    stage.check().await;
}

/// The exporter, until it is killed.
struct Exporter(Child);

impl Exporter {
    fn start(mut command: Command) -> Self {
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        Self(quiet.spawn().expect("a process"))
    }

    fn kill(&mut self) {
        self.0.kill().expect("a signal");
        self.0.wait().expect("an end");
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // Best effort: it may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Killed while the collector has a batch and has not said so, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn an_exporter_that_is_killed_loses_nothing_and_doubles_nothing() {
    let stage = Stage::set().await;
    for n in 2..5 {
        // Two batches are acknowledged; the third is taken, and that is never said.
        act(&stage.broker, n).await;
        for _ in 0..2 {
            stage.collector.then(&[Does::Hang]);
            let mut exporter = Exporter::start(stage.ldv("1"));
            stage.collector.called.notified().await;
            exporter.kill();
        }
    }
    stage.done(stage.ldv("2")).await;
    stage.check().await;
}

/// The broker's view is rebuilt, so that its cursors no longer open: the export goes on by the index.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_on_although_the_broker_no_longer_knows_its_cursor() {
    let mut stage = Stage::set().await;
    stage.done(stage.ldv("3")).await;
    let batches = *stage.collector.batches.lock().unwrap();
    stage.broker.stop().await;
    stage.broker.forget_derived();
    stage.broker.run().await.unwrap();
    stage.done(stage.ldv("3")).await;
    assert_eq!(
        *stage.collector.batches.lock().unwrap(),
        batches,
        "nothing came twice"
    );
    act(&stage.broker, 2).await;
    stage.done(stage.ldv("3")).await;
    stage.check().await;
}
