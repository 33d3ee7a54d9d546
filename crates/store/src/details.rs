//! How the details of an entry are written: CBOR with the names of fields and variants as text.
//!
//! What was written once is read for as long as it is kept, so the form only ever grows: a field
//! that a reader does not know is passed over, and a field that came later has a default.

mod apart;

use schakel_core::event::Details;
use serde::{Serialize, de::DeserializeOwned};

pub use self::apart::{Apart, Encoded, decode_with, encode_apart};

/// Why details could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum DetailsError {
    /// They cannot be written down.
    #[error("the details cannot be written as CBOR")]
    Encode(#[source] Box<ciborium::ser::Error<std::io::Error>>),
    /// The bytes are not the details of an entry.
    #[error(
        "the bytes are not the details of an entry; they are damaged, or a newer broker wrote them"
    )]
    Decode(#[source] Box<ciborium::de::Error<std::io::Error>>),
    /// More bytes follow where the details end.
    #[error("{0} bytes follow where the details end")]
    Trailing(usize),
    /// What was kept apart of them is not there, or is another's.
    #[error("what links the details to others is not what they were written with")]
    Links,
}

/// Writes details down whole: for what names no person.
///
/// # Errors
/// When a value in them cannot be written as CBOR, which none of today's types does.
pub fn encode(details: &Details) -> Result<Vec<u8>, DetailsError> {
    write(details)
}

/// Reads details back that were written whole.
///
/// # Errors
/// When the bytes are not exactly the details of one entry.
pub fn decode(bytes: &[u8]) -> Result<Details, DetailsError> {
    decode_with(bytes, &[]).map(|(details, _)| details)
}

fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, DetailsError> {
    let mut bytes = Vec::with_capacity(1024);
    match ciborium::into_writer(value, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(DetailsError::Encode(Box::new(error))),
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DetailsError> {
    let mut rest = bytes;
    let value = ciborium::from_reader(&mut rest).map_err(|e| DetailsError::Decode(Box::new(e)))?;
    match rest.len() {
        0 => Ok(value),
        more => Err(DetailsError::Trailing(more)),
    }
}

#[cfg(test)]
mod tests {
    use ciborium::Value;
    use schakel_core::event::Event;

    use super::*;

    fn stopped() -> Details {
        Details {
            call: None,
            subject: None,
            controllers: ["municipality-utrecht".parse().unwrap()].into(),
            binds: Vec::new(),
            event: Event::Stopped,
        }
    }

    #[test]
    fn details_read_back_what_was_written() {
        let bytes = encode(&stopped()).unwrap();
        assert_eq!(decode(&bytes).unwrap(), stopped());
    }

    #[test]
    fn a_field_of_a_newer_broker_is_passed_over_and_a_missing_one_has_its_default() {
        let newer = Value::Map(vec![
            (Value::from("event"), Value::from("Stopped")),
            (Value::from("from_the_future"), Value::from(7)),
        ]);
        let mut bytes = Vec::new();
        ciborium::into_writer(&newer, &mut bytes).unwrap();
        let mut expected = stopped();
        expected.controllers.clear();
        assert_eq!(decode(&bytes).unwrap(), expected);
    }

    #[test]
    fn bytes_that_are_not_exactly_one_value_are_refused() {
        let mut bytes = encode(&stopped()).unwrap();
        assert!(matches!(decode(&bytes[1..]), Err(DetailsError::Decode(_))));
        bytes.push(0);
        assert!(matches!(decode(&bytes), Err(DetailsError::Trailing(1))));
    }
}
