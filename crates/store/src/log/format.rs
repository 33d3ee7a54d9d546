//! The bytes of a segment: its header, and the two kinds of frames that follow.
//!
//! All integers are little-endian; every checksum is CRC-32C over what stands before it.
//!
//! | header, 64 bytes | entry frame | commit frame, 52 bytes |
//! |---|---|---|
//! | `SCHKLOG1` | `ENTR` | `CMIT` |
//! | version, u32: 1 | index, u64 | first index of the batch, u64 |
//! | first index, u64 | first index of the batch, u64 | number of entries, u32: 1 to 1024 |
//! | SHA-256 of the origin, 32 bytes | length of the leaf, u32 | root of the tree after, 32 bytes |
//! | length of the file, u64 | length of the sealed part, u32 | checksum, u32 |
//! | checksum, u32 | leaf, sealed part | |
//! | | checksum, u32 | |
//!
//! The length stands in the header so that a segment cut off at its end is told from one that was
//! never filled.

use schakel_audit::tree::Hash;

/// The length of a segment's header.
pub(super) const HEADER_LEN: usize = 64;
/// The length of an entry frame without leaf and sealed part.
pub(super) const ENTRY_OVERHEAD: usize = 32;
/// The length of a commit frame.
pub(super) const COMMIT_LEN: usize = 52;
/// The greatest length of a leaf, and of a sealed part: what an entry of a C2SP bundle can hold.
pub(super) const MAX_PART: usize = 65_535;
/// The most entries in one batch.
pub(super) const MAX_ENTRIES: usize = 1_024;

/// The first four bytes of an entry frame.
pub(super) const ENTRY_MAGIC: [u8; 4] = *b"ENTR";
/// The first four bytes of a commit frame.
pub(super) const COMMIT_MAGIC: [u8; 4] = *b"CMIT";

const HEADER_MAGIC: [u8; 8] = *b"SCHKLOG1";
/// The version of the format, and the only one there is.
const VERSION: u32 = 1;

/// The header of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The index of the first entry.
    pub(super) first: u64,
    /// SHA-256 of the log's origin.
    pub(super) origin: [u8; 32],
    /// The length of the file in bytes.
    pub(super) file_len: u64,
}

/// Why the first bytes of a file are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// Too short, another magic, or the checksum does not match.
    Damaged,
    /// Whole, but of another version.
    Version(u32),
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_LEN);
        bytes.extend_from_slice(&HEADER_MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.first.to_le_bytes());
        bytes.extend_from_slice(&self.origin);
        bytes.extend_from_slice(&self.file_len.to_le_bytes());
        put_checksum(&mut bytes, 0);
        bytes
    }

    pub(super) fn decode(file: &[u8]) -> Result<Self, HeaderError> {
        let mut bytes = checked(file, HEADER_LEN).ok_or(HeaderError::Damaged)?;
        let rest = &mut bytes;
        let decoded = (|| {
            let magic = take(rest)?;
            let version = u32::from_le_bytes(take(rest)?);
            let first = u64::from_le_bytes(take(rest)?);
            let origin = take(rest)?;
            let file_len = u64::from_le_bytes(take(rest)?);
            (magic == HEADER_MAGIC).then_some((
                version,
                Self {
                    first,
                    origin,
                    file_len,
                },
            ))
        })();
        match decoded.ok_or(HeaderError::Damaged)? {
            (VERSION, header) => Ok(header),
            (version, _) => Err(HeaderError::Version(version)),
        }
    }
}

/// A frame as it stands in a segment, whole and with the right checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed<'a> {
    Entry(Entry<'a>),
    Commit(Commit),
}

/// An entry frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) index: u64,
    pub(super) batch_first: u64,
    pub(super) leaf: &'a [u8],
    pub(super) sealed: &'a [u8],
}

/// A commit frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) batch_first: u64,
    pub(super) count: u32,
    pub(super) root: Hash,
}

