//! Passphrases: from a file or a prompt, never from an argument, which every user of the machine can read.

use std::{
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use schakel_pki::secret::Passphrase;

use crate::{
    connection,
    exit::{Failure, file_failure, sentence},
};

/// Where the passphrase of an authority comes from.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct PassphraseArgs {
    /// A file with the passphrase of the authority's key; without it, it is asked for.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    pub(in crate::command) fn read(&self) -> Result<Passphrase, Failure> {
        existing(self.passphrase_file.as_deref(), "the authority's key")
    }
}

/// The passphrase of a key that exists.
pub(super) fn existing(file: Option<&Path>, whose: &str) -> Result<Passphrase, Failure> {
    match file {
        Some(file) => from_file(file),
        None => checked(ask(&format!("Passphrase of {whose}: "), whose)?, whose),
    }
}

/// The passphrase for a key that is about to be made.
pub(super) fn new(file: Option<&Path>, whose: &str) -> Result<Passphrase, Failure> {
    let Some(file) = file else {
        let first = ask(&format!("New passphrase for {whose}: "), whose)?;
        if first != ask("The same again: ", whose)? {
            return Err(Failure::usage(
                "The two passphrases differ: nothing was made.",
            ));
        }
        return checked(first, whose);
    };
    from_file(file)
}

fn from_file(file: &Path) -> Result<Passphrase, Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(file).map_err(|error| file_failure("read", file, &error))?;
    if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
        return Err(Failure::usage(format!(
            "`{}` can be read by others than its owner: set its mode to 0600.",
            file.display()
        )));
    }
    checked(connection::read(file)?, &format!("`{}`", file.display()))
}

fn checked(text: String, whose: &str) -> Result<Passphrase, Failure> {
    Passphrase::new(text).map_err(|error| Failure::usage(sentence(&format!("{whose}: {error}"))))
}

fn ask(prompt: &str, whose: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "There is nobody to ask for the passphrase of {whose}: name the file that holds it by the option for it \
             (see --help)."
        )));
    }
    rpassword::prompt_password(prompt)
        .map_err(|error| Failure::usage(format!("The passphrase cannot be read: {error}.")))
}
