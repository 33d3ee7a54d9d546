//! `schakel serve`, `schakel check-config` and `schakel resume`.

use std::{path::PathBuf, sync::Arc};

use schakel_server::{
    clock::{Clock, SystemClock},
    config::Config,
    run::{Broker, RunError},
};
use schakel_store::{
    disk::Disk,
    halt::{self, LiftError},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::opening::progress;
use crate::{
    exit::{Exit, Failure, chain, sentence},
    output,
};

/// What `serve` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// The configuration: see deploy/schakel.toml for a commented example.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// What `check-config` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckConfigArgs {
    /// The configuration.
    file: PathBuf,
}

/// What `resume` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct ResumeArgs {
    /// The configuration of the broker.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// On what ground it may sign again: one line, which becomes an entry of the log.
    #[arg(long, value_name = "TEXT")]
    ground: String,
}

pub(super) fn resume(args: &ResumeArgs) -> Result<Exit, Failure> {
    let config = load(&args.config)?;
    let lifted = halt::lift(&Disk::real(), &config.broker.data_dir, &args.ground);
    let halted = lifted.map_err(|error| match error {
        LiftError::Ground => Failure::usage(sentence(&format!("`--ground`: {error}"))),
        LiftError::NotHalted => failed("Nothing is to be resumed", &error),
        LiftError::Io(_) => failed("Signing cannot be resumed", &error),
    })?;
    output::print(&format!(
        "The broker may sign again; it was stopped at {}: {}.\nIts next start makes that, and your ground, an entry.\n",
        halted.at, halted.why
    ));
    Ok(Exit::Done)
}

pub(super) fn check(args: &CheckConfigArgs) -> Result<Exit, Failure> {
    load(&args.file)?;
    output::print(&format!(
        "`{}` is a sound configuration. Whether the files it names are there and fit, \
         `schakel doctor --config` says.\n",
        args.file.display()
    ));
    Ok(Exit::Done)
}

pub(super) fn serve(args: &ServeArgs) -> Result<Exit, Failure> {
    let config = load(&args.config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| failed("The program cannot be started", &error))?;
    runtime.block_on(run(config))
}

fn load(path: &std::path::Path) -> Result<Config, Failure> {
    Config::load(path).map_err(|error| Failure::configuration(sentence(&chain(&error))))
}

/// Runs the broker until it is told to stop, or cannot go on.
async fn run(config: Config) -> Result<Exit, Failure> {
    let address = config.listen.address;
    let listener = TcpListener::bind(address).await;
    let listener =
        listener.map_err(|error| failed(&format!("Cannot listen on {address}"), &error))?;
    let address = listener.local_addr().unwrap_or(address);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let end = end().map_err(|error| failed("Signals cannot be received", &error))?;
    let running = Broker::start_telling(config, clock, listener, progress()).await;
    let running = running.map_err(|error| not_started(&error))?;
    output::complain(&format!(
        "Serving on {address}. The log is verified with {}",
        running.verifier_key()
    ));
    if let Some(address) = running.enrolment_address() {
        output::complain(&format!("Certificates are asked for on {address}."));
    }
    let ended = running.run_until(end).await;
    ended.map_err(|error| failed("The broker ended of its own", &error))?;
    Ok(Exit::Done)
}

/// Waits for SIGTERM or Ctrl-C.
pub(crate) fn end() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// A fault that starting again does not mend says so, so that whatever watches the broker lets it be.
fn not_started(error: &RunError) -> Failure {
    let mut failure = failed("The broker does not start", error);
    if error.is_of_configuration() {
        failure.exit = Exit::Configuration;
    }
    failure
}

fn failed(what: &str, error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("{what}: {}.", chain(error).trim_end_matches('.')),
    )
}
