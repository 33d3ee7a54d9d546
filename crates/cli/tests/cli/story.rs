//! `schakel dev --once`: the whole story, as somebody plays it who just got the command.

use std::process::Command;

/// Every claim it prints was checked by it just before: it ends with success only if all hold.
#[test]
fn the_story_is_played_to_its_end() {
    let output = Command::new(env!("CARGO_BIN_EXE_schakel"))
        .args(["dev", "--once"])
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}{said}");
    let steps = [
        "The prison opens a case",
        "The municipality asks for its plan and gets both",
        "The association asks about housing: not_disclosed.",
        "The association asks again and gets a signal",
        "The person withdraws",
        "The association's next question is answered as its first was",
        "A notice tells it to stop using what it got; it acknowledges.",
        "The municipality's privacy officer asks who got what",
    ];
    let places: Vec<_> = steps.map(|step| told.find(step)).into();
    assert!(places.iter().all(Option::is_some), "{places:?} {told}");
    assert!(places.is_sorted(), "{told}");
}
