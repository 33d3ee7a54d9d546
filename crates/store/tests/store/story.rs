//! Made-up stories: from a few random bytes to an event that fits what happened before.

use std::collections::BTreeSet;

use schakel_core::{
    code::Condition,
    decide::{Finding, Reason},
    event::{Asked as Wanted, Delivered, Denied, Event, Remembered, Write},
    id::{DeliveryId, IdempotencyKey, Reference},
    inbox::Topic,
    person::SubjectRef,
};

use super::{
    events::{
        bsn, case, consented, denied, disclosed, ended, introduced, looked_up, mark, moved, opened,
        registered, reported, restricted, skn, upkeep,
    },
    recorder::{Asked, Happening, Recorder, by, party, person, reference},
};

/// The parties of every story.
pub(crate) const PARTIES: [&str; 4] = ["pi-alphen", "utrecht", "housing-utrecht", "uwv"];
/// The people, by their citizen service numbers.
pub(crate) const PEOPLE: [&str; 4] = ["111222333", "123456782", "479580261", "999999990"];

/// The methods by which they write.
pub(crate) const METHODS: [&str; 3] = [
    "Cases/OpenCase",
    "Consents/RecordConsent",
    "Retention/RotateKek",
];

/// A few random bytes: which kind of event, who, about whom, and the rest.
pub(crate) type Seed = (u8, u8, u8, u8);

/// Everybody and everything a story can be about.
pub(crate) fn everything() -> Asked {
    let people: Vec<u8> = (0..).take(PEOPLE.len()).collect();
    let cases = people
        .iter()
        .flat_map(|n| [SubjectRef::Case(case(*n, 0)), SubjectRef::Case(case(*n, 1))]);
    let marks = people
        .iter()
        .map(|n| SubjectRef::ClientRef(mark(*n).parse().unwrap()));
    Asked {
        parties: PARTIES.map(party).to_vec(),
        subjects: people.iter().map(|n| person(*n)).collect(),
        references: people
            .iter()
            .map(|n| reference(&bsn(*n)))
            .chain((0..3).map(|n| reference(&skn(n))))
            .chain(cases)
            .chain(marks)
            .collect(),
        codes: people.iter().map(|n| [*n; 32]).collect(),
        keys: (0..16)
            .map(|n| IdempotencyKey::from_bytes([n; 16]))
            .collect(),
    }
}

/// Turns seeds into batches of happenings and records them.
pub(crate) fn play(recorder: &mut Recorder, batches: &[Vec<Seed>]) {
    for batch in batches {
        let mut happenings: Vec<Happening> = batch
            .iter()
            .filter_map(|seed| happening(recorder, *seed))
            .collect();
        // The id of a case is drawn at random: no two are ever opened under one.
        let mut cases = BTreeSet::new();
        happenings.retain(|happening| match happening.event {
            Event::CaseOpened { case, .. } => {
                let known = recorder
                    .world
                    .subject_of(&SubjectRef::Case(case), &happening.by);
                known.is_none() && cases.insert(case)
            }
            _ => true,
        });
        if !happenings.is_empty() {
            recorder.record(happenings);
        }
        let hours = batch.first().map_or(0, |seed| u64::from(seed.3 % 12));
        recorder.now = recorder.now.plus_millis(hours * 3_600_000);
    }
}

/// A story of every kind of event, a few times over.
pub(crate) fn long_story() -> Vec<Vec<Seed>> {
    let seeds = (0..600_u32).map(|n| {
        let mixed = n.wrapping_add(1).wrapping_mul(0x9e37_79b9);
        let [a, b, c, _] = (mixed ^ mixed >> 15)
            .wrapping_mul(0x85eb_ca6b)
            .to_be_bytes();
        ((n % 13) as u8, a, b, c)
    });
    let seeds: Vec<Seed> = seeds.collect();
    seeds.chunks(3).map(<[Seed]>::to_vec).collect()
}

fn happening(recorder: &Recorder, (kind, who, whom, rest): Seed) -> Option<Happening> {
    let name = PARTIES[usize::from(who) % PARTIES.len()];
    let n = whom % 4;
    let condition = Condition::ALL[usize::from(rest) % Condition::ALL.len()];
    let about = match kind % 13 {
        0 => opened(n, rest),
        1 => consented(recorder.now, n, condition, rest),
        2 => ended(recorder.now, (n, condition, rest), name),
        3 => reported(n, condition, rest),
        4 => introduced(recorder.now, n, condition, rest),
        5 => restricted(n, condition, rest),
        6 => disclosed(n, condition, rest),
        7 => denied(n, condition),
        8 => return taken_out(recorder, name, rest),
        9 => return Some(by(name, None, registered(recorder.now, name, rest))),
        10 => moved(recorder.now, n, rest),
        11 => looked_up(n, rest),
        _ => upkeep(recorder.now, rest),
    };
    let concerned = (kind % 13 != 12).then_some(n);
    let mut happening = by(name, concerned, about);
    happening.others = PARTIES
        .into_iter()
        .skip(usize::from(rest % 4))
        .map(party)
        .collect();
    let told = happening.event.notices().iter();
    happening
        .others
        .extend(told.map(|notice| notice.recipient.clone()));
    // What is asked is no write.
    let is_write = kind % 13 != 6 && rest.is_multiple_of(3);
    happening.write = is_write.then(|| Write {
        method: METHODS[usize::from(rest / 3) % METHODS.len()].to_owned(),
        key: IdempotencyKey::from_bytes([rest % 16; 16]),
        digest: [rest; 32],
        answer: Remembered::NotDisclosed(Reference::from_bytes([whom; 16])),
    });
    Some(happening)
}

/// The broker draws a number for each delivery: no inbox has one twice.
fn delivery(position: u64) -> DeliveryId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&position.to_be_bytes());
    DeliveryId::from_bytes(bytes)
}

/// The first message of an inbox leaves it, is dropped, or is acknowledged.
pub(crate) fn taken_out(recorder: &Recorder, name: &str, rest: u8) -> Option<Happening> {
    let inbox = recorder.world.inbox(&party(name))?;
    let handed = inbox.handed_after(0).next();
    if let Some((position, handed)) = handed.filter(|_| rest.is_multiple_of(2)) {
        let (notice, about) = match handed.message.topic {
            Topic::Notice(id) => (Some(id), None),
            Topic::Status {
                case, condition, ..
            } => (None, Some((case, condition))),
        };
        let event = Event::Acknowledged {
            delivery: handed.delivery,
            position,
            notice,
            about,
        };
        return Some(Happening {
            subject: Some(handed.message.subject),
            ..by(name, None, event)
        });
    }
    let (order, message) = inbox.waiting().next()?;
    let subject = Some(message.subject);
    let message = message.clone();
    let event = if rest % 5 == 1 {
        Event::Denied(Denied {
            asked: Wanted::Message {
                order: Some(order),
                position: None,
                message,
                receiver: None,
            },
            findings: vec![Finding::of(Reason::CaseClosed)],
            reference: Reference::from_bytes([rest; 16]),
        })
    } else {
        let position = inbox.last_position() + 1;
        Event::Delivered(Delivered {
            delivery: delivery(position),
            position,
            order: Some(order),
            message,
            disclosed: None,
        })
    };
    Some(Happening {
        subject,
        ..by(name, None, event)
    })
}
