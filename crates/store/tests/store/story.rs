//! Made-up happenings: from a few random bytes to an event that fits what happened before.

use std::collections::BTreeSet;

use schakel_core::{
    ask::Ask,
    case::ClosingReason,
    code::{Basis, Condition, Granularity, Moment, Regime, Role, Status},
    consent::{
        Attestations, CollectionMethod, ConsentKind, ConsentState, ConsentTerms, GivenBy,
        NoticeText,
    },
    decide::{Finding, Grant, Reason},
    event::{
        Asked as Wanted, ConsentEnded, Delivered, Denied, Disclosed, Event, LookedUp, Remembered,
        Write,
    },
    id::{
        CaseId, ConsentId, DeliveryId, EntryIndex, IdempotencyKey, NoticeId, PartyId, ProposalId,
        Reference, RestrictionId,
    },
    inbox::{Pending, Topic},
    notice::{Notice, NoticeKind},
    party::{Contact, DatedOin, Party},
    person::{Identifier, SubjectRef},
    purpose::LegalBasis,
    registry::{Change, Proposal},
    restriction::RestrictionKind,
    status::Report,
    time::{Period, Timestamp},
};

use super::recorder::{Asked, Happening, Recorder, by, party, person, reference};

/// The parties of every story.
pub(crate) const PARTIES: [&str; 4] = ["pi-alphen", "utrecht", "housing-utrecht", "uwv"];
/// The people, by their citizen service numbers.
pub(crate) const PEOPLE: [&str; 4] = ["111222333", "123456782", "479580261", "999999990"];

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
        let happenings: Vec<Happening> = batch
            .iter()
            .filter_map(|seed| happening(recorder, *seed))
            .collect();
        if !happenings.is_empty() {
            recorder.record(happenings);
        }
        let hours = batch.first().map_or(0, |seed| u64::from(seed.3 % 12));
        recorder.now = recorder.now.plus_millis(hours * 3_600_000);
    }
}

/// The mark by which a partner knows a person.
pub(crate) fn mark(n: u8) -> String {
    format!("client-ref-of-{n}")
}

pub(crate) fn bsn(n: u8) -> Identifier {
    Identifier::Bsn(PEOPLE[usize::from(n) % PEOPLE.len()].parse().unwrap())
}

pub(crate) fn case(person: u8, n: u8) -> CaseId {
    CaseId::from_bytes([0x80 + person * 16 + n % 2; 16])
}

fn happening(recorder: &Recorder, (kind, who, whom, rest): Seed) -> Option<Happening> {
    let name = PARTIES[usize::from(who) % PARTIES.len()];
    let n = whom % PEOPLE.len() as u8;
    let condition = Condition::ALL[usize::from(rest) % Condition::ALL.len()];
    let about = match kind % 12 {
        0 => opened(n, rest),
        1 => consented(recorder.now, n, condition, rest),
        2 => ended(recorder.now, n, condition, rest),
        3 => reported(n, condition, rest),
        4 => introduced(recorder.now, n, condition, rest),
        5 => restricted(n, condition, rest),
        6 => disclosed(n, condition, rest),
        7 => denied(n, condition),
        8 => return taken_out(recorder, name, rest),
        9 => return Some(by(name, None, registered(recorder.now, name, rest))),
        10 => moved(recorder.now, n, rest),
        _ => looked_up(n),
    };
    let mut happening = by(name, Some(n), about);
    happening.others = PARTIES
        .into_iter()
        .skip(usize::from(rest % 4))
        .map(party)
        .collect();
    // Asks and look-ups are no writes.
    let is_write = !matches!(kind % 12, 6 | 11);
    happening.write = (is_write && rest % 3 == 0).then(|| Write {
        method: if rest % 2 == 0 {
            "Cases/OpenCase"
        } else {
            "Consents/RecordConsent"
        }
        .to_owned(),
        key: IdempotencyKey::from_bytes([rest % 16; 16]),
        digest: [rest; 32],
        answer: Remembered::NotDisclosed(Reference::from_bytes([whom; 16])),
    });
    Some(happening)
}

fn opened(n: u8, rest: u8) -> Event {
    Event::CaseOpened {
        case: case(n, rest),
        identifiers: vec![bsn(n)],
        municipality: (rest % 3 == 1).then(|| party("utrecht")),
    }
}

