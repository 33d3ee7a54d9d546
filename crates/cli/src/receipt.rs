//! Receipts in files: what `schakel verify proof` and tools that are not ours can check years later.

use std::{
    fs,
    path::{Path, PathBuf},
};

use schakel_api::v1;

use crate::exit::{Exit, Failure};

/// Writes a receipt as a C2SP tlog-proof, its leaf beside it, and what was disclosed with the salt that opens
/// the leaf's commitment to it. A file that exists is never overwritten.
pub(crate) fn keep(
    path: &Path,
    receipt: &v1::Receipt,
    disclosed: Option<&v1::Disclosed>,
) -> Result<(), Failure> {
    let proof = schakel_client::proof(receipt)?;
    create(path, proof.to_string().as_bytes())?;
    create(&beside(path, "leaf"), &receipt.leaf)?;
    if let Some(disclosed) = disclosed {
        create(&beside(path, "disclosure"), &disclosed.disclosure)?;
        create(&beside(path, "salt"), &disclosed.salt)?;
    }
    Ok(())
}

/// The path with another ending after its own.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// Writes a file of evidence. One that exists is never overwritten.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write as _;

    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path);
    file.and_then(|mut file| file.write_all(bytes))
        .map_err(|error| {
            // The call was made: that the receipt was not kept must not read as if it was not.
            let said = format!(
                "The answer was proved, but what proves it cannot be kept in `{}`: {}.",
                path.display(),
                crate::exit::said(&error)
            );
            Failure::new(Exit::Failed, said)
        })
}
