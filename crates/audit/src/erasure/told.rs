//! What an erasure entry says: `erasure.cddl` beside this crate is the published schema.

use std::ops::RangeInclusive;

use serde::Deserialize;

use super::Opened;
use crate::leaf::{EntryType, Leaf, Month, RetentionClass};

/// What an erasure entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The code of the rule, such as `UNLAWFUL` or `RETENTION_OVER`.
    pub rule: String,
    /// Where the rule stands in the law, such as `AVG 17(1)(d)`.
    pub law: String,
    /// What it covers.
    pub covers: Covers,
    /// The controller for which it was erased; `None` when for all.
    pub controller: Option<String>,
}

/// What an erasure covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Covers {
    /// These entries, in ascending order.
    Entries(Vec<RangeInclusive<u64>>),
    /// Every entry whose leaf names this class and month.
    Month(RetentionClass, Month),
}

/// Why something is not the details of an erasure entry.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// The leaf is of another type.
    #[error("the leaf is not that of an erasure entry")]
    Type,
    /// They are not what the leaf is committed to.
    #[error("the opened details are not those the leaf is committed to")]
    Commitment,
    /// They are not written as `erasure.cddl` has it.
    #[error("the opened details are not those of an erasure: {0}")]
    Malformed(&'static str),
}

impl Erasure {
    /// Reads what is published of an erasure entry, and holds it against its leaf.
    ///
    /// # Errors
    /// What is wrong with it first.
    pub fn open(leaf: &Leaf, opened: &Opened) -> Result<Self, ErasureError> {
        if leaf.entry_type != EntryType::Erasure {
            return Err(ErasureError::Type);
        }
        if !opened.opens(leaf) {
            return Err(ErasureError::Commitment);
        }
        Self::decode(&opened.details)
    }

    /// Whether it covers an entry: what was said in it can no longer be read, by the controller named or by
    /// anybody.
    #[must_use]
    pub fn covers(&self, index: u64, leaf: &Leaf) -> bool {
        self.covers_one(index, leaf.class, leaf.destroy)
    }

    /// As [`covers`](Self::covers), of an entry whose leaf names this class and month.
    pub(crate) fn covers_one(
        &self,
        index: u64,
        of: RetentionClass,
        destroy: Option<Month>,
    ) -> bool {
        match &self.covers {
            Covers::Entries(ranges) => {
                let at = ranges.partition_point(|range| *range.end() < index);
                ranges.get(at).is_some_and(|range| range.contains(&index))
            }
            Covers::Month(class, month) => of == *class && destroy == Some(*month),
        }
    }

    fn decode(details: &[u8]) -> Result<Self, ErasureError> {
        let mut rest = details;
        let written: Written = ciborium::from_reader(&mut rest)
            .map_err(|_| ErasureError::Malformed("it is not CBOR in the form of erasure.cddl"))?;
        if !rest.is_empty() {
            return Err(ErasureError::Malformed("more bytes follow where it ends"));
        }
        let ErasedAs {
            rule,
            covers,
            controller,
        } = written.event.erased;
        Ok(Self {
            rule: rule.code,
            law: rule.law,
            covers: covers.read()?,
            controller,
        })
    }
}

/// The form of the details, as far as it matters here.
#[derive(Deserialize)]
struct Written {
    event: EventAs,
}

#[derive(Deserialize)]
struct EventAs {
    #[serde(rename = "Erased")]
    erased: ErasedAs,
}

#[derive(Deserialize)]
struct ErasedAs {
    rule: RuleAs,
    covers: CoversAs,
    #[serde(default)]
    controller: Option<String>,
}

#[derive(Deserialize)]
struct RuleAs {
    code: String,
    law: String,
}

#[derive(Deserialize)]
enum CoversAs {
    Entries(Vec<(u64, u64)>),
    Month { class: u64, month: u64 },
}

impl CoversAs {
    fn read(self) -> Result<Covers, ErasureError> {
        match self {
            Self::Entries(ranges) => {
                let mut least = Some(0);
                for (first, last) in &ranges {
                    if least.is_none_or(|least| *first < least) || first > last {
                        return Err(ErasureError::Malformed("its ranges do not ascend"));
                    }
                    least = last.checked_add(2);
                }
                let ranges = ranges.into_iter().map(|(first, last)| first..=last);
                Ok(Covers::Entries(ranges.collect()))
            }
            Self::Month { class, month } => {
                let class = RetentionClass::from_number(class)
                    .filter(|class| class.has_month())
                    .ok_or(ErasureError::Malformed("no such class has months"))?;
                let month = Month::from_number(month)
                    .map_err(|_| ErasureError::Malformed("there is no such month"))?;
                Ok(Covers::Month(class, month))
            }
        }
    }
}
