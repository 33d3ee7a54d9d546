//! A key in other hands: every certificate of it is revoked, and it gets no other.

use super::*;

/// A certificate, another of the same key that replaces it, and one of another key.
fn three(pki: &mut Pki, office: &mut Office) -> [Issuance; 3] {
    let first = issue(office, &order(Profile::Party), &mut pki.random);
    let second = renew(pki, office, &first, Renewed::SameKey).unwrap();
    let request = include_bytes!("../../../tests/requests/p384.csr.pem");
    let request = CertificateRequest::read(request).unwrap();
    let third = renew(pki, office, &first, Renewed::Request(&request)).unwrap();
    [first, second, third]
}

fn renew(
    pki: &mut Pki,
    office: &mut Office,
    old: &Issuance,
    renewed: Renewed<'_>,
) -> Result<Issuance, OfficeError> {
    let authority = office.unlock(&phrase(ISSUING_PHRASE)).unwrap();
    let random = &mut pki.random;
    office.renew(&authority, &old.serial, renewed, None, now(), random)
}

fn serials(issued: &[Issuance]) -> Vec<&Serial> {
    issued.iter().map(|issuance| &issuance.serial).collect()
}

fn reasons(office: &Office, issued: &[Issuance]) -> Vec<Option<Reason>> {
    let found = issued.iter().map(|one| office.ledger().find(&one.serial));
    found
        .map(|one| one.unwrap().revoked.map(|(_, reason)| reason))
        .collect()
}

#[test]
fn a_compromised_key_takes_every_certificate_of_it_along_and_gets_no_other() {
    let mut pki = Pki::new();
    let mut office = pki.issuing();
    let issued = three(&mut pki, &mut office);
    let [first, second, third] = &issued;
    let compromise = Reason::KeyCompromise;
    let revoked = office.revoke(&second.serial, compromise, now()).unwrap();
    assert_eq!(serials(&revoked), [&first.serial, &second.serial]);
    let expected = [Some(compromise), Some(compromise), None];
    assert_eq!(reasons(&office, &issued), expected);
    let authority = office.unlock(&phrase(ISSUING_PHRASE)).unwrap();
    assert_eq!(office.list(&authority, 7, now()).unwrap().revoked, 2);
    let again = office.revoke(&second.serial, compromise, now());
    assert!(
        matches!(again, Err(OfficeError::Revoked { .. })),
        "{again:?}"
    );

    // Neither asked for afresh nor as the next one of another.
    let asked = order(Profile::Party);
    let fresh = office.issue(&authority, &key(&asked), &asked, now(), &mut pki.random);
    let request = include_bytes!("../../../tests/requests/p256.csr.pem");
    let request = CertificateRequest::read(request).unwrap();
    let next = renew(&mut pki, &mut office, third, Renewed::Request(&request));
    for refused in [fresh, next] {
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, OfficeError::Compromised { .. }),
            "{refused}"
        );
    }
    assert!(renew(&mut pki, &mut office, third, Renewed::SameKey).is_ok());
}

/// Every other reason is about one certificate. Where its key turns out to be compromised later, or a crash came in
/// between, the same command revokes the rest.
#[test]
fn what_is_left_of_a_key_is_revoked_by_the_same_command() {
    let mut pki = Pki::new();
    let mut office = pki.issuing();
    let issued = three(&mut pki, &mut office);
    let [first, second, _] = &issued;
    let revoked = office.revoke(&first.serial, Reason::Superseded, now());
    assert_eq!(serials(&revoked.unwrap()), [&first.serial]);
    assert!(reasons(&office, &issued)[1].is_none());
    let revoked = office.revoke(&first.serial, Reason::KeyCompromise, now());
    assert_eq!(serials(&revoked.unwrap()), [&second.serial]);
    assert_eq!(
        reasons(&office, &issued),
        [Some(Reason::Superseded), Some(Reason::KeyCompromise), None]
    );
}
