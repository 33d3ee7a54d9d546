//! Questions to the trail.

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_core::{
    code::{Condition, Role},
    id::{EntryIndex, PartyId, PurposeCode, Reference},
    party::Peer,
    person::SubjectRef,
    time::Period,
};
use schakel_store::index::Outcome;

use super::{
    Fields, InvalidRequest,
    person::{Who, read_subject},
    receipt::hashes,
    time::read_period,
};
use crate::trail::Consistency;

/// A search as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    /// Who acts.
    pub(crate) who: Who,
    /// What for.
    pub(crate) purpose: PurposeCode,
    /// Only about this person.
    pub(crate) subject: Option<SubjectRef>,
    /// The rest that it is narrowed to.
    pub(crate) filter: Filter,
    /// The most entries to show.
    pub(crate) page_size: usize,
    /// Where it continues, as given: still to be opened.
    pub(crate) page_token: Option<Bytes>,
    /// The approval of a second officer.
    pub(crate) approval: Option<Reference>,
}

/// What a search is narrowed to, beside the person.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// Only what this party did.
    pub(crate) party: Option<PartyId>,
    /// Only for this purpose.
    pub(crate) purpose: Option<PurposeCode>,
    /// Only about this condition.
    pub(crate) condition: Option<Condition>,
    /// Only within this period.
    pub(crate) period: Option<Period>,
    /// Only of which this came.
    pub(crate) outcome: Option<Outcome>,
}

