//! Cursors: positions, encrypted for the party that gets them, so that they tell nothing and cannot be
//! made up. They outlive a restart; when the view is rebuilt from nothing they no longer open, and the
//! caller begins again with what it has not acknowledged.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use schakel_core::{
    id::{PartyId, Reference},
    random::Random,
    time::Timestamp,
};
use schakel_store::random::OsRandom;

use super::Sequencer;

const NONCE_LEN: usize = 12;

/// What a cursor walks through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CursorKind {
    /// The entries of an export.
    Entries,
    /// What was handed over to a party.
    HandedOver,
    /// The messages of an inbox.
    Inbox,
    /// The processing lines of an export.
    Processings,
    /// The results of a search.
    Search,
    /// The entries that a report is made from.
    Report,
    /// The persons touched by a breach.
    Breach,
    /// The transactions of an export.
    Transactions,
    /// The disclosures that a usage is counted from.
    Usage,
}

/// What a cursor says of a run of exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCursor {
    /// Where it goes on.
    pub position: u64,
    /// When the run began.
    pub begun: Timestamp,
    /// Who was told last: a digest of the employee and the certificate.
    pub by: [u8; 16],
    /// The approval it began with.
    pub approval: Option<Reference>,
}

impl Sequencer {
    /// Encrypts an inbox position or a search position for the party that gets it, so that it tells
    /// nothing and cannot be made up. The result has a fixed length.
    #[must_use]
    pub fn seal_cursor(&self, party: &PartyId, kind: CursorKind, position: u64) -> Vec<u8> {
        self.cursors.seal(party, kind, position, &mut OsRandom)
    }

    /// Opens what [`Self::seal_cursor`] gave to this party; `None` when it did not.
    #[must_use]
    pub fn open_cursor(&self, party: &PartyId, kind: CursorKind, cursor: &[u8]) -> Option<u64> {
        self.cursors.open(party, kind, cursor)
    }

    /// As [`Self::seal_cursor`], for a run of exports by a party for a controller.
    #[must_use]
    pub fn seal_run(
        &self,
        whose: (&PartyId, Option<&PartyId>),
        kind: CursorKind,
        run: &RunCursor,
    ) -> Vec<u8> {
        self.cursors.seal_run(whose, kind, run, &mut OsRandom)
    }

    /// Opens what [`Self::seal_run`] gave to this party for this controller; `None` when it did not.
    #[must_use]
    pub fn open_run(
        &self,
        whose: (&PartyId, Option<&PartyId>),
        kind: CursorKind,
        cursor: &[u8],
    ) -> Option<RunCursor> {
        self.cursors.open_run(whose, kind, cursor)
    }
}

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
        self.seal_bytes(&aad(party, kind), &position.to_be_bytes(), random)
    }

    /// A cursor of a run of exports, of 77 bytes whatever it says. It opens for these two parties together.
    pub(super) fn seal_run(
        &self,
        whose: (&PartyId, Option<&PartyId>),
        kind: CursorKind,
        run: &RunCursor,
        random: &mut dyn Random,
    ) -> Vec<u8> {
        let RunCursor {
            position,
            begun,
            by,
            approval,
        } = run;
        let begun = begun.as_millis().to_be_bytes();
        let named = approval.map_or([0; 16], |approval| *approval.as_bytes());
        let mut bytes = [position.to_be_bytes(), begun].concat();
        bytes.extend_from_slice(by);
        bytes.push(u8::from(approval.is_some()));
        bytes.extend_from_slice(&named);
        self.seal_bytes(&aad_of_run(whose, kind), &bytes, random)
    }

    fn seal_bytes(&self, aad: &[u8], bytes: &[u8], random: &mut dyn Random) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let mut sealed = bytes.to_vec();
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        if self
            .key
            .seal_in_place_append_tag(nonce_used, Aad::from(aad), &mut sealed)
            .is_err()
        {
            return Vec::new();
        }
        [nonce.as_slice(), &sealed].concat()
    }

    /// The position in a cursor that was sealed for this party and this kind.
    pub(super) fn open(&self, party: &PartyId, kind: CursorKind, cursor: &[u8]) -> Option<u64> {
        let opened = self.open_bytes(&aad(party, kind), cursor)?;
        Some(u64::from_be_bytes(opened.try_into().ok()?))
    }

    /// What [`Self::seal_run`] sealed for these parties and this kind.
    pub(super) fn open_run(
        &self,
        whose: (&PartyId, Option<&PartyId>),
        kind: CursorKind,
        cursor: &[u8],
    ) -> Option<RunCursor> {
        let opened = self.open_bytes(&aad_of_run(whose, kind), cursor)?;
        let (position, rest) = opened.split_first_chunk()?;
        let (begun, rest) = rest.split_first_chunk()?;
        let (by, rest) = rest.split_first_chunk()?;
        let ([approved], named) = rest.split_first_chunk()?;
        let named = Reference::from_bytes(named.try_into().ok()?);
        Some(RunCursor {
            position: u64::from_be_bytes(*position),
            begun: Timestamp::from_millis(u64::from_be_bytes(*begun)).ok()?,
            by: *by,
            approval: (*approved == 1).then_some(named),
        })
    }

    fn open_bytes(&self, aad: &[u8], cursor: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = cursor.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(aad), &mut sealed)
            .ok()?;
        Some(opened.to_vec())
    }
}

/// No id of a party holds a zero byte, so that no two pairs are written alike.
fn aad_of_run((party, controller): (&PartyId, Option<&PartyId>), kind: CursorKind) -> Vec<u8> {
    let controller = controller.map_or("", PartyId::as_str);
    [
        &aad(party, kind),
        b"\0run\0".as_slice(),
        controller.as_bytes(),
    ]
    .concat()
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
    }

    #[test]
    fn a_cursor_of_a_run_opens_only_for_the_party_and_controller_it_was_made_for() {
        let cursors = Cursors::new(&[7; 32]).unwrap();
        let [officer, one, two] =
            ["officer", "party-one", "party-two"].map(|id| id.parse::<PartyId>().unwrap());
        for approval in [None, Some(Reference::from_bytes([9; 16]))] {
            let run = RunCursor {
                position: 42,
                begun: Timestamp::from_millis(7).unwrap(),
                by: [3; 16],
                approval,
            };
            let whose = (&officer, Some(&one));
            let cursor = cursors.seal_run(whose, CursorKind::Entries, &run, &mut OsRandom);
            assert_eq!(cursor.len(), 77, "whatever it says");
            let open = |whose, kind| cursors.open_run(whose, kind, &cursor);
            assert_eq!(open(whose, CursorKind::Entries), Some(run));
            assert_eq!(open(whose, CursorKind::Processings), None);
            assert_eq!(open((&officer, Some(&two)), CursorKind::Entries), None);
            assert_eq!(open((&officer, None), CursorKind::Entries), None);
            assert_eq!(open((&one, Some(&officer)), CursorKind::Entries), None);
            assert_eq!(cursors.open(&officer, CursorKind::Entries, &cursor), None);
        }
    }
}
