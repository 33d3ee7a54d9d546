//! Certificates with the number in every wrong shape, and bytes that are none.

use proptest::prelude::*;
use rcgen::{CertificateParams, DnType, DnValue, IsCa, KeyPair};

use super::*;
use crate::{
    authority::DevelopmentAuthority, organisation::Organisations, seeded::Seeded,
    validity::Validity,
};

const OIN: &str = "00000099000000010000";

/// The attribute serialNumber, and one whose type is as long: certificates are made with the second and
/// edited to have the first twice, as the library that makes them cannot.
const SERIAL_NUMBER: [u64; 4] = [2, 5, 4, 5];
const PSEUDONYM: [u64; 4] = [2, 5, 4, 65];

fn now() -> Timestamp {
    "2026-11-23T14:00:00Z".parse().unwrap()
}

/// A certificate with these attributes, self-signed.
fn certificate(attributes: &[(&[u64], DnValue)]) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::ExplicitNoCa;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Testgemeente Oost");
    for (kind, value) in attributes {
        params
            .distinguished_name
            .push(DnType::CustomDnType(kind.to_vec()), value.clone());
    }
    params
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap()
        .der()
        .to_vec()
}

fn printable(text: &str) -> DnValue {
    DnValue::PrintableString(text.try_into().unwrap())
}

fn with_oin(value: DnValue) -> Result<CertificateIdentity, IdentityError> {
    parse_peer(&certificate(&[(&SERIAL_NUMBER, value)]))
}

fn issued(id: &str) -> Vec<u8> {
    let mut random = Seeded(3);
    let organisations = Organisations::of_development().unwrap();
    let authority = DevelopmentAuthority::new(now(), &mut random).unwrap();
    let validity = Validity::days(90, now());
    let issued = authority
        .issue(organisations.find(id).unwrap(), validity, &mut random)
        .unwrap();
    pem::only_block(&issued.cert_pem, "CERTIFICATE").unwrap()
}

#[test]
fn everything_said_of_the_organisation_is_read() {
    let der = issued("fg-gemeente-oost");
    let identity = parse_peer(&der).unwrap();
    assert_eq!(identity.oin.as_str(), "00000099000000060000");
    assert_eq!(
        identity.organisation.as_deref(),
        Some("Testgemeente Oost, FG")
    );
    assert_eq!(
        identity.unit.as_deref(),
        Some("Functionaris gegevensbescherming")
    );
    assert_eq!(identity.not_before, now().minus_millis(Validity::SKEW_MS));
    assert_eq!(identity.not_after, now().plus_days(90));
    assert_eq!(
        identity.issuer.organisation.as_deref(),
        Some(DEVELOPMENT_ORGANISATION)
    );
    assert_eq!(identity.serial.to_string().len(), 32);
    assert_eq!(identity.sha256, sha256(&der));
    assert_ne!(identity.sha256, sha256(&der[1..]));
    assert!(identity.is_for_development());
}

#[test]
fn a_name_is_read_without_what_a_terminal_acts_on() {
    let unit = DnValue::Utf8String("\u{1b}[31mRood\u{7}".to_owned());
    let issuer = DnValue::Utf8String("x\u{202e}\u{9b}2J".to_owned());
    let number: &[u64] = &SERIAL_NUMBER;
    let der = certificate(&[
        (number, printable(OIN)),
        (&[2, 5, 4, 11], unit),
        (&[2, 5, 4, 3], issuer),
    ]);
    let identity = parse_peer(&der).unwrap();
    assert_eq!(identity.unit.as_deref(), Some("\\u{1b}[31mRood\\u{7}"));
    let text = identity.issuer.text;
    assert!(text.contains("x\\u{202e}\\u{9b}2J"), "{text}");
    assert!(!text.chars().any(char::is_control), "{text}");
}

