//! How rows are named in the tree.
//!
//! ```text
//! m | applied, generation                       what the view is of
//! g | kind 1 | id …                   | part 1  registry, in clear
//! i | inbox 16 | kind 1 | id 16       | part 1  inboxes, sealed
//! d | person 16 | kind 1 | id 16      | part 1  dossiers, sealed
//! e | zeros 16  | kind 1 | id 16      | part 1  erasures, sealed
//! ```
//!
//! The names of inboxes and the ids of sealed rows are keyed hashes: an id may be a citizen service number.

use schakel_core::{
    dossier::RowKey,
    erasure::ErasureKey,
    id::{PartyId, SubjectId},
    inbox::InboxKey,
    registry::RegistryKey,
};
use serde::Serialize;

use super::{ViewError, key::Keys};

/// Where the number of entries applied stands, with the id of the last of them.
pub(super) const APPLIED: &[u8] = b"mapplied";
/// Where the generation stands.
pub(super) const GENERATION: &[u8] = b"mgeneration";
/// What the names of registry rows begin with.
pub(super) const REGISTRY: u8 = b'g';
/// What the names of inbox rows begin with.
pub(super) const INBOX: u8 = b'i';
/// What the names of dossier rows begin with.
pub(super) const DOSSIER: u8 = b'd';

/// What the names of rows about erasures begin with.
pub(super) const ERASURE: u8 = b'e';

/// The kinds of dossier rows. The numbers are part of the format of the view.
mod kind {
    pub(super) const IDENTIFIER: u8 = 1;
    pub(super) const SLOT: u8 = 2;
    pub(super) const CASE: u8 = 3;
    pub(super) const INTRODUCTION: u8 = 4;
    pub(super) const CONSENT: u8 = 16;
    pub(super) const STATUS: u8 = 17;
    pub(super) const RESTRICTION: u8 = 18;
    pub(super) const SERVED: u8 = 19;
    pub(super) const NOTICE: u8 = 20;
    /// Not a row: the name of an inbox.
    pub(super) const PARTY: u8 = 32;
    pub(super) const POSITION: u8 = 33;
    pub(super) const PENDING: u8 = 34;
    pub(super) const HANDED: u8 = 35;
    pub(super) const ERASURE: u8 = 48;
}

/// Whether rows of this kind are read at the start: those by which people are found, and their keys.
pub(super) const fn is_read_at_start(kind: u8) -> bool {
    kind < kind::CONSENT
}

/// The name of a registry row, without its part.
pub(super) fn registry(key: &RegistryKey) -> Vec<u8> {
    let mut name = vec![REGISTRY];
    match key {
        RegistryKey::Party(id) => {
            name.push(b'p');
            name.extend(id.as_str().as_bytes());
        }
        RegistryKey::Purpose(code, version) => {
            name.push(b'u');
            name.extend(code.as_str().as_bytes());
            // No code of a purpose holds a zero byte.
            name.push(0);
            name.extend(version.to_be_bytes());
        }
        RegistryKey::Proposal(id) => {
            name.push(b'o');
            name.extend(id.as_bytes());
        }
        RegistryKey::Blocked(certificate) => {
            name.push(b'b');
            name.extend(certificate.0);
        }
        RegistryKey::Seen(certificate) => {
            name.push(b's');
            name.extend(certificate.0);
        }
        RegistryKey::CheckpointKey(key) => {
            name.push(b'k');
            name.extend(key.as_bytes());
        }
        RegistryKey::Issued(certificate) => {
            name.push(b'i');
            name.extend(certificate);
        }
        RegistryKey::Enrolment(id) => {
            name.push(b'e');
            name.extend(id.as_bytes());
        }
    }
    name
}

/// The name of an inbox.
pub(super) fn inbox(keys: &Keys, party: &PartyId) -> [u8; 16] {
    keys.name(kind::PARTY, party.as_str().as_bytes())
}

/// The name of an inbox row, without its part.
pub(super) fn inbox_row(
    keys: &Keys,
    inbox: &[u8; 16],
    key: InboxKey,
) -> Result<Vec<u8>, ViewError> {
    let (kind, id) = match key {
        InboxKey::Position => (kind::POSITION, Vec::new()),
        InboxKey::Pending(order) => (kind::PENDING, cbor(&order)?),
        InboxKey::Handed(position) => (kind::HANDED, cbor(&position)?),
    };
    Ok(sealed_row(INBOX, inbox, kind, &keys.name(kind, &id)))
}

/// The name of a dossier row, without its part.
pub(super) fn dossier_row(
    keys: &Keys,
    subject: &SubjectId,
    key: &RowKey,
) -> Result<Vec<u8>, ViewError> {
    let (kind, id) = match key {
        RowKey::Identifier(identifier) => (kind::IDENTIFIER, cbor(identifier)?),
        RowKey::Slot(usage) => (kind::SLOT, cbor(usage)?),
        RowKey::Case(id) => (kind::CASE, id.as_bytes().to_vec()),
        RowKey::Consent(id) => (kind::CONSENT, id.as_bytes().to_vec()),
        RowKey::Status(case, condition, reporter) => {
            (kind::STATUS, cbor(&(case, condition, reporter))?)
        }
        RowKey::Restriction(id) => (kind::RESTRICTION, id.as_bytes().to_vec()),
        RowKey::Introduction(code) => (kind::INTRODUCTION, code.to_vec()),
        RowKey::Served(party, condition) => (kind::SERVED, cbor(&(party, condition))?),
        RowKey::Notice(id) => (kind::NOTICE, id.as_bytes().to_vec()),
    };
    Ok(sealed_row(
        DOSSIER,
        subject.as_bytes(),
        kind,
        &keys.name(kind, &id),
    ))
}

/// The name of a row about erasures, without its part.
pub(super) fn erasure_row(keys: &Keys, key: ErasureKey) -> Result<Vec<u8>, ViewError> {
    let id = keys.name(kind::ERASURE, &cbor(&key)?);
    Ok(sealed_row(ERASURE, &[0; 16], kind::ERASURE, &id))
}

/// What the names of one person's rows begin with.
pub(super) fn dossier(subject: &SubjectId) -> Vec<u8> {
    let mut name = vec![DOSSIER];
    name.extend(subject.as_bytes());
    name
}

/// The least name after all rows of one person.
pub(super) fn after(subject: &SubjectId) -> Vec<u8> {
    let mut name = dossier(subject);
    name.extend([u8::MAX; 19]);
    name
}

/// The owner and the kind in the name of a sealed row.
pub(super) fn owner_and_kind(name: &[u8]) -> Option<([u8; 16], u8)> {
    let (_, rest) = name.split_first()?;
    let (owner, rest) = rest.split_first_chunk()?;
    Some((*owner, *rest.first()?))
}

fn sealed_row(section: u8, owner: &[u8; 16], kind: u8, id: &[u8; 16]) -> Vec<u8> {
    let mut name = Vec::with_capacity(35);
    name.push(section);
    name.extend(owner);
    name.push(kind);
    name.extend(id);
    name
}

/// A value as CBOR.
pub(super) fn cbor(value: &impl Serialize) -> Result<Vec<u8>, ViewError> {
    let mut bytes = Vec::new();
    match ciborium::into_writer(value, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(ViewError::Encode(Box::new(error))),
    }
}
