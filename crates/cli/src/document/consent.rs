//! A consent, from a file or from options.

use schakel_api::v1;
use serde::Deserialize;

use super::batch::code;
use crate::{exit::Failure, instant};

/// A consent with the field names of `ConsentTerms`, and how it stands.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consent {
    /// REQUESTED, DEFERRED, REFUSED, GIVEN or RENEWED.
    pub(crate) state: Option<String>,
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) explicit: bool,
    #[serde(default)]
    pub(crate) conditions: Vec<String>,
    #[serde(default)]
    pub(crate) purposes: Vec<String>,
    #[serde(default)]
    pub(crate) provider_party_ids: Vec<String>,
    #[serde(default)]
    pub(crate) recipient_party_ids: Vec<String>,
    pub(crate) granularity: Option<String>,
    pub(crate) valid_from: Option<String>,
    pub(crate) valid_until: Option<String>,
    pub(crate) notice: Option<Notice>,
    pub(crate) method: Option<String>,
    pub(crate) collected_at: Option<String>,
    pub(crate) representative_mandate_sha256: Option<String>,
    #[serde(default)]
    pub(crate) interpreter: bool,
    pub(crate) attestations: Option<Attestations>,
}

/// What the person was shown.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Notice {
    pub(crate) version: String,
    pub(crate) language: String,
    pub(crate) sha256: String,
}

/// What the collector attests.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four attestations, each a yes or a no"
)]
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Attestations {
    pub(crate) own_interest: bool,
    pub(crate) help_question: bool,
    pub(crate) refusal_without_detriment: bool,
    pub(crate) alternative_offered: bool,
}

impl Consent {
    /// The state as it is sent; GIVEN unless said otherwise.
    pub(crate) fn state(&self) -> Result<i32, Failure> {
        match &self.state {
            Some(text) => code::<v1::ConsentState>("state", text).map_err(refused),
            None => Ok(v1::ConsentState::Given.into()),
        }
    }

    /// The terms as they are sent. What is left out is sent as absent, for the broker to say what must be
    /// there; what has an ordinary value gets that.
    pub(crate) fn terms(self) -> Result<v1::ConsentTerms, Failure> {
        self.read().map_err(refused)
    }

    fn read(self) -> Result<v1::ConsentTerms, String> {
        let conditions = self.conditions.iter();
        Ok(v1::ConsentTerms {
            kind: match &self.kind {
                Some(text) => code::<v1::ConsentKind>("kind", text)?,
                None => v1::ConsentKind::ProcessingBasis.into(),
            },
            explicit: self.explicit,
            conditions: conditions
                .map(|text| code::<v1::Condition>("conditions", text))
                .collect::<Result<_, _>>()?,
            purposes: self.purposes,
            provider_party_ids: self.provider_party_ids,
            recipient_party_ids: self.recipient_party_ids,
            granularity: match &self.granularity {
                Some(text) => code::<v1::Granularity>("granularity", text)?,
                None => v1::Granularity::Signal.into(),
            },
            valid_from: at(
                "valid_from",
                self.valid_from.or_else(|| self.collected_at.clone()),
            )?,
            valid_until: at("valid_until", self.valid_until)?,
            notice: self.notice.map(Notice::read).transpose()?,
            method: match &self.method {
                Some(text) => code::<v1::CollectionMethod>("method", text)?,
                None => 0,
            },
            collected_at: at("collected_at", self.collected_at)?,
            representative_mandate_sha256: self
                .representative_mandate_sha256
                .map(|text| sha256("representative_mandate_sha256", &text))
                .transpose()?,
            interpreter: self.interpreter,
            attestations: Some(self.attestations.unwrap_or_default().into()),
        })
    }
}

impl Notice {
    fn read(self) -> Result<v1::NoticeText, String> {
        Ok(v1::NoticeText {
            sha256: sha256("notice.sha256", &self.sha256)?,
            version: self.version,
            language: self.language,
        })
    }
}

impl From<Attestations> for v1::Attestations {
    fn from(attestations: Attestations) -> Self {
        let Attestations {
            own_interest,
            help_question,
            refusal_without_detriment,
            alternative_offered,
        } = attestations;
        Self {
            own_interest,
            help_question,
            refusal_without_detriment,
            alternative_offered,
        }
    }
}

fn at(field: &str, text: Option<String>) -> Result<Option<prost_types::Timestamp>, String> {
    let parse = |text: String| instant::parse(&text).map_err(|rule| format!("{field} {rule}"));
    Ok(text.map(parse).transpose()?.map(instant::sent))
}

fn sha256(field: &str, text: &str) -> Result<prost::bytes::Bytes, String> {
    let bytes = hex::decode(text).ok().filter(|bytes| bytes.len() == 32);
    bytes
        .map(Into::into)
        .ok_or_else(|| format!("{field} must be a SHA-256: 64 hexadecimal digits"))
}

fn refused(said: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("The consent cannot be recorded: {said}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_with_the_field_names_of_the_interface() {
        let file: Consent = toml::from_str(
            "conditions = [\"HOUSING\"]\npurposes = [\"P-ARRANGE-HOUSING\"]\n\
             provider_party_ids = [\"gemeente-oost\"]\nrecipient_party_ids = [\"wonen-zuid\"]\n\
             collected_at = \"2026-11-23T10:00:00Z\"\nvalid_until = \"2027-02-01\"\nmethod = \"ORAL\"\n\
             [notice]\nversion = \"1\"\nlanguage = \"nl\"\nsha256 = \"00\"\n",
        )
        .unwrap();
        assert_eq!(file.state().unwrap(), i32::from(v1::ConsentState::Given));
        let failure = file.terms().unwrap_err();
        assert!(
            failure.message.contains("notice.sha256 must be a SHA-256"),
            "{}",
            failure.message
        );
    }

    #[test]
    fn a_consent_holds_from_when_it_was_collected_unless_said_otherwise() {
        let consent = Consent {
            collected_at: Some("2026-11-23T10:00:00Z".into()),
            ..Consent::default()
        };
        let sent = consent.terms().unwrap();
        assert_eq!(sent.valid_from, sent.collected_at);
        assert_eq!(sent.granularity(), v1::Granularity::Signal);
        assert_eq!(sent.valid_until, None);
    }
}
