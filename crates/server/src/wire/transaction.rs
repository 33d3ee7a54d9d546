//! Transaction records (FSC Logging 1.0.0). They are made of leaves of the party's own that came with a
//! receipt, so that they say nothing the party was not handed already.

use std::{collections::BTreeSet, fmt::Write as _};

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_audit::leaf::{EntryType, Leaf};
use schakel_core::{
    event::{Details, Event},
    id::PurposeCode,
    invalid::Invalid,
    party::Peer,
    registry::Registry,
    time::{Period, Timestamp},
};

use super::{Fields, person::Who, processing::oin, time::read_period};

/// The most records of one answer, and how many there are when none are named (FSC Logging).
const MOST: u32 = 1000;
const ORDINARY: u32 = 25;

/// A request for transactions as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Transactions {
    /// Who acts.
    pub(crate) who: Who,
    /// What for.
    pub(crate) purpose: PurposeCode,
    /// When they were made.
    pub(crate) period: Option<Period>,
    /// Whether the oldest come first.
    pub(crate) ascending: bool,
    /// The most to hand over.
    pub(crate) limit: usize,
    /// Where it goes on, as given: still to be opened.
    pub(crate) cursor: Option<Bytes>,
    grant_hash: Option<String>,
    service_name: Option<String>,
    transaction_ids: BTreeSet<String>,
}

/// Reads a request.
pub(crate) fn transactions(
    message: v1::ExportTransactionsRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Transactions> {
    let v1::ExportTransactionsRequest {
        actor,
        purpose,
        period,
        grant_hash,
        service_name,
        transaction_ids,
        sort_order,
        limit,
        cursor,
    } = message;
    let who = fields.who(actor);
    let purpose = fields.text("purpose", &purpose);
    let period = fields.optional_message("period", period, read_period);
    let named = |text: String, fields: &mut Fields| fields.line("", 1..=100, text);
    let grant_hash = fields.within("grant_hash", |fields| optional(grant_hash, fields, named));
    let service_name = fields.within("service_name", |fields| {
        optional(service_name, fields, named)
    });
    let transaction_ids = fields.set("transaction_ids", 0..=100, transaction_ids, named);
    let ascending = order(sort_order, fields);
    let limit = fields.number("limit", 0..=MOST, limit);
    let cursor = fields.cursor("cursor", cursor);
    Some(Transactions {
        who: who?,
        purpose: purpose?,
        period: period?,
        ascending: ascending?,
        limit: usize::try_from(limit.map(|most| if most == 0 { ORDINARY } else { most })?).ok()?,
        cursor: cursor?,
        grant_hash: grant_hash?,
        service_name: service_name?,
        transaction_ids: transaction_ids?,
    })
}

#[expect(
    clippy::option_option,
    reason = "the outer is whether it could be read, the inner whether it was there"
)]
fn optional(
    text: Option<String>,
    fields: &mut Fields,
    read: impl FnOnce(String, &mut Fields) -> Option<String>,
) -> Option<Option<String>> {
    match text {
        Some(text) => read(text, fields).map(Some),
        None => Some(None),
    }
}

fn order(order: i32, fields: &mut Fields) -> Option<bool> {
    match v1::SortOrder::try_from(order) {
        Ok(v1::SortOrder::Ascending) => Some(true),
        Ok(v1::SortOrder::Descending | v1::SortOrder::Unspecified) => Some(false),
        Err(_) => fields.check(
            "sort_order",
            Err(Invalid::new(
                "must be ASCENDING or DESCENDING, or left out for DESCENDING",
            )),
        ),
    }
}

impl Transactions {
    /// Whether the record is one that was asked for.
    pub(crate) fn wants(&self, record: &v1::TransactionRecord) -> bool {
        let is = |wanted: &Option<String>, found: &String| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        is(&self.grant_hash, &record.grant_hash)
            && is(&self.service_name, &record.service_name)
            && (self.transaction_ids.is_empty()
                || self.transaction_ids.contains(&record.transaction_id))
    }
}

