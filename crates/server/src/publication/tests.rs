//! Publication with everything behind it, and witnesses of every manner before it.

use std::{fs, sync::Arc, time::Duration};

use schakel_audit::{
    checkpoint::Checkpoint,
    erasure::Opened,
    leaf::{EntryType, Leaf},
    note::{Note, SigningKey, VerifyingKey},
    policy::{Level, Policy},
    succession::{self, Statement, Succession},
    tile::{self, Tile},
    tree::{leaf_hash, verify_inclusion},
};
use schakel_core::{code::Role, id::CaseId, person::SubjectRef};

use super::{Publisher, Witnesses, outside::Places, witnesses::Files};
use crate::{
    call::CallError,
    clock::Clock as _,
    config,
    sequencer::{
        Sequencer, StartError, Started,
        tests::{Bench, ORIGIN, plan_ask, request, stop, write_secret},
    },
    telemetry::Metrics,
};

mod fake;
mod halt;
mod outside;
mod tls;

use fake::{FakeWitness, Manner};

const WITHIN: Duration = Duration::from_millis(400);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[seed; 32]).unwrap()
}

fn vkey(seed: u8) -> VerifyingKey {
    key(seed).verifying_key().clone()
}

/// A broker that publishes, without the wire and without timers.
struct Published {
    bench: Bench,
    outside: tempfile::TempDir,
    policy: String,
    tls: Option<Files>,
}

/// One run of it.
struct Run {
    sequencer: Sequencer,
    publisher: Publisher,
    ended: tokio::sync::oneshot::Receiver<Result<(), crate::sequencer::WriterError>>,
}

impl Published {
    fn new() -> Self {
        let mut bench = Bench::new();
        let outside = tempfile::tempdir().unwrap();
        bench.paths.outside = Some(Places {
            dir: outside.path().join("public"),
            anchor: Some(outside.path().join("anchor")),
            every_batch: false,
            minimum_index: 0,
        });
        Self {
            bench,
            outside,
            policy: String::new(),
            tls: None,
        }
    }

    /// What the broker's clock shows, in seconds since 1970.
    fn now(&self) -> u64 {
        self.bench.clock.now().as_millis() / 1000
    }

    /// Witnesses, of whom so many must have signed.
    async fn witnesses(&mut self, count: u8, quorum: usize) -> Vec<FakeWitness> {
        let now = self.now();
        let mut all = Vec::new();
        let mut policy = format!("log {}\n", vkey(7));
        let mut group = format!("group enough {quorum}");
        for seed in 1..=count {
            let witness = FakeWitness::start(seed, vec![vkey(7), vkey(8)], now).await;
            policy += &witness.line();
            group.push_str(" w");
            group.push_str(&seed.to_string());
            all.push(witness);
        }
        self.policy = format!("{policy}{group}\nquorum enough\n");
        all
    }

    fn try_start(&self) -> Result<Run, StartError> {
        let Started {
            sequencer,
            outside,
            ended,
        } = self.bench.try_start()?;
        let ask = |policy: &str| Witnesses::of(policy.parse().unwrap(), WITHIN, self.tls.clone());
        let witnesses = (!self.policy.is_empty()).then(|| ask(&self.policy).unwrap().unwrap());
        let publisher = Publisher::new(
            &config::Publication::default(),
            outside.unwrap(),
            witnesses,
            &sequencer,
            Arc::<crate::clock::ManualClock>::clone(&self.bench.clock),
            Metrics::unsent(),
        );
        Ok(Run {
            sequencer,
            publisher,
            ended,
        })
    }

    fn start(&self) -> Run {
        self.try_start().unwrap()
    }

    fn file(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.outside.path().join("public").join(name)).ok()
    }

    fn checkpoint(&self) -> String {
        String::from_utf8(self.file("checkpoint").unwrap()).unwrap()
    }
}

impl Run {
    /// Has so many entries recorded.
    async fn grow(&self, entries: u64) {
        for _ in 0..entries {
            self.ask().await.unwrap();
        }
    }

    /// Asks about nobody: an entry, whatever becomes of its publication.
    async fn ask(&self) -> Result<(), CallError> {
        let nobody = SubjectRef::Case(CaseId::from_bytes([9; 16]));
        let asked = request("gemeente-oost", Role::Municipality, plan_ask(nobody));
        self.sequencer.submit(asked).await.map(drop)
    }

