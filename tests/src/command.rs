//! The `schakel` command as a party uses it against a broker of a test.

use std::process::Command;

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{broker::TestBroker, child::schakel};

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Said {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub text: String,
    /// What it complained of.
    pub complaint: String,
}

impl TestBroker {
    /// Runs the command as a party, with what it acts as. The broker must go by the system's clock, as the
    /// command does.
    pub async fn command(&self, party: &str, arguments: &[&str]) -> Said {
        let mut command = Command::new(schakel());
        command
            .args(arguments)
            .env("SCHAKEL_AS", party)
            .env("SCHAKEL_SERVER", self.address().to_string())
            .env("SCHAKEL_CERTIFICATES", self.place().path("certificates"))
            .env("SCHAKEL_VERIFIER_KEY", self.verifier_key().to_string())
            .env("SCHAKEL_ACTOR", format!("{party}-1"))
            .env("XDG_CONFIG_HOME", self.place().path("nothing"));
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = output.await.expect("a thread").expect("the command runs");
        Said {
            code: output.status.code().expect("a code"),
            text: String::from_utf8(output.stdout).expect("UTF-8"),
            complaint: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// SHA-256 of the certificate of a party, in hexadecimal.
    #[must_use]
    pub fn certificate(&self, id: &str) -> String {
        let pem = self.place().issued(id).cert_pem;
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM");
        hex::encode(Sha256::digest(&der))
    }

    /// What a command says in JSON that must succeed.
    pub async fn asks(&self, party: &str, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        let said = self.command(party, &arguments).await;
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.complaint);
        serde_json::from_str(&said.text).expect("JSON")
    }
}
