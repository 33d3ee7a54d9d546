//! Whether others on the broker's machine may read what it keeps.

use schakel_server::{
    config::Config,
    run::{Exposed, Part, exposed},
};

use super::Findings;

/// Looks at the rights to data, keyring and keys.
pub(super) fn examine(config: &Config, findings: &mut Findings) {
    const CHECK: &str = "files";
    let found = exposed(config);
    for Exposed { part, file, files } in &found {
        let first = file.display();
        let several = match files - 1 {
            0 => String::new(),
            1 => " and another file".to_owned(),
            more => format!(" and {more} more files"),
        };
        match part {
            Part::Data | Part::Keyring => {
                let (what, dir) = match part {
                    Part::Data => ("data", &config.broker.data_dir),
                    _ => ("the keyring", &config.broker.keyring_dir),
                };
                let said = format!("others may read `{first}`{several} of {what}");
                let mend = format!("`chmod 0700 {}`, as the user of the broker", dir.display());
                findings.warned(CHECK, said, &mend);
            }
            Part::Key => {
                let said = format!(
                    "others have a right to the key `{first}`: the broker does not start with it"
                );
                let mend = format!("`chmod 0600 {first}`, as the user of the broker");
                findings.failed(CHECK, said, &mend);
            }
        }
    }
    if found.is_empty() {
        findings.passed(
            CHECK,
            "nobody but their owner may read data, keyring and keys",
        );
    }
}
