//! A breach, how the trail stands, and searches that wait.

use schakel_api::v1::{self, subject_ref::Reference};
use serde::Serialize;

use super::{Receipt, all, replay::looked};
use crate::{
    code::{all_spoken, shorts},
    instant,
    output::View,
    page::Page,
};

/// Whom a breach touched.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Breach {
    shares: Vec<Share>,
    persons: Vec<Person>,
    notify_by: Option<String>,
    seconds_left: i64,
    receipt: Option<Receipt>,
}

/// What one controller must answer for.
#[derive(Clone, Debug, Serialize)]
struct Share {
    controller_party_id: String,
    entries: u64,
    persons: u64,
    disclosed: u64,
    denied: u64,
    recorded: u64,
    unreadable: u64,
    recipient_party_ids: Vec<String>,
    conditions: Vec<String>,
}

/// A person touched.
#[derive(Clone, Debug, Serialize)]
struct Person {
    subject: Option<String>,
    conditions: Vec<String>,
    recipient_party_ids: Vec<String>,
    entry_indexes: Vec<u64>,
}

/// How the trail stands.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Integrity {
    size: u64,
    checkpoint: String,
    verifications: Vec<Verification>,
    replays_since_start: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_replay_at: Option<String>,
    differences: Vec<Difference>,
    erasures: u64,
    receipt: Option<Receipt>,
}

/// What somebody found who verified the trail.
#[derive(Clone, Debug, Serialize)]
struct Verification {
    index: u64,
    at: Option<String>,
    party_id: String,
    size: u64,
    root: String,
    sound: bool,
    matches: bool,
}

/// A replay that came out otherwise.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Difference {
    pub(super) index: u64,
    pub(super) differences: Vec<String>,
}

/// Searches that wait or may be made.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Searches {
    searches: Vec<Search>,
    receipt: Option<Receipt>,
}

/// One of them.
#[derive(Clone, Debug, Serialize)]
struct Search {
    search_id: String,
    proposed_by_party_id: String,
    proposed_at: Option<String>,
    method: String,
    purpose: String,
    question: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_until: Option<String>,
}

