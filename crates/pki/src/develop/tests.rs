//! The directory as a caller finds it: filled, kept, renewed, and refused with the way out.

use std::{collections::BTreeMap, fs};

use tempfile::TempDir;

use super::*;
use crate::{identity::parse_peer_pem, organisation::DEVELOPMENT, seeded::Seeded};

fn now() -> Timestamp {
    "2026-11-23T14:00:00Z".parse().unwrap()
}

fn organisations() -> Organisations {
    Organisations::of_development().unwrap()
}

fn filled() -> (TempDir, Written) {
    let dir = tempfile::tempdir().unwrap();
    let written = develop(dir.path(), &organisations(), now(), &mut Seeded(1)).unwrap();
    (dir, written)
}

fn again(dir: &TempDir, at: Timestamp) -> Result<Written, DevelopError> {
    develop(dir.path(), &organisations(), at, &mut Seeded(2))
}

fn content(dir: &TempDir) -> BTreeMap<String, String> {
    fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn an_empty_directory_is_filled() {
    let (dir, written) = filled();
    let files = content(&dir);
    assert_eq!(files.len(), 3 + 2 * 10);
    assert_eq!(written.created.len(), files.len());
    assert!(written.kept.is_empty() && written.renewed.is_empty());
    assert_eq!(written.holds_until, now().plus_days(90));
    for organisation in organisations().iter() {
        let identity = parse_peer_pem(&files[&certificate_file(organisation)]).unwrap();
        assert_eq!(identity.oin, organisation.oin);
        assert!(identity.is_for_development());
    }
}

#[test]
fn the_first_revocation_list_has_number_one_and_lasts_as_long_as_the_authority() {
    let (dir, _) = filled();
    let files = content(&dir);
    let authority = crate::authority::DevelopmentAuthority::load(
        &files[AUTHORITY_CERTIFICATE],
        &files[AUTHORITY_KEY],
    )
    .unwrap();
    let list =
        crate::revocation::RevocationList::parse(&files[REVOCATION_LIST], authority.cert_der())
            .unwrap();
    assert_eq!(list.number(), Some(1));
    assert_eq!(list.revoked().count(), 0);
    assert_eq!(list.validity(), authority.validity());
}

#[cfg(unix)]
#[test]
fn private_keys_are_their_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, written) = filled();
    let keys: Vec<_> = written
        .created
        .iter()
        .filter(|file| file.ends_with(".key.pem"))
        .collect();
    assert_eq!(keys.len(), 11);
    for key in keys {
        let mode = fs::metadata(dir.path().join(key))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
    let exposed = dir.path().join("pi-noord.key.pem");
    fs::set_permissions(&exposed, fs::Permissions::from_mode(0o640)).unwrap();
    let error = again(&dir, now()).unwrap_err();
    assert!(
        matches!(&error, DevelopError::Exposed { file } if file == "pi-noord.key.pem"),
        "{error}"
    );
}

#[test]
fn a_filled_directory_is_kept_to_the_byte() {
    let (dir, _) = filled();
    let before = content(&dir);
    let written = again(&dir, now().plus_days(90)).unwrap();
    assert_eq!(content(&dir), before);
    assert_eq!(written.kept.len(), before.len());
    assert!(written.created.is_empty() && written.renewed.is_empty());
    assert_eq!(written.holds_until, now().plus_days(90));
}

#[test]
fn an_organisation_that_came_later_is_added() {
    let dir = tempfile::tempdir().unwrap();
    let fewer: String = DEVELOPMENT
        .split("[[organisation]]")
        .filter(|part| !part.contains("id = \"toetser\""))
        .collect::<Vec<_>>()
        .join("[[organisation]]");
    let fewer = Organisations::parse(&fewer).unwrap();
    develop(dir.path(), &fewer, now(), &mut Seeded(1)).unwrap();
    let written = again(&dir, now()).unwrap();
    assert_eq!(written.created, ["toetser.key.pem", "toetser.cert.pem"]);
}