#[test]
fn the_fingerprint_is_sha_256() {
    let abc = sha256(b"abc")
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    assert_eq!(
        abc,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn a_certificate_without_a_number_is_refused() {
    assert_eq!(parse_peer(&certificate(&[])), Err(IdentityError::NoOin));
}

#[test]
fn two_numbers_are_refused_even_when_they_are_the_same() {
    let one = certificate(&[
        (&SERIAL_NUMBER, printable(OIN)),
        (&PSEUDONYM, printable(OIN)),
    ]);
    assert!(parse_peer(&one).is_ok());
    let two: Vec<u8> = {
        let (from, to) = (b"\x06\x03\x55\x04\x41", b"\x06\x03\x55\x04\x05");
        let mut der = one;
        while let Some(at) = der.windows(5).position(|window| window == from) {
            der[at..at + 5].copy_from_slice(to);
        }
        der
    };
    assert_eq!(
        parse_peer(&two),
        Err(IdentityError::SeveralOins { count: 2 })
    );
}

#[test]
fn a_number_of_another_length_is_refused() {
    for (text, length) in [
        ("", 0),
        ("0000009900000001000", 19),
        ("000000990000000100000", 21),
    ] {
        assert_eq!(
            with_oin(printable(text)),
            Err(IdentityError::OinLength { length })
        );
    }
}

#[test]
fn odd_characters_are_refused_and_shown_harmlessly() {
    for text in [
        "0000009900000001000a",
        "0000009 000000010000",
        "X0000099000000010000",
    ] {
        let found = text.to_owned();
        assert_eq!(
            with_oin(printable(text)),
            Err(IdentityError::OinCharacters { found })
        );
    }
    let error = with_oin(DnValue::Utf8String("0000009900000001000\n".to_owned())).unwrap_err();
    assert!(
        error.to_string().contains("`0000009900000001000\\n`"),
        "{error}"
    );
    let error = with_oin(DnValue::Utf8String("0000009900000001000\u{661}".to_owned())).unwrap_err();
    assert!(
        matches!(error, IdentityError::OinCharacters { .. }),
        "{error}"
    );
}

#[test]
fn a_number_that_is_no_plain_text_is_refused() {
    let value = DnValue::BmpString(OIN.try_into().unwrap());
    assert_eq!(with_oin(value), Err(IdentityError::OinNotText));
}

#[test]
fn a_number_in_another_place_does_not_count() {
    let der = certificate(&[
        (&PSEUDONYM, printable(OIN)),
        (&[2, 5, 4, 11], printable(OIN)),
    ]);
    assert_eq!(parse_peer(&der), Err(IdentityError::NoOin));
}

#[test]
fn bytes_after_the_certificate_are_refused() {
    let mut der = issued("pi-noord");
    der.push(0);
    assert_eq!(parse_peer(&der), Err(IdentityError::Malformed));
    assert_eq!(parse_peer(&[]), Err(IdentityError::Malformed));
    assert_eq!(
        parse_peer_pem("no certificate"),
        Err(IdentityError::Malformed)
    );
}

#[test]
fn development_is_recognised_by_the_authority_alone_and_by_the_number_alone() {
    let real = "00000001000000010000";
    let self_made = with_oin(printable(real)).unwrap();
    assert!(!self_made.is_for_development());
    assert!(with_oin(printable(OIN)).unwrap().is_for_development());
    let mut issued_to_real = self_made;
    issued_to_real.issuer = parse_peer(&issued("pi-noord")).unwrap().issuer;
    assert!(!is_test_oin(&issued_to_real.oin) && issued_to_real.is_for_development());
}

#[test]
fn the_development_authority_is_recognised() {
    let authority = DevelopmentAuthority::new(now(), &mut Seeded(1)).unwrap();
    assert_eq!(is_development_authority(authority.cert_der()), Ok(true));
    assert_eq!(is_development_authority(&certificate(&[])), Ok(false));
    assert_eq!(
        is_development_authority(b"none"),
        Err(IdentityError::Malformed)
    );
}

#[test]
fn leading_zeros_of_a_serial_number_do_not_count() {
    assert_eq!(
        Serial::from_bytes(&[0, 0x80, 1]),
        Serial::from_bytes(&[0x80, 1])
    );
    assert_eq!(Serial::from_bytes(&[0, 0]).as_bytes(), b"");
    assert_ne!(Serial::from_bytes(&[1, 0]), Serial::from_bytes(&[1]));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse_peer(&bytes);
    }

    #[test]
    fn no_change_of_a_certificate_makes_the_reader_panic_or_find_a_broken_number(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut der = certificate(&[(&SERIAL_NUMBER, printable(OIN))]);
        let at = at.index(der.len());
        der[at] = byte;
        if let Ok(identity) = parse_peer(&der) {
            prop_assert_eq!(identity.oin.as_str().len(), 20);
        }
    }
}

#[test]
fn the_end_is_spoken_of_in_time_and_of_a_short_life_not_from_its_beginning() {
    const DAY: u64 = Timestamp::DAY_MS;
    let mut identity = with_oin(printable(OIN)).unwrap();
    for (days, warned) in [(3_u64 * 365, 30), (120, 30), (90, 22), (30, 7)] {
        identity.not_before = now();
        identity.not_after = now().plus_millis(days * DAY);
        let soon = |left: u64| identity.ends_soon(30 * DAY, identity.not_after.minus_millis(left));
        assert!(soon(warned * DAY), "{days}");
        assert!(!soon((warned + 1) * DAY), "{days}");
    }
}
