//! Disclosures against the echo: rounds of each in turn, then one call at a time.

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use schakel_client::Client;
use tonic::transport::Channel;

use super::{
    ThroughputArgs,
    asking::{self, Asking},
    call::Call,
    cpu::{Cpu, Used},
    echo::Echoing,
    load::{Generator, Load},
    people::{self, Consenting, Preparing},
    print,
    report::{self, IndexLag, Kind, Log, Percentiles, Report, Round, Unloaded},
    stage::{self, Stage, Watch},
};
use crate::output;

/// The partner that asks.
const PARTNER: &str = "wonen-zuid";
/// How often the lag of the indexes is read.
const READING: Duration = Duration::from_millis(50);
/// The most that is not measured at the beginning of a round.
const WARM_UP: Duration = Duration::from_secs(1);
/// How many of each kind are made one at a time, after as many tenths to warm up.
const ONE_AT_A_TIME: usize = 2000;

/// Runs the benchmark and prints what it found.
pub(super) async fn run(args: ThroughputArgs) -> Result<ExitCode> {
    let stage = Stage::open(&args.place).await?;
    let generator = Generator::start()?;
    let bench = Bench::prepare(&stage, &generator, args).await?;
    let report = bench.measure().await?;
    if bench.args.place.json {
        output::print(&format!("{}\n", serde_json::to_string_pretty(&report)?));
    } else {
        output::print(&print::throughput(&report));
    }
    drop(bench);
    drop(generator);
    stage.close().await?;
    Ok(ExitCode::SUCCESS)
}

struct Bench<'a> {
    stage: &'a Stage,
    generator: &'a Generator,
    args: ThroughputArgs,
    marks: Vec<String>,
    client: Client,
    to_broker: Vec<Channel>,
    to_echo: Vec<Channel>,
}

impl<'a> Bench<'a> {
    async fn prepare(
        stage: &'a Stage,
        generator: &'a Generator,
        args: ThroughputArgs,
    ) -> Result<Self> {
        let connections = usize::from(args.connections);
        let broker = stage.caller(PARTNER, connections)?;
        let echo = stage.echo().await?;
        let echo = stage.caller_at(PARTNER, connections, echo)?;
        let pi = stage.caller(people::PI, 1)?;
        let municipality = stage.caller(people::MUNICIPALITY, 1)?;
        let (persons, now) = (args.persons, stage::now());
        let prepare = async move {
            let client = Client::connect(broker.clone()).await?;
            let preparing = Preparing {
                pi: Client::connect(pi).await?,
                municipality: Client::connect(municipality).await?,
                partner: client.clone(),
                condition: asking::CONDITION,
                now,
            };
            let marks = prepare_persons(preparing, persons).await?;
            let to_broker = schakel_client::channels(&broker).await?;
            let to_echo = schakel_client::channels(&echo).await?;
            Ok((marks, client, to_broker, to_echo))
        };
        let (marks, client, to_broker, to_echo) = generator.run(prepare).await?;
        Ok(Self {
            stage,
            generator,
            args,
            marks,
            client,
            to_broker,
            to_echo,
        })
    }

    async fn measure(&self) -> Result<Report> {
        let asking = if self.args.no_verify {
            Asking::believing(&self.to_broker, &self.marks)
        } else {
            Asking::verifying(self.client.clone(), &self.marks)
        };
        let (mut echoes, mut disclosures) = (Vec::new(), Vec::new());
        let mut sizes = (0, 0);
        for _ in 0..self.args.rounds {
            // Receipts grow with the log: the echo has the size that they have by now.
            sizes = self.sizes(&asking).await?;
            let echoing = Echoing::of_sizes(&self.to_echo, sizes.0, sizes.1)?;
            echoes.push(self.round(&echoing).await?);
            disclosures.push(self.round(&asking).await?);
        }
        let machine = self.stage.machine();
        let (echo, _) = Kind::of(&echoes, machine.processors).context("no echo was measured")?;
        let (disclosure, median) =
            Kind::of(&disclosures, machine.processors).context("no disclosure was measured")?;
        let lag: Vec<_> = disclosures.iter().map(|round| &round.lag[..]).collect();
        Ok(Report {
            machine,
            load: self.load(sizes),
            ratio: disclosure.per_second / echo.per_second,
            echo,
            disclosure,
            log: Log::of(&median.flushes).context("the log was not flushed")?,
            index_lag: IndexLag::of(&lag, self.args.in_flight)
                .context("the lag of the indexes was not read")?,
            unloaded: self.unloaded().await?,
        })
    }

