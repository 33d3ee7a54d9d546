//! What the small broker does to erase.

use schakel_core::{
    erasure::{Covers, Erased, Ground, Rule},
    event::{Event, SlotUse},
    id::{EntryIndex, PartyId, SubjectId},
    inbox::{InboxKey, Pending},
};
use schakel_store::{
    entry::{self, Entry},
    keyring::Doomed,
    seal,
};

use super::{
    recorder::{Recorder, by, party, person},
    support::ORIGIN,
};

impl Recorder {
    /// Every entry about a person that can be read.
    pub(crate) fn about(&self, subject: SubjectId) -> Vec<(EntryIndex, Entry)> {
        let read = |index| {
            let found = entry::open(index, self.log.read(index), ORIGIN, &self.keyring);
            (EntryIndex(index), found.unwrap())
        };
        (0..self.log.size())
            .map(read)
            .filter(|(_, entry)| {
                let details = entry.details.as_ref();
                details.is_some_and(|details| details.subject == Some(subject))
            })
            .collect()
    }

    /// Every message in an inbox: whose, the position of one that was handed over, and what about.
    fn messages(&self) -> Vec<(PartyId, Option<u64>, Pending)> {
        let all = self.world.messages_after(None, usize::MAX).into_iter();
        let placed = all.map(|(party, at, message)| match at {
            InboxKey::Handed(position) => (party, Some(position), message),
            InboxKey::Pending(_) | InboxKey::Position => (party, None, message),
        });
        placed.collect()
    }

    /// Erases a person for a party, as the broker does. Whether there was anything to erase.
    pub(crate) fn erase(&mut self, n: u8, of: &str) -> bool {
        let subject = person(n);
        let usage = SlotUse::Controller(party(of));
        let dossier = self.world.dossier(subject).unwrap();
        let Some(slot) = dossier.slots.get(&usage).copied() else {
            return false;
        };
        let sealed_for = |index: &EntryIndex| {
            let stored = self.log.read(index.0).unwrap();
            seal::slots(&stored.sealed).contains(&slot)
        };
        let about: Vec<_> = self.about(subject).into_iter().map(|(at, _)| at).collect();
        let covered: Vec<_> = about.iter().copied().filter(sealed_for).collect();
        let erased = Erased {
            rule: Rule::of(Ground::Unlawful),
            covers: Covers::entries(covered),
            controller: Some(party(of)),
            slots: vec![slot],
            proposal: None,
        };
        let before = self.messages();
        let doomed = Doomed {
            slots: [slot].into(),
            ..Doomed::default()
        };
        self.record([by("broker", None, Event::Erased(erased))]);
        assert!(self.keyring.destroy(&doomed).unwrap());
        let again: Vec<_> = about
            .into_iter()
            .map(|at| {
                let found = entry::open(at.0, self.log.read(at.0), ORIGIN, &self.keyring);
                (at, found.unwrap())
            })
            .collect();
        self.world.make_again(subject, &again).unwrap();
        self.world.flush(self.log.size()).unwrap();
        for message in self.messages() {
            assert!(before.contains(&message), "it did not wait so before");
        }
        true
    }
}
