//! The matrix: every kind of certificate that must not get in, each refused for the right reason, and the good ones
//! that must.

mod overheid;
mod ways;

use std::sync::Arc;

use rcgen::ExtendedKeyUsagePurpose;
use schakel_api::v1::{self, audit_service_client::AuditServiceClient, change::Change};
use schakel_core::event::{Event, RefusalReason};
use schakel_pki::authority::Issued;
use schakel_tests::{Forge, Forged, Key, Line, START, Settings, TestBroker, key, reason};
use tokio::io::AsyncReadExt as _;
use tonic::{Code, Status};

/// The number of `uwv-test`, pinned to the foreign anchor in these tests.
const UWV: &str = "00000099000000120000";
/// The number of `wonen-zuid`, which is the own anchor's.
const ASSOCIATION: &str = "00000099000000050000";
/// The number of `schuld-oost`, pinned to the foreign anchor and suspended.
const SUSPENDED: &str = "00000099000000130000";
/// A policy as that of PKIoverheid.
const POLICY: [u64; 9] = [2, 16, 528, 1, 1003, 1, 2, 8, 6];

/// What must come of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It is let in.
    Admitted,
    /// TLS refuses it, by this alert (RFC 8446 section 6.2).
    Handshake(&'static str),
    /// The handshake succeeds, and every call is refused: nobody is known by it.
    Unknown,
}

const REVOKED: Outcome = Outcome::Handshake("CertificateRevoked");
/// What TLS says of a certificate whose time is over, or has not come.
const UNTIMELY: Outcome = Outcome::Handshake("CertificateExpired");
const UNTRUSTED: Outcome = Outcome::Handshake("UnknownCA");
/// Not one for clients.
const UNFIT: Outcome = Outcome::Handshake("UnsupportedCertificate");
/// What TLS has no word for: another policy, a chain that is too long, a list that is too old.
const OTHERWISE: Outcome = Outcome::Handshake("CertificateUnknown");
const UNPROVEN: Outcome = Outcome::Handshake("DecryptError");
/// Refused before TLS, or without a word.
const SILENTLY: Outcome = Outcome::Handshake("");

/// A foreign authority of two levels, and a broker that trusts it beside its own.
struct Foreign {
    issuing: Forge,
    withdrawn: Forge,
    revoked: Issued,
    broker: TestBroker,
}

fn policy() -> Option<Vec<u64>> {
    Some(POLICY.to_vec())
}

fn ordinary(oin: &str) -> Forged {
    Forged {
        policy: policy(),
        ..Forged::of(oin)
    }
}

impl Foreign {
    async fn set() -> Self {
        let now = START.parse().unwrap();
        let root = Forge::root("Vreemde root", now);
        let issuing = root.below("Vreemde uitgever");
        let withdrawn = root.below("Ingetrokken uitgever");
        let revoked = issuing.issue(&ordinary(UWV));
        let settings = Settings {
            tls: r#"
                unpinned = "own"
                [[tls.anchor]]
                name = "foreign"
                certificates = "foreign.pem"
                intermediates = "foreign-issuing.pem"
                policies = ["2.16.528.1.1003.1.2.8.6"]
                crl = [{ file = "root.crl" }, { file = "issuing.crl" }, { file = "withdrawn.crl" }]
            "#
            .to_owned(),
            files: vec![
                ("foreign.pem", root.pem().to_owned()),
                (
                    "foreign-issuing.pem",
                    format!("{}{}", issuing.pem(), withdrawn.pem()),
                ),
                ("root.crl", root.list_of(&[withdrawn.serial()], 1, now)),
                ("issuing.crl", issuing.list(&[&revoked], 1, now)),
                ("withdrawn.crl", withdrawn.list(&[], 1, now)),
            ],
            ..Settings::default()
        };
        let foreign = Self {
            issuing,
            withdrawn,
            revoked,
            broker: TestBroker::start_with(settings).await,
        };
        foreign.pin("uwv-test").await;
        foreign.pin("schuld-oost").await;
        let suspend = Change::SuspendPartyId("schuld-oost".into());
        foreign.change(suspend).await;
        foreign
    }