    async fn sizes(&self, asking: &Asking) -> Result<(usize, usize)> {
        let asking = asking.clone();
        self.generator
            .run(async move { asking.sizes().await })
            .await
    }

    /// One round of one kind.
    async fn round<C: Call>(&self, call: &C) -> Result<Round> {
        let measured = Duration::from_secs(self.args.seconds.into());
        let load = Load {
            in_flight: self.args.in_flight.into(),
            warm_up: WARM_UP.min(measured / 4),
            measured,
        };
        let watching = tokio::spawn(watch(self.stage.watch(), load));
        let measured = self.generator.drive(call, load).await?;
        let (processor, lag) = watching.await.context("the broker was not watched")?;
        let flushes = self.stage.watch().flushes(measured.window);
        Ok(Round {
            measured,
            processor,
            flushes,
            lag,
        })
    }

    /// One call at a time over one connection, the kinds in turn.
    async fn unloaded(&self) -> Result<Unloaded> {
        let mut broker = self.stage.caller(PARTNER, 1)?;
        broker.trail = Arc::clone(self.client.trail());
        let (channels, marks) = (self.to_broker.clone(), self.marks.clone());
        let sizes = self.sizes(&Asking::believing(&channels, &marks)).await?;
        let echoing = Echoing::of_sizes(&self.to_echo, sizes.0, sizes.1)?;
        let begun = Instant::now();
        let [echo, disclosure, verified] = self
            .generator
            .run(async move {
                let client = Client::connect(broker).await?;
                let believing = Asking::believing(&channels, &marks);
                let verifying = Asking::verifying(client, &marks);
                let mut took = [Vec::new(), Vec::new(), Vec::new()];
                for turn in 0..ONE_AT_A_TIME + ONE_AT_A_TIME / 10 {
                    let [echo, disclosure, verified] = &mut took;
                    echo.push(timed(&echoing, turn).await?);
                    disclosure.push(timed(&believing, turn).await?);
                    verified.push(timed(&verifying, turn).await?);
                }
                Ok(took)
            })
            .await?;
        let flushes = self.stage.watch().flushes((begun, Instant::now()));
        let flush = Log::of(&flushes).context("the log was not flushed")?.flush;
        Ok(Unloaded {
            echo_us: settled(echo)?,
            disclosure_us: settled(disclosure)?,
            verified_us: settled(verified)?,
            flush_us: flush.p50_us,
        })
    }

    fn load(&self, (request_bytes, answer_bytes): (usize, usize)) -> report::Load {
        report::Load {
            in_flight: self.args.in_flight,
            connections: self.args.connections,
            seconds: self.args.seconds,
            rounds: self.args.rounds,
            persons: self.args.persons,
            receipts_verified: !self.args.no_verify,
            request_bytes,
            answer_bytes,
        }
    }
}

/// Makes persons known whom the partner may be told about; gives the marks by which it knows them.
pub(super) async fn prepare_persons(preparing: Preparing, persons: u32) -> Result<Vec<String>> {
    let consenting = Consenting {
        condition: asking::CONDITION,
        purpose: asking::PURPOSE,
        given_days_ago: 0,
        holds_days: 90,
    };
    let mark = |number: &str| format!("huurder-{number}");
    let numbers: Vec<_> = people::numbers().take(usize::try_from(persons)?).collect();
    let marks = numbers.iter().map(|number| mark(number)).collect();
    people::each(numbers, |number| {
        let preparing = preparing.clone();
        async move {
            let case = preparing.open(&number).await?;
            preparing.introduce(case, &mark(&number)).await?;
            preparing.consent(&number, consenting).await
        }
    })
    .await?;
    Ok(marks)
}

/// Reads processor time and lag while a load is measured.
async fn watch(watch: Watch, load: Load) -> (Used, Vec<u64>) {
    tokio::time::sleep(load.warm_up).await;
    let (begun, before) = (Instant::now(), Cpu::now());
    let mut lag = Vec::new();
    while begun.elapsed() < load.measured {
        tokio::time::sleep(READING).await;
        lag.push(watch.index_lag());
    }
    (Cpu::now().since(&before), lag)
}

async fn timed<C: Call>(call: &C, turn: usize) -> Result<Duration> {
    let begun = Instant::now();
    call.call(0, turn).await?;
    Ok(begun.elapsed())
}

/// The median once everything is warm, in microseconds.
fn settled(mut took: Vec<Duration>) -> Result<f64> {
    let mut settled = took.split_off(took.len().min(ONE_AT_A_TIME / 10));
    settled.sort_unstable();
    Ok(Percentiles::of(&settled)
        .context("nothing was measured")?
        .p50_us)
}
