//! `schakel bench revocation`: how long after an acknowledged revocation a call still gets through.
//!
//! One partner is disclosed things over connections that stay open and over connections opened for each call, by
//! several callers of each kind, while it is revoked: its certificate blocked, its party suspended, its certificate put
//! on the list of its authority. What counts is the last call that got through, over many trials: when it was begun and
//! when it was answered, from the moment that whoever revoked was told so.

mod callers;
mod print;
mod report;
mod revoking;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use schakel_client::Client;

use self::{
    callers::{Kind, Seen, Trial},
    report::{Report, Way},
    revoking::{Revoked, Revoking},
};
use super::{
    RevocationArgs, asking,
    load::Generator,
    people::{self, Preparing},
    stage::{self, Stage},
    throughput::prepare_persons,
};
use crate::output;

/// The partner that is revoked.
const PARTNER: &str = "wonen-zuid";
/// The administrators.
const ADMINISTRATORS: [&str; 2] = ["beheer-een", "beheer-twee"];

/// Runs the trials and prints what came of them; the exit code is 1 when a call begun after the bound got through.
pub(super) async fn run(args: RevocationArgs) -> Result<ExitCode> {
    let bound = Duration::from_secs(args.reload_every.into());
    let stage = Stage::open_looking(&args.place, Some(bound)).await?;
    let generator = Generator::start()?;
    let mark = prepare(&stage, &generator).await?;
    let mut revoking = Revoking::new(&stage).await?;
    let mut ways = Vec::new();
    for way in Revoked::ALL {
        let mut trials = Vec::new();
        for _ in 0..args.trials {
            let caller = revoking.caller(&stage)?;
            let trial = Trial {
                request: asking::request(&mark),
                caller,
                callers: args.callers.into(),
                bound: way.bound(bound),
            };
            let begun = generator.run(async move { trial.begin().await }).await?;
            let acknowledged = revoking.revoke(way).await?;
            let seen = generator
                .run(async move { begun.end(acknowledged).await })
                .await?;
            trials.push((acknowledged, seen));
            revoking.let_go_on(way).await?;
        }
        ways.push(Way::of(way, way.bound(bound), &trials));
    }
    let report = Report::of(stage.machine(), &args, ways);
    if args.place.json {
        output::print(&format!("{}\n", serde_json::to_string_pretty(&report)?));
    } else {
        output::print(&print::report(&report));
    }
    drop(revoking);
    drop(generator);
    stage.close().await?;
    Ok(if report.pass {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Makes a person known of whom the partner may be told, and gives the mark by which it knows that person.
async fn prepare(stage: &Stage, generator: &Generator) -> Result<String> {
    let callers = [people::PI, people::MUNICIPALITY, PARTNER].map(|party| stage.caller(party, 1));
    let [pi, municipality, partner] = callers;
    let (pi, municipality, partner) = (pi?, municipality?, partner?);
    let now = stage::now();
    generator
        .run(async move {
            let preparing = Preparing {
                pi: Client::connect(pi).await?,
                municipality: Client::connect(municipality).await?,
                partner: Client::connect(partner).await?,
                condition: asking::CONDITION,
                now,
            };
            let marks = prepare_persons(preparing, 1).await?;
            marks.into_iter().next().context("nobody is known")
        })
        .await
}
