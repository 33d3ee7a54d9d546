//! Revocation lists: each of its own authority, each of its own age, fetched and kept.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

/// Another authority with files beside those of the first.
fn second(pki: &Pki, seed: u64) -> DevelopmentAuthority {
    let authority = DevelopmentAuthority::new(now(), &mut Seeded(seed)).unwrap();
    pki.write("second.cert.pem", authority.cert_pem());
    let list = authority.revoke(&[], 1, Validity::days(7, now())).unwrap();
    pki.write("second.crl.pem", &list);
    authority
}

fn two_anchors(pki: &Pki) -> config::Tls {
    let second = config::Anchor {
        name: "second".parse().unwrap(),
        certificates: pki.path("second.cert.pem"),
        lists: vec![list_at(Some(pki.path("second.crl.pem")), None)],
        ..pki.anchor()
    };
    config::Tls {
        anchors: vec![pki.anchor(), second],
        unpinned: Some("own".parse().unwrap()),
        ..pki.config()
    }
}

fn anchors(lease: &Lease, at: Timestamp) -> Vec<String> {
    let verified = lease.verified(at).unwrap();
    verified.anchors.iter().map(ToString::to_string).collect()
}

#[test]
fn each_chain_is_verified_under_its_own_anchor() {
    let pki = Pki::new();
    let other = second(&pki, 21);
    let tls = pki
        .load(&two_anchors(&pki), Environment::Development)
        .unwrap();
    let own = Pki::lease(&tls, &pki.issue("pi-noord"));
    let theirs = Pki::lease(&tls, &issue(&other, "pi-noord", Validity::days(90, now())));
    assert_eq!(anchors(&own, now()), ["own"]);
    assert_eq!(anchors(&theirs, now()), ["second"]);
}

/// A list that is broken, old or gone is the matter of its own authority and of nobody else, and the next list of
/// another authority counts all the same.
#[test]
fn a_list_concerns_its_own_authority_only() {
    let pki = Pki::new();
    let other = second(&pki, 22);
    let tls = pki
        .load(&two_anchors(&pki), Environment::Development)
        .unwrap();
    let (one, spared) = (pki.issue("pi-noord"), pki.issue("wonen-zuid"));
    let own = [Pki::lease(&tls, &one), Pki::lease(&tls, &spared)];
    let theirs = Pki::lease(&tls, &issue(&other, "pi-noord", Validity::days(90, now())));
    pki.write("second.crl.pem", "broken");
    pki.list(&[serial(&one)], 2);
    let reloaded = tls.reload();
    assert!(reloaded.changed);
    assert_eq!(reloaded.broken.len(), 1, "{reloaded:?}");
    assert!(!own[0].holds(now()), "the other list was taken");
    assert!(
        own[1].holds(now()) && theirs.holds(now()),
        "what counted counts on"
    );

    let later = now().plus_days(7);
    pki.clock.set(later);
    let list = pki
        .authority
        .revoke(&[], 3, Validity::days(7, later))
        .unwrap();
    pki.write("ca.crl.pem", &list);
    tls.reload();
    assert!(own[1].holds(later), "its own authority has a new list");
    let refused = theirs.verified(later).unwrap_err();
    assert!(matches!(refused, Refused::Stale { .. }), "{refused}");
    let told = refused.to_string();
    assert!(
        told.contains("serialNumber=")
            && told.contains("development CA")
            && told.contains("second.crl.pem"),
        "{told}"
    );
}

#[test]
fn a_list_too_old_by_choice_admits_whoever_it_does_not_revoke() {
    let pki = Pki::new();
    let one = pki.issue("pi-noord");
    pki.list(&[serial(&one)], 2);
    let mut config = pki.config();
    config.anchors[0].lists[0].when_stale = config::WhenStale::Admit;
    let tls = pki.load(&config, Environment::Development).unwrap();
    let later = now().plus_days(30);
    assert!(Pki::lease(&tls, &pki.issue("wonen-zuid")).holds(later));
    assert!(!Pki::lease(&tls, &one).holds(later));
}

#[test]
fn a_bound_on_age_counts_before_the_authoritys_own() {
    let pki = Pki::new();
    let mut config = pki.config();
    config.anchors[0].lists[0].max_age = Some(Duration::from_hours(24));
    let tls = pki.load(&config, Environment::Development).unwrap();
    let lease = Pki::lease(&tls, &pki.issue("wonen-zuid"));
    // The list begins five minutes early.
    let end = now().plus_days(1).minus_millis(300_000);
    assert!(lease.holds(end.minus_millis(1)) && !lease.holds(end));
}

