//! What waits is answered once, whatever crashed in between.

use super::*;

fn answer(
    pki: &mut Pki,
    office: &mut Office,
    replaces: Option<[u8; 32]>,
    known: &[[u8; 32]],
) -> Result<Issuance, OfficeError> {
    let request = include_bytes!("../../../tests/requests/p256.csr.pem");
    let request = CertificateRequest::read(request).unwrap();
    let asked = Asked {
        request: &request,
        holder: order(Profile::Party).holder,
        replaces,
        days: Some(30),
    };
    let authority = office.unlock(&phrase(ISSUING_PHRASE)).unwrap();
    let is_known = |issuance: &Issuance| known.contains(&issuance.sha256);
    office.answer(&authority, asked, is_known, now(), &mut pki.random)
}

#[test]
fn what_a_crash_kept_from_being_handed_over_is_given_again_and_not_issued_twice() {
    let mut pki = Pki::new();
    let mut office = pki.issuing();
    let first = answer(&mut pki, &mut office, None, &[]).unwrap();
    assert_eq!(first.validity, Validity::days(30, now()));
    drop(office);
    let mut office = pki.issuing();
    let again = answer(&mut pki, &mut office, None, &[]).unwrap();
    assert_eq!(again.der, first.der);
    assert_eq!(office.ledger().issued().count(), 1);

    // Once it was handed over, the same key may get another.
    let second = answer(&mut pki, &mut office, None, &[first.sha256]).unwrap();
    assert_ne!(second.serial, first.serial);
    assert_eq!(second.replaces, None);
    let third = answer(&mut pki, &mut office, Some(first.sha256), &[]).unwrap();
    assert_eq!(third.replaces, Some(first.serial));
    assert_eq!(office.ledger().issued().count(), 3);
}

#[test]
fn a_revoked_certificate_is_not_replaced_and_a_wrong_request_is_refused_by_name() {
    let mut pki = Pki::new();
    let mut office = pki.issuing();
    let first = answer(&mut pki, &mut office, None, &[]).unwrap();
    office
        .revoke(&first.serial, Reason::Superseded, now())
        .unwrap();
    let refused = answer(&mut pki, &mut office, Some(first.sha256), &[]).unwrap_err();
    assert!(matches!(refused, OfficeError::Revoked { .. }));
    // A certificate of another authority is replaced too, and what was revoked is not given again.
    let next = answer(&mut pki, &mut office, Some([9; 32]), &[]).unwrap();
    assert_ne!(next.serial, first.serial);

    let request = include_bytes!("../../../tests/requests/p256.csr.pem");
    let request = CertificateRequest::read(request).unwrap();
    let mut holder = order(Profile::Party).holder;
    holder.oin = "00000099000000030000".parse().unwrap();
    let asked = Asked {
        request: &request,
        holder,
        replaces: None,
        days: None,
    };
    let authority = office.unlock(&phrase(ISSUING_PHRASE)).unwrap();
    let refused = office.answer(&authority, asked, |_| false, now(), &mut pki.random);
    assert!(matches!(refused, Err(OfficeError::Request(_))));
}
