//! Issued certificates and enrolments.

use schakel_api::v1;
use schakel_pki::request::CertificateRequest;
use serde::Serialize;

use super::{Receipt, all};
use crate::{
    code::{short, spoken},
    instant,
    output::View,
    page::Page,
};

/// Certificates that the broker knows.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct IssuedCertificates {
    certificates: Vec<Certificate>,
}

/// A certificate.
#[derive(Clone, Debug, Serialize)]
struct Certificate {
    sha256: String,
    oin: String,
    serial: String,
    issuer: String,
    not_before: Option<String>,
    not_after: Option<String>,
    origin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
}

/// Leave that was given, with its token.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Invited {
    enrolment_id: String,
    token: String,
    #[serde(skip)]
    hours: u32,
    receipt: Option<Receipt>,
}

/// Enrolments.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Enrolments {
    enrolments: Vec<Enrolment>,
}

/// An enrolment.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Enrolment {
    enrolment_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    party_id: Option<String>,
    profile: String,
    oin: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    until: Option<String>,
    opened_by: String,
    progress: String,
    renewal: bool,
    confirmed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces_sha256: Option<String>,
    /// SHA-256 of the public key, computed here: whoever signs believes nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
}

impl From<Vec<v1::IssuedCertificate>> for IssuedCertificates {
    fn from(certificates: Vec<v1::IssuedCertificate>) -> Self {
        Self {
            certificates: all(certificates),
        }
    }
}

impl From<v1::IssuedCertificate> for Certificate {
    fn from(certificate: v1::IssuedCertificate) -> Self {
        let reason = certificate.reason.map(short::<v1::StopReason>);
        Self {
            sha256: hex::encode(&certificate.sha256),
            origin: short::<v1::CertificateOrigin>(certificate.origin),
            oin: certificate.oin,
            serial: certificate.serial,
            issuer: certificate.issuer,
            not_before: instant::shown_if(certificate.not_before.as_ref()),
            not_after: instant::shown_if(certificate.not_after.as_ref()),
            replaces_sha256: certificate.replaces_sha256.map(hex::encode),
            revoked_at: instant::shown_if(certificate.revoked_at.as_ref()),
            reason,
            last_used_at: instant::shown_if(certificate.last_used_at.as_ref()),
        }
    }
}

impl View for IssuedCertificates {
    fn write(&self, page: &mut Page) {
        if self.certificates.is_empty() {
            page.line("No certificate is registered.");
        }
        for certificate in &self.certificates {
            page.line(&format!("{} of {}", certificate.serial, certificate.oin));
            page.indented(|page| {
                let until = certificate.not_after.as_deref().map(instant::spoken);
                page.pair_if("holds until", until.as_deref());
                let used = certificate.last_used_at.as_deref().map(instant::spoken);
                page.pair(
                    "last used",
                    used.as_deref()
                        .unwrap_or("not known: a use shows within the hour"),
                );
                page.pair("known", &spoken(&certificate.origin));
                page.pair("issuer", &certificate.issuer);
                page.pair("SHA-256", &certificate.sha256);
                page.pair_if("replaces", certificate.replaces_sha256.as_deref());
                if let (Some(at), Some(reason)) = (&certificate.revoked_at, &certificate.reason) {
                    page.pair("revoked", &format!("{}, {reason}", instant::spoken(at)));
                }
            });
        }
    }
}

impl Invited {
    /// The leave that was given, and the token that nobody but its caller knows.
    pub(crate) fn new(opened: v1::OpenEnrolmentResponse, token: &[u8; 32], hours: u32) -> Self {
        Self {
            enrolment_id: opened.enrolment_id,
            token: hex::encode(token),
            hours,
            receipt: opened.receipt.map(Receipt::from),
        }
    }
}

impl View for Invited {
    fn write(&self, page: &mut Page) {
        page.pair("enrolment", &self.enrolment_id);
        page.line(&format!(
            "The token, good for one request within {} hours. It is shown once; hand it over in another way than \
             the fingerprint of the root:",
            self.hours
        ));
        page.line(&self.token);
        page.line(&format!(
            "Where the broker issues by itself, another administrator confirms it: `schakel enrolment confirm {}`.",
            self.enrolment_id
        ));
    }
}

impl From<Vec<v1::Enrolment>> for Enrolments {
    fn from(enrolments: Vec<v1::Enrolment>) -> Self {
        Self {
            enrolments: all(enrolments),
        }
    }
}

impl From<v1::Enrolment> for Enrolment {
    fn from(enrolment: v1::Enrolment) -> Self {
        let holder = enrolment.holder.unwrap_or_default();
        let request = enrolment.request.as_deref();
        let request = request.and_then(|request| CertificateRequest::read(request).ok());
        let key = request.and_then(|request| request.key_sha256());
        Self {
            enrolment_id: enrolment.enrolment_id,
            party_id: enrolment.party_id,
            profile: holder.profile,
            oin: holder.oin,
            name: holder.name,
            unit: holder.unit,
            until: instant::shown_if(enrolment.until.as_ref()),
            opened_by: enrolment.opened_by,
            progress: short::<v1::EnrolmentProgress>(enrolment.progress),
            renewal: enrolment.renewal,
            confirmed: enrolment.confirmed,
            confirmed_by: enrolment.confirmed_by,
            replaces_sha256: enrolment.replaces_sha256.map(hex::encode),
            key_sha256: key.map(hex::encode),
            request: enrolment.request.map(hex::encode),
        }
    }
}

impl View for Enrolments {
    fn write(&self, page: &mut Page) {
        if self.enrolments.is_empty() {
            page.line("There are no enrolments.");
        }
        for enrolment in &self.enrolments {
            enrolment.write(page);
        }
    }
}

impl View for Enrolment {
    fn write(&self, page: &mut Page) {
        page.line(&format!("{} ({})", self.name, self.oin));
        page.indented(|page| {
            page.pair("enrolment", &self.enrolment_id);
            page.pair("party", self.party_id.as_deref().unwrap_or("none by now"));
            page.pair("profile", &self.profile);
            page.pair_if("unit", self.unit.as_deref());
            page.pair("progress", &spoken(&self.progress));
            let until = self.until.as_deref().map(instant::spoken);
            page.pair_if("until", until.as_deref());
            if self.renewal {
                page.pair("renewal by", &self.opened_by);
                page.pair_if("replaces", self.replaces_sha256.as_deref());
            } else {
                page.pair("opened by", &self.opened_by);
                let unnamed = if self.confirmed { "yes" } else { "nobody" };
                let confirmed_by = self.confirmed_by.as_deref();
                page.pair("confirmed by", confirmed_by.unwrap_or(unnamed));
            }
            page.pair_if("SHA-256 of key", self.key_sha256.as_deref());
        });
    }
}
