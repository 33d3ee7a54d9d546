//! Exports of entries and of processing lines.

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_audit::leaf::EntryType;
use schakel_core::{
    event::{Details, Event},
    id::{PartyId, PurposeCode},
    party::Peer,
    time::Timestamp,
};
use schakel_store::entry::Whole;

use super::{Fields, entry::Viewer, person::Who, receipt::hashes};

/// The most entries or lines of one answer.
const MOST: u32 = 500;

/// What every export begins with.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    /// Who acts.
    pub(crate) who: Who,
    /// What for.
    pub(crate) purpose: PurposeCode,
    /// Where it goes on, as given: still to be opened.
    pub(crate) cursor: Option<Bytes>,
    /// Where it begins without a cursor.
    pub(crate) from: u64,
    /// The most to hand over.
    pub(crate) most: usize,
}

/// For whom entries are exported.
#[derive(Clone, Debug)]
pub(crate) enum Reader {
    /// An auditor: leaves and proofs of all.
    Auditor,
    /// The officer of a controller.
    Officer(Viewer),
}

/// Reads a request for entries, and the size from which consistency is to be proved.
pub(crate) fn entries(
    message: v1::ExportEntriesRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<(Export, u64)> {
    let v1::ExportEntriesRequest {
        actor,
        purpose,
        cursor,
        from_entry,
        page_size,
        old_size,
    } = message;
    let export = fields.export(actor, &purpose, (cursor, from_entry), page_size);
    Some((export?, old_size))
}

/// Reads a request for processing lines.
pub(crate) fn processings(
    message: v1::ExportProcessingsRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Export> {
    let v1::ExportProcessingsRequest {
        actor,
        purpose,
        cursor,
        from_entry,
        page_size,
    } = message;
    fields.export(actor, &purpose, (cursor, from_entry), page_size)
}

impl Fields {
    fn export(
        &mut self,
        actor: Option<v1::Actor>,
        purpose: &str,
        (cursor, from): (Option<Bytes>, u64),
        page_size: u32,
    ) -> Option<Export> {
        if cursor.is_some() && from > 0 {
            self.refuse("from_entry", "must be left out when there is a cursor");
        }
        let who = self.who(actor);
        let purpose = self.text("purpose", purpose);
        let cursor = self.cursor("cursor", cursor);
        let most = self.number("page_size", 1..=MOST, page_size);
        Some(Export {
            who: who?,
            purpose: purpose?,
            cursor: cursor?,
            from,
            most: usize::try_from(most?).ok()?,
        })
    }
}

impl Reader {
    /// The controller whose entries are exported; `None` for those of the whole log.
    pub(crate) fn controller(&self) -> Option<&PartyId> {
        match self {
            Self::Auditor => None,
            Self::Officer(viewer) => Some(viewer.controller()),
        }
    }

    /// Whether an entry is exported to this reader at all.
    pub(crate) fn sees(&self, whole: &Whole) -> bool {
        let leaf = &whole.entry.leaf;
        match (self, &whole.entry.details) {
            (Self::Auditor, _) => true,
            (Self::Officer(viewer), Some(details)) => {
                let erased = whole.entry.erased.contains(viewer.controller());
                viewer.sees(leaf, details) || (erased && viewer.sees_actor(leaf))
            }
            // Its details are erased; that the index gave it says that it concerned the controller.
            (Self::Officer(viewer), None) => viewer.sees_actor(leaf),
        }
    }

    /// Whether the details may be opened to this reader. They are bound as a whole, so nothing can be left
    /// out: they stay closed where a part of them would not be shown otherwise. To auditors only erasures are
    /// opened, which name nobody and without which nobody can tell what is redacted from what is missing.
    fn opens(&self, whole: &Whole, details: &Details, now: Timestamp) -> bool {
        let viewer = match self {
            Self::Auditor => return whole.entry.leaf.entry_type == EntryType::Erasure,
            Self::Officer(viewer) => viewer,
        };
        let own = details
            .call
            .as_ref()
            .is_none_or(|call| call.principal == *viewer.controller() || call.actor.is_none());
        // What a controller that erased the person must not be shown, or must not be shown of it, is still inside.
        own && whole.entry.erased.is_empty()
            && !viewer.veil().is_drawn()
            && !holds_a_live_code(&details.event, now)
    }
}

/// An entry with its proof, as this reader may see it.
pub(crate) fn entry(
    (index, whole): (u64, &Whole),
    proof: &[[u8; 32]],
    reader: &Reader,
    now: Timestamp,
) -> v1::ExportedEntry {
    use v1::exported_entry::Details as Shown;
    let details = whole.entry.details.as_ref().zip(whole.opened.as_ref());
    let opened = details
        .filter(|(details, _)| reader.opens(whole, details, now))
        .map(|(_, opened)| {
            Shown::Opened(v1::OpenedDetails {
                blind: Bytes::copy_from_slice(&opened.blind),
                details: Bytes::copy_from_slice(&opened.details),
            })
        });
    v1::ExportedEntry {
        index,
        leaf: Bytes::copy_from_slice(&whole.encoded),
        hashes: hashes(proof),
        details: opened,
    }
}

/// Whether the details hold the code of an introduction that still works: whoever reads it could be
/// introduced without the person.
fn holds_a_live_code(event: &Event, now: Timestamp) -> bool {
    matches!(event, Event::Introduced { until, .. } if now < *until)
}