impl Filter {
    /// The filter in words, for the entry about the search.
    pub(crate) fn in_words(&self) -> String {
        let Self {
            party,
            purpose,
            condition,
            period,
            outcome,
        } = self;
        let words = [
            party.as_ref().map(|party| format!("party {party}")),
            purpose.as_ref().map(|purpose| format!("purpose {purpose}")),
            condition.map(|condition| format!("condition {condition}")),
            period.map(|period| format!("from {}", period.from)),
            period
                .and_then(|period| period.until)
                .map(|until| format!("until {until}")),
            outcome.map(|outcome| format!("outcome {}", in_words(outcome))),
        ];
        words.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Which entry is asked for, by whom and what for.
#[derive(Clone, Debug)]
pub(crate) struct Which {
    /// Who acts.
    pub(crate) who: Who,
    /// What for; absent for an auditor.
    pub(crate) purpose: Option<PurposeCode>,
    /// The entry.
    pub(crate) entry: Named,
}

/// How an entry is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// By its position.
    Index(EntryIndex),
    /// By what whoever was denied something quotes.
    Reference(Reference),
}

/// Reads a search.
pub(crate) fn search(
    message: v1::SearchEntriesRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Search> {
    let v1::SearchEntriesRequest {
        actor,
        purpose,
        subject,
        party_id,
        disclosure_purpose,
        condition,
        period,
        outcome,
        page_size,
        page_token,
        search_id,
    } = message;
    let who = fields.who(actor);
    let purpose = fields.text("purpose", &purpose);
    let subject = fields.optional_message("subject", subject, |message, fields| {
        read_subject(message, peer, fields)
    });
    let party = fields.optional_text("party_id", party_id);
    let disclosure_purpose = fields.optional_text("disclosure_purpose", disclosure_purpose);
    let condition = fields.optional_code("condition", condition);
    let period = fields.optional_message("period", period, read_period);
    let outcome = read_outcome(outcome, fields);
    let page_size = fields.number("page_size", 1..=100, page_size);
    let page_token = fields.cursor("page_token", page_token);
    let approval = fields.optional_reference("search_id", search_id.as_deref());
    Some(Search {
        who: who?,
        purpose: purpose?,
        subject: subject?,
        filter: Filter {
            party: party?,
            purpose: disclosure_purpose?,
            condition: condition?,
            period: period?,
            outcome: outcome?,
        },
        page_size: usize::try_from(page_size?).ok()?,
        page_token: page_token?,
        approval: approval?,
    })
}

/// Reads a request for one entry.
pub(crate) fn get(message: v1::GetEntryRequest, peer: &Peer, fields: &mut Fields) -> Option<Which> {
    let v1::GetEntryRequest {
        actor,
        index,
        purpose,
    } = message;
    let who = fields.who(actor);
    let purpose = if purpose.is_none() && !peer.has_role(Role::PrivacyOfficer) {
        Some(None)
    } else {
        let purpose = purpose.unwrap_or_default();
        fields.text("purpose", &purpose).map(Some)
    };
    Some(Which {
        who: who?,
        purpose: purpose?,
        entry: Named::Index(EntryIndex(index)),
    })
}

/// Which receipt is asked for.
#[derive(Clone, Debug)]
pub(crate) struct WantedReceipt {
    /// Who acts, where it was said.
    pub(crate) who: Option<Who>,
    /// The entry.
    pub(crate) entry: EntryIndex,
    /// How strong it must be.
    pub(crate) level: v1::ReceiptLevel,
}

/// Reads a request for a receipt.
pub(crate) fn receipt(
    message: v1::GetReceiptRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<WantedReceipt> {
    let v1::GetReceiptRequest {
        actor,
        index,
        min_level,
    } = message;
    let who = match actor {
        Some(actor) => fields.who(Some(actor)).map(Some),
        None => Some(None),
    };
    let level = v1::ReceiptLevel::try_from(min_level).unwrap_or_default();
    if level == v1::ReceiptLevel::Unspecified {
        fields.refuse("min_level", "must be one of DURABLE, LOG_SIGNED, WITNESSED");
        return None;
    }
    Some(WantedReceipt {
        who: who?,
        entry: EntryIndex(index),
        level,
    })
}

/// Reads a request to explain one entry.
pub(crate) fn explain(
    message: v1::ExplainEntryRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Which> {
    let v1::ExplainEntryRequest {
        actor,
        index,
        reference,
        purpose,
    } = message;
    which(fields, actor, (index, reference), &purpose)
}

/// Reads a request to replay one entry.
pub(crate) fn replay(
    message: v1::ReplayEntryRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Which> {
    let v1::ReplayEntryRequest {
        actor,
        index,
        reference,
        purpose,
    } = message;
    which(fields, actor, (index, reference), &purpose)
}

fn which(
    fields: &mut Fields,
    actor: Option<v1::Actor>,
    (index, reference): (u64, Option<Bytes>),
    purpose: &str,
) -> Option<Which> {
    let who = fields.who(actor);
    let purpose = fields.text("purpose", purpose);
    let entry = match reference {
        Some(bytes) => fields.reference("reference", &bytes).map(Named::Reference),
        None => Some(Named::Index(EntryIndex(index))),
    };
    Some(Which {
        who: who?,
        purpose: Some(purpose?),
        entry: entry?,
    })
}

impl Fields {
    /// Reads what a denial or a proposed search is quoted by.
    pub(crate) fn reference(&mut self, field: &str, bytes: &[u8]) -> Option<Reference> {
        let reference = bytes.try_into().map(Reference::from_bytes).ok();
        if reference.is_none() {
            self.refuse(field, "must be the 16 bytes that were given");
        }
        reference
    }

    /// As [`Self::reference`], where it may be absent.
    #[expect(
        clippy::option_option,
        reason = "the outer is whether it could be read, the inner whether it was there"
    )]
    pub(crate) fn optional_reference(
        &mut self,
        field: &str,
        bytes: Option<&[u8]>,
    ) -> Option<Option<Reference>> {
        match bytes {
            Some(bytes) => self.reference(field, bytes).map(Some),
            None => Some(None),
        }
    }
}

/// A consistency proof as it is sent.
pub(crate) fn consistency(proof: Consistency, new_size: u64) -> v1::GetConsistencyResponse {
    let Consistency {
        hashes: path,
        old_root,
        new_root,
        checkpoint,
    } = proof;
    v1::GetConsistencyResponse {
        hashes: hashes(&path),
        checkpoint: checkpoint.map(|text| Bytes::copy_from_slice(text.as_bytes())),
        new_size,
        old_root: Bytes::copy_from_slice(&old_root),
        new_root: Bytes::copy_from_slice(&new_root),
    }
}

/// What is wrong with sizes between which nothing can be proven.
pub(crate) fn sizes(old: u64, size: u64) -> InvalidRequest {
    let (field, rule) = if old == 0 || old > size {
        (
            "old_size",
            format!("must be 1 to {size}, the number of entries"),
        )
    } else {
        (
            "new_size",
            format!("must be old_size to {size}, the number of entries"),
        )
    };
    InvalidRequest::of(field, rule)
}

#[expect(
    clippy::option_option,
    reason = "the outer is whether it could be read, the inner whether it narrows"
)]
fn read_outcome(outcome: i32, fields: &mut Fields) -> Option<Option<Outcome>> {
    match v1::Outcome::try_from(outcome) {
        Ok(v1::Outcome::Unspecified) => Some(None),
        Ok(v1::Outcome::Disclosed) => Some(Some(Outcome::Disclosed)),
        Ok(v1::Outcome::NotDisclosed) => Some(Some(Outcome::Denied)),
        Ok(v1::Outcome::Other) => Some(Some(Outcome::Other)),
        Err(_) => {
            let rule = "must be one of DISCLOSED, NOT_DISCLOSED, OTHER, or left out for any";
            fields.refuse("outcome", rule);
            None
        }
    }
}

const fn in_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Disclosed => "DISCLOSED",
        Outcome::Denied => "NOT_DISCLOSED",
        Outcome::Other => "OTHER",
    }
}
