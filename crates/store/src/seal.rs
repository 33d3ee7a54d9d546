//! Sealing details: encrypted once, under a key that is wrapped for every controller concerned.
//!
//! ```text
//! plain  = u32 length | details | zeros up to a multiple of 256 bytes                          (version 1)
//!        | u32 length | details | u32 length | links | zeros up to a multiple of 256 bytes    (version 2)
//! body   = AES-256-GCM(DEK, nonce 0, aad = "schakel/details/v1" | 0 | commitment | origin, blind | plain)
//! wrap   = AES-256-GCM(HKDF-SHA256(salt = entry id, slot key | term key, "schakel/wrap/v1"), nonce 0,
//!                      aad = slot id, DEK)
//! sealed = u8 version | u8 mode | u8 wraps | u8 term | [16] record slot, when the term is a record
//!        | wraps x ([16] slot id | [48] wrap) | body
//! ```
//!
//! The links are what [`crate::details::encode_apart`] keeps out of the details, which hold a digest of them; version 2 is
//! for details that have them.
//!
//! Mode 0 is open (nothing personal: `blind | plain` in clear), mode 1 is sealed. The term key is that of the
//! leaf's class and destroy month (term 0) or of a record (term 1). Every key is used for one message only,
//! so nonces are zero. An entry about nobody known is wrapped once, under the month's key for that, and is as
//! long as one about a person.

mod plain;

use std::fmt;

use schakel_audit::{
    commitment,
    erasure::Opened,
    leaf::{Leaf, Month, RetentionClass},
};
use schakel_core::{id::SlotId, random::Random};
use zeroize::Zeroizing;

use self::plain::{APART, BLIND, Plain, WHOLE, taken_apart};
use crate::{
    aes::{self, TAG_LEN},
    details::Encoded,
    keyring::{Key, Keyring, KeyringError},
};

const WRAP_LEN: usize = 16 + 32 + TAG_LEN;
/// The most bytes of details that are sealed. How many fit the log beside their wraps, whoever appends checks.
pub const MAX_DETAILS_LEN: usize = 65_000;
const AAD: &[u8] = b"schakel/details/v1\0";
const INFO: &[u8] = b"schakel/wrap/v1";

/// Who may open what is sealed.
#[derive(Debug)]
pub enum Scope<'a> {
    /// Everybody who has the log: nothing personal is inside.
    Open,
    /// The broker, for as long as the month's key for entries about nobody known lives.
    Unknown,
    /// The controllers whose slots these are, for as long as the term lives; 1 to 255 slots.
    Slots {
        /// The person's slots with the controllers concerned.
        slots: &'a [SlotId],
        /// What ends it for all of them.
        term: Term,
    },
}

/// What ends the life of sealed details, beside the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// The leaf's retention class and destroy month.
    ClassMonth,
    /// The end of an open-ended record, which has a slot of its own.
    Record(SlotId),
}

/// Why details could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// A key is missing.
    #[error("a key to seal with is missing")]
    Keyring(#[from] KeyringError),
    /// No slot was named, or more than 255.
    #[error("details must be sealed for 1 to 255 controllers")]
    Slots,
    /// The leaf has no destroy month, and its details need one.
    #[error("the leaf must have a destroy month")]
    NoMonth,
    /// The details are longer than any entry holds, before padding and wraps.
    #[error("the details have {len} bytes: at most {MAX_DETAILS_LEN} are sealed")]
    TooLong {
        /// How long they are.
        len: usize,
    },
    /// Encryption failed.
    #[error("the details cannot be encrypted")]
    Encryption,
}

/// Why details could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Every key that opens them is gone: they were erased.
    #[error("the keys that open the details are gone")]
    Erased,
    /// They are not what the leaf is committed to, or are damaged.
    #[error("the details are damaged, or not those the leaf is committed to")]
    Damaged,
}

/// Seals details whole and commits the leaf to them: for what names no person.
///
/// # Errors
/// [`SealError`].
pub fn seal(
    leaf: &mut Leaf,
    details: &[u8],
    scope: &Scope<'_>,
    origin: &str,
    keyring: &Keyring,
    random: &mut dyn Random,
) -> Result<Vec<u8>, SealError> {
    seal_parts(leaf, (details, &[]), scope, origin, keyring, random)
}

/// Seals details beside what was kept apart of them, and commits the leaf to the details.
///
/// # Errors
/// [`SealError`].
pub fn seal_apart(
    leaf: &mut Leaf,
    encoded: &Encoded,
    scope: &Scope<'_>,
    origin: &str,
    keyring: &Keyring,
    random: &mut dyn Random,
) -> Result<Vec<u8>, SealError> {
    let parts = (encoded.details.as_slice(), encoded.links.as_slice());
    seal_parts(leaf, parts, scope, origin, keyring, random)
}

