//! Two steps of a batch: composing an entry, and keeping what it changed.

use std::thread;

use schakel_core::time::Timestamp;
use schakel_store::{
    publication::Shown,
    world::{World, WorldError},
};

use super::{
    compose::{ComposeError, Composed, Composer},
    plan::{Plan, Subject},
    writer::{Writer, WriterError},
};
use crate::call::Request;

impl Writer {
    pub(super) fn compose(
        &mut self,
        request: Option<&Request>,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<Result<Composed, ComposeError>, WriterError> {
        let dossier = match plan.subject {
            Subject::Known(id) => Some(self.world.dossier(id)?),
            Subject::Unknown | Subject::Nobody => None,
        };
        let registry = self.world.registry();
        let standing = request.map(|request| registry.roles(&request.peer.principal, now));
        let mut composer = Composer {
            keyring: &self.shared.keyring,
            rules: &self.rules,
            random: self.random.as_mut(),
            origin: &self.shared.origin,
            broker: &self.broker,
            standing: standing.unwrap_or_default(),
            terms: &self.terms,
            now,
        };
        Ok(composer.compose(request, plan, dossier.as_deref()))
    }

    /// Writes the view, and beside that the anchor, when no answer may leave that it does not cover.
    pub(super) fn anchored(
        &mut self,
        checkpoint: &str,
        flush: impl FnOnce(&mut World) -> Result<(), WorldError>,
    ) -> Result<(), WriterError> {
        let Some(anchor) = &self.anchor else {
            return Ok(flush(&mut self.world)?);
        };
        let head = Shown::parse(checkpoint.to_owned())?;
        let world = &mut self.world;
        let (replaced, flushed) = thread::scope(|scope| {
            let replacing = scope.spawn(|| anchor.replace(&head));
            let flushed = flush(world);
            (replacing.join(), flushed)
        });
        flushed?;
        replaced.map_err(|_| WriterError::Signer)??;
        Ok(())
    }
}
