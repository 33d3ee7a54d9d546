//! Entries with their proofs.

use std::{collections::BTreeSet, sync::Arc};

use schakel_api::v1;
use schakel_audit::leaf::EntryType;
use schakel_core::{
    code::Role,
    id::{EntryIndex, PartyId},
    time::Timestamp,
};
use schakel_store::index::Query;
use tonic::{Request, Status};

use super::{
    Export, MOST_BYTES,
    run::{Asked, Start},
};
use crate::{
    edge::identify::Caller,
    officer::meant::one_a_person,
    sequencer::CursorKind,
    service::{
        audit::{look::record_each, viewer},
        opened,
    },
    trail::{Head, Trail, TrailError},
    wire::{
        audit::sizes,
        entry::Viewer,
        export::{self, Reader, entry},
        receipt::hashes,
        request::read,
    },
};

/// What the entry about each person says of whom something was opened.
const OPENED: &str = "details taken out by an export";

/// Which entries are looked at.
struct Looked {
    indexes: Vec<u64>,
    /// The first that is not.
    end: u64,
    more: bool,
}

impl Export {
    pub(super) async fn entries(
        &self,
        request: Request<v1::ExportEntriesRequest>,
    ) -> Result<v1::ExportEntriesResponse, Status> {
        let (caller, message) = opened(request)?;
        let (export, old_size) = read(message, &caller.peer, export::entries)?;
        let asked = Asked {
            who: &export.who,
            purpose: &export.purpose,
            cursor: export.cursor.as_ref(),
            from: Start::At(export.from),
            approval: export.approval,
        };
        let viewer = self.viewer(&caller)?;
        let controller = viewer.as_ref().map(|viewer| viewer.controller().clone());
        let run = self
            .run(&caller, CursorKind::Entries, controller, asked)
            .await?;
        let reader = match viewer {
            Some(viewer) => Reader::Officer(viewer, run.approved),
            None => Reader::Auditor,
        };
        let head = self.sequencer.trail().head();
        let consistency = self.consistency(old_size, head.size)?;
        let looked = self
            .looked_at(reader.controller(), run.from, export.most, &head)
            .await?;
        let controller_party_id = reader.controller().map(ToString::to_string);
        let (trail, now) = (self.sequencer.trail(), self.sequencer.now());
        let shown = Arc::clone(&head);
        let page = trail
            .beside(move |trail| shown_entries(trail, &shown, looked, &reader, now))
            .await?;
        let Page {
            entries,
            opened,
            end,
            more,
        } = page;
        let (who, purpose) = (export.who, export.purpose);
        record_each(&self.sequencer, &caller, &who, &purpose, OPENED, opened).await?;
        let receipt = self
            .record(&caller, (who, purpose), &run, entries.len())
            .await?;
        Ok(v1::ExportEntriesResponse {
            checkpoint: head.checkpoint.as_bytes().to_vec().into(),
            consistency,
            controller_party_id,
            from: run.from,
            end,
            entries,
            cursor: self.cursor(&caller, &run, end),
            more,
            receipt,
        })
    }

    /// For whom an officer looks; none for an auditor.
    fn viewer(&self, caller: &Caller) -> Result<Option<Viewer>, Status> {
        if caller.peer.has_role(Role::PrivacyOfficer) {
            let viewer = viewer(&self.sequencer.registry(), &caller.peer)?;
            return Ok(Some(viewer));
        }
        Ok(None)
    }

    fn consistency(&self, old: u64, size: u64) -> Result<Vec<prost::bytes::Bytes>, Status> {
        if old == 0 {
            return Ok(Vec::new());
        }
        let proof = self.sequencer.trail().consistency(old, size)?;
        let proof = proof.ok_or_else(|| sizes(old, size))?;
        Ok(hashes(&proof.hashes))
    }

    async fn looked_at(
        &self,
        controller: Option<&PartyId>,
        from: u64,
        most: usize,
        head: &Head,
    ) -> Result<Looked, Status> {
        let Some(controller) = controller else {
            let end = from.saturating_add(most as u64).min(head.size).max(from);
            return Ok(Looked {
                indexes: (from..end).collect(),
                end,
                more: end < head.size,
            });
        };
        let query = Query {
            limit: most,
            ..Query::of(controller.clone())
        };
        // Without the erasures nobody could tell what is redacted from what is missing.
        let erasures = Query {
            limit: most,
            ..Query::all_of(EntryType::Erasure)
        };
        let (trail, within) = (self.sequencer.trail(), self.waits.catch_up);
        let found = trail.ahead(query, EntryIndex(from), within).await?;
        let erased = trail.ahead(erasures, EntryIndex(from), within).await?;
        // What came after the head was taken is proved by the next one.
        let end = found.end.min(erased.end).0.min(head.size).max(from);
        let indexes = found.entries.iter().chain(&erased.entries);
        let mut indexes: BTreeSet<u64> = indexes.map(|index| index.0).collect();
        indexes.split_off(&end);
        let next = indexes.iter().nth(most).copied();
        if let Some(next) = next {
            indexes.split_off(&next);
        }
        Ok(Looked {
            indexes: indexes.into_iter().collect(),
            end: next.unwrap_or(end),
            more: found.more || erased.more || next.is_some(),
        })
    }
}

/// The entries of one answer.
#[derive(Default)]
struct Page {
    entries: Vec<v1::ExportedEntry>,
    /// One of those whose details were opened for each person in them.
    opened: Vec<EntryIndex>,
    /// The first that was not looked at.
    end: u64,
    more: bool,
}

/// The entries as they are shown, cut where the answer would become too large.
fn shown_entries(
    trail: &Trail,
    head: &Head,
    looked: Looked,
    reader: &Reader,
    now: Timestamp,
) -> Result<Page, TrailError> {
    let (mut entries, mut bytes, mut about) = (Vec::new(), 0, Vec::new());
    let (mut end, mut more) = (looked.end, looked.more);
    for index in looked.indexes {
        let whole = trail.whole(index)?.ok_or(TrailError::Unreadable)?;
        if !reader.sees(&whole) {
            continue;
        }
        let erased = reader.redaction(trail, EntryIndex(index), &whole.entry.leaf);
        // An erasure that came after the head was taken: the next section has both.
        if bytes > MOST_BYTES || erased.as_ref().is_some_and(|by| by.entry.0 >= head.size) {
            (end, more) = (index, true);
            break;
        }
        let proof = trail.hashes(index, head.size)?;
        let shown = entry((index, &whole), &proof, (reader, erased.as_ref()), now);
        about.extend(reader.shown_of(&shown, &whole));
        bytes += prost::Message::encoded_len(&shown);
        entries.push(shown);
    }
    Ok(Page {
        entries,
        opened: one_a_person(about),
        end,
        more,
    })
}
