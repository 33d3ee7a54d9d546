//! Exports of entries and of processing lines.

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_audit::leaf::{EntryType, Leaf};
use schakel_core::{
    erasure::Done,
    event::{Details, Event, Names},
    id::{EntryIndex, PartyId, PurposeCode, Reference},
    party::Peer,
    time::{Period, Timestamp},
};
use schakel_store::{details::Apart, entry::Whole};

use super::{Fields, entry::Viewer, person::Who, receipt::hashes};
use crate::{officer::meant::About, trail::Trail};

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
    /// The approval of a second officer, where one is given beside that of the cursor.
    pub(crate) approval: Option<Reference>,
}

/// For whom entries are exported.
#[derive(Clone, Debug)]
pub(crate) enum Reader {
    /// An auditor: leaves and proofs of all.
    Auditor,
    /// The officer of a controller, and when what may be opened was recorded; none without an approval.
    Officer(Viewer, Option<Period>),
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
        search_id,
    } = message;
    let approval = fields.optional_reference("search_id", search_id.as_deref());
    let export = fields.export(actor, &purpose, (cursor, from_entry), page_size);
    let export = Export {
        approval: approval?,
        ..export?
    };
    Some((export, old_size))
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
        search_id,
    } = message;
    let approval = fields.optional_reference("search_id", search_id.as_deref());
    let export = fields.export(actor, &purpose, (cursor, from_entry), page_size);
    Some(Export {
        approval: approval?,
        ..export?
    })
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
            approval: None,
        })
    }
}

impl Reader {
    /// The controller whose entries are exported; `None` for those of the whole log.
    pub(crate) fn controller(&self) -> Option<&PartyId> {
        match self {
            Self::Auditor => None,
            Self::Officer(viewer, _) => Some(viewer.controller()),
        }
    }

    /// The erasure by which the reader can no longer read an entry; for an auditor, by which anybody can no longer.
    pub(crate) fn redaction(&self, trail: &Trail, index: EntryIndex, leaf: &Leaf) -> Option<Done> {
        match self {
            Self::Auditor => trail.redaction_for_any(index, leaf),
            Self::Officer(viewer, _) => trail.redaction(index, leaf, viewer.controller()),
        }
    }

    /// Whether an entry is exported to this reader at all.
    pub(crate) fn sees(&self, whole: &Whole) -> bool {
        match self {
            Self::Auditor => true,
            Self::Officer(viewer, _) => viewer.shows(&whole.entry) || is_for_all(whole),
        }
    }

    /// Whom an entry that is shown with its details is about. An erasure is about nobody.
    pub(crate) fn shown_of(
        &self,
        shown: &v1::ExportedEntry,
        whole: &Whole,
    ) -> Option<(About, EntryIndex)> {
        let Self::Officer(viewer, _) = self else {
            return None;
        };
        let details = whole.entry.details.as_ref()?;
        let opened = matches!(shown.details, Some(v1::exported_entry::Details::Opened(_)));
        opened.then(|| {
            let about = About::of(details, viewer.controller());
            (about, EntryIndex(shown.index))
        })
    }

    /// Whether the details may be opened to this reader. They are bound as a whole, so nothing can be left
    /// out: they stay closed where a part of them would not be shown otherwise. Erasures are opened to everybody:
    /// they name nobody, and without them nobody can tell what is redacted from what is missing.
    fn opens(&self, whole: &Whole, details: &Details, now: Timestamp) -> bool {
        if whole.entry.leaf.entry_type == EntryType::Erasure {
            return true;
        }
        let Self::Officer(viewer, Some(approved)) = self else {
            return false;
        };
        let own = details
            .call
            .as_ref()
            .is_none_or(|call| call.principal == *viewer.controller() || call.actor.is_none());
        own && says_nothing_of_others(whole, details)
            && is_within(approved, &whole.entry.leaf)
            && !holds_what_was_erased(whole, details, viewer.controller())
            && !viewer.veil().is_drawn()
            && !holds_a_live_code(&details.event, now)
    }
}

/// Whether nothing in the details depends on what is held of the person without being the controller's own. Decided by
/// what was kept apart and by the kind of the event, and by nothing that is in it: what is closed for somebody known
/// elsewhere and open for nobody tells which it is.
fn says_nothing_of_others(whole: &Whole, details: &Details) -> bool {
    match whole.apart {
        Apart::All => true,
        // As older brokers wrote them, with the controllers concerned and what came of them for others.
        Apart::Links => {
            details.event.names() == Names::More && !details.event.follows_from_records()
        }
        // And with what links the person across controllers. What names nobody has no tag.
        Apart::Nothing => whole.entry.leaf.subject_tag.is_none(),
    }
}

/// Whether a controller that erased the person must not be shown what is still inside, or nobody must be shown it of
/// that controller. What says no more than what the call did is the caller's own: for nobody there is no other one
/// that could have erased it.
fn holds_what_was_erased(whole: &Whole, details: &Details, controller: &PartyId) -> bool {
    let erased = &whole.entry.erased;
    match details.event.names() {
        Names::More => !erased.is_empty(),
        Names::Only(_) | Names::OnlyInCall => erased.contains(controller),
    }
}

/// An entry with its proof, as this reader may see it; `erased` is the erasure by which the reader can no longer
/// read it.
pub(crate) fn entry(
    (index, whole): (u64, &Whole),
    proof: &[[u8; 32]],
    (reader, erased): (&Reader, Option<&Done>),
    now: Timestamp,
) -> v1::ExportedEntry {
    v1::ExportedEntry {
        index,
        leaf: Bytes::copy_from_slice(&whole.encoded),
        hashes: hashes(proof),
        details: match erased {
            Some(by) => Some(redacted(by)),
            None => opened(whole, reader, now),
        },
    }
}

fn redacted(by: &Done) -> v1::exported_entry::Details {
    v1::exported_entry::Details::Redacted(v1::RedactedDetails {
        erasure: by.entry.0,
        rule: by.erased.rule.code.clone(),
    })
}

fn opened(whole: &Whole, reader: &Reader, now: Timestamp) -> Option<v1::exported_entry::Details> {
    let details = whole.entry.details.as_ref().zip(whole.opened.as_ref());
    let (_, opened) = details.filter(|(details, _)| reader.opens(whole, details, now))?;
    Some(v1::exported_entry::Details::Opened(v1::OpenedDetails {
        blind: Bytes::copy_from_slice(&opened.blind),
        details: Bytes::copy_from_slice(&opened.details),
    }))
}

/// Whether an entry was recorded within what an approval covers.
pub(crate) fn is_within(approved: &Period, leaf: &Leaf) -> bool {
    Timestamp::from_millis(leaf.at_ms).is_ok_and(|at| approved.contains(at))
}

/// Whether an entry tells of an erasure for all controllers.
fn is_for_all(whole: &Whole) -> bool {
    let event = whole.entry.details.as_ref().map(|details| &details.event);
    matches!(event, Some(Event::Erased(erased)) if erased.controller.is_none())
}

/// Whether the details hold the code of an introduction that still works: whoever reads it could be
/// introduced without the person.
fn holds_a_live_code(event: &Event, now: Timestamp) -> bool {
    matches!(event, Event::Introduced { until, .. } if now < *until)
}
