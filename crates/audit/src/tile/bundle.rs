//! Entry bundles: for each entry its length in two bytes, the greater first, and the entry.

use thiserror::Error;

/// The length of the longest entry that a bundle can hold, in bytes.
pub const MAX_ENTRY: usize = 65_535;

/// An entry is too long for a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an entry of {0} bytes cannot be published: the longest has {MAX_ENTRY}")]
pub struct EntryTooLong(pub usize);

/// A bundle ends within an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the entry bundle ends within its entry {at}")]
pub struct BundleError {
    /// Which entry of the bundle, from 0.
    pub at: usize,
}

/// Appends an entry to a bundle.
///
/// # Errors
/// When the entry is longer than [`MAX_ENTRY`]; the bundle is then as it was.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), EntryTooLong> {
    let len = u16::try_from(entry.len()).map_err(|_| EntryTooLong(entry.len()))?;
    bundle.extend_from_slice(&len.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle, in order. One that is cut short is an error, and the last.
pub fn entries(bundle: &[u8]) -> impl Iterator<Item = Result<&[u8], BundleError>> {
    let mut rest = Some(bundle);
    (0..).map_while(move |at| {
        let bytes = rest.filter(|bytes| !bytes.is_empty())?;
        let split = split(bytes);
        rest = split.map(|(_, rest)| rest);
        Some(split.map(|(entry, _)| entry).ok_or(BundleError { at }))
    })
}

/// The first entry, and what follows it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))
}
