//! What is shown while a broker opens its store: nothing when that is quick, a bar when it is long.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Opening that takes no longer needs no bar.
const QUICK: Duration = Duration::from_secs(1);

/// Shows how far opening is, on standard error when that is a terminal.
pub(crate) fn progress() -> impl FnMut(&'static str, u64, u64) + Send + 'static {
    let mut shown: Option<(&'static str, ProgressBar)> = None;
    let started = Instant::now();
    move |what, done, of| {
        if started.elapsed() < QUICK {
            return;
        }
        if shown.as_ref().is_none_or(|(shown, _)| *shown != what) {
            shown = Some((what, bar(what, of)));
        }
        if let Some((_, bar)) = &shown {
            bar.set_position(done);
            if done >= of {
                bar.finish_and_clear();
            }
        }
    }
}

fn bar(what: &'static str, of: u64) -> ProgressBar {
    let bar = ProgressBar::new(of).with_message(what);
    let style = ProgressStyle::with_template("rebuilding {msg} {wide_bar} {pos}/{len}, {eta} left");
    // A template that does not parse leaves the ordinary bar.
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
