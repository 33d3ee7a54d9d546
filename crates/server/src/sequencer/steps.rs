//! Two steps of a batch: composing an entry, and keeping what it changed.

use std::{collections::BTreeMap, sync::Arc, thread};

use schakel_core::{
    dossier::Dossier,
    event::SlotUse,
    id::{SlotId, SubjectId},
    time::Timestamp,
};
use schakel_store::{
    publication::Shown,
    world::{World, WorldError},
};

use super::{
    compose::{Attempt, Composer},
    cut::Part,
    plan::Subject,
    writer::{Writer, WriterError},
};
use crate::call::Request;

/// The keys that entries of one request take into use, for whatever else of it is about the same person.
pub(super) type Fresh = BTreeMap<(SubjectId, SlotUse), SlotId>;

impl Writer {
    pub(super) fn compose(
        &mut self,
        request: Option<&Request>,
        part: Part,
        fresh: &mut Fresh,
        now: Timestamp,
    ) -> Result<Attempt, WriterError> {
        let dossier = self.dossier_for(&part)?;
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
            fresh,
            now,
        };
        Ok(composer.compose(request, part, dossier.as_deref()))
    }

    /// Two halves of a part that fits no entry; `None` when there is nothing to cut.
    pub(super) fn halves(&mut self, part: Part) -> Result<Option<[Part; 2]>, WriterError> {
        let dossier = self.dossier_for(&part)?;
        let keepers = part.keepers(dossier.as_deref());
        Ok(part.cut(keepers))
    }

    fn dossier_for(&mut self, part: &Part) -> Result<Option<Arc<Dossier>>, WriterError> {
        Ok(match part.plan.subject {
            Subject::Known(id) => Some(self.world.dossier(id)?),
            Subject::Unknown | Subject::Nobody => None,
        })
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
