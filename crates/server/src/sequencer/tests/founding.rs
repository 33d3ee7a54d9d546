//! What is registered at the first start.

use super::{Bench, StartError};

/// More than goes into one batch is refused before the first of it is registered: a start that was cut short between two
/// batches would leave the rest out for good. As many as fit are registered.
#[tokio::test]
async fn what_is_registered_at_the_first_start_is_registered_whole_or_not_at_all() {
    let mut bench = Bench::new().with_associations(1_024);
    let all = bench.founding.changes().count();
    let fit = match bench.try_start() {
        Err(StartError::FoundingTooLarge { fit, of }) => {
            assert_eq!(of, all);
            fit
        }
        other => panic!(
            "{:?}",
            other.map(|started| started.sequencer.trail().size())
        ),
    };
    let left = bench.founding.parties.len() - (all - fit);
    bench.founding.parties.truncate(left);
    let started = bench.start();
    let registry = started.sequencer.registry();
    assert_eq!(registry.parties().count(), left);
    let purposes = bench.founding.purposes.len();
    assert_eq!(registry.purposes().count(), purposes);
}
