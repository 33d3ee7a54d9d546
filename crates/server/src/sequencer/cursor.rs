//! Cursors: positions, encrypted for the party that gets them, so that they tell nothing and cannot be
//! made up. They outlive a restart; when the view is rebuilt from nothing they no longer open, and the
//! caller begins again with what it has not acknowledged.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use schakel_core::{id::PartyId, random::Random, time::Timestamp};

use super::CursorKind;

const NONCE_LEN: usize = 12;

/// Seals and opens cursors.
#[derive(Debug)]
pub(super) struct Cursors {
    key: LessSafeKey,
}

impl Cursors {
    /// With a key of 32 bytes.
    pub(super) fn new(key: &[u8; 32]) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key).ok()?;
        Some(Self {
            key: LessSafeKey::new(key),
        })
    }

    /// A cursor of 36 bytes.
    pub(super) fn seal(
        &self,
        party: &PartyId,
        kind: CursorKind,
        position: u64,
        random: &mut dyn Random,
    ) -> Vec<u8> {
        self.seal_bytes(party, kind, &position.to_be_bytes(), random)
    }

    /// A cursor that also says since when it walks, of 44 bytes.
    pub(super) fn seal_since(
        &self,
        party: &PartyId,
        kind: CursorKind,
        (position, since): (u64, Timestamp),
        random: &mut dyn Random,
    ) -> Vec<u8> {
        let since = since.as_millis().to_be_bytes();
        let bytes = [position.to_be_bytes(), since].concat();
        self.seal_bytes(party, kind, &bytes, random)
    }

    fn seal_bytes(
        &self,
        party: &PartyId,
        kind: CursorKind,
        bytes: &[u8],
        random: &mut dyn Random,
    ) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let mut sealed = bytes.to_vec();
        let aad = Aad::from(aad(party, kind));
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        if self
            .key
            .seal_in_place_append_tag(nonce_used, aad, &mut sealed)
            .is_err()
        {
            return Vec::new();
        }
        [nonce.as_slice(), &sealed].concat()
    }

    /// The position in a cursor that was sealed for this party and this kind.
    pub(super) fn open(&self, party: &PartyId, kind: CursorKind, cursor: &[u8]) -> Option<u64> {
        let opened = self.open_bytes(party, kind, cursor)?;
        Some(u64::from_be_bytes(opened.try_into().ok()?))
    }

    /// What [`Self::seal_since`] sealed for this party and this kind.
    pub(super) fn open_since(
        &self,
        party: &PartyId,
        kind: CursorKind,
        cursor: &[u8],
    ) -> Option<(u64, Timestamp)> {
        let opened = self.open_bytes(party, kind, cursor)?;
        let (position, since) = opened.split_first_chunk()?;
        let since = u64::from_be_bytes(since.try_into().ok()?);
        let since = Timestamp::from_millis(since).ok()?;
        Some((u64::from_be_bytes(*position), since))
    }

    fn open_bytes(&self, party: &PartyId, kind: CursorKind, cursor: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = cursor.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(aad(party, kind)), &mut sealed)
            .ok()?;
        Some(opened.to_vec())
    }
}

fn aad(party: &PartyId, kind: CursorKind) -> Vec<u8> {
    let kind: &[u8] = match kind {
        CursorKind::Entries => b"entries\0",
        CursorKind::HandedOver => b"handed-over\0",
        CursorKind::Inbox => b"inbox\0",
        CursorKind::Processings => b"processings\0",
        CursorKind::Search => b"search\0",
        CursorKind::Report => b"report\0",
        CursorKind::Breach => b"breach\0",
        CursorKind::Transactions => b"transactions\0",
        CursorKind::Usage => b"usage\0",
    };
    [kind, party.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use schakel_store::random::OsRandom;

    use super::*;

    #[test]
    fn a_cursor_opens_only_for_whom_it_was_made() {
        let cursors = Cursors::new(&[7; 32]).unwrap();
        let (one, two): (PartyId, PartyId) =
            ("party-one".parse().unwrap(), "party-two".parse().unwrap());
        let cursor = cursors.seal(&one, CursorKind::Inbox, 42, &mut OsRandom);
        assert_eq!(cursors.open(&one, CursorKind::Inbox, &cursor), Some(42));
        assert_eq!(cursors.open(&two, CursorKind::Inbox, &cursor), None);
        assert_eq!(cursors.open(&one, CursorKind::Search, &cursor), None);
        for at in 0..cursor.len() {
            let mut changed = cursor.clone();
            changed[at] ^= 1;
            assert_eq!(cursors.open(&one, CursorKind::Inbox, &changed), None);
        }
        let since = Timestamp::from_millis(7).unwrap();
        let cursor = cursors.seal_since(&one, CursorKind::Entries, (42, since), &mut OsRandom);
        let open = |kind| cursors.open_since(&one, kind, &cursor);
        assert_eq!(open(CursorKind::Entries), Some((42, since)));
        assert_eq!(open(CursorKind::Processings), None);
        assert_eq!(cursors.open(&one, CursorKind::Entries, &cursor), None);
    }
}
