//! `schakel reconcile`.

use schakel_core::time::Timestamp;

use crate::{
    exit::{Exit, Failure},
    instant,
    session::{self, Session, SessionArgs},
    view,
};

/// What `reconcile` does.
#[derive(Debug, clap::Args)]
pub(crate) struct ReconcileArgs {
    /// The first instant of the period, or the start of a day (UTC).
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse_past)]
    from: Timestamp,
    /// The first instant after the period, or the start of the day after it.
    #[arg(long, alias = "to", value_name = "INSTANT", value_parser = instant::parse_past)]
    until: Timestamp,
    /// Add to the register what is lacking here.
    #[arg(long)]
    complete: bool,
    #[command(flatten)]
    session: SessionArgs,
}

pub(super) fn run(args: ReconcileArgs) -> Result<Exit, Failure> {
    let period = args.from.as_millis()..args.until.as_millis();
    if period.is_empty() {
        return Err(Failure::usage("`--to` must be after `--from`."));
    }
    let complete = args.complete;
    let register = args.session.register().filter(|_| !complete);
    if let Some(missing) = register.filter(|path| !path.exists()) {
        return Err(Failure::usage(format!(
            "`{}` is not there: name the register that commands keep receipts in. With --complete it is begun.",
            missing.display()
        )));
    }
    session::run(args.session, async |session| {
        reconcile(session, period, complete).await
    })
}

async fn reconcile(
    session: &Session,
    period: std::ops::Range<u64>,
    complete: bool,
) -> Result<Exit, Failure> {
    let Some(register) = session.config().register.clone() else {
        return Err(Failure::usage(
            "Say which receipts are held: --receipts FILE, the register that commands keep them in.",
        ));
    };
    let actor = session.actor().unwrap_or_default();
    let found = session.client.reconcile(&register, actor, period);
    let found = session.ask(found).await?;
    let lacking = !found.lacking_here.is_empty();
    if complete && lacking {
        register
            .keep(&found.lacking_here)
            .map_err(schakel_client::ClientError::from)?;
    }
    let evidence = found.is_evidence();
    session.show(&view::Reconciled::from(found));
    Ok(match (evidence, lacking && !complete) {
        (true, _) => Exit::Unproved,
        (false, true) => Exit::Failed,
        (false, false) => Exit::Done,
    })
}
