//! The last step of the story: somebody who has nothing but the published files, the log's public key and a
//! checkpoint verifies the trail, with the code of `schakel verify log`.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use schakel_api::v1;
use schakel_audit::{checkpoint::Checkpoint, note::VerifyingKey};
use schakel_client::Client;
use tokio::time::{sleep, timeout};

use super::{broker::DevelopmentBroker, say::Teller};
use crate::command::verify_log;

/// For how long publication is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Verifies the published log against the newest checkpoint that the auditor was handed.
pub(super) async fn verify(
    auditor: &Client,
    broker: &DevelopmentBroker,
    tell: &Teller,
) -> Result<()> {
    let handed = auditor
        .get_checkpoint(v1::GetCheckpointRequest {})
        .await?
        .checkpoint;
    let held = broker.certificates.join("held.checkpoint");
    fs::write(&held, &handed).with_context(|| format!("cannot write `{}`", held.display()))?;
    let key: VerifyingKey = broker.verifier_key.parse()?;
    let size = Checkpoint::open(str::from_utf8(&handed)?, &key)?.size;
    published(broker, size).await?;
    let (verified, lines) = verify_log(&broker.published, &broker.verifier_key, &held);
    ensure!(
        verified,
        "the published log does not verify:\n{}",
        lines.concat()
    );
    let said = |code: &str| lines.iter().find_map(|line| line.strip_prefix(code));
    let (Some(entries), Some(_), Some(_)) = (
        said("OK   entries count=").and_then(|rest| rest.split(' ').next()),
        said("OK   root"),
        said("OK   consistency"),
    ) else {
        bail!("the published log was not verified as a whole");
    };
    tell.step(
        "An outsider verifies the published log with its public key and `schakel verify log`:",
    );
    tell.detail(&format!(
        "{entries} entries, every hash and the root; it extends the head that the auditor was handed."
    ));
    Ok(())
}

/// Waits until so many entries are published.
async fn published(broker: &DevelopmentBroker, size: u64) -> Result<()> {
    let trail = broker.running().trail();
    let wait = async {
        while trail.published_size() < size {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wait)
        .await
        .context("the log is not published; the broker's log says why")
}
