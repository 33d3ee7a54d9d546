//! Compiles proto/ without protoc, and keeps the descriptor for reflection and for the tests that walk it.

use std::{env, error::Error, fs, path::Path};

use prost::Message as _;

const FILES: &[&str] = &[
    "schakel/v1/audit.proto",
    "schakel/v1/cases.proto",
    "schakel/v1/certificates.proto",
    "schakel/v1/consents.proto",
    "schakel/v1/error_reason.proto",
    "schakel/v1/exchange.proto",
    "schakel/v1/export.proto",
    "schakel/v1/inbox.proto",
    "schakel/v1/notices.proto",
    "schakel/v1/oversight.proto",
    "schakel/v1/reconciliation.proto",
    "schakel/v1/registry.proto",
    "schakel/v1/report.proto",
    "schakel/v1/retention.proto",
    "schakel/v1/statement.proto",
    "schakel/v1/usage.proto",
    "schakel/bench/v1/echo.proto",
    "schakel/enrolment/v1/enrolment.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    // As it is now, not as it was when this was compiled: a build directory may be moved or copied.
    let manifest = env::var("CARGO_MANIFEST_DIR")?;
    let protos = Path::new(&manifest).join("../../proto");
    println!("cargo::rerun-if-changed={}", protos.display());

    let descriptors = protox::compile(FILES, [&protos])?;
    let out = env::var("OUT_DIR")?;
    fs::write(
        Path::new(&out).join("descriptors.bin"),
        descriptors.encode_to_vec(),
    )?;
    tonic_prost_build::configure()
        .build_transport(false)
        .bytes(".")
        .compile_fds(descriptors)?;
    Ok(())
}
