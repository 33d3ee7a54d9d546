//! What is looked at in the certificate itself, and who holds its number.

use schakel_core::time::Timestamp;
use x509_parser::certificate::X509Certificate;

use super::{Acceptance, Anchor, AnchorTerms, Conditions, Finding, failed, passed, warned};
use crate::{identity, request, terms::CertificateTerms};

/// How long before its end a certificate should have been renewed, in days.
const RENEW_DAYS: u32 = 30;

pub(super) fn check(
    acceptance: &Acceptance,
    anchor: &Anchor,
    der: &[u8],
    certificate: &X509Certificate<'_>,
    conditions: &Conditions,
    findings: &mut Vec<Finding>,
) {
    check_number(acceptance, der, findings);
    check_dates(certificate, conditions.at, findings);
    check_usage(anchor.terms.as_ref(), der, certificate, findings);
    check_key(certificate, findings);
}

fn check_number(acceptance: &Acceptance, der: &[u8], findings: &mut Vec<Finding>) {
    let identity = match identity::parse_peer(der) {
        Ok(identity) => identity,
        Err(error) => return findings.push(failed("number", error.to_string())),
    };
    let organisation = identity.organisation.as_deref().unwrap_or("no name");
    findings.push(passed(
        "number",
        format!("OIN {} of `{organisation}`", identity.oin),
    ));
    if identity.is_for_development() {
        let said = "it is for development (a test number, or a development authority)";
        findings.push(if acceptance.production {
            failed(
                "environment",
                format!("{said}, and the broker is not: order one for your own OIN"),
            )
        } else {
            passed("environment", format!("{said}, and so is the broker"))
        });
    }
}

fn check_dates(certificate: &X509Certificate<'_>, at: Timestamp, findings: &mut Vec<Finding>) {
    let Ok(validity) = identity::validity_of(certificate) else {
        return findings.push(failed("dates", "cannot be read".to_owned()));
    };
    let (from, until) = (validity.not_before(), validity.not_after());
    let [begin, end, clock] = [from, until, at].map(Timestamp::spoken);
    findings.push(if at < from {
        let said = format!("it holds from {begin} on, and the clock says {clock}");
        failed("dates", said)
    } else if until < at {
        let said = format!("it ended at {end}, and the clock says {clock}: renew it");
        failed("dates", said)
    } else if until < at.plus_days(RENEW_DAYS) {
        warned("dates", format!("it ends at {end}: renew it now"))
    } else {
        passed("dates", format!("it holds from {begin} to {end}"))
    });
}

/// What it may be used for, and under which policies it was issued. Where it is not known what the broker asks, that it is a
/// client's.
fn check_usage(
    asked: Option<&AnchorTerms>,
    der: &[u8],
    certificate: &X509Certificate<'_>,
    findings: &mut Vec<Finding>,
) {
    if certificate.is_ca() {
        return findings.push(failed(
            "usage",
            "it is the certificate of an authority, not of a holder".to_owned(),
        ));
    }
    let Ok(terms) = CertificateTerms::parse(der) else {
        return findings.push(failed("usage", "cannot be read".to_owned()));
    };
    let wanted = asked.map_or_else(
        || vec![CLIENT_AUTH.to_owned()],
        |asked| asked.usages.clone(),
    );
    let client = terms.usages.iter().any(|usage| wanted.contains(usage));
    if let Some(asked) = asked.filter(|asked| !asked.policies.is_empty()) {
        findings.push(if terms.policies.iter().any(|policy| asked.policies.contains(policy)) {
            passed("policy", format!("issued under a policy that is accepted of anchor `{}`", asked.name))
        } else {
            failed(
                "policy",
                format!(
                    "issued under no policy that is accepted of anchor `{}` (`tls.anchor.policies`: {}): order one under such a policy",
                    asked.name,
                    asked.policies.join(", ")
                ),
            )
        });
    }
    let signing = certificate.key_usage().ok().flatten();
    let signs = signing.is_none_or(|usage| usage.value.digital_signature());
    findings.push(match (client, signs) {
        (true, true) => passed("usage", "it may be used as a client's".to_owned()),
        (false, _) => failed("usage", lacking(&wanted)),
        (_, false) => failed(
            "usage",
            "its key usage lacks digitalSignature, without which there is no TLS 1.3".to_owned(),
        ),
    });
}

/// How the usage of a client is called (RFC 5280 section 4.2.1.12).
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";

fn lacking(wanted: &[String]) -> String {
    if *wanted == [CLIENT_AUTH] {
        return "its extended key usage lacks clientAuth: order one for client authentication"
            .to_owned();
    }
    format!(
        "its extended key usage has none of {}: order one for such a use",
        wanted.join(", ")
    )
}

fn check_key(certificate: &X509Certificate<'_>, findings: &mut Vec<Finding>) {
    let refused = request::refused_key(certificate.public_key());
    findings.push(match refused.first() {
        None => passed(
            "key",
            "its key is of a kind and size that is accepted".to_owned(),
        ),
        Some(refusal) => failed("key", format!("it {refusal}")),
    });
}

/// Whether somebody is registered with the number.
pub(super) fn check_party(
    acceptance: &Acceptance,
    anchor: &Anchor,
    der: &[u8],
    conditions: &Conditions,
    findings: &mut Vec<Finding>,
) {
    let (Some(parties), Ok(identity)) = (&acceptance.parties, identity::parse_peer(der)) else {
        return;
    };
    let holders = parties.iter().filter(|party| {
        let mut oins = party.oins.iter();
        oins.any(|dated| dated.oin == identity.oin)
    });
    let now = holders
        .clone()
        .find(|party| party.holds(&identity.oin, conditions.at));
    let known = holders.map(|party| party.id.as_str()).next();
    let oin = &identity.oin;
    if let (Some(party), Some(asked)) = (now, &anchor.terms) {
        let unpinned = asked.takes_unpinned.then_some(&asked.name);
        let anchors = std::slice::from_ref(&asked.name);
        if !party.holds_under(oin, anchors, unpinned, conditions.at) {
            let said = format!(
                "OIN {oin} is not that of party `{}` under anchor `{}`: use a certificate of the anchor it is registered with, or have two administrators register this one",
                party.id, asked.name
            );
            return findings.push(failed("party", said));
        }
    }
    findings.push(match (now, known) {
        (Some(party), _) if party.is_active(conditions.at) => {
            passed("party", format!("party `{}` is registered with OIN {oin}", party.id))
        }
        (Some(party), _) => failed("party", format!("party `{}` is suspended", party.id)),
        (None, Some(id)) => failed(
            "party",
            format!("OIN {oin} is that of party `{id}` in another period: register it for this one"),
        ),
        (None, None) => failed(
            "party",
            format!("no party is registered with OIN {oin}: two administrators register it with `schakel party propose`"),
        ),
    });
}
