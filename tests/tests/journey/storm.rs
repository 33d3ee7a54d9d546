//! Invariant 4 under load: asks and withdrawals of the same consents, all at once, and every history checked.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use schakel_api::v1;
use schakel_tests::{HOUSING, Party, Scene, TestBroker, bsn, item, key, mark};
use tokio::task::JoinSet;

const PERSONS: u32 = 4;
const ASKERS: usize = 4;
const ROUNDS: usize = 12;

/// The order of events as everybody in this process saw it.
#[derive(Debug, Default)]
struct Order(AtomicU64);

impl Order {
    fn tick(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// A question about a person: between which ticks, and where its disclosure stands in the log.
#[derive(Debug)]
struct Asked {
    started: u64,
    ended: u64,
    disclosed: Option<u64>,
}

/// One life of a consent: the entries and ticks of its recording and of its withdrawal.
#[derive(Debug)]
struct Life {
    sent: u64,
    recorded: u64,
    withdrawn: u64,
    told: u64,
}

async fn ask_until(
    done: Arc<AtomicBool>,
    party: Party,
    client_ref: String,
    order: Arc<Order>,
) -> Vec<Asked> {
    let mut history = Vec::new();
    while !done.load(Ordering::SeqCst) {
        let started = order.tick();
        let question = item(
            mark(&client_ref),
            HOUSING,
            v1::Condition::Housing,
            v1::Granularity::Signal,
        );
        let answer = party.try_ask(question).await.expect("an answer");
        history.push(Asked {
            started,
            ended: order.tick(),
            disclosed: answer.map(|(_, index)| index),
        });
    }
    history
}

/// Gives and takes back a consent over and over; two parties withdraw at the same time.
async fn give_and_take(
    municipality: Party,
    care: Party,
    person: String,
    order: Arc<Order>,
    now: schakel_core::time::Timestamp,
) -> Vec<Life> {
    let mut lives = Vec::new();
    for round in 0..ROUNDS {
        let sent = order.tick();
        let before = municipality.checkpoint().await;
        let recorded = municipality
            .try_consent(schakel_tests::consent(bsn(&person), now))
            .await;
        recorded.expect("an answer").expect("a consent");
        let recorded = size(&before);
        // Long enough for some to be told: the rounds differ.
        for _ in 0..round {
            municipality.checkpoint().await;
        }
        let (one, other) = tokio::join!(
            municipality.try_withdraw(bsn(&person), key()),
            care.try_withdraw(bsn(&person), key())
        );
        let withdrawn = one
            .expect("a withdrawal")
            .index
            .min(other.expect("a withdrawal").index);
        lives.push(Life {
            sent,
            recorded,
            withdrawn,
            told: order.tick(),
        });
    }
    lives
}

/// The size in a checkpoint: nothing recorded later stands before it.
fn size(checkpoint: &str) -> u64 {
    checkpoint
        .lines()
        .nth(1)
        .expect("a size")
        .parse()
        .expect("a number")
}

/// No ask that starts after a withdrawal was answered succeeds, and no disclosure follows the entry of the
/// withdrawal, until there is a new consent.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_nothing_follows_a_withdrawal() {
    let broker = TestBroker::start().await;
    let (order, done) = (Arc::new(Order::default()), Arc::new(AtomicBool::new(false)));
    let (mut takers, mut askers) = (JoinSet::new(), JoinSet::new());
    for n in 0..PERSONS {
        let scene = Scene::set(&broker, n).await;
        for _ in 0..ASKERS {
            let party = broker.party("wonen-zuid").await;
            let ask = ask_until(
                Arc::clone(&done),
                party,
                scene.mark.clone(),
                Arc::clone(&order),
            );
            askers.spawn(async move { (n, ask.await) });
        }
        let (municipality, care) = (
            broker.party("gemeente-oost").await,
            broker.party("zorg-midden").await,
        );
        let take = give_and_take(
            municipality,
            care,
            scene.bsn,
            Arc::clone(&order),
            broker.now(),
        );
        takers.spawn(async move { (n, take.await) });
    }
    let lives = takers.join_all().await;
    done.store(true, Ordering::SeqCst);
    let asked = askers.join_all().await;
    let (mut told, mut denied) = (0, 0);
    for (person, history) in &asked {
        let (_, lives) = lives.iter().find(|(n, _)| n == person).expect("a person");
        for one in history {
            check(one, lives);
            if one.disclosed.is_some() {
                told += 1
            } else {
                denied += 1
            }
        }
    }
    assert!(
        told > 20 && denied > 20,
        "both happened: {told} told, {denied} denied"
    );
    broker.check_log().await;
}

fn check(asked: &Asked, lives: &[Life]) {
    let Some(index) = asked.disclosed else { return };
    let within = lives
        .iter()
        .any(|life| life.recorded <= index && index < life.withdrawn);
    assert!(
        within,
        "{asked:?} stands in the log where no consent stood: {lives:?}"
    );
    for (at, life) in lives.iter().enumerate() {
        let next = lives.get(at + 1).map_or(u64::MAX, |next| next.sent);
        let between = asked.started > life.told && asked.ended < next;
        assert!(!between, "{asked:?} succeeded after {life:?}");
    }
}
