//! The way from a certificate to an authority that is trusted, and the revocation lists along it.

use schakel_core::time::Timestamp;

use super::{
    Anchor, Chain, Conditions, Finding, Lists, RevocationList, Serial, failed, identity, passed,
    sha256, warned,
};

/// The longest way that is followed: more than a broker would.
const STEPS: usize = 6;

pub(super) fn check(
    anchor: &Anchor,
    chain: &Chain,
    conditions: &Conditions,
    findings: &mut Vec<Finding>,
) {
    let mut current = chain.own.as_slice();
    for _ in 0..STEPS {
        let Some((issuer, trusted)) = issuer_of(anchor, chain, current) else {
            return findings.push(failed("authority", unknown(current)));
        };
        if conditions.distrusted.contains(&sha256(issuer)) {
            let said = format!("`{}` is revoked, or no longer trusted", name(issuer));
            return findings.push(failed("authority", said));
        }
        check_authority(issuer, conditions.at, findings);
        check_lists(anchor, current, issuer, conditions, findings);
        if trusted {
            let said = format!("issued under `{}`, which the broker trusts", name(issuer));
            return findings.push(passed("authority", said));
        }
        current = issuer;
    }
    findings.push(failed("authority", "the chain has no end".to_owned()));
}

/// The certificate of the authority that signed this one, and whether the broker trusts it by itself.
fn issuer_of<'a>(
    anchor: &'a Anchor,
    chain: &'a Chain,
    certificate: &[u8],
) -> Option<(&'a [u8], bool)> {
    let trusted = anchor.authorities.iter().map(|der| (der.as_slice(), true));
    let sent = chain.others.iter().map(|der| (der.as_slice(), false));
    trusted
        .chain(sent)
        .find(|(issuer, _)| has_signed(issuer, certificate))
}

fn has_signed(issuer: &[u8], certificate: &[u8]) -> bool {
    let (Ok(issuer), Ok(certificate)) = (identity::parse(issuer), identity::parse(certificate))
    else {
        return false;
    };
    issuer.is_ca()
        && certificate.issuer().as_raw() == issuer.subject().as_raw()
        && certificate
            .verify_signature(Some(issuer.public_key()))
            .is_ok()
}

fn check_authority(issuer: &[u8], at: Timestamp, findings: &mut Vec<Finding>) {
    let validity = identity::parse(issuer).and_then(|parsed| identity::validity_of(&parsed));
    let Ok(validity) = validity else {
        return findings.push(failed(
            "authority",
            format!("`{}` cannot be read", name(issuer)),
        ));
    };
    if !validity.contains(at) {
        let (from, until) = (validity.not_before(), validity.not_after());
        let said = format!(
            "`{}` holds from {from} to {until}, and the clock says {at}",
            name(issuer)
        );
        findings.push(failed("authority", said));
    }
}

/// Whether a list of the issuer counts, and does not name the certificate.
fn check_lists(
    anchor: &Anchor,
    certificate: &[u8],
    issuer: &[u8],
    conditions: &Conditions,
    findings: &mut Vec<Finding>,
) {
    let (Ok(parsed), who) = (identity::parse(certificate), name(issuer)) else {
        return;
    };
    let serial = Serial::from_bytes(parsed.raw_serial());
    let lists = anchor.lists_of(issuer);
    let newest = lists
        .iter()
        .max_by_key(|(_, list)| list.validity().not_before());
    let Some((file, newest)) = newest else {
        let said = format!(
            "the broker has no list of `{who}`: add it to `tls.anchor.crl`{}",
            published_at(&parsed)
        );
        return findings.push(failed("revocation", said));
    };
    let named = lists
        .iter()
        .any(|(_, list)| list.names(parsed.issuer().as_raw(), &serial));
    if named {
        let said = format!("`{file}` of `{who}` names serial number {serial}: it is revoked");
        return findings.push(failed("revocation", said));
    }
    findings.push(age(file, newest, &who, conditions));
}

fn age(file: &str, list: &RevocationList, who: &str, conditions: &Conditions) -> Finding {
    let (from, until) = (list.validity().not_before(), list.validity().not_after());
    let length = until.as_millis().saturating_sub(from.as_millis());
    let at = conditions.at;
    let until = match conditions.lists {
        Lists::Fresh => {
            return passed("revocation", format!("not on the list of `{who}`"));
        }
        Lists::AsTheyAre if at < from => {
            let said =
                format!("`{file}` of `{who}` counts from {from} on, and the clock says {at}");
            return failed("revocation", said);
        }
        Lists::AsTheyAre => until,
        Lists::Aged(age) => at.minus_millis(age).plus_millis(length),
    };
    if until < at {
        let said = format!(
            "`{file}` of `{who}` ended at {until}, and the clock says {at}: nobody it covers is let in; fetch the newest list"
        );
        return failed("revocation", said);
    }
    let left = until.as_millis().saturating_sub(at.as_millis());
    if left < length / 4 {
        let said =
            format!("not on `{file}` of `{who}`, which ends at {until}: fetch the newest list");
        return warned("revocation", said);
    }
    passed(
        "revocation",
        format!("not on `{file}` of `{who}`, which counts until {until}"),
    )
}

fn unknown(certificate: &[u8]) -> String {
    let parsed = identity::parse(certificate);
    let issuer = parsed.map_or_else(
        |_| "nobody".to_owned(),
        |parsed| parsed.issuer().to_string(),
    );
    format!(
        "`{issuer}` issued it, and is neither trusted by the broker (`tls.anchor.certificates`) nor sent along: put its certificate below the own one in the file, or ask the broker's administrator whether that authority is admitted"
    )
}

fn name(certificate: &[u8]) -> String {
    let parsed = identity::parse(certificate);
    parsed.map_or_else(|_| "?".to_owned(), |parsed| parsed.subject().to_string())
}

/// Where the certificate says that the list is.
fn published_at(certificate: &x509_parser::certificate::X509Certificate<'_>) -> String {
    use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
    let address = certificate.iter_extensions().find_map(|extension| {
        let ParsedExtension::CRLDistributionPoints(points) = extension.parsed_extension() else {
            return None;
        };
        let mut names = points
            .iter()
            .filter_map(|point| match &point.distribution_point {
                Some(DistributionPointName::FullName(names)) => names.first(),
                _ => None,
            });
        names.find_map(|name| match name {
            GeneralName::URI(address) => Some((*address).to_owned()),
            _ => None,
        })
    });
    address.map_or_else(String::new, |address| {
        format!(" (it is published at {address})")
    })
}
