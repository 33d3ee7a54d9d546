//! The lines as JSON: which fields each has, in which order, and how bytes are spelled.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Details, End, Entry, FORMAT, Head, Line, LineError};
use crate::{proof::TlogProof, text::quote, tree::Hash};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadLine {
    export: String,
    origin: String,
    checkpoint: String,
    from: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    controller: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    consistency: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine {
    index: u64,
    leaf: String,
    proof: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opened: Option<Opened>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redacted: Option<Redacted>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    withheld: Option<bool>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    blind: String,
    details: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Redacted {
    erasure: u64,
    rule: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndLine {
    end: u64,
    entries: u64,
}

pub(super) fn write(line: &Line, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let json = match line {
        Line::Head(head) => serde_json::to_string(&HeadLine::from(head)),
        Line::Entry(entry) => serde_json::to_string(&EntryLine::from(entry)),
        Line::End(End { end, entries }) => serde_json::to_string(&EndLine {
            end: *end,
            entries: *entries,
        }),
    };
    // Texts and numbers can always be written as JSON.
    f.write_str(&json.map_err(|_| fmt::Error)?)
}

pub(super) fn read(text: &str) -> Result<Line, LineError> {
    if text.starts_with("{\"export\":") {
        parse::<HeadLine>(text)?.checked().map(Line::Head)
    } else if text.starts_with("{\"index\":") {
        parse::<EntryLine>(text)?.checked().map(Line::Entry)
    } else if text.starts_with("{\"end\":") {
        let EndLine { end, entries } = parse(text)?;
        Ok(Line::End(End { end, entries }))
    } else {
        Err(LineError::Kind)
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, LineError> {
    serde_json::from_str(text).map_err(LineError::Json)
}

impl From<&Head> for HeadLine {
    fn from(head: &Head) -> Self {
        Self {
            export: FORMAT.to_owned(),
            origin: head.origin.to_string(),
            checkpoint: head.checkpoint.clone(),
            from: head.from,
            controller: head.controller.clone(),
            consistency: spelled(&head.consistency),
        }
    }
}

impl HeadLine {
    fn checked(self) -> Result<Head, LineError> {
        if self.export != FORMAT {
            return Err(LineError::Format(quote(&self.export)));
        }
        let rule = "must not be empty nor contain control characters";
        let origin = self.origin.parse();
        Ok(Head {
            origin: origin.map_err(|_| broken("origin", rule))?,
            checkpoint: self.checkpoint,
            from: self.from,
            controller: self.controller,
            consistency: hashes("consistency", &self.consistency)?,
        })
    }
}

impl From<&Entry> for EntryLine {
    fn from(entry: &Entry) -> Self {
        let mut line = Self {
            index: entry.index,
            leaf: BASE64_STANDARD.encode(&entry.leaf),
            proof: spelled(&entry.proof),
            opened: None,
            redacted: None,
            withheld: None,
        };
        match &entry.details {
            Details::Opened { blind, details } => {
                line.opened = Some(Opened {
                    blind: BASE64_STANDARD.encode(blind),
                    details: BASE64_STANDARD.encode(details),
                });
            }
            Details::Redacted { erasure, rule } => {
                line.redacted = Some(Redacted {
                    erasure: *erasure,
                    rule: rule.clone(),
                });
            }
            Details::Withheld => line.withheld = Some(true),
        }
        line
    }
}

impl EntryLine {
    fn checked(self) -> Result<Entry, LineError> {
        let details = match (self.opened, self.redacted, self.withheld) {
            (Some(opened), None, None) => opened.checked()?,
            (None, Some(Redacted { erasure, rule }), None) => Details::Redacted { erasure, rule },
            (None, None, Some(true)) => Details::Withheld,
            _ => {
                let rule = "must have beside it exactly one of `opened`, `redacted` and `withheld`, \
                            which is true";
                return Err(broken("index", rule));
            }
        };
        Ok(Entry {
            index: self.index,
            leaf: bytes("leaf", &self.leaf)?,
            proof: hashes("proof", &self.proof)?,
            details,
        })
    }
}

impl Opened {
    fn checked(self) -> Result<Details, LineError> {
        let rule = "must be 32 bytes as base64";
        let blind = bytes("opened.blind", &self.blind)?;
        Ok(Details::Opened {
            blind: blind.try_into().map_err(|_| broken("opened.blind", rule))?,
            details: bytes("opened.details", &self.details)?,
        })
    }
}

fn spelled(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(Hash::to_base64).collect()
}

fn hashes(field: &'static str, texts: &[String]) -> Result<Vec<Hash>, LineError> {
    if texts.len() > TlogProof::MAX_HASHES {
        return Err(broken(field, "must have at most 64 hashes"));
    }
    let read = |text: &String| {
        Hash::from_base64(text).ok_or_else(|| broken(field, "must hold 32 bytes each, as base64"))
    };
    texts.iter().map(read).collect()
}

fn bytes(field: &'static str, text: &str) -> Result<Vec<u8>, LineError> {
    BASE64_STANDARD
        .decode(text)
        .map_err(|_| broken(field, "must be padded standard base64"))
}

const fn broken(field: &'static str, rule: &'static str) -> LineError {
    LineError::Field { field, rule }
}
