//! Certificates and enrolments, both ways.

mod page;
mod told;

use schakel_api::v1;
use schakel_core::{
    enrolment::{Der, Holder, IssuedCertificate, MOST_DER, Origin},
    id::EnrolmentId,
    party::Peer,
};
use schakel_pki::{
    identity::{self, IdentityError},
    profile::{self, Profile},
    request::CertificateRequest,
};

pub(crate) use self::{
    page::{list_enrolments, list_issued},
    told::{authorities, enrolment, issued, renewed, summary, write},
};
use super::{
    Fields,
    receipt::{Misfit, receipt},
    request::{Parsed, body},
};
use crate::call::{Answer, Call, IssuanceCall, Outcome};

/// For how many hours an enrolment may be open: two weeks, for an organisation whose administrator is away.
const HOURS: std::ops::RangeInclusive<u32> = 1..=336;

/// Reads a certificate that is to be registered.
pub(crate) fn register(
    message: v1::RegisterCertificateRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::RegisterCertificateRequest {
        idempotency_key,
        certificate,
        replaces_sha256,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let certificate = fields.certificate("certificate", &certificate, Origin::Registered);
    let replaces = replaces_sha256.map(|sha256| fields.sha256("replaces_sha256", &sha256));
    let mut certificate = certificate?;
    if let Some(replaces) = replaces {
        certificate.replaces = Some(replaces?);
    }
    Some(parsed(write?, IssuanceCall::Register(certificate)))
}

/// Reads a certificate that is announced.
pub(crate) fn announce(
    message: v1::AnnounceCertificateRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::AnnounceCertificateRequest {
        idempotency_key,
        certificate,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let certificate = fields.certificate("certificate", &certificate, Origin::Announced);
    Some(parsed(write?, IssuanceCall::Register(certificate?)))
}

/// Reads a revocation.
pub(crate) fn revoke(
    message: v1::RevokeCertificateRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::RevokeCertificateRequest {
        idempotency_key,
        sha256,
        reason,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let sha256 = fields.sha256("sha256", &sha256);
    let reason = fields.code("reason", reason);
    let (sha256, reason) = (sha256?, reason?);
    Some(parsed(write?, IssuanceCall::Revoke { sha256, reason }))
}

/// Reads the leave to ask for a certificate.
pub(crate) fn open(
    message: v1::OpenEnrolmentRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::OpenEnrolmentRequest {
        idempotency_key,
        holder,
        token_sha256,
        hours,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let holder = fields.message("holder", holder, read_holder);
    let token_sha256 = fields.sha256("token_sha256", &token_sha256);
    let hours = fields.number("hours", HOURS, hours);
    let call = IssuanceCall::Open {
        holder: holder?,
        token_sha256: token_sha256?,
        hours: hours?,
    };
    Some(parsed(write?, call))
}

/// Reads the confirmation of a leave.
pub(crate) fn confirm(
    message: v1::ConfirmEnrolmentRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::ConfirmEnrolmentRequest {
        idempotency_key,
        enrolment_id,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let enrolment = fields.text("enrolment_id", &enrolment_id)?;
    Some(parsed(write?, IssuanceCall::Confirm { enrolment }))
}

/// Reads which enrolment is to be closed.
pub(crate) fn close(
    message: v1::CloseEnrolmentRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::CloseEnrolmentRequest {
        idempotency_key,
        enrolment_id,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let enrolment = fields.text("enrolment_id", &enrolment_id)?;
    Some(parsed(write?, IssuanceCall::Close { enrolment }))
}

/// Reads the certificate that answers a request.
pub(crate) fn answer(
    message: v1::AnswerEnrolmentRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::AnswerEnrolmentRequest {
        idempotency_key,
        enrolment_id,
        certificate,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let enrolment = fields.text("enrolment_id", &enrolment_id);
    let registered = fields.certificate("certificate", &certificate, Origin::Enrolled);
    let call = IssuanceCall::Answer {
        enrolment: enrolment?,
        registered: registered?,
        certificate: Der(certificate.to_vec()),
    };
    Some(parsed(write?, call))
}

/// Reads the request for a holder's next certificate. What it asks beyond the holder's is refused by name, and so is
/// the key in use: a renewal is there to change it.
pub(crate) fn renew(
    message: v1::RenewCertificateRequest,
    holder: Holder,
    key_in_use: [u8; 32],
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::RenewCertificateRequest {
        idempotency_key,
        request,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let request = fields.certificate_request("request", &request, &holder);
    let asked = request
        .as_ref()
        .and_then(|der| CertificateRequest::read(&der.0).ok());
    if asked.and_then(|asked| asked.key_sha256()) == Some(key_in_use) {
        fields.refuse(
            "request",
            "must be for a new key, not for that of the certificate in use",
        );
    }
    let call = IssuanceCall::Renew {
        holder,
        request: request?,
    };
    Some(parsed(write?, call))
}

fn parsed(write: super::request::Write, call: IssuanceCall) -> Parsed {
    Parsed {
        who: None,
        write: Some(write),
        call: Call::Issuance(Box::new(call)),
    }
}

/// A certificate as it is registered.
///
/// # Errors
/// When it cannot be read, or names no OIN.
pub(crate) fn registered(der: &[u8], origin: Origin) -> Result<IssuedCertificate, IdentityError> {
    let identity = identity::parse_peer(der)?;
    Ok(IssuedCertificate {
        sha256: identity.sha256,
        oin: identity.oin,
        serial: identity.serial.to_string(),
        issuer: identity.issuer.text,
        not_before: identity.not_before,
        not_after: identity.not_after,
        origin,
        replaces: None,
        began_with: None,
        key_sha256: Some(identity.key_sha256),
        revoked: None,
    })
}

impl Fields {
    /// Reads a certificate of a holder.
    fn certificate(
        &mut self,
        field: &str,
        der: &[u8],
        origin: Origin,
    ) -> Option<IssuedCertificate> {
        if der.len() > MOST_DER {
            self.refuse(field, "must have at most 2400 bytes");
            return None;
        }
        let read = registered(der, origin);
        read.map_err(|error| self.refuse(field, format!("must be a certificate in DER: {error}")))
            .ok()
    }

    /// Reads a request that asks for nothing beyond what its holder gets.
    pub(crate) fn certificate_request(
        &mut self,
        field: &str,
        bytes: &[u8],
        holder: &Holder,
    ) -> Option<Der> {
        let request = match CertificateRequest::read(bytes) {
            Ok(request) if request.der().len() <= MOST_DER => request,
            Ok(_) => {
                self.refuse(field, "must have at most 2400 bytes");
                return None;
            }
            Err(error) => {
                self.refuse(field, format!("must be a certificate request: {error}"));
                return None;
            }
        };
        let admitted = to_profile(holder).map(|holder| request.admit(&holder));
        match admitted {
            Some(Ok(_)) => Some(Der(request.der().to_vec())),
            Some(Err(refusals)) => {
                self.refuse(field, format!("must ask for no more: {refusals}"));
                None
            }
            None => {
                self.refuse(field, "must be for a holder of a known profile");
                None
            }
        }
    }
}

fn read_holder(message: v1::CertificateHolder, fields: &mut Fields) -> Option<Holder> {
    let v1::CertificateHolder {
        profile,
        oin,
        name,
        unit,
    } = message;
    let known = profile.parse::<Profile>().ok();
    // A broker's certificate has hosts, which nobody enrols.
    let known = known.filter(|profile| !profile.serves());
    if known.is_none() {
        let rule = "must be party, privacy-officer, administrator, auditor or browser";
        fields.refuse("profile", rule);
    }
    let oin = fields.text("oin", &oin);
    let name = fields.line("name", 1..=64, name);
    let unit = match unit {
        Some(unit) => fields.line("unit", 1..=64, unit).map(Some),
        None => Some(None),
    };
    Some(Holder {
        profile: known?.code().to_owned(),
        oin: oin?,
        name: name?,
        unit: unit?,
    })
}

/// The holder as requests are held against.
pub(crate) fn to_profile(holder: &Holder) -> Option<profile::Holder> {
    Some(profile::Holder {
        profile: holder.profile.parse().ok()?,
        oin: holder.oin.clone(),
        name: holder.name.clone(),
        unit: holder.unit.clone(),
        hosts: Vec::new(),
    })
}

/// The receipt of a call of which there is nothing more to tell.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn done(answer: Answer) -> Result<v1::Receipt, Misfit> {
    match answer.outcome {
        Outcome::Done => Ok(receipt(answer.receipt)),
        _ => Err(Misfit),
    }
}

/// The answer to the leave to ask for a certificate.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn opened(answer: Answer) -> Result<v1::OpenEnrolmentResponse, Misfit> {
    let enrolment_id = id_of(&answer)?.to_string();
    Ok(v1::OpenEnrolmentResponse {
        enrolment_id,
        receipt: Some(receipt(answer.receipt)),
    })
}

/// The enrolment that a call was about.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) const fn id_of(answer: &Answer) -> Result<EnrolmentId, Misfit> {
    match answer.outcome {
        Outcome::Enrolment(id) => Ok(id),
        _ => Err(Misfit),
    }
}
