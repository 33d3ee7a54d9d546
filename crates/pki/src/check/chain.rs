//! The way from a certificate to an authority that is trusted, and the revocation lists along it.

use schakel_core::time::Timestamp;

use x509_parser::certificate::X509Certificate;

use super::{
    Acceptance, Anchor, Chain, Conditions, Finding, KnownList, Lists, RevocationList, Serial,
    failed, identity, passed, sha256, warned,
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
        let Some((issuer, trusted)) = issuer_of(anchor, chain, current, conditions.at) else {
            return findings.push(failed("authority", unknown(current)));
        };
        if conditions.distrusted.contains(&sha256(issuer)) {
            let said = format!("`{}` is revoked, or no longer trusted", name(issuer));
            return findings.push(failed("authority", said));
        }
        check_authority(issuer, conditions.at, findings);
        let about = (current != chain.own).then(|| name(current));
        let about = about.map_or_else(|| "it".to_owned(), |name| format!("`{name}`"));
        check_lists(anchor, (current, &about), issuer, conditions, findings);
        if trusted {
            let said = format!("issued under `{}`, which the broker trusts", name(issuer));
            return findings.push(passed("authority", said));
        }
        current = issuer;
    }
    findings.push(failed("authority", "the chain has no end".to_owned()));
}

impl Acceptance {
    /// The authorities above a certificate, DER, the nearest first and no root: what its holder sends along, whoever
    /// trusts what. Empty where none is known.
    #[must_use]
    pub fn above(&self, certificate: &[u8], at: Timestamp) -> Vec<Vec<u8>> {
        let nothing = Chain::new(certificate.to_vec(), Vec::new());
        let mut above: Vec<Vec<u8>> = Vec::new();
        let mut current = certificate;
        for _ in 0..STEPS {
            let mut anchors = self.anchors.iter();
            let issuer = anchors.find_map(|anchor| issuer_of(anchor, &nothing, current, at));
            let Some((issuer, _)) = issuer.filter(|(issuer, _)| !has_signed(issuer, issuer)) else {
                break;
            };
            above.push(issuer.to_vec());
            current = issuer;
        }
        above
    }
}

/// The certificate of the authority that signed this one, and whether the broker trusts it by itself. Of several,
/// as an authority has that was certified again, one that holds.
fn issuer_of<'a>(
    anchor: &'a Anchor,
    chain: &'a Chain,
    certificate: &[u8],
    at: Timestamp,
) -> Option<(&'a [u8], bool)> {
    let trusted = anchor.authorities.iter().map(|der| (der.as_slice(), true));
    let others = anchor.intermediates.iter().chain(&chain.others);
    let others = others.map(|der| (der.as_slice(), false));
    let mut signers = trusted
        .chain(others)
        .filter(|(issuer, _)| has_signed(issuer, certificate))
        .peekable();
    let first = signers.peek().copied();
    signers.find(|(issuer, _)| holds(issuer, at)).or(first)
}

fn holds(certificate: &[u8], at: Timestamp) -> bool {
    let validity = identity::parse(certificate).and_then(|parsed| identity::validity_of(&parsed));
    validity.is_ok_and(|validity| validity.contains(at))
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
        let all = [validity.not_before(), validity.not_after(), at];
        let [from, until, clock] = all.map(Timestamp::spoken);
        let said = format!(
            "`{}` holds from {from} to {until}, and the clock says {clock}",
            name(issuer)
        );
        findings.push(failed("authority", said));
    }
}

/// Whether a list of the issuer counts, and does not name the certificate.
fn check_lists(
    anchor: &Anchor,
    (certificate, about): (&[u8], &str),
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
        .max_by_key(|(known, list)| known.ends_at(list, conditions));
    let Some((known, list)) = newest else {
        let published = published_at(&parsed);
        let lacking = unlisted(anchor, about, &who, conditions, &published);
        return findings.push(lacking);
    };
    let naming = lists
        .iter()
        .find(|(_, list)| list.names(parsed.issuer().as_raw(), &serial));
    if let Some((known, _)) = naming {
        let said = format!(
            "{} of `{who}` names serial number {serial}: {about} is revoked",
            known.from
        );
        return findings.push(failed("revocation", said));
    }
    findings.push(age(known, list, about, &who, conditions));
}

/// What it means that there is no list of an authority.
fn unlisted(
    anchor: &Anchor,
    about: &str,
    who: &str,
    conditions: &Conditions,
    published: &str,
) -> Finding {
    let unfetched: Vec<_> = anchor
        .unfetched()
        .map(|known| known.from.as_str())
        .collect();
    let unknown = format!("whether {about} is revoked is not known");
    if unfetched.is_empty() {
        let said = format!(
            "the broker has no list of `{who}`, and {unknown}: add it to `tls.anchor.crl`{published}"
        );
        return failed("revocation", said);
    }
    let from = unfetched.join(", ");
    if conditions.lists == Lists::Fresh {
        let said = format!("no list of `{who}` was fetched yet; it is taken not to name {about}");
        return warned("revocation", said);
    }
    let said = format!("no list of `{who}` was ever fetched from {from}, and {unknown}");
    if anchor.unfetched().any(|known| known.admits_stale) {
        return warned(
            "revocation",
            format!("{said}: the broker admits it all the same"),
        );
    }
    let mend = "see that the broker reaches that address; `schakel certificate check` asks the broker that runs";
    failed("revocation", format!("{said}: {mend}"))
}

fn age(
    known: &KnownList,
    list: &RevocationList,
    about: &str,
    who: &str,
    conditions: &Conditions,
) -> Finding {
    let (from, at) = (list.validity().not_before(), conditions.at);
    let of = format!("{} of `{who}`", known.from);
    let clock = format!("and the clock says {}", at.spoken());
    let until = match conditions.lists {
        Lists::Fresh => {
            return passed("revocation", format!("not on the list of `{who}`"));
        }
        Lists::AsTheyAre if at < from => {
            let said = format!("{of} counts from {} on, {clock}", from.spoken());
            return failed("revocation", said);
        }
        Lists::AsTheyAre | Lists::Aged(_) => known.ends_at(list, conditions),
    };
    let end = until.spoken();
    if until <= at {
        let said = format!("{of} ended at {end}, {clock}");
        return if known.admits_stale {
            let said = format!("{said}: the broker admits it all the same");
            warned("revocation", said)
        } else {
            let said =
                format!("{said}: whether {about} is revoked is not known; fetch the newest list");
            failed("revocation", said)
        };
    }
    let length = until.as_millis().saturating_sub(from.as_millis());
    let left = until.as_millis().saturating_sub(at.as_millis());
    if left < length / 4 {
        let said = format!("not on {of}, which ends at {end}: fetch the newest list");
        return warned("revocation", said);
    }
    passed(
        "revocation",
        format!("not on {of}, which counts until {end}"),
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
fn published_at(certificate: &X509Certificate<'_>) -> String {
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
