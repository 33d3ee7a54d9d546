//! Notices: who must be told, and who was.

use schakel_api::v1;
use schakel_core::{id::EntryIndex, notice::Notice, party::Peer};

use super::{
    Fields,
    code::{Coded as _, to_wire},
    receipt::{Misfit, not_disclosed, receipt},
    request::Parsed,
    time::instant,
};
use crate::call::{Answer, Call, Outcome};

/// Reads a request to look at the notices of a write.
pub(crate) fn get(
    message: v1::GetNoticeRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let v1::GetNoticeRequest {
        actor,
        subject,
        entry_index,
    } = message;
    let who = fields.who(actor);
    let subject = fields.subject(subject, peer);
    Some(Parsed {
        who: Some(who?),
        write: None,
        call: Call::Notices {
            subject: subject?,
            entry: EntryIndex(entry_index),
        },
    })
}

/// The answer to a request to look at the notices of a write, by recipient.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn shown(answer: Answer) -> Result<v1::GetNoticeResponse, Misfit> {
    use v1::get_notice_response::Outcome as Told;
    let told = match answer.outcome {
        Outcome::Notices(mut notices) => {
            notices.sort_by(|a, b| a.recipient.cmp(&b.recipient).then(a.id.cmp(&b.id)));
            let outstanding = notices
                .iter()
                .filter(|n| n.acknowledged_at.is_none())
                .count();
            Told::Notices(v1::NoticeStates {
                outstanding: u32::try_from(outstanding).unwrap_or(u32::MAX),
                notices: notices.into_iter().map(state).collect(),
                receipt: Some(receipt(answer.receipt)),
            })
        }
        Outcome::NotDisclosed(reference) => Told::NotDisclosed(not_disclosed(reference)),
        _ => return Err(Misfit),
    };
    Ok(v1::GetNoticeResponse {
        outcome: Some(told),
    })
}

/// How a notice stands, as it is sent. How its recipient names the person is nobody else's to know.
fn state(notice: Notice) -> v1::NoticeState {
    let Notice {
        id,
        kind,
        recipient,
        reference: _,
        conditions,
        issued_by: _,
        issued_at: _,
        deadline,
        delivered_at,
        acknowledged_at,
        entry: _,
        issued_with: _,
    } = notice;
    v1::NoticeState {
        notice_id: id.to_string(),
        kind: kind.to_wire(),
        recipient_party_id: recipient.to_string(),
        conditions: to_wire(&conditions),
        deadline: Some(instant(deadline)),
        delivered_at: delivered_at.map(instant),
        acknowledged_at: acknowledged_at.map(instant),
    }
}
