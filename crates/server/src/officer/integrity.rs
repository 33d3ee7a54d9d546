//! How the trail stands: its head, who verified it, and what the broker's own replays found.

use schakel_api::v1;
use schakel_audit::leaf::EntryType;
use schakel_core::event::Event;
use schakel_store::index::Query;

use super::{
    records::{at, opened},
    sampler::Sampled,
};
use crate::{
    trail::{Trail, TrailError},
    wire::time::instant,
};

/// The most verifications, and the most differences, that are told.
const MOST: usize = 20;
/// How far back in what the broker met by itself is looked.
const REACH: usize = 1000;

/// The answer, without the receipt of the look.
pub(crate) fn integrity(
    trail: &Trail,
    sampled: &Sampled,
) -> Result<v1::GetIntegrityResponse, TrailError> {
    let size = trail.size();
    let checkpoint = trail.checkpoint();
    let (mut verifications, mut differences) = (Vec::new(), Vec::new());
    for index in trail.each(Query::all_of(EntryType::System)).take(REACH) {
        let index = index?;
        let Some(entry) = trail.entry(index.0)? else {
            continue;
        };
        let (party_id, at) = (entry.leaf.party.clone(), at(&entry.leaf));
        match opened(entry).map(|(details, _)| details.event) {
            Some(Event::TrailVerified(verified)) if verifications.len() < MOST => {
                verifications.push(v1::Verification {
                    index: index.0,
                    at: at.map(instant),
                    party_id,
                    size: verified.size,
                    matches: trail.root_at(verified.size)? == Some(verified.root),
                    root: verified.root.to_vec().into(),
                    sound: verified.sound,
                });
            }
            Some(Event::ReplayDiffered(differed)) if differences.len() < MOST => {
                differences.push(v1::CheckFault {
                    index: differed.entry.0,
                    differences: differed
                        .differences
                        .iter()
                        .map(ToString::to_string)
                        .collect(),
                });
            }
            _ => {}
        }
    }
    let erasures = trail.each(Query::all_of(EntryType::Erasure)).take(REACH);
    let (replays_since_start, last_replay) = sampled.so_far();
    Ok(v1::GetIntegrityResponse {
        size,
        checkpoint: checkpoint.as_bytes().to_vec().into(),
        verifications,
        replays_since_start,
        last_replay_at: last_replay.map(instant),
        differences,
        erasures: erasures.count() as u64,
        receipt: None,
    })
}
