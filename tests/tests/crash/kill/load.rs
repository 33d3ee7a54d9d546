//! Parties that write, ask, pull and listen until the broker is gone. Whatever they receive is kept as evidence.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use schakel_api::v1::{self, subscribe_response::Event};
use schakel_server::clock::{Clock as _, SystemClock};
use schakel_tests::{Child, HOUSING, Party, Scene, actor, bsn, item, key, mark, report};
use tokio::task::JoinSet;
use tonic::Status;

use super::parties;

/// Calls and streams that go on until the broker is gone.
pub(super) struct Load {
    seen: Arc<Seen>,
    tasks: JoinSet<()>,
}

/// What was received.
#[derive(Default)]
struct Seen {
    gone: AtomicBool,
    answers: AtomicUsize,
    messages: AtomicUsize,
}

impl Load {
    /// Begins: calls about each person, a stream and a pull.
    pub(super) fn begin(child: &Child, scenes: &[Scene]) -> Self {
        let seen = Arc::new(Seen::default());
        let mut tasks = JoinSet::new();
        for scene in scenes.iter().cloned() {
            tasks.spawn(calls(Arc::clone(&seen), parties(child), scene));
        }
        let [_, municipality, association] = parties(child);
        tasks.spawn(listens(Arc::clone(&seen), municipality));
        tasks.spawn(pulls(Arc::clone(&seen), association));
        Self { seen, tasks }
    }

    /// Ends, now that the broker is gone: how many answers and messages were received.
    pub(super) async fn end(self) -> (usize, usize) {
        self.seen.gone.store(true, Ordering::SeqCst);
        self.tasks.join_all().await;
        let count = |counted: &AtomicUsize| counted.load(Ordering::SeqCst);
        (count(&self.seen.answers), count(&self.seen.messages))
    }
}

impl Seen {
    fn go_on(&self) -> bool {
        !self.gone.load(Ordering::SeqCst)
    }

    fn answered(&self, answered: impl IntoIterator<Item = bool>) {
        let answered = answered.into_iter().filter(|answered| *answered).count();
        self.answers.fetch_add(answered, Ordering::SeqCst);
    }

    fn handed(&self, messages: usize) {
        self.messages.fetch_add(messages, Ordering::SeqCst);
    }
}

/// Asks, gives, reports and takes back.
async fn calls(seen: Arc<Seen>, [pi, municipality, association]: [Party; 3], scene: Scene) {
    let statuses = [
        v1::ConditionStatus::InProgress,
        v1::ConditionStatus::ActionNeeded,
    ];
    for status in statuses.into_iter().cycle() {
        if !seen.go_on() {
            return;
        }
        let now = SystemClock.now();
        let question = item(
            mark(&scene.mark),
            HOUSING,
            v1::Condition::Housing,
            v1::Granularity::Signal,
        );
        let report = report(&scene.case, v1::Condition::Debt, status, now);
        let consent = schakel_tests::consent(bsn(&scene.bsn), now);
        let (asked, reported, consented) = tokio::join!(
            association.try_ask(question),
            pi.try_report(report),
            municipality.try_consent(consent),
        );
        seen.answered([asked.is_ok(), reported.is_ok(), consented.is_ok()]);
        let withdrawn = municipality.try_withdraw(bsn(&scene.bsn), key()).await;
        seen.answered([withdrawn.is_ok()]);
    }
}

/// Listens to its inbox: the stream ends with the broker.
async fn listens(seen: Arc<Seen>, party: Party) {
    let request = v1::SubscribeRequest {
        actor: actor(),
        cursor: None,
    };
    let Ok(stream) = party.inbox().subscribe(request).await else {
        return;
    };
    let mut stream = stream.into_inner();
    while let Ok(Some(event)) = stream.message().await {
        if let Some(Event::Message(message)) = event.event {
            party.keep_message(&message);
            seen.handed(1);
        }
    }
}

/// Pulls what waits, and acknowledges it.
async fn pulls(seen: Arc<Seen>, party: Party) {
    while seen.go_on() {
        // Whatever it is refused, the broker may be about to go: until then it goes on.
        let pulled = pull_and_acknowledge(&party).await;
        seen.handed(pulled.unwrap_or_default());
    }
}

async fn pull_and_acknowledge(party: &Party) -> Result<usize, Status> {
    let request = v1::PullRequest {
        actor: actor(),
        cursor: None,
        max_messages: 10,
    };
    let messages = party.inbox().pull(request).await?.into_inner().messages;
    messages
        .iter()
        .for_each(|message| party.keep_message(message));
    let request = v1::AcknowledgeRequest {
        idempotency_key: key(),
        actor: actor(),
        delivery_ids: messages.iter().map(|one| one.delivery_id.clone()).collect(),
    };
    if !messages.is_empty() {
        let acknowledged = party.inbox().acknowledge(request).await?.into_inner();
        for receipt in acknowledged.receipts {
            party.keep(Some(receipt));
        }
    }
    Ok(messages.len())
}
