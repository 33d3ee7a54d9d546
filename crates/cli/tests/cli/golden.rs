//! Texts to the letter: `tests/golden/*.trycmd`. When one changes on purpose, `TRYCMD=overwrite` writes it.

use trycmd::TestCases;

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
