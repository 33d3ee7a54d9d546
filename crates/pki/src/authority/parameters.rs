//! What stands in a certificate. The library's defaults are wrong for us in five places: dates, serial
//! number, authority key identifier, basicConstraints and usages; all five are set here, and here only.

use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType, SerialNumber, string::PrintableString,
};
use schakel_core::{id::Oin, random::Random};

use super::IssueError;
use crate::{
    identity::DEVELOPMENT_ORGANISATION,
    organisation::Organisation,
    profile::is_host,
    validity::{Validity, to_date_time},
};

/// The commonName of the development authority.
const COMMON_NAME: &str = "Schakel development CA";

/// The arcs of the attribute serialNumber, which holds the OIN of an organisation.
pub(crate) const SERIAL_NUMBER: [u64; 4] = [2, 5, 4, 5];

/// The bytes of a certificate's own serial number. RFC 5280 4.1.2.2 admits 20, sign included.
const SERIAL_LENGTH: usize = 16;

/// The certificate of the development authority.
pub(super) fn of_authority(validity: Validity, random: &mut dyn Random) -> CertificateParams {
    let mut params = dated(validity, random);
    params.distinguished_name = name(COMMON_NAME, DEVELOPMENT_ORGANISATION);
    // It signs end entities only: a path length of 0 refuses every authority below it.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// The certificate of an organisation.
pub(super) fn of_organisation(
    organisation: &Organisation,
    validity: Validity,
    random: &mut dyn Random,
) -> Result<CertificateParams, IssueError> {
    let mut params = dated(validity, random);
    params.distinguished_name = subject(organisation)?;
    params.subject_alt_names = alternative_names(&organisation.hosts)?;
    // Without "explicit" the extension basicConstraints would be left out altogether.
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    if organisation.is_broker() {
        params
            .extended_key_usages
            .push(ExtendedKeyUsagePurpose::ServerAuth);
    }
    Ok(params)
}

/// Parameters with the dates and the serial number set: the library's own would run from 1975 to 4096,
/// and give one key the same serial number for ever, so that revoking one certificate revokes its successor.
pub(crate) fn dated(validity: Validity, random: &mut dyn Random) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = to_date_time(validity.not_before());
    params.not_after = to_date_time(validity.not_after());
    params.serial_number = Some(draw_serial(random));
    params
}

/// A positive number of exactly sixteen bytes: 126 random bits.
fn draw_serial(random: &mut dyn Random) -> SerialNumber {
    let mut bytes = [0; SERIAL_LENGTH];
    random.fill(&mut bytes);
    let [first, ..] = &mut bytes;
    *first = (*first & 0x3f) | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn subject(organisation: &Organisation) -> Result<DistinguishedName, IssueError> {
    let mut subject = name(&organisation.name, &organisation.name);
    if let Some(unit) = &organisation.unit {
        subject.push(DnType::OrganizationalUnitName, unit);
    }
    subject.push(
        DnType::CustomDnType(SERIAL_NUMBER.to_vec()),
        printable(&organisation.oin)?,
    );
    Ok(subject)
}

fn name(common_name: &str, organisation: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "NL");
    name.push(DnType::OrganizationName, organisation);
    name.push(DnType::CommonName, common_name);
    name
}

pub(crate) fn printable(oin: &Oin) -> Result<DnValue, IssueError> {
    Ok(DnValue::PrintableString(PrintableString::try_from(
        oin.as_str(),
    )?))
}

pub(crate) fn alternative_names(hosts: &[String]) -> Result<Vec<SanType>, IssueError> {
    let name = |host: &String| {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(SanType::IpAddress(address));
        }
        let refused = || IssueError::Host { host: host.clone() };
        let host = is_host(host).then_some(host.as_str()).ok_or_else(refused)?;
        Ok(SanType::DnsName(host.try_into()?))
    };
    hosts.iter().map(name).collect()
}
