//! What a log holds, read by somebody who has only the description of its format.

use std::path::Path;

use schakel_audit::tree::{Frontier, leaf_hash};
use schakel_store::{disk::simulated::Simulation, log::Frame};

const HEADER: usize = 64;

/// The entries of all whole batches of a log.
pub(super) fn entries(disk: &Simulation, dir: &Path) -> Result<Vec<Frame>, String> {
    let mut paths = disk.paths();
    paths.retain(|path| {
        path.parent() == Some(dir) && path.extension().is_some_and(|end| end == "seg")
    });
    let mut read = Reading::default();
    for (number, path) in paths.iter().enumerate() {
        let bytes = disk.content(path).unwrap_or_default();
        let is_last = number + 1 == paths.len();
        read.segment(&bytes, is_last)
            .map_err(|what| format!("{}: {what}", path.display()))?;
    }
    Ok(read.entries)
}

#[derive(Default)]
struct Reading {
    entries: Vec<Frame>,
    tree: Frontier,
}

impl Reading {
    fn segment(&mut self, bytes: &[u8], is_last: bool) -> Result<(), String> {
        let header = checked(bytes, 0, HEADER).ok_or("the header is not whole")?;
        let first = u64_at(header, 12);
        if !header.starts_with(b"SCHKLOG1") || first != self.entries.len() as u64 {
            return Err(format!(
                "begins with entry {first}, not {}",
                self.entries.len()
            ));
        }
        let mut at = HEADER;
        while let Some(next) = self.batch(bytes, at)? {
            at = next;
        }
        // In a segment that is not the last, what follows the batches is zeros.
        if !is_last && bytes[at..].iter().any(|byte| *byte != 0) {
            return Err(format!("something stands at byte {at}"));
        }
        Ok(())
    }

    /// Reads the batch that begins here; where it ends, or `None` when it is not whole.
    fn batch(&mut self, bytes: &[u8], start: usize) -> Result<Option<usize>, String> {
        let (mut batch, mut tree, mut at) = (Vec::new(), self.tree.clone(), start);
        loop {
            match bytes.get(at..at + 4) {
                Some(b"ENTR") => {
                    let Some(fixed) = bytes.get(at..at + 28) else {
                        return Ok(None);
                    };
                    let leaf = u32_at(fixed, 20);
                    let len = 28 + leaf + u32_at(fixed, 24) + 4;
                    let Some(frame) = checked(bytes, at, len) else {
                        return Ok(None);
                    };
                    let frame = Frame {
                        leaf: frame[28..28 + leaf].to_vec(),
                        sealed: frame[28 + leaf..].to_vec(),
                    };
                    tree.append(leaf_hash(&frame.leaf));
                    batch.push(frame);
                    at += len;
                }
                Some(b"CMIT") => {
                    let Some(commit) = checked(bytes, at, 52) else {
                        return Ok(None);
                    };
                    if &commit[16..48] != tree.root().as_bytes() {
                        return Err(format!("another root at byte {at}"));
                    }
                    self.entries.append(&mut batch);
                    self.tree = tree;
                    return Ok(Some(at + 52));
                }
                _ => return Ok(None),
            }
        }
    }
}

/// The bytes from here without the checksum that they end in, when it is right.
fn checked(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    let (content, checksum) = bytes.get(at..at + len)?.split_last_chunk()?;
    (crc32c::crc32c(content) == u32::from_le_bytes(*checksum)).then_some(content)
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}
