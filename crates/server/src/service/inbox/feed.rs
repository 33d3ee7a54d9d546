//! Feeding a subscriber: one message at a time, and only when there is room for it.

use std::{future::Future, time::Duration};

use schakel_api::v1::{self, subscribe_response::Event};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};
use tonic::Status;

/// Where the messages come from.
pub(super) trait Next: Send {
    /// Has the next message decided, recorded and handed over; `None` when none may be read now.
    fn next(&mut self) -> impl Future<Output = Result<Option<v1::Message>, Status>> + Send;

    /// The cursor to resume from after the last message.
    fn cursor(&self) -> Vec<u8>;
}

/// Feeds until the receiver is gone, an error ends it, or the broker stops.
///
/// Room is reserved before the next message is asked for, so that no message is decided earlier than it
/// can leave: what is withdrawn meanwhile is not sent. A message that was asked for is never dropped
/// halfway; it is recorded as handed over by then.
pub(super) async fn feed(
    mut messages: impl Next,
    to: mpsc::Sender<Result<v1::SubscribeResponse, Status>>,
    mut changes: watch::Receiver<u64>,
    mut stopping: watch::Receiver<bool>,
    heartbeat: Duration,
) {
    loop {
        let room = tokio::select! {
            biased;
            _ = stopping.wait_for(|stops| *stops) => return,
            room = to.reserve() => room,
        };
        let Ok(room) = room else { return };
        changes.mark_unchanged();
        let event = match messages.next().await {
            Ok(Some(message)) => Event::Message(message),
            Ok(None) => {
                tokio::select! {
                    biased;
                    _ = stopping.wait_for(|stops| *stops) => return,
                    () = to.closed() => return,
                    still = changes.changed() => match still {
                        Ok(()) => continue,
                        Err(_) => return,
                    },
                    () = sleep(heartbeat) => Event::Heartbeat(v1::Heartbeat {
                        cursor: messages.cursor().into(),
                    }),
                }
            }
            Err(status) => {
                room.send(Err(status));
                return;
            }
        };
        room.send(Ok(v1::SubscribeResponse { event: Some(event) }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;

    /// An inbox in which so many messages wait.
    struct Filled {
        waiting: Arc<AtomicU64>,
        asked: Arc<AtomicU64>,
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

        fn cursor(&self) -> Vec<u8> {
            vec![u8::try_from(self.taken).unwrap()]
        }
    }

    struct Fed {
        waiting: Arc<AtomicU64>,
        asked: Arc<AtomicU64>,
        change: watch::Sender<u64>,
        stop: watch::Sender<bool>,
        from: mpsc::Receiver<Result<v1::SubscribeResponse, Status>>,
    }

    const LONG: Duration = Duration::from_hours(1);

    fn start(waiting: u64, heartbeat: Duration) -> Fed {
        let (to, from) = mpsc::channel(1);
        let (change, changes) = watch::channel(0);
        let (stop, stopping) = watch::channel(false);
        let waiting = Arc::new(AtomicU64::new(waiting));
        let asked = Arc::new(AtomicU64::new(0));
        let messages = Filled {
            waiting: Arc::clone(&waiting),
            asked: Arc::clone(&asked),
            taken: 0,
        };
        tokio::spawn(feed(messages, to, changes, stopping, heartbeat));
        Fed {
            waiting,
            asked,
            change,
            stop,
            from,
        }
    }

    async fn message(fed: &mut Fed) -> String {
        match fed.from.recv().await.unwrap().unwrap().event {
            Some(Event::Message(message)) => message.delivery_id,
            other => panic!("{other:?}"),
        }
    }

    async fn settle() {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn no_message_is_decided_before_there_is_room_for_it() {
        let mut fed = start(9, LONG);
        settle().await;
        assert_eq!(fed.asked.load(Ordering::SeqCst), 1);
        assert_eq!(message(&mut fed).await, "1");
        settle().await;
        assert_eq!(fed.asked.load(Ordering::SeqCst), 2);
        for at in 2..=9 {
            assert_eq!(message(&mut fed).await, at.to_string());
        }
    }

    #[tokio::test]
    async fn a_change_of_the_inbox_wakes_the_feed() {
        let mut fed = start(0, LONG);
        settle().await;
        assert_eq!(fed.asked.load(Ordering::SeqCst), 1);
        fed.waiting.store(1, Ordering::SeqCst);
        fed.change.send_modify(|change| *change += 1);
        assert_eq!(message(&mut fed).await, "1");
    }

    #[tokio::test]
    async fn a_silent_inbox_gives_heartbeats_with_the_cursor() {
        let mut fed = start(2, Duration::from_millis(1));
        message(&mut fed).await;
        message(&mut fed).await;
        for _ in 0..3 {
            let event = fed.from.recv().await.unwrap().unwrap().event;
            let expected = v1::Heartbeat {
                cursor: vec![2].into(),
            };
            assert_eq!(event, Some(Event::Heartbeat(expected)));
        }
    }

    #[tokio::test]
    async fn stopping_ends_the_feed_whether_it_waits_for_messages_or_for_room() {
        for waiting in [0, 9] {
            let mut fed = start(waiting, LONG);
            settle().await;
            fed.stop.send_replace(true);
            settle().await;
            let left = std::iter::from_fn(|| fed.from.try_recv().ok()).count();
            assert_eq!(left, usize::from(waiting > 0));
            assert!(fed.from.is_closed());
        }
    }

    #[tokio::test]
    async fn the_feed_ends_when_the_receiver_is_gone() {
        let fed = start(0, LONG);
        settle().await;
        drop(fed.from);
        settle().await;
        assert_eq!(fed.change.receiver_count(), 0);
    }
}
