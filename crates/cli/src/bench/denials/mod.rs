//! `schakel bench denials`: whether anything about a denial tells why it was one (invariant 5).
//!
//! One partner asks about persons to whom each of the six reasons applies, in random order, and looks at
//! everything an outsider can see: how long the answer took, its size, every byte of it.

mod class;
mod print;
mod probe;
mod verdict;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use prost::bytes::Bytes;
use schakel_client::Client;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use self::{
    class::{Class, Questions},
    probe::Answered,
    verdict::{Conclusion, Samples, judge},
};
use super::{
    DenialsArgs,
    load::Generator,
    people::{self, Preparing},
    report::micros,
    stage::{self, Stage},
    statistics::Repeatable,
};
use crate::output;

/// The class for which the broker is made slower on purpose.
const PLANTED: Class = Class::Withdrawn;
/// How many denials are not looked at first, for each that is made over every connection.
const WARM_UP: usize = 50;

/// How it ends when there were too few samples to tell.
const TOO_FEW: u8 = 4;

/// Runs the test and prints what came of it; the exit code is 1 when reasons can be told apart.
pub(super) async fn run(args: DenialsArgs) -> Result<ExitCode> {
    let stage = Stage::open(&args.place).await?;
    let generator = Generator::start()?;
    let (questions, channels) = prepare(&stage, &generator, &args).await?;
    let before = stage.entries();
    let first = firsts(&questions);
    let check = channels.clone();
    generator
        .run(async move { ask_in_order(&check, &first).await })
        .await?;
    stage.check_denials(before, &Class::ALL.map(Class::reason))?;

    let slower_by = Duration::from_micros(args.plant_difference.into());
    if !slower_by.is_zero() {
        plant(&stage, slower_by);
    }
    let campaign = Campaign::plan(questions, channels, &args);
    let samples = generator.run(campaign.run()).await?;
    let verdict = judge(&samples);
    let planted = (args.plant_difference > 0).then_some((PLANTED, args.plant_difference));
    if args.place.json {
        output::print(&format!("{}\n", serde_json::to_string_pretty(&verdict)?));
    } else {
        output::print(&print::verdict(&verdict, planted));
    }
    drop(generator);
    stage.close().await?;
    Ok(match verdict.conclusion {
        Conclusion::Passed => ExitCode::SUCCESS,
        Conclusion::Failed => ExitCode::FAILURE,
        Conclusion::TooFewSamples => TOO_FEW.into(),
    })
}

/// Has the broker take so much longer over each denial of one class, on its way from the disk to the answer.
fn plant(stage: &Stage, slower_by: Duration) {
    stage.watch_denials(move |reason| {
        if reason == PLANTED.reason() {
            // Sleeping is too coarse for it.
            let begun = Instant::now();
            while begun.elapsed() < slower_by {
                std::hint::spin_loop();
            }
        }
    });
}

async fn prepare(
    stage: &Stage,
    generator: &Generator,
    args: &DenialsArgs,
) -> Result<(Questions, Vec<Channel>)> {
    let pi = stage.caller(people::PI, 1)?;
    let municipality = stage.caller(people::MUNICIPALITY, 1)?;
    let partner = stage.caller(class::PARTNER, usize::from(args.connections))?;
    let (now, persons) = (stage::now(), args.persons);
    let prepare = async move {
        let preparing = Preparing {
            pi: Client::connect(pi).await?,
            municipality: Client::connect(municipality).await?,
            partner: Client::connect(partner.clone()).await?,
            condition: class::CONDITION,
            now,
        };
        let questions = class::prepare(&preparing, persons).await?;
        Ok((questions, schakel_client::channels(&partner).await?))
    };
    generator.run(prepare).await
}

/// The first question of each class.
fn firsts(questions: &Questions) -> Vec<Bytes> {
    questions
        .iter()
        .filter_map(|(_, questions)| questions.first().cloned())
        .collect()
}

