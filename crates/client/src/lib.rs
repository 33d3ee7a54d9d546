//! The client of the broker: mutual TLS, safe retries and verified receipts.
