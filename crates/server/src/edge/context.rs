//! What comes along with a call in its headers.

use std::time::Duration;

use http::{
    HeaderMap, Method,
    header::{CONTENT_TYPE, ORIGIN},
};
use schakel_core::id::{PartyId, UnitId};

use crate::wire::InvalidRequest;

/// The header by which a caller names the party for which it calls.
pub(super) const PRINCIPAL: &str = "schakel-principal";
/// The header by which a caller names the unit of that party for which it calls.
pub(super) const UNIT: &str = "schakel-unit";
/// The header with the transaction id of a Dutch FSC inway (FSC Logging 1.0).
pub(super) const TRANSACTION: &str = "fsc-transaction-id";
/// The trailer that says when the caller's certificate ends, RFC 3339, when that is near.
pub(super) const EXPIRES: &str = "schakel-certificate-expires";
const TIMEOUT: &str = "grpc-timeout";
const TRACE_PARENT: &str = "traceparent";
const TRANSACTION_MAX: usize = 64;
/// What a call is sent as (gRPC over HTTP/2, `Content-Type`); the broker speaks protobuf alone.
const CONTENT_TYPES: [&str; 2] = ["application/grpc", "application/grpc+proto"];

/// The trace of the caller: carried and linked to, never continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceParent {
    pub(crate) trace: [u8; 16],
    pub(crate) span: [u8; 8],
}

