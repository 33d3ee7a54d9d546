//! One bit turned over in every file there is: refused with the file named, or made good with nothing lost.

use std::{
    fs,
    os::unix::fs::{FileExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use schakel_audit::note::SigningKey;
use schakel_tests::{Evidence, ORIGIN, Party, Place, Scene, Settings, TestBroker, bsn, copy};

/// Everything that a broker keeps, within its place.
const DIRECTORIES: [&str; 3] = ["data", "keyring", "public"];
const FILES: [&str; 3] = ["kek", "checkpoint.key", "anchor"];

/// What becomes of a bit that turned over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Becomes {
    /// The start is refused, and says where to look.
    Refused(&'static str),
    /// It is made again, or nothing that the broker answers depends on it.
    MadeGood,
}

fn becomes(path: &Path) -> Becomes {
    let name = path.file_name().unwrap().to_str().unwrap();
    let end = path.extension().and_then(|end| end.to_str());
    match (name, end) {
        ("kek", _) => Becomes::Refused("/kek`"),
        ("checkpoint.key", _) => Becomes::Refused("checkpoint"),
        ("anchor", _) => Becomes::Refused("anchor"),
        ("checkpoint", _) => Becomes::Refused("/public"),
        (_, Some("seg")) => Becomes::Refused(".seg"),
        (_, Some("keys")) => Becomes::Refused(".keys"),
        _ => Becomes::MadeGood,
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let each = found.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    });
    each.collect()
}

/// Up to where a file means something: a segment is filled with zeros ahead.
fn meant(path: &Path) -> u64 {
    let bytes = fs::read(path).unwrap();
    let last = bytes.iter().rposition(|byte| *byte != 0);
    last.map_or(0, |last| last as u64)
}

/// Turns over one bit; doing it again turns it back.
fn flip(path: &Path, at: u64) {
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
}

fn keep(place: &Place, kept: &Path) {
    for name in DIRECTORIES {
        copy(&place.path(name), &kept.join(name));
    }
    for name in FILES {
        fs::copy(place.path(name), kept.join(name)).unwrap();
    }
}

fn put_back(place: &Place, kept: &Path) {
    for name in DIRECTORIES {
        fs::remove_dir_all(place.path(name)).unwrap();
        copy(&kept.join(name), &place.path(name));
    }
    for name in FILES {
        fs::copy(kept.join(name), place.path(name)).unwrap();
    }
}

/// A broker that was used, published what it recorded, and stopped.
async fn used() -> (TestBroker, Scene) {
    let settings = Settings {
        more: "[publication]\nevery = \"100ms\"\ndir = \"public\"\nanchor_file = \"anchor\"\n"
            .to_owned(),
        files: vec![("anchor", String::new())],
        ..Settings::default()
    };
    let mut broker = TestBroker::start_with(settings).await;
    let scene = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    municipality.consent(bsn(&scene.bsn)).await;
    let association = broker.party("wonen-zuid").await;
    assert!(association.ask_housing(&scene.mark).await.is_some());
    let size = broker.check_log().await.leaves.len() as u64;
    while broker.published() < size {
        tokio::task::yield_now().await;
    }
    broker.stop().await;
    (broker, scene)
}

/// Somebody asks who keeps nothing of the answer: the broker is put back afterwards.
async fn is_told(broker: &TestBroker, scene: &Scene) -> bool {
    let evidence = Arc::<Evidence>::default();
    evidence.trust(&broker.verifier_key().to_string());
    let channel = broker.line("wonen-zuid").channel().await.unwrap();
    let association = Party::new("wonen-zuid", channel, evidence, broker.any_clock());
    association.ask_housing(&scene.mark).await.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bit_that_turns_over_in_any_file_is_refused_with_its_place_or_made_good() {
    let (mut broker, scene) = used().await;
    let kept = tempfile::tempdir().unwrap();
    keep(broker.place(), kept.path());
    let mut paths: Vec<PathBuf> = DIRECTORIES
        .iter()
        .flat_map(|name| files(&broker.place().path(name)))
        .chain(FILES.map(|name| broker.place().path(name)))
        .filter(|path| meant(path) > 0)
        .collect();
    paths.sort();
    let (mut refused, mut made_good) = (0, 0);
    for path in &paths {
        let last = meant(path);
        match becomes(path) {
            Becomes::Refused(place) => {
                for at in [0, last / 4, last / 2] {
                    flip(path, at);
                    let what = format!("bit at {at} of {}", path.display());
                    let said = broker
                        .run()
                        .await
                        .err()
                        .unwrap_or_else(|| panic!("{what}: it starts"));
                    assert!(said.contains(place), "{what}: {said}");
                    flip(path, at);
                    refused += 1;
                }
            }
            Becomes::MadeGood => {
                flip(path, last / 2);
                let started = broker.run().await;
                started.unwrap_or_else(|said| panic!("{}: {said}", path.display()));
                assert!(is_told(&broker, &scene).await, "{}", path.display());
                broker.stop().await;
                put_back(broker.place(), kept.path());
                made_good += 1;
            }
        }
    }
    assert!(
        refused > 15 && made_good > 4,
        "{refused} and {made_good} of {paths:?}"
    );
    broker.run().await.expect("with every bit back it starts");
    broker.check_log().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_key_that_is_missing_or_another_stops_the_start() {
    let mut broker = TestBroker::start().await;
    broker.stop().await;
    let key = broker.place().path("checkpoint.key");
    let own = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let said = broker.run().await.expect_err("without its key");
    assert!(said.contains("checkpoint.key"), "{said}");
    let other = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    fs::write(&key, other.to_skey().as_bytes()).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let said = broker.run().await.expect_err("with another key");
    assert!(said.contains("next_checkpoint_key_file"), "{said}");
    fs::write(&key, own).unwrap();
    broker.run().await.expect("with its own key");
    broker.check_log().await;
}
