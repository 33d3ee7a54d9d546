//! A batch of receipts on disk: its length, its sum, its content.

use sha2::{Digest as _, Sha256};

/// The bytes of length and sum.
pub(super) const HEAD: usize = 12;
/// The most bytes of a batch's content.
pub(super) const LARGEST: usize = 16 * 1024 * 1024;

/// The content at the beginning of a batch that is whole.
pub(super) fn whole(batch: &[u8]) -> Option<&[u8]> {
    let (head, rest) = batch.split_at_checked(HEAD)?;
    let (len, sum) = head.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
    let content = rest.get(..len).filter(|_| (1..=LARGEST).contains(&len))?;
    Sha256::digest(content).starts_with(sum).then_some(content)
}

/// Whether what is not a whole batch can be the last one, cut off while it was written: no whole one follows,
/// which would have been written after it.
pub(super) fn is_torn(rest: &[u8]) -> bool {
    let mut after = (1..rest.len()).filter_map(|at| rest.get(at..));
    !after.any(|after| whole(after).is_some())
}

/// Writes the head of a batch.
pub(super) fn seal(batch: &mut [u8]) {
    let Some((head, content)) = batch.split_at_mut_checked(HEAD) else {
        return;
    };
    let len = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let sum = Sha256::digest(content);
    let bytes = len.to_le_bytes().into_iter().chain(sum);
    for (to, from) in head.iter_mut().zip(bytes) {
        *to = from;
    }
}
