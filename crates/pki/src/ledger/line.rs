//! A line of a ledger: one JSON object.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use schakel_core::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{identity::Serial, issuing::Reason, profile::Profile};

/// What the first line has for the SHA-256 of the one before.
pub(super) const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    /// Counted from 1.
    #[serde(rename = "line")]
    pub(super) number: u64,
    /// When it was written.
    pub(super) at: Timestamp,
    /// SHA-256 of the line before, without its end, in hexadecimal.
    pub(super) previous: String,
    /// What it tells.
    pub(super) entry: LedgerEntry,
}

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LedgerEntry {
    /// A certificate was issued.
    Issued {
        /// What for.
        kind: Kind,
        /// The certificate.
        certificate: Der,
        /// The certificate it is to take the place of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<SerialText>,
    },
    /// A certificate was revoked.
    Revoked {
        /// Its serial number.
        serial: SerialText,
        /// Why.
        reason: Reason,
    },
    /// A revocation list was signed; it counts from the time of the line on.
    Listed {
        /// Its number.
        number: u64,
        /// Its nextUpdate.
        until: Timestamp,
    },
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An authority: the root itself, or one below it.
    Authority,
    /// A holder.
    Holder(Profile),
}

impl Kind {
    /// How it is written for people.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Holder(profile) => profile.code(),
        }
    }
}

/// Bytes, written in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Der(pub Vec<u8>);

/// A serial number, written in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialText(pub Serial);

impl Serialize for Der {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Der {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(de::Error::custom)?;
        Ok(Self(bytes))
    }
}

impl Serialize for SerialText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SerialText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let serial = text.parse().map_err(de::Error::custom)?;
        Ok(Self(serial))
    }
}
