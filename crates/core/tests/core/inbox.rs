//! An inbox finds what is about one person, and where a delivery stands, without looking at the rest.

use std::collections::BTreeSet;

use proptest::prelude::*;
use schakel_core::{
    id::{DeliveryId, EntryIndex, NoticeId, SubjectId},
    inbox::{Handed, Inbox, InboxRow, Order, Pending, Topic},
};

/// What is done to an inbox, by small numbers so that much of it meets.
#[derive(Clone, Debug)]
enum Step {
    Add {
        order: u64,
        subject: u8,
        notice: u8,
    },
    HandOver {
        order: u64,
        delivery: u8,
        position: u64,
    },
    Suppress {
        order: u64,
    },
    Drop {
        position: u64,
    },
    DropAbout {
        subject: u8,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = prop_oneof![
        4 => (0..40_u64, 0..4_u8, 0..3_u8)
            .prop_map(|(order, subject, notice)| Step::Add { order, subject, notice }),
        3 => (0..40_u64, any::<u8>(), 1..41_u64)
            .prop_map(|(order, delivery, position)| Step::HandOver { order, delivery, position }),
        1 => (0..40_u64).prop_map(|order| Step::Suppress { order }),
        1 => (0..40_u64).prop_map(|position| Step::Drop { position }),
        1 => (0..4_u8).prop_map(|subject| Step::DropAbout { subject }),
    ];
    prop::collection::vec(one, 0..80)
}

fn subject(n: u8) -> SubjectId {
    SubjectId::from_bytes([n; 16])
}

fn message(n: u8, notice: u8) -> Pending {
    Pending {
        subject: subject(n),
        topic: Topic::Notice(NoticeId::from_bytes([notice; 16])),
    }
}

/// Orders, positions and deliveries are given once, as they are by the log.
fn done(steps: Vec<Step>) -> Inbox {
    let mut inbox = Inbox::default();
    let (mut orders, mut positions, mut deliveries) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let first = |seen: &mut BTreeSet<u64>, n| seen.insert(n);
    for step in steps {
        match step {
            Step::Add {
                order,
                subject,
                notice,
            } if first(&mut orders, order) => {
                inbox.add(Order(EntryIndex(order), 0), message(subject, notice));
            }
            Step::HandOver {
                order,
                delivery,
                position,
            } if first(&mut positions, position) && first(&mut deliveries, u64::from(delivery)) => {
                let delivery = DeliveryId::from_bytes([delivery; 16]);
                inbox.hand_over(Order(EntryIndex(order), 0), delivery, position);
            }
            Step::Add { .. } | Step::HandOver { .. } => {}
            Step::Suppress { order } => {
                inbox.suppress(Order(EntryIndex(order), 0));
            }
            Step::Drop { position } => {
                inbox.drop_handed(position);
            }
            Step::DropAbout { subject: n } => {
                inbox.drop_about(subject(n));
            }
        }
    }
    inbox
}

proptest! {
    #[test]
    fn what_an_inbox_finds_is_what_is_in_it(steps in steps()) {
        let mut inbox = done(steps);
        let mut read_back = Inbox::default();
        for (_, row) in inbox.messages() {
            read_back.restore(row);
        }
        prop_assert_eq!(&read_back, &inbox);
        for (position, handed) in inbox.handed_after(0) {
            prop_assert_eq!(inbox.position_of(handed.delivery), Some((position, handed)));
        }
        // One about the same waits already, whoever else is written to.
        let waiting: Vec<Pending> = inbox.waiting().map(|(_, one)| one.clone()).collect();
        for one in &waiting {
            prop_assert!(inbox.add(Order(EntryIndex(1000), 0), one.clone()).is_none());
        }
        for n in 0..4 {
            let about = inbox.messages().filter(|(_, row)| match row {
                InboxRow::Pending(_, one) => one.subject == subject(n),
                InboxRow::Handed(_, handed) => handed.message.subject == subject(n),
                InboxRow::Position(_) => false,
            });
            let about: Vec<_> = about.map(|(key, _)| key).collect();
            prop_assert_eq!(inbox.drop_about(subject(n)), about);
        }
        prop_assert_eq!(inbox, Inbox::default());
    }

    /// A round over an inbox, so many at a time, comes by everything once.
    #[test]
    fn a_round_comes_by_every_message_once(steps in steps(), at_once in 1..7_usize) {
        let inbox = done(steps);
        let (mut last, mut round) = (None, Vec::new());
        loop {
            let found: Vec<_> = inbox.messages_after(last).take(at_once).collect();
            round.extend(found.iter().map(|(key, message)| (*key, (*message).clone())));
            match found.last() {
                Some((key, _)) => last = Some(*key),
                None => break,
            }
        }
        let all = inbox.messages().map(|(key, row)| match row {
            InboxRow::Pending(_, message) | InboxRow::Handed(_, Handed { message, .. }) => (key, message),
            InboxRow::Position(_) => panic!("no message"),
        });
        prop_assert_eq!(round, all.collect::<Vec<_>>());
    }
}