impl<'a> Parsed<'a> {
    /// Reads the frame that `bytes` begin with; `None` when no whole one does.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        match *bytes.first_chunk()? {
            ENTRY_MAGIC => Entry::read(bytes).map(Self::Entry),
            COMMIT_MAGIC => Commit::read(bytes).map(Self::Commit),
            _ => None,
        }
    }

    /// The index of the first entry of the frame's batch.
    pub(super) fn batch_first(&self) -> u64 {
        match self {
            Self::Entry(entry) => entry.batch_first,
            Self::Commit(commit) => commit.batch_first,
        }
    }
}

impl<'a> Entry<'a> {
    /// The length of the frame in bytes.
    pub(super) fn frame_len(&self) -> usize {
        ENTRY_OVERHEAD + self.leaf.len() + self.sealed.len()
    }

    /// Appends the frame to a batch; both parts are at most [`MAX_PART`] long.
    pub(super) fn encode_into(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_slice(&ENTRY_MAGIC);
        bytes.extend_from_slice(&self.index.to_le_bytes());
        bytes.extend_from_slice(&self.batch_first.to_le_bytes());
        put_len(bytes, self.leaf);
        put_len(bytes, self.sealed);
        bytes.extend_from_slice(self.leaf);
        bytes.extend_from_slice(self.sealed);
        put_checksum(bytes, start);
    }

    /// Reads the entry frame that `bytes` begin with; `None` when no whole one does.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut head = bytes;
        if take(&mut head)? != ENTRY_MAGIC {
            return None;
        }
        let index = u64::from_le_bytes(take(&mut head)?);
        let batch_first = u64::from_le_bytes(take(&mut head)?);
        let leaf_len = take_len(&mut head)?;
        let sealed_len = take_len(&mut head)?;
        checked(bytes, ENTRY_OVERHEAD + leaf_len + sealed_len)?;
        let (leaf, rest) = head.split_at_checked(leaf_len)?;
        let sealed = rest.get(..sealed_len)?;
        Some(Self {
            index,
            batch_first,
            leaf,
            sealed,
        })
    }
}

impl Commit {
    /// Appends the frame to a batch.
    pub(super) fn encode_into(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_slice(&COMMIT_MAGIC);
        bytes.extend_from_slice(&self.batch_first.to_le_bytes());
        bytes.extend_from_slice(&self.count.to_le_bytes());
        bytes.extend_from_slice(self.root.as_bytes());
        put_checksum(bytes, start);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut head = checked(bytes, COMMIT_LEN)?;
        let magic: [u8; 4] = take(&mut head)?;
        let batch_first = u64::from_le_bytes(take(&mut head)?);
        let count = u32::from_le_bytes(take(&mut head)?);
        let root = Hash::new(take(&mut head)?);
        (magic == COMMIT_MAGIC).then_some(Self {
            batch_first,
            count,
            root,
        })
    }
}

/// Appends the checksum over what was written from `start` on.
fn put_checksum(bytes: &mut Vec<u8>, start: usize) {
    let checksum = crc32c::crc32c(bytes.get(start..).unwrap_or_default());
    bytes.extend_from_slice(&checksum.to_le_bytes());
}

/// Appends the length of a part. One that is too long is refused before a batch is encoded.
fn put_len(bytes: &mut Vec<u8>, part: &[u8]) {
    let len = u32::try_from(part.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&len.to_le_bytes());
}

/// The first `len` bytes when they end in the checksum over the others.
fn checked(bytes: &[u8], len: usize) -> Option<&[u8]> {
    let (content, checksum) = bytes.get(..len)?.split_last_chunk()?;
    (crc32c::crc32c(content) == u32::from_le_bytes(*checksum)).then_some(content)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

fn take_len(bytes: &mut &[u8]) -> Option<usize> {
    let len = usize::try_from(u32::from_le_bytes(take(bytes)?)).ok()?;
    (len <= MAX_PART).then_some(len)
}
