//! By what people are found. In memory only, as digests under a key that lives as long as the process.

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use aws_lc_rs::hmac;
use schakel_core::{
    case::Case,
    dossier::Dossier,
    event::Naming,
    id::{CaseId, EntryIndex, PartyId, SubjectId},
    person::Identifier,
    random::Random,
};

/// Who is found by what.
pub(super) struct People {
    key: hmac::Key,
    /// With the entry from which on: the earliest holds, should two ever claim the same.
    known: HashMap<[u8; 16], (EntryIndex, SubjectId)>,
    /// Later claims to the same, of which the earliest holds once the one before is forgotten.
    claimed: HashMap<[u8; 16], BTreeSet<(EntryIndex, SubjectId)>>,
    /// Of whom somebody said that a number is theirs as well, by the party that said it and the number, and by the
    /// number alone.
    said: HashMap<[u8; 16], BTreeSet<(EntryIndex, SubjectId)>>,
    cases: HashMap<CaseId, SubjectId>,
    codes: HashMap<[u8; 32], SubjectId>,
}

impl People {
    pub(super) fn new(random: &mut dyn Random) -> Self {
        let mut key = [0; 32];
        random.fill(&mut key);
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            known: HashMap::new(),
            claimed: HashMap::new(),
            said: HashMap::new(),
            cases: HashMap::new(),
            codes: HashMap::new(),
        }
    }

    /// A person is found by an identifier from an entry on.
    pub(super) fn know(&mut self, by: &Identifier, subject: SubjectId, entry: EntryIndex) {
        let digest = self.digest(by);
        let claim = (entry, subject);
        let known = self.known.entry(digest).or_insert(claim);
        let later = claim.max(*known);
        *known = claim.min(*known);
        if known.1 != later.1 {
            self.claimed.entry(digest).or_default().insert(later);
        }
    }

    /// A case is a person's, and so is to whoever opened it what it said of numbers then, unless it was in error.
    pub(super) fn open_case(&mut self, case: &Case, subject: SubjectId) {
        self.cases.insert(case.id, subject);
        if case.in_error {
            self.take_back(case, subject);
            return;
        }
        for digest in self.said_by(case) {
            let said = self.said.entry(digest).or_default();
            said.insert((case.entry, subject));
        }
    }

    /// Nobody says any more what the opening of a case said of numbers.
    fn take_back(&mut self, case: &Case, subject: SubjectId) {
        for digest in self.said_by(case) {
            if let Entry::Occupied(mut said) = self.said.entry(digest) {
                said.get_mut().remove(&(case.entry, subject));
                if said.get().is_empty() {
                    said.remove();
                }
            }
        }
    }

    fn said_by(&self, case: &Case) -> Vec<[u8; 16]> {
        let parties = [Some(&case.opened_by), None];
        let digests = case
            .besides
            .iter()
            .flat_map(|number| parties.map(|party| self.digest_by(party, number)));
        digests.collect()
    }

    /// A code introduces a partner to a person.
    pub(super) fn introduce(&mut self, code_sha256: [u8; 32], subject: SubjectId) {
        self.codes.insert(code_sha256, subject);
    }

    /// A person is found by nothing any more of what is held: everything by which one is found stands in the
    /// dossier, so nobody else has to be looked at.
    pub(super) fn forget(&mut self, held: &Dossier) {
        let subject = held.subject;
        for by in held.identifiers.keys() {
            let digest = self.digest(by);
            self.give_up(digest, subject);
        }
        for case in held.cases.values() {
            self.cases.remove(&case.id);
            self.take_back(case, subject);
        }
        for code in held.introductions.keys() {
            self.codes.remove(code);
        }
    }

    /// A person no longer claims what has this digest.
    fn give_up(&mut self, digest: [u8; 16], subject: SubjectId) {
        if let Entry::Occupied(mut later) = self.claimed.entry(digest) {
            later.get_mut().retain(|(_, claiming)| *claiming != subject);
            if later.get().is_empty() {
                later.remove();
            }
        }
        if self.known.get(&digest).is_none_or(|held| held.1 != subject) {
            return;
        }
        self.known.remove(&digest);
        if let Entry::Occupied(mut later) = self.claimed.entry(digest) {
            self.known
                .extend(later.get_mut().pop_first().map(|next| (digest, next)));
            if later.get().is_empty() {
                later.remove();
            }
        }
    }

    /// Who is found by an identifier.
    pub(super) fn known_by(&self, identifier: &Identifier) -> Option<SubjectId> {
        self.known
            .get(&self.digest(identifier))
            .map(|(_, subject)| *subject)
    }

    /// Whose a party, or anybody, said that a number is, the first word first.
    pub(super) fn said(
        &self,
        party: Option<&PartyId>,
        number: &Identifier,
    ) -> impl DoubleEndedIterator<Item = SubjectId> {
        let said = self.said.get(&self.digest_by(party, number));
        said.into_iter().flatten().map(|(_, subject)| *subject)
    }

    /// Who a party means: whom it said itself, and else whom everybody means.
    pub(super) fn meant_by(&self, naming: &Naming, party: &PartyId) -> Option<SubjectId> {
        match naming {
            Naming::By(number) => {
                let said = self.said(Some(party), number).next_back();
                said.or_else(|| self.known_by(number))
            }
            Naming::Case(case) => self.cases.get(case).copied(),
        }
    }

    /// To whom a code introduces.
    pub(super) fn introduced_by(&self, code_sha256: &[u8; 32]) -> Option<SubjectId> {
        self.codes.get(code_sha256).copied()
    }

    fn digest(&self, identifier: &Identifier) -> [u8; 16] {
        let (kind, party, text) = identifier.key();
        self.digest_of(kind, party, text)
    }

    /// Of a number as a party says it, or anybody.
    fn digest_by(&self, party: Option<&PartyId>, number: &Identifier) -> [u8; 16] {
        let (kind, _, text) = number.key();
        self.digest_of(kind, party.map_or("", PartyId::as_str), text)
    }

    fn digest_of(&self, kind: u8, party: &str, text: &str) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&[kind]);
        context.update(party.as_bytes());
        // No id of a party holds a zero byte.
        context.update(&[0]);
        context.update(text.as_bytes());
        context
            .sign()
            .as_ref()
            .first_chunk()
            .copied()
            .unwrap_or_default()
    }
}

