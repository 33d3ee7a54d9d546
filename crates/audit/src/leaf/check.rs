//! The rules that a leaf's fields keep, whichever way it came about.

use super::{Leaf, LeafError};
use crate::text::quote;

pub(super) fn check(leaf: &Leaf) -> Result<(), LeafError> {
    party("party", &leaf.party)?;
    if let Some(transport) = &leaf.transport {
        party("transport party", transport)?;
        if *transport == leaf.party {
            return Err(LeafError::OwnTransport);
        }
    }
    if let Some((code, _)) = &leaf.purpose {
        purpose(code)?;
    }
    match (leaf.class.has_month(), leaf.destroy) {
        (true, None) => Err(LeafError::DestroyMissing { class: leaf.class }),
        (false, Some(_)) => Err(LeafError::DestroyUnwanted { class: leaf.class }),
        _ => Ok(()),
    }
}

fn party(field: &'static str, text: &str) -> Result<(), LeafError> {
    let rule = "3 to 40 characters of a-z, 0-9 and -";
    name(field, text, rule, |b| b.is_ascii_lowercase())
}

fn purpose(text: &str) -> Result<(), LeafError> {
    let rule = "3 to 40 characters of A-Z, 0-9 and -";
    name("purpose", text, rule, |b| b.is_ascii_uppercase())
}

fn name(
    field: &'static str,
    text: &str,
    rule: &'static str,
    is_letter: impl Fn(u8) -> bool,
) -> Result<(), LeafError> {
    let fits = (3..=40).contains(&text.len())
        && text
            .bytes()
            .all(|b| is_letter(b) || b.is_ascii_digit() || b == b'-');
    if fits {
        Ok(())
    } else {
        Err(LeafError::Name {
            field,
            text: quote(text),
            rule,
        })
    }
}