    /// Pins the numbers of a party to the foreign anchor.
    async fn pin(&self, id: &str) {
        let auditor = self.broker.party("toetser").await;
        let listed = auditor
            .registry()
            .list_parties(v1::ListPartiesRequest {})
            .await
            .unwrap();
        let mut parties = listed.into_inner().parties.into_iter();
        let mut party = parties.find(|party| party.party_id == id).unwrap();
        for oin in &mut party.oins {
            oin.anchor = Some("foreign".into());
        }
        self.change(Change::PutParty(party)).await;
    }

    async fn change(&self, change: Change) {
        let proposal = self.broker.party("beheer-een").await.propose(change).await;
        self.broker
            .party("beheer-twee")
            .await
            .approve(&proposal)
            .await
            .unwrap();
    }

    /// The certificate with the authority above it.
    fn chain(&self, own: Issued) -> Issued {
        Issued {
            cert_pem: own.cert_pem + self.issuing.pem(),
            ..own
        }
    }

    fn rows(&self) -> Vec<(&'static str, Issued, Outcome)> {
        use Outcome::{Admitted, Unknown};
        let now = self.broker.now();
        let issue = |what: Forged| self.issuing.issue(&what);
        let with = |change: &dyn Fn(&mut Forged)| {
            let mut what = ordinary(UWV);
            change(&mut what);
            self.issuing.issue(&what)
        };
        let other = Forge::root("Vreemde root", now).below("Vreemde uitgever");
        let mut huge = issue(ordinary(UWV));
        huge.cert_pem += &self.issuing.pem().repeat(60);
        vec![
            (
                "the whole chain",
                self.chain(issue(ordinary(UWV))),
                Admitted,
            ),
            ("a short chain", issue(ordinary(UWV)), Admitted),
            ("P-384", with(&|what| what.key = Key::P384), Admitted),
            (
                "RSA of 2048 bits",
                with(&|what| what.key = Key::Rsa2048),
                Admitted,
            ),
            (
                "RSA of 3072 bits",
                with(&|what| what.key = Key::Rsa3072),
                Admitted,
            ),
            ("revoked", self.revoked.clone(), REVOKED),
            (
                "of a revoked authority",
                self.withdrawn.issue(&ordinary(UWV)),
                REVOKED,
            ),
            ("expired", with(&|what| what.days = (-30, -1)), UNTIMELY),
            ("not yet valid", with(&|what| what.days = (1, 30)), UNTIMELY),
            (
                "for a server only",
                with(&|what| what.usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
                UNFIT,
            ),
            ("for anything", with(&|what| what.usages.clear()), UNFIT),
            (
                "of another policy",
                with(&|what| what.policy = Some(vec![2, 16, 528, 1, 1003, 1, 2, 8, 7])),
                OTHERWISE,
            ),
            ("of no policy", with(&|what| what.policy = None), OTHERWISE),
            (
                "an authority itself",
                with(&|what| what.is_authority = true),
                UNFIT,
            ),
            (
                "of another authority with the same names",
                other.issue(&ordinary(UWV)),
                UNTRUSTED,
            ),
            (
                "self-signed",
                Forge::self_signed(&ordinary(UWV), now),
                UNTRUSTED,
            ),
            ("a huge chain", huge, OTHERWISE),
            (
                "an unknown number",
                issue(ordinary("00000099999999990000")),
                Unknown,
            ),
            (
                "another anchor's number",
                issue(ordinary(ASSOCIATION)),
                Unknown,
            ),
            (
                "from the own anchor, pinned elsewhere",
                self.broker.place().issued("uwv-test"),
                Unknown,
            ),
            ("a suspended party", issue(ordinary(SUSPENDED)), Unknown),
            (
                "two numbers",
                with(&|what| what.second_oin = Some(ASSOCIATION.into())),
                Unknown,
            ),
            (
                "the same number twice",
                with(&|what| what.second_oin = Some(UWV.into())),
                Unknown,
            ),
            (
                "odd characters",
                issue(ordinary("0000009900000012\u{0}000")),
                Unknown,
            ),
            (
                "letters that look alike",
                issue(ordinary("000000990000001200\u{41e}\u{41e}")),
                Unknown,
            ),
            (
                "a space before",
                issue(ordinary(&format!(" {UWV}"))),
                Unknown,
            ),
            ("no number", issue(ordinary("")), Unknown),
        ]
    }
}

async fn call(line: &Line) -> Result<(), Option<Status>> {
    let channel = line.channel().await.map_err(|_| None)?;
    let mut audit = AuditServiceClient::new(channel);
    let answer = audit.get_checkpoint(v1::GetCheckpointRequest {}).await;
    answer.map(drop).map_err(Some)
}

async fn outcome(line: &Line) -> Outcome {
    match call(line).await {
        Ok(()) => Outcome::Admitted,
        Err(Some(status)) if reason(&status) == "PARTY_UNKNOWN" => {
            assert_eq!(status.code(), Code::PermissionDenied);
            Outcome::Unknown
        }
        // Under TLS 1.3 a refused certificate may show at the first call.
        Err(refused) => {
            assert!(refused.is_none_or(|status| reason(&status).is_empty()));
            Outcome::Handshake(alert(line).await)
        }
    }
}

/// By which alert a handshake is refused; empty when there is none. Nothing is sent after it, since what nobody reads
/// would make the broker's end of the connection close before the alert is there.
async fn alert(line: &Line) -> &'static str {
    let read = async { line.dial().await?.read_u8().await };
    let said = read
        .await
        .map_or_else(|refused| refused.to_string(), |_| String::new());
    let all = [REVOKED, UNTIMELY, UNTRUSTED, UNFIT, OTHERWISE, UNPROVEN].into_iter();
    let mut alerts = all.filter_map(|outcome| match outcome {
        Outcome::Handshake(alert) => Some(alert),
        Outcome::Admitted | Outcome::Unknown => None,
    });
    alerts
        .find(|alert| said.contains(alert))
        .unwrap_or_default()
}

