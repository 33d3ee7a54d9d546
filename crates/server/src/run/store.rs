//! Opening the store from a configuration.

use std::sync::Arc;

use schakel_store::{disk::Disk, log::Settings};
use tokio::runtime::Handle;

use super::{RunError, founding};
use crate::{
    clock::Clock,
    config::{AnchorMode, Config},
    publication::outside::Places,
    sequencer::{self, Paths, Setup, Started},
    telemetry::Metrics,
};

/// Opens the store, which takes as long as it takes: not on a thread that serves.
pub(super) fn open(
    config: &Config,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    mut progress: impl FnMut(&'static str, u64, u64),
) -> Result<Started, RunError> {
    let broker = &config.broker;
    let paths = Paths {
        data: broker.data_dir.clone(),
        keyring: broker.keyring_dir.clone(),
        kek: broker.kek_file.clone(),
        checkpoint_key: broker.checkpoint_key_file.clone(),
        next_checkpoint_key: broker.next_checkpoint_key_file.clone(),
        outside: Some(places(config)),
    };
    let setup = Setup {
        origin: &broker.origin,
        segment_len: Settings::new(&broker.origin).segment_len,
        disk: Disk::real(),
        founding: &founding::read(config)?,
        retention: config.retention.clone(),
        clock,
        metrics,
        runtime: Handle::current(),
        progress: &mut progress,
    };
    Ok(sequencer::start(&paths, setup)?)
}

/// Where what is signed for the log stands outside it.
fn places(config: &Config) -> Places {
    let publication = &config.publication;
    Places {
        dir: config.publication_dir(),
        anchor: publication.anchor_file.clone(),
        every_batch: publication.anchor == AnchorMode::EveryBatch,
        minimum_index: publication.minimum_index,
    }
}
