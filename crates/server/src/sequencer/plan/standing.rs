//! Who the caller is at the place of its call in the log.

use super::Planner;
use crate::{
    access,
    call::{CallError, Request},
};

impl Planner<'_> {
    /// Whether the caller may act still, and as what: decided in log order, so that nothing follows the entry that
    /// suspended a party, took a role or a delegation from it or blocked a certificate, however long a call was on its
    /// way. It keeps the roles it came with and still has; one that was given meanwhile counts from its next call on.
    /// The refusal is what its next call would get. A withdrawal is never refused for a suspension or a role.
    pub(super) fn stand(&self, request: &mut Request) -> Result<(), CallError> {
        let registry = self.registry();
        if registry.blocks(&request.certificate) {
            return Err(CallError::Blocked);
        }
        let method = access::named(request.method);
        let never_refused = method.is_some_and(|method| method.never_refused);
        let peer = &mut request.peer;
        let (transport, unit) = (&peer.transport, peer.unit.as_ref());
        let standing = registry
            .standing(transport, &peer.principal, unit, never_refused, self.now)
            .map_err(CallError::NoStanding)?;
        peer.roles.retain(|role| standing.has_role(*role));
        let admitted = match method {
            Some(method) => never_refused || method.admits(peer),
            None => request.method == access::BY_TOKEN,
        };
        if admitted {
            Ok(())
        } else {
            Err(CallError::NotForRole(request.method))
        }
    }
}