/// Every row of the matrix comes out as it must, and whoever proved who it is stands in the trail.
#[tokio::test(flavor = "multi_thread")]
async fn every_certificate_comes_out_as_it_must() {
    let foreign = Foreign::set().await;
    let (mut wrong, mut handshakes) = (Vec::new(), 0);
    for (what, own, expected) in foreign.rows() {
        let found = outcome(&foreign.broker.line_with(Some(&own))).await;
        handshakes += u64::from(matches!(found, Outcome::Handshake(_)));
        if found != expected {
            wrong.push(format!("{what}: {found:?} instead of {expected:?}"));
        }
    }
    let own = foreign.issuing.issue(&ordinary(UWV));
    let others_key = Issued {
        key_pem: foreign.issuing.issue(&ordinary(UWV)).key_pem,
        ..own
    };
    let line = foreign.broker.line_with(Some(&others_key));
    if outcome(&line).await != UNPROVEN {
        wrong.push("a key that is not the certificate's".to_owned());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let mut broker = foreign.broker;
    broker.stop().await;
    let log = broker.check_log().await;
    let details = log.details(broker.place()).into_iter().flatten();
    let refused = details.filter_map(|details| match details.event {
        Event::Refused {
            party, oin, counts, ..
        } => Some(((party, oin), counts)),
        _ => None,
    });
    let (refused, counts): (Vec<_>, Vec<_>) = refused.unzip();
    let of_handshakes = counts.into_iter().flatten();
    let of_handshakes = of_handshakes.filter(|(why, _)| *why == RefusalReason::Handshake);
    let counted: u64 = of_handshakes.map(|(_, count)| count).sum();
    assert!(
        counted > handshakes,
        "{counted} of {handshakes} are counted"
    );
    for number in ["00000099999999990000", ASSOCIATION, UWV] {
        let seen = refused
            .iter()
            .any(|(_, oin)| oin.as_ref().is_some_and(|oin| oin.as_str() == number));
        assert!(
            seen,
            "{number} was refused, and the trail says so: {refused:?}"
        );
    }
    let suspended = |party: &schakel_core::id::PartyId| party.as_str() == "schuld-oost";
    assert!(
        refused
            .iter()
            .any(|(party, _)| party.as_ref().is_some_and(suspended)),
        "{refused:?}"
    );
}
