//! What an organisation needs to call the development broker with a program of its own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use schakel_core::id::Oin;
use schakel_pki::{
    develop::{AUTHORITY_CERTIFICATE, certificate_file, key_file},
    organisation::{Organisation, Organisations},
};

use super::broker::DevelopmentBroker;
use crate::file;

/// What is told of each language.
const README: &str = include_str!("bundle.md");

/// Writes the bundle of an organisation into a directory of its own, and gives that. What is there is replaced.
pub(crate) fn write(broker: &DevelopmentBroker, oin: &Oin, directory: &Path) -> Result<PathBuf> {
    let organisations = Organisations::of_development()?;
    let Some(organisation) = organisations.iter().find(|one| one.oin == *oin) else {
        let known: Vec<_> = organisations.iter().map(described).collect();
        bail!(
            "no development organisation has OIN {oin}: choose one of\n  {}",
            known.join("\n  ")
        );
    };
    let bundle = directory.join(format!("bundle-{}", organisation.id));
    fs::create_dir_all(&bundle).with_context(|| format!("cannot make `{}`", bundle.display()))?;
    let (certificate, key) = (certificate_file(organisation), key_file(organisation));
    for file in [&certificate, &key, &AUTHORITY_CERTIFICATE.to_owned()] {
        let from = broker.certificates.join(file);
        let content = fs::read_to_string(&from)
            .with_context(|| format!("cannot read `{}`", from.display()))?;
        put(&bundle.join(file), &content)?;
    }
    put(
        &bundle.join("log.vkey"),
        &format!("{}\n", broker.verifier_key),
    )?;
    let filled = |text: &str| {
        text.replace("PARTY", organisation.id.as_str())
            .replace("SERVER", &broker.address.to_string())
            .replace("VERIFIER_KEY", &broker.verifier_key)
    };
    put(&bundle.join("profile.toml"), &filled(PROFILE))?;
    put(&bundle.join("README.md"), &filled(README))?;
    Ok(bundle)
}

/// The connection, as the command line reads it.
const PROFILE: &str = "\
server = \"SERVER\"
as = \"PARTY\"
certificate = \"PARTY.cert.pem\"
key = \"PARTY.key.pem\"
ca = \"ca.cert.pem\"
verifier_key = \"VERIFIER_KEY\"
actor = \"employee-1\"
";

fn described(organisation: &Organisation) -> String {
    format!("{} ({})", organisation.oin, organisation.name)
}

/// Writes a file that only its owner can read: one of them is a private key, and the rest needs nobody else.
fn put(path: &Path, content: &str) -> Result<()> {
    let written = || {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        file::create(path, content.as_bytes())
    };
    written().with_context(|| format!("cannot write `{}`", path.display()))
}
