//! Certificates and enrolments as they are sent, and the line about an entry.

use prost_types::Timestamp as WireInstant;
use schakel_api::v1;
use schakel_core::{
    certificate::Seen,
    enrolment::{Enrolment, EnrolmentState, Holder, IssuanceEvent, IssuedCertificate, Origin},
    id::EnrolmentId,
    party::Party,
};

use crate::wire::{code::Coded as _, time::instant};

/// A certificate as it is sent, and when it was used.
pub(crate) fn write(certificate: &IssuedCertificate, seen: Option<&Seen>) -> v1::IssuedCertificate {
    let IssuedCertificate {
        sha256,
        oin,
        serial,
        issuer,
        not_before,
        not_after,
        origin,
        replaces,
        began_with: _,
        key_sha256: _,
        revoked,
    } = certificate;
    let sent = |bytes: &[u8; 32]| bytes.to_vec().into();
    v1::IssuedCertificate {
        sha256: sent(sha256),
        oin: oin.to_string(),
        serial: serial.clone(),
        issuer: issuer.clone(),
        not_before: Some(instant(*not_before)),
        not_after: Some(instant(*not_after)),
        origin: match origin {
            Origin::Announced => v1::CertificateOrigin::Announced,
            Origin::Enrolled => v1::CertificateOrigin::Enrolled,
            Origin::Registered => v1::CertificateOrigin::Registered,
        }
        .into(),
        replaces_sha256: replaces.as_ref().map(sent),
        revoked_at: revoked.map(|revoked| -> WireInstant { instant(revoked.at) }),
        reason: revoked.map(|revoked| revoked.reason.to_wire()),
        last_used_at: seen.map(|seen| instant(seen.last_used_at)),
    }
}

/// An enrolment as it is sent, and the party for which it is.
pub(crate) fn enrolment(enrolment: &Enrolment, party: Option<&Party>) -> v1::Enrolment {
    let Enrolment {
        id,
        holder,
        token_sha256,
        until,
        opened_by,
        opened_over: _,
        opened_with: _,
        confirmed,
        confirmed_by,
        replaces,
        state,
    } = enrolment;
    let Holder {
        profile,
        oin,
        name,
        unit,
    } = holder;
    v1::Enrolment {
        enrolment_id: id.to_string(),
        holder: Some(v1::CertificateHolder {
            profile: profile.clone(),
            oin: oin.to_string(),
            name: name.clone(),
            unit: unit.clone(),
        }),
        until: Some(instant(*until)),
        opened_by: opened_by.to_string(),
        progress: progress(state).into(),
        request: match state {
            EnrolmentState::Waiting { request } => Some(request.0.clone().into()),
            EnrolmentState::Open
            | EnrolmentState::Issued { .. }
            | EnrolmentState::Closed { .. } => None,
        },
        renewal: token_sha256.is_none(),
        confirmed: *confirmed,
        replaces_sha256: replaces.map(|sha256| sha256.to_vec().into()),
        confirmed_by: confirmed_by.as_ref().map(ToString::to_string),
        party_id: party.map(|party| party.id.to_string()),
    }
}

/// How far a renewal is.
pub(crate) fn renewed(
    id: EnrolmentId,
    state: &EnrolmentState,
    above: impl FnOnce(&[u8]) -> Vec<Vec<u8>>,
) -> v1::RenewCertificateResponse {
    let certificate = issued(state);
    v1::RenewCertificateResponse {
        enrolment_id: id.to_string(),
        progress: progress(state).into(),
        authorities: authorities(certificate.as_deref(), above),
        certificate,
    }
}

/// The authorities above a certificate that is handed over.
pub(crate) fn authorities(
    certificate: Option<&[u8]>,
    above: impl FnOnce(&[u8]) -> Vec<Vec<u8>>,
) -> Vec<prost::bytes::Bytes> {
    let above = certificate.map(above).unwrap_or_default();
    above.into_iter().map(Into::into).collect()
}

/// The certificate, once it was issued.
pub(crate) fn issued(state: &EnrolmentState) -> Option<prost::bytes::Bytes> {
    match state {
        EnrolmentState::Issued { certificate, .. } => Some(certificate.0.clone().into()),
        EnrolmentState::Open | EnrolmentState::Waiting { .. } | EnrolmentState::Closed { .. } => {
            None
        }
    }
}

fn progress(state: &EnrolmentState) -> v1::EnrolmentProgress {
    match state {
        EnrolmentState::Open => v1::EnrolmentProgress::Open,
        EnrolmentState::Waiting { .. } => v1::EnrolmentProgress::Waiting,
        EnrolmentState::Issued { .. } => v1::EnrolmentProgress::Issued,
        EnrolmentState::Closed { .. } => v1::EnrolmentProgress::Closed,
    }
}

/// The line about an entry.
pub(crate) fn summary(event: &IssuanceEvent) -> String {
    match event {
        IssuanceEvent::Registered(certificate) => {
            let what = match certificate.origin {
                Origin::Announced => "announced",
                Origin::Enrolled | Origin::Registered => "registered",
            };
            format!(
                "certificate {} of {} {what}",
                certificate.serial, certificate.oin
            )
        }
        IssuanceEvent::Revoked {
            sha256, same_key, ..
        } => {
            let [a, b, c, d, ..] = sha256;
            let others = match same_key.len() {
                0 => String::new(),
                others => format!(", and {others} more of its key"),
            };
            format!("certificate with SHA-256 {a:02x}{b:02x}{c:02x}{d:02x}… revoked{others}")
        }
        IssuanceEvent::Opened(enrolment) => match enrolment.token_sha256 {
            Some(_) => format!(
                "leave given to ask for a certificate of {}",
                enrolment.holder.oin
            ),
            None => format!(
                "renewal of a certificate of {} asked for",
                enrolment.holder.oin
            ),
        },
        IssuanceEvent::Confirmed { enrolment, .. } => {
            format!("leave to ask for a certificate confirmed, enrolment {enrolment}")
        }
        IssuanceEvent::Closed {
            enrolment,
            request_sha256: Some(_),
        } => format!("request for a certificate closed unanswered, enrolment {enrolment}"),
        IssuanceEvent::Closed { enrolment, .. } => {
            format!("leave to ask for a certificate taken back, enrolment {enrolment}")
        }
        IssuanceEvent::Requested { enrolment, .. } => {
            format!("certificate asked for under enrolment {enrolment}")
        }
        IssuanceEvent::Answered { registered, .. } => {
            format!(
                "certificate {} of {} issued",
                registered.serial, registered.oin
            )
        }
        IssuanceEvent::Listed {
            number, revoked, ..
        } => format!("revocation list {number} published, which names {revoked}"),
    }
}
