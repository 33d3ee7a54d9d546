//! Enrolment: the first certificate of a party, for whoever has a token.

use std::{net::SocketAddr, sync::Arc};

use schakel_api::enrolment as wire_api;
use schakel_core::{
    enrolment::{Enrolment as Known, EnrolmentState},
    event::RefusalReason,
    party::Peer,
};
use schakel_pki::identity::sha256;
use tonic::{Request, Response, Status};

use super::certificates::is_for;
use crate::{
    call::{self, Call, CallError, IssuanceCall},
    edge::{
        identify::UnknownParty,
        refusals::{Refusal, Refusals},
    },
    sequencer::Sequencer,
    wire::{Fields, enrolment},
};

use wire_api::{EnrolRequest, EnrolResponse, enrolment_service_server::EnrolmentService};

/// The method as the trail has it.
const METHOD: &str = "EnrolmentService/Enrol";

/// The service. It knows its callers by their tokens alone.
#[derive(Clone, Debug)]
pub(crate) struct Enrolment {
    sequencer: Sequencer,
    refusals: Arc<Refusals>,
}

impl Enrolment {
    /// The service in front of a sequencer; refused tries are counted as the edge counts its own.
    pub(crate) const fn new(sequencer: Sequencer, refusals: Arc<Refusals>) -> Self {
        Self {
            sequencer,
            refusals,
        }
    }

    async fn request(
        &self,
        enrolment: &Known,
        token_sha256: [u8; 32],
        request: &[u8],
        address: Option<SocketAddr>,
    ) -> Result<EnrolResponse, Status> {
        let mut fields = Fields::default();
        let request = fields.certificate_request("request", request, &enrolment.holder);
        let request = fields.finish(request).inspect_err(|_| {
            self.count(RefusalReason::Invalid);
        })?;
        let now = self.sequencer.now();
        let registry = self.sequencer.registry();
        let party = registry.party_of(&enrolment.holder.oin, now);
        let party = party.ok_or_else(|| self.denied())?;
        let call = IssuanceCall::Enrol {
            token_sha256,
            request,
        };
        let answer = self.sequencer.submit(call::Request {
            peer: Peer {
                principal: party.id.clone(),
                transport: party.id.clone(),
                roles: party.roles.clone(),
            },
            // The token stands for it.
            certificate: token_sha256,
            address: address.map_or_else(String::new, |address| address.to_string()),
            actor: None,
            responsible: None,
            transaction: None,
            trace: None,
            method: METHOD,
            write: None,
            call: Call::Issuance(Box::new(call)),
        });
        match answer.await {
            Ok(answer) => Ok(EnrolResponse {
                enrolment_id: enrolment::id_of(&answer)
                    .map_err(super::Fault::from)?
                    .to_string(),
                certificate: None,
            }),
            // Another request with the token came first.
            Err(CallError::NotFound(_)) => Err(self.denied()),
            Err(error) => Err(error.into()),
        }
    }

    fn denied(&self) -> Status {
        self.count(RefusalReason::UnknownParty);
        Status::from(&Refusal::PartyUnknown(UnknownParty::Token))
    }

    fn count(&self, reason: RefusalReason) {
        self.refusals.count(None, reason, self.sequencer.now());
    }
}

#[tonic::async_trait]
impl EnrolmentService for Enrolment {
    async fn enrol(
        &self,
        request: Request<EnrolRequest>,
    ) -> Result<Response<EnrolResponse>, Status> {
        let address = request.extensions().get::<SocketAddr>().copied();
        let EnrolRequest { token, request } = request.into_inner();
        let token_sha256 = sha256(&token);
        let registry = self.sequencer.registry();
        let enrolment = registry
            .enrolment_of_token(&token_sha256)
            .filter(|_| token.len() == 32)
            .ok_or_else(|| self.denied())?;
        let answer = match &enrolment.state {
            EnrolmentState::Open if enrolment.is_open(self.sequencer.now()) => {
                self.request(enrolment, token_sha256, &request, address)
                    .await?
            }
            state if is_for(enrolment, &request) => EnrolResponse {
                enrolment_id: enrolment.id.to_string(),
                certificate: enrolment::issued(state),
            },
            _ => return Err(self.denied()),
        };
        Ok(Response::new(answer))
    }
}
