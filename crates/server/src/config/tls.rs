//! Section `[tls]`: the broker's certificate, and whose certificates it trusts.

use std::{path::PathBuf, time::Duration};

use schakel_core::id::AnchorName;
use schakel_pki::check::AnchorTerms;
use serde::Deserialize;

use super::{
    check::{DAY, HOUR, MINUTE, SECOND, broken, time},
    error::Broken,
};

/// Section `[tls]`: the broker's certificate, and whose certificates it trusts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The broker's certificate chain, PEM, its own certificate first.
    pub certificate: PathBuf,
    /// The private key of that certificate, PEM.
    pub key: PathBuf,
    /// The oldest version of TLS that is spoken.
    #[serde(default)]
    pub oldest_version: TlsVersion,
    /// How often the files of this section are looked at for a change: 1 s to 1 h.
    #[serde(with = "humantime_serde", default = "default_reload_every")]
    pub reload_every: Duration,
    /// How long before a certificate ends this is told to whoever holds it: 1 d to 180 d, and of one that holds for less
    /// than four times as long when a quarter of its life is left.
    #[serde(with = "humantime_serde", default = "default_warn_before")]
    pub warn_before: Duration,
    /// The anchor under which numbers count that the registry pins to none. May be left out when there is one
    /// anchor only, which it is then.
    pub unpinned: Option<AnchorName>,
    /// Whose certificates are trusted; at least one.
    #[serde(rename = "anchor")]
    pub anchors: Vec<Anchor>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum TlsVersion {
    /// TLS 1.2, with the suites that NCSC calls good or sufficient.
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[default]
    #[serde(rename = "1.3")]
    Tls13,
}

/// Section `[[tls.anchor]]`: authorities that are trusted together, under a name by which the registry knows them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Its name, to which the registry pins numbers. It must not change.
    pub name: AnchorName,
    /// The certificates of the authorities that are trusted by themselves, PEM: one, or one of each generation.
    pub certificates: PathBuf,
    /// Authorities below those, PEM: they complete a chain that a client sends short.
    pub intermediates: Option<PathBuf>,
    /// The certificate policies of which a client's certificate must have one, as object identifiers with dots;
    /// empty means any.
    #[serde(default)]
    pub policies: Vec<String>,
    /// The extended key usages of which a client's certificate must have one: `clientAuth`, `serverAuth` or
    /// object identifiers with dots.
    #[serde(default = "default_usages")]
    pub usages: Vec<String>,
    /// Where the revocation lists of its authorities are: at least one.
    #[serde(rename = "crl")]
    pub lists: Vec<List>,
}

/// Section `[[tls.anchor.crl]]`: where one revocation list is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// A file, PEM. Either this or `url`.
    pub file: Option<PathBuf>,
    /// An address from which it is fetched, `http://` only: a list is signed.
    pub url: Option<String>,
    /// How often it is fetched: 1 m to 1 d.
    #[serde(with = "humantime_serde", default = "default_refresh_every")]
    pub refresh_every: Duration,
    /// How old what it says may be: 1 m to 60 d. Counted from the last fetch that succeeded, or for a file from
    /// when the authority signed it. Absent means as long as the authority says; a list never counts longer than
    /// that.
    #[serde(with = "humantime_serde", default)]
    pub max_age: Option<Duration>,
    /// What happens to certificates of its authority when it is older.
    #[serde(default)]
    pub when_stale: WhenStale,
}

/// What happens when a revocation list is too old, or was never there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenStale {
    /// Certificates are admitted unless the last list revokes them. A conscious risk.
    Admit,
    /// Certificates are refused.
    #[default]
    Refuse,
}

impl Tls {
    /// The anchor under which numbers count that the registry pins to none.
    #[must_use]
    pub fn unpinned(&self) -> Option<&AnchorName> {
        let only = || match self.anchors.as_slice() {
            [only] => Some(&only.name),
            _ => None,
        };
        self.unpinned.as_ref().or_else(only)
    }

