//! The events of made-up stories.

use std::collections::BTreeSet;

use schakel_core::{
    ask::Ask,
    case::ClosingReason,
    certificate::{Seen, StopReason, Thumbprint},
    code::{Basis, Condition, Granularity, Moment, Regime, Role, Status},
    consent::{
        Attestations, CollectionMethod, ConsentKind, ConsentState, ConsentTerms, GivenBy,
        NoticeText,
    },
    decide::{Finding, Grant, Reason},
    event::{Asked as Wanted, ConsentEnded, Denied, Disclosed, Event, LookedUp, TrailVerified},
    id::{CaseId, ConsentId, EntryIndex, NoticeId, PartyId, ProposalId, Reference, RestrictionId},
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

use super::{
    recorder::{party, person, reference},
    story::{PARTIES, PEOPLE},
};

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

/// One of a few numbers of criminal justice, which parties say are of this person or that.
pub(crate) fn skn(n: u8) -> Identifier {
    Identifier::Skn(format!("SKN{}", n % 3).parse().unwrap())
}

pub(crate) fn opened(n: u8, rest: u8) -> Event {
    Event::CaseOpened {
        case: case(n, rest),
        identifiers: vec![bsn(n)],
        besides: (!rest.is_multiple_of(4))
            .then(|| skn(rest / 4))
            .into_iter()
            .collect(),
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

pub(crate) fn consented(now: Timestamp, n: u8, condition: Condition, rest: u8) -> Event {
    Event::ConsentRecorded {
        consent: consent(n, rest),
        state: ConsentState::Given,
        terms: terms(now, condition, "housing-utrecht"),
        identifier: rest.is_multiple_of(5).then(|| bsn(n)),
    }
}

pub(crate) fn consent(n: u8, rest: u8) -> ConsentId {
    ConsentId::from_bytes([n * 16 + rest % 3; 16])
}

pub(crate) fn notice(
    now: Timestamp,
    (n, condition, rest): (u8, Condition, u8),
    issuer: &str,
) -> Notice {
    Notice {
        id: NoticeId::from_bytes([n * 16 + rest % 16; 16]),
        kind: NoticeKind::Withdrawal,
        recipient: party("housing-utrecht"),
        reference: SubjectRef::Case(case(n, rest)),
        conditions: [condition].into(),
        issued_by: party(issuer),
        issued_at: now,
        deadline: now.plus_days(14),
        delivered_at: None,
        acknowledged_at: None,
        entry: EntryIndex(0),
        issued_with: None,
    }
}

pub(crate) fn ended(now: Timestamp, (n, condition, rest): (u8, Condition, u8), by: &str) -> Event {
    Event::ConsentEnded(ConsentEnded {
        state: ConsentState::Withdrawn,
        subject: reference(&bsn(n)),
        conditions: BTreeSet::new(),
        recipient: None,
        consents: vec![consent(n, rest)],
        narrowed: vec![consent(n, rest.wrapping_add(1))],
        notices: vec![notice(now, (n, condition, rest), by)],
    })
}

pub(crate) fn reported(n: u8, condition: Condition, rest: u8) -> Event {
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

pub(crate) fn introduced(now: Timestamp, n: u8, condition: Condition, rest: u8) -> Event {
    if rest.is_multiple_of(2) {
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

pub(crate) fn restricted(n: u8, condition: Condition, rest: u8) -> Event {
    let restriction = RestrictionId::from_bytes([n * 16 + rest % 2; 16]);
    if rest % 4 == 3 {
        return Event::RestrictionLifted {
            restriction,
            controller: None,
        };
    }
    Event::Restricted {
        restriction,
        kind: RestrictionKind::Objection,
        controller: None,
        conditions: [condition].into(),
        between_others: false,
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

pub(crate) fn ask(n: u8, condition: Condition) -> Ask {
    Ask {
        subject: reference(&bsn(n)),
        purpose: "P-TEST".parse().unwrap(),
        version: None,
        conditions: [condition].into(),
        granularity: Granularity::Signal,
    }
}

pub(crate) fn denied(n: u8, condition: Condition) -> Event {
    Event::Denied(Denied {
        asked: Wanted::Disclosure(ask(n, condition)),
        findings: vec![Finding::about(Reason::ConsentMissing, condition)],
        reference: Reference::from_bytes([n; 16]),
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
            anchor: None,
        }],
        contact: Contact {
            team: "Team".into(),
            email: "team@example.org".into(),
            telephone: String::new(),
        },
        officer_for: None,
        delegates: Vec::new(),
        suspensions: Vec::new(),
        succession: None,
        units: Vec::new(),
    });
    let (proposed_by, approved_by) = (party("utrecht"), party("uwv"));
    match rest % 6 {
        0 => Event::Proposed(Proposal {
            id,
            change,
            transport: Some(proposed_by.clone()),
            proposed_by,
            certificate: [4; 32],
            proposed_at: now,
        }),
        4 | 5 => certified(now, proposed_by, &oin, rest),
        1 => Event::Rejected { proposal: id },
        2 => Event::Changed {
            proposal: Some(id),
            change,
            proposed_by,
            approved_by,
            reason: None,
        },
        _ => Event::Changed {
            proposal: None,
            change,
            proposed_by,
            approved_by,
            reason: None,
        },
    }
}

/// A certificate is blocked, or was used.
fn certified(now: Timestamp, by: PartyId, oin: &str, rest: u8) -> Event {
    let certificate = Thumbprint([rest; 32]);
    if rest % 6 == 4 {
        return Event::Changed {
            proposal: None,
            change: Change::BlockCertificate(certificate, StopReason::KeyCompromise),
            proposed_by: by.clone(),
            approved_by: by,
            reason: Some(StopReason::KeyCompromise),
        };
    }
    Event::CertificatesUsed {
        used: vec![Seen {
            certificate,
            party: by,
            oin: oin.parse().unwrap(),
            anchor: "own".parse().unwrap(),
            not_after: now.plus_days(90),
            first_used_at: now,
            last_used_at: now,
        }],
    }
}

pub(crate) fn moved(now: Timestamp, n: u8, rest: u8) -> Event {
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
        2 => Event::MemberRemoved {
            case,
            party,
            codes_ended: rest.is_multiple_of(8),
        },
        _ => Event::CaseClosed {
            case,
            reason: if rest.is_multiple_of(3) {
                ClosingReason::Completed
            } else {
                ClosingReason::OpenedInError
            },
        },
    }
}

/// Somebody looks; now and then it is the erasure of somebody that was stopped by a duty to keep.
pub(crate) fn looked_up(n: u8, rest: u8) -> Event {
    let method = if rest.is_multiple_of(2) {
        "Audit/Search"
    } else {
        "Retention/ApproveErasure"
    };
    Event::LookedUp(LookedUp {
        method: method.into(),
        purpose: None,
        subject: Some(reference(&bsn(n))),
        entry: None,
        question: String::new(),
        results: 0,
    })
}

/// What concerns the broker alone, and is asked for by a party.
pub(crate) fn upkeep(now: Timestamp, rest: u8) -> Event {
    match rest % 3 {
        0 => Event::KekRotated,
        1 => Event::ClockAcknowledged { clock: now },
        _ => Event::TrailVerified(TrailVerified {
            size: 1,
            root: [5; 32],
            sound: true,
        }),
    }
}
