//! The wire: the generated gRPC messages, clients and servers of proto/schakel/v1.