/// The record of an entry of a party's own; `None` when the party got no receipt for it.
pub(crate) fn record(
    leaf: &Leaf,
    details: Option<&Details>,
    registry: &Registry,
    broker: &str,
) -> Option<v1::TransactionRecord> {
    let service_name = match details.map(|details| &details.event) {
        // Looks into the trail, which are denied in an entry of the same kind. Once one is erased nobody knows at
        // which service it was, nor whether it was answered with a receipt.
        Some(Event::Denied(_)) | None if leaf.entry_type == EntryType::LookUp => return None,
        Some(Event::LookedUp(looked)) => looked.method.split('/').next().unwrap_or_default(),
        Some(
            Event::ErasureProposed(_)
            | Event::ErasureApproved { .. }
            | Event::ErasureRejected { .. },
        ) => "RetentionService",
        Some(Event::Withheld(_)) => "AuditService",
        _ => service(leaf.entry_type)?,
    };
    let at = Timestamp::from_millis(leaf.at_ms).ok()?;
    let number = |party: &str| oin(registry, party, at).unwrap_or_default();
    let carried = details
        .and_then(|details| details.call.as_ref())
        .and_then(|call| call.transaction.clone());
    let transport = leaf.transport.as_deref().unwrap_or(&leaf.party);
    Some(v1::TransactionRecord {
        transaction_id: carried.unwrap_or_else(|| uuid(leaf.id)),
        direction: v1::Direction::Incoming.into(),
        grant_hash: leaf.rules.map(grant_hash).unwrap_or_default(),
        source: Some(v1::TransactionSource {
            outway_peer_id: number(transport),
            delegator_peer_id: leaf.transport.as_ref().map(|_| number(&leaf.party)),
        }),
        destination: Some(v1::TransactionDestination {
            service_peer_id: number(broker),
        }),
        service_name: service_name.to_owned(),
        created_at: i64::try_from(leaf.at_ms / 1000).unwrap_or(i64::MAX),
    })
}

/// The service whose call made the entry; `None` when it was answered without a receipt, or was no call.
const fn service(kind: EntryType) -> Option<&'static str> {
    match kind {
        EntryType::Disclosure | EntryType::Status | EntryType::Introduction => {
            Some("ExchangeService")
        }
        EntryType::Delivery | EntryType::Acknowledgement | EntryType::Notice => {
            Some("InboxService")
        }
        EntryType::Consent | EntryType::Restriction => Some("ConsentsService"),
        EntryType::Case => Some("CasesService"),
        EntryType::Registry => Some("RegistryService"),
        EntryType::LookUp
        | EntryType::Denial
        | EntryType::Refusals
        | EntryType::Erasure
        | EntryType::Key
        | EntryType::System
        | EntryType::PeerCheckpoint => None,
    }
}

fn grant_hash(rules: [u8; 32]) -> String {
    let mut text = "sha-256:".to_owned();
    for byte in rules {
        // Writing into a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A UUID of version 8 (RFC 9562): the random id of the entry, with the bits that say so.
fn uuid(id: [u8; 16]) -> String {
    let mut number = u128::from_be_bytes(id);
    number = number & !(0xf << 76) | 0x8 << 76;
    number = number & !(0x3 << 62) | 0x2 << 62;
    let hex = format!("{number:032x}");
    let mut text = String::with_capacity(36);
    for (at, digit) in hex.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_without_a_transaction_is_a_uuid_of_version_8() {
        assert_eq!(uuid([0; 16]), "00000000-0000-8000-8000-000000000000");
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-8fff-bfff-ffffffffffff");
    }

    #[test]
    fn a_denial_and_what_the_broker_does_by_itself_are_no_transactions() {
        let none: Vec<_> = EntryType::ALL
            .into_iter()
            .filter(|kind| service(*kind).is_none())
            .collect();
        assert!(none.contains(&EntryType::Denial));
        assert_eq!(none.len(), 7);
    }
}
