//! `schakel bench`: what an audited disclosure costs, measured against what the wire alone costs; and
//! `schakel bench denials`: whether anything about a denial tells why it was one; `schakel bench trail`: what the
//! trail alone costs, and whether that grows with it; `schakel bench revocation`: how long after a revocation a call
//! still gets through.
//!
//! All but the trail's run against a broker in this process, with everything on: mutual TLS, decisions, sealing, the log
//! on disk. There is no other mode to measure.

mod asking;
mod call;
mod cpu;
mod denials;
mod echo;
mod load;
mod people;
mod print;
mod report;
mod revocation;
mod stage;
mod statistics;
mod throughput;
mod trail;

use std::{path::PathBuf, process::ExitCode};

/// What `schakel bench` takes.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    command: Option<BenchCommand>,
    #[command(flatten)]
    throughput: ThroughputArgs,
}

#[derive(Debug, clap::Subcommand)]
enum BenchCommand {
    /// Test whether the time or the bytes of a denial tell its reason; exits 1 when they do, and 4 when there are too
    /// few samples to tell.
    Denials(DenialsArgs),
    /// Measure how long after a revocation a call still gets through; exits 1 when one begun after the bound does.
    Revocation(RevocationArgs),
    /// Measure the trail alone: against a flush of the disk and SHA-256, and as it grows.
    Trail(TrailArgs),
}

/// How disclosures are measured against the echo.
#[derive(Debug, clap::Args)]
struct ThroughputArgs {
    /// How many requests are under way at a time.
    #[arg(long, default_value_t = 256, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    in_flight: u16,
    /// Over how many connections.
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=32))]
    connections: u16,
    /// How long each round is measured, in seconds.
    #[arg(long, default_value_t = 10, value_name = "S", value_parser = clap::value_parser!(u16).range(1..=600))]
    seconds: u16,
    /// How many rounds there are of each kind.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u16).range(3..=99))]
    rounds: u16,
    /// About how many persons is asked.
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    persons: u32,
    /// Take answers as they come, without verifying their receipts.
    #[arg(long)]
    no_verify: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

/// How denials are tested.
#[derive(Debug, clap::Args)]
struct DenialsArgs {
    /// How many denials of each reason are timed.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(20..=100_000))]
    samples: u32,
    /// How many persons there are for each reason.
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    persons: u32,
    /// Over how many connections, one denial at a time over each.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=32))]
    connections: u16,
    /// What the random order of the denials starts from.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Have the broker take this much longer over denials for one reason, to see that the test finds it. What is
    /// within the grid of 10 ms stays hidden: that is what the grid is for.
    #[arg(long, default_value_t = 0, value_name = "MICROSECONDS", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    plant_difference: u32,
    #[command(flatten)]
    place: PlaceArgs,
}

/// How revocation is measured.
#[derive(Debug, clap::Args)]
struct RevocationArgs {
    /// How often each way to revoke is tried.
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    trials: u16,
    /// How many callers there are over open connections, and as many over new ones.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=32))]
    callers: u16,
    /// How often the broker looks at the file of a list, `tls.reload_every`, in seconds.
    #[arg(long, default_value_t = 1, value_name = "S", value_parser = clap::value_parser!(u16).range(1..=60))]
    reload_every: u16,
    #[command(flatten)]
    place: PlaceArgs,
}

/// How the trail is measured.
#[derive(Debug, clap::Args)]
struct TrailArgs {
    /// Up to how many entries it grows: measured at 10,000, at each ten times as many, and in the end. Counted in tens of thousands.
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u64).range(10_000..=10_000_000))]
    entries: u64,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Where it runs, and how its results are shown.
#[derive(Debug, clap::Args)]
struct PlaceArgs {
    /// Where the data are kept meanwhile; removed afterwards. Its disk is part of what is measured.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Print the results as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a benchmark and prints what it found.
///
/// # Errors
/// When the broker does not start, or any call fails: figures with failures in them mean nothing.
pub(crate) async fn run(args: BenchArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Some(BenchCommand::Denials(args)) => denials::run(args).await,
        Some(BenchCommand::Revocation(args)) => revocation::run(args).await,
        Some(BenchCommand::Trail(args)) => {
            tokio::task::spawn_blocking(move || trail::run(&args)).await?
        }
        None => throughput::run(args.throughput).await,
    }
}
