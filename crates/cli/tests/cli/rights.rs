//! What a party may ask, and what was asked, by hand.

use super::journey::Broker;

#[test]
fn a_party_sees_what_it_may_ask_and_another_sees_a_denial() {
    let broker = Broker::start();
    let case = broker.open_case();
    let rights = ["case", "rights", "--case", &case];
    let said = broker.says("gemeente-oost", &rights);
    assert!(said.starts_with("You may ask now:\n"), "{said}");
    assert!(said.contains("for P-PLAN, version 1"), "{said}");
    assert!(
        said.contains("housing         status with dates\n"),
        "{said}"
    );
    assert!(
        said.lines().all(|line| line.chars().count() <= 80),
        "{said}"
    );
    let shown = broker.json("gemeente-oost", &rights);
    let right = &shown["rights"]["rights"][0];
    assert_eq!(right["condition"], "HOUSING", "{shown}");
    assert_eq!(right["counterpart_party_id"], "pi-noord", "{shown}");
    let stranger = ["case", "rights", "--client-ref", "huurder-1"];
    let denied = broker.run("wonen-zuid", &stranger);
    assert_eq!(denied.status.code(), Some(3), "{denied:?}");
}
