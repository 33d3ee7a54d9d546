//! Receipts in files: what `schakel verify proof` and tools that are not ours can check years later.

use std::path::{Path, PathBuf};

use schakel_api::v1;

use crate::{
    exit::{Exit, Failure},
    file,
};

/// Writes a receipt as a C2SP tlog-proof, its leaf beside it, and what was disclosed with the salt that opens
/// the leaf's commitment to it. A file that exists is never overwritten.
pub(crate) fn keep(
    path: &Path,
    proof: &str,
    receipt: &v1::Receipt,
    disclosed: Option<&v1::Disclosed>,
) -> Result<(), Failure> {
    create(path, proof.as_bytes())?;
    create(&beside(path, "leaf"), &receipt.leaf)?;
    if let Some(disclosed) = disclosed {
        create(&beside(path, "disclosure"), &disclosed.disclosure)?;
        create(&beside(path, "salt"), &disclosed.salt)?;
    }
    Ok(())
}

/// Looks before anything is asked whether evidence can be kept there: a call that was made stays made.
pub(crate) fn check_place(path: &Path) -> Result<(), Failure> {
    let taken = ["leaf", "disclosure", "salt"].map(|ending| beside(path, ending));
    let taken = [path.to_owned()].into_iter().chain(taken);
    if let Some(taken) = taken.into_iter().find(|path| path.exists()) {
        let taken = taken.display();
        return Err(Failure::usage(format!(
            "`{taken}` exists already, and is not overwritten: nothing was asked."
        )));
    }
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    if dir.is_some_and(|dir| !dir.is_dir()) {
        let path = path.display();
        return Err(Failure::usage(format!(
            "`{path}` cannot be written: there is no such directory. Nothing was asked."
        )));
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

/// Writes a file of evidence, for its owner alone; it is on disk when this returns. One that exists is never
/// overwritten.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    file::create(path, bytes).map_err(|error| {
        // The call was made: that the receipt was not kept must not read as if it was not.
        let said = format!(
            "The answer was proved, but what proves it cannot be kept in `{}`: {}.",
            path.display(),
            crate::exit::said(&error)
        );
        Failure::new(Exit::Failed, said)
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn a_place_that_is_taken_or_cannot_be_is_told_before_anything_is_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r1");
        check_place(&path).unwrap();
        check_place(Path::new("r1")).unwrap();
        fs::write(beside(&path, "leaf"), b"").unwrap();
        for (path, said) in [
            (path, "r1.leaf` exists already"),
            (dir.path().join("no/r1"), "no such directory"),
        ] {
            let failure = check_place(&path).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(failure.message.contains(said), "{}", failure.message);
        }
    }

    #[test]
    fn evidence_is_for_its_owner_alone_and_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disclosure");
        create(&path, b"once").unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(create(&path, b"twice").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"once");
    }
}
