//! What the library would do by default, and what it is made to do: read back with another parser.

use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    oid_registry::{OID_SIG_ECDSA_WITH_SHA256, OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER},
    prelude::FromDer as _,
};

use super::*;
use crate::{
    identity::{is_development_authority, parse_peer_pem},
    organisation::Organisations,
    revocation::{RevocationError, RevocationList},
    seeded::Seeded,
};

fn now() -> Timestamp {
    "2026-11-23T14:00:00Z".parse().unwrap()
}

fn organisation(id: &str) -> Organisation {
    Organisations::of_development()
        .unwrap()
        .find(id)
        .unwrap()
        .clone()
}

fn issued(id: &str) -> (DevelopmentAuthority, Vec<u8>) {
    let mut random = Seeded(1);
    let authority = DevelopmentAuthority::new(now(), &mut random).unwrap();
    let issued = authority
        .issue(&organisation(id), Validity::days(90, now()), &mut random)
        .unwrap();
    (
        authority,
        pem::only_block(&issued.cert_pem, "CERTIFICATE").unwrap(),
    )
}

fn read(der: &[u8]) -> X509Certificate<'_> {
    X509Certificate::from_der(der).unwrap().1
}

fn dates(certificate: &X509Certificate<'_>) -> (String, String) {
    let validity = identity::validity_of(certificate).unwrap();
    (
        validity.not_before().to_string(),
        validity.not_after().to_string(),
    )
}

#[test]
fn dates_are_those_asked_for() {
    let (authority, der) = issued("pi-noord");
    let from = "2026-11-23T13:55:00.000Z".to_owned();
    assert_eq!(
        dates(&read(&der)),
        (from.clone(), "2027-02-21T14:00:00.000Z".to_owned())
    );
    assert_eq!(
        dates(&read(authority.cert_der())),
        (from, "2027-11-23T14:00:00.000Z".to_owned())
    );
}

#[test]
fn a_certificate_never_outlives_its_authority() {
    let mut random = Seeded(1);
    let short = Validity::days(10, now());
    let authority = DevelopmentAuthority::with_validity(short, &mut random).unwrap();
    let issued = authority
        .issue(
            &organisation("pi-noord"),
            Validity::days(90, now()),
            &mut random,
        )
        .unwrap();
    assert_eq!(
        parse_peer_pem(&issued.cert_pem).unwrap().not_after,
        short.not_after()
    );
}

#[test]
fn serial_numbers_are_sixteen_random_bytes_even_for_one_key() {
    let mut random = Seeded(1);
    let authority = DevelopmentAuthority::new(now(), &mut random).unwrap();
    let (pi, validity) = (organisation("pi-noord"), Validity::days(90, now()));
    let first = authority.issue(&pi, validity, &mut random).unwrap();
    let second = authority
        .reissue(&pi, &first.key_pem, validity, &mut random)
        .unwrap();
    let (first, second) = (
        parse_peer_pem(&first.cert_pem).unwrap(),
        parse_peer_pem(&second.cert_pem).unwrap(),
    );
    assert_ne!(first.serial, second.serial);
    for serial in [first.serial, second.serial] {
        assert_eq!(serial.as_bytes().len(), 16);
        assert!(serial.as_bytes()[0] < 0x80, "negative: {serial}");
    }
    let own = read(authority.cert_der()).raw_serial().len();
    assert_eq!(own, 16);
}

#[test]
fn serial_numbers_come_from_the_randomness_that_is_handed_in() {
    let serial = |seed| {
        let mut random = Seeded(seed);
        let authority = DevelopmentAuthority::new(now(), &mut random).unwrap();
        Serial::from_bytes(read(authority.cert_der()).raw_serial())
    };
    assert_eq!(serial(7), serial(7));
    assert_ne!(serial(7), serial(8));
}

