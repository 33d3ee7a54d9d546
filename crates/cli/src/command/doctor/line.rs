//! The party's side: from its own files to what the broker knows of it, step by step.

use std::time::{Duration, Instant};

use schakel_api::v1::{self, registry_service_client::RegistryServiceClient};
use schakel_client::{ClientConfig, ConnectError, channels, shake_hands};
use schakel_core::time::Timestamp;
use schakel_pki::identity::parse_peer_pem;
use schakel_server::clock::{Clock as _, SystemClock};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tonic::{Code, Status, transport::Channel};

use super::Findings;
use crate::{exit::chain, instant};

/// How long an address may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How far the clocks may be apart: further, and terms end at another moment than either side expects.
const SKEW: Duration = Duration::from_secs(5);
/// How long before its end a certificate is spoken of.
const SOON_MS: u64 = 30 * Timestamp::DAY_MS;

/// How one comes by the next certificate.
const NEXT: &str = "`schakel enrolment renew`; or `schakel pki request`, and have it signed";

/// What a sign in what TLS says means, and what to do about it.
const WORDS: &[(&str, &str, &str)] = &[
    (
        "not valid for name",
        "the broker's certificate is for another name",
        "give the name in it by --server-name, or ask the broker's operator",
    ),
    (
        "invalid peer certificate: UnknownIssuer",
        "the broker's certificate is from an authority you do not trust",
        "give the authority of the broker by --ca",
    ),
    (
        "invalid peer certificate: certificate expired",
        "the broker's certificate has ended, or the clock here is wrong",
        "set the clock of this machine right; else tell the broker's operator",
    ),
    (
        "invalid peer certificate",
        "the broker's certificate does not hold",
        "tell the broker's operator: `schakel doctor --config FILE` there",
    ),
    (
        "CertificateRevoked",
        "the broker says that your certificate is revoked",
        "`schakel pki request`, and have another one signed",
    ),
    (
        "CertificateExpired",
        "the broker says that your certificate has ended or does not hold yet",
        "`schakel pki request`, and have another one signed; or set the clock right",
    ),
    (
        "UnknownCA",
        "the broker does not trust the authority of your certificate, or lacks a certificate in between",
        "send the authorities between yours and the root along in --certificate; else ask its operator",
    ),
    (
        "CertificateRequired",
        "the broker got no certificate from you",
        "name it by --certificate",
    ),
    (
        "CertificateUnknown",
        "the broker cannot tell whether your certificate is revoked, or does not accept what it is issued for",
        "ask the broker's operator: `schakel doctor --config FILE` there; `schakel pki check` for the usages",
    ),
    (
        "UnsupportedCertificate",
        "your certificate is not issued for client authentication",
        "`schakel pki request`, and have one signed for clients",
    ),
    (
        "ProtocolVersion",
        "the two speak no version of TLS in common",
        "`tls.oldest_version` in the broker's configuration",
    ),
    (
        "BadCertificate",
        "the broker does not accept your certificate",
        "`schakel pki check CERTIFICATE --config FILE` at the broker says which rule it breaks",
    ),
    (
        "DecryptError",
        "the private key does not belong to the certificate",
        "name the two that belong together by --certificate and --key",
    ),
];

/// Looks at every step of a connection, and stops at the first that is wrong: what comes after it could only be
/// guessed at.
pub(super) async fn examine(config: &ClientConfig, findings: &mut Findings) {
    if !own_certificate(config, findings) || !address(config, findings).await {
        return;
    }
    let Some(channel) = handshake(config, findings).await else {
        return;
    };
    if !serves(channel.clone(), findings).await {
        return;
    }
    let mut registry = RegistryServiceClient::new(channel);
    match registry
        .get_my_certificate(v1::GetMyCertificateRequest {})
        .await
    {
        Ok(answer) => known(&answer.into_inner(), findings),
        Err(status) => refused(&status, findings),
    }
}

