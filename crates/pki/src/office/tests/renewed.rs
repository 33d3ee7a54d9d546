//! Certificates and authorities that follow others.

use super::*;

#[test]
fn a_renewed_certificate_stands_beside_the_old_one_with_another_serial_number() {
    let mut pki = Pki::new();
    let mut office = pki.issuing();
    let old = issue(&mut office, &order(Profile::Broker), &mut pki.random);
    let authority = office.unlock(&phrase(ISSUING_PHRASE)).unwrap();
    let later = now().plus_days(60);
    let random = &mut pki.random;
    let new = office
        .renew(
            &authority,
            &old.serial,
            Renewed::SameKey,
            None,
            later,
            random,
        )
        .unwrap();
    assert_ne!(new.serial, old.serial);
    assert_eq!(new.replaces.as_ref(), Some(&old.serial));
    assert_eq!(new.holder(), old.holder());
    assert_eq!(new.holder(), Some(order(Profile::Broker).holder));
    assert!(office.ledger().find(&old.serial).unwrap().holds(later));
    let spki = |der: &[u8]| read(der).public_key().raw.to_vec();
    assert_eq!(spki(&new.der), spki(&old.der));

    let request = include_bytes!("../../../tests/requests/p384.csr.pem");
    let request = CertificateRequest::read(request).unwrap();
    let other_key = Renewed::Request(&request);
    let newer = office
        .renew(&authority, &new.serial, other_key, None, later, random)
        .unwrap();
    assert_ne!(spki(&newer.der), spki(&new.der));

    office
        .revoke(&newer.serial, Reason::KeyCompromise, later)
        .unwrap();
    let refused = office
        .renew(
            &authority,
            &newer.serial,
            Renewed::SameKey,
            None,
            later,
            random,
        )
        .unwrap_err();
    assert!(matches!(refused, OfficeError::Revoked { .. }), "{refused}");
}

#[test]
fn a_renewed_issuing_authority_has_the_same_name_and_key_and_goes_on_issuing() {
    let mut pki = Pki::new();
    let mut office = pki.issuing();
    let before = office.certificate().to_vec();
    let issued = issue(&mut office, &order(Profile::Party), &mut pki.random);
    drop(office);
    let later = now().plus_days(1000);
    let places = pki.places();
    let (root, issuing) = (&places.root, &places.issuing);
    let renewed = renew_issuing(
        root,
        issuing,
        &phrase(ROOT_PHRASE),
        1095,
        later,
        &mut pki.random,
    )
    .unwrap();
    let mut office = pki.issuing();
    assert_eq!(office.certificate(), renewed.der);
    let (old, new) = (read(&before), read(office.certificate()));
    assert_eq!(old.subject().as_raw(), new.subject().as_raw());
    read(&issued.der)
        .verify_signature(Some(new.public_key()))
        .unwrap();
    assert!(renewed.validity.contains(later.plus_days(1095)));
    let authority = office.unlock(&phrase(ISSUING_PHRASE)).unwrap();
    let order = order(Profile::Party);
    let past = later.plus_days(200);
    office
        .issue(&authority, &key(&order), &order, past, &mut pki.random)
        .unwrap();
}