impl From<v1::GetBreachResponse> for Breach {
    fn from(response: v1::GetBreachResponse) -> Self {
        Self {
            shares: all(response.shares),
            persons: all(response.persons),
            notify_by: instant::shown_if(response.notify_by.as_ref()),
            seconds_left: response.seconds_left,
            receipt: response.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::BreachShare> for Share {
    fn from(share: v1::BreachShare) -> Self {
        Self {
            controller_party_id: share.controller_party_id,
            entries: share.entries,
            persons: share.persons,
            disclosed: share.disclosed,
            denied: share.denied,
            recorded: share.recorded,
            unreadable: share.unreadable,
            recipient_party_ids: share.recipient_party_ids,
            conditions: shorts::<v1::Condition>(&share.conditions),
        }
    }
}

impl From<v1::BreachPerson> for Person {
    fn from(person: v1::BreachPerson) -> Self {
        let subject = person.subject.and_then(|subject| subject.reference);
        Self {
            subject: subject.map(|reference| match reference {
                Reference::Bsn(number) => format!("bsn {number}"),
                Reference::Skn(number) => format!("skn {number}"),
                Reference::ClientRef(mark) => format!("client_ref {mark}"),
                Reference::CaseId(case) => format!("case {case}"),
            }),
            conditions: shorts::<v1::Condition>(&person.conditions),
            recipient_party_ids: person.recipient_party_ids,
            entry_indexes: person.entry_indexes,
        }
    }
}

impl From<v1::GetIntegrityResponse> for Integrity {
    fn from(response: v1::GetIntegrityResponse) -> Self {
        Self {
            size: response.size,
            checkpoint: String::from_utf8_lossy(&response.checkpoint).into_owned(),
            verifications: all(response.verifications),
            replays_since_start: response.replays_since_start,
            last_replay_at: instant::shown_if(response.last_replay_at.as_ref()),
            differences: all(response.differences),
            erasures: response.erasures,
            receipt: response.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::Verification> for Verification {
    fn from(verification: v1::Verification) -> Self {
        Self {
            index: verification.index,
            at: instant::shown_if(verification.at.as_ref()),
            party_id: verification.party_id,
            size: verification.size,
            root: hex::encode(verification.root),
            sound: verification.sound,
            matches: verification.matches,
        }
    }
}

impl From<v1::CheckFault> for Difference {
    fn from(fault: v1::CheckFault) -> Self {
        Self {
            index: fault.index,
            differences: fault.differences,
        }
    }
}

impl From<v1::ListSearchesResponse> for Searches {
    fn from(response: v1::ListSearchesResponse) -> Self {
        Self {
            searches: all(response.searches),
            receipt: response.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::ProposedSearch> for Search {
    fn from(search: v1::ProposedSearch) -> Self {
        Self {
            search_id: hex::encode(search.search_id),
            proposed_by_party_id: search.proposed_by_party_id,
            proposed_at: instant::shown_if(search.proposed_at.as_ref()),
            method: search.method,
            purpose: search.purpose,
            question: search.question,
            approved_until: instant::shown_if(search.approved_until.as_ref()),
        }
    }
}

impl View for Breach {
    fn write(&self, page: &mut Page) {
        let by = self.notify_by.as_deref().map(instant::spoken);
        let hours = self.seconds_left.div_euclid(3600);
        page.line(&format!(
            "The authority must have been notified by {} (AVG 33): {}.",
            by.unwrap_or_default(),
            if self.seconds_left < 0 {
                format!("{} hours ago", -hours)
            } else {
                format!("{hours} hours left")
            }
        ));
        if self.shares.is_empty() {
            page.line("Nothing was touched.");
        }
        for share in &self.shares {
            page.blank();
            page.line(&share.controller_party_id);
            page.indented(|page| share.write(page));
        }
        for person in &self.persons {
            page.blank();
            let named = person.subject.as_deref();
            page.line(named.unwrap_or("a person whom the controller cannot name"));
            page.indented(|page| {
                page.pair_if("conditions", Some(&all_spoken(&person.conditions)));
                page.pairs("told to", &person.recipient_party_ids);
                let entries: Vec<_> = person.entry_indexes.iter().map(u64::to_string).collect();
                page.pairs("entries", &entries);
            });
        }
        looked(self.receipt.as_ref(), page);
    }
}

impl Share {
    fn write(&self, page: &mut Page) {
        page.pair("persons", &self.persons.to_string());
        page.pair(
            "entries",
            &format!(
                "{}: {} disclosed, {} denied, {} recorded, {} unreadable",
                self.entries, self.disclosed, self.denied, self.recorded, self.unreadable
            ),
        );
        page.pairs("told to", &self.recipient_party_ids);
        page.pair_if("conditions", Some(&all_spoken(&self.conditions)));
    }
}

impl View for Integrity {
    fn write(&self, page: &mut Page) {
        page.line(&format!(
            "{} entries, numbered from 0 without a gap. What the broker says of itself proves nothing: \
             `schakel verify log` does.",
            self.size
        ));
        page.blank();
        if self.verifications.is_empty() {
            page.line("Nobody has recorded a verification.");
        }
        for one in &self.verifications {
            let at = one.at.as_deref().map(instant::spoken).unwrap_or_default();
            let found = match (one.sound, one.matches) {
                (true, true) => "sound",
                (false, _) => "NOT SOUND",
                (true, false) => "sound, but the log has ANOTHER ROOT now",
            };
            page.line(&format!(
                "Verified up to {} entries by {} at {at}: {found} (entry {}).",
                one.size, one.party_id, one.index
            ));
        }
        page.blank();
        let last = self.last_replay_at.as_deref().map(instant::spoken);
        page.line(&match (self.replays_since_start, last) {
            (0, _) | (_, None) => {
                "No past decision was replayed since the broker started.".to_owned()
            }
            (1, Some(last)) => {
                format!("The broker replayed one past decision since it started, at {last}.")
            }
            (count, Some(last)) => {
                format!(
                    "The broker replayed {count} past decisions since it started, last at {last}."
                )
            }
        });
        for one in &self.differences {
            page.line(&format!(
                "Entry {} came out OTHERWISE: {}.",
                one.index,
                one.differences.join(", ")
            ));
        }
        page.line(&format!(
            "Entries that record the destruction of keys: {}.",
            self.erasures
        ));
        looked(self.receipt.as_ref(), page);
    }
}

impl View for Searches {
    fn write(&self, page: &mut Page) {
        if self.searches.is_empty() {
            page.line("Nothing waits for a second officer.");
        }
        for search in &self.searches {
            page.line(&search.search_id);
            page.indented(|page| {
                let at = search.proposed_at.as_deref().map(instant::spoken);
                let at = at.unwrap_or_default();
                page.pair(
                    "proposed",
                    &format!("by {} at {at}", search.proposed_by_party_id),
                );
                page.pair("method", &search.method);
                page.pair("purpose", &search.purpose);
                page.pair("question", &search.question);
                let until = search.approved_until.as_deref().map(instant::spoken);
                page.pair(
                    "state",
                    &until.map_or_else(
                        || "waits for a second officer".to_owned(),
                        |until| format!("approved until {until}"),
                    ),
                );
            });
        }
        looked(self.receipt.as_ref(), page);
    }
}
