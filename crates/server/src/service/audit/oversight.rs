//! Breaches, and how the trail itself stands.

use schakel_api::v1;
use schakel_core::{code::Role, id::PartyId, party::Peer};
use tonic::{Request, Status};

use super::{
    Audit,
    look::{looked, record_each},
};
use crate::{
    call::{Call, CallError, LookUp},
    edge::identify::Caller,
    officer::{
        breach::{self, Compromised, Page},
        integrity,
        wide::Question,
    },
    sequencer::CursorKind,
    service::{called, opened},
    trail::TrailError,
    wire::{
        InvalidRequest,
        entry::Viewer,
        inbox::foreign,
        oversight::{self, Breach},
        receipt::receipt,
        request::read,
        time::instant,
    },
};

/// The method of a question about a breach.
const BREACH: &str = "AuditService/GetBreach";

impl Audit {
    pub(super) async fn get_breach(
        &self,
        request: Request<v1::GetBreachRequest>,
    ) -> Result<v1::GetBreachResponse, Status> {
        let (caller, message) = opened(request)?;
        let asked = read(message, &caller.peer, oversight::breach)?;
        self.check_purpose(&asked.purpose)?;
        self.check_breach("", &asked)?;
        let from = self.page_of(&caller, &asked)?;
        let (shares, page) = if caller.peer.has_role(Role::PrivacyOfficer) {
            self.own_breach(&caller, &asked, from).await?
        } else {
            (self.whole_breach(&asked).await?, Page::default())
        };
        let words = asked.in_words();
        let (who, purpose) = (&asked.who, &asked.purpose);
        record_each(
            &self.sequencer,
            &caller,
            who,
            purpose,
            &words,
            page.witnesses,
        )
        .await?;
        let look_up = LookUp {
            purpose: Some(asked.purpose),
            ..looked(words, shares.len() + page.persons.len())
        };
        let answer = self.record(&caller, asked.who, look_up).await?;
        let (until, seconds_left) = breach::clock(asked.discovered, self.sequencer.now());
        let seal = |next: usize| {
            let party = &caller.peer.principal;
            let cursor = self
                .sequencer
                .seal_cursor(party, CursorKind::Breach, next as u64);
            cursor.into()
        };
        Ok(v1::GetBreachResponse {
            shares,
            persons: page.persons,
            notify_by: Some(instant(until)),
            seconds_left,
            next_page_token: page.next.map(seal),
            receipt: Some(receipt(answer.receipt)),
        })
    }

    pub(super) async fn get_integrity(
        &self,
        request: Request<v1::GetIntegrityRequest>,
    ) -> Result<v1::GetIntegrityResponse, Status> {
        let (caller, message) = opened(request)?;
        let who = read(message, &caller.peer, oversight::integrity)?;
        let sequencer = self.sequencer.clone();
        let shown = self
            .look(move |trail| integrity::integrity(trail, sequencer.sampled()))
            .await?;
        let look_up = looked("integrity".to_owned(), 1);
        let answer = self.record(&caller, who, look_up).await?;
        Ok(v1::GetIntegrityResponse {
            receipt: Some(receipt(answer.receipt)),
            ..shown
        })
    }

    pub(super) async fn record_verification(
        &self,
        request: Request<v1::RecordVerificationRequest>,
    ) -> Result<v1::RecordVerificationResponse, Status> {
        let (caller, message) = opened(request)?;
        let parsed = read(message, &caller.peer, oversight::verification)?;
        let verified = match &parsed.call {
            Call::RecordVerification(verified) => Some(verified.clone()),
            _ => None,
        };
        let (size, root) = verified.map_or((0, [0; 32]), |v| (v.size, v.root));
        let here = self.look(move |trail| trail.root_at(size)).await?;
        let here = here.ok_or_else(|| {
            let most = self.sequencer.trail().size();
            InvalidRequest::of(
                "size",
                format!("must be 1 to {most}, the number of entries"),
            )
        })?;
        let answer = self.sequencer.submit(called(&caller, parsed)).await?;
        Ok(v1::RecordVerificationResponse {
            matches: here == root,
            receipt: Some(receipt(answer.receipt)),
        })
    }

    /// Whether what was compromised was ever registered, and found out by now: the 72 hours run from then.
    /// Of a certificate that is not known here it may be true that it touched nobody.
    pub(super) fn check_breach(&self, within: &str, asked: &Breach) -> Result<(), CallError> {
        match &asked.compromised {
            Compromised::Party(party) => self.check_party(within, Some(party))?,
            Compromised::Number(oin) => {
                let registry = self.sequencer.registry();
                let mut numbers = registry.parties().flat_map(|party| &party.oins);
                if !numbers.any(|dated| dated.oin == *oin) {
                    return Err(CallError::Invalid {
                        field: format!("{within}oin"),
                        rule: "must be a number of a registered party: ListParties shows them"
                            .to_owned(),
                    });
                }
            }
            Compromised::Certificate(_) => {}
        }
        let field = format!("{within}discovered_at");
        CallError::check_past(&field, asked.discovered, self.sequencer.now())
    }

    /// What an officer must answer for, with the persons from this one on.
    async fn own_breach(
        &self,
        caller: &Caller,
        asked: &Breach,
        from: usize,
    ) -> Result<(Vec<v1::BreachShare>, Page), Status> {
        let viewer = self.viewer(&caller.peer)?;
        if self.bounds.is_long(Some(&asked.period)) {
            self.check_approved(&viewer, asked.approval, of_breach(asked))
                .await?;
        }
        let registry = self.sequencer.registry();
        let controller = viewer.controller().clone();
        let queries = breach::queries(&asked.compromised, &registry, asked.period, &controller);
        let party = registry.party(&controller);
        let as_party = Peer {
            principal: controller.clone(),
            transport: controller.clone(),
            roles: party.map(|party| party.roles.clone()).unwrap_or_default(),
            unit: None,
        };
        let found = self.look(move |trail| {
            let share = breach::share(trail, &controller, queries, Some(&viewer))?;
            let page = share.page(trail, &as_party, from)?;
            Ok::<_, TrailError>((vec![share.shown(&controller)], page))
        });
        Ok(found.await?)
    }

    /// The numbers of every controller.
    async fn whole_breach(&self, asked: &Breach) -> Result<Vec<v1::BreachShare>, Status> {
        let registry = self.sequencer.registry();
        let asked = asked.clone();
        let found = self.look(move |trail| {
            let mut shares = Vec::new();
            let controllers: Vec<PartyId> = registry
                .parties()
                .filter(|party| party.roles.iter().any(|role| role.is_partner()))
                .map(|party| party.id.clone())
                .collect();
            for controller in controllers {
                let queries =
                    breach::queries(&asked.compromised, &registry, asked.period, &controller);
                let share = breach::share(trail, &controller, queries, None::<&Viewer>)?;
                if !share.is_empty() {
                    shares.push(share.shown(&controller));
                }
            }
            Ok::<_, TrailError>(shares)
        });
        Ok(found.await?)
    }

    fn page_of(&self, caller: &Caller, asked: &Breach) -> Result<usize, Status> {
        let Some(token) = &asked.page_token else {
            return Ok(0);
        };
        let party = &caller.peer.principal;
        let opened = self.sequencer.open_cursor(party, CursorKind::Breach, token);
        let opened = opened.and_then(|from| usize::try_from(from).ok());
        Ok(opened.ok_or_else(|| foreign("page_token"))?)
    }
}

/// The question about a breach.
pub(super) fn of_breach(breach: &Breach) -> Question {
    Question {
        method: BREACH,
        purpose: breach.purpose.clone(),
        words: breach.in_words(),
    }
}
