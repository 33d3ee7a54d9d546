//! What is published: who may read it, that it verifies as a whole, and receipts fetched again.

use std::{path::Path, process::Command, time::Duration};

use schakel_api::v1::{self, ReceiptLevel};
use schakel_audit::checkpoint::Checkpoint;
use schakel_tests::{Scene, Settings, TestBroker, actor, bsn, bsn_number, item, key, reason};
use tonic::Code;

async fn start(more: &str) -> TestBroker {
    let more = format!("[publication]\nevery = \"100ms\"\nlisten = \"127.0.0.1:0\"\n{more}");
    TestBroker::start_with(Settings {
        more,
        ..Settings::default()
    })
    .await
}

/// Waits until so many entries are published, which takes a tick.
async fn published(broker: &TestBroker, entries: u64) {
    let wait = async {
        while broker.published() < entries {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait)
        .await
        .expect("it is published");
}

#[tokio::test(flavor = "multi_thread")]
async fn parties_read_checkpoint_and_hashes_and_auditors_the_entries() {
    let broker = start("").await;
    drop(Scene::set(&broker, 1).await);
    let size = {
        let checkpoint = broker.party("toetser").await.checkpoint().await;
        Checkpoint::open(&checkpoint, &broker.verifier_key())
            .unwrap()
            .size
    };
    published(&broker, size).await;
    let size = broker.published();
    let (files, line) = (broker.files(), broker.line("wonen-zuid"));
    let get = async |path: &str| line.read(files, &format!("GET {path}")).await.unwrap();
    let answer = get("/checkpoint").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .head
            .contains("content-type: text/plain; charset=utf-8"),
        "{}",
        answer.head
    );
    assert!(
        answer.head.contains("cache-control: private, max-age=5"),
        "{}",
        answer.head
    );
    let note = String::from_utf8(answer.content).unwrap();
    let shown = Checkpoint::open(&note, &broker.verifier_key()).unwrap();
    assert!(shown.size >= size);
    let hashes = format!("/tile/0/000.p/{}", shown.size);
    let answer = get(&hashes).await;
    assert_eq!(
        (answer.status, answer.content.len() as u64),
        (200, shown.size * 32)
    );
    assert!(answer.head.contains("immutable") && answer.head.contains("octet-stream"));
    // Entries are not for a party, nor is anything that is not published or no name of a file.
    let entries = format!("/tile/entries/000.p/{}", shown.size);
    assert_eq!(get(&entries).await.status, 403);
    assert_eq!(get("/erasures/000").await.status, 403);
    for path in [
        "/tile/0/000",
        "/tile/0/000.p/255",
        "/tile/../checkpoint",
        "/../data/log/00000000000000000000.seg",
        "/.swept",
        "/checkpoint?a=b",
    ] {
        assert_eq!(get(path).await.status, 404, "{path}");
    }
    let written = line.read(files, "PUT /checkpoint").await.unwrap();
    assert_eq!(written.status, 405);
    let head = line.read(files, "HEAD /checkpoint").await.unwrap();
    assert_eq!((head.status, head.content.len()), (200, 0));
    // An auditor reads the entries.
    let auditor = broker.line("toetser");
    let answer = auditor
        .read(files, &format!("GET {entries}"))
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(
        schakel_audit::tile::entries(&answer.content).count() as u64,
        shown.size
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_without_the_certificate_of_an_active_party_or_a_configured_reader() {
    let broker = start("").await;
    published(&broker, 1).await;
    let files = broker.files();
    let read = async |line: schakel_tests::Line| line.read(files, "GET /checkpoint").await;
    assert!(read(broker.line_with(None)).await.is_err());
    let foreign = broker.place().foreign("pi-noord");
    assert!(read(broker.line_with(Some(&foreign))).await.is_err());
    let stranger = broker.place().unregistered();
    let answer = read(broker.line_with(Some(&stranger))).await.unwrap();
    assert_eq!(answer.status, 403);
    // The same certificate, named in the configuration: checkpoint and hashes, and no entries.
    let mut broker = broker;
    broker.stop().await;
    let file = broker.place().path("reader.pem");
    std::fs::write(&file, &stranger.cert_pem).unwrap();
    broker.configure_more("reader_certificates = [\"reader.pem\"]\n");
    broker.run().await.unwrap();
    published(&broker, 1).await;
    let (files, line) = (broker.files(), broker.line_with(Some(&stranger)));
    let status = async |path: &str| {
        let answer = line.read(files, &format!("GET {path}")).await.unwrap();
        answer.status
    };
    let size = broker.published();
    assert_eq!(status("/checkpoint").await, 200);
    assert_eq!(status(&format!("/tile/0/000.p/{size}")).await, 200);
    assert_eq!(status(&format!("/tile/entries/000.p/{size}")).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_given_again_to_whom_it_is_of_and_to_nobody_else() {
    let broker = start("").await;
    let scene = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    let told = |index, level: ReceiptLevel| v1::GetReceiptRequest {
        actor: None,
        index,
        min_level: level.into(),
    };
    let pi = broker.party("pi-noord").await;
    pi.report(
        &scene.case,
        v1::Condition::Debt,
        v1::ConditionStatus::InProgress,
    )
    .await;
    let own = broker.evidence().kept().last().unwrap().receipt.clone();
    let signed = told(own.index, ReceiptLevel::LogSigned);
    let again = pi
        .audit()
        .get_receipt(signed.clone())
        .await
        .unwrap()
        .into_inner();
    let proof = again.proof.unwrap();
    assert_eq!((proof.index, proof.leaf), (own.index, own.leaf));
    assert!(again.receipt.is_none(), "its own receipt is no look-up");
    // There are no witnesses here, and no party is told that there were.
    let witnessed = told(own.index, ReceiptLevel::Witnessed);
    let status = pi.audit().get_receipt(witnessed).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::FailedPrecondition, "NOT_WITNESSED")
    );
    // The entry of another, one that is not there, and a denial of one's own are the same.
    let size = broker.check_log().await.encoded.len() as u64;
    let denied = {
        let ask = v1::AskRequest {
            actor: actor(),
            item: Some(item(
                bsn(&bsn_number(77)),
                "P-PLAN",
                v1::Condition::Housing,
                v1::Granularity::Status,
            )),
        };
        drop(municipality.exchange().ask(ask).await);
        broker.check_log().await.encoded.len() as u64 - 1
    };
    let mut answers = Vec::new();
    for index in [own.index, size + 10_000, denied] {
        let asked = told(index, ReceiptLevel::LogSigned);
        let status = municipality.audit().get_receipt(asked).await.unwrap_err();
        answers.push((status.code(), status.message().to_owned()));
    }
    assert!(answers.iter().all(|one| *one == answers[0]), "{answers:?}");
    assert_eq!(answers[0].0, Code::NotFound);
    // An auditor may have any, says who looks, and the look is an entry.
    let auditor = broker.party("toetser").await;
    let status = auditor
        .audit()
        .get_receipt(signed.clone())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let asked = v1::GetReceiptRequest {
        actor: actor(),
        ..signed
    };
    let given = auditor
        .audit()
        .get_receipt(asked)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(given.proof.unwrap().index, own.index);
    assert!(given.receipt.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_verifies_from_the_command_line() {
    let mut broker = start("").await;
    drop(Scene::set(&broker, 1).await);
    broker.stop().await;
    let public = broker.place().data().join("published");
    assert!(public.join("checkpoint").is_file());
    let said = verify(&public, &broker.verifier_key().to_string());
    assert!(said.0, "{}", said.1);
    // A byte that turned over in one of the entries.
    let entries = std::fs::read_dir(public.join("tile/entries/000.p")).unwrap();
    for bundle in entries {
        let path = bundle.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[40] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    let said = verify(&public, &broker.verifier_key().to_string());
    assert!(!said.0, "{}", said.1);
}

/// Has so many entries recorded, in batches of a hundred.
async fn grow(broker: &TestBroker, hundreds: usize) {
    let municipality = broker.party("gemeente-oost").await;
    for _ in 0..hundreds {
        let nobody = bsn(&bsn_number(77));
        let one = item(
            nobody,
            "P-PLAN",
            v1::Condition::Housing,
            v1::Granularity::Status,
        );
        let request = v1::AskBatchRequest {
            actor: actor(),
            items: vec![one; 100],
        };
        municipality.exchange().ask_batch(request).await.unwrap();
    }
}

/// Restarts until the key changed: both sign for one start, and then the new one alone.
async fn change_key(broker: &mut TestBroker, seed: u8) {
    let vkey = broker.place().write_checkpoint_key("next.key", seed);
    broker.evidence().expect_key(&vkey);
    let next = "next_checkpoint_key_file = \"next.key\"";
    broker.place_mut().set_broker(next);
    broker.restart().await;
    let place = broker.place_mut();
    place.write_checkpoint_key("checkpoint.key", seed);
    place.set_broker("");
    broker.restart().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_first_key_verifies_a_log_of_changed_keys_and_pruned_entries() {
    let mut broker = start("").await;
    let first = broker.verifier_key().to_string();
    let public = broker.place().data().join("published");
    // Another key of the broker, which says nothing of checkpoints.
    let request = v1::RotateKekRequest {
        idempotency_key: key(),
    };
    let administrator = broker.party("beheer-een").await;
    administrator.retention().rotate_kek(request).await.unwrap();
    drop(administrator);
    change_key(&mut broker, 8).await;
    let second = broker.verifier_key().to_string();
    grow(&broker, 3).await;
    broker.stop().await;
    let held = std::fs::read_to_string(public.join("checkpoint")).unwrap();
    broker.place().write("held.checkpoint", &held);
    broker.run().await.unwrap();
    change_key(&mut broker, 9).await;
    grow(&broker, 3).await;
    broker.stop().await;
    // Whole, for whoever holds any key and whatever was held before.
    let held = broker.place().path("held.checkpoint");
    let held = held.to_str().unwrap();
    let whole = told(&public, &first, &["--anchor", held]);
    assert_eq!(whole.0, Some(0), "{}", whole.1);
    assert_eq!(whole.1.matches("OK   key-change").count(), 4, "{}", whole.1);
    for (vkey, changes) in [(&first, 4), (&second, 2)] {
        let since = told(&public, vkey, &["--since", held]);
        assert_eq!(since.0, Some(0), "{}", since.1);
        assert_eq!(since.1.matches("OK   key-change").count(), changes);
    }
    let (exit, said) = told(&public, &broker.verifier_key().to_string(), &[]);
    assert!(exit == Some(0) && !said.contains("key-change"), "{said}");
    // Pruned: what is announced need not be there, and nothing else.
    broker.configure_more("minimum_index = 300\n");
    broker.run().await.unwrap();
    let size = broker.check_log().await.encoded.len() as u64;
    published(&broker, size).await;
    broker.stop().await;
    assert!(!public.join("tile/entries/000").exists());
    let (exit, said) = told(&public, &first, &["--anchor", held]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(said.contains("WARN pruned below=300 entries=256"), "{said}");
    // What was verified before is not looked at again, pruned or not.
    let (exit, said) = told(&public, &second, &["--since", held]);
    assert!(exit == Some(0) && !said.contains("pruned"), "{said}");
    let (exit, said) = told(&public, &first, &["--pruned-below", "255"]);
    assert_eq!(exit, Some(3), "{said}");
    std::fs::remove_file(public.join("tile/entries/001")).unwrap();
    let present = broker.verifier_key().to_string();
    let (exit, said) = told(&public, &present, &[]);
    assert_eq!(exit, Some(3), "{said}");
    assert!(
        said.contains("FAIL missing file=tile/entries/001"),
        "{said}"
    );
    // A turn that is altered is refused, and with it what it led to.
    let keys = std::fs::read_dir(public.join("keys")).unwrap();
    for file in keys {
        let path = file.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[40] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    let (exit, said) = told(&public, &first, &[]);
    assert_eq!(exit, Some(1), "{said}");
    assert!(said.contains("FAIL checkpoint-signature"), "{said}");
}

fn verify(dir: &Path, vkey: &str) -> (bool, String) {
    let (exit, said) = told(dir, vkey, &[]);
    (exit == Some(0), said)
}

/// What the command says of a published log, and how it ends.
fn told(dir: &Path, vkey: &str, more: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(schakel_tests::schakel())
        .args(["verify", "log"])
        .arg(dir)
        .args(["--verifier-key", vkey])
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}