fn seal_parts(
    leaf: &mut Leaf,
    (details, links): (&[u8], &[u8]),
    scope: &Scope<'_>,
    origin: &str,
    keyring: &Keyring,
    random: &mut dyn Random,
) -> Result<Vec<u8>, SealError> {
    let len = details.len() + links.len();
    if len > MAX_DETAILS_LEN {
        return Err(SealError::TooLong { len });
    }
    let mut blind = [0; BLIND];
    random.fill(&mut blind);
    leaf.commitment = commitment::commit(&blind, details);
    let plain = Plain {
        blind: &blind,
        details,
        links,
    };
    let version = plain.version();
    let (slots, term_key, record) = match scope {
        Scope::Open => {
            let mut sealed = Vec::with_capacity(4 + plain.len());
            sealed.extend_from_slice(&[version, 0, 0, 0]);
            plain.append_to(&mut sealed)?;
            return Ok(sealed);
        }
        Scope::Unknown => {
            let (id, key) = keyring.unknown(leaf.destroy.ok_or(SealError::NoMonth)?)?;
            (vec![(id, key)], month_key(leaf, keyring)?, None)
        }
        Scope::Slots { slots, term } => {
            let keys = slots.iter().map(|slot| Ok((*slot, keyring.key(*slot)?)));
            let keys = keys.collect::<Result<Vec<_>, KeyringError>>()?;
            match term {
                Term::ClassMonth => (keys, month_key(leaf, keyring)?, None),
                Term::Record(slot) => (keys, keyring.key(*slot)?, Some(*slot)),
            }
        }
    };
    let count = u8::try_from(slots.len())
        .ok()
        .filter(|count| *count > 0)
        .ok_or(SealError::Slots)?;
    // In one piece, and encrypted where it stands: growing would leave copies of what is in clear behind.
    let len = 4 + 16 + slots.len() * WRAP_LEN + plain.len() + TAG_LEN;
    let mut sealed = Vec::with_capacity(len);
    sealed.extend_from_slice(&[version, 1, count, u8::from(record.is_some())]);
    if let Some(record) = record {
        sealed.extend_from_slice(record.as_bytes());
    }
    let mut dek = Zeroizing::new([0; 32]);
    random.fill(dek.as_mut_slice());
    for (slot, key) in &slots {
        sealed.extend_from_slice(slot.as_bytes());
        wrap(&leaf.id, *slot, key, &term_key, &dek, &mut sealed)?;
    }
    let body = sealed.len();
    plain.append_to(&mut sealed)?;
    aes::seal_from(body, &dek, [0; 12], &aad(leaf, origin), &mut sealed)
        .map_err(|_| SealError::Encryption)?;
    Ok(sealed)
}

/// Opens details with any slot whose key is still there, and checks them against the leaf.
///
/// # Errors
/// [`OpenError`].
pub fn open(
    leaf: &Leaf,
    sealed: &[u8],
    origin: &str,
    keyring: &Keyring,
) -> Result<Vec<u8>, OpenError> {
    open_whole(leaf, sealed, origin, keyring).map(|unsealed| unsealed.opened.details)
}

/// What was sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Unsealed {
    /// What the leaf is committed to, with what somebody else needs to check it.
    pub opened: Opened,
    /// What was kept apart of the details; empty where nothing was.
    pub links: Vec<u8>,
}

impl fmt::Debug for Unsealed {
    /// Shows nothing of the details.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unsealed(redacted)")
    }
}

/// As [`open`], with all that was sealed.
///
/// # Errors
/// [`OpenError`].
pub fn open_whole(
    leaf: &Leaf,
    sealed: &[u8],
    origin: &str,
    keyring: &Keyring,
) -> Result<Unsealed, OpenError> {
    let parts = parse(sealed).ok_or(OpenError::Damaged)?;
    let mut body = Zeroizing::new(parts.body.to_vec());
    let plain: &[u8] = if parts.is_open {
        &body
    } else {
        let term_key = term_key(leaf, parts.record, keyring)?;
        let dek = parts
            .wraps
            .iter()
            .find_map(|(slot, wrapped)| {
                let key = keyring.key(*slot).ok()?;
                Some(unwrap(&leaf.id, *slot, &key, &term_key, wrapped))
            })
            .ok_or(OpenError::Erased)?
            .ok_or(OpenError::Damaged)?;
        aes::open(&dek, [0; 12], &aad(leaf, origin), &mut body).map_err(|_| OpenError::Damaged)?
    };
    let unsealed = taken_apart(plain, parts.version).ok_or(OpenError::Damaged)?;
    let opened = &unsealed.opened;
    if commitment::verify_commit(&opened.blind, &opened.details, &leaf.commitment) {
        Ok(unsealed)
    } else {
        Err(OpenError::Damaged)
    }
}

