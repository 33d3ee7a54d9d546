//! `kill -9` at random moments under load.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use schakel_api::v1;
use schakel_core::random::Random as _;
use schakel_store::random::OsRandom;
use schakel_tests::{Child, HOUSING, Party, Scene, bsn, item, key, mark};
use tokio::task::JoinSet;

const PERSONS: usize = 3;
/// After how many kills it goes on with others: a party may record so many consents of one person.
const KILLS_OF_PERSONS: usize = 8;

/// How often the broker is killed: 10, or as often as `SCHAKEL_KILLS` says.
fn kills() -> usize {
    std::env::var("SCHAKEL_KILLS").map_or(10, |kills| kills.parse().expect("a number of kills"))
}

/// Asks, gives, takes back and reports until the broker is gone. Whatever is received is kept as evidence.
async fn load(
    child_is_up: Arc<AtomicBool>,
    parties: [Party; 3],
    scene: Scene,
    done: Arc<AtomicUsize>,
) {
    let [pi, municipality, association] = parties;
    while child_is_up.load(Ordering::SeqCst) {
        let now = schakel_server::clock::Clock::now(&schakel_server::clock::SystemClock);
        let question = item(
            mark(&scene.mark),
            HOUSING,
            v1::Condition::Housing,
            v1::Granularity::Signal,
        );
        let status = v1::ConditionStatus::InProgress;
        let report = schakel_tests::report(&scene.case, v1::Condition::Debt, status, now);
        let consent = schakel_tests::consent(bsn(&scene.bsn), now);
        let each = tokio::join!(
            association.try_ask(question),
            pi.try_report(report),
            municipality.try_consent(consent),
        );
        let answers = [each.0.is_ok(), each.1.is_ok(), each.2.is_ok()];
        done.fetch_add(
            answers.iter().filter(|answered| **answered).count(),
            Ordering::SeqCst,
        );
        if municipality
            .try_withdraw(bsn(&scene.bsn), key())
            .await
            .is_ok()
        {
            done.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn parties(child: &Child) -> [Party; 3] {
    ["pi-noord", "gemeente-oost", "wonen-zuid"].map(|id| child.party(id))
}

/// Persons that nobody knew.
async fn others(child: &Child, round: usize) -> Vec<Scene> {
    let [pi, municipality, association] = parties(child);
    let mut scenes = Vec::new();
    for n in 0..PERSONS {
        let n = u32::try_from(round * PERSONS + n).expect("not as many kills");
        scenes.push(Scene::set_with(&pi, &municipality, &association, n).await);
    }
    scenes
}

/// A moment between 20 and 320 milliseconds.
fn moment() -> Duration {
    let mut byte = [0; 2];
    OsRandom.fill(&mut byte);
    Duration::from_millis(20 + u64::from(u16::from_le_bytes(byte)) % 300)
}

/// The last word on each person before the broker was killed: with a consent that was acknowledged and not
/// withdrawn somebody is told, with a withdrawal nobody is.
async fn last_word(child: &Child, scenes: &[Scene]) -> Vec<bool> {
    let [_, _, association] = parties(child);
    let mut told = Vec::new();
    for scene in scenes {
        told.push(association.ask_housing(&scene.mark).await.is_some());
    }
    told
}

/// Nothing that was acknowledged is lost, nothing was received that is not in the log, and what the broker
/// says after a restart is what the log says, also when view and indexes are gone.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_1_killed_at_any_moment() {
    let mut child = Child::start("").await;
    let mut scenes = Vec::new();
    let (mut answered, mut entries) = (0, 0);
    // A busy machine answers less before each kill: then there are more of them.
    let mut rounds = (0..3 * kills()).peekable();
    while let Some(round) = rounds.next_if(|round| *round < kills() || answered <= kills() * 10) {
        if round % KILLS_OF_PERSONS == 0 {
            scenes = others(&child, round).await;
        }
        let (up, done) = (
            Arc::new(AtomicBool::new(true)),
            Arc::new(AtomicUsize::new(0)),
        );
        let mut loads = JoinSet::new();
        for scene in &scenes {
            loads.spawn(load(
                Arc::clone(&up),
                parties(&child),
                scene.clone(),
                Arc::clone(&done),
            ));
        }
        tokio::time::sleep(moment()).await;
        child.kill();
        up.store(false, Ordering::SeqCst);
        loads.join_all().await;
        answered += done.load(Ordering::SeqCst);
        let log = child.check_log();
        assert!(log.leaves.len() >= entries, "the log became shorter");
        entries = log.leaves.len();
        if round % 3 == 2 {
            child.forget_derived();
        }
        child
            .run()
            .await
            .unwrap_or_else(|refused| panic!("round {round}: {refused:?}"));
        if round % 3 == 2 {
            // The view was rebuilt from the log alone; it must say what one that was kept says.
            let rebuilt = last_word(&child, &scenes).await;
            child.kill();
            child.run().await.unwrap();
            assert_eq!(last_word(&child, &scenes).await, rebuilt, "round {round}");
        }
        settle(&child, &scenes).await;
    }
    assert!(
        answered > kills() * 10,
        "there was load: {answered} answers"
    );
    child.kill();
    assert!(
        child.check_log().leaves.len() > answered,
        "an entry an answer, and the starts"
    );
}

/// After a restart the state goes on as the log left it: a consent lets through, a withdrawal stops.
async fn settle(child: &Child, scenes: &[Scene]) {
    let [_, municipality, association] = parties(child);
    let scene = &scenes[0];
    municipality.consent(bsn(&scene.bsn)).await;
    assert!(association.ask_housing(&scene.mark).await.is_some());
    municipality.withdraw(bsn(&scene.bsn)).await;
    assert!(association.ask_housing(&scene.mark).await.is_none());
}
