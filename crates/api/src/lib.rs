//! The wire: the messages, clients and servers generated from `proto/`.
//!
//! What a field means, its bounds and the errors of every method stand in the proto files; their comments
//! are the documentation of these items.

/// A module with what is generated from a package.
macro_rules! package {
    ($(#[$doc:meta])* $name:ident = $package:literal) => {
        $(#[$doc])*
        pub mod $name {
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
                tonic::include_proto!($package);
            }
        }
    };
}

package! {
    /// The public interface, package `schakel.v1`.
    v1 = "schakel.v1"
}
package! {
    /// The yardstick of the benchmark, package `schakel.bench.v1`.
    bench = "schakel.bench.v1"
}
package! {
    /// The first certificate of a party, package `schakel.enrolment.v1`.
    enrolment = "schakel.enrolment.v1"
}

/// The encoded `google.protobuf.FileDescriptorSet` of every file in `proto/`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The domain of every `google.rpc.ErrorInfo` this interface sends.
pub const ERROR_DOMAIN: &str = "schakel";
