//! The certificates of parties, and how they come by the next one.

use schakel_api::v1::{self, certificates_service_server::CertificatesService};
use schakel_core::{
    code::Role,
    enrolment::{Enrolment, EnrolmentState, Holder},
    id::Oin,
    party::{Party, Peer},
    time::Timestamp,
};
use schakel_pki::{identity::sha256, profile::Profile, request::CertificateRequest};
use tonic::{Request, Response, Status};

use super::{Fault, answer, called, opened};
use crate::{
    call::{Call, CallError, IssuanceCall},
    sequencer::Sequencer,
    wire::{Fields, enrolment},
};

/// The service. What is registered is about organisations, so that showing it is no entry.
#[derive(Clone, Debug)]
pub struct Certificates {
    sequencer: Sequencer,
}

impl Certificates {
    /// The service in front of a sequencer.
    #[must_use]
    pub const fn new(sequencer: Sequencer) -> Self {
        Self { sequencer }
    }
}

#[tonic::async_trait]
impl CertificatesService for Certificates {
    async fn register_certificate(
        &self,
        request: Request<v1::RegisterCertificateRequest>,
    ) -> Result<Response<v1::RegisterCertificateResponse>, Status> {
        answer(&self.sequencer, request, enrolment::register, |answer| {
            let receipt = Some(enrolment::done(answer)?);
            Ok(v1::RegisterCertificateResponse { receipt })
        })
        .await
    }

    async fn announce_certificate(
        &self,
        request: Request<v1::AnnounceCertificateRequest>,
    ) -> Result<Response<v1::AnnounceCertificateResponse>, Status> {
        let (caller, message) = opened(request)?;
        let parsed = crate::wire::request::read(message, &caller.peer, enrolment::announce)?;
        if let Call::Issuance(call) = &parsed.call
            && let IssuanceCall::Register(announced) = call.as_ref()
        {
            let registry = self.sequencer.registry();
            let own = registry.party(&caller.peer.principal);
            if !own.is_some_and(|own| own.holds(&announced.oin, self.sequencer.now())) {
                let (field, rule) = ("certificate", "must be for an OIN of the caller");
                let (field, rule) = (field.to_owned(), rule.to_owned());
                return Err(CallError::Conflict { field, rule }.into());
            }
        }
        let answer = self.sequencer.submit(called(&caller, parsed)).await?;
        let receipt = Some(enrolment::done(answer).map_err(Fault::from)?);
        Ok(Response::new(v1::AnnounceCertificateResponse { receipt }))
    }

    async fn revoke_certificate(
        &self,
        request: Request<v1::RevokeCertificateRequest>,
    ) -> Result<Response<v1::RevokeCertificateResponse>, Status> {
        answer(&self.sequencer, request, enrolment::revoke, |answer| {
            let receipt = Some(enrolment::done(answer)?);
            Ok(v1::RevokeCertificateResponse { receipt })
        })
        .await
    }

    async fn list_issued_certificates(
        &self,
        request: Request<v1::ListIssuedCertificatesRequest>,
    ) -> Result<Response<v1::ListIssuedCertificatesResponse>, Status> {
        let (caller, v1::ListIssuedCertificatesRequest {}) = opened(request)?;
        let registry = self.sequencer.registry();
        let all = sees_all(&caller.peer);
        let own = registry.party(&caller.peer.principal);
        let is_own =
            |oin: &Oin| own.is_some_and(|own| own.oins.iter().any(|dated| dated.oin == *oin));
        let mut shown: Vec<_> = registry
            .all_issued()
            .filter(|certificate| all || is_own(&certificate.oin))
            .collect();
        shown.sort_by_key(|certificate| certificate.not_after);
        let certificates = shown.into_iter().map(enrolment::write).collect();
        Ok(Response::new(v1::ListIssuedCertificatesResponse {
            certificates,
        }))
    }

    async fn open_enrolment(
        &self,
        request: Request<v1::OpenEnrolmentRequest>,
    ) -> Result<Response<v1::OpenEnrolmentResponse>, Status> {
        answer(&self.sequencer, request, enrolment::open, enrolment::opened).await
    }