    fn sizes(&self) -> (u64, u64) {
        let trail = self.sequencer.trail();
        (trail.published_size(), trail.size())
    }

    async fn stop(self) {
        let Self {
            sequencer,
            publisher,
            ended,
        } = self;
        drop(publisher);
        stop(Started {
            sequencer,
            outside: None,
            ended,
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_published_carries_the_quorum_and_proves_every_entry() {
    let mut place = Published::new();
    let witnesses = place.witnesses(3, 2).await;
    witnesses[2].behave(Manner::Failing);
    let mut run = place.start();
    run.publisher.tick().await;
    run.grow(5).await;
    run.publisher.tick().await;
    let (published, size) = run.sizes();
    assert_eq!(published, size);
    let policy: Policy = place.policy.parse().unwrap();
    let note = place.checkpoint();
    let endorsed = policy.open(&note).unwrap();
    assert_eq!(
        (endorsed.level(), endorsed.seen().count()),
        (Level::Witnessed, 2)
    );
    assert_eq!(endorsed.checkpoint().size, size);
    // Asked from where they had come to, and only once more than at first.
    assert_eq!(witnesses[0].asked(), [0, size - 5]);
    for index in 0..size {
        let (receipt, seen) = run
            .sequencer
            .trail()
            .published_receipt(index)
            .unwrap()
            .unwrap();
        assert!(seen && *receipt.checkpoint == *note);
        let hashes: Vec<_> = receipt.hashes.iter().map(|hash| (*hash).into()).collect();
        let root = endorsed.checkpoint().root;
        verify_inclusion(leaf_hash(&receipt.leaf), index, size, &hashes, root).unwrap();
    }
    run.stop().await;
}

#[tokio::test]
async fn answers_go_on_without_witnesses_and_publication_catches_up_when_they_are_back() {
    let mut place = Published::new();
    let witnesses = place.witnesses(1, 1).await;
    let mut run = place.start();
    run.publisher.tick().await;
    let (before, _) = run.sizes();
    for manner in [
        Manner::Silent,
        Manner::Failing,
        Manner::Babbling,
        Manner::Forging,
        Manner::Elsewhere,
        Manner::Behind,
    ] {
        witnesses[0].behave(manner);
        run.grow(1).await;
        run.publisher.tick().await;
        let (published, size) = run.sizes();
        assert_eq!(published, before, "{manner:?}");
        assert!(size > before);
        assert_eq!(
            Checkpoint::open(&place.checkpoint(), &vkey(7))
                .unwrap()
                .size,
            before
        );
    }
    witnesses[0].behave(Manner::Honest);
    run.publisher.tick().await;
    let (published, size) = run.sizes();
    assert_eq!(published, size);
    run.stop().await;
}

#[tokio::test]
async fn a_broker_that_forgot_how_far_a_witness_is_asks_again_from_there() {
    let mut place = Published::new();
    let witnesses = place.witnesses(1, 1).await;
    let mut run = place.start();
    run.publisher.tick().await;
    let (first, _) = run.sizes();
    run.stop().await;
    let mut run = place.start();
    run.grow(3).await;
    run.publisher.tick().await;
    assert_eq!(witnesses[0].seen(), run.sizes().1);
    assert_eq!(witnesses[0].asked(), [0, 0, first]);
    run.stop().await;
}

#[tokio::test]
async fn a_witness_that_has_seen_more_than_the_log_has_stops_all_signing() {
    let mut place = Published::new();
    let witnesses = place.witnesses(2, 1).await;
    let mut run = place.start();
    run.publisher.tick().await;
    let published = place.checkpoint();
    // One is enough for the quorum, and the other is enough to stop.
    witnesses[1].behave(Manner::Claiming(1_000_000));
    run.grow(1).await;
    run.publisher.tick().await;
    assert!(run.sequencer.halt().why().unwrap().contains("1000000"));
    assert_eq!(place.checkpoint(), published);
    let refused = run.ask().await.unwrap_err();
    assert!(
        matches!(refused, CallError::AuditUnavailable),
        "{refused:?}"
    );
    let size = run.sizes().1;
    run.publisher.tick().await;
    assert_eq!((place.checkpoint(), run.sizes().1), (published, size));
    assert!(!*run.publisher.health().borrow());
    run.stop().await;
}

#[tokio::test]
async fn a_witness_that_claims_what_it_did_not_see_only_costs_its_own_signature() {
    let mut place = Published::new();
    let witnesses = place.witnesses(2, 1).await;
    let mut run = place.start();
    run.publisher.tick().await;
    // It says that it has seen less than it cosigned, whatever it is asked from.
    witnesses[1].behave(Manner::Claiming(1));
    run.grow(1).await;
    run.publisher.tick().await;
    let (published, size) = run.sizes();
    assert_eq!(published, size);
    assert!(run.sequencer.halt().why().is_none());
    run.stop().await;
}

#[tokio::test]
async fn checkpoints_can_be_followed_before_during_and_after_a_change_of_keys() {
    let mut place = Published::new();
    let new = place.bench.paths.checkpoint_key.with_extension("new");
    write_secret(&new, key(8).to_skey().as_bytes());
    let old = place.bench.paths.checkpoint_key.clone();
    let mut signed = Vec::new();
    for (first, next) in [(&old, None), (&old, Some(&new)), (&new, None)] {
        place.bench.paths.checkpoint_key.clone_from(first);
        place.bench.paths.next_checkpoint_key = next.cloned();
        let mut run = place.start();
        run.grow(1).await;
        run.publisher.tick().await;
        run.stop().await;
        let note = place.checkpoint();
        let by = |seed| Checkpoint::open(&note, &vkey(seed)).is_ok();
        signed.push((by(7), by(8)));
    }
    assert_eq!(signed, [(true, false), (true, true), (false, true)]);
    // Whoever knows the first key alone follows the published files to the last.
    let size = Checkpoint::open(&place.checkpoint(), &vkey(8))
        .unwrap()
        .size;
    let mut succession = Succession::pinned(ORIGIN.parse().unwrap(), [vkey(7)]);
    for tile in Tile::all(size).filter(|tile| tile.kind() == tile::Kind::Entries) {
        let bundle = place.file(&tile.to_string()).unwrap();
        for (index, leaf) in (tile.first()..).zip(tile::entries(&bundle)) {
            let leaf = Leaf::decode(leaf.unwrap()).unwrap();
            if leaf.entry_type != EntryType::Key {
                continue;
            }
            let opened = Opened::decode(&place.file(&succession::path(index)).unwrap()).unwrap();
            assert!(opened.opens(&leaf));
            let statement = Statement::in_details(&opened).unwrap();
            succession.follow(&statement).unwrap();
        }
    }
    assert_eq!(succession.in_use(), [vkey(8)]);
    // The old key alone no longer starts it, nor does one that was never taken into use.
    for seed in [7, 9] {
        let path = place.bench.paths.checkpoint_key.with_extension("wrong");
        write_secret(&path, key(seed).to_skey().as_bytes());
        place.bench.paths.checkpoint_key = path;
        let error = place.try_start().map(drop).unwrap_err();
        assert!(matches!(error, StartError::Keys(_)), "{error}");
    }
}

#[tokio::test]
async fn without_witnesses_the_word_of_the_log_is_published_and_not_called_witnessed() {
    let place = Published::new();
    let mut run = place.start();
    run.publisher.tick().await;
    let (receipt, witnessed) = run.sequencer.trail().published_receipt(0).unwrap().unwrap();
    assert!(!witnessed);
    assert_eq!(
        Note::parse(&receipt.checkpoint).unwrap().signatures().len(),
        1
    );
    assert!(
        run.sequencer
            .trail()
            .published_receipt(1000)
            .unwrap()
            .is_none()
    );
    run.stop().await;
}

#[tokio::test]
async fn damage_where_the_log_is_published_stops_publication_and_nothing_else() {
    let place = Published::new();
    let mut run = place.start();
    run.publisher.tick().await;
    let (published, _) = run.sizes();
    let edge = place
        .outside
        .path()
        .join(format!("public/tile/0/000.p/{published}"));
    let mut bytes = fs::read(&edge).unwrap();
    bytes[3] ^= 1;
    fs::write(&edge, &bytes).unwrap();
    run.grow(1).await;
    run.publisher.tick().await;
    assert_eq!(run.sizes().0, published);
    assert!(!*run.publisher.health().borrow());
    run.grow(1).await;
    fs::remove_file(&edge).unwrap();
    run.publisher.tick().await;
    assert_eq!(run.sizes().0, run.sizes().1);
    assert!(*run.publisher.health().borrow());
    run.stop().await;
}
