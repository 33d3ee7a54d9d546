//! Where the files stand, below the root of what is published.

use std::{fmt, str::FromStr};

use thiserror::Error;

use super::{Kind, Tile};
use crate::text::{decimal, quote};

/// The text is not the path of a tile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not the path of a tile: it must be `tile/<level>/<index>` or `tile/entries/<index>`, the \
     index in groups of three digits, and `.p/<width>` after it for a partial one"
)]
pub struct PathError(pub String);

impl fmt::Display for Tile {
    /// The path, such as `tile/0/x001/x234/067.p/12`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Entries => f.write_str("tile/entries/")?,
            Kind::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        f.write_str(&grouped(self.index))?;
        if self.is_partial() {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

impl FromStr for Tile {
    type Err = PathError;

    /// Reads a path, in its one spelling.
    fn from_str(path: &str) -> Result<Self, PathError> {
        parse(path).ok_or_else(|| PathError(quote(path)))
    }
}

fn parse(path: &str) -> Option<Tile> {
    let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let kind = match kind {
        "entries" => Kind::Entries,
        level => Kind::Hashes(u8::try_from(decimal(level)?).ok()?),
    };
    let (index, width) = match rest.split_once(".p/") {
        Some((index, width)) => (index, decimal(width)?),
        None => (rest, Tile::WIDTH),
    };
    let tile = Tile::new(kind, parse_grouped(index)?, width)?;
    // A full tile is never spelled as a partial one.
    (tile.is_partial() == (rest.len() != index.len())).then_some(tile)
}

/// A number in groups of three digits, of which all but the last begin with an `x`: so that no folder
/// has more than a thousand files, and none the name of a file.
pub(crate) fn grouped(number: u64) -> String {
    let mut text = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        text = format!("x{:03}/{text}", rest % 1000);
        rest /= 1000;
    }
    text
}

/// Reads a number written in groups of three digits, in its one spelling.
#[must_use]
pub fn parse_grouped(text: &str) -> Option<u64> {
    let digits = |group: &str| {
        let plain = group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit());
        if plain {
            group.parse::<u64>().ok()
        } else {
            None
        }
    };
    let mut groups = text.rsplit('/');
    let last = digits(groups.next()?)?;
    let mut unit = 1_u64;
    let mut number = last;
    for group in groups {
        unit = unit.checked_mul(1000)?;
        let group = digits(group.strip_prefix('x')?)?;
        number = number.checked_add(group.checked_mul(unit)?)?;
    }
    // Groups of zeros before the number would be a second spelling.
    (grouped(number).len() == text.len()).then_some(number)
}
