//! The `schakel` command.
fn main() {}
