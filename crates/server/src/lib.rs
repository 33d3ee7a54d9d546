//! The broker: one sequencer that decides and records everything in log order, gRPC services around it,
//! mutual TLS, limits and telemetry.

pub mod access;
pub mod call;
pub mod clock;
pub mod config;
pub mod edge;
mod issuing;
pub mod officer;
pub mod publication;
pub mod run;
pub mod sequencer;
pub mod service;
pub mod status;
pub mod telemetry;
pub mod trail;
pub mod wire;
