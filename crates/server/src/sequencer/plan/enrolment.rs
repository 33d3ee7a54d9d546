//! Plans for certificates and enrolments, decided against what is registered.

use schakel_core::{
    certificate::{StopReason, Thumbprint},
    code::Role,
    enrolment::{Der, Enrolment, EnrolmentState, Holder, IssuanceEvent, IssuedCertificate, Origin},
    event::Event,
    id::{EnrolmentId, Oin},
    party::Party,
    registry::{Change, MOST_ANNOUNCED, MOST_IN_A_ROW, MOST_IN_FORCE, MOST_UNDER_WAY, Registry},
    time::Timestamp,
};
use schakel_pki::request::CertificateRequest;

use super::{Plan, Planner, Result, registry::changed};
use crate::call::{CallError, IssuanceCall, Outcome, Request};

const HOUR_MS: u64 = 3_600_000;

/// For how many hours a renewal may be asked for: it is asked for as it is opened.
const RENEWAL_HOURS: u32 = 1;

/// For how many days a renewal that nobody answers keeps its certificate from asking anew: an offline authority is
/// not there every day, and an answer can be lost.
const RENEWAL_WAITS_DAYS: u32 = 7;

/// How often one certificate may be renewed: once, and twice more after a key was lost on the way.
const MOST_RENEWALS: usize = 3;

