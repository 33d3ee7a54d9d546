//! AES-256-GCM and HKDF-SHA256, in the one form each is used here.

use std::process;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    error::Unspecified,
    hkdf,
};
use zeroize::Zeroizing;

/// The length of an authentication tag in bytes.
pub(crate) const TAG_LEN: usize = 16;

/// Encrypts in place and appends the tag. A key and a nonce must never meet twice.
pub(crate) fn seal(
    key: &[u8; 32],
    nonce: [u8; 12],
    aad: &[u8],
    in_out: &mut Vec<u8>,
) -> Result<(), Unspecified> {
    seal_from(0, key, nonce, aad, in_out)
}

/// As [`seal`], of what stands from a position on: what stands before it stays in clear.
pub(crate) fn seal_from(
    from: usize,
    key: &[u8; 32],
    nonce: [u8; 12],
    aad: &[u8],
    in_out: &mut Vec<u8>,
) -> Result<(), Unspecified> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?);
    let plain = in_out.get_mut(from..).ok_or(Unspecified)?;
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), plain)?;
    in_out.extend_from_slice(tag.as_ref());
    Ok(())
}

/// Decrypts in place and gives the plain text, which is shorter by the tag.
pub(crate) fn open<'a>(
    key: &[u8; 32],
    nonce: [u8; 12],
    aad: &[u8],
    in_out: &'a mut [u8],
) -> Result<&'a mut [u8], Unspecified> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?);
    key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), in_out)
}

/// Derives a key of 32 bytes: HKDF-SHA256 with a salt, secrets one after the other, and a purpose.
pub(crate) fn derive(salt: &[u8], secrets: &[&[u8; 32]], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut secret = Zeroizing::new([0; 64]);
    let mut len = 0;
    for (part, into) in secrets.iter().zip(secret.chunks_exact_mut(32)) {
        into.copy_from_slice(part.as_slice());
        len += 32;
    }
    let extracted =
        hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret.get(..len).unwrap_or_default());
    let mut key = Zeroizing::new([0; 32]);
    let info = [info];
    let filled = extracted
        .expand(&info, hkdf::HKDF_SHA256)
        .and_then(|expanded| expanded.fill(key.as_mut_slice()));
    if filled.is_err() {
        // 32 bytes can always be expanded. Were it not so, going on would mean a key of zeros.
        process::abort();
    }
    key
}