/// A server that answers each of these in turn, whatever it is asked.
pub(super) async fn serve(answers: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(stream.read_u8().await.unwrap());
            }
            assert!(asked.starts_with(b"GET /ca.crl HTTP/1.1\r\n"));
            stream.write_all(&answer).await.unwrap();
        }
    });
    format!("http://{address}/ca.crl")
}

pub(super) fn ok(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_list_is_fetched_counts_by_its_last_fetch_and_is_known_after_a_restart() {
    let pki = Pki::new();
    let (one, other) = (pki.issue("pi-noord"), pki.issue("wonen-zuid"));
    let revoke = |revoked: &[Serial], number| {
        let list = pki
            .authority
            .revoke(revoked, number, Validity::days(7, now()))
            .unwrap();
        let der = rustls::pki_types::CertificateRevocationListDer::from_pem_slice(list.as_bytes());
        der.unwrap().as_ref().to_vec()
    };
    let (first, second) = (revoke(&[], 1), revoke(&[serial(&one)], 2));
    let elsewhere = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n".to_vec();
    let answers = vec![ok(&first), elsewhere, ok(b"no list"), ok(&second)];
    let mut config = pki.config();
    config.anchors[0].lists = vec![config::List {
        max_age: Some(Duration::from_hours(2)),
        ..list_at(None, Some(serve(answers).await))
    }];
    let tls = pki.load(&config, Environment::Development).unwrap();
    let [list] = &tls.fetched()[..] else {
        panic!("one list")
    };
    let lease = Pki::lease(&tls, &one);
    let refused = lease.verified(now()).unwrap_err();
    assert!(
        matches!(refused, Refused::Unlisted { .. }),
        "never fetched: {refused}"
    );

    tls.fetch(list).await.unwrap();
    assert!(
        lease.holds(now()),
        "the connection that waited is let in at once"
    );
    let hour = now().plus_millis(3_600_000);
    pki.clock.set(hour);
    for _ in 0..2 {
        let error = tls.fetch(list).await.unwrap_err().to_string();
        assert!(error.contains("http://127.0.0.1"), "{error}");
    }
    let stale = now().plus_millis(7_200_000);
    assert!(
        lease.holds(stale.minus_millis(1)) && !lease.holds(stale),
        "two failures are no fetch"
    );

    let again = pki.load(&config, Environment::Development).unwrap();
    let known = Pki::lease(&again, &other);
    assert!(
        known.holds(stale.minus_millis(1)) && !known.holds(stale),
        "it knows when it fetched"
    );
    tls.fetch(list).await.unwrap();
    assert!(!lease.holds(hour), "revoked");
    assert!(
        Pki::lease(&tls, &other).holds(stale),
        "the age counts from this fetch"
    );
}

/// A list of an authority that is trusted under no anchor cannot be fetched into one.
#[tokio::test]
async fn a_list_of_another_authority_is_not_taken() {
    let pki = Pki::new();
    let other = second(&pki, 23);
    let list = other.revoke(&[], 9, Validity::days(7, now())).unwrap();
    let mut config = pki.config();
    config.anchors[0].lists = vec![list_at(None, Some(serve(vec![ok(list.as_bytes())]).await))];
    let tls = pki.load(&config, Environment::Development).unwrap();
    let error = tls.fetch(&tls.fetched()[0]).await.unwrap_err();
    assert!(matches!(error, TlsError::Revocation { .. }), "{error}");
    assert!(!Pki::lease(&tls, &pki.issue("pi-noord")).holds(now()));
}

#[test]
fn the_older_tls_is_spoken_only_when_it_is_chosen_and_with_the_suites_of_ncsc() {
    let pki = Pki::new();
    let config = config::Tls {
        oldest_version: config::TlsVersion::Tls12,
        ..pki.config()
    };
    let tls = pki.load(&config, Environment::Development).unwrap();
    let server = tls.server_config();
    let suites: Vec<String> = server
        .crypto_provider()
        .cipher_suites
        .iter()
        .map(|suite| format!("{:?}", suite.suite()))
        .collect();
    assert_eq!(
        suites,
        [
            "TLS13_AES_256_GCM_SHA384",
            "TLS13_CHACHA20_POLY1305_SHA256",
            "TLS13_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ]
    );
    assert!(server.require_ems);
}
