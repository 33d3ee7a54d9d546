//! How a person is named. None of these values ever shows in a log, an error or debug output.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{
    id::{CaseId, PartyId},
    invalid::Invalid,
};

macro_rules! secret_text {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// The value itself: for sealing, for matching, and for the party that used it.
            #[must_use]
            pub fn reveal(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                $check(text).map(|text| Self(text.into()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}(redacted)", stringify!($name))
            }
        }
    };
}

secret_text!(
    /// A citizen service number (BSN): nine digits that pass the eleven test; eight digits get a leading zero.
    Bsn,
    check_bsn
);
secret_text!(
    /// A number of the criminal justice chain (SKN, strafrechtsketennummer): 1 to 20 digits or capitals.
    Skn,
    check_skn
);
secret_text!(
    /// A partner's own opaque mark of a person: 1 to 64 printable ASCII characters without spaces.
    ClientRef,
    check_client_ref
);

/// How a caller says whom it means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SubjectRef {
    /// By citizen service number.
    Bsn(Bsn),
    /// By criminal justice number.
    Skn(Skn),
    /// By the caller's own mark, bound earlier by redeeming an introduction.
    ClientRef(ClientRef),
    /// By the case.
    Case(CaseId),
}

/// By what a person is found: an identifier, and for a partner's own mark the partner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Identifier {
    /// A citizen service number.
    Bsn(Bsn),
    /// A criminal justice number.
    Skn(Skn),
    /// A partner's own mark; two partners may use the same mark for two persons.
    ClientRef(PartyId, ClientRef),
}

impl Identifier {
    /// Its kind, the party whose mark it is (empty for a number), and its text: no two identifiers share all three.
    /// For digests, some of which are kept on disk: the kinds are final.
    #[must_use]
    pub fn key(&self) -> (u8, &str, &str) {
        match self {
            Self::Bsn(bsn) => (0, "", bsn.reveal()),
            Self::Skn(skn) => (1, "", skn.reveal()),
            Self::ClientRef(party, mark) => (2, party.as_str(), mark.reveal()),
        }
    }
}

fn check_bsn(text: &str) -> Result<String, Invalid> {
    const RULE: Invalid =
        Invalid::new("must be a citizen service number: 9 digits that pass the eleven test");
    let padded = if text.len() == 8 {
        format!("0{text}")
    } else {
        text.to_owned()
    };
    let digits: Vec<i32> = padded
        .chars()
        .map(|c| c.to_digit(10).and_then(|digit| i32::try_from(digit).ok()))
        .collect::<Option<_>>()
        .ok_or(RULE)?;
    let sum: i32 = digits
        .iter()
        .zip([9, 8, 7, 6, 5, 4, 3, 2, -1])
        .map(|(d, w)| d * w)
        .sum();
    let two_zeros = padded.starts_with("00");
    if digits.len() == 9 && !two_zeros && sum > 0 && sum % 11 == 0 {
        Ok(padded)
    } else {
        Err(RULE)
    }
}

fn check_skn(text: &str) -> Result<String, Invalid> {
    let fits = (1..=20).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    fits.then(|| text.to_owned()).ok_or(Invalid::new(
        "must be a criminal justice number: 1 to 20 digits or capitals",
    ))
}

fn check_client_ref(text: &str) -> Result<String, Invalid> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| text.to_owned()).ok_or(Invalid::new(
        "must be 1 to 64 printable ASCII characters without spaces: your own opaque mark of the person",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleven_test_is_applied() {
        for good in ["111222333", "123456782", "479580261", "999999990"] {
            assert!(good.parse::<Bsn>().is_ok(), "{good}");
        }
        for bad in [
            "000000000",
            "111222334",
            "11122233",
            "1234567890",
            "12345678a",
            "",
            "001234567",
        ] {
            assert!(bad.parse::<Bsn>().is_err(), "{bad}");
        }
    }

    #[test]
    fn eight_digits_get_a_leading_zero() {
        let nine = (10_000_000..20_000_000)
            .map(|n: u32| n.to_string())
            .find(|text| text.parse::<Bsn>().is_ok())
            .unwrap();
        assert_eq!(nine.parse::<Bsn>().unwrap().reveal(), format!("0{nine}"));
    }

    #[test]
    fn identifiers_never_show_in_debug_output() {
        let shown = format!("{:?}", SubjectRef::Bsn("111222333".parse().unwrap()));
        assert!(!shown.contains("111222333"), "{shown}");
    }
}
