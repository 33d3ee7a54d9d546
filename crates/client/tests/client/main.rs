//! The client against a broker that answers, refuses, hangs, breaks off and lies as each test says, over
//! real mutual TLS on loopback.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that fails, fails its test"
)]

mod broker;
mod consistency;
mod inbox;
mod line;
mod log;
mod receipts;
mod retries;
mod service;
mod tls;
