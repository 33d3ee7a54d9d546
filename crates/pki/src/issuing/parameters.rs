//! What stands in the certificates of an authority. Nothing is left to the defaults of the library.

use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName,
    DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, string::PrintableString,
};
use schakel_core::random::Random;

use super::{AuthorityName, IssueError, PolicyId, Terms};
use crate::{
    authority::parameters::{SERIAL_NUMBER, alternative_names, dated, printable},
    profile::Holder,
    request::COUNTRY,
    validity::Validity,
};

/// certificatePolicies.
const POLICIES: [u64; 4] = [2, 5, 29, 32];

/// A root: one authority may stand between it and a certificate.
pub(super) fn of_root(
    own: &AuthorityName,
    validity: Validity,
    random: &mut dyn Random,
) -> CertificateParams {
    of_authority(own, 1, validity, random)
}

/// An authority below a root: it signs end entities only.
pub(super) fn of_issuing(
    own: &AuthorityName,
    validity: Validity,
    terms_above: &Terms,
    policy: Option<&PolicyId>,
    random: &mut dyn Random,
) -> CertificateParams {
    let mut params = of_authority(own, 0, validity, random);
    params.use_authority_key_identifier_extension = true;
    params.crl_distribution_points = vec![list_at(&terms_above.list_url)];
    params.custom_extensions = policy.map(policies).into_iter().collect();
    params
}

/// The certificate of a holder.
pub(super) fn of_holder(
    holder: &Holder,
    validity: Validity,
    terms: &Terms,
    random: &mut dyn Random,
) -> Result<CertificateParams, IssueError> {
    let mut params = dated(validity, random);
    params.distinguished_name = of_subject(holder)?;
    params.subject_alt_names = alternative_names(&holder.hosts)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    if holder.profile.serves() {
        let serving = ExtendedKeyUsagePurpose::ServerAuth;
        params.extended_key_usages.push(serving);
    }
    params.crl_distribution_points = vec![list_at(&terms.list_url)];
    params.custom_extensions = terms.policy.as_ref().map(policies).into_iter().collect();
    Ok(params)
}

/// The subject of a holder.
pub(crate) fn of_subject(holder: &Holder) -> Result<DistinguishedName, IssueError> {
    let mut subject = name(&holder.name, &holder.name);
    if let Some(unit) = &holder.unit {
        subject.push(DnType::OrganizationalUnitName, unit);
    }
    subject.push(
        DnType::CustomDnType(SERIAL_NUMBER.to_vec()),
        printable(&holder.oin)?,
    );
    Ok(subject)
}

fn of_authority(
    own: &AuthorityName,
    below: u8,
    validity: Validity,
    random: &mut dyn Random,
) -> CertificateParams {
    let mut params = dated(validity, random);
    params.distinguished_name = name(&own.common_name, &own.organisation);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn name(common_name: &str, organisation: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    // A country is a PrintableString (RFC 5280, appendix A.1); the library would make it UTF-8.
    if let Ok(country) = PrintableString::try_from(COUNTRY) {
        name.push(DnType::CountryName, DnValue::PrintableString(country));
    }
    name.push(DnType::OrganizationName, organisation);
    name.push(DnType::CommonName, common_name);
    name
}

fn list_at(url: &str) -> CrlDistributionPoint {
    CrlDistributionPoint {
        uris: vec![url.to_owned()],
    }
}

/// One policy, without qualifiers: SEQUENCE { SEQUENCE { OBJECT IDENTIFIER } }.
fn policies(policy: &PolicyId) -> CustomExtension {
    // An identifier has at most 102 bytes, so every length is one byte.
    let sequence = |content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
        [&[0x30, length], content].concat()
    };
    CustomExtension::from_oid_content(&POLICIES, sequence(&sequence(&policy.der())))
}