impl Planner<'_> {
    pub(super) fn plan_issuance(&mut self, request: &Request, call: &IssuanceCall) -> Result<Plan> {
        match call {
            IssuanceCall::Register(certificate) => self.register(request, certificate),
            IssuanceCall::Revoke { sha256, reason } => self.revoke(request, *sha256, *reason),
            IssuanceCall::Open {
                holder,
                token_sha256,
                hours,
            } => {
                self.check_invitation(holder, token_sha256)?;
                let state = EnrolmentState::Open;
                Ok(self.open_enrolment(request, holder, Some(*token_sha256), *hours, state))
            }
            IssuanceCall::Close { enrolment } => self.close(request, *enrolment),
            IssuanceCall::Confirm { enrolment } => self.confirm(request, *enrolment),
            IssuanceCall::Renew {
                holder,
                request: wanted,
            } => self.renew(request, holder, wanted),
            IssuanceCall::Enrol {
                token_sha256,
                request: wanted,
            } => self.enrol(token_sha256, wanted),
            IssuanceCall::Answer {
                enrolment,
                registered,
                certificate,
            } => self.answer(*enrolment, registered, certificate),
        }
    }

    fn register(&self, request: &Request, certificate: &IssuedCertificate) -> Result<Plan> {
        let registry = self.registry();
        let party = active("certificate", &registry, &certificate.oin, self.now)?;
        // A party announces its own; a delegate those of whom it acts for.
        if certificate.origin == Origin::Announced && party.id != request.peer.principal {
            return Err(conflict("certificate", "must be for an OIN of the caller"));
        }
        if registry.issued(&certificate.sha256).is_some() {
            return Err(conflict("certificate", "must not be registered already"));
        }
        if certificate.not_after < self.now {
            return Err(conflict("certificate", "must not have ended"));
        }
        check_key("certificate", &registry, certificate.key_sha256)?;
        if certificate.origin != Origin::Announced {
            self.check_room("certificate", &registry, party)?;
        } else if registry.announced_in_force(party, self.now) >= MOST_ANNOUNCED {
            let rule = "must be of a party that announced fewer than 64 certificates that are in force: have one \
                        revoked";
            return Err(conflict("certificate", rule));
        }
        // Whoever announces its next certificate has both. What a delegate announces is another organisation's.
        let announced = certificate.origin == Origin::Announced;
        let own = announced && request.peer.transport == request.peer.principal;
        let before = certificate
            .replaces
            .or_else(|| own.then_some(request.certificate));
        let event = IssuanceEvent::Registered(IssuedCertificate {
            began_with: before.map(|one| registry.began_with(&one)),
            ..certificate.clone()
        });
        Ok(changed(Event::Issuance(event), Outcome::Done))
    }

    /// What is revoked is blocked as well, so that this goes by the rule of a stop: nobody shuts out the last other
    /// administrator alone. Of a compromised key every certificate is: they are in the same hands.
    fn revoke(&self, request: &Request, sha256: [u8; 32], reason: StopReason) -> Result<Plan> {
        let registry = self.registry();
        let certificate = registry.issued(&sha256);
        let certificate = certificate.ok_or(CallError::NotFound("certificate"))?;
        if certificate.revoked.is_some() {
            return Err(conflict("sha256", "must not be revoked already"));
        }
        let same_key: Vec<[u8; 32]> = match reason {
            StopReason::KeyCompromise => {
                let others = registry.others_of_key(certificate, self.now);
                others.map(|other| other.sha256).collect()
            }
            _ => Vec::new(),
        };
        let blocks: Vec<Change> = [sha256]
            .iter()
            .chain(&same_key)
            .map(|one| Change::BlockCertificate(Thumbprint(*one), reason))
            .collect();
        if registry.strands(&blocks, &request.peer, self.now) {
            return Err(CallError::SecondActor.into());
        }
        let event = IssuanceEvent::Revoked {
            sha256,
            reason,
            same_key,
        };
        Ok(changed(Event::Issuance(event), Outcome::Done))
    }

    fn check_invitation(&self, holder: &Holder, token_sha256: &[u8; 32]) -> Result<()> {
        let registry = self.registry();
        if registry.enrolment_of_token(token_sha256).is_some() {
            let rule = "must be that of a token under which no enrolment is known";
            return Err(conflict("token_sha256", rule));
        }
        let party = active("holder.oin", &registry, &holder.oin, self.now)?;
        if registry.invitations(party, self.now) >= MOST_UNDER_WAY {
            let rule =
                "must be of a party for which fewer than 32 invitations are under way: close one";
            return Err(conflict("holder", rule));
        }
        self.check_room("holder", &registry, party)
    }

    fn open_enrolment(
        &mut self,
        request: &Request,
        holder: &Holder,
        token_sha256: Option<[u8; 32]>,
        hours: u32,
        state: EnrolmentState,
    ) -> Plan {
        let id = EnrolmentId::draw(self.random);
        let replaces = token_sha256.is_none().then_some(request.certificate);
        let event = IssuanceEvent::Opened(Enrolment {
            id,
            holder: holder.clone(),
            token_sha256,
            until: self.now.plus_millis(u64::from(hours) * HOUR_MS),
            // A renewal is of the connection's own certificate, for whomever it calls.
            opened_by: match token_sha256 {
                Some(_) => request.peer.principal.clone(),
                None => request.peer.transport.clone(),
            },
            opened_over: Some(request.peer.transport.clone()),
            opened_with: Some(request.certificate),
            confirmed: false,
            confirmed_by: None,
            replaces,
            state,
        });
        changed(Event::Issuance(event), Outcome::Enrolment(id))
    }

    /// Letting the broker issue a first certificate by itself takes two, as everything that lets somebody in.
    fn confirm(&self, request: &Request, id: EnrolmentId) -> Result<Plan> {
        let registry = self.registry();
        let enrolment = registry.enrolment(id);
        let enrolment = enrolment.ok_or(CallError::NotFound("enrolment"))?;
        if enrolment.is_issued() || enrolment.may_be_issued_at_once() {
            return Err(conflict(
                "enrolment_id",
                "must be one that waits to be confirmed",
            ));
        }
        if !enrolment.may_be_confirmed_by(&request.peer, &request.certificate) {
            return Err(CallError::SecondActor.into());
        }
        let event = IssuanceEvent::Confirmed {
            enrolment: id,
            by: Some(request.peer.principal.clone()),
        };
        Ok(changed(Event::Issuance(event), Outcome::Done))
    }

    /// Nobody is let in by it, so one actor is enough: an administrator, or for its own renewal the party itself. Whoever
    /// rejects each renewal shuts out in time, so that the rule of a revocation is that of a renewal too.
    fn close(&self, request: &Request, id: EnrolmentId) -> Result<Plan> {
        let registry = self.registry();
        let is_own = |enrolment: &Enrolment| {
            enrolment.is_renewal() && enrolment.opened_by == request.peer.transport
        };
        let enrolment = registry
            .enrolment(id)
            .filter(|enrolment| is_own(enrolment) || request.peer.has_role(Role::Administrator));
        let enrolment = enrolment.ok_or(CallError::NotFound("enrolment"))?;
        let shut_out = enrolment.replaces.filter(|_| !is_own(enrolment));
        if let Some(sha256) = shut_out {
            let block = Change::BlockCertificate(Thumbprint(sha256), StopReason::Suspicion);
            if registry.strands(&[block], &request.peer, self.now) {
                return Err(CallError::SecondActor.into());
            }
        }
        let request_sha256 = match &enrolment.state {
            EnrolmentState::Open => None,
            EnrolmentState::Waiting { request } => Some(sha256(&request.0)),
            EnrolmentState::Issued { .. } | EnrolmentState::Closed { .. } => {
                let rule = "must be one that no certificate was issued for, and that is not closed";
                return Err(conflict("enrolment_id", rule));
            }
        };
        let event = IssuanceEvent::Closed {
            enrolment: id,
            request_sha256,
        };
        Ok(changed(Event::Issuance(event), Outcome::Done))
    }

    /// A renewal by the certificate in use: of the one that asks, and one at a time.
    fn renew(&mut self, request: &Request, holder: &Holder, wanted: &Der) -> Result<Plan> {
        let registry = self.registry();
        let party = active("request", &registry, &holder.oin, self.now)?;
        check_key("request", &registry, key_of(wanted))?;
        let closed = EnrolmentState::Closed {
            request_sha256: sha256(&wanted.0),
        };
        let own = |one: &Enrolment| one.is_renewal() && one.opened_by == request.peer.transport;
        if registry
            .enrolments()
            .any(|one| own(one) && one.state == closed)
        {
            let rule = "must not be one that was closed: make another";
            return Err(conflict("request", rule));
        }
        let before = registry.enrolments();
        let before = before.filter(|one| one.replaces == Some(request.certificate));
        let mut issued = 0;
        for one in before {
            let lapsed = one.until.plus_days(RENEWAL_WAITS_DAYS) <= self.now;
            if matches!(one.state, EnrolmentState::Waiting { .. }) && !lapsed {
                let id = one.id;
                let rule = format!(
                    "must wait for the one handed in before it: enrolment {id}, unless that is closed"
                );
                return Err(conflict("request", &rule));
            }
            issued += usize::from(one.is_issued());
        }
        if issued >= MOST_RENEWALS {
            let rule = "must be one of three for a certificate: go on with one that was issued";
            return Err(conflict("request", rule));
        }
        self.check_place(&registry, party, &request.certificate)?;
        let state = EnrolmentState::Waiting {
            request: wanted.clone(),
        };
        Ok(self.open_enrolment(request, holder, None, RENEWAL_HOURS, state))
    }

    /// The first renewal of a certificate takes its place, and needs no further one: whatever else is in force, every
    /// certificate can be renewed.
    fn check_place(&self, registry: &Registry, party: &Party, current: &[u8; 32]) -> Result<()> {
        if registry.waiting_renewals(party) >= MOST_IN_FORCE {
            let rule = "must be of a party of which fewer than 64 renewals wait: have one answered or closed";
            return Err(conflict("request", rule));
        }
        if registry.in_a_row(current, self.now) >= MOST_IN_A_ROW {
            let rule = "must be for a certificate that came after fewer than three that are in force: wait until one \
                        ends";
            return Err(conflict("request", rule));
        }
        if registry.is_replaced(current, self.now) {
            return self.check_room("request", registry, party);
        }
        Ok(())
    }

    /// Checked again in log order: of two requests with one token the first counts.
    fn enrol(&self, token_sha256: &[u8; 32], wanted: &Der) -> Result<Plan> {
        let registry = self.registry();
        let enrolment = registry.enrolment_of_token(token_sha256);
        let open = enrolment.filter(|enrolment| enrolment.is_open(self.now));
        let enrolment = open.ok_or(CallError::NotFound("enrolment"))?.id;
        check_key("request", &registry, key_of(wanted))?;
        let event = IssuanceEvent::Requested {
            enrolment,
            request: wanted.clone(),
        };
        Ok(changed(
            Event::Issuance(event),
            Outcome::Enrolment(enrolment),
        ))
    }

    fn answer(&self, id: EnrolmentId, registered: &IssuedCertificate, der: &Der) -> Result<Plan> {
        let registry = self.registry();
        let enrolment = registry.enrolment(id);
        let enrolment = enrolment.ok_or(CallError::NotFound("enrolment"))?;
        let EnrolmentState::Waiting { request } = &enrolment.state else {
            return Err(conflict("enrolment_id", "must be one whose request waits"));
        };
        let fits = registered.oin == enrolment.holder.oin
            && CertificateRequest::read(&request.0)
                .is_ok_and(|request| request.is_answered_by(&der.0));
        if !fits {
            let rule = "must be for the OIN of the enrolment and the key of its request";
            return Err(conflict("certificate", rule));
        }
        if self.registry().issued(&registered.sha256).is_some() {
            return Err(conflict("certificate", "must not be registered already"));
        }
        let event = IssuanceEvent::Answered {
            enrolment: id,
            request_sha256: sha256(&request.0),
            registered: IssuedCertificate {
                replaces: enrolment.replaces,
                began_with: enrolment.replaces.map(|one| registry.began_with(&one)),
                ..registered.clone()
            },
            certificate: der.clone(),
        };
        Ok(changed(Event::Issuance(event), Outcome::Done))
    }

    /// Whether a party may come by one more certificate. None is begun from the bound on; what waits by then is still
    /// answered.
    fn check_room(&self, field: &str, registry: &Registry, party: &Party) -> Result<()> {
        if registry.certificates_in_force(party, self.now) < MOST_IN_FORCE {
            return Ok(());
        }
        let rule =
            "must be of a party of which fewer than 64 certificates are in force: have one revoked";
        Err(conflict(field, rule))
    }
}

/// The party for which something is to be issued.
fn active<'a>(field: &str, registry: &'a Registry, oin: &Oin, now: Timestamp) -> Result<&'a Party> {
    let party = registry.party_of(oin, now);
    party.ok_or_else(|| conflict(field, "must be for the OIN of an active party"))
}

/// Nothing is issued or expected for a key that others have as well.
fn check_key(field: &str, registry: &Registry, key_sha256: Option<[u8; 32]>) -> Result<()> {
    if !key_sha256.is_some_and(|key| registry.is_compromised(&key)) {
        return Ok(());
    }
    let rule = "must be for another key: a certificate of this one was revoked or blocked because the key is \
                compromised; make a new key";
    Err(conflict(field, rule))
}

fn key_of(request: &Der) -> Option<[u8; 32]> {
    CertificateRequest::read(&request.0).ok()?.key_sha256()
}

fn conflict(field: &str, rule: &str) -> super::Obstacle {
    let (field, rule) = (field.to_owned(), rule.to_owned());
    CallError::Conflict { field, rule }.into()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    schakel_pki::identity::sha256(bytes)
}
