//! A feed as the transport polls it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Waker,
};

use tokio_stream::StreamExt as _;
use tonic::Code;

use super::*;

/// An inbox in which so many messages wait.
struct Filled {
    waiting: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
    left: Arc<AtomicU64>,
    flows: watch::Receiver<bool>,
    taken: u64,
}

impl Next for Filled {
    async fn next(&mut self) -> Result<Option<v1::Message>, Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.taken == self.waiting.load(Ordering::SeqCst) {
            return Ok(None);
        }
        self.taken += 1;
        let delivery_id = self.taken.to_string();
        Ok(Some(v1::Message {
            delivery_id,
            ..Default::default()
        }))
    }

    async fn flows(&mut self) {
        self.flows.wait_for(|flows| *flows).await.unwrap();
    }

    fn has_left(&mut self) {
        self.left.store(self.taken, Ordering::SeqCst);
    }

    fn cursor(&self) -> Vec<u8> {
        vec![u8::try_from(self.taken).unwrap()]
    }
}

struct Fed {
    waiting: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
    left: Arc<AtomicU64>,
    flow: watch::Sender<bool>,
    change: watch::Sender<u64>,
    stop: watch::Sender<bool>,
    feed: Feed<Filled>,
}

const LONG: Duration = Duration::from_hours(1);

fn start(waiting: u64, heartbeat: Duration) -> Fed {
    let (change, changes) = watch::channel(0);
    let (stop, stopping) = watch::channel(false);
    let (flow, flows) = watch::channel(true);
    let waiting = Arc::new(AtomicU64::new(waiting));
    let (asked, left) = (Arc::default(), Arc::default());
    let messages = Filled {
        waiting: Arc::clone(&waiting),
        asked: Arc::clone(&asked),
        left: Arc::clone(&left),
        flows,
        taken: 0,
    };
    let feed = Feed::new(messages, changes, stopping, heartbeat);
    Fed {
        waiting,
        asked,
        left,
        flow,
        change,
        stop,
        feed,
    }
}

impl Fed {
    /// One poll, and what was told by it.
    fn poll(&mut self) -> Poll<Option<Result<v1::SubscribeResponse, Status>>> {
        let mut context = Context::from_waker(Waker::noop());
        Pin::new(&mut self.feed).poll_next(&mut context)
    }

    async fn event(&mut self) -> Event {
        self.feed.next().await.unwrap().unwrap().event.unwrap()
    }

    async fn message(&mut self) -> String {
        loop {
            match self.event().await {
                Event::Message(message) => return message.delivery_id,
                Event::Heartbeat(_) => {}
            }
        }
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn beat(after: u8) -> Event {
    let cursor = vec![after].into();
    Event::Heartbeat(v1::Heartbeat { cursor })
}

#[tokio::test]
async fn no_message_is_decided_before_a_heartbeat_has_left() {
    let mut fed = start(2, LONG);
    for taken in 0..=2 {
        assert_eq!(fed.asked(), taken, "decided ahead");
        assert_eq!(fed.event().await, beat(u8::try_from(taken).unwrap()));
        assert_eq!(fed.asked(), taken, "decided with the heartbeat");
        if taken < 2 {
            assert!(matches!(fed.event().await, Event::Message(_)));
        }
    }
}

/// What the transport took for a receiver that takes nothing in has not left, and nothing more is decided for it.
#[tokio::test]
async fn nothing_has_left_while_the_receiver_takes_nothing_in() {
    let mut fed = start(2, LONG);
    fed.message().await;
    assert!(matches!(fed.event().await, Event::Heartbeat(_)));
    fed.flow.send_replace(false);
    for _ in 0..3 {
        assert!(fed.poll().is_pending());
    }
    assert_eq!((fed.asked(), fed.left.load(Ordering::SeqCst)), (1, 0));
    fed.flow.send_replace(true);
    assert_eq!(fed.message().await, "2");
    assert_eq!(fed.left.load(Ordering::SeqCst), 1);
    fed.flow.send_replace(false);
    fed.stop.send_replace(true);
    while let Ok(told) = fed.feed.next().await.unwrap() {
        assert!(matches!(told.event, Some(Event::Heartbeat(_))));
    }
}

/// A message has left once something was asked for after the heartbeat that follows it.
#[tokio::test]
async fn a_message_is_on_its_way_until_the_next_heartbeat_has_left() {
    let mut fed = start(1, LONG);
    assert_eq!(fed.message().await, "1");
    assert_eq!(fed.event().await, beat(1));
    assert!(fed.poll().is_pending());
    assert_eq!(fed.left.load(Ordering::SeqCst), 0);
    assert!(fed.poll().is_pending());
    assert_eq!(fed.left.load(Ordering::SeqCst), 1);
}

/// Whoever gathers what is ready, as the encoder does, gets one event at a time.
#[tokio::test]
async fn nothing_is_ready_right_after_anything() {
    let mut fed = start(9, LONG);
    for _ in 0..6 {
        assert!(matches!(fed.poll(), Poll::Ready(Some(Ok(_)))));
        assert!(fed.poll().is_pending());
    }
    assert_eq!(fed.asked(), 3);
}

#[tokio::test]
async fn a_change_of_the_inbox_wakes_the_feed() {
    let mut fed = start(0, LONG);
    assert_eq!(fed.event().await, beat(0));
    assert!(fed.poll().is_pending() && fed.poll().is_pending());
    assert_eq!(fed.asked(), 1);
    fed.waiting.store(1, Ordering::SeqCst);
    fed.change.send_modify(|change| *change += 1);
    assert_eq!(fed.message().await, "1");
}

#[tokio::test]
async fn a_silent_inbox_gives_heartbeats_with_the_cursor() {
    let mut fed = start(2, Duration::from_millis(1));
    assert_eq!(fed.message().await, "1");
    assert_eq!(fed.message().await, "2");
    for _ in 0..3 {
        assert_eq!(fed.event().await, beat(2));
    }
}

#[tokio::test]
async fn the_end_of_the_broker_ends_a_feed_that_waits() {
    let mut fed = start(0, LONG);
    assert_eq!(fed.event().await, beat(0));
    assert!(fed.poll().is_pending() && fed.poll().is_pending());
    fed.stop.send_replace(true);
    let end = fed.feed.next().await.unwrap().unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
    assert!(fed.feed.next().await.is_none());
}
