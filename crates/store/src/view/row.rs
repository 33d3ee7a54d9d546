//! Sealing rows, and cutting long ones into parts.
//!
//! sled writes a leaf of its tree in one piece of up to sixteen rows, and one that grows beyond 128 KiB
//! to a file of its own, which a crash can lose. So no row may be longer than 4 KiB; a longer one is
//! cut into parts, each a row of the tree.

use schakel_core::random::Random;

use super::ViewError;
use crate::{aes, keyring::Key};

const NONCE: usize = 12;

/// The most bytes of a name and its value together.
pub(super) const LONGEST: usize = 4096;
/// The most bytes of content in a part. The longest name, that of a purpose version, has 48 bytes.
const PART: usize = 4000;
/// The most parts of a row.
const MOST_PARTS: usize = 255;

/// Seals a row to its name: nonce, content, tag.
pub(super) fn seal(
    key: &Key,
    name: &[u8],
    mut content: Vec<u8>,
    random: &mut dyn Random,
) -> Result<Vec<u8>, ViewError> {
    let mut nonce = [0; NONCE];
    random.fill(&mut nonce);
    aes::seal(key, nonce, name, &mut content).map_err(|_| ViewError::Cipher)?;
    Ok([nonce.as_slice(), &content].concat())
}

/// Opens what [`seal`] sealed to this name.
pub(super) fn open(key: &Key, name: &[u8], sealed: &[u8]) -> Result<Vec<u8>, ViewError> {
    let (nonce, content) = sealed.split_first_chunk().ok_or(ViewError::Damaged)?;
    let mut content = content.to_vec();
    let opened = aes::open(key, *nonce, name, &mut content);
    let len = opened.map_err(|_| ViewError::Damaged)?.len();
    content.truncate(len);
    Ok(content)
}

/// A row of the tree: a name and a value.
type Part = (Vec<u8>, Vec<u8>);

/// The parts of a row: the first says how many there are.
pub(super) fn parts(name: &[u8], body: &[u8]) -> Result<Vec<Part>, ViewError> {
    let too_long = || ViewError::TooLong {
        section: section(name),
        bytes: body.len(),
    };
    let count = body.len().div_ceil(PART).max(1);
    let count = u8::try_from(count)
        .ok()
        .filter(|count| usize::from(*count) <= MOST_PARTS);
    let count = count.ok_or_else(too_long)?;
    let mut chunks = body.chunks(PART);
    let first = [&[count], chunks.next().unwrap_or_default()].concat();
    let values = std::iter::once(first).chain(chunks.map(<[u8]>::to_vec));
    let parts = (0..)
        .zip(values)
        .map(|(part, value)| (part_of(name, part), value));
    let parts: Vec<Part> = parts.collect();
    let fits = parts
        .iter()
        .all(|(name, value)| name.len() + value.len() <= LONGEST);
    if fits { Ok(parts) } else { Err(too_long()) }
}

/// The name of one part of a row.
pub(super) fn part_of(name: &[u8], part: u8) -> Vec<u8> {
    [name, &[part]].concat()
}

/// Puts rows together again from the parts that the tree gives in order.
pub(super) struct Rows<I>(pub(super) I);

/// A row with its name and the number of its parts.
pub(super) struct Whole {
    pub(super) name: Vec<u8>,
    pub(super) body: Vec<u8>,
    pub(super) parts: u8,
}

impl<I: Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>> Rows<I> {
    fn whole(&mut self, name: &[u8], value: &[u8]) -> Result<Whole, ViewError> {
        let (Some((0, name)), Some((count, body))) = (name.split_last(), value.split_first())
        else {
            return Err(ViewError::Damaged);
        };
        let mut body = body.to_vec();
        for part in 1..*count {
            let (next, value) = self.0.next().ok_or(ViewError::Damaged)??;
            if next.split_last() != Some((&part, name)) {
                return Err(ViewError::Damaged);
            }
            body.extend_from_slice(&value);
        }
        Ok(Whole {
            name: name.to_vec(),
            body,
            parts: *count,
        })
    }
}

impl<I: Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>> Iterator for Rows<I> {
    type Item = Result<Whole, ViewError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0.next()? {
            Ok((name, value)) => Some(self.whole(&name, &value)),
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// What a row is of, for people.
fn section(name: &[u8]) -> &'static str {
    match name.first() {
        Some(&super::name::REGISTRY) => "the registry",
        Some(&super::name::INBOX) => "an inbox",
        Some(&super::name::DOSSIER) => "a dossier",
        Some(&super::name::ERASURE) => "the erasures",
        _ => "the view",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    fn together(parts: &[Part]) -> Result<Vec<Whole>, ViewError> {
        Rows(
            parts
                .iter()
                .map(|(name, value)| Ok((name.as_slice().into(), value.as_slice().into()))),
        )
        .collect()
    }

    #[test]
    fn no_part_is_longer_than_4_kib_and_a_row_reads_back_whole() {
        for len in [0, 1, PART, PART + 1, 20_000, PART * MOST_PARTS] {
            let body = vec![7; len];
            let name = [b'd'; 48];
            let parts = parts(&name, &body).unwrap();
            assert!(
                parts
                    .iter()
                    .all(|(name, value)| name.len() + value.len() <= LONGEST)
            );
            let rows = together(&parts).unwrap();
            assert_eq!(rows.len(), 1);
            assert_eq!(
                (&rows[0].body, rows[0].name.as_slice()),
                (&body, name.as_slice())
            );
            assert_eq!(usize::from(rows[0].parts), parts.len());
        }
    }

    #[test]
    fn a_row_of_too_many_parts_is_refused_by_name() {
        let error = parts(b"dx", &vec![0; PART * MOST_PARTS + 1]).unwrap_err();
        assert!(error.to_string().contains("a dossier"), "{error}");
        assert!(
            parts(&[b'd'; 200], &vec![0; PART]).is_err(),
            "the name counts as well"
        );
    }

    #[test]
    fn a_row_with_a_part_missing_is_damaged() {
        let parts = parts(b"dx", &vec![7; PART * 3]).unwrap();
        for missing in 0..parts.len() {
            let mut rest = parts.clone();
            rest.remove(missing);
            assert!(
                matches!(together(&rest), Err(ViewError::Damaged)),
                "{missing}"
            );
        }
    }

    #[test]
    fn a_sealed_row_opens_at_its_own_name_only() {
        let (key, other) = (Key::new([1; 32]), Key::new([2; 32]));
        let sealed = seal(&key, b"here", b"content".to_vec(), &mut OsRandom).unwrap();
        assert_eq!(open(&key, b"here", &sealed).unwrap(), b"content");
        assert!(open(&key, b"there", &sealed).is_err());
        assert!(open(&other, b"here", &sealed).is_err());
        assert!(open(&key, b"here", &sealed[..10]).is_err());
    }
}
