//! `kill -9` at random moments under load.

mod account;
mod ledger;
mod load;

use std::{thread, time::Duration};

use schakel_core::random::Random as _;
use schakel_server::clock::{Clock as _, SystemClock};
use schakel_store::random::OsRandom;
use schakel_tests::{Child, Party, Scene, bsn};

use self::{account::Account, ledger::Ledger, load::Load};

const PERSONS: usize = 3;
/// After how many kills another broker begins with an empty log. Each round reads the whole log, so with one log the
/// rounds would take longer and longer; and a party may record only so many consents of one person.
const KILLS_OF_A_BROKER: usize = 8;
/// Word of what waits soon, so that messages are under way when the broker is killed.
const INBOX: &str = "[inbox]\nheartbeat = \"1s\"\npublication_tick = \"10ms\"\n";

/// How often the broker is killed under load: 10 times, or as often as `SCHAKEL_KILLS` says.
fn kills() -> usize {
    std::env::var("SCHAKEL_KILLS").map_or(10, |kills| kills.parse().expect("a number of kills"))
}

/// Names the round in which something does not hold.
struct Round(usize);

impl Drop for Round {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("It was in round {}, counted from 0.", self.0);
        }
    }
}

fn parties(child: &Child) -> [Party; 3] {
    ["pi-noord", "gemeente-oost", "wonen-zuid"].map(|id| child.party(id))
}

/// Persons that nobody knew.
async fn persons(child: &Child) -> Vec<Scene> {
    let [pi, municipality, association] = parties(child);
    let mut scenes = Vec::new();
    for n in (0..).take(PERSONS) {
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

/// A broker, the people it knows, and what its log said so far.
struct Place {
    child: Child,
    scenes: Vec<Scene>,
    ledger: Ledger,
}

impl Place {
    async fn new() -> Self {
        let child = Child::start(INBOX).await;
        let scenes = persons(&child).await;
        Self {
            child,
            scenes,
            ledger: Ledger::default(),
        }
    }

    /// Kills the broker under load, and holds what it says afterwards against the log: first with the view that lived
    /// through it, then with view and indexes made again. How many answers and messages were received before the kill.
    async fn round(&mut self) -> (usize, usize) {
        let load = Load::begin(&self.child, &self.scenes);
        tokio::time::sleep(moment()).await;
        self.child.kill();
        let received = load.end().await;
        self.ledger.read(&self.child);
        let killed_at = SystemClock.now();
        self.child.run().await.expect("it starts after a kill");
        let kept = Account::of(&self.child, &self.scenes, killed_at).await;
        self.ledger.hold_against(&kept, &self.scenes);
        self.child.kill();
        self.child.forget_derived();
        self.child
            .run()
            .await
            .expect("it starts from the log alone");
        let rebuilt = Account::of(&self.child, &self.scenes, killed_at).await;
        assert_eq!(kept, rebuilt, "what was kept and what was made again");
        self.go_on().await;
        received
    }

    /// The broker does what it did: a consent lets through, a withdrawal stops, what was acknowledged is gone.
    async fn go_on(&self) {
        let [_, municipality, association] = parties(&self.child);
        let scene = &self.scenes[0];
        municipality.consent(bsn(&scene.bsn)).await;
        assert!(association.ask_housing(&scene.mark).await.is_some());
        municipality.withdraw(bsn(&scene.bsn)).await;
        assert!(association.ask_housing(&scene.mark).await.is_none());
        for party in [municipality, association] {
            let waiting = party.pull(None, 100).await.messages;
            let deliveries = waiting.into_iter().map(|message| message.delivery_id);
            party.acknowledge(deliveries.collect()).await;
        }
    }
}

/// Nothing that was acknowledged is lost, nothing was received that is not in the log, and what the broker says after
/// a restart is what the log says: with the view that lived through the kill, and with one made again.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_1_killed_at_any_moment() {
    let wanted = kills();
    let (mut answers, mut messages) = (0, 0);
    let mut place = Place::new().await;
    // A busy machine answers less before each kill: then there are more of them.
    let mut rounds = (0..3 * wanted).peekable();
    while let Some(round) =
        rounds.next_if(|round| *round < wanted || answers <= wanted * 10 || messages < wanted)
    {
        let _named = Round(round);
        if round > 0 && round % KILLS_OF_A_BROKER == 0 {
            place = Place::new().await;
        }
        let (answered, handed) = place.round().await;
        answers += answered;
        messages += handed;
    }
    assert!(
        answers > wanted * 10 && messages >= wanted,
        "there was load: {answers} answers, {messages} messages"
    );
    place.child.kill();
    place.ledger.read(&place.child);
}
