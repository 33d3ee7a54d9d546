//! Writing a leaf down.

use super::{
    Leaf,
    cbor::{Kind, write_bytes, write_head, write_text},
};

pub(super) fn encode(leaf: &Leaf, out: &mut Vec<u8>) {
    write_head(out, Kind::Map, pairs(leaf));
    write_uint(out, 0, Leaf::VERSION);
    write_uint(out, 1, leaf.entry_type.number().into());
    write_uint(out, 2, leaf.at_ms);
    write_key(out, 3);
    write_text(out, &leaf.party);
    if let Some(transport) = &leaf.transport {
        write_key(out, 4);
        write_text(out, transport);
    }
    if let Some((code, version)) = &leaf.purpose {
        write_key(out, 5);
        write_head(out, Kind::Array, 2);
        write_text(out, code);
        write_head(out, Kind::Uint, (*version).into());
    }
    write_binary(out, 6, &leaf.id);
    write_binary(out, 7, &leaf.commitment);
    if let Some(released) = &leaf.released {
        write_binary(out, 8, released);
    }
    if let Some(tag) = &leaf.subject_tag {
        write_binary(out, 9, tag);
    }
    write_uint(out, 10, leaf.class.number().into());
    if let Some(month) = leaf.destroy {
        write_uint(out, 11, month.number().into());
    }
    if let Some(rules) = &leaf.rules {
        write_binary(out, 12, rules);
    }
}

/// How many pairs the map has: the seven that every leaf has, and what else is there.
fn pairs(leaf: &Leaf) -> u64 {
    7 + u64::from(leaf.transport.is_some())
        + u64::from(leaf.purpose.is_some())
        + u64::from(leaf.released.is_some())
        + u64::from(leaf.subject_tag.is_some())
        + u64::from(leaf.destroy.is_some())
        + u64::from(leaf.rules.is_some())
}

fn write_key(out: &mut Vec<u8>, key: u64) {
    write_head(out, Kind::Uint, key);
}

fn write_uint(out: &mut Vec<u8>, key: u64, number: u64) {
    write_key(out, key);
    write_head(out, Kind::Uint, number);
}

fn write_binary(out: &mut Vec<u8>, key: u64, bytes: &[u8]) {
    write_key(out, key);
    write_bytes(out, bytes);
}