/// The slots that open sealed details, in the order in which they were sealed for: for whoever looks for
/// what an erasure covers, or for the key of one controller.
#[must_use]
pub fn slots(sealed: &[u8]) -> Vec<SlotId> {
    let wraps = parse(sealed).map(|parts| parts.wraps).unwrap_or_default();
    wraps.into_iter().map(|(slot, _)| slot).collect()
}

/// The slot of the open-ended record that ends sealed details, where one does.
#[must_use]
pub fn record(sealed: &[u8]) -> Option<SlotId> {
    parse(sealed)?.record
}

/// What open details consist of, to be published as it is. `None` when they are sealed, or damaged.
#[must_use]
pub fn opened(sealed: &[u8]) -> Option<Opened> {
    let parts = parse(sealed).filter(|parts| parts.is_open)?;
    taken_apart(parts.body, parts.version).map(|unsealed| unsealed.opened)
}

/// Sealed details taken apart.
struct Parts<'a> {
    version: u8,
    is_open: bool,
    record: Option<SlotId>,
    wraps: Vec<(SlotId, &'a [u8])>,
    body: &'a [u8],
}

fn parse(sealed: &[u8]) -> Option<Parts<'_>> {
    let ([version, mode, count, term], rest) = sealed.split_first_chunk::<4>()?;
    if ![WHOLE, APART].contains(version)
        || *mode > 1
        || *term > 1
        || (*mode == 0 && (*count, *term) != (0, 0))
    {
        return None;
    }
    let (record, rest) = if *term == 1 {
        let (slot, rest) = rest.split_first_chunk::<16>()?;
        (Some(SlotId::from_bytes(*slot)), rest)
    } else {
        (None, rest)
    };
    let (wraps, body) = rest.split_at_checked(usize::from(*count) * WRAP_LEN)?;
    let wraps = wraps.chunks_exact(WRAP_LEN).map(|wrap| {
        let (slot, wrapped) = wrap.split_first_chunk::<16>()?;
        Some((SlotId::from_bytes(*slot), wrapped))
    });
    Some(Parts {
        version: *version,
        is_open: *mode == 0,
        record,
        wraps: wraps.collect::<Option<_>>()?,
        body,
    })
}

fn wrap(
    entry: &[u8; 16],
    slot: SlotId,
    key: &Key,
    term: &Key,
    dek: &Key,
    sealed: &mut Vec<u8>,
) -> Result<(), SealError> {
    let wrap_key = aes::derive(entry, &[key, term], INFO);
    let from = sealed.len();
    sealed.extend_from_slice(dek.as_slice());
    aes::seal_from(from, &wrap_key, [0; 12], slot.as_bytes(), sealed)
        .map_err(|_| SealError::Encryption)
}

fn unwrap(entry: &[u8; 16], slot: SlotId, key: &Key, term: &Key, wrapped: &[u8]) -> Option<Key> {
    let wrap_key = aes::derive(entry, &[key, term], INFO);
    let mut wrapped = Zeroizing::new(wrapped.to_vec());
    let dek = aes::open(&wrap_key, [0; 12], slot.as_bytes(), &mut wrapped).ok()?;
    Some(Zeroizing::new(<[u8; 32]>::try_from(&*dek).ok()?))
}

fn month_key(leaf: &Leaf, keyring: &Keyring) -> Result<Key, SealError> {
    let month = leaf.destroy.ok_or(SealError::NoMonth)?;
    Ok(keyring.month(leaf.class, month)?)
}

fn term_key(leaf: &Leaf, record: Option<SlotId>, keyring: &Keyring) -> Result<Key, OpenError> {
    let found = match (record, leaf.destroy) {
        (Some(slot), _) => keyring.key(slot),
        (None, Some(month)) => existing(keyring, leaf.class, month),
        (None, None) => return Err(OpenError::Damaged),
    };
    found.map_err(|_| OpenError::Erased)
}

fn existing(keyring: &Keyring, class: RetentionClass, month: Month) -> Result<Key, KeyringError> {
    keyring.existing_month(class, month)
}

fn aad(leaf: &Leaf, origin: &str) -> Vec<u8> {
    [AAD, leaf.commitment.as_slice(), origin.as_bytes()].concat()
}