#[test]
fn what_has_expired_is_an_error_until_it_is_renewed() {
    let (dir, _) = filled();
    let (before, later) = (content(&dir), now().plus_days(100));
    let error = again(&dir, later).unwrap_err();
    assert!(
        error.to_string().contains("`pi-noord.cert.pem` holds from"),
        "{error}"
    );
    assert!(error.to_string().contains("--renew"), "{error}");
    assert_eq!(content(&dir), before);

    let written = renew(dir.path(), &organisations(), later, &mut Seeded(2)).unwrap();
    let after = content(&dir);
    assert_eq!(written.renewed.len(), 10);
    assert!(
        written
            .renewed
            .iter()
            .all(|file| before[file] != after[file])
    );
    assert!(written.kept.iter().all(|file| before[file] == after[file]));
    assert_eq!(written.kept.len(), 3 + 10);
    assert_eq!(written.holds_until, later.plus_days(90));
    assert!(again(&dir, later).is_ok());
}

#[test]
fn renewing_what_holds_changes_nothing() {
    let (dir, _) = filled();
    let before = content(&dir);
    let written = renew(dir.path(), &organisations(), now(), &mut Seeded(2)).unwrap();
    assert!(written.renewed.is_empty());
    assert_eq!(content(&dir), before);
}

#[test]
fn an_expired_authority_is_renewed_with_its_list_and_keeps_its_key() {
    let (dir, _) = filled();
    let (before, later) = (content(&dir), now().plus_days(366));
    let written = renew(dir.path(), &organisations(), later, &mut Seeded(2)).unwrap();
    let after = content(&dir);
    assert_eq!(written.renewed.len(), 2 + 10);
    assert_eq!(before[AUTHORITY_KEY], after[AUTHORITY_KEY]);
    let (certificate, key) = (&after[AUTHORITY_CERTIFICATE], &after[AUTHORITY_KEY]);
    let authority = crate::authority::DevelopmentAuthority::load(certificate, key).unwrap();
    let list =
        crate::revocation::RevocationList::parse(&after[REVOCATION_LIST], authority.cert_der());
    assert_eq!(list.unwrap().number(), Some(2));
    assert!(again(&dir, later).is_ok());
}

#[test]
fn certificates_of_the_future_are_refused_too() {
    let (dir, _) = filled();
    let error = again(&dir, now().minus_millis(3_600_000)).unwrap_err();
    assert!(matches!(&error, DevelopError::NotValid { file, .. } if file == AUTHORITY_CERTIFICATE));
}

#[test]
fn half_a_pair_is_an_error() {
    let (dir, _) = filled();
    fs::remove_file(dir.path().join("pi-noord.key.pem")).unwrap();
    let error = again(&dir, now()).unwrap_err().to_string();
    assert!(
        error.starts_with("`pi-noord.cert.pem` is there and `pi-noord.key.pem` is not"),
        "{error}"
    );
    fs::remove_file(dir.path().join("pi-noord.cert.pem")).unwrap();
    assert_eq!(again(&dir, now()).unwrap().created.len(), 2);
}

#[test]
fn files_that_do_not_belong_together_are_errors() {
    let (other, _) = filled();
    let swap = |from: &str, to: &str| {
        let (dir, _) = filled();
        fs::write(dir.path().join(to), &content(&other)[from]).unwrap();
        again(&dir, now()).unwrap_err()
    };
    let error = swap("pi-noord.cert.pem", "pi-noord.cert.pem");
    assert!(matches!(error, DevelopError::Foreign { .. }), "{error}");
    let error = swap("pi-noord.key.pem", "pi-noord.key.pem");
    assert!(matches!(error, DevelopError::OtherKey { .. }), "{error}");
    let error = swap("wonen-zuid.cert.pem", "pi-noord.cert.pem");
    assert!(
        matches!(error, DevelopError::OtherOrganisation { .. }),
        "{error}"
    );
    let error = swap(REVOCATION_LIST, REVOCATION_LIST);
    assert!(
        matches!(
            error,
            DevelopError::Revocation(RevocationError::OtherAuthority)
        ),
        "{error}"
    );
    let error = swap(AUTHORITY_KEY, AUTHORITY_KEY);
    assert!(
        matches!(error, DevelopError::Authority(LoadError::OtherKey)),
        "{error}"
    );
    let error = swap(REVOCATION_LIST, "pi-noord.cert.pem");
    assert!(matches!(error, DevelopError::Unreadable { .. }), "{error}");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = develop(&file.join("certs"), &organisations(), now(), &mut Seeded(1)).unwrap_err();
    assert!(
        error.to_string().ends_with("file/certs` cannot be made"),
        "{error}"
    );
}