#[test]
fn the_authority_may_sign_certificates_and_lists_and_no_authority_below_it() {
    let (authority, _) = issued("pi-noord");
    let certificate = read(authority.cert_der());
    let constraints = certificate.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && constraints.value.ca);
    assert_eq!(constraints.value.path_len_constraint, Some(0));
    let usage = certificate.key_usage().unwrap().unwrap();
    assert!(usage.critical);
    assert_eq!(
        usage.value.flags,
        1 << 5 | 1 << 6,
        "keyCertSign and cRLSign, nothing else"
    );
    assert_eq!(
        certificate.signature_algorithm.algorithm,
        OID_SIG_ECDSA_WITH_SHA256
    );
    assert_eq!(certificate.public_key().parsed().unwrap().key_size(), 256);
}

#[test]
fn an_end_entity_says_that_it_is_no_authority() {
    let (_, der) = issued("pi-noord");
    let certificate = read(&der);
    let constraints = certificate
        .basic_constraints()
        .unwrap()
        .expect("basicConstraints");
    assert!(constraints.critical && !constraints.value.ca);
    assert_eq!(constraints.value.path_len_constraint, None);
}

#[test]
fn a_certificate_points_at_the_key_of_its_authority() {
    let (authority, der) = issued("pi-noord");
    let (certificate, own) = (read(&der), read(authority.cert_der()));
    let pointed = certificate
        .get_extension_unique(&OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER)
        .unwrap()
        .expect("authorityKeyIdentifier");
    let ParsedExtension::AuthorityKeyIdentifier(pointed) = pointed.parsed_extension() else {
        panic!("not read");
    };
    let own = own
        .iter_extensions()
        .find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
            _ => None,
        })
        .unwrap();
    assert_eq!(pointed.key_identifier.as_ref().unwrap().0, own);
}

#[test]
fn a_party_is_a_client_and_signs_nothing_but_handshakes() {
    let (_, der) = issued("pi-noord");
    let certificate = read(&der);
    assert_eq!(
        certificate.key_usage().unwrap().unwrap().value.flags,
        1,
        "digitalSignature"
    );
    let extended = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(extended.client_auth && !extended.server_auth && !extended.any);
    assert!(certificate.subject_alternative_name().unwrap().is_none());
}

#[test]
fn the_broker_serves_at_its_hosts() {
    let (_, der) = issued("broker");
    let certificate = read(&der);
    let extended = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(extended.client_auth && extended.server_auth);
    let names = &certificate
        .subject_alternative_name()
        .unwrap()
        .unwrap()
        .value
        .general_names;
    let mut loopback6 = [0; 16];
    loopback6[15] = 1;
    assert_eq!(
        *names,
        [
            GeneralName::DNSName("localhost"),
            GeneralName::IPAddress(&[127, 0, 0, 1]),
            GeneralName::IPAddress(&loopback6),
        ]
    );
}

#[test]
fn the_subject_holds_name_country_and_number() {
    let (_, der) = issued("fg-gemeente-oost");
    assert_eq!(
        read(&der).subject().to_string(),
        "C=NL, O=Testgemeente Oost, FG, CN=Testgemeente Oost, FG, \
         OU=Functionaris gegevensbescherming, serialNumber=00000099000000060000"
    );
    let printable = b"\x06\x03\x55\x04\x05\x13\x1400000099000000060000";
    assert!(
        der.windows(printable.len())
            .any(|window| window == printable),
        "PrintableString"
    );
}

#[test]
fn a_host_that_is_no_name_is_refused() {
    let mut random = Seeded(1);
    let authority = DevelopmentAuthority::new(now(), &mut random).unwrap();
    for bad in ["", "a b", "bücher.example", "https://localhost"] {
        let broker = Organisation {
            hosts: vec![bad.to_owned()],
            ..organisation("broker")
        };
        let error = authority
            .issue(&broker, Validity::days(1, now()), &mut random)
            .unwrap_err();
        assert!(matches!(error, IssueError::Host { .. }), "{bad}: {error}");
    }
}

