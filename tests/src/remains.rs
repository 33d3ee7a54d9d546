//! What is left of a person: in the files of a broker, in whatever its keys still open, and in what it tells.

use std::{
    fs,
    path::{Path, PathBuf},
};

use memchr::memmem;
use schakel_api::v1;
use schakel_core::{event::Event, id::CaseId};
use schakel_store::{details, keyring::Keyring};

use crate::{
    evidence::Log,
    party::Party,
    place::Place,
    requests::{Scene, actor, by_case, item},
};

impl Scene {
    /// Everything known of the person that must be found nowhere once the person is erased.
    ///
    /// # Panics
    /// When the case has no id.
    #[must_use]
    pub fn secrets(&self) -> Vec<Vec<u8>> {
        let case: CaseId = self.case.parse().expect("an id");
        vec![
            self.bsn.clone().into_bytes(),
            self.mark.clone().into_bytes(),
            self.case.clone().into_bytes(),
            case.as_bytes().to_vec(),
        ]
    }

    /// What these parties are told about the person, without receipts.
    ///
    /// # Panics
    /// When a call is refused.
    pub async fn told(&self, parties: &[Party]) -> Vec<String> {
        let mut told = Vec::new();
        for party in parties {
            match party.id.as_str() {
                "wonen-zuid" => told.push(format!("{:?}", party.ask_housing(&self.mark).await)),
                "gemeente-oost" => {
                    told.extend([plan(party, self).await, consents(party, self).await])
                }
                _ => told.push(case(party, self).await),
            }
        }
        told
    }
}

/// What association, institution and municipality are told of a person of whom nothing is left.
pub const NOTHING: [&str; 4] = ["None", "denied", "None", "none"];

async fn plan(municipality: &Party, scene: &Scene) -> String {
    let plan = item(
        by_case(&scene.case),
        "P-PLAN",
        v1::Condition::Housing,
        v1::Granularity::StatusWithDates,
    );
    format!("{:?}", municipality.ask(plan).await)
}

async fn case(pi: &Party, scene: &Scene) -> String {
    let request = v1::GetCaseRequest {
        actor: actor(),
        subject: Some(by_case(&scene.case)),
    };
    let answer = pi.cases().get_case(request).await.expect("an answer");
    match answer.into_inner().outcome.expect("an outcome") {
        v1::get_case_response::Outcome::Case(mut case) => {
            case.receipt = None;
            format!("{case:?}")
        }
        v1::get_case_response::Outcome::NotDisclosed(_) => "denied".to_owned(),
    }
}

async fn consents(municipality: &Party, scene: &Scene) -> String {
    let request = v1::ListConsentsRequest {
        actor: actor(),
        subject: Some(by_case(&scene.case)),
    };
    let answer = municipality.consents().list_consents(request).await;
    let outcome = answer.expect("an answer").into_inner().outcome;
    match outcome.expect("an outcome") {
        v1::list_consents_response::Outcome::Consents(shown) if !shown.consents.is_empty() => {
            format!("{:?}", shown.consents)
        }
        _ => "none".to_owned(),
    }
}

/// Whether bytes hold these, anywhere.
#[must_use]
pub fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    memmem::find(bytes, secret).is_some()
}

/// Searches every file byte by byte, what is published included, and every entry that any key left opens. The broker
/// must not run.
///
/// # Panics
/// When a file cannot be read.
#[must_use]
pub fn found_anywhere(place: &Place, log: &Log, secrets: &[Vec<u8>]) -> Vec<String> {
    let mut found = Vec::new();
    let all = ["data", "keyring"].map(|dir| files(&place.path(dir)));
    assert!(
        all.iter().flatten().any(|path| is_published(path)),
        "what is published is searched too"
    );
    for path in all.into_iter().flatten() {
        let bytes = fs::read(&path).expect("a file");
        let held = secrets.iter().filter(|secret| holds(&bytes, secret));
        found.extend(held.map(|_| path.display().to_string()));
    }
    for (index, opened) in log.details(place).into_iter().enumerate() {
        let Some(opened) = opened else { continue };
        let bytes = details::encode(&opened).expect("details");
        let held = secrets.iter().filter(|secret| holds(&bytes, secret));
        found.extend(held.map(|_| format!("entry {index}: {:?}", opened.event)));
    }
    found
}

/// The keys that the log says are destroyed and that the keyring of a place still has.
///
/// # Panics
/// When the keyring cannot be read.
#[must_use]
pub fn keys_left(place: &Place, log: &Log) -> Vec<String> {
    let erased = log.details(place).into_iter().flatten();
    let erased = erased.filter_map(|details| match details.event {
        Event::Erased(erased) => Some(erased.slots),
        _ => None,
    });
    let slots: Vec<_> = erased.flatten().collect();
    place.with_keyring(|keyring: &Keyring| {
        let left = slots.iter().filter(|slot| keyring.key(**slot).is_ok());
        left.map(ToString::to_string).collect()
    })
}

fn is_published(path: &Path) -> bool {
    path.components()
        .any(|part| part.as_os_str() == "published")
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
