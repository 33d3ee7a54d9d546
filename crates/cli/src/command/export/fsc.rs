//! `schakel export fsc`: the field names of FSC Logging 1.0.0.

use schakel_api::v1;
use schakel_core::time::Timestamp;
use serde::Serialize;

use crate::{
    exit::{Exit, Failure},
    instant,
    output::{self, Output, View},
    page::Page,
    session::Session,
};

#[derive(Clone, Debug, clap::Args)]
pub(super) struct FscArgs {
    /// What the export is for: a registered purpose about no condition.
    #[arg(long, value_name = "CODE", default_value = "P-ACCOUNTABILITY")]
    purpose: String,
    /// Only transactions from this instant on, or from the start of a day (UTC).
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
    from: Option<Timestamp>,
    /// Only transactions before this instant, or before the start of a day (UTC).
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
    until: Option<Timestamp>,
    /// Only what was done under this version of a purpose.
    #[arg(long, value_name = "HASH")]
    grant_hash: Option<String>,
    /// Only transactions of this service.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only these transactions.
    #[arg(long = "transaction", value_name = "ID")]
    transactions: Vec<String>,
    /// At most this many, the newest [default: all].
    #[arg(long, value_name = "N")]
    max: Option<usize>,
}

/// A record with the names of the standard.
#[derive(Debug, Serialize)]
struct Record {
    transaction_id: String,
    direction: &'static str,
    grant_hash: String,
    source: Source,
    destination: Destination,
    service_name: String,
    created_at: i64,
}

#[derive(Debug, Serialize)]
struct Source {
    #[serde(rename = "type")]
    kind: &'static str,
    outway_peer_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delegator_peer_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct Destination {
    #[serde(rename = "type")]
    kind: &'static str,
    service_peer_id: String,
}

/// The most records of one call.
const MOST: usize = 1000;

pub(super) async fn run(session: &Session, args: FscArgs) -> Result<Exit, Failure> {
    let period = (args.from.is_some() || args.until.is_some()).then(|| v1::Period {
        from: Some(
            args.from
                .map_or_else(prost_types::Timestamp::default, instant::sent),
        ),
        until: args.until.map(instant::sent),
    });
    let mut left = args.max.unwrap_or(usize::MAX);
    let mut request = v1::ExportTransactionsRequest {
        actor: session.actor(),
        purpose: args.purpose,
        period,
        grant_hash: args.grant_hash,
        service_name: args.service,
        transaction_ids: args.transactions,
        sort_order: v1::SortOrder::Descending.into(),
        limit: 0,
        cursor: None,
    };
    while left > 0 {
        request.limit = u32::try_from(left.min(MOST)).unwrap_or(u32::MAX);
        let page = session
            .ask(session.client.export_transactions(request.clone()))
            .await?;
        super::keep(session, page.receipt.as_ref())?;
        left = left.saturating_sub(page.records.len());
        for record in page.records {
            // A line of JSON whatever is asked for: it is for other programs.
            Output::new(true).show_next(&Record::from(record));
        }
        match page.next_cursor {
            Some(cursor) => request.cursor = Some(cursor),
            None => break,
        }
    }
    Ok(Exit::Done)
}

impl From<v1::TransactionRecord> for Record {
    fn from(record: v1::TransactionRecord) -> Self {
        let direction = match record.direction() {
            v1::Direction::Outgoing => "DIRECTION_OUTGOING",
            v1::Direction::Incoming | v1::Direction::Unspecified => "DIRECTION_INCOMING",
        };
        let source = record.source.unwrap_or_default();
        let destination = record.destination.unwrap_or_default();
        Self {
            transaction_id: record.transaction_id,
            direction,
            grant_hash: record.grant_hash,
            source: Source {
                kind: match source.delegator_peer_id {
                    Some(_) => "SOURCE_TYPE_DELEGATED_SOURCE",
                    None => "SOURCE_TYPE_SOURCE",
                },
                outway_peer_id: source.outway_peer_id,
                delegator_peer_id: source.delegator_peer_id,
            },
            destination: Destination {
                kind: "DESTINATION_TYPE_DESTINATION",
                service_peer_id: destination.service_peer_id,
            },
            service_name: record.service_name,
            created_at: record.created_at,
        }
    }
}

impl View for Record {
    /// The same for people.
    fn write(&self, page: &mut Page) {
        page.verbatim(&output::document(self, false).unwrap_or_default());
    }
}
