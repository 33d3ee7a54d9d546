//! `schakel bench trail`: what the trail itself costs, without the wire and the decisions.
//!
//! Everything is compared, in the same run, with what no trail can do without: a flush of the disk, and
//! SHA-256 over the same bytes. Then the trail grows by powers of ten, and what must not grow with it is
//! measured at each.

mod keeper;
mod measure;
mod print;
mod published;
mod report;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use tempfile::TempDir;

use self::{
    keeper::Keeper,
    measure::Yardstick,
    report::{Report, Size},
};
use super::{TrailArgs, stage};
use crate::output;

/// Entries in a batch, as a broker has them under load.
const BATCH: u64 = 256;
/// The size that is measured first.
const FIRST: u64 = 10_000;

/// Runs the benchmark and prints what it found.
pub(super) fn run(args: &TrailArgs) -> Result<ExitCode> {
    let directory = match &args.place.directory {
        Some(directory) => TempDir::new_in(directory)
            .with_context(|| format!("nothing can be made in `{}`", directory.display()))?,
        None => TempDir::new().context("no temporary directory can be made")?,
    };
    let report = measured(directory.path(), args.entries)?;
    if args.place.json {
        output::print(&format!("{}\n", serde_json::to_string_pretty(&report)?));
    } else {
        output::print(&print::trail(&report));
    }
    directory
        .close()
        .context("the directory cannot be removed")?;
    Ok(ExitCode::SUCCESS)
}

fn measured(directory: &std::path::Path, most: u64) -> Result<Report> {
    let data = directory.join("trail");
    let (mut keeper, _) = Keeper::open(&data)?;
    let yardstick = Yardstick::create(&directory.join("yardstick"))?;
    let batches = measure::batches(&mut keeper, &yardstick)?;
    let single = measure::single(&mut keeper, &yardstick)?;
    let mut sizes: Vec<Size> = Vec::new();
    for size in measured_at(most) {
        fill(&mut keeper, size)?;
        let (again, measured) = measure::at_size(keeper, &data)?;
        keeper = again;
        sizes.push(measured);
    }
    let verification = measure::verification(&keeper)?;
    let bytes = measure::bytes(&keeper, &data)?;
    let published = published::published(&keeper, &directory.join("published"))?;
    Ok(Report {
        machine: stage::machine(directory),
        batches,
        single,
        verification,
        published,
        bytes,
        sizes,
    })
}

/// At which sizes it is measured: the first, each ten times as large, and in the end, when everybody has as many
/// entries.
fn measured_at(most: u64) -> Vec<u64> {
    let most = most / FIRST * FIRST;
    let tens = std::iter::successors(Some(FIRST), |size| size.checked_mul(10));
    tens.take_while(|size| *size < most).chain([most]).collect()
}

/// Records entries until there are this many.
fn fill(keeper: &mut Keeper, size: u64) -> Result<()> {
    let bar = ProgressBar::new(size);
    let style = ProgressStyle::with_template("recording {wide_bar} {pos}/{len}, {eta} left")?;
    bar.set_style(style);
    while keeper.size() < size {
        let batch = keeper.compose(BATCH.min(size - keeper.size()))?;
        keeper.record(&batch)?;
        bar.set_position(keeper.size());
    }
    bar.finish_and_clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    use schakel_core::id::EntryIndex;
    use schakel_store::index::Query;

    use super::*;

    #[test]
    fn it_is_measured_at_powers_of_ten_and_in_the_end() {
        for (most, sizes) in [
            (10_000, vec![10_000]),
            (304_999, vec![10_000, 100_000, 300_000]),
            (1_000_000, vec![10_000, 100_000, 1_000_000]),
        ] {
            assert_eq!(measured_at(most), sizes);
        }
    }

    #[test]
    fn what_was_recorded_is_found_before_and_after_it_is_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("trail");
        let (mut keeper, _) = Keeper::open(&data).unwrap();
        fill(&mut keeper, 1_100).unwrap();
        let query = Query {
            subject: Some(keeper::person(7)),
            ..Query::of(keeper::PROVIDER.parse().unwrap())
        };
        let found = |keeper: &Keeper| keeper.index().search(&query).unwrap().entries;
        keeper.settle().unwrap();
        assert_eq!(found(&keeper), [EntryIndex(1_007), EntryIndex(7)]);
        let bytes = measure::bytes(&keeper, &data).unwrap();
        drop(keeper);
        let (keeper, _) = Keeper::open(&data).unwrap();
        assert_eq!(keeper.size(), 1_100);
        assert_eq!(found(&keeper), [EntryIndex(1_007), EntryIndex(7)]);
        assert_eq!(measure::verification(&keeper).unwrap().entries, 1_100);
        let published = published::published(&keeper, &directory.path().join("published"));
        let published = published.unwrap();
        // Bundles and hashes: five of each, and the level above.
        assert_eq!((published.entries, published.files), (1_100, 11));
        assert!(bytes.leaf > 100.0 && bytes.sealed > 256.0 && bytes.frame > 32.0);
    }
}
