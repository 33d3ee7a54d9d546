//! What parties do with the broker, and what must hold whatever they do.

/// The tests, by what they are about.
mod journey {
    mod alike;
    mod certificates;
    mod consent_times;
    mod enrolments;
    mod erasure;
    mod errors;
    mod export;
    mod forget;
    mod idempotency;
    mod inbox;
    mod issuing;
    mod known;
    mod logbook;
    mod numbers;
    mod officer;
    mod pairs;
    mod passed_on;
    mod plain;
    mod privacy;
    mod publication;
    mod questions;
    mod receipts;
    mod reconciliation;
    mod registry;
    mod renewal;
    mod replay;
    mod rights;
    mod sides;
    mod stopping;
    mod storm;
    mod strangers;
    mod suppressed;
    mod units;
    mod usage;
    mod veil;
    mod window;
}
