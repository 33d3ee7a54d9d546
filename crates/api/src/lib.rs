//! The wire: the messages, clients and servers generated from `proto/`.
//!
//! What a field means, its bounds and the errors of every method stand in the proto files; their comments
//! are the documentation of these items.

/// The public interface, package `schakel.v1`.
pub mod v1 {
    pub use generated::*;

    mod generated {
        #![allow(
            missing_docs,
            missing_debug_implementations,
            unreachable_pub,
            unused_qualifications,
            clippy::all,
            clippy::pedantic,
            clippy::allow_attributes,
            clippy::allow_attributes_without_reason,
            reason = "generated from proto/"
        )]
        tonic::include_proto!("schakel.v1");
    }
}

/// The yardstick of the benchmark, package `schakel.bench.v1`.
pub mod bench {
    pub use generated::*;

    mod generated {
        #![allow(
            missing_docs,
            missing_debug_implementations,
            unreachable_pub,
            unused_qualifications,
            clippy::all,
            clippy::pedantic,
            clippy::allow_attributes,
            clippy::allow_attributes_without_reason,
            reason = "generated from proto/"
        )]
        tonic::include_proto!("schakel.bench.v1");
    }
}

/// The first certificate of a party, package `schakel.enrolment.v1`.
pub mod enrolment {
    pub use generated::*;

    mod generated {
        #![allow(
            missing_docs,
            missing_debug_implementations,
            unreachable_pub,
            unused_qualifications,
            clippy::all,
            clippy::pedantic,
            clippy::allow_attributes,
            clippy::allow_attributes_without_reason,
            reason = "generated from proto/"
        )]
        tonic::include_proto!("schakel.enrolment.v1");
    }
}

/// The encoded `google.protobuf.FileDescriptorSet` of every file in `proto/`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The domain of every `google.rpc.ErrorInfo` this interface sends.
pub const ERROR_DOMAIN: &str = "schakel";
