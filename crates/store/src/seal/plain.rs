//! What is encrypted: the blind, the details with what was kept apart of them, and zeros.

use schakel_audit::erasure::Opened;

use super::{SealError, Unsealed};

/// Details alone.
pub(super) const WHOLE: u8 = 1;
/// Details, and what was kept apart of them.
pub(super) const APART: u8 = 2;
pub(super) const BLIND: usize = 32;
const PADDING: usize = 256;

/// What is encrypted, before it is.
pub(super) struct Plain<'a> {
    pub(super) blind: &'a [u8; BLIND],
    pub(super) details: &'a [u8],
    pub(super) links: &'a [u8],
}

impl Plain<'_> {
    /// The version of what is sealed.
    pub(super) const fn version(&self) -> u8 {
        if self.links.is_empty() { WHOLE } else { APART }
    }

    /// The parts, each of which has its length before it.
    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let links = Some(self.links).filter(|links| !links.is_empty());
        std::iter::once(self.details).chain(links)
    }

    /// How long it is, with its padding.
    pub(super) fn len(&self) -> usize {
        let parts = self.parts().map(|part| 4 + part.len());
        BLIND + parts.sum::<usize>().next_multiple_of(PADDING)
    }

    /// Lays it down at the end of what is sealed.
    pub(super) fn append_to(&self, sealed: &mut Vec<u8>) -> Result<(), SealError> {
        let end = sealed.len() + self.len();
        sealed.extend_from_slice(self.blind);
        for part in self.parts() {
            let len = u32::try_from(part.len()).map_err(|_| SealError::Encryption)?;
            sealed.extend_from_slice(&len.to_le_bytes());
            sealed.extend_from_slice(part);
        }
        sealed.resize(end, 0);
        Ok(())
    }
}

/// What was encrypted, once it no longer is.
pub(super) fn taken_apart(plain: &[u8], version: u8) -> Option<Unsealed> {
    let (blind, plain) = plain.split_first_chunk::<BLIND>()?;
    let (details, rest) = counted(plain)?;
    let links = match version {
        APART => counted(rest)?.0,
        _ => &[],
    };
    Some(Unsealed {
        opened: Opened {
            blind: *blind,
            details: details.to_vec(),
        },
        links: links.to_vec(),
    })
}

/// A part with its length before it, and what follows.
fn counted(plain: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = plain.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)
}
