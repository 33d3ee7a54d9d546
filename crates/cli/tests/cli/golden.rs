//! Texts to the letter: `tests/golden/*.trycmd`. When one changes on purpose, `TRYCMD=overwrite` writes it.

use trycmd::TestCases;

/// Completions are made of every command and option there is; two options of one name would not do.
#[test]
fn every_command_can_be_completed() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_schakel"));
    let output = command.args(["completions", "bash"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("enrolment"));
}

#[test]
fn texts_and_exit_codes_are_as_written_down() {
    let cases = TestCases::new();
    // Nothing of whoever runs the tests may show in them.
    for name in [
        "AS",
        "SERVER",
        "CERTIFICATES",
        "VERIFIER_KEY",
        "PROFILE",
        "ACTOR",
    ] {
        cases.env(format!("SCHAKEL_{name}"), "");
    }
    cases
        .env("HOME", "/nonexistent")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .case("tests/golden/*.trycmd");
}
