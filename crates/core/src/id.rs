//! Identifiers. Each is its own type, so that one can never stand where another is meant.

mod uuid;

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use self::uuid::{parse_uuid, write_uuid};
use crate::{invalid::Invalid, random::Random};

/// Defines a text identifier that is checked when it is made. The text is shared by its copies: one entry is
/// decided, recorded, indexed and answered with a dozen of them.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                $check(text)?;
                Ok(Self(text.into()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

/// Defines a random 128-bit identifier, written as lower-case hexadecimal groups like a UUID in what people
/// read, and as sixteen bytes in the log and the view.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Draws a new identifier.
            pub fn draw(random: &mut dyn Random) -> Self {
                let mut bytes = [0; 16];
                random.fill(&mut bytes);
                Self(bytes)
            }

            /// The identifier with exactly these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The sixteen bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                parse_uuid(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_bytes(&self.0)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    deserializer.deserialize_any(SixteenBytes).map(Self)
                } else {
                    deserializer.deserialize_bytes(SixteenBytes).map(Self)
                }
            }
        }
    };
}

text_id!(
    /// A party: 3 to 40 characters of `a-z`, `0-9` and `-`, stable for ever, never reused.
    PartyId,
    check_party_id
);
text_id!(
    /// An organisation identification number: 20 digits or capitals (OIN-Stelsel 2.2.2: 8 prefix, 12 number and suffix).
    Oin,
    check_oin
);
text_id!(
    /// The opaque mark by which a partner system knows the person acting or the person responsible: 1 to 64
    /// printable ASCII characters without spaces. It means nothing to the broker.
    ActorRef,
    check_actor_ref
);
text_id!(
    /// A trust anchor of the broker's configuration, under which certificates are verified: 1 to 40 characters of
    /// `a-z`, `0-9` and `-`.
    AnchorName,
    check_anchor_name
);
text_id!(
    /// A unit of a party, unique within it: 1 to 40 characters of `a-z`, `0-9` and `-`.
    UnitId,
    check_unit_id
);
text_id!(
    /// A purpose: 3 to 40 characters of `A-Z`, `0-9` and `-`.
    PurposeCode,
    check_purpose_code
);

random_id!(
    /// A case: one re-integration trajectory of one person.
    CaseId
);
random_id!(
    /// A consent record.
    ConsentId
);
random_id!(
    /// A notice: one message to one recipient that something it received has changed its standing.
    NoticeId
);
random_id!(
    /// A delivery: one message released from an inbox.
    DeliveryId
);
random_id!(
    /// A proposed change of the registry, waiting for its second actor.
    ProposalId
);
random_id!(
    /// An enrolment: leave to ask for one certificate.
    EnrolmentId
);
random_id!(
    /// A restriction or objection.
    RestrictionId
);
random_id!(
    /// The key that a caller gives a write, so that a retry is recognised.
    IdempotencyKey
);
random_id!(
    /// A person, inside the broker only: no surface ever shows it.
    SubjectId
);
random_id!(
    /// A key in the keyring: of one person with one controller, or of one open-ended record.
    SlotId
);
random_id!(
    /// The reference of a denial: random, of fixed length, and all that a denial says.
    Reference
);

macro_rules! shown {
    ($($name:ident),*) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    )* };
}
shown!(
    CaseId,
    ConsentId,
    NoticeId,
    DeliveryId,
    ProposalId,
    EnrolmentId,
    RestrictionId,
    IdempotencyKey,
    SlotId,
    Reference
);

impl fmt::Debug for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectId(redacted)")
    }
}

/// The position of an entry in the log, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryIndex(pub u64);

struct SixteenBytes;

impl<'de> de::Visitor<'de> for SixteenBytes {
    type Value = [u8; 16];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("16 bytes, or a UUID as text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        parse_uuid(text).map_err(E::custom)
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        bytes
            .try_into()
            .map_err(|_| E::invalid_length(bytes.len(), &self))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut bytes = [0; 16];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = seq
                .next_element()?
                .ok_or_else(|| de::Error::invalid_length(at, &self))?;
        }
        Ok(bytes)
    }
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(allowed)
}

fn check_party_id(text: &str) -> Result<(), Invalid> {
    let fits = (3..=40).contains(&text.len())
        && all(text, |b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
        });
    fits.then_some(()).ok_or(Invalid::new(
        "must be a party id: 3 to 40 characters of a-z, 0-9 and -",
    ))
}

fn check_anchor_name(text: &str) -> Result<(), Invalid> {
    let fits = (1..=40).contains(&text.len())
        && all(text, |b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
        });
    fits.then_some(()).ok_or(Invalid::new(
        "must be the name of a trust anchor: 1 to 40 characters of a-z, 0-9 and -",
    ))
}

fn check_unit_id(text: &str) -> Result<(), Invalid> {
    check_anchor_name(text)
        .map_err(|_| Invalid::new("must be the id of a unit: 1 to 40 characters of a-z, 0-9 and -"))
}

fn check_purpose_code(text: &str) -> Result<(), Invalid> {
    let fits = (3..=40).contains(&text.len())
        && all(text, |b| {
            b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-'
        });
    fits.then_some(()).ok_or(Invalid::new(
        "must be a purpose code: 3 to 40 characters of A-Z, 0-9 and -",
    ))
}

fn check_oin(text: &str) -> Result<(), Invalid> {
    let fits = text.len() == 20
        && all(text, |b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && text.bytes().take(8).all(|b| b.is_ascii_digit());
    fits.then_some(()).ok_or(Invalid::new(
        "must be an OIN: 20 characters, the first 8 digits, the rest digits or capitals",
    ))
}

fn check_actor_ref(text: &str) -> Result<(), Invalid> {
    let fits = (1..=64).contains(&text.len()) && all(text, |b| b.is_ascii_graphic());
    fits.then_some(()).ok_or(Invalid::new(
        "must be 1 to 64 printable ASCII characters without spaces: an opaque mark of the acting employee, never a name",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_id_reads_back_what_it_wrote() {
        let id = CaseId::from_bytes([0x0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff]);
        assert_eq!(id.to_string(), "0f010203-0405-0607-0809-0a0b0c0d0eff");
        assert_eq!(id.to_string().parse::<CaseId>().unwrap(), id);
    }

    #[test]
    fn text_ids_refuse_what_breaks_their_rule() {
        for bad in ["", "ab", "Party", "a b c", "é-party", &"a".repeat(41)] {
            assert!(bad.parse::<PartyId>().is_err(), "{bad}");
        }
        for bad in [
            "0000009900000000001",
            "0000009900000000001a",
            "X0000099000000000010",
        ] {
            assert!(bad.parse::<Oin>().is_err(), "{bad}");
        }
        assert!("00000099000000001000".parse::<Oin>().is_ok());
        for bad in ["", "two words", &"x".repeat(65)] {
            assert!(bad.parse::<ActorRef>().is_err(), "{bad}");
        }
    }

    #[test]
    fn uuids_of_another_shape_are_refused() {
        for bad in [
            "",
            "0f0102030405060708090a0b0c0d0eff",
            "0f010203-0405-0607-0809-0a0b0c0d0ef",
            "0f010203-0405-0607-0809-0a0b0c0d0efg",
        ] {
            assert!(bad.parse::<CaseId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_subject_id_never_shows_in_debug_output() {
        assert_eq!(
            format!("{:?}", SubjectId::from_bytes([7; 16])),
            "SubjectId(redacted)"
        );
    }
}
