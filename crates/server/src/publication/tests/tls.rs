//! A witness over TLS: with certificates of authorities that are named, and with no others.

use schakel_core::time::Timestamp;
use schakel_pki::{
    authority::{DevelopmentAuthority, Issued},
    organisation::Organisations,
    validity::Validity,
};
use schakel_store::random::OsRandom;

use super::*;
use crate::clock::SystemClock;

/// Two authorities of today, for certificates are judged by the machine's clock.
fn authorities() -> [DevelopmentAuthority; 2] {
    let now = SystemClock.now();
    [(); 2].map(|()| DevelopmentAuthority::new(now, &mut OsRandom).unwrap())
}

/// A certificate for this machine, good from then on for so many days.
fn issued(authority: &DevelopmentAuthority, days: u32, from: Timestamp) -> Issued {
    let organisations = Organisations::of_development().unwrap();
    let broker = organisations.find("broker").unwrap();
    let validity = Validity::days(days, from);
    authority.issue(broker, validity, &mut OsRandom).unwrap()
}

impl Published {
    /// A witness behind TLS that must have signed, with this certificate. Whose certificates count is in the file
    /// that is returned.
    async fn witness_behind(&mut self, own: &Issued) -> (FakeWitness, std::path::PathBuf) {
        let witness = FakeWitness::start_tls(1, vec![vkey(7)], self.now(), own).await;
        self.policy = format!("log {}\n{}quorum w1\n", vkey(7), witness.line());
        assert!(self.policy.contains("https://"));
        let file = |name: &str| self.outside.path().join(name);
        let files = Files {
            authorities: file("witness-ca.pem"),
            certificate: file("own.pem"),
            key: file("own.key"),
        };
        fs::write(&files.certificate, &own.cert_pem).unwrap();
        fs::write(&files.key, &own.key_pem).unwrap();
        let authorities = files.authorities.clone();
        self.tls = Some(files);
        (witness, authorities)
    }
}

#[tokio::test]
async fn a_witness_is_asked_over_tls_once_its_authority_counts() {
    let [right, wrong] = authorities();
    let own = issued(&right, 30, SystemClock.now());
    let mut place = Published::new();
    let (witness, counts) = place.witness_behind(&own).await;
    fs::write(&counts, wrong.cert_pem()).unwrap();
    let mut run = place.start();
    run.grow(2).await;
    run.publisher.tick().await;
    let told = run.publisher.told.clone().unwrap();
    assert!(
        told.contains("w1: its certificate is not accepted by `publication.witness_ca`"),
        "{told}"
    );
    assert_eq!((run.sizes().0, witness.seen()), (0, 0));
    assert!(
        witness.asked().is_empty(),
        "something was said to a stranger"
    );
    assert!(run.sequencer.halt().why().is_none());
    // Mended in place, it is asked again at the next tick.
    fs::write(&counts, right.cert_pem()).unwrap();
    run.publisher.tick().await;
    let (published, size) = run.sizes();
    assert_eq!((published, witness.seen()), (size, size));
    let policy: Policy = place.policy.parse().unwrap();
    let note = place.checkpoint();
    assert_eq!(policy.open(&note).unwrap().level(), Level::Witnessed);
    run.stop().await;
}

#[tokio::test]
async fn a_witness_whose_certificate_ended_is_not_asked() {
    let [right, _] = authorities();
    let now = SystemClock.now();
    let before = Timestamp::from_millis(now.as_millis() - 3 * 86_400_000).unwrap();
    let mut place = Published::new();
    let old = issued(&right, 1, before);
    let (witness, counts) = place.witness_behind(&old).await;
    fs::write(&counts, right.cert_pem()).unwrap();
    let mut run = place.start();
    run.publisher.tick().await;
    let told = run.publisher.told.clone().unwrap();
    assert!(told.contains("xpired"), "{told}");
    assert!(witness.asked().is_empty());
    run.stop().await;
}