pub(crate) fn terms(now: Timestamp, condition: Condition, recipient: &str) -> ConsentTerms {
    ConsentTerms {
        kind: ConsentKind::ProcessingBasis,
        explicit: true,
        case: None,
        conditions: [condition].into(),
        purposes: ["P-TEST".parse().unwrap()].into(),
        providers: [party("pi-alphen")].into(),
        recipients: [party(recipient)].into(),
        granularity: Granularity::Status,
        valid_from: now,
        valid_until: now.plus_days(100),
        notice: NoticeText {
            version: "1".into(),
            language: "nl".into(),
            sha256: [2; 32],
        },
        collected_by: party("utrecht"),
        method: CollectionMethod::Oral,
        collected_at: now,
        given_by: GivenBy::Subject,
        interpreter: false,
        attestations: Attestations {
            own_interest: true,
            help_question: true,
            refusal_without_detriment: true,
            alternative_offered: true,
        },
    }
}

fn consented(now: Timestamp, n: u8, condition: Condition, rest: u8) -> Event {
    Event::ConsentRecorded {
        consent: consent(n, rest),
        state: ConsentState::Given,
        terms: terms(now, condition, "housing-utrecht"),
        identifier: (rest % 5 == 0).then(|| bsn(n)),
    }
}

fn consent(n: u8, rest: u8) -> ConsentId {
    ConsentId::from_bytes([n * 16 + rest % 3; 16])
}

fn notice(now: Timestamp, n: u8, condition: Condition, rest: u8) -> Notice {
    Notice {
        id: NoticeId::from_bytes([n * 16 + rest % 16; 16]),
        kind: NoticeKind::Withdrawal,
        recipient: party("housing-utrecht"),
        reference: SubjectRef::Case(case(n, rest)),
        conditions: [condition].into(),
        issued_by: party("utrecht"),
        issued_at: now,
        deadline: now.plus_days(14),
        delivered_at: None,
        acknowledged_at: None,
        entry: EntryIndex(0),
    }
}

fn ended(now: Timestamp, n: u8, condition: Condition, rest: u8) -> Event {
    Event::ConsentEnded(ConsentEnded {
        state: ConsentState::Withdrawn,
        subject: reference(&bsn(n)),
        conditions: BTreeSet::new(),
        recipient: None,
        consents: vec![consent(n, rest)],
        narrowed: vec![consent(n, rest.wrapping_add(1))],
        notices: vec![notice(now, n, condition, rest)],
    })
}

fn reported(n: u8, condition: Condition, rest: u8) -> Event {
    let topic = Topic::Status {
        case: case(n, rest),
        condition,
        purpose: "P-TEST".parse().unwrap(),
    };
    let message = Pending {
        subject: person(n),
        topic,
    };
    Event::StatusReported {
        case: case(n, rest),
        condition,
        report: Report {
            status: Status::ALL[usize::from(rest) % Status::ALL.len()],
            as_of: "2026-11-01".parse().unwrap(),
            expected: None,
            moment: Moment::Release,
            origin: Role::Pi,
            offered_by: None,
        },
        regime: Regime::Avg,
        messages: vec![(party("utrecht"), message.clone()), (party("uwv"), message)],
        notices: Vec::new(),
    }
}

fn introduced(now: Timestamp, n: u8, condition: Condition, rest: u8) -> Event {
    if rest % 2 == 0 {
        return Event::Introduced {
            case: case(n, rest),
            partner: party("housing-utrecht"),
            condition,
            code_sha256: [n; 32],
            until: now.plus_days(30),
        };
    }
    Event::Redeemed {
        code_sha256: [n; 32],
        client_ref: mark(n).parse().unwrap(),
    }
}

fn restricted(n: u8, condition: Condition, rest: u8) -> Event {
    let restriction = RestrictionId::from_bytes([n * 16 + rest % 2; 16]);
    if rest % 4 == 3 {
        return Event::RestrictionLifted { restriction };
    }
    Event::Restricted {
        restriction,
        kind: RestrictionKind::Objection,
        controller: None,
        conditions: [condition].into(),
        notices: Vec::new(),
    }
}