fn own_certificate(config: &ClientConfig, findings: &mut Findings) -> bool {
    const CHECK: &str = "own certificate";
    let pem = &config.identity.certificate_pem;
    // The first of a chain is the own one.
    let end = "-----END CERTIFICATE-----";
    let own = pem.split_inclusive(end).next().unwrap_or(pem);
    let identity = match parse_peer_pem(own) {
        Ok(identity) => identity,
        Err(error) => {
            let mend = "`schakel pki request` makes a request for the next one, which your authority signs";
            findings.failed(CHECK, error.to_string(), mend);
            return false;
        }
    };
    let now = SystemClock.now();
    let told = format!("OIN {}, issued by {}", identity.oin, identity.issuer.text);
    if now < identity.not_before {
        let (from, clock) = (identity.not_before.spoken(), now.spoken());
        let said = format!("{told}, holds from {from} only, and the clock here says {clock}");
        findings.failed(CHECK, said, "set the clock of this machine right, or wait");
        return false;
    }
    if identity.not_after < now {
        let (end, clock) = (identity.not_after.spoken(), now.spoken());
        let said = format!("{told}, ended at {end}, and the clock here says {clock}");
        let mend =
            "`schakel pki request`, and have it signed; or set the clock of this machine right";
        findings.failed(CHECK, said, mend);
        return false;
    }
    let said = format!("{told}, holds until {}", identity.not_after.spoken());
    if identity.ends_soon(SOON_MS, now) {
        findings.warned(CHECK, said, NEXT);
    } else {
        findings.passed(CHECK, said);
    }
    true
}

async fn address(config: &ClientConfig, findings: &mut Findings) -> bool {
    let server = config.address.as_str();
    let found = match lookup_host(server).await {
        Ok(found) => found.collect::<Vec<_>>(),
        Err(error) => {
            let mend = "give host and port by --server, and see that the name is known: `getent hosts NAME`";
            findings.failed("name", format!("`{server}` has no address: {error}"), mend);
            return false;
        }
    };
    let addresses = match found.len() {
        1 => "an address".to_owned(),
        several => format!("{several} addresses"),
    };
    findings.passed("name", format!("`{server}` has {addresses}"));
    let mut last = String::new();
    for address in found {
        match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                findings.passed("network", format!("{address} answers"));
                return true;
            }
            Ok(Err(error)) => last = format!("{address}: {error}"),
            Err(_) => last = format!("{address} does not answer within {} s", PATIENCE.as_secs()),
        }
    }
    let mend = "see that the broker runs (`schakel serve`) and that no firewall is in between";
    findings.failed("network", last, mend);
    false
}

async fn handshake(config: &ClientConfig, findings: &mut Findings) -> Option<Channel> {
    let channels = match shake_hands(config).await {
        Ok(()) => channels(config).await,
        Err(error) => Err(error),
    };
    match channels {
        Ok(mut channels) => {
            findings.passed("TLS", format!("the broker is `{}`", config.server_name));
            channels.pop()
        }
        Err(ConnectError::Tls { said, .. }) => {
            let (told, mend) = in_plain_words(&said);
            findings.failed("TLS", format!("{told} ({said})"), mend);
            None
        }
        Err(error) => {
            let mend = "name the files by --certificate, --key and --ca";
            findings.failed("TLS", chain(&error), mend);
            None
        }
    }
}

/// What TLS says, for people, and what to do about it. Alerts came from the broker; the rest is this side's.
fn in_plain_words(said: &str) -> (&'static str, &'static str) {
    let found = WORDS.iter().find(|(sign, ..)| said.contains(sign));
    found.map_or(
        (
            "the two could not agree on a connection",
            "ask the broker's operator to look: `schakel doctor --config FILE` there",
        ),
        |(_, told, mend)| (told, mend),
    )
}

/// Asks for the broker's health, and looks at the time that comes with the answer. Gives whether it serves; who
/// is not let in to ask learns why from the registry.
async fn serves(channel: Channel, findings: &mut Findings) -> bool {
    use tonic_health::pb::{
        HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
    };
    let asked = Instant::now();
    let answer = HealthClient::new(channel)
        .check(HealthCheckRequest::default())
        .await;
    let Ok(answer) = answer else { return true };
    let told = answer.metadata().get("date");
    if let Some(there) = told.and_then(|date| read_date(date.to_str().ok()?)) {
        clock(SystemClock.now(), there, asked.elapsed(), findings);
    }
    if answer.get_ref().status() == ServingStatus::Serving {
        findings.passed("health", "the broker records and serves");
        return true;
    }
    let mend =
        "ask the broker's operator: its log says why entries cannot be recorded, or that it stops";
    findings.failed("health", "the broker does not serve now", mend);
    false
}

/// Reads the date of an HTTP answer (RFC 9110 5.6.7), in whole seconds.
fn read_date(text: &str) -> Option<Timestamp> {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let read = time::PrimitiveDateTime::parse(text, format).ok()?;
    let millis = read.assume_utc().unix_timestamp().checked_mul(1000)?;
    Timestamp::from_millis(millis.try_into().ok()?).ok()
}