/// Whether a request is a call as gRPC makes one, of a program: a page of a foreign site can have a browser send
/// any other with the certificate of whoever opened it (`Fetch`, requests that need no preflight).
pub(super) fn is_call(method: &Method, headers: &HeaderMap) -> Result<(), InvalidRequest> {
    let refuse = |field: &str, rule: &str| Err(InvalidRequest::of(field, rule));
    if method != Method::POST {
        return refuse("method", "must be POST, as gRPC over HTTP/2 has it");
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let is_grpc = |value: &http::HeaderValue| CONTENT_TYPES.iter().any(|known| value == known);
    if !(types.next().is_some_and(is_grpc) && types.next().is_none()) {
        return refuse(
            CONTENT_TYPE.as_str(),
            "must be application/grpc or application/grpc+proto",
        );
    }
    for by_a_browser in [ORIGIN.as_str(), "sec-fetch-mode", "sec-fetch-site"] {
        if headers.contains_key(by_a_browser) {
            return refuse(
                by_a_browser,
                "must be absent: no page of a browser calls the broker",
            );
        }
    }
    Ok(())
}

/// For whom the call says it is made.
pub(super) fn principal(headers: &HeaderMap) -> Result<Option<PartyId>, InvalidRequest> {
    let Some(value) = headers.get(PRINCIPAL) else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.map(Some).ok_or_else(|| {
        InvalidRequest::of(
            PRINCIPAL,
            "must be a party id: 3 to 40 characters of a-z, 0-9 and -",
        )
    })
}

/// For which unit the call says it is made.
pub(super) fn unit(headers: &HeaderMap) -> Result<Option<UnitId>, InvalidRequest> {
    let Some(value) = headers.get(UNIT) else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.map(Some).ok_or_else(|| {
        InvalidRequest::of(
            UNIT,
            "must be the id of a unit: 1 to 40 characters of a-z, 0-9 and -",
        )
    })
}

/// The transaction id that came along.
pub(super) fn transaction(headers: &HeaderMap) -> Result<Option<String>, InvalidRequest> {
    let Some(value) = headers.get(TRANSACTION) else {
        return Ok(None);
    };
    let text = value.to_str().ok().filter(|text| {
        (1..=TRANSACTION_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
    });
    text.map(|text| Some(text.to_owned())).ok_or_else(|| {
        InvalidRequest::of(
            TRANSACTION,
            "must be 1 to 64 printable ASCII characters without spaces",
        )
    })
}

/// How long the caller waits (gRPC over HTTP/2: at most 8 digits and a unit).
pub(super) fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, InvalidRequest> {
    let Some(value) = headers.get(TIMEOUT) else {
        return Ok(None);
    };
    let duration = value.to_str().ok().and_then(parse_timeout);
    duration.map(Some).ok_or_else(|| {
        InvalidRequest::of(
            TIMEOUT,
            "must be 1 to 8 digits and one of the units H, M, S, m, u, n",
        )
    })
}

/// The trace of the caller; one that is malformed counts as absent, as W3C Trace Context asks.
pub(super) fn trace_parent(headers: &HeaderMap) -> Option<TraceParent> {
    let mut parts = headers.get(TRACE_PARENT)?.to_str().ok()?.split('-');
    let version: [u8; 1] = hex(parts.next()?)?;
    let (trace, span) = (hex(parts.next()?)?, hex(parts.next()?)?);
    let _flags: [u8; 1] = hex(parts.next()?)?;
    // Version 00 ends here; a later one may go on.
    let ends = version != [0] || parts.next().is_none();
    let is_valid = version != [0xff] && trace != [0; 16] && span != [0; 8] && ends;
    is_valid.then_some(TraceParent { trace, span })
}

fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount.checked_mul(3600)?),
        "M" => Duration::from_secs(amount.checked_mul(60)?),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// Lower-case hexadecimal of exactly this many bytes.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != N.checked_mul(2)? || !text.bytes().all(is_hex) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn every_unit_of_a_timeout_is_read() {
        for (text, millis) in [
            ("2H", 7_200_000),
            ("3M", 180_000),
            ("4S", 4_000),
            ("5m", 5),
            ("6000u", 6),
            ("7000000n", 7),
            ("99999999m", 99_999_999),
        ] {
            let read = timeout(&with(TIMEOUT, text)).unwrap();
            assert_eq!(read, Some(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(timeout(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn a_timeout_of_another_shape_is_refused() {
        for text in [
            "",
            "S",
            "1",
            "1s",
            "123456789S",
            "-1S",
            "+1S",
            "1.5S",
            " 1S",
            "1é",
        ] {
            let error = timeout(&with(TIMEOUT, text)).unwrap_err();
            assert_eq!(error.violations[0].field, TIMEOUT, "{text}");
        }
    }

    #[test]
    fn a_trace_parent_is_read_and_a_malformed_one_passed_over() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let read = trace_parent(&with(TRACE_PARENT, text)).unwrap();
        assert_eq!(read.trace[..3], [0x4b, 0xf9, 0x2f]);
        assert_eq!(read.span[..3], [0x00, 0xf0, 0x67]);
        assert!(trace_parent(&with(TRACE_PARENT, &text.replace("00-4", "01-4"))).is_some());
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(trace_parent(&with(TRACE_PARENT, bad)), None, "{bad}");
        }
    }

    #[test]
    fn a_transaction_id_is_bounded() {
        let longest = "a".repeat(64);
        let read = transaction(&with(TRANSACTION, &longest)).unwrap();
        assert_eq!(read.as_deref(), Some(longest.as_str()));
        for bad in ["", "two words", &"a".repeat(65)] {
            assert!(transaction(&with(TRANSACTION, bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_principal_is_a_party_id() {
        assert!(
            principal(&with(PRINCIPAL, "gemeente-oost"))
                .unwrap()
                .is_some()
        );
        assert!(principal(&with(PRINCIPAL, "Gemeente Oost")).is_err());
    }

    #[test]
    fn a_unit_is_a_unit_id() {
        assert!(unit(&with(UNIT, "werk-en-inkomen")).unwrap().is_some());
        assert_eq!(unit(&HeaderMap::new()).unwrap(), None);
        for bad in ["", "Werk en inkomen", &"a".repeat(41)] {
            assert_eq!(
                unit(&with(UNIT, bad)).unwrap_err().violations[0].field,
                UNIT
            );
        }
    }
}
