//! Policies and reasons: what stands in certificates and lists in the form of a number.

use std::{fmt, str::FromStr};

use rcgen::RevocationReason;
use serde::{Deserialize, Serialize};

/// The object identifier of a certificate policy, such as `2.999.1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PolicyId(Vec<u64>);

/// Not the object identifier of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no object identifier: 3 to 20 numbers parted by dots, such as 1.3.6.1.4.1.99999.1, the first 0 to 2"
)]
pub struct InvalidPolicy;

/// Why a certificate was revoked (RFC 5280 5.3.1). Holds and their removal are left out: a key that may have
/// been somebody else's for a while is not trusted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The holder's name or number changed.
    AffiliationChanged,
    /// The key of the authority itself came into other hands.
    CaCompromise,
    /// The holder no longer takes part.
    CessationOfOperation,
    /// The private key came, or may have come, into other hands.
    KeyCompromise,
    /// The holder may no longer do what the certificate was for.
    PrivilegeWithdrawn,
    /// Another certificate took its place.
    Superseded,
    /// None of these.
    Unspecified,
}

/// Not a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "choose from key-compromise, superseded, cessation-of-operation, affiliation-changed, privilege-withdrawn, ca-compromise, unspecified"
)]
pub struct UnknownReason;

impl PolicyId {
    /// The identifier as it stands in a certificate, DER.
    pub(super) fn der(&self) -> Vec<u8> {
        let (first, rest) = match self.0.as_slice() {
            [first, second, rest @ ..] => (first * 40 + second, rest),
            _ => (0, &[][..]),
        };
        let arcs = std::iter::once(first).chain(rest.iter().copied());
        let content: Vec<u8> = arcs.flat_map(seven_bits).collect();
        // At most twenty numbers of five bytes each, so the length is one byte.
        let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
        [&[0x06, length], content.as_slice()].concat()
    }
}

/// A number of an object identifier: seven bits a byte, the highest first, all but the last byte marked
/// (X.690 8.19). The library for reading refuses the second number of `2.999`, so it is written here.
fn seven_bits(arc: u64) -> Vec<u8> {
    let mut bytes = vec![(arc & 0x7f).to_le_bytes()[0]];
    let mut rest = arc >> 7;
    while rest > 0 {
        bytes.push((rest & 0x7f).to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    bytes.reverse();
    bytes
}

impl FromStr for PolicyId {
    type Err = InvalidPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        let arc = |part: &str| {
            let plain = part.bytes().all(|b| b.is_ascii_digit());
            let shortest = part == "0" || !part.starts_with('0');
            let number = part.parse::<u64>().ok().filter(|_| plain && shortest);
            // What every tool can hold.
            number.filter(|number| *number <= u64::from(u32::MAX >> 1))
        };
        let arcs: Option<Vec<u64>> = text.split('.').map(arc).collect();
        let arcs = arcs.filter(|arcs| (3..=20).contains(&arcs.len()));
        match arcs.as_deref() {
            Some([first, second, ..]) if *first < 2 && *second < 40 || *first == 2 => {
                Ok(Self(arcs.unwrap_or_default()))
            }
            _ => Err(InvalidPolicy),
        }
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, arc) in self.0.iter().enumerate() {
            write!(f, "{}{arc}", if at == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

impl TryFrom<String> for PolicyId {
    type Error = InvalidPolicy;

    fn try_from(text: String) -> Result<Self, InvalidPolicy> {
        text.parse()
    }
}

impl From<PolicyId> for String {
    fn from(policy: PolicyId) -> Self {
        policy.to_string()
    }
}

impl Reason {
    /// Whether the private key is not its holder's alone any more.
    #[must_use]
    pub const fn is_compromise(self) -> bool {
        matches!(self, Self::KeyCompromise | Self::CaCompromise)
    }

    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::AffiliationChanged,
        Self::CaCompromise,
        Self::CessationOfOperation,
        Self::KeyCompromise,
        Self::PrivilegeWithdrawn,
        Self::Superseded,
        Self::Unspecified,
    ];

    /// How it is written.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AffiliationChanged => "affiliation-changed",
            Self::CaCompromise => "ca-compromise",
            Self::CessationOfOperation => "cessation-of-operation",
            Self::KeyCompromise => "key-compromise",
            Self::PrivilegeWithdrawn => "privilege-withdrawn",
            Self::Superseded => "superseded",
            Self::Unspecified => "unspecified",
        }
    }

    /// `unspecified` is said by saying nothing (RFC 5280 5.3.1).
    pub(super) const fn on_list(self) -> Option<RevocationReason> {
        Some(match self {
            Self::AffiliationChanged => RevocationReason::AffiliationChanged,
            Self::CaCompromise => RevocationReason::CaCompromise,
            Self::CessationOfOperation => RevocationReason::CessationOfOperation,
            Self::KeyCompromise => RevocationReason::KeyCompromise,
            Self::PrivilegeWithdrawn => RevocationReason::PrivilegeWithdrawn,
            Self::Superseded => RevocationReason::Superseded,
            Self::Unspecified => return None,
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, UnknownReason> {
        let found = Self::ALL.into_iter().find(|reason| reason.code() == text);
        found.ok_or(UnknownReason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_and_reasons_read_back_what_they_wrote() {
        for text in ["2.999.1", "1.3.6.1.4.1.99999.1", "0.4.0.2042.1.1"] {
            assert_eq!(text.parse::<PolicyId>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "1.2",
            "3.1.1",
            "1.40.1",
            "1..2",
            "1.2.03",
            "1.2.-3",
            "2.25.99999999999",
        ] {
            assert_eq!(bad.parse::<PolicyId>(), Err(InvalidPolicy), "{bad}");
        }
        for reason in Reason::ALL {
            assert_eq!(reason.code().parse(), Ok(reason));
        }
    }
}
