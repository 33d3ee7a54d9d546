//! When certificates were last used, as a broker told it.

use std::{collections::HashMap, fs, io::Read as _, path::Path};

use serde::Deserialize;

use crate::exit::{Exit, Failure, file_failure};

/// When certificates were last used.
#[derive(Clone, Debug)]
pub(super) struct Uses(HashMap<String, String>);

/// What `schakel certificate list --json` prints, as far as it is needed here.
#[derive(Deserialize)]
struct Listed {
    used: Vec<Used>,
}

#[derive(Deserialize)]
struct Used {
    certificate: String,
    last_used_at: Option<String>,
}

impl Uses {
    /// Reads what `schakel certificate list --json` printed; `-` is standard input.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = if path == Path::new("-") {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        } else {
            fs::read_to_string(path)
        };
        let text = text.map_err(|error| file_failure("read", path, &error))?;
        Self::parse(&text).ok_or_else(|| {
            let said = format!(
                "`{}` is not what `schakel certificate list --json` prints.",
                path.display()
            );
            Failure::new(Exit::Usage, said)
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let listed: Listed = serde_json::from_str(text).ok()?;
        let used = listed.used.into_iter();
        let known = used.filter_map(|used| Some((used.certificate, used.last_used_at?)));
        Some(Self(known.collect()))
    }

    /// When the certificate with this SHA-256, in hexadecimal, was last used.
    pub(super) fn last(&self, sha256: &str) -> Option<&String> {
        self.0.get(sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_certificate_list_prints_is_read_and_nothing_else() {
        let text = r#"{"used":[{"certificate":"ab","party_id":"x","last_used_at":"2026-11-25T08:00:00.000Z"}],"blocked":[]}"#;
        let uses = Uses::parse(text).unwrap();
        let last = uses.last("ab").map(String::as_str);
        assert_eq!(last, Some("2026-11-25T08:00:00.000Z"));
        assert_eq!(uses.last("cd"), None);
        assert!(Uses::parse(r#"{"certificates":[]}"#).is_none());
    }
}
