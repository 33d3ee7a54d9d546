//! What signs, opened once the log was found to agree with what was signed for it before.

use schakel_audit::checkpoint::Origin;
use schakel_core::event::Event;
use schakel_store::{log::Log, world::World};

use super::{
    keys::Keys,
    sign::Signer,
    start::{Paths, StartError},
    writer::WriterError,
};
use crate::{
    publication::outside::{Outside, SharedAnchor},
    trail::Head,
};

/// What signs.
pub(super) struct Signing {
    pub(super) signer: Signer,
    /// The head of the log, signed anew.
    pub(super) head: Head,
    /// The key that verifiers are told of, as a vkey.
    pub(super) verifier_key: String,
    /// What the log is to say about its keys.
    pub(super) events: Vec<Event>,
    /// What stands outside.
    pub(super) outside: Option<Outside>,
    /// The anchor, when the writer replaces it.
    pub(super) anchor: Option<SharedAnchor>,
}

impl Signing {
    /// Holds the log against what was signed for it, and only then signs its head.
    pub(super) fn open(
        paths: &Paths,
        log: &Log,
        origin: Origin,
        world: &World,
    ) -> Result<Self, StartError> {
        let next = paths.next_checkpoint_key.as_deref();
        let keys = Keys::resolve((&*paths.checkpoint_key, next), &origin, &world.registry())?;
        let places = paths.outside.as_ref();
        let open = |places| Outside::open(places, &log.reader(), &origin, &keys.known);
        let outside = places.map(open).transpose()?;
        if let Some(outside) = &outside {
            outside.announce(&origin, &keys.signing)?;
        }
        let every_batch = places.is_some_and(|places| places.every_batch);
        let anchored = outside.as_ref().filter(|_| every_batch);
        let anchor = anchored.and_then(|outside| outside.anchor.clone());
        let signer = Signer::start(origin, keys.signing)?;
        signer.begin(log.size(), log.root());
        let checkpoint = signer.finish().ok_or(WriterError::Signer)?;
        let size = log.size();
        Ok(Self {
            signer,
            head: Head { size, checkpoint },
            verifier_key: keys.verifier_key,
            events: keys.events,
            outside,
            anchor,
        })
    }
}
