//! The broker's side: its configuration, its certificate, its anchors and their revocation lists.

use std::{path::Path, sync::Arc};

use schakel_server::{
    clock::{Clock, SystemClock},
    config::Config,
    edge::tls::{COPIES, Tls},
};

use schakel_store::{disk::Disk, halt};

use super::Findings;
use crate::exit::{chain, sentence};

/// Looks at everything a handshake with this broker goes by. Changes nothing, fetches nothing: of lists that are
/// fetched, the copies are looked at that the broker keeps.
pub(super) fn examine(file: &Path, findings: &mut Findings) {
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(error) => {
            let mend = format!(
                "edit the file; then `schakel check-config {}`",
                file.display()
            );
            findings.failed("configuration", sentence(&chain(&error)), &mend);
            return;
        }
    };
    findings.passed("configuration", format!("`{}` is sound", file.display()));
    signing(&config.broker.data_dir, findings);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let copies = config.broker.data_dir.join(COPIES);
    let environment = config.broker.environment;
    let tls = match Tls::load(&config.tls, environment, Some(&copies), Arc::clone(&clock)) {
        Ok(tls) => tls,
        Err(error) => {
            let said = sentence(&chain(&error));
            findings.failed(
                "certificates",
                said,
                "`schakel pki list`, and what the sentence says",
            );
            return;
        }
    };
    let now = clock.now();
    let warn_before = u64::try_from(config.tls.warn_before.as_millis()).unwrap_or(u64::MAX);
    for (what, ends_at) in tls.ends() {
        if ends_at <= now {
            let said = format!("{what} ended at {ends_at}");
            findings.failed(
                "certificates",
                said,
                "`schakel pki renew`, or order it from its authority",
            );
        } else if ends_at <= now.plus_millis(warn_before) {
            let said = format!("{what} ends at {ends_at}");
            findings.warned(
                "certificates",
                said,
                "`schakel pki renew`, or order it from its authority",
            );
        } else {
            findings.passed("certificates", format!("{what} holds until {ends_at}"));
        }
    }
    let broken = tls.reload().broken;
    for error in &broken {
        let mend = "`schakel pki crl` for an authority of your own; else fetch the list from its authority";
        findings.failed("revocation", sentence(&chain(error)), mend);
    }
    if broken.is_empty() {
        findings.passed("revocation", "every revocation list is current");
    }
}

/// Whether signing was stopped, which outlives a restart.
fn signing(data: &Path, findings: &mut Findings) {
    match halt::halted(&Disk::real(), data) {
        Ok(None) => {}
        Ok(Some(halted)) => findings.failed(
            "signing",
            format!("signing was stopped at {}: {}", halted.at, halted.why),
            "compare the log with what was seen of it; then `schakel resume`",
        ),
        Err(error) => findings.failed(
            "signing",
            sentence(&chain(&error)),
            "let whoever runs the broker read its data directory",
        ),
    }
}
