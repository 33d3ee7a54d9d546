//! No older list comes back: not in one step, not by way of another authority's list, not over a restart.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use schakel_pki::issuing::{AuthorityName, Curve, SigningAuthority, Terms};

use super::{
    lists::{ok, serve},
    *,
};

/// An anchor with two authorities, whose lists all begin at their own instants.
struct Two {
    pki: Pki,
    second: SigningAuthority,
    /// Revoked by the first authority's newer list.
    one: Issued,
}

impl Two {
    fn new() -> Self {
        let pki = Pki::new();
        let name = AuthorityName {
            organisation: "Testverlener".to_owned(),
            common_name: "Testverlener CA".to_owned(),
        };
        let terms = Terms {
            list_url: "http://crl.example/second.crl".to_owned(),
            policy: None,
        };
        let (year, random) = (Validity::days(365, now()), &mut Seeded(31));
        let second = SigningAuthority::root(&name, Curve::P256, year, terms, random).unwrap();
        let own = pem("CERTIFICATE", second.certificate());
        let both = format!("{}{own}", pki.authority.cert_pem());
        pki.write("ca.cert.pem", &both);
        let one = pki.issue("pi-noord");
        Self { pki, second, one }
    }

    /// The first authority's list of this hour: the second one revokes.
    fn first(&self, hour: u64) -> String {
        let revoked = [serial(&self.one)];
        let revoked = if hour > 1 { &revoked[..] } else { &[] };
        let list = self.pki.authority.revoke(revoked, hour, week(hour));
        list.unwrap()
    }

    fn second(&self, hour: u64) -> String {
        let list = self.second.list(&[], hour, week(hour)).unwrap();
        pem("X509 CRL", &list)
    }

    fn config(&self, lists: Vec<config::List>) -> config::Tls {
        let anchor = config::Anchor {
            lists,
            ..self.pki.anchor()
        };
        config::Tls {
            anchors: vec![anchor],
            ..self.pki.config()
        }
    }