impl std::fmt::Debug for People {
    /// Shows how many, and nobody.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People")
            .field("known", &self.known.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use schakel_core::{person::SubjectRef, time::Timestamp};

    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn the_same_mark_of_two_partners_means_two_people() {
        let mut people = People::new(&mut OsRandom);
        let (one, other) = (
            SubjectId::from_bytes([1; 16]),
            SubjectId::from_bytes([2; 16]),
        );
        let (housing, uwv): (PartyId, PartyId) =
            ("housing".parse().unwrap(), "uwv".parse().unwrap());
        let mark = || "c-17".parse().unwrap();
        people.know(
            &Identifier::ClientRef(housing.clone(), mark()),
            one,
            EntryIndex(1),
        );
        people.know(
            &Identifier::ClientRef(uwv.clone(), mark()),
            other,
            EntryIndex(2),
        );
        let meant = |by: &SubjectRef, party| people.meant_by(&Naming::of(party, by), party);
        let by_mark = SubjectRef::ClientRef(mark());
        assert_eq!(meant(&by_mark, &housing), Some(one));
        assert_eq!(meant(&by_mark, &uwv), Some(other));
        let skn = SubjectRef::Skn("C17".parse().unwrap());
        assert_eq!(meant(&skn, &uwv), None);
    }

    #[test]
    fn the_earliest_claim_holds_in_whatever_order_they_are_read() {
        let (one, other) = (
            SubjectId::from_bytes([1; 16]),
            SubjectId::from_bytes([2; 16]),
        );
        let bsn = Identifier::Bsn("111222333".parse().unwrap());
        for claims in [[(3, one), (7, other)], [(7, other), (3, one)]] {
            let mut people = People::new(&mut OsRandom);
            for (entry, subject) in claims {
                people.know(&bsn, subject, EntryIndex(entry));
            }
            assert_eq!(people.known_by(&bsn), Some(one));
        }
    }

    #[test]
    fn a_later_claim_holds_once_the_one_before_is_forgotten() {
        let subjects: Vec<_> = (1..=3).map(|n| SubjectId::from_bytes([n; 16])).collect();
        let bsn = Identifier::Bsn("111222333".parse().unwrap());
        let mut people = People::new(&mut OsRandom);
        for (subject, entry) in subjects.iter().zip([7, 3, 9]) {
            people.know(&bsn, *subject, EntryIndex(entry));
            // Said again, as by an entry that is applied after the row was read.
            people.know(&bsn, *subject, EntryIndex(entry));
        }
        for (forgotten, next) in [(1, Some(0)), (2, Some(0)), (0, None)] {
            let mut held = Dossier::new(subjects[forgotten]);
            held.identifiers.insert(bsn.clone(), EntryIndex(0));
            people.forget(&held);
            assert_eq!(people.known_by(&bsn), next.map(|n: usize| subjects[n]));
        }
        assert!(people.known.is_empty() && people.claimed.is_empty());
    }

    fn case(n: u8, by: &PartyId, number: &Identifier) -> Case {
        Case {
            id: CaseId::from_bytes([n; 16]),
            opened_by: by.clone(),
            opened_at: Timestamp::EPOCH,
            closed_at: None,
            returns: Vec::new(),
            members: Vec::new(),
            introduced: BTreeSet::new(),
            entry: EntryIndex(n.into()),
            besides: vec![number.clone()],
            in_error: false,
        }
    }

    #[test]
    fn a_number_means_whom_a_party_said_last_and_nobody_to_others() {
        let subjects: Vec<_> = (1..=3).map(|n| SubjectId::from_bytes([n; 16])).collect();
        let [one, other]: [PartyId; 2] = ["one", "other"].map(|id| id.parse().unwrap());
        let skn = Identifier::Skn("SKN1".parse().unwrap());
        let naming = Naming::By(skn.clone());
        let (first, last) = (case(4, &one, &skn), case(7, &one, &skn));
        for in_order in [true, false] {
            let mut people = People::new(&mut OsRandom);
            let mut cases = [(&first, subjects[0]), (&last, subjects[1])];
            if !in_order {
                cases.reverse();
            }
            for (case, subject) in cases {
                people.open_case(case, subject);
            }
            assert_eq!(people.meant_by(&naming, &one), Some(subjects[1]));
            assert_eq!(people.meant_by(&naming, &other), None);
            assert!(people.said(None, &skn).eq(subjects[..2].iter().copied()));
            people.know(&skn, subjects[2], EntryIndex(9));
            assert_eq!(people.meant_by(&naming, &other), Some(subjects[2]));
            assert_eq!(people.meant_by(&naming, &one), Some(subjects[1]));
            let in_error = Case {
                in_error: true,
                ..last.clone()
            };
            people.open_case(&in_error, subjects[1]);
            assert_eq!(people.meant_by(&naming, &one), Some(subjects[0]));
            let mut held = Dossier::new(subjects[0]);
            held.cases.insert(first.id, first.clone());
            people.forget(&held);
            assert_eq!(people.meant_by(&naming, &one), Some(subjects[2]));
            assert!(people.said.is_empty(), "nothing is left of what was said");
        }
    }
}