pub(crate) fn disclosed(n: u8, condition: Condition, rest: u8) -> Event {
    let basis = LegalBasis {
        basis: Basis::Consent,
        law_ref: "AVG 6(1)(a)".to_owned(),
    };
    let grant = Grant {
        case: case(n, rest),
        condition,
        provider: party(PARTIES[usize::from(rest) % 2]),
        status: EntryIndex(0),
        route: 0,
        provider_basis: basis.clone(),
        recipient_basis: basis,
        consents: vec![consent(n, rest)],
        granularity: Granularity::Signal,
        criminal_data_ground: None,
        art9_ground: None,
    };
    Event::Disclosed(Disclosed {
        ask: ask(n, condition),
        version: 1,
        grants: vec![grant],
        granularity: Granularity::Signal,
        salt: [3; 32],
    })
}

fn ask(n: u8, condition: Condition) -> Ask {
    Ask {
        subject: reference(&bsn(n)),
        purpose: "P-TEST".parse().unwrap(),
        version: None,
        conditions: [condition].into(),
        granularity: Granularity::Signal,
    }
}

fn denied(n: u8, condition: Condition) -> Event {
    Event::Denied(Denied {
        asked: Wanted::Disclosure(ask(n, condition)),
        findings: vec![Finding::about(Reason::ConsentMissing, condition)],
        reference: Reference::from_bytes([n; 16]),
    })
}

/// The first message of an inbox leaves it, is dropped, or is acknowledged.
fn taken_out(recorder: &Recorder, name: &str, rest: u8) -> Option<Happening> {
    let inbox = recorder.world.inbox(&party(name))?;
    let handed = inbox.handed_after(0).next();
    if let Some((position, handed)) = handed.filter(|_| rest % 2 == 0) {
        let notice = match handed.message.topic {
            Topic::Notice(id) => Some(id),
            Topic::Status { .. } => None,
        };
        let event = Event::Acknowledged {
            delivery: handed.delivery,
            position,
            notice,
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
            },
            findings: vec![Finding::of(Reason::CaseClosed)],
            reference: Reference::from_bytes([rest; 16]),
        })
    } else {
        Event::Delivered(Delivered {
            delivery: DeliveryId::from_bytes([rest; 16]),
            position: inbox.last_position() + 1,
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

pub(crate) fn registered(now: Timestamp, name: &str, rest: u8) -> Event {
    let id = ProposalId::from_bytes([rest % 4; 16]);
    let oin = format!(
        "0000009900000000{:04}",
        name.len() * 100 + usize::from(rest % 8)
    );
    let change = Change::PutParty(Party {
        id: party(name),
        name: format!("Party {rest}"),
        roles: vec![Role::Municipality],
        oins: vec![DatedOin {
            oin: oin.parse().unwrap(),
            period: Period {
                from: now,
                until: None,
            },
        }],
        contact: Contact {
            team: "Team".into(),
            email: "team@example.org".into(),
            telephone: String::new(),
        },
        officer_for: None,
        delegates: Vec::new(),
        suspensions: Vec::new(),
    });
    let (proposed_by, approved_by) = (party("utrecht"), party("uwv"));
    match rest % 4 {
        0 => Event::Proposed(Proposal {
            id,
            change,
            proposed_by,
            certificate: [4; 32],
            proposed_at: now,
        }),
        1 => Event::Rejected { proposal: id },
        2 => Event::Changed {
            proposal: Some(id),
            change,
            proposed_by,
            approved_by,
        },
        _ => Event::Changed {
            proposal: None,
            change,
            proposed_by,
            approved_by,
        },
    }
}

fn moved(now: Timestamp, n: u8, rest: u8) -> Event {
    let case = case(n, rest);
    let party: PartyId = party("uwv");
    match rest % 4 {
        0 => Event::MunicipalityAssigned {
            case,
            municipality: party,
        },
        1 => Event::MemberAdded {
            case,
            party,
            period: Period {
                from: now,
                until: None,
            },
        },
        2 => Event::MemberRemoved { case, party },
        _ => Event::CaseClosed {
            case,
            reason: ClosingReason::Completed,
        },
    }
}

fn looked_up(n: u8) -> Event {
    Event::LookedUp(LookedUp {
        method: "Audit/Search".into(),
        purpose: None,
        subject: Some(reference(&bsn(n))),
        entry: None,
        question: String::new(),
        results: 0,
    })
}
