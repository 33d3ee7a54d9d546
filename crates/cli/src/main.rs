//! The `schakel` command.

mod bench;
mod code;
mod command;

mod connection;
mod dev;
mod document;
mod exit;
mod file;
mod instant;
mod output;
mod page;
mod receipt;
mod session;
mod statement;
mod subject;
mod view;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    command::Arguments::parse().run()
}
