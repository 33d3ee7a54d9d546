//! Certificates.

use schakel_api::v1;
use serde::Serialize;

use super::all;
use crate::{code::short, instant, output::View, page::Page};

/// The certificates with which parties called, and those that are blocked.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Certificates {
    used: Vec<Used>,
    blocked: Vec<Blocked>,
}

/// A certificate with which a party called.
#[derive(Clone, Debug, Serialize)]
struct Used {
    certificate: String,
    party_id: String,
    oin: String,
    anchor: String,
    not_after: Option<String>,
    first_used_at: Option<String>,
    last_used_at: Option<String>,
}

/// A certificate with which nothing may be done.
#[derive(Clone, Debug, Serialize)]
struct Blocked {
    certificate: String,
    reason: String,
    since: Option<String>,
    entry: u64,
}

/// The caller's own certificate.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OwnCertificate {
    certificate: String,
    oin: String,
    party_id: String,
    anchors: Vec<String>,
    issuer: String,
    serial: String,
    not_before: Option<String>,
    not_after: Option<String>,
    expires_soon: bool,
    tls_version: String,
}

impl From<v1::ListCertificatesResponse> for Certificates {
    fn from(response: v1::ListCertificatesResponse) -> Self {
        let mut used: Vec<Used> = all(response.used);
        used.sort_by(|one, other| one.not_after.cmp(&other.not_after));
        Self {
            used,
            blocked: all(response.blocked),
        }
    }
}

impl From<v1::UsedCertificate> for Used {
    fn from(used: v1::UsedCertificate) -> Self {
        Self {
            certificate: used.certificate,
            party_id: used.party_id,
            oin: used.oin,
            anchor: used.anchor,
            not_after: instant::shown_if(used.not_after.as_ref()),
            first_used_at: instant::shown_if(used.first_used_at.as_ref()),
            last_used_at: instant::shown_if(used.last_used_at.as_ref()),
        }
    }
}

impl From<v1::BlockedCertificate> for Blocked {
    fn from(blocked: v1::BlockedCertificate) -> Self {
        Self {
            reason: short::<v1::StopReason>(blocked.reason),
            certificate: blocked.certificate,
            since: instant::shown_if(blocked.since.as_ref()),
            entry: blocked.entry,
        }
    }
}

impl From<v1::GetMyCertificateResponse> for OwnCertificate {
    fn from(own: v1::GetMyCertificateResponse) -> Self {
        Self {
            certificate: own.certificate,
            oin: own.oin,
            party_id: own.party_id,
            anchors: own.anchors,
            issuer: own.issuer,
            serial: own.serial,
            not_before: instant::shown_if(own.not_before.as_ref()),
            not_after: instant::shown_if(own.not_after.as_ref()),
            expires_soon: own.expires_soon,
            tls_version: own.tls_version,
        }
    }
}

fn spoken(at: Option<&String>) -> String {
    at.map(|at| instant::spoken(at)).unwrap_or_default()
}

impl View for Certificates {
    fn write(&self, page: &mut Page) {
        for used in &self.used {
            page.line(&format!("{}, OIN {}", used.party_id, used.oin));
            page.indented(|page| {
                page.pair("certificate", &used.certificate);
                page.pair("anchor", &used.anchor);
                page.pair("ends", &spoken(used.not_after.as_ref()));
                page.pair("last used", &spoken(used.last_used_at.as_ref()));
            });
        }
        for blocked in &self.blocked {
            let mut used = self.used.iter();
            let of = used.find(|used| used.certificate == blocked.certificate);
            page.line(&of.map_or_else(
                || "Blocked".to_owned(),
                |used| format!("Blocked, of {}", used.party_id),
            ));
            page.indented(|page| {
                page.pair("certificate", &blocked.certificate);
                let since = spoken(blocked.since.as_ref());
                let told = format!("{since}, {}, entry {}", blocked.reason, blocked.entry);
                page.pair("since", &told);
            });
        }
        if self.used.is_empty() && self.blocked.is_empty() {
            page.line(
                "No certificate is blocked, and none is known to be used: a first use shows within the hour.",
            );
        }
    }
}

impl View for OwnCertificate {
    fn write(&self, page: &mut Page) {
        page.line(&format!("You call as {}, OIN {}.", self.party_id, self.oin));
        page.indented(|page| {
            page.pair("certificate", &self.certificate);
            page.pair("serial", &self.serial);
            page.pair("issuer", &self.issuer);
            page.pairs("anchor", &self.anchors);
            page.pair("holds from", &spoken(self.not_before.as_ref()));
            page.pair("until", &spoken(self.not_after.as_ref()));
            page.pair("TLS", &self.tls_version);
        });
        if self.expires_soon {
            page.line("It ends soon: ask your authority for the next one now.");
        }
    }
}
