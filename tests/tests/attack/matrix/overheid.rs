//! Certificates of another authority, of the shape that those of PKIoverheid have: keys of RSA, two authorities below
//! the root, a list of each, a policy, and the number in Subject.serialNumber.

use std::{sync::LazyLock, time::Duration};

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, pem::PemObject as _};
use schakel_core::time::Timestamp;
use schakel_pki::check::Chain;
use schakel_server::{config::Config, edge::tls::Tls};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::watch,
};

use super::{
    super::{every_key::pin, rotation::until},
    *,
};

const NAMES: [&str; 3] = ["root.crl", "domain.crl", "provider.crl"];
const NEXT_NAMES: [&str; 3] = ["root-2.crl", "domain-2.crl", "provider-2.crl"];
const DAY: Duration = Duration::from_hours(24);

/// A root, the authority of a domain below it, and that of a trust service provider below that.
struct Generation([Forge; 3]);

/// Two generations side by side. Making keys of 4096 bits takes its time, and once is enough.
static GENERATIONS: LazyLock<[Generation; 2]> =
    LazyLock::new(|| ["G1", "G2"].map(Generation::found));

fn start() -> Timestamp {
    START.parse().unwrap()
}

impl Generation {
    fn found(name: &str) -> Self {
        Self::of(Key::Rsa4096, name)
    }

    fn of(key: Key, name: &str) -> Self {
        let root = Forge::root_of(key, &format!("Teststaat Root CA - {name}"), start());
        let domain = root.below(&format!("Teststaat Private Services CA - {name}"));
        let provider = domain.below(&format!("Testverlener Private Services CA - {name}"));
        Self([root, domain, provider])
    }

    /// A certificate as it is ordered, with as many authorities above it.
    fn issue(&self, above: usize) -> Issued {
        let own = self.0[2].issue(&ordered(UWV));
        let authorities = self.0.iter().rev().take(above).map(Forge::pem);
        Issued {
            cert_pem: own.cert_pem + &authorities.collect::<String>(),
            ..own
        }
    }

    /// The lists of its authorities, from the root down, in files of these names.
    fn lists(&self, names: [&'static str; 3], from: Timestamp) -> Vec<(&'static str, String)> {
        let all = names.into_iter().zip(&self.0);
        all.map(|(name, forge)| (name, forge.list(&[], 1, from)))
            .collect()
    }
}

/// What is ordered: for servers and clients, with a key of RSA.
fn ordered(oin: &str) -> Forged {
    Forged {
        usages: vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ],
        key: Key::Rsa2048,
        ..ordinary(oin)
    }
}

/// What a broker trusts beside its own authority, and the lists that it goes by.
struct Trust<'a> {
    roots: Vec<&'a Forge>,
    below: Vec<&'a Forge>,
    lists: Vec<(&'static str, String)>,
    /// Where one more list is fetched from.
    url: Option<String>,
}

impl Trust<'_> {
    /// A broker that trusts this; the number of `uwv-test` is pinned to it.
    async fn broker(self) -> TestBroker {
        let pem = |all: &[&Forge]| all.iter().map(|one| one.pem()).collect::<String>();
        let files = self
            .lists
            .iter()
            .map(|(name, _)| format!("{{ file = \"{name}\" }}"));
        let url = self.url.map(|url| format!("{{ url = \"{url}\" }}"));
        let crl: Vec<_> = files.chain(url).collect();
        let tls = format!(
            r#"
            reload_every = "1s"
            unpinned = "own"
            [[tls.anchor]]
            name = "overheid"
            certificates = "overheid-roots.pem"
            intermediates = "overheid-below.pem"
            policies = ["2.16.528.1.1003.1.2.8.6"]
            crl = [{}]
            "#,
            crl.join(", ")
        );
        let mut files = self.lists;
        files.push(("overheid-roots.pem", pem(&self.roots)));
        files.push(("overheid-below.pem", pem(&self.below)));
        let settings = Settings {
            tls,
            files,
            ..Settings::default()
        };
        let broker = TestBroker::start_with(settings).await;
        pin(&broker, "overheid").await;
        broker
    }
}

