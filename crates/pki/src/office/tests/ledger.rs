//! The ledger, whatever stops the office.

use super::*;

#[test]
fn a_certificate_is_in_the_ledger_before_it_is_anywhere_else() {
    let mut pki = Pki::new();
    let mut office = pki.issuing();
    let issued = issue(&mut office, &order(Profile::Party), &mut pki.random);
    drop(office);
    // What a crash right after the ledger's line leaves: no copy of the certificate.
    let name = format!("certificates/{}.cert.pem", issued.serial);
    let copy = pki.places().issuing.join(name);
    fs::remove_file(&copy).unwrap();
    let mut office = pki.issuing();
    assert_eq!(fs::read_to_string(&copy).unwrap(), issued.pem());
    assert_eq!(office.ledger().find(&issued.serial), Some(&issued));
    let revoked = office
        .revoke(&issued.serial, Reason::Superseded, now())
        .unwrap();
    assert_eq!(revoked[0].revoked, Some((now(), Reason::Superseded)));
}

#[test]
fn a_crash_anywhere_within_a_line_costs_that_line_only() {
    let mut pki = Pki::new();
    let path = pki.places().issuing.join(LEDGER);
    let before = fs::read(&path).unwrap();
    let mut office = pki.issuing();
    let issued = issue(&mut office, &order(Profile::Party), &mut pki.random);
    drop(office);
    let after = fs::read(&path).unwrap();
    for length in [
        before.len(),
        before.len() + 1,
        after.len() - 2,
        after.len() - 1,
    ] {
        fs::write(&path, &after[..length]).unwrap();
        let mut office = pki.issuing();
        assert!(office.ledger().find(&issued.serial).is_none(), "{length}");
        assert_eq!(fs::read(&path).unwrap(), before, "cut");
        let next = issue(&mut office, &order(Profile::Party), &mut pki.random);
        drop(office);
        assert!(pki.issuing().ledger().find(&next.serial).is_some());
    }
}

#[test]
fn a_ledger_that_was_changed_is_refused_with_its_line() {
    let mut pki = Pki::new();
    let mut office = pki.issuing();
    for _ in 0..3 {
        issue(&mut office, &order(Profile::Party), &mut pki.random);
    }
    drop(office);
    let path = pki.places().issuing.join(LEDGER);
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let without_second: Vec<&str> = [&lines[..1], &lines[2..]].concat();
    let changed = whole.replacen("\"party\"", "\"administrator\"", 1);
    for text in [without_second.join("\n") + "\n", changed] {
        fs::write(&path, text).unwrap();
        let error = Office::open(&pki.places().issuing).unwrap_err();
        let OfficeError::Ledger { source, .. } = error else {
            panic!("{error}");
        };
        assert!(
            matches!(source, LedgerError::Broken { line: 2 | 3 }),
            "{source}"
        );
    }
}

/// Randomness that repeats itself.
struct Stuck;

impl Random for Stuck {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(0x55);
    }
}

#[test]
fn no_serial_number_is_given_twice_even_when_randomness_repeats_itself() {
    let pki = Pki::new();
    let mut office = pki.issuing();
    let authority = office.unlock(&phrase(ISSUING_PHRASE)).unwrap();
    let order = order(Profile::Party);
    let first = office.issue(&authority, &key(&order), &order, now(), &mut Stuck);
    let serial = first.unwrap().serial;
    let second = office.issue(&authority, &key(&order), &order, now(), &mut Stuck);
    let Err(OfficeError::Ledger { source, .. }) = second else {
        panic!("{second:?}");
    };
    assert!(matches!(source, LedgerError::SerialUsed { serial: used } if used == serial));
}

#[test]
fn one_process_at_a_time_works_with_an_authority() {
    let pki = Pki::new();
    let office = pki.issuing();
    let error = Office::open(&pki.places().issuing).unwrap_err();
    assert!(
        matches!(
            error,
            OfficeError::Ledger {
                source: LedgerError::Busy,
                ..
            }
        ),
        "{error}"
    );
    drop(office);
    pki.issuing();
}
