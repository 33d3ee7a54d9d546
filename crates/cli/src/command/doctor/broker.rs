//! The broker's side: its configuration, its certificate, its anchors and their revocation lists.

use std::{path::Path, sync::Arc};

use schakel_server::{
    clock::{Clock, SystemClock},
    config::Config,
    edge::tls::{COPIES, Tls, TlsError},
    run::{Inspected, Need, Outcome, inspect},
};

use schakel_store::{disk::Disk, halt};

use super::Findings;
use crate::exit::chain;

/// Looks at everything that a start of this broker and a handshake with it go by. Changes nothing, fetches nothing: of lists that are
/// fetched, the copies are looked at that the broker keeps.
pub(super) fn examine(file: &Path, findings: &mut Findings) {
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(error) => {
            let mend = format!(
                "edit the file; then `schakel check-config {}`",
                file.display()
            );
            findings.failed("configuration", chain(&error), &mend);
            return;
        }
    };
    findings.passed("configuration", format!("`{}` is sound", file.display()));
    signing(&config.broker.data_dir, findings);
    super::exposed::examine(&config, findings);
    start(&config, findings);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let copies = config.broker.data_dir.join(COPIES);
    let environment = config.broker.environment;
    let tls = match Tls::load(&config.tls, environment, Some(&copies), Arc::clone(&clock)) {
        Ok(tls) => tls,
        Err(error) => {
            findings.failed("certificates", chain(&error), mend_of(&error));
            return;
        }
    };
    let now = clock.now();
    let warn_before = u64::try_from(config.tls.warn_before.as_millis()).unwrap_or(u64::MAX);
    for (what, ends_at) in tls.ends() {
        if ends_at <= now {
            let said = format!("{what} ended at {}", ends_at.spoken());
            findings.failed(
                "certificates",
                said,
                "`schakel pki renew`, or order it from its authority",
            );
        } else if ends_at <= now.plus_millis(warn_before) {
            let said = format!("{what} ends at {}", ends_at.spoken());
            findings.warned(
                "certificates",
                said,
                "`schakel pki renew`, or order it from its authority",
            );
        } else {
            let said = format!("{what} holds until {}", ends_at.spoken());
            findings.passed("certificates", said);
        }
    }
    let broken = tls.reload().broken;
    for error in &broken {
        findings.failed("revocation", chain(error), mend_of(error));
    }
    if broken.is_empty() {
        findings.passed("revocation", "every revocation list is current");
    }
}

/// Whether the files, directories and addresses of a start are there and fit.
fn start(config: &Config, findings: &mut Findings) {
    for Inspected { what, outcome } in inspect(config) {
        match outcome {
            Outcome::Sound(said) => findings.passed(what.as_str(), said),
            Outcome::Doubtful(said) => findings.warned(
                what.as_str(),
                said,
                "nothing, where the broker runs; else free the address or name another",
            ),
            Outcome::Refused(said) => findings.failed(what.as_str(), said, mend_of_start(what)),
        }
    }
}

/// What mends what a start would refuse.
fn mend_of_start(what: Need) -> &'static str {
    match what {
        Need::Bootstrap => {
            "name the files of the first parties and purposes in section `[bootstrap]`"
        }
        Need::Keyring => {
            "put back the key that belongs to this keyring; a new broker takes any 32 random bytes, with `chmod 600`"
        }
        Need::CheckpointKey => {
            "`schakel key create` makes one for a new log; else put back the log's own, with `chmod 600`"
        }
        Need::Directory => "give the directory to the user of the broker",
        Need::Address => {
            "name an address of this machine that the user of the broker may listen on"
        }
        Need::Issuing => {
            "name the authority and the file of its passphrase in section `[enrolment.issuing]`"
        }
        Need::Witnesses | Need::Readers => "name the right file in section `[publication]`",
    }
}

/// What mends it, beside what the error itself says.
const fn mend_of(error: &TlsError) -> &'static str {
    match error {
        TlsError::Fetch { .. } | TlsError::NeverFetched { .. } => {
            "see that this machine reaches that address by HTTP, and that the list itself is there"
        }
        TlsError::Older { .. }
        | TlsError::OtherAuthority { .. }
        | TlsError::Outdated { .. }
        | TlsError::Revocation { .. } => {
            "`schakel pki crl` for an authority of your own; else fetch the newest list from its authority"
        }
        TlsError::NotValid { .. } => {
            "`schakel pki renew`, or order the next one from its authority"
        }
        TlsError::DevelopmentAuthority { .. } | TlsError::DevelopmentCertificate { .. } => {
            "`schakel pki init` begins an authority for other than development"
        }
        TlsError::Exposed { .. } => "`chmod 0600`, as the user of the broker",
        TlsError::Pair(_) => "`schakel pki request` makes a key and the request that belongs to it",
        TlsError::Copy { .. }
        | TlsError::Empty { .. }
        | TlsError::Newest { .. }
        | TlsError::Task
        | TlsError::Unlisted { .. }
        | TlsError::Unreadable { .. }
        | TlsError::Unusable(_) => {
            "name the right file in section `[tls]`, readable to the user of the broker"
        }
    }
}

/// Whether signing was stopped, which outlives a restart.
fn signing(data: &Path, findings: &mut Findings) {
    match halt::halted(&Disk::real(), data) {
        Ok(None) => {}
        Ok(Some(halted)) => findings.failed(
            "signing",
            format!(
                "signing was stopped at {}: {}",
                halted.at.spoken(),
                halted.why
            ),
            "compare the log with what was seen of it; then `schakel resume`",
        ),
        Err(error) => findings.failed(
            "signing",
            format!("`broker.data_dir`: `{}`: {}", data.display(), chain(&error)),
            "look as the user of the broker, and let that user read its data directory",
        ),
    }
}