/// What the broker says beforehand of a certificate: what fails, in words.
async fn foretold(broker: &TestBroker, own: &Issued) -> Vec<String> {
    let chain = CertificateDer::pem_slice_iter(own.cert_pem.as_bytes());
    let request = v1::CheckCertificatesRequest {
        chains: vec![v1::CertificateChain {
            certificates: chain.map(|der| der.unwrap().to_vec().into()).collect(),
        }],
        ..v1::CheckCertificatesRequest::default()
    };
    let administrator = broker.party("beheer-een").await;
    let mut certificates = administrator.certificates();
    let checked = certificates.check_certificates(request).await.unwrap();
    let [checked] = &checked.into_inner().certificates[..] else {
        panic!("one answer");
    };
    let findings = checked.findings.iter();
    let failed = findings.filter(|found| found.verdict() == v1::CheckVerdict::Failed);
    let failed: Vec<_> = failed.map(|found| found.said.clone()).collect();
    assert_eq!(checked.accepted, failed.is_empty());
    failed
}

/// Asserts that a certificate is kept out, and that what the broker says beforehand and what its log says each name what
/// whoever must mend it needs.
async fn is_kept_out(broker: &TestBroker, own: &Issued, how: Outcome, told: &[&str]) {
    let line = broker.line_with(Some(own));
    assert_eq!(outcome(&line).await, how, "{told:?}");
    let beforehand = foretold(broker, own).await;
    let [beforehand] = &beforehand[..] else {
        panic!("one thing fails: {beforehand:?}");
    };
    let logged = logged(broker, own);
    for part in told {
        assert!(logged.contains(part), "{part} in {logged}");
        // The certificate that was asked about is not named again.
        let named = beforehand.contains(part) || *part == UWV;
        assert!(named, "{part} in {beforehand}");
    }
}

/// What the broker's log says of a certificate that is kept out.
fn logged(broker: &TestBroker, own: &Issued) -> String {
    let config = Config::load(&broker.configure()).unwrap();
    let (environment, clock) = (config.broker.environment, broker.any_clock());
    let tls = Tls::load(&config.tls, environment, None, clock).unwrap();
    let chain = Chain::read(&own.cert_pem).unwrap();
    tls.judge(&chain, broker.now()).unwrap_err().to_string()
}

/// Whole and short chains of two generations are let in, by a number that is pinned to their roots. What any authority
/// on the way revoked is not; and what the broker says beforehand is what it does.
#[tokio::test(flavor = "multi_thread")]
async fn a_chain_with_two_authorities_is_let_in_and_kept_out_by_any_list_on_its_way() {
    let [first, second] = &*GENERATIONS;
    let [root, domain, provider] = &first.0;
    let ended = domain.below("Gestopte verlener");
    let lost = root.below("Verloren domein");
    let below_lost = lost.below("Verlener daaronder");
    let revoked = first.issue(0);
    let now = start();
    let mut lists = vec![
        ("root.crl", root.list_of(&[lost.serial()], 1, now)),
        ("domain.crl", domain.list_of(&[ended.serial()], 1, now)),
        ("provider.crl", provider.list(&[&revoked], 1, now)),
        ("ended.crl", ended.list(&[], 1, now)),
        ("lost.crl", lost.list(&[], 1, now)),
        ("below-lost.crl", below_lost.list(&[], 1, now)),
    ];
    lists.extend(second.lists(NEXT_NAMES, now));
    let others = [&ended, &lost, &below_lost];
    let known = first.0[1..].iter().chain(&second.0[1..]);
    let trust = Trust {
        roots: vec![root, &second.0[0]],
        below: known.chain(others).collect(),
        lists,
        url: None,
    };
    let broker = trust.broker().await;
    for (what, own) in [
        ("alone", first.issue(0)),
        ("with its provider", first.issue(1)),
        ("with all below the root", first.issue(2)),
        ("with the root", first.issue(3)),
        ("of the next generation", second.issue(0)),
    ] {
        let line = broker.line_with(Some(&own));
        assert_eq!(outcome(&line).await, Outcome::Admitted, "{what}");
        assert_eq!(foretold(&broker, &own).await, [""; 0], "{what}");
    }
    let lists = [
        (
            revoked,
            [
                "provider.crl",
                "CN=Testverlener Private Services CA - G1",
                UWV,
            ],
        ),
        (
            ended.issue(&ordered(UWV)),
            [
                "domain.crl",
                "CN=Teststaat Private Services CA - G1",
                "CN=Gestopte verlener",
            ],
        ),
        (
            below_lost.issue(&ordered(UWV)),
            [
                "root.crl",
                "CN=Teststaat Root CA - G1",
                "CN=Verloren domein",
            ],
        ),
    ];
    for (own, told) in lists {
        is_kept_out(&broker, &own, REVOKED, &told).await;
    }
    let other_policy = Forged {
        policy: Some(vec![2, 16, 528, 1, 1003, 1, 2, 8, 7]),
        ..ordered(UWV)
    };
    // Of the right policy and the wrong authority; of the wrong policy; by the number of the wrong anchor, both ways.
    for (own, expected) in [
        (Generation::of(Key::P256, "G1").issue(0), UNTRUSTED),
        (provider.issue(&other_policy), OTHERWISE),
        (broker.place().issued("uwv-test"), Outcome::Unknown),
        (provider.issue(&ordered(ASSOCIATION)), Outcome::Unknown),
    ] {
        let line = broker.line_with(Some(&own));
        assert_eq!(outcome(&line).await, expected);
        assert_ne!(foretold(&broker, &own).await, [""; 0]);
    }
}