/// Asks one after the other.
async fn ask_in_order(channels: &[Channel], questions: &[Bytes]) -> Result<()> {
    let channel = channels.first().context("there is no connection")?;
    for question in questions {
        probe::ask(channel, question).await?;
    }
    Ok(())
}

/// What is asked in which order.
struct Campaign {
    questions: Questions,
    channels: Vec<Channel>,
    /// Which class and which person, in random order.
    order: Vec<(usize, usize)>,
    warm_up: usize,
    next: AtomicUsize,
}

impl Campaign {
    fn plan(questions: Questions, channels: Vec<Channel>, args: &DenialsArgs) -> Self {
        let mut numbers = Repeatable::new(args.seed);
        let warm_up = WARM_UP * channels.len();
        let samples = usize::try_from(args.samples).unwrap_or(usize::MAX);
        let persons: Vec<_> = questions.iter().map(|(_, persons)| persons.len()).collect();
        let mut pick = |class: usize| {
            (
                class,
                numbers.below(persons.get(class).copied().unwrap_or(1)),
            )
        };
        let mut warm: Vec<_> = (0..warm_up)
            .map(|turn| pick(turn % Class::ALL.len()))
            .collect();
        let mut order: Vec<_> = (0..samples)
            .flat_map(|_| 0..Class::ALL.len())
            .map(&mut pick)
            .collect();
        numbers.shuffle(&mut order);
        warm.append(&mut order);
        Self {
            questions,
            channels,
            order: warm,
            warm_up,
            next: AtomicUsize::new(0),
        }
    }

    async fn run(self) -> Result<Vec<Samples>> {
        let campaign = Arc::new(self);
        let mut workers = JoinSet::new();
        for channel in campaign.channels.clone() {
            workers.spawn(Arc::clone(&campaign).ask_all(channel));
        }
        let mut all = Vec::new();
        while let Some(worked) = workers.join_next().await {
            all.extend(worked.context("a connection ended before its time")??);
        }
        ensure!(all.len() == campaign.order.len(), "questions were left out");
        all.sort_unstable_by_key(|(turn, ..)| *turn);
        let samples = |class| {
            let of_class = |(turn, of, _): &&(usize, Class, Answered)| {
                *turn >= campaign.warm_up && *of == class
            };
            let answered = all.iter().filter(of_class).map(|(.., answered)| answered);
            Samples {
                class,
                latencies_us: answered
                    .clone()
                    .map(|answered| micros(answered.took))
                    .collect(),
                bytes: answered
                    .clone()
                    .map(|answered| super::statistics::real(answered.face.len()))
                    .collect(),
                faces: answered.map(|answered| answered.face.clone()).collect(),
            }
        };
        Ok(Class::ALL.into_iter().map(samples).collect())
    }

    /// Asks over one connection, one question at a time, whichever is next of all.
    async fn ask_all(self: Arc<Self>, channel: Channel) -> Result<Vec<(usize, Class, Answered)>> {
        let mut answers = Vec::new();
        loop {
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            let Some((class, person)) = self.order.get(turn) else {
                return Ok(answers);
            };
            let (class, questions) = self
                .questions
                .get(*class)
                .context("there are six classes")?;
            let question = questions.get(*person).context("every class has persons")?;
            answers.push((turn, *class, probe::ask(&channel, question).await?));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::bench::PlaceArgs;

    #[test]
    fn every_class_is_asked_as_often_in_random_order() {
        let questions = Class::ALL
            .map(|class| (class, vec![Bytes::new(); 7]))
            .to_vec();
        let args = DenialsArgs {
            samples: 500,
            persons: 7,
            connections: 1,
            seed: 3,
            plant_difference: 0,
            place: PlaceArgs {
                directory: None,
                json: false,
            },
        };
        let campaign = Campaign::plan(questions, Vec::new(), &args);
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        for place in &campaign.order {
            *counts.entry(place.0).or_default() += 1;
            assert!(place.1 < 7);
        }
        assert_eq!(counts.into_values().collect::<Vec<_>>(), [500; 6]);
        assert!(!campaign.order.is_sorted());
    }
}