    pub(super) fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let anchors = self.anchors.iter_mut().flat_map(|anchor| {
            let lists = anchor
                .lists
                .iter_mut()
                .filter_map(|list| list.file.as_mut());
            [&mut anchor.certificates]
                .into_iter()
                .chain(anchor.intermediates.as_mut())
                .chain(lists)
        });
        [&mut self.certificate, &mut self.key]
            .into_iter()
            .chain(anchors)
    }

    pub(super) fn check(&self) -> Result<(), Broken> {
        time("tls.reload_every", self.reload_every, SECOND..=HOUR)?;
        time("tls.warn_before", self.warn_before, DAY..=180 * DAY)?;
        if self.anchors.is_empty() {
            return broken(
                "tls.anchor",
                "must be there at least once: nobody is trusted without",
            );
        }
        for (at, anchor) in self.anchors.iter().enumerate() {
            if self
                .anchors
                .iter()
                .skip(at.saturating_add(1))
                .any(|other| other.name == anchor.name)
            {
                return broken("tls.anchor.name", "must be another for each anchor");
            }
            anchor.check()?;
        }
        let known = |name: &AnchorName| self.anchors.iter().any(|anchor| anchor.name == *name);
        match self.unpinned() {
            Some(name) if known(name) => Ok(()),
            Some(_) => broken("tls.unpinned", "must be the name of an anchor"),
            None => broken(
                "tls.unpinned",
                "must name an anchor when there are several: numbers that the registry pins to none count under it",
            ),
        }
    }
}

impl Anchor {
    /// What is asked of a certificate under it, when numbers that are pinned to none count under this one.
    #[must_use]
    pub fn terms(&self, unpinned: Option<&AnchorName>) -> AnchorTerms {
        let usages = self.usages.iter().filter_map(|usage| identifier_of(usage));
        AnchorTerms {
            name: self.name.clone(),
            takes_unpinned: unpinned == Some(&self.name),
            policies: self.policies.clone(),
            usages: usages.map(ToOwned::to_owned).collect(),
        }
    }

    fn check(&self) -> Result<(), Broken> {
        if self.lists.is_empty() {
            return broken(
                "tls.anchor.crl",
                "must be there for each authority of the anchor: without a list a revoked certificate would be admitted",
            );
        }
        if !self.policies.iter().all(|oid| is_identifier(oid)) {
            return broken(
                "tls.anchor.policies",
                "must be object identifiers, such as `2.16.528.1.1003.1.2.8.6`",
            );
        }
        let is_usage = |usage: &String| identifier_of(usage).is_some();
        if self.usages.is_empty() || !self.usages.iter().all(is_usage) {
            return broken(
                "tls.anchor.usages",
                "must be one or more of `clientAuth`, `serverAuth` and object identifiers",
            );
        }
        self.lists.iter().try_for_each(List::check)
    }
}

impl List {
    fn check(&self) -> Result<(), Broken> {
        match (&self.file, &self.url) {
            (Some(_), None) => {}
            (None, Some(url)) if is_http(url) => {}
            (None, Some(_)) => {
                return broken(
                    "tls.anchor.crl.url",
                    "must be `http://`, a host and a path, such as `http://crl.example.nl/ca.crl`: a list is signed, so it needs no TLS",
                );
            }
            _ => {
                return broken("tls.anchor.crl", "must have either `file` or `url`");
            }
        }
        time(
            "tls.anchor.crl.refresh_every",
            self.refresh_every,
            MINUTE..=DAY,
        )?;
        match self.max_age {
            Some(age) => time("tls.anchor.crl.max_age", age, MINUTE..=60 * DAY),
            None => Ok(()),
        }
    }
}

/// The object identifier of an extended key usage, by name or as itself.
pub(crate) fn identifier_of(usage: &str) -> Option<&str> {
    match usage {
        "clientAuth" => Some("1.3.6.1.5.5.7.3.2"),
        "serverAuth" => Some("1.3.6.1.5.5.7.3.1"),
        other => is_identifier(other).then_some(other),
    }
}

fn is_identifier(text: &str) -> bool {
    let is_arc =
        |arc: &str| !arc.is_empty() && arc.len() <= 18 && arc.bytes().all(|b| b.is_ascii_digit());
    text.split('.').count() >= 3 && text.split('.').all(is_arc)
}

fn is_http(url: &str) -> bool {
    url.parse::<http::Uri>().is_ok_and(|uri| {
        uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| !host.is_empty())
    })
}

pub(super) fn default_reload_every() -> Duration {
    Duration::from_secs(30)
}

fn default_warn_before() -> Duration {
    30 * DAY
}

fn default_refresh_every() -> Duration {
    HOUR
}

fn default_usages() -> Vec<String> {
    vec!["clientAuth".to_owned()]
}