/// Compares the clock here with the broker's, which was read within the time that the answer took.
fn clock(here: Timestamp, there: Timestamp, took: Duration, findings: &mut Findings) {
    // The broker tells whole seconds, rounded down.
    let most = u64::try_from((SKEW + took).as_millis()).unwrap_or(u64::MAX);
    let (here_ms, there_ms) = (here.as_millis(), there.as_millis().saturating_add(500));
    let apart = here_ms.abs_diff(there_ms);
    if apart <= most {
        findings.passed("clock", "the clocks here and at the broker agree");
        return;
    }
    let seconds = apart / 1000;
    let said = if here_ms > there_ms {
        format!("the clock here is {seconds} s ahead of the broker's")
    } else {
        format!("the clock here is {seconds} s behind the broker's")
    };
    let mend = "let this machine follow a time server: `timedatectl set-ntp true`; when it does, tell the broker's operator";
    findings.warned("clock", said, mend);
}

fn known(own: &v1::GetMyCertificateResponse, findings: &mut Findings) {
    let anchors = own.anchors.join(", ");
    findings.passed(
        "registry",
        format!("you are party `{}`, under anchor {anchors}", own.party_id),
    );
    if own.expires_soon {
        let end = instant::shown_if(own.not_after.as_ref()).unwrap_or_default();
        let end = instant::spoken(&end);
        let said = format!("the broker counts your certificate until {end}");
        findings.warned("registry", said, NEXT);
    }
    if let Some(skew) = skew(own) {
        findings.warned("clock", skew, "set the clock of this machine right");
    }
}

/// Whether the certificate holds by the broker's clock and not by the one here.
fn skew(own: &v1::GetMyCertificateResponse) -> Option<String> {
    let end = instant::shown_if(own.not_after.as_ref())?;
    let end: Timestamp = end.parse().ok()?;
    let now = SystemClock.now();
    (end < now).then(|| {
        let clock = now.spoken();
        format!("the clock here says {clock}, past what the broker still admits")
    })
}

fn refused(status: &Status, findings: &mut Findings) {
    let said = status.message();
    let mend = match status.code() {
        Code::PermissionDenied if said.contains("blocked") => {
            "ask the broker's operator why; administrators let it go on by `schakel certificate unblock`"
        }
        Code::PermissionDenied if said.contains("no longer holds") => {
            "`schakel pki request`, and have another certificate signed"
        }
        Code::PermissionDenied if said.contains("schakel-unit") => {
            "name a unit the party has by --for-unit, or leave it out (`schakel party show`)"
        }
        Code::PermissionDenied if said.contains("schakel-principal") => {
            "leave --for out, or have the party register you as its delegate"
        }
        Code::PermissionDenied => {
            "have the party registered with this OIN and anchor (`schakel party show`), or reinstated (`schakel party reinstate`)"
        }
        Code::Unavailable => "the broker stops or cannot record: try again, and look at its log",
        Code::Unimplemented => "the broker is older than this program",
        _ => "try again; then ask the broker's operator",
    };
    findings.failed("registry", said, mend);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::Verdict;

    fn compared(here: &str, date: &str) -> (Verdict, String) {
        let mut findings = Findings::default();
        let (here, there) = (here.parse().unwrap(), read_date(date).unwrap());
        clock(here, there, Duration::from_millis(200), &mut findings);
        let found = findings.findings.pop().unwrap();
        (found.verdict, found.said)
    }

    #[test]
    fn clocks_that_are_apart_are_told_with_how_far_and_which_way() {
        let date = "Mon, 23 Nov 2026 14:00:00 GMT";
        for (here, verdict, said) in [
            ("2026-11-23T14:00:00Z", Verdict::Passed, "agree"),
            ("2026-11-23T14:00:05.600Z", Verdict::Passed, "agree"),
            ("2026-11-23T14:00:06.000Z", Verdict::Warned, "5 s ahead"),
            ("2026-11-23T13:58:00.500Z", Verdict::Warned, "120 s behind"),
        ] {
            let found = compared(here, date);
            assert_eq!(found.0, verdict, "{here}: {found:?}");
            assert!(found.1.contains(said), "{here}: {found:?}");
        }
        for bad in ["", "now", "Mon, 23 Nov 2026 14:00 GMT"] {
            assert_eq!(read_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_tls_says_is_told_in_plain_words() {
        for (said, told) in [
            ("received fatal alert: CertificateRevoked", "is revoked"),
            ("received fatal alert: UnknownCA", "does not trust"),
            (
                "invalid peer certificate: UnknownIssuer",
                "you do not trust",
            ),
            (
                "invalid peer certificate: certificate not valid for name \"a\"",
                "another name",
            ),
            ("received fatal alert: DecryptError", "private key"),
            ("something new", "could not agree"),
        ] {
            assert!(in_plain_words(said).0.contains(told), "{said}");
        }
    }
}