/// When the list of any authority on the way is too old, what it is about is refused and nothing else, and the next list
/// mends that.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_too_old_anywhere_on_the_way_refuses_what_it_is_about_and_nothing_else() {
    let [first, second] = &*GENERATIONS;
    let days_ago = |days: u64| start().minus_millis(days * Timestamp::DAY_MS);
    // They count for seven days, and end one day after the other; those of the other generation with the first.
    let each = NAMES.into_iter().zip(&first.0).zip([6, 5, 4]);
    let lists = each.map(|((name, forge), days)| (name, forge.list(&[], 1, days_ago(days))));
    let trust = Trust {
        roots: vec![&first.0[0], &second.0[0]],
        below: first.0[1..].iter().chain(&second.0[1..]).collect(),
        lists: lists.chain(second.lists(NEXT_NAMES, days_ago(6))).collect(),
        url: None,
    };
    let broker = trust.broker().await;
    let (own, other) = (first.issue(0), second.issue(0));
    until(&broker, &own, true).await;
    until(&broker, &other, true).await;
    let told = [
        [
            "root.crl",
            "CN=Teststaat Root CA - G1",
            "CN=Teststaat Private Services CA - G1",
        ],
        [
            "domain.crl",
            "CN=Teststaat Private Services CA - G1",
            "CN=Testverlener",
        ],
        [
            "provider.crl",
            "CN=Testverlener Private Services CA - G1",
            UWV,
        ],
    ];
    for ((name, forge), told) in NAMES.into_iter().zip(&first.0).zip(told) {
        broker.clock().advance(DAY);
        is_kept_out(&broker, &own, OTHERWISE, &told).await;
        let unconcerned = broker.line("wonen-zuid");
        assert_eq!(outcome(&unconcerned).await, Outcome::Admitted, "{name}");
        broker
            .place()
            .write(name, &forge.list(&[], 2, broker.now()));
        until(&broker, &own, true).await;
    }
    // What nobody renewed is still too old, and kept nobody else out.
    until(&broker, &other, false).await;
}

/// A list that cannot be fetched refuses what it is about, with its address; once it is there, that is let in.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_was_never_fetched_refuses_by_its_address_until_it_is_there() {
    let [first, _] = &*GENERATIONS;
    let mut lists = first.lists(NAMES, start());
    let (_, list) = lists.pop().unwrap();
    let (there, wait) = watch::channel(false);
    let url = serve(&list, wait).await;
    let trust = Trust {
        roots: vec![&first.0[0]],
        below: first.0[1..].iter().collect(),
        lists,
        url: Some(url.clone()),
    };
    let broker = trust.broker().await;
    let own = first.issue(0);
    assert_eq!(outcome(&broker.line("wonen-zuid")).await, Outcome::Admitted);
    let told = [
        url.as_str(),
        "CN=Testverlener Private Services CA - G1",
        UWV,
    ];
    is_kept_out(&broker, &own, OTHERWISE, &told).await;
    there.send_replace(true);
    until(&broker, &own, true).await;
    assert_eq!(foretold(&broker, &own).await, [""; 0]);
}

/// Serves a list, DER as authorities publish it, once it is there; before that, an answer that it is not.
async fn serve(list: &str, there: watch::Receiver<bool>) -> String {
    let der = CertificateRevocationListDer::from_pem_slice(list.as_bytes());
    let der = der.unwrap().as_ref().to_vec();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(stream.read_u8().await.unwrap());
            }
            let (status, body) = if *there.borrow() {
                ("200 OK", &der[..])
            } else {
                ("404 Not Found", &b""[..])
            };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream
                .write_all(&[head.as_bytes(), body].concat())
                .await
                .unwrap();
        }
    });
    format!("http://{address}/provider.crl")
}
