//! The run that is still growing, in memory.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use schakel_audit::leaf::EntryType;
use schakel_core::{
    code::Condition,
    id::{PartyId, PurposeCode, Reference, SubjectId},
    time::Period,
};

use super::{
    Facts, Outcome, Whose,
    list::{List, Lists, Place, Term, within},
    token::{Sought, Token, Tokens},
};

/// A run in memory.
#[derive(Debug)]
pub(super) struct Recent {
    /// The first entry.
    first: u64,
    /// When the entry before it was recorded.
    since: u64,
    /// When each entry was recorded. One that nobody can find counts as recorded with the one before.
    times: Vec<u64>,
    found: HashMap<Whose, Found>,
    tokens: Arc<Tokens>,
}

/// Where somebody's entries lie, by what they can be found by.
#[derive(Debug, Default)]
struct Found {
    all: Vec<Place>,
    subjects: HashMap<SubjectId, Vec<Place>>,
    named: HashMap<Token, Vec<Place>>,
    parties: HashMap<PartyId, Vec<Place>>,
    purposes: HashMap<PurposeCode, Vec<Place>>,
    conditions: BTreeMap<Condition, Vec<Place>>,
    outcomes: BTreeMap<Outcome, Vec<Place>>,
    kinds: HashMap<EntryType, Vec<Place>>,
    transports: HashMap<PartyId, Vec<Place>>,
    certificates: HashMap<[u8; 32], Vec<Place>>,
    references: HashMap<Reference, Vec<Place>>,
}

impl Recent {
    /// A run with nothing in it, after one whose last entry was recorded at `since`.
    pub(super) fn new(first: u64, since: u64, tokens: &Arc<Tokens>) -> Self {
        Self {
            first,
            since,
            times: Vec::new(),
            found: HashMap::new(),
            tokens: Arc::clone(tokens),
        }
    }

    /// Adds the next entry.
    pub(super) fn add(&mut self, facts: Vec<Facts>) {
        let Ok(place) = Place::try_from(self.times.len()) else {
            return;
        };
        let before = self.last_at();
        let at = facts.first().map_or(before, |first| first.at.as_millis());
        self.times.push(before.max(at));
        for facts in facts {
            let named = facts.named.as_ref().map(|named| self.tokens.named(named));
            self.found
                .entry(facts.whose.clone())
                .or_default()
                .add(facts, named, place);
        }
    }

    /// The entry that comes next.
    pub(super) fn next(&self) -> u64 {
        self.first.saturating_add(self.len())
    }

    /// When the last entry was recorded, or the one before the run.
    pub(super) fn last_at(&self) -> u64 {
        self.times.last().copied().unwrap_or(self.since)
    }

    /// The number of entries.
    pub(super) fn len(&self) -> u64 {
        self.times.len() as u64
    }

    /// When each entry was recorded.
    pub(super) fn times(&self) -> &[u64] {
        &self.times
    }

    /// Every list there is.
    pub(super) fn lists(&self) -> impl Iterator<Item = (&Whose, Term<'_>, &[Place])> {
        self.found.iter().flat_map(|(whose, found)| {
            found
                .lists()
                .map(move |(term, places)| (whose, term, places))
        })
    }
}

impl Lists for Recent {
    type Error = std::convert::Infallible;

    fn first(&self) -> u64 {
        self.first
    }

    fn period(&self, period: Option<&Period>) -> Result<(u64, u64), Self::Error> {
        within(period, self.len(), |at| {
            Ok(usize::try_from(at)
                .ok()
                .and_then(|at| self.times.get(at).copied())
                .unwrap_or(u64::MAX))
        })
    }

    fn list(&self, sought: &Sought<'_>) -> Result<List, Self::Error> {
        let found = self.found.get(sought.whose);
        let places = found.and_then(|found| found.list(&sought.term)).cloned();
        Ok(List {
            places: places.unwrap_or_default(),
            before: None,
        })
    }
}

impl Found {
    fn add(&mut self, facts: Facts, named: Option<Token>, place: Place) {
        if matches!(facts.whose, Whose::Sealed(_)) {
            self.all.push(place);
            return;
        }
        self.kinds.entry(facts.kind).or_default().push(place);
        if let Some(subject) = facts.subject {
            self.subjects.entry(subject).or_default().push(place);
        }
        if let Some(reference) = facts.reference {
            self.references.entry(reference).or_default().push(place);
        }
        if facts.whose == Whose::Anyone {
            return;
        }
        self.all.push(place);
        if let Some(named) = named {
            self.named.entry(named).or_default().push(place);
        }
        self.parties.entry(facts.party).or_default().push(place);
        if let Some(transport) = facts.transport {
            self.transports.entry(transport).or_default().push(place);
        }
        if let Some(certificate) = facts.certificate {
            let places = self.certificates.entry(certificate);
            places.or_default().push(place);
        }
        if let Some(purpose) = facts.purpose {
            self.purposes.entry(purpose).or_default().push(place);
        }
        for condition in facts.conditions {
            self.conditions.entry(condition).or_default().push(place);
        }
        self.outcomes.entry(facts.outcome).or_default().push(place);
    }

    fn list(&self, term: &Term<'_>) -> Option<&Vec<Place>> {
        match term {
            Term::All => Some(&self.all),
            Term::Subject(subject) => self.subjects.get(subject),
            Term::Party(party) => self.parties.get(*party),
            Term::Purpose(purpose) => self.purposes.get(*purpose),
            Term::Condition(condition) => self.conditions.get(condition),
            Term::Outcome(outcome) => self.outcomes.get(outcome),
            Term::Kind(kind) => self.kinds.get(kind),
            Term::Transport(party) => self.transports.get(*party),
            Term::Certificate(sha256) => self.certificates.get(*sha256),
            Term::Reference(reference) => self.references.get(reference),
            Term::Named(token) => self.named.get(token),
        }
    }

    fn lists(&self) -> impl Iterator<Item = (Term<'_>, &[Place])> {
        let all = (!self.all.is_empty()).then_some((Term::All, &self.all));
        let people = self.subjects.iter();
        let parties = self.parties.iter();
        let purposes = self.purposes.iter();
        let conditions = self.conditions.iter();
        let outcomes = self.outcomes.iter();
        all.into_iter()
            .chain(people.map(|(id, list)| (Term::Subject(*id), list)))
            .chain(parties.map(|(id, list)| (Term::Party(id), list)))
            .chain(purposes.map(|(code, list)| (Term::Purpose(code), list)))
            .chain(conditions.map(|(code, list)| (Term::Condition(*code), list)))
            .chain(outcomes.map(|(code, list)| (Term::Outcome(*code), list)))
            .chain(self.more_lists())
            .map(|(term, list)| (term, list.as_slice()))
    }

    fn more_lists(&self) -> impl Iterator<Item = (Term<'_>, &Vec<Place>)> {
        let kinds = self.kinds.iter();
        let transports = self.transports.iter();
        let certificates = self.certificates.iter();
        let references = self.references.iter();
        let named = self.named.iter();
        kinds
            .map(|(kind, list)| (Term::Kind(*kind), list))
            .chain(transports.map(|(id, list)| (Term::Transport(id), list)))
            .chain(certificates.map(|(sha256, list)| (Term::Certificate(sha256), list)))
            .chain(references.map(|(bytes, list)| (Term::Reference(*bytes), list)))
            .chain(named.map(|(token, list)| (Term::Named(*token), list)))
    }
}
