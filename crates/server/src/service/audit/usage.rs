//! What a party may receive beside what it received.

use schakel_api::v1;
use schakel_core::{
    code::Role,
    id::{EntryIndex, PartyId},
    party::{Party, Peer},
    registry::Registry,
};
use tonic::{Request, Status};

use super::{Audit, look::looked, viewer};
use crate::{
    call::LookUp,
    officer::usage::usage as usage_of,
    sequencer::CursorKind,
    service::opened,
    wire::{InvalidRequest, inbox::foreign, receipt::receipt, request::read, usage},
};

impl Audit {
    pub(super) async fn get_usage(
        &self,
        request: Request<v1::GetUsageRequest>,
    ) -> Result<v1::GetUsageResponse, Status> {
        let (caller, message) = opened(request)?;
        let asked = read(message, &caller.peer, usage::asked)?;
        self.check_purpose(&asked.purpose)?;
        let registry = self.sequencer.registry();
        let party = whose(&registry, &caller.peer, asked.party)?.clone();
        let principal = &caller.peer.principal;
        let before = match &asked.page_token {
            Some(token) => {
                let opened = self
                    .sequencer
                    .open_cursor(principal, CursorKind::Usage, token);
                Some(EntryIndex(opened.ok_or_else(|| foreign("page_token"))?))
            }
            None => None,
        };
        let question = usage::in_words(&party.id, asked.period);
        let counted =
            self.look(move |trail| usage_of(trail, &registry, &party, asked.period, before));
        let (counted, next) = counted.await?;
        let look_up = LookUp {
            purpose: Some(asked.purpose),
            ..looked(question, counted.roles.len() + counted.rights.len())
        };
        let answer = self.record(&caller, asked.who, look_up).await?;
        let seal = |next: EntryIndex| {
            let cursor = self
                .sequencer
                .seal_cursor(principal, CursorKind::Usage, next.0);
            cursor.into()
        };
        Ok(v1::GetUsageResponse {
            next_page_token: next.map(seal),
            receipt: Some(receipt(answer.receipt)),
            ..counted
        })
    }
}

/// Whose usage it is: an officer's own controller, or any partner for an administrator.
fn whose<'r>(
    registry: &'r Registry,
    caller: &Peer,
    named: Option<PartyId>,
) -> Result<&'r Party, Status> {
    let named = if caller.has_role(Role::Administrator) {
        let rule = "must be set: an administrator has no controller of its own";
        named.ok_or_else(|| InvalidRequest::of("party_id", rule))?
    } else {
        let own = viewer(registry, caller)?.controller().clone();
        if named.is_some_and(|named| named != own) {
            let rule = "must be your own controller, or be left out";
            return Err(InvalidRequest::of("party_id", rule).into());
        }
        own
    };
    let partner = registry.party(&named).filter(|party| {
        let mut roles = party.roles.iter();
        roles.any(|role| role.is_partner())
    });
    let rule = "must be a registered party that takes part in the exchange";
    Ok(partner.ok_or_else(|| InvalidRequest::of("party_id", rule))?)
}
