//! What is registered at the first start, from the files of section `[bootstrap]`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use schakel_core::catalogue::Catalogue;

use crate::config::Config;

/// Why the first parties or purposes cannot be read: the key, the file and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// The file is no list of parties or purposes.
    #[error("`{key}`: `{}` is no list of {wanted}: {problem}", file.display())]
    Malformed {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// What it must list.
        wanted: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The file cannot be read.
    #[error("`{key}`: `{}` cannot be read: name a file that the broker may read", file.display())]
    Unreadable {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Reads the two files. Once there is a log they are not needed, and what became of them must not keep a
/// broker from starting again.
pub(super) fn read(config: &Config) -> Result<Catalogue, FoundingError> {
    let found = read_both(&config.bootstrap.parties, &config.bootstrap.purposes);
    match found {
        Err(error) if config.broker.data_dir.join("log").exists() => {
            tracing::warn!(%error, "not needed, as there is a log already");
            Ok(Catalogue::default())
        }
        found => found,
    }
}

pub(super) fn read_both(parties: &Path, purposes: &Path) -> Result<Catalogue, FoundingError> {
    let parties = read_one("bootstrap.parties", parties, "parties")?;
    let purposes = read_one("bootstrap.purposes", purposes, "purposes")?;
    Ok(Catalogue {
        parties: parties.parties,
        purposes: purposes.purposes,
    })
}

fn read_one(
    key: &'static str,
    file: &Path,
    wanted: &'static str,
) -> Result<Catalogue, FoundingError> {
    let text = fs::read_to_string(file).map_err(|source| FoundingError::Unreadable {
        key,
        file: file.to_owned(),
        source,
    })?;
    let malformed = |problem: String| FoundingError::Malformed {
        key,
        file: file.to_owned(),
        wanted,
        problem,
    };
    let found: Catalogue =
        toml::from_str(&text).map_err(|error| malformed(error.message().to_owned()))?;
    let stray = match wanted {
        "parties" => !found.purposes.is_empty(),
        _ => !found.parties.is_empty(),
    };
    if stray {
        return Err(malformed("it lists something else".to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSES: &str = "../../deploy/purposes.toml";

    fn told(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("parties.toml");
        fs::write(&file, text).unwrap();
        let error = read_both(&file, Path::new(PURPOSES))
            .unwrap_err()
            .to_string();
        error.replace(&file.display().to_string(), "parties.toml")
    }

    #[test]
    fn both_files_make_one_catalogue() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("parties.toml");
        fs::write(&file, "").unwrap();
        let found = read_both(&file, Path::new(PURPOSES)).unwrap();
        assert!(found.parties.is_empty() && !found.purposes.is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_used_is_told_by_its_key() {
        assert!(
            told("[[party]]\nid = 1")
                .starts_with("`bootstrap.parties`: `parties.toml` is no list of parties: ")
        );
        let other = fs::read_to_string(PURPOSES).unwrap();
        assert!(told(&other).ends_with("is no list of parties: it lists something else"));
        let error = read_both(Path::new("/nowhere"), Path::new(PURPOSES)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`bootstrap.parties`: `/nowhere` cannot be read: name a file that the broker may read"
        );
    }
}
