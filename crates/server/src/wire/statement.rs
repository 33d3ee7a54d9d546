//! What the person is told, what was known at an instant, and decisions to withhold.

use schakel_api::v1;
use schakel_core::{
    event::Withheld,
    id::{EntryIndex, PurposeCode},
    party::Peer,
    person::SubjectRef,
    time::{Period, Timestamp},
};

use super::{
    Fields,
    person::Who,
    request::{Parsed, body},
    time::read_period,
};
use crate::call::Call;

/// A question about a person as it was read.
#[derive(Clone, Debug)]
pub(crate) struct About<T> {
    pub(crate) who: Who,
    pub(crate) purpose: PurposeCode,
    pub(crate) subject: SubjectRef,
    /// What it is narrowed to.
    pub(crate) when: T,
}

/// Reads a question as of an instant.
pub(crate) fn as_of(
    message: v1::GetAsOfRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<About<Timestamp>> {
    let v1::GetAsOfRequest {
        actor,
        purpose,
        subject,
        at,
    } = message;
    let who = fields.who(actor);
    let purpose = fields.text("purpose", &purpose);
    let subject = fields.subject(subject, peer);
    let at = fields.instant("at", at);
    Some(About {
        who: who?,
        purpose: purpose?,
        subject: subject?,
        when: at?,
    })
}

/// Reads a request for a statement.
pub(crate) fn statement(
    message: v1::GetStatementRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<About<Option<Period>>> {
    let v1::GetStatementRequest {
        actor,
        purpose,
        subject,
        period,
    } = message;
    let who = fields.who(actor);
    let purpose = fields.text("purpose", &purpose);
    let subject = fields.subject(subject, peer);
    let period = fields.optional_message("period", period, read_period);
    Some(About {
        who: who?,
        purpose: purpose?,
        subject: subject?,
        when: period?,
    })
}

/// Reads a decision to withhold.
pub(crate) fn withholding(
    message: v1::RecordWithholdingRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::RecordWithholdingRequest {
        idempotency_key,
        actor,
        subject,
        ground,
        entry_indexes,
        until,
        counted,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let subject = fields.subject(subject, peer);
    let ground = fields.text("ground", &ground);
    let entries = fields.set("entry_indexes", 1..=100, entry_indexes, |index, _| {
        Some(EntryIndex(index))
    });
    let until = fields.instant("until", until);
    let withheld = Withheld {
        ground: ground?,
        entries: entries?,
        until: until?,
        counted,
    };
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::Withhold {
            subject: subject?,
            withheld,
        },
    })
}
