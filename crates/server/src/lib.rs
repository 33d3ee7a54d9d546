//! The broker: sequencer, gRPC services, mutual TLS, limits and telemetry.
