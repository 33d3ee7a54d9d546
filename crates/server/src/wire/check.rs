//! What is found of certificates that somebody wants to know about, both ways.

use std::collections::BTreeSet;

use schakel_api::v1;
use schakel_core::time::Timestamp;
use schakel_pki::check::{Chain, Conditions, Finding, Lists, Verdict};

use super::Fields;

/// The most certificates that are looked at in one call, the most of one chain, and the most authorities that are
/// taken for revoked. Bounds the work of a call.
const MOST_CHAINS: usize = 100;
const MOST_IN_CHAIN: usize = 6;
const MOST_DISTRUSTED: usize = 16;

const HOUR_MS: u64 = 3_600_000;

/// Reads which certificates are asked about, and under what.
pub(crate) fn read(
    message: v1::CheckCertificatesRequest,
    now: Timestamp,
    fields: &mut Fields,
) -> Option<(Vec<Chain>, Conditions)> {
    let v1::CheckCertificatesRequest {
        chains,
        at,
        lists_fresh,
        list_age_hours,
        distrusted_sha256,
    } = message;
    if !(1..=MOST_CHAINS).contains(&chains.len()) {
        fields.refuse("chains", "must be 1 to 100 certificates");
    }
    let mut read = Vec::new();
    for v1::CertificateChain { certificates } in chains {
        if certificates.len() > MOST_IN_CHAIN {
            fields.refuse("chains", "must each have 1 to 6 certificates");
        }
        let mut certificates = certificates.into_iter().map(|der| der.to_vec());
        match certificates.next() {
            Some(own) => read.push(Chain::new(own, certificates.collect())),
            None => fields.refuse("chains", "must each have 1 to 6 certificates"),
        }
    }
    let at = match at {
        Some(at) => fields.instant("at", Some(at)),
        None => Some(now),
    };
    if lists_fresh && list_age_hours.is_some() {
        fields.refuse(
            "list_age_hours",
            "must be absent when lists are taken for fresh",
        );
    }
    let lists = match (lists_fresh, list_age_hours) {
        (true, _) => Lists::Fresh,
        (false, Some(hours)) => Lists::Aged(u64::from(hours) * HOUR_MS),
        (false, None) => Lists::AsTheyAre,
    };
    if distrusted_sha256.len() > MOST_DISTRUSTED {
        fields.refuse("distrusted_sha256", "must be at most 16 authorities");
    }
    let distrusted: Option<BTreeSet<[u8; 32]>> = distrusted_sha256
        .iter()
        .map(|sha256| fields.sha256("distrusted_sha256", sha256))
        .collect();
    let conditions = Conditions {
        at: at?,
        lists,
        distrusted: distrusted?,
    };
    Some((read, conditions))
}

/// What was found of a certificate.
pub(crate) fn write(findings: Vec<Finding>) -> v1::CheckedCertificate {
    v1::CheckedCertificate {
        accepted: findings
            .iter()
            .all(|finding| finding.verdict != Verdict::Failed),
        findings: findings.into_iter().map(finding).collect(),
    }
}

fn finding(finding: Finding) -> v1::CertificateFinding {
    let Finding {
        check,
        verdict,
        said,
    } = finding;
    v1::CertificateFinding {
        check: check.to_owned(),
        verdict: match verdict {
            Verdict::Passed => v1::CheckVerdict::Passed,
            Verdict::Warned => v1::CheckVerdict::Warned,
            Verdict::Failed => v1::CheckVerdict::Failed,
        }
        .into(),
        said,
    }
}
