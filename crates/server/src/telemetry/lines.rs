//! Log lines on their way to standard error, which a thread of their own writes: whoever reads them slowly, or not at
//! all, keeps nobody waiting. What finds no place is lost, counted, and told once lines are read again.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{Registry, fmt::MakeWriter, layer::SubscriberExt as _};

use super::formatted;
use crate::config::LogFormat;

/// How many lines wait before more are lost: some megabytes.
const WAITING: usize = 8_192;

/// How long an end waits for the last lines to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where lines are left.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    to: SyncSender<Line>,
    lost: Arc<AtomicU64>,
}

/// Waits, when it is dropped, until what was left is written, within bounds.
#[derive(Debug)]
pub(super) struct Written(Lines);

#[derive(Debug)]
enum Line {
    Text(Vec<u8>),
    /// Answered once everything before it is written.
    Flush(SyncSender<()>),
}

impl Lines {
    /// Starts the thread that writes what is left here.
    pub(super) fn start<W>(out: W, format: LogFormat) -> io::Result<(Self, Written)>
    where
        W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
    {
        let (to, lines) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        let thread = thread::Builder::new().name("log".to_owned());
        thread.spawn(move || write(&out, format, &lines, &counted))?;
        let lines = Self { to, lost };
        Ok((lines.clone(), Written(lines)))
    }
}

fn write<W>(out: &W, format: LogFormat, lines: &Receiver<Line>, lost: &AtomicU64)
where
    W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    let _direct = tracing::subscriber::set_default(direct(out, format));
    for line in lines {
        match line {
            // When standard error is closed nobody is left to tell.
            Line::Text(text) => drop(out.make_writer().write_all(&text)),
            Line::Flush(done) => drop(done.send(())),
        }
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::warn!(lost, "log lines were lost: standard error was not read");
        }
    }
}

/// Takes what the writing thread itself has to say, straight to where it writes. It says warnings alone, and asks
/// for no more: a subscriber without a level has every library of the process make its spans, at every call.
fn direct<W>(out: &W, format: LogFormat) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    Registry::default()
        .with(formatted(out.clone(), format))
        .with(LevelFilter::WARN)
}

impl Write for Lines {
    /// Leaves a line; the log writes each in one go.
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.to.try_send(Line::Text(text.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let (done, written) = sync_channel(1);
        // While nothing finds a place nothing is read either.
        if self.0.to.try_send(Line::Flush(done)).is_ok() {
            let _ = written.recv_timeout(PATIENCE);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Condvar, Mutex},
        time::Instant,
    };

    use super::*;

    /// Standard error, read only once it is opened.
    #[derive(Clone, Default)]
    struct Gate(Arc<(Mutex<Behind>, Condvar)>);

    #[derive(Default)]
    struct Behind {
        open: bool,
        text: Vec<u8>,
    }

    impl Gate {
        fn open(&self) {
            self.0.0.lock().unwrap().open = true;
            self.0.1.notify_all();
        }

        fn lines(&self) -> Vec<String> {
            let behind = self.0.0.lock().unwrap();
            let text = String::from_utf8(behind.text.clone()).unwrap();
            text.lines().map(ToOwned::to_owned).collect()
        }
    }

    impl Write for Gate {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let behind = self.0.0.lock().unwrap();
            let mut behind = self.0.1.wait_while(behind, |behind| !behind.open).unwrap();
            behind.text.extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Gate {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    fn log(lines: &Lines, count: usize) {
        let subscriber = Registry::default().with(formatted(lines.clone(), LogFormat::Json));
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..count {
                tracing::info!(number, "a line");
            }
        });
    }

    fn lost_in(line: &str) -> Option<u64> {
        let (_, rest) = line.split_once("\"lost\":")?;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        Some(digits.parse().unwrap())
    }

    /// How many lines came, and how many are said to be lost.
    fn told(gate: &Gate) -> (usize, usize) {
        let (lost, came): (Vec<_>, Vec<_>) = gate
            .lines()
            .into_iter()
            .map(|line| lost_in(&line))
            .partition(Option::is_some);
        let lost: u64 = lost.into_iter().flatten().sum();
        (came.len(), usize::try_from(lost).unwrap())
    }

    #[test]
    fn who_logs_does_not_wait_for_who_reads_and_what_is_lost_is_told() {
        let gate = Gate::default();
        let (lines, written) = Lines::start(gate.clone(), LogFormat::Json).unwrap();
        let count = 2 * WAITING;
        // Nobody reads: if a line waited, this would not come back.
        log(&lines, count);
        gate.open();
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let (came, lost) = told(&gate);
            if came + lost == count {
                assert!(came > WAITING, "{came} were kept");
                break;
            }
            assert!(Instant::now() < until, "{came} came, {lost} were lost");
            thread::yield_now();
        }
        log(&lines, 1);
        drop(written);
        let (came, lost) = told(&gate);
        assert_eq!(came + lost, count + 1, "it goes on");
    }

    #[test]
    fn the_thread_that_writes_has_no_library_make_its_spans() {
        let direct = direct(&Gate::default(), LogFormat::Readable);
        assert_eq!(direct.max_level_hint(), Some(LevelFilter::WARN));
    }

    #[test]
    fn an_end_waits_for_the_last_line_and_not_for_a_reader_that_stands_still() {
        let gate = Gate::default();
        let (lines, written) = Lines::start(gate.clone(), LogFormat::Readable).unwrap();
        gate.open();
        log(&lines, 3);
        drop(written);
        assert_eq!(gate.lines().len(), 3);
        let (lines, written) = Lines::start(Gate::default(), LogFormat::Json).unwrap();
        log(&lines, 2 * WAITING);
        drop(written);
    }
}