#[test]
fn a_loaded_authority_is_the_one_that_was_kept() {
    let mut random = Seeded(1);
    let kept = DevelopmentAuthority::new(now(), &mut random).unwrap();
    let loaded = DevelopmentAuthority::load(kept.cert_pem(), &kept.key_pem()).unwrap();
    assert_eq!(loaded.validity(), kept.validity());
    let issued = loaded
        .issue(
            &organisation("pi-noord"),
            Validity::days(90, now()),
            &mut random,
        )
        .unwrap();
    assert!(kept.has_issued(&issued.cert_pem));
    let other = DevelopmentAuthority::new(now(), &mut random).unwrap();
    assert!(!other.has_issued(&issued.cert_pem));
    assert!(matches!(
        DevelopmentAuthority::load(kept.cert_pem(), &other.key_pem()),
        Err(LoadError::OtherKey)
    ));
    assert!(matches!(
        DevelopmentAuthority::load(&issued.cert_pem, &issued.key_pem),
        Err(LoadError::NoAuthority)
    ));
}

#[test]
fn an_authority_of_another_name_is_not_loaded() {
    let key = KeyPair::generate().unwrap();
    let mut params = parameters::of_authority(Validity::days(1, now()), &mut Seeded(1));
    params
        .distinguished_name
        .push(rcgen::DnType::OrganizationName, "Testgemeente Oost");
    let certificate = params.self_signed(&key).unwrap();
    assert!(!is_development_authority(certificate.der()).unwrap());
    assert!(matches!(
        DevelopmentAuthority::load(&certificate.pem(), &key.serialize_pem()),
        Err(LoadError::OtherAuthority)
    ));
}

#[test]
fn a_renewed_authority_still_vouches_for_what_it_issued() {
    let mut random = Seeded(1);
    let old = DevelopmentAuthority::new(now(), &mut random).unwrap();
    let issued = old
        .issue(
            &organisation("pi-noord"),
            Validity::days(90, now()),
            &mut random,
        )
        .unwrap();
    let before = old.cert_pem().to_owned();
    let renewed = old.renew(now().plus_days(400), &mut random).unwrap();
    assert_ne!(renewed.cert_pem(), before);
    assert!(renewed.validity().contains(now().plus_days(765)));
    assert!(renewed.has_issued(&issued.cert_pem));
}

#[test]
fn a_revocation_list_names_what_it_revokes() {
    let mut random = Seeded(1);
    let authority = DevelopmentAuthority::new(now(), &mut random).unwrap();
    let issue = |id, random: &mut Seeded| {
        let issued = authority.issue(&organisation(id), Validity::days(90, now()), random);
        parse_peer_pem(&issued.unwrap().cert_pem).unwrap()
    };
    let (revoked, other) = (
        issue("pi-noord", &mut random),
        issue("wonen-zuid", &mut random),
    );
    let validity = Validity::days(30, now());
    let text = authority
        .revoke(std::slice::from_ref(&revoked.serial), 7, validity)
        .unwrap();
    let list = RevocationList::parse(&text, authority.cert_der()).unwrap();
    assert!(list.revokes(&revoked) && !list.revokes(&other));
    assert_eq!((list.number(), list.validity()), (Some(7), validity));

    let mut elsewhere = revoked;
    elsewhere.issuer.der.push(0);
    assert!(
        !list.revokes(&elsewhere),
        "a serial number is unique for one authority only"
    );

    let stranger = DevelopmentAuthority::new(now(), &mut random).unwrap();
    assert_eq!(
        RevocationList::parse(&text, stranger.cert_der()),
        Err(RevocationError::OtherAuthority)
    );
    assert_eq!(
        RevocationList::parse(authority.cert_pem(), authority.cert_der()),
        Err(RevocationError::Malformed)
    );
}

#[test]
fn no_debug_output_shows_a_private_key() {
    let mut random = Seeded(1);
    let authority = DevelopmentAuthority::new(now(), &mut random).unwrap();
    let issued = authority
        .issue(
            &organisation("pi-noord"),
            Validity::days(1, now()),
            &mut random,
        )
        .unwrap();
    let shown = format!("{authority:?} {issued:?}");
    assert!(!shown.contains("PRIVATE KEY"), "{shown}");
    assert!(issued.key_pem.contains("PRIVATE KEY"));
}
