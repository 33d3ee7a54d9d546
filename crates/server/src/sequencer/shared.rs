//! What the writer shows to everybody else. All of it is about entries that are durable.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use schakel_core::{event::Event, id::PartyId, registry::Registry};
use schakel_store::{index::Index, keyring::Keyring};
use tokio::sync::watch;

use super::handover::Handovers;
use crate::{
    clock::Clock,
    officer::sampler::Sampled,
    publication::halt::Halt,
    telemetry::Metrics,
    trail::{Head, Trail},
};

/// The writer's face to readers.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) origin: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Metrics,
    pub(super) registry: ArcSwap<Registry>,
    pub(super) trail: Trail,
    pub(super) keyring: Arc<Keyring>,
    pub(super) index: Arc<Index>,
    pub(super) inboxes: Inboxes,
    pub(super) handovers: Handovers,
    pub(super) registry_changes: watch::Sender<u64>,
    pub(super) halt: Halt,
    pub(super) sampled: Sampled,
    healthy: watch::Sender<bool>,
}

/// Tells who waits that something may have come for a party. Word goes out with the next publication tick,
/// so that its moment tells nothing about what caused it.
#[derive(Debug, Default)]
pub(super) struct Inboxes {
    watched: Mutex<HashMap<PartyId, Watched>>,
}

#[derive(Debug)]
struct Watched {
    changed: bool,
    version: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn new(
        origin: String,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
        registry: Arc<Registry>,
        trail: Trail,
        (keyring, index): (Arc<Keyring>, Arc<Index>),
        halt: Halt,
    ) -> Self {
        Self {
            origin,
            clock,
            metrics,
            registry: ArcSwap::new(registry),
            trail,
            keyring,
            index,
            inboxes: Inboxes::default(),
            handovers: Handovers::default(),
            registry_changes: watch::Sender::new(0),
            halt,
            sampled: Sampled::default(),
            healthy: watch::Sender::new(false),
        }
    }

    /// Shows what is registered from now on, and wakes whoever goes by it.
    pub(super) fn register(&self, registry: Arc<Registry>) {
        self.registry.store(registry);
        self.registry_changes.send_modify(|changes| *changes += 1);
    }

    /// Whether entries can be recorded.
    pub(super) fn health(&self) -> watch::Receiver<bool> {
        self.healthy.subscribe()
    }

    pub(super) fn healthy(&self, healthy: bool) {
        self.healthy
            .send_if_modified(|was| std::mem::replace(was, healthy) != healthy);
    }

    /// Shows the new end of the log.
    pub(super) fn advance(&self, size: u64, checkpoint: Arc<str>) {
        self.trail.advance(Head { size, checkpoint });
    }

    /// Notes for whom an event lets something wait, and tells whoever watches denials.
    pub(super) fn announce(&self, event: &Event) {
        let (messages, notices) = match event {
            Event::StatusReported {
                messages, notices, ..
            } => (messages.as_slice(), notices),
            Event::ConsentEnded(ended) => (&[][..], &ended.notices),
            Event::Restricted { notices, .. } => (&[][..], notices),
            Event::Denied(denied) => {
                if let Some(finding) = denied.findings.first() {
                    self.metrics.denied(finding.reason);
                }
                return;
            }
            _ => return,
        };
        for (party, _) in messages {
            self.inboxes.note(party);
        }
        for notice in notices {
            self.inboxes.note(&notice.recipient);
        }
    }
}

impl Inboxes {
    /// Word of a party's inbox.
    pub(super) fn watch(&self, party: &PartyId) -> watch::Receiver<u64> {
        let mut watched = self.lock();
        let entry = watched.entry(party.clone()).or_insert_with(|| Watched {
            changed: false,
            version: watch::Sender::new(0),
        });
        entry.version.subscribe()
    }

    /// Sends word to everybody for whom something came since the last tick.
    pub(super) fn tick(&self) {
        for watched in self.lock().values_mut() {
            if std::mem::take(&mut watched.changed) {
                watched.version.send_modify(|version| *version += 1);
            }
        }
    }

    fn note(&self, party: &PartyId) {
        if let Some(watched) = self.lock().get_mut(party) {
            watched.changed = true;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PartyId, Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_goes_out_with_the_tick_and_only_to_whom_it_concerns() {
        let inboxes = Inboxes::default();
        let (one, two) = ("party-one".parse().unwrap(), "party-two".parse().unwrap());
        let (mut first, mut second) = (inboxes.watch(&one), inboxes.watch(&two));
        inboxes.note(&one);
        assert!(!first.has_changed().unwrap());
        inboxes.tick();
        assert!(first.has_changed().unwrap() && !second.has_changed().unwrap());
        first.mark_unchanged();
        second.mark_unchanged();
        inboxes.tick();
        assert!(!first.has_changed().unwrap());
    }
}
