//! What whoever revokes does.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use schakel_api::v1::{self, change::Change, stop_request::What};
use schakel_client::{Client, ClientConfig, Identity};
use schakel_pki::{
    authority::DevelopmentAuthority,
    develop::{AUTHORITY_CERTIFICATE, AUTHORITY_KEY, REVOCATION_LIST},
    identity::{CertificateIdentity, Serial, parse_peer_pem},
    organisation::Organisations,
    validity::Validity,
};
use schakel_store::random::OsRandom;

use super::{ADMINISTRATORS, PARTNER, Stage, stage};

/// For how many days certificates and lists of the trials hold.
const DAYS: u32 = 7;

/// How somebody is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revoked {
    /// An administrator blocks the certificate.
    Blocked,
    /// An administrator suspends the party.
    Suspended,
    /// The authority puts the certificate on its list, in a file that the broker looks at.
    Listed,
}

/// Who revokes, and what was revoked by now.
pub(super) struct Revoking {
    one: Client,
    other: Client,
    authority: DevelopmentAuthority,
    /// The file of the authority's list.
    list: PathBuf,
    listed: Vec<Serial>,
    number: u64,
    /// The certificate of the trial.
    current: Option<CertificateIdentity>,
}

impl Revoked {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Blocked, Self::Suspended, Self::Listed];

    /// From when on no call that is begun gets through, from the acknowledgement.
    pub(super) const fn bound(self, reload_every: Duration) -> Duration {
        match self {
            Self::Blocked | Self::Suspended => Duration::ZERO,
            Self::Listed => reload_every,
        }
    }

    /// In a word.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Blocked => "certificate_blocked",
            Self::Suspended => "party_suspended",
            Self::Listed => "revocation_list",
        }
    }
}

impl Revoking {
    pub(super) async fn new(stage: &Stage) -> Result<Self> {
        let [one, other] = ADMINISTRATORS.map(|party| stage.caller(party, 1));
        let certificates = stage.certificates();
        let read = |name: &str| {
            let path = certificates.join(name);
            fs::read_to_string(&path)
                .with_context(|| format!("`{}` cannot be read", path.display()))
        };
        let authority =
            DevelopmentAuthority::load(&read(AUTHORITY_CERTIFICATE)?, &read(AUTHORITY_KEY)?)?;
        Ok(Self {
            one: Client::connect(one?).await?,
            other: Client::connect(other?).await?,
            authority,
            list: certificates.join(REVOCATION_LIST),
            listed: Vec::new(),
            // Above that of the list that a development authority begins with.
            number: 1_000_000,
            current: None,
        })
    }

    /// The partner with a certificate that was never used before.
    pub(super) fn caller(&mut self, stage: &Stage) -> Result<ClientConfig> {
        let organisations = Organisations::of_development()?;
        let partner = organisations.find(PARTNER).context("there is no partner")?;
        let validity = Validity::days(DAYS, stage::now());
        let issued = self.authority.issue(partner, validity, &mut OsRandom)?;
        self.current = Some(parse_peer_pem(&issued.cert_pem)?);
        let mut config = stage.caller(PARTNER, 1)?;
        config.identity = Identity::new(PARTNER, issued.cert_pem, issued.key_pem);
        Ok(config)
    }

    /// Revokes the partner of the trial; gives the moment of the acknowledgement.
    pub(super) async fn revoke(&mut self, way: Revoked) -> Result<Instant> {
        let current = self.current.as_ref().context("nobody calls")?;
        let what = match way {
            Revoked::Blocked => What::Certificate(hex::encode(current.sha256)),
            Revoked::Suspended => What::PartyId(PARTNER.to_owned()),
            Revoked::Listed => {
                self.listed.push(current.serial.clone());
                return self.publish();
            }
        };
        let request = v1::StopRequest {
            reason: v1::StopReason::KeyCompromise.into(),
            what: Some(what),
            ..v1::StopRequest::default()
        };
        self.one.stop(request).await?;
        Ok(Instant::now())
    }

    /// Lets the partner call again, with another certificate.
    pub(super) async fn let_go_on(&self, way: Revoked) -> Result<()> {
        if way != Revoked::Suspended {
            return Ok(());
        }
        let change = Change::ReinstatePartyId(PARTNER.to_owned());
        let propose = v1::ProposeChangeRequest {
            change: Some(v1::Change {
                change: Some(change),
            }),
            ..v1::ProposeChangeRequest::default()
        };
        let proposal_id = self.one.propose_change(propose).await?.proposal_id;
        let approve = v1::ApproveChangeRequest {
            proposal_id,
            ..v1::ApproveChangeRequest::default()
        };
        self.other.approve_change(approve).await?;
        Ok(())
    }

    /// Publishes the list: it is there whole or not at all.
    fn publish(&mut self) -> Result<Instant> {
        self.number = self.number.saturating_add(1);
        let validity = Validity::days(DAYS, stage::now());
        let list = self.authority.revoke(&self.listed, self.number, validity)?;
        let next = self.list.with_extension("next");
        fs::write(&next, list)
            .and_then(|()| fs::rename(&next, &self.list))
            .with_context(|| format!("`{}` cannot be written", self.list.display()))?;
        Ok(Instant::now())
    }
}
