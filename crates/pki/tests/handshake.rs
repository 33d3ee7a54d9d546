//! What is issued, judged by the verifier that a broker uses, at instants the tests choose.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails, fails its test"
)]

use std::{sync::Arc, time::Duration};

use rustls::{
    CertificateError, Error, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    crypto::aws_lc_rs,
    pki_types::{
        CertificateDer, CertificateRevocationListDer, ServerName, UnixTime, pem::PemObject as _,
    },
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use schakel_core::{random::Random, time::Timestamp};
use schakel_pki::{
    authority::{DevelopmentAuthority, Issued},
    identity::{Serial, parse_peer_pem},
    organisation::Organisations,
    validity::Validity,
};

struct Counter(u8);

impl Random for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0 += 1;
        bytes.fill(self.0);
    }
}

fn now() -> Timestamp {
    "2026-11-23T14:00:00Z".parse().unwrap()
}

fn issue(authority: &DevelopmentAuthority, id: &str, validity: Validity, serial: u8) -> Issued {
    let organisations = Organisations::of_development().unwrap();
    let organisation = organisations.find(id).unwrap();
    authority
        .issue(organisation, validity, &mut Counter(serial))
        .unwrap()
}

fn authority() -> DevelopmentAuthority {
    DevelopmentAuthority::new(now(), &mut Counter(0)).unwrap()
}

fn roots(authority: &DevelopmentAuthority) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(authority.cert_der().to_vec()))
        .unwrap();
    roots.into()
}

/// The verifier of a broker that trusts this authority and this revocation list.
fn verifier(authority: &DevelopmentAuthority, revoked: &[Serial]) -> Arc<dyn ClientCertVerifier> {
    let list = authority
        .revoke(revoked, 1, Validity::days(30, now()))
        .unwrap();
    let list = CertificateRevocationListDer::from_pem_slice(list.as_bytes()).unwrap();
    let provider = aws_lc_rs::default_provider().into();
    WebPkiClientVerifier::builder_with_provider(roots(authority), provider)
        .with_crls([list])
        .enforce_revocation_expiration()
        .build()
        .unwrap()
}

fn judge(verifier: &dyn ClientCertVerifier, issued: &Issued, at: Timestamp) -> Result<(), Error> {
    let certificate = CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).unwrap();
    let at = UnixTime::since_unix_epoch(Duration::from_millis(at.as_millis()));
    verifier
        .verify_client_cert(&certificate, &[], at)
        .map(|_| ())
}

fn refusal(result: Result<(), Error>) -> CertificateError {
    match result {
        Err(Error::InvalidCertificate(error)) => error,
        other => panic!("not refused for its certificate: {other:?}"),
    }
}

#[test]
fn a_party_is_let_in_from_its_first_second_to_its_last() {
    let authority = authority();
    let party = issue(&authority, "pi-noord", Validity::days(20, now()), 10);
    let verifier = verifier(&authority, &[]);
    judge(&*verifier, &party, now().minus_millis(Validity::SKEW_MS)).unwrap();
    judge(&*verifier, &party, now().plus_days(20)).unwrap();
    let late = judge(&*verifier, &party, now().plus_days(20).plus_millis(1000));
    assert!(matches!(
        refusal(late),
        CertificateError::ExpiredContext { .. }
    ));
    let early = judge(
        &*verifier,
        &party,
        now().minus_millis(Validity::SKEW_MS + 1000),
    );
    assert!(matches!(
        refusal(early),
        CertificateError::NotValidYetContext { .. }
    ));
}

#[test]
fn a_certificate_of_another_authority_is_refused() {
    let (own, foreign) = (authority(), authority());
    let party = issue(&foreign, "pi-noord", Validity::days(20, now()), 10);
    let result = judge(&*verifier(&own, &[]), &party, now());
    assert!(matches!(
        refusal(result),
        CertificateError::BadSignature | CertificateError::UnknownIssuer
    ));
}

#[test]
fn a_revoked_certificate_is_refused_and_its_successor_with_the_same_key_is_not() {
    let authority = authority();
    let first = issue(&authority, "pi-noord", Validity::days(20, now()), 10);
    let organisations = Organisations::of_development().unwrap();
    let successor = authority
        .reissue(
            organisations.find("pi-noord").unwrap(),
            &first.key_pem,
            Validity::days(20, now()),
            &mut Counter(20),
        )
        .unwrap();
    let revoked = parse_peer_pem(&first.cert_pem).unwrap().serial;
    let verifier = verifier(&authority, &[revoked]);
    assert_eq!(
        refusal(judge(&*verifier, &first, now())),
        CertificateError::Revoked
    );
    judge(&*verifier, &successor, now()).unwrap();
}

#[test]
fn a_revocation_list_past_its_end_lets_nobody_in() {
    let authority = authority();
    let party = issue(&authority, "pi-noord", Validity::days(90, now()), 10);
    let result = judge(&*verifier(&authority, &[]), &party, now().plus_days(31));
    assert!(matches!(
        refusal(result),
        CertificateError::ExpiredRevocationListContext { .. }
    ));
}

#[test]
fn an_authority_from_disk_issues_what_the_one_in_memory_vouches_for() {
    let kept = authority();
    let loaded = DevelopmentAuthority::load(kept.cert_pem(), &kept.key_pem()).unwrap();
    let party = issue(&loaded, "pi-noord", Validity::days(20, now()), 10);
    judge(&*verifier(&kept, &[]), &party, now()).unwrap();
    judge(&*verifier(&loaded, &[]), &party, now()).unwrap();
}

#[test]
fn the_broker_may_serve_at_its_hosts_and_a_party_may_not_serve_at_all() {
    let authority = authority();
    let provider = aws_lc_rs::default_provider().into();
    let client = WebPkiServerVerifier::builder_with_provider(roots(&authority), provider)
        .build()
        .unwrap();
    let at = UnixTime::since_unix_epoch(Duration::from_millis(now().as_millis()));
    let judge = |issued: &Issued, host: &str| {
        let certificate = CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).unwrap();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        client
            .verify_server_cert(&certificate, &[], &name, &[], at)
            .map(|_| ())
    };
    let broker = issue(&authority, "broker", Validity::days(20, now()), 10);
    for host in ["localhost", "127.0.0.1", "::1"] {
        judge(&broker, host).unwrap();
    }
    let elsewhere = refusal(judge(&broker, "broker.example"));
    assert!(matches!(
        elsewhere,
        CertificateError::NotValidForNameContext { .. }
    ));
    let party = issue(&authority, "pi-noord", Validity::days(20, now()), 11);
    assert!(matches!(
        refusal(judge(&party, "localhost")),
        CertificateError::InvalidPurposeContext { .. }
    ));
}
