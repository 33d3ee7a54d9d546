//! How the story is told: one or two lines a step.

use crate::{output, page::Page};

/// Tells, or keeps quiet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Teller {
    quiet: bool,
}

impl Teller {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// A new paragraph.
    pub(super) fn heading(self, text: &str) {
        self.line(&format!("\n{text}\n"));
    }

    /// One step of the story.
    pub(super) fn step(self, text: &str) {
        self.line(&format!("  {text}"));
    }

    /// What belongs to the step before, in lines of 80 columns.
    pub(super) fn detail(self, text: &str) {
        let mut page = Page::default();
        page.indented(|page| page.indented(|page| page.indented(|page| page.line(text))));
        self.line(page.as_str().trim_end());
    }

    /// A line of what belongs to the step before, with its columns as they are.
    pub(super) fn row(self, text: &str) {
        self.line(&format!("      {text}"));
    }

    /// A line as it is.
    pub(super) fn line(self, text: &str) {
        if !self.quiet {
            output::print(&format!("{text}\n"));
        }
    }
}
