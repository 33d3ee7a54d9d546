//! Enrolment: the first certificate of a party, for whoever has a token.

use std::{net::SocketAddr, sync::Arc};

use schakel_api::enrolment as wire_api;
use schakel_core::{
    enrolment::Enrolment as Known,
    event::RefusalReason,
    party::{Party, Peer},
};
use schakel_pki::identity::sha256;
use tonic::{Request, Response, Status};

use super::{Fault, certificates::Asked, issue::issue};
use crate::{
    access::BY_TOKEN,
    call::{self, Call, CallError, IssuanceCall},
    edge::{
        attempts::Attempts,
        identify::UnknownParty,
        refusals::{Refusal, Refusals},
        tls::Tls,
    },
    issuing::Issuing,
    sequencer::Sequencer,
    wire::{Fields, enrolment},
};

use wire_api::{EnrolRequest, EnrolResponse, enrolment_service_server::EnrolmentService};

/// The service. It knows its callers by their tokens alone.
#[derive(Debug)]
pub(crate) struct Enrolment {
    sequencer: Sequencer,
    tls: Arc<Tls>,
    issuing: Option<Issuing>,
    attempts: Attempts,
    refusals: Arc<Refusals>,
}

impl Enrolment {
    /// The service in front of a sequencer, which issues by itself when there is an authority for it; refused tries
    /// are counted as the edge counts its own.
    pub(crate) const fn new(
        sequencer: Sequencer,
        tls: Arc<Tls>,
        issuing: Option<Issuing>,
        attempts: Attempts,
        refusals: Arc<Refusals>,
    ) -> Self {
        Self {
            sequencer,
            tls,
            issuing,
            attempts,
            refusals,
        }
    }

    /// Hands the request in, the first under its token.
    async fn request(&self, by: Bearer<'_>, request: &[u8]) -> Result<(), Status> {
        let mut fields = Fields::default();
        let request = fields.certificate_request("request", request, &by.enrolment.holder);
        let request = fields.finish(request).inspect_err(|_| {
            self.count(RefusalReason::Invalid);
        })?;
        let token_sha256 = by.token_sha256;
        let call = IssuanceCall::Enrol {
            token_sha256,
            request,
        };
        let call = by.calls(Call::Issuance(Box::new(call)));
        match self.sequencer.submit(call).await {
            Ok(_) => Ok(()),
            // Another request with the token came first.
            Err(CallError::NotFound(_)) => Err(self.denied()),
            Err(error) => Err(error.into()),
        }
    }

    fn denied(&self) -> Status {
        self.refuse(&Refusal::PartyUnknown(UnknownParty::Token))
    }

    fn refuse(&self, refusal: &Refusal) -> Status {
        if let Some(reason) = refusal.reason() {
            self.count(reason);
        }
        Status::from(refusal)
    }

    fn count(&self, reason: RefusalReason) {
        self.refusals.count(None, reason, self.sequencer.now());
    }
}

/// Whoever has a token.
#[derive(Clone, Copy, Debug)]
struct Bearer<'a> {
    enrolment: &'a Known,
    party: &'a Party,
    token_sha256: [u8; 32],
    address: SocketAddr,
}

impl Bearer<'_> {
    /// A call, as one of the party for which the token was given.
    fn calls(self, call: Call) -> call::Request {
        call::Request {
            peer: Peer {
                principal: self.party.id.clone(),
                transport: self.party.id.clone(),
                roles: self.party.roles.clone(),
                unit: None,
            },
            // The token stands for it.
            certificate: self.token_sha256,
            address: self.address.to_string(),
            actor: None,
            responsible: None,
            transaction: None,
            trace: None,
            method: BY_TOKEN,
            write: None,
            call,
        }
    }
}

#[tonic::async_trait]
impl EnrolmentService for Enrolment {
    async fn enrol(
        &self,
        request: Request<EnrolRequest>,
    ) -> Result<Response<EnrolResponse>, Status> {
        let address = request.extensions().get::<SocketAddr>().copied();
        let address = address.ok_or(Fault::NoCaller)?;
        let now = self.sequencer.now();
        let EnrolRequest { token, request } = request.into_inner();
        // By its digest, so that how long looking takes tells nothing of the tokens there are.
        let token_sha256 = sha256(&token);
        let registry = self.sequencer.registry();
        let known = registry
            .enrolment_of_token(&token_sha256)
            .filter(|_| token.len() == 32);
        let admitted = match known {
            Some(_) => self.attempts.admit_known(token_sha256, now),
            None => self.attempts.admit_unknown(address.ip(), now),
        };
        if !admitted {
            return Err(self.refuse(&Refusal::Overloaded));
        }
        let enrolment = known.ok_or_else(|| self.denied())?;
        let party = registry.party_of(&enrolment.holder.oin, now);
        let bearer = Bearer {
            enrolment,
            party: party.ok_or_else(|| self.denied())?,
            token_sha256,
            address,
        };
        if enrolment.is_open(now) {
            self.request(bearer, &request).await?;
        } else if !Asked::read(&request).is_some_and(|asked| asked.is_of(enrolment)) {
            return Err(self.denied());
        }
        let id = enrolment.id;
        let caused = |call| bearer.calls(call);
        issue(&self.sequencer, self.issuing.as_ref(), id, caused).await;
        let registry = self.sequencer.registry();
        let state = registry.enrolment(id).map(|enrolment| &enrolment.state);
        let certificate = state.and_then(enrolment::issued);
        let issuing = self.issuing.as_ref().map(Issuing::certificate);
        let above = |certificate: &[u8]| self.tls.above(certificate, issuing);
        Ok(Response::new(EnrolResponse {
            enrolment_id: id.to_string(),
            authorities: enrolment::authorities(certificate.as_deref(), above),
            certificate,
        }))
    }
}
