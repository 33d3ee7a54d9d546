//! What a party may receive beside what it received.

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_core::{
    id::{PartyId, PurposeCode},
    party::Peer,
    time::Period,
};

use super::{Fields, audit::Filter, person::Who, time::read_period};

/// A question about usage as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) who: Who,
    pub(crate) purpose: PurposeCode,
    pub(crate) period: Period,
    pub(crate) party: Option<PartyId>,
    /// Where it continues, as given: still to be opened.
    pub(crate) page_token: Option<Bytes>,
}

/// Reads a question about usage.
pub(crate) fn asked(message: v1::GetUsageRequest, _: &Peer, fields: &mut Fields) -> Option<Asked> {
    let v1::GetUsageRequest {
        actor,
        purpose,
        period,
        party_id,
        page_token,
    } = message;
    let who = fields.who(actor);
    let purpose = fields.text("purpose", &purpose);
    let period = fields.message("period", period, read_period);
    let party = fields.optional_text("party_id", party_id);
    let page_token = fields.cursor("page_token", page_token);
    Some(Asked {
        who: who?,
        purpose: purpose?,
        period: period?,
        party: party?,
        page_token: page_token?,
    })
}

/// The question in words, for the entry about it.
pub(crate) fn in_words(party: &PartyId, period: Period) -> String {
    let filter = Filter {
        party: Some(party.clone()),
        purpose: None,
        condition: None,
        period: Some(period),
        outcome: None,
    };
    format!("usage, {}", filter.in_words())
}
