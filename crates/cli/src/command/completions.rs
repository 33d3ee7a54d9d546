//! `schakel completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Arguments;
use crate::{exit::Exit, output};

/// For which shell.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut Arguments::command(),
        "schakel",
        &mut script,
    );
    output::print(&String::from_utf8_lossy(&script));
    Exit::Done
}
