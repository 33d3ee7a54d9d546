//! Of which instant the newest revocation list of each authority is that was ever taken, so that no older one comes
//! back: not by way of another list in its place, and not over a restart.
//!
//! Lists travel in clear, and an authority's older lists stay correctly signed until they end. What lies at a place
//! is therefore not enough to compare with: it may have been replaced, or be gone.

use std::{collections::BTreeMap, fmt::Write as _};

use schakel_core::{id::AnchorName, time::Timestamp};

use super::{copies::sum, list::List};

/// Of each authority of each anchor: since when its newest list counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Newest(BTreeMap<String, Timestamp>);

impl Newest {
    /// Whether the authority, under this anchor, has signed a newer list that was taken.
    pub(super) fn is_past(&self, anchor: &AnchorName, list: &List) -> bool {
        let known = self.0.get(&name(anchor, list));
        known.is_some_and(|newest| list.validity().not_before() < *newest)
    }

    /// Notes that a list was taken.
    ///
    /// One that begins later than now is noted as of now: an authority whose clock went wrong once must not be kept
    /// from all its lists after that.
    pub(super) fn note(&mut self, anchor: &AnchorName, list: &List, now: Timestamp) {
        let from = list.validity().not_before().min(now);
        let known = self.0.entry(name(anchor, list)).or_insert(from);
        *known = from.max(*known);
    }

    /// What is kept on disk: a line for each authority.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, at) in &self.0 {
            // Writing into a text cannot fail.
            let _ = writeln!(text, "{name} {at}");
        }
        text
    }

    /// Reads what was kept; a line that is spoilt says nothing.
    pub(super) fn from_text(text: &str) -> Self {
        let known = text.lines().filter_map(|line| {
            let (name, at) = line.split_once(' ')?;
            Some((name.to_owned(), at.parse().ok()?))
        });
        Self(known.collect())
    }
}

/// An authority of an anchor, as it is named on disk.
fn name(anchor: &AnchorName, list: &List) -> String {
    let [of_anchor, authority, key] = [
        anchor.as_str().as_bytes(),
        list.authority.name(),
        list.authority.key(),
    ]
    .map(sum);
    sum((of_anchor + &authority + &key).as_bytes())
}
