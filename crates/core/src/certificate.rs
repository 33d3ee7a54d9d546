//! Certificates as the registry knows them: by their thumbprint, and whether they are blocked.
//!
//! What makes a certificate good is decided where the connection is. What is kept here is what administrators
//! decided about single certificates, and which were seen, so that they can decide.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    code::codes,
    id::{AnchorName, EntryIndex, Oin, PartyId},
    invalid::Invalid,
    time::Timestamp,
};

/// SHA-256 of a whole certificate, DER.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint(pub [u8; 32]);

codes! {
    /// Why something is stopped at once. The reasons of RFC 5280 5.3.1 that an administrator can judge.
    StopReason, "must be one of SUSPICION, KEY_COMPROMISE, AFFILIATION_CHANGED, SUPERSEDED, CESSATION_OF_OPERATION, PRIVILEGE_WITHDRAWN" {
        /// Something may be wrong; nothing is proven (certificateHold).
        Suspicion = "SUSPICION",
        /// The private key is or may be in other hands.
        KeyCompromise = "KEY_COMPROMISE",
        /// The certificate no longer says who its holder is.
        AffiliationChanged = "AFFILIATION_CHANGED",
        /// Something newer took its place.
        Superseded = "SUPERSEDED",
        /// Its holder stopped.
        CessationOfOperation = "CESSATION_OF_OPERATION",
        /// Its holder may no longer do what it did.
        PrivilegeWithdrawn = "PRIVILEGE_WITHDRAWN",
    }
}

/// A certificate with which nothing may be done, whatever its authority says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// SHA-256 of the whole certificate.
    pub certificate: Thumbprint,
    /// On what ground it was blocked.
    pub reason: StopReason,
    /// Since when.
    pub since: Timestamp,
    /// The entry that blocked it.
    pub entry: EntryIndex,
}

/// A certificate with which a party called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// SHA-256 of the whole certificate.
    pub certificate: Thumbprint,
    /// The party whose number it carries.
    pub party: PartyId,
    /// That number.
    pub oin: Oin,
    /// Under which trust anchor it was verified.
    pub anchor: AnchorName,
    /// The last second in which it holds.
    pub not_after: Timestamp,
    /// When it was first used, as far as the registry remembers.
    pub first_used_at: Timestamp,
    /// When it was last used; behind by up to an hour.
    pub last_used_at: Timestamp,
}

impl Thumbprint {
    /// The rule of its text.
    const RULE: Invalid = Invalid::new(
        "must be the SHA-256 of the whole certificate: 64 hexadecimal digits, colons between them allowed",
    );
}

impl fmt::Display for Thumbprint {
    /// 64 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

impl FromStr for Thumbprint {
    type Err = Invalid;

    /// Reads it as tools print it: hexadecimal of either case, with colons or without.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits: Vec<u8> = text
            .chars()
            .filter(|c| *c != ':')
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()
            .ok_or(Self::RULE)?;
        let bytes: Vec<u8> = digits
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |high, low| (high << 4) | low))
            .collect();
        let whole = digits.len() == 64;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| Self::RULE)?;
        whole.then_some(Self(bytes)).ok_or(Self::RULE)
    }
}

impl Serialize for Thumbprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Thumbprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_reads_back_as_tools_print_it() {
        let bytes = [0xab; 32];
        let plain = Thumbprint(bytes).to_string();
        let colons = vec!["AB"; 32].join(":");
        for text in [&plain, &colons] {
            assert_eq!(text.parse(), Ok(Thumbprint(bytes)));
        }
        for bad in [
            "",
            "ab",
            &plain.replacen("ab", "a", 1),
            &format!("{plain}0"),
            &"g".repeat(64),
        ] {
            assert!(bad.parse::<Thumbprint>().is_err(), "{bad}");
        }
    }
}
