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
    identity::{CertificateIdentity, sha256},
    profile::Profile,
    request::CertificateRequest,
};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use super::{Fault, answer, called, connected, issue::issue, opened};
use crate::{
    call::CallError,
    edge::{refusals::Refusal, tls::Tls},
    issuing::Issuing,
    sequencer::Sequencer,
    wire::{
        Fields, check, enrolment,
        request::{Parsed, read},
    },
};

/// The service. What is registered is about organisations, so that showing it is no entry.
#[derive(Clone, Debug)]
pub struct Certificates {
    sequencer: Sequencer,
    tls: Arc<Tls>,
    issuing: Option<Issuing>,
    /// One check of certificates at a time: it takes a thread for longer than its call may last.
    checking: Arc<Semaphore>,
}

impl Certificates {
    /// The service in front of a sequencer, which issues renewals by itself when there is an authority for it.
    #[must_use]
    pub(crate) fn new(sequencer: Sequencer, tls: Arc<Tls>, issuing: Option<Issuing>) -> Self {
        Self {
            sequencer,
            tls,
            issuing,
            checking: Arc::new(Semaphore::new(1)),
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
        answer(&self.sequencer, request, enrolment::announce, |answer| {
            let receipt = Some(enrolment::done(answer)?);
            Ok(v1::AnnounceCertificateResponse { receipt })
        })
        .await
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
        let (caller, message) = opened(request)?;
        let page = read(message, &caller.peer, enrolment::list_issued)?;
        let registry = self.sequencer.registry();
        let all = sees_all(&caller.peer);
        let own = registry.party(&caller.peer.principal);
        let is_own =
            |oin: &Oin| own.is_some_and(|own| own.oins.iter().any(|dated| dated.oin == *oin));
        let issued = registry.all_issued();
        let may_be_shown = issued.filter(|certificate| all || is_own(&certificate.oin));
        let (shown, next_page_token) = page.of(may_be_shown, |one| (one.not_after, one.sha256));
        let shown = shown.into_iter();
        Ok(Response::new(v1::ListIssuedCertificatesResponse {
            certificates: shown
                .map(|one| enrolment::write(one, registry.seen_of(&one.sha256)))
                .collect(),
            next_page_token,
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

    async fn close_enrolment(
        &self,
        request: Request<v1::CloseEnrolmentRequest>,
    ) -> Result<Response<v1::CloseEnrolmentResponse>, Status> {
        // Not between the signing of a certificate and its entry: it would be valid, and nobody could revoke it.
        let _turn = match &self.issuing {
            Some(issuing) => Some(issuing.turn().await),
            None => None,
        };
        answer(&self.sequencer, request, enrolment::close, |answer| {
            let receipt = Some(enrolment::done(answer)?);
            Ok(v1::CloseEnrolmentResponse { receipt })
        })
        .await
    }

    async fn list_enrolments(
        &self,
        request: Request<v1::ListEnrolmentsRequest>,
    ) -> Result<Response<v1::ListEnrolmentsResponse>, Status> {
        let (caller, message) = opened(request)?;
        let page = read(message, &caller.peer, enrolment::list_enrolments)?;
        let (registry, now) = (self.sequencer.registry(), self.sequencer.now());
        let (shown, next_page_token) = page.of(registry.enrolments(), |one| one.id);
        let shown = shown.into_iter();
        Ok(Response::new(v1::ListEnrolmentsResponse {
            enrolments: shown
                .map(|one| enrolment::enrolment(one, registry.party_of(&one.holder.oin, now)))
                .collect(),
            next_page_token,
        }))
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
        let turn = Arc::clone(&self.checking).acquire_owned();
        let turn = turn.await.map_err(|_| Fault::Thread)?;
        let checking = tokio::task::spawn_blocking(move || {
            let _turn = turn;
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
        // An administrator opened invitations too: whoever holds their tokens fetches what they bring.
        let mine = |one: &&Enrolment| one.is_renewal() && one.opened_by == own.id;
        let same = Asked::read(&message.request).and_then(|asked| {
            let mut mine = registry.enrolments().filter(mine);
            mine.find(|one| asked.is_of(one))
        });
        let id = if let Some(enrolment) = same {
            enrolment.id
        } else {
            let mut fields = Fields::default();
            let identity = connection.identity();
            let identity = identity.map_err(|why| Status::from(&Refusal::PartyUnknown(why)))?;
            let holder = holder_of(own, identity);
            let parsed = enrolment::renew(message, holder, identity.key_sha256, &mut fields);
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
        // It may have gone while it was issued for.
        let state = state.ok_or(CallError::NotFound("enrolment"))?;
        let issuing = self.issuing.as_ref().map(Issuing::certificate);
        let above = |certificate: &[u8]| self.tls.above(certificate, issuing);
        Ok(Response::new(enrolment::renewed(id, state, above)))
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

/// A request that was handed in, to find what came of it.
pub(super) struct Asked {
    request: CertificateRequest,
    sha256: [u8; 32],
}

impl Asked {
    /// Reads it; what cannot be read was never taken.
    pub(super) fn read(request: &[u8]) -> Option<Self> {
        let request = CertificateRequest::read(request).ok()?;
        let sha256 = sha256(request.der());
        Some(Self { request, sha256 })
    }

    /// Whether an enrolment is about it.
    pub(super) fn is_of(&self, enrolment: &Enrolment) -> bool {
        match &enrolment.state {
            EnrolmentState::Open => false,
            EnrolmentState::Waiting { request } => request.0 == self.request.der(),
            EnrolmentState::Issued { request_sha256, .. }
            | EnrolmentState::Closed { request_sha256 } => *request_sha256 == self.sha256,
        }
    }
}

fn sees_all(peer: &Peer) -> bool {
    let roles = &peer.roles;
    roles.contains(&Role::Administrator) || roles.contains(&Role::Auditor)
}

/// For whom the next certificate of a connection is: whom its own names. What for is what the registry says of the
/// party.
fn holder_of(own: &Party, identity: &CertificateIdentity) -> Holder {
    let profile = if own.has_role(Role::Administrator) {
        Profile::Administrator
    } else if own.has_role(Role::Auditor) {
        Profile::Auditor
    } else if own.has_role(Role::PrivacyOfficer) {
        Profile::PrivacyOfficer
    } else {
        Profile::Party
    };
    Holder {
        profile: profile.code().to_owned(),
        oin: identity.oin.clone(),
        name: identity
            .organisation
            .clone()
            .unwrap_or_else(|| own.name.clone()),
        unit: identity.unit.clone(),
    }
}
