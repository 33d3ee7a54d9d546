//! Transactions of a party, as FSC has them.

use std::sync::Arc;

use schakel_api::v1;
use schakel_core::{
    code::Role,
    id::{EntryIndex, PartyId},
    registry::Registry,
};
use schakel_store::index::Query;
use tonic::{Request, Status};

use super::{
    Export,
    run::{Asked, Start},
};
use crate::{
    sequencer::CursorKind,
    service::opened,
    trail::{Trail, TrailError},
    wire::{
        request::read,
        transaction::{self, Transactions},
    },
};

/// How many entries one call looks at, at most: a filter that nothing fits must not hold the broker.
const MOST_LOOKED_AT: usize = 10_000;

/// Entries in the order asked for, and where they go on.
type Page = (Vec<EntryIndex>, Option<u64>);

impl Export {
    pub(super) async fn transactions(
        &self,
        request: Request<v1::ExportTransactionsRequest>,
    ) -> Result<v1::ExportTransactionsResponse, Status> {
        let (caller, message) = opened(request)?;
        let wanted = read(message, &caller.peer, transaction::transactions)?;
        let start = if wanted.ascending {
            Start::At(0)
        } else {
            Start::Newest
        };
        let asked = Asked {
            who: &wanted.who,
            purpose: &wanted.purpose,
            cursor: wanted.cursor.as_ref(),
            from: start,
            approval: None,
        };
        let run = self
            .run(&caller, CursorKind::Transactions, None, asked)
            .await?;
        let party = &caller.peer.principal;
        let (records, next) = self.found(party, &wanted, run.from).await?;
        let who = (wanted.who, wanted.purpose);
        let receipt = self.record(&caller, who, &run, records.len()).await?;
        Ok(v1::ExportTransactionsResponse {
            records,
            next_cursor: next.map(|next| self.cursor(&caller, &run, next)),
            receipt,
        })
    }

    async fn found(
        &self,
        party: &PartyId,
        wanted: &Transactions,
        from: u64,
    ) -> Result<(Vec<v1::TransactionRecord>, Option<u64>), Status> {
        let registry = self.sequencer.registry();
        let (mut records, mut looked_at, mut from) = (Vec::new(), 0, from);
        loop {
            let (indexes, next) = self.page(party, wanted, from).await?;
            looked_at += indexes.len();
            let trail = self.sequencer.trail();
            let shared = Arc::clone(&registry);
            let made = trail
                .beside(move |trail| made(trail, &indexes, &shared))
                .await?;
            for (index, record) in made {
                if !wanted.wants(&record) {
                    continue;
                }
                records.push(record);
                if records.len() == wanted.limit {
                    // Whether anything follows is seen by who goes on.
                    let after = if wanted.ascending { index + 1 } else { index };
                    return Ok((records, Some(after)));
                }
            }
            match next {
                Some(next) if looked_at < MOST_LOOKED_AT => from = next,
                next => return Ok((records, next)),
            }
        }
    }

    /// The next entries of what the party did, and where the page after them begins.
    async fn page(
        &self,
        party: &PartyId,
        wanted: &Transactions,
        from: u64,
    ) -> Result<Page, Status> {
        let trail = self.sequencer.trail();
        let mut query = Query {
            party: Some(party.clone()),
            period: wanted.period,
            ..Query::of(party.clone())
        };
        if wanted.ascending {
            let found = trail
                .ahead(query, EntryIndex(from), self.waits.catch_up)
                .await?;
            return Ok((found.entries, found.more.then_some(found.end.0)));
        }
        query.before = Some(EntryIndex(from));
        let found = trail.search(query, self.waits.catch_up).await?;
        Ok((found.entries, found.next.map(|next| next.0)))
    }
}

fn made(
    trail: &Trail,
    indexes: &[EntryIndex],
    registry: &Registry,
) -> Result<Vec<(u64, v1::TransactionRecord)>, TrailError> {
    let broker = registry
        .parties()
        .find(|party| party.has_role(Role::Broker))
        .map_or_else(String::new, |party| party.id.to_string());
    let mut records = Vec::new();
    for index in indexes {
        let entry = trail.entry(index.0)?.ok_or(TrailError::Unreadable)?;
        // What was erased for the party says no more than its leaf, whoever else can still read it.
        let readable = !entry.actor_is_erased();
        let details = entry.details.as_ref().filter(|_| readable);
        let record = transaction::record(&entry.leaf, details, registry, &broker);
        records.extend(record.map(|record| (index.0, record)));
    }
    Ok(records)
}
