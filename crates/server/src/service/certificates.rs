//! The certificates of parties, and how they come by the next one.

use std::sync::Arc;

use schakel_api::v1::{self, certificates_service_server::CertificatesService};
use schakel_core::{
    code::Role,
    enrolment::{Enrolment, EnrolmentState, Holder},
    id::Oin,
    party::{Party, Peer},
};
use schakel_pki::{
    check::{Chain, Conditions, Finding, Lists, Verdict},
    identity::sha256,
    profile::Profile,
    request::CertificateRequest,
};
use tonic::{Request, Response, Status};

use super::{Fault, answer, called, connected, issue::issue, opened};
use crate::{
    call::{Call, CallError, IssuanceCall},
    edge::{identify::Connection, refusals::Refusal, tls::Tls},
    issuing::Issuing,
    sequencer::Sequencer,
    wire::{Fields, check, enrolment, request::Parsed},
};

/// The service. What is registered is about organisations, so that showing it is no entry.
#[derive(Clone, Debug)]
pub struct Certificates {
    sequencer: Sequencer,
    tls: Arc<Tls>,
    issuing: Option<Issuing>,
}

impl Certificates {
    /// The service in front of a sequencer, which issues renewals by itself when there is an authority for it.
    #[must_use]
    pub(crate) const fn new(sequencer: Sequencer, tls: Arc<Tls>, issuing: Option<Issuing>) -> Self {
        Self {
            sequencer,
            tls,
            issuing,
        }
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
        let certificates = shown
            .into_iter()
            .map(|one| enrolment::write(one, registry.seen_of(&one.sha256)))
            .collect();
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

    async fn confirm_enrolment(
        &self,
        request: Request<v1::ConfirmEnrolmentRequest>,
    ) -> Result<Response<v1::ConfirmEnrolmentResponse>, Status> {
        answer(&self.sequencer, request, enrolment::confirm, |answer| {
            let receipt = Some(enrolment::done(answer)?);
            Ok(v1::ConfirmEnrolmentResponse { receipt })
        })
        .await
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

    async fn check_certificates(
        &self,
        request: Request<v1::CheckCertificatesRequest>,
    ) -> Result<Response<v1::CheckCertificatesResponse>, Status> {
        let (_, message) = opened(request)?;
        let mut fields = Fields::default();
        let read = check::read(message, self.sequencer.now(), &mut fields);
        let (chains, conditions) = fields.finish(read)?;
        let (registry, tls) = (self.sequencer.registry(), Arc::clone(&self.tls));
        // Lists are large, and each signature on the way is verified.
        let checking = tokio::task::spawn_blocking(move || {
            let acceptance = tls.acceptance(registry.parties().cloned().collect());
            let found = chains.iter().map(|chain| {
                let mut findings = acceptance.check(chain, &conditions);
                if registry.blocks(&sha256(chain.own())) {
                    findings.push(Finding {
                        check: "registry",
                        verdict: Verdict::Failed,
                        said: "an administrator blocked it: use another".to_owned(),
                    });
                }
                let refused = refused_by_handshake(&tls, chain, &conditions);
                if let Some(said) = refused.filter(|_| is_accepted(&findings)) {
                    let (check, verdict) = ("handshake", Verdict::Failed);
                    findings.push(Finding {
                        check,
                        verdict,
                        said,
                    });
                }
                check::write(findings)
            });
            found.collect()
        });
        let certificates = checking.await.map_err(|_| Fault::Thread)?;
        Ok(Response::new(v1::CheckCertificatesResponse {
            certificates,
        }))
    }

    async fn renew_certificate(
        &self,
        request: Request<v1::RenewCertificateRequest>,
    ) -> Result<Response<v1::RenewCertificateResponse>, Status> {
        let (caller, message, connection) = connected(request)?;
        let registry = self.sequencer.registry();
        // By the party of the connection: nobody renews for another.
        let own = registry.party(&caller.peer.transport);
        let own = own.ok_or(Fault::NoCaller)?;
        let mine = |enrolment: &&Enrolment| enrolment.opened_by == own.id;
        let mut before = registry.enrolments().filter(mine);
        let same = before.find(|enrolment| is_for(enrolment, &message.request));
        let id = if let Some(enrolment) = same {
            enrolment.id
        } else {
            let mut fields = Fields::default();
            let holder = holder_of(own, &connection)?;
            let parsed = enrolment::renew(&message, holder, &mut fields);
            let parsed = fields.finish(parsed)?;
            let answer = self.sequencer.submit(called(&caller, parsed)).await?;
            enrolment::id_of(&answer).map_err(Fault::from)?
        };
        issue(&self.sequencer, self.issuing.as_ref(), id, |call| {
            let parsed = Parsed {
                who: None,
                write: None,
                call,
            };
            called(&caller, parsed)
        })
        .await;
        let registry = self.sequencer.registry();
        let state = registry.enrolment(id).map(|enrolment| &enrolment.state);
        let state = state.unwrap_or(&EnrolmentState::Open);
        Ok(Response::new(enrolment::renewed(id, state)))
    }
}

/// Why the handshake itself would refuse a chain: it has the last word, where things are as they are.
fn refused_by_handshake(tls: &Tls, chain: &Chain, conditions: &Conditions) -> Option<String> {
    let as_they_are = conditions.lists == Lists::AsTheyAre && conditions.distrusted.is_empty();
    let judged = as_they_are.then(|| tls.judge(chain, conditions.at))?;
    judged.err().map(|refused| refused.to_string())
}

fn is_accepted(findings: &[Finding]) -> bool {
    let mut verdicts = findings.iter().map(|finding| finding.verdict);
    verdicts.all(|verdict| verdict != Verdict::Failed)
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

/// For whom the next certificate of a connection is: whom its own names. What for is what the registry says of the
/// party.
fn holder_of(own: &Party, connection: &Connection) -> Result<Holder, Status> {
    let identity = connection.identity();
    let identity = identity.map_err(|why| Status::from(&Refusal::PartyUnknown(why)))?;
    let profile = if own.has_role(Role::Administrator) {
        Profile::Administrator
    } else if own.has_role(Role::Auditor) {
        Profile::Auditor
    } else if own.has_role(Role::PrivacyOfficer) {
        Profile::PrivacyOfficer
    } else {
        Profile::Party
    };
    Ok(Holder {
        profile: profile.code().to_owned(),
        oin: identity.oin.clone(),
        name: identity
            .organisation
            .clone()
            .unwrap_or_else(|| own.name.clone()),
        unit: identity.unit.clone(),
    })
}