    fn load(&self, config: &config::Tls) -> Result<Arc<Tls>, TlsError> {
        self.pki.load(config, Environment::Development)
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn hours(hour: u64) -> Timestamp {
    now().plus_millis(hour * 3_600_000)
}

fn week(hour: u64) -> Validity {
    Validity::between(hours(hour), hours(hour).plus_days(7)).unwrap()
}

fn one_is_older(reloaded: &Reloaded) {
    let broken = &reloaded.broken[..];
    assert!(!reloaded.changed, "{reloaded:?}");
    assert!(
        matches!(broken, [TlsError::Older { .. }, ..]),
        "{reloaded:?}"
    );
}

#[test]
fn not_in_the_place_of_the_newer_one() {
    let two = Two::new();
    two.pki.clock.set(hours(3));
    two.pki.write("first", &two.first(2));
    two.pki.write("second", &two.second(2));
    let files = ["first", "second"].map(|name| list_at(Some(two.pki.path(name)), None));
    let tls = two.load(&two.config(files.to_vec())).unwrap();
    let lease = Pki::lease(&tls, &two.one);
    assert!(!lease.holds(hours(3)));
    two.pki.write("first", &two.first(1));
    one_is_older(&tls.reload());
    assert!(!lease.holds(hours(3)));
}

/// Files: whoever brings them may bring one authority's list where another's was, and then an old one of the other.
#[test]
fn not_by_way_of_another_authoritys_list_and_not_over_a_restart() {
    let two = Two::new();
    two.pki.clock.set(hours(3));
    two.pki.write("first", &two.first(2));
    two.pki.write("second", &two.second(2));
    let files = ["first", "second"].map(|name| list_at(Some(two.pki.path(name)), None));
    let config = two.config(files.to_vec());
    let tls = two.load(&config).unwrap();
    tls.keep_newest().unwrap();
    let lease = Pki::lease(&tls, &two.one);
    two.pki.write("first", &two.second(3));
    assert!(tls.reload().changed, "the files are the operator's");
    assert!(matches!(
        lease.verified(hours(3)),
        Err(Refused::Unlisted { .. })
    ));
    two.pki.write("first", &two.first(1));
    one_is_older(&tls.reload());
    assert!(!lease.holds(hours(3)));

    let refused = two.load(&config).err();
    assert!(
        matches!(refused, Some(TlsError::Older { .. })),
        "{refused:?}"
    );
    two.pki.write("first", &two.first(4));
    let again = two.load(&config).unwrap();
    assert!(!Pki::lease(&again, &two.one).holds(hours(3)));
    assert!(Pki::lease(&again, &two.pki.issue("wonen-zuid")).holds(hours(3)));
}

/// Addresses: anybody on the way may answer in their name.
#[tokio::test]
async fn not_by_way_of_an_address_that_has_another_authoritys_list() {
    let two = Two::new();
    two.pki.clock.set(hours(3));
    two.pki.write("second", &two.second(2));
    let answers = [two.first(2), two.second(3), two.first(1), two.first(1)];
    let answers = answers.iter().map(|list| ok(list.as_bytes())).collect();
    let config = two.config(vec![
        list_at(None, Some(serve(answers).await)),
        list_at(Some(two.pki.path("second")), None),
    ]);
    let tls = two.load(&config).unwrap();
    let [list] = &tls.fetched()[..] else {
        panic!("one list")
    };
    tls.fetch(list).await.unwrap();
    let lease = Pki::lease(&tls, &two.one);
    let revoked = |lease: &Lease| matches!(lease.verified(hours(3)), Err(Refused::Revoked { .. }));
    assert!(revoked(&lease));
    let other = tls.fetch(list).await.unwrap_err();
    assert!(matches!(other, TlsError::OtherAuthority { .. }), "{other}");
    let older = tls.fetch(list).await.unwrap_err();
    assert!(matches!(older, TlsError::Older { .. }), "{older}");
    assert!(revoked(&lease), "what counted counts on");

    let again = two.load(&config).unwrap();
    let lease = Pki::lease(&again, &two.one);
    assert!(revoked(&lease), "the copy is that of the newer list");
    let older = again.fetch(&again.fetched()[0]).await.unwrap_err();
    assert!(matches!(older, TlsError::Older { .. }), "{older}");
}

/// The copy on disk is no way back either: one put there is held against what was taken.
#[tokio::test]
async fn not_by_the_copy_on_disk() {
    let two = Two::new();
    two.pki.clock.set(hours(3));
    two.pki.write("second", &two.second(2));
    let url = serve(vec![ok(two.first(2).as_bytes())]).await;
    let config = two.config(vec![
        list_at(None, Some(url.clone())),
        list_at(Some(two.pki.path("second")), None),
    ]);
    let tls = two.load(&config).unwrap();
    tls.fetch(&tls.fetched()[0]).await.unwrap();
    let copies = Copies::new(&two.pki.path("copies"));
    let old = two.first(1);
    copies.write(&url, old.as_bytes(), hours(3)).unwrap();
    let again = two.load(&config).unwrap();
    let refused = Pki::lease(&again, &two.one).verified(hours(3)).unwrap_err();
    assert!(matches!(refused, Refused::Unlisted { .. }), "{refused}");
}

/// An address answered with another's list at its first fetch is put right when that list counts no more.
#[tokio::test]
async fn an_address_that_began_with_another_authoritys_list_is_put_right() {
    let two = Two::new();
    two.pki.clock.set(hours(3));
    two.pki.write("second", &two.second(2));
    let right = two.first(4);
    let answers = [&two.second(2), &right, &right];
    let answers = answers.iter().map(|list| ok(list.as_bytes())).collect();
    let config = two.config(vec![
        list_at(None, Some(serve(answers).await)),
        list_at(Some(two.pki.path("second")), None),
    ]);
    let tls = two.load(&config).unwrap();
    let list = &tls.fetched()[0];
    tls.fetch(list).await.unwrap();
    let other = tls.fetch(list).await.unwrap_err();
    assert!(matches!(other, TlsError::OtherAuthority { .. }), "{other}");
    two.pki.clock.set(hours(2).plus_days(7));
    tls.fetch(list).await.unwrap();
    let spared = Pki::lease(&tls, &two.pki.issue("wonen-zuid"));
    assert!(spared.holds(hours(2).plus_days(7)));
}

/// An authority whose clock was wrong once is not kept from all its lists after that.
#[test]
fn a_list_from_the_future_keeps_no_true_one_out() {
    let two = Two::new();
    two.pki.clock.set(hours(3));
    two.pki.write("first", &two.first(24 * 365));
    two.pki.write("second", &two.second(2));
    let files = ["first", "second"].map(|name| list_at(Some(two.pki.path(name)), None));
    let tls = two.load(&two.config(files.to_vec())).unwrap();
    two.pki.write("first", &two.first(2));
    one_is_older(&tls.reload());
    two.pki.clock.set(hours(5));
    two.pki.write("first", &two.first(4));
    assert!(tls.reload().broken.is_empty());
}