    async fn list_enrolments(
        &self,
        request: Request<v1::ListEnrolmentsRequest>,
    ) -> Result<Response<v1::ListEnrolmentsResponse>, Status> {
        let v1::ListEnrolmentsRequest {} = request.into_inner();
        let registry = self.sequencer.registry();
        let enrolments = registry.enrolments().map(enrolment::enrolment).collect();
        Ok(Response::new(v1::ListEnrolmentsResponse { enrolments }))
    }

    async fn answer_enrolment(
        &self,
        request: Request<v1::AnswerEnrolmentRequest>,
    ) -> Result<Response<v1::AnswerEnrolmentResponse>, Status> {
        answer(&self.sequencer, request, enrolment::answer, |answer| {
            let receipt = Some(enrolment::done(answer)?);
            Ok(v1::AnswerEnrolmentResponse { receipt })
        })
        .await
    }

    async fn renew_certificate(
        &self,
        request: Request<v1::RenewCertificateRequest>,
    ) -> Result<Response<v1::RenewCertificateResponse>, Status> {
        let (caller, message) = opened(request)?;
        let registry = self.sequencer.registry();
        // By the party of the connection: nobody renews for another.
        let own = registry.party(&caller.peer.transport);
        let own = own.ok_or(Fault::NoCaller)?;
        let mine = |enrolment: &&Enrolment| enrolment.opened_by == own.id;
        let mut before = registry.enrolments().filter(mine);
        let same = before.find(|enrolment| is_for(enrolment, &message.request));
        if let Some(enrolment) = same {
            let told = enrolment::renewed(enrolment.id, &enrolment.state);
            return Ok(Response::new(told));
        }
        let mut fields = Fields::default();
        // Whoever calls holds a number at this moment.
        let holder = holder_of(own, &message.request, self.sequencer.now());
        let holder = holder.ok_or(Fault::NoCaller)?;
        let parsed = enrolment::renew(&message, holder, &mut fields);
        let parsed = fields.finish(parsed)?;
        let answer = self.sequencer.submit(called(&caller, parsed)).await?;
        let id = enrolment::id_of(&answer).map_err(Fault::from)?;
        let registry = self.sequencer.registry();
        let state = registry.enrolment(id).map(|enrolment| &enrolment.state);
        let state = state.unwrap_or(&EnrolmentState::Open);
        Ok(Response::new(enrolment::renewed(id, state)))
    }
}

/// Whether an enrolment is about this request.
pub(super) fn is_for(enrolment: &Enrolment, request: &[u8]) -> bool {
    let Ok(request) = CertificateRequest::read(request) else {
        return false;
    };
    match &enrolment.state {
        EnrolmentState::Open => false,
        EnrolmentState::Waiting { request: waiting } => waiting.0 == request.der(),
        EnrolmentState::Issued { request_sha256, .. } => *request_sha256 == sha256(request.der()),
    }
}

fn sees_all(peer: &Peer) -> bool {
    let roles = &peer.roles;
    roles.contains(&Role::Administrator) || roles.contains(&Role::Auditor)
}

/// For whom the next certificate of a party is: what the registry says of it, and the number of its that the
/// request names.
fn holder_of(own: &Party, request: &[u8], now: Timestamp) -> Option<Holder> {
    let named = CertificateRequest::read(request)
        .ok()
        .and_then(|request| request.named_oin());
    let current = || own.oins.iter().filter(|dated| dated.period.contains(now));
    let chosen = current().find(|dated| Some(dated.oin.as_str()) == named.as_deref());
    let chosen = chosen.or_else(|| current().next())?;
    let profile = if own.has_role(Role::Administrator) {
        Profile::Administrator
    } else if own.has_role(Role::Auditor) {
        Profile::Auditor
    } else if own.has_role(Role::PrivacyOfficer) {
        Profile::PrivacyOfficer
    } else {
        Profile::Party
    };
    Some(Holder {
        profile: profile.code().to_owned(),
        oin: chosen.oin.clone(),
        name: own.name.clone(),
        unit: None,
    })
}
