//! Lists of entries within a run: what they are found by, how they are written, how they meet.

use schakel_audit::leaf::EntryType;
use schakel_core::{
    code::Condition,
    id::{PartyId, PurposeCode, Reference, SubjectId},
    time::Period,
};

use super::{
    Outcome, Query,
    heads::Number,
    token::{Sought, Token, Tokens},
};

/// The place of an entry in its run: a run holds at most 65,536.
pub(super) type Place = u16;

/// One thing that entries of a controller are found by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Term<'a> {
    /// All there are.
    All,
    /// The person.
    Subject(SubjectId),
    /// Whom the call named.
    Named(Token),
    /// The party that acted.
    Party(&'a PartyId),
    /// The purpose.
    Purpose(&'a PurposeCode),
    /// A condition.
    Condition(Condition),
    /// What came of it.
    Outcome(Outcome),
    /// What it records.
    Kind(EntryType),
    /// The party over whose connection another acted.
    Transport(&'a PartyId),
    /// The certificate.
    Certificate(&'a [u8; 32]),
    /// What it can be quoted by.
    Reference(Reference),
}

/// A run that can be searched.
pub(super) trait Lists {
    /// Why it cannot be read.
    type Error;

    /// The first entry.
    fn first(&self) -> u64;

    /// The places of the entries recorded within a period: from the first to before the second.
    fn period(&self, period: Option<&Period>) -> Result<(u64, u64), Self::Error>;

    /// Where somebody's entries are that are found by something.
    fn list(&self, sought: &Sought<'_>) -> Result<List, Self::Error>;
}

/// Where something is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    /// The places in this run, in order.
    pub(super) places: Vec<Place>,
    /// For a person, the newest closed run before this one with an entry.
    pub(super) before: Option<Number>,
}

impl Query {
    /// All that an entry must be found by; at least one thing. A person and a name together are searched for one
    /// after the other, see `either`.
    pub(super) fn terms(&self, tokens: &Tokens) -> Vec<Term<'_>> {
        let mut terms = Vec::with_capacity(9);
        // A person leads from run to run, see `heads`, and stands first for that.
        terms.extend(self.subject.map(Term::Subject));
        let named = self.named.as_ref();
        terms.extend(named.map(|named| Term::Named(tokens.named(named))));
        terms.extend(self.reference.map(Term::Reference));
        terms.extend(self.certificate.as_ref().map(Term::Certificate));
        terms.extend(self.transport.as_ref().map(Term::Transport));
        terms.extend(self.party.as_ref().map(Term::Party));
        terms.extend(self.purpose.as_ref().map(Term::Purpose));
        terms.extend(self.condition.map(Term::Condition));
        terms.extend(self.outcome.map(Term::Outcome));
        terms.extend(self.kind.map(Term::Kind));
        if terms.is_empty() {
            terms.push(Term::All);
        }
        terms
    }
}

impl Term<'_> {
    /// What tells this from every other term: a kind, and bytes of which no other of that kind has the same.
    pub(super) fn key(&self) -> (u8, &[u8]) {
        match self {
            Self::All => (0, &[]),
            Self::Subject(subject) => (1, subject.as_bytes()),
            Self::Party(party) => (2, party.as_str().as_bytes()),
            Self::Purpose(purpose) => (3, purpose.as_str().as_bytes()),
            Self::Condition(condition) => (4, condition.as_str().as_bytes()),
            Self::Outcome(Outcome::Disclosed) => (5, b"disclosed"),
            Self::Outcome(Outcome::Denied) => (5, b"denied"),
            Self::Outcome(Outcome::Other) => (5, b"other"),
            Self::Kind(kind) => (6, kind.name().as_bytes()),
            Self::Transport(party) => (7, party.as_str().as_bytes()),
            Self::Certificate(sha256) => (8, sha256.as_slice()),
            Self::Reference(reference) => (9, reference.as_bytes()),
            Self::Named(token) => (10, token),
        }
    }
}

/// The places in `0..len` whose times lie in a period, given times that never decrease.
pub(super) fn within<E>(
    period: Option<&Period>,
    len: u64,
    mut time: impl FnMut(u64) -> Result<u64, E>,
) -> Result<(u64, u64), E> {
    let Some(period) = period else {
        return Ok((0, len));
    };
    let from = first_not_before(period.from.as_millis(), len, &mut time)?;
    let until = match period.until {
        Some(until) => first_not_before(until.as_millis(), len, &mut time)?,
        None => len,
    };
    Ok((from, until))
}

fn first_not_before<E>(
    instant: u64,
    len: u64,
    time: &mut impl FnMut(u64) -> Result<u64, E>,
) -> Result<u64, E> {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low.midpoint(high);
        if time(middle)? < instant {
            low = middle.saturating_add(1);
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// The places that are in every list, in order. Costs as much as the shortest list is long.
pub(super) fn meet(mut lists: Vec<Vec<Place>>) -> Vec<Place> {
    lists.sort_by_key(Vec::len);
    let mut lists = lists.into_iter();
    let mut common = lists.next().unwrap_or_default();
    for list in lists {
        common.retain(|place| list.binary_search(place).is_ok());
    }
    common
}

/// Appends a list: the differences between neighbours, seven bits a byte, lowest first.
pub(super) fn put(places: &[Place], bytes: &mut Vec<u8>) {
    let mut before = 0;
    for place in places {
        let mut step = place.wrapping_sub(before);
        before = *place;
        while step >= 0x80 {
            bytes.push((step & 0x7f) as u8 | 0x80);
            step >>= 7;
        }
        bytes.push((step & 0x7f) as u8);
    }
}

/// Reads what [`put`] wrote.
pub(super) fn get(bytes: &[u8]) -> Vec<Place> {
    let mut places = Vec::with_capacity(bytes.len());
    let (mut at, mut step, mut shift) = (0_u32, 0_u32, 0_u32);
    for byte in bytes {
        step |= u32::from(byte & 0x7f) << shift.min(21);
        if byte & 0x80 != 0 {
            shift += 7;
            continue;
        }
        at = at.wrapping_add(step);
        (step, shift) = (0, 0);
        places.push((at & 0xffff) as Place);
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schakel_core::time::Timestamp;

    use super::*;

    proptest! {
        #[test]
        fn a_list_reads_back_what_was_written(places: std::collections::BTreeSet<Place>) {
            let places: Vec<Place> = places.into_iter().collect();
            let mut bytes = Vec::new();
            put(&places, &mut bytes);
            prop_assert_eq!(get(&bytes), places);
        }
    }

    #[test]
    fn lists_meet_in_what_they_share() {
        let lists = vec![vec![1, 3, 5, 9], vec![0, 3, 9, 12], vec![3, 4, 9]];
        assert_eq!(meet(lists), [3, 9]);
        assert_eq!(meet(vec![vec![1], vec![]]), Vec::<Place>::new());
    }

    #[test]
    fn a_period_holds_its_start_and_not_its_end() {
        let times = [10, 10, 20, 30, 30, 40];
        let time = |at: u64| Ok::<u64, ()>(times[usize::try_from(at).unwrap()]);
        let at = |ms| Timestamp::from_millis(ms).unwrap();
        let period = |from, until: Option<u64>| Period {
            from: at(from),
            until: until.map(at),
        };
        let within = |period: &Period| within(Some(period), 6, time).unwrap();
        assert_eq!(within(&period(10, Some(30))), (0, 3));
        assert_eq!(within(&period(11, None)), (2, 6));
        assert_eq!(within(&period(41, None)), (6, 6));
        assert_eq!(within(&period(0, Some(10))), (0, 0));
    }
}
