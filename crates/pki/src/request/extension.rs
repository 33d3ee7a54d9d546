//! The extensions of a request: each must be one that the certificate gets anyway.

use std::{collections::BTreeSet, net::IpAddr};

use x509_parser::extensions::{
    ExtendedKeyUsage, GeneralName, KeyUsage, ParsedExtension, X509Extension,
};

use super::refusal::{Refusal, name_of};
use crate::profile::{Holder, address};

pub(super) fn check(extensions: &[X509Extension<'_>], holder: &Holder, refused: &mut Vec<Refusal>) {
    let mut seen = BTreeSet::new();
    for extension in extensions {
        let name = || name_of(&extension.oid);
        if !seen.insert(extension.oid.to_id_string()) {
            refused.push(Refusal::ExtensionTwice { name: name() });
        }
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) => {
                if constraints.ca || constraints.path_len_constraint.is_some() {
                    refused.push(Refusal::Authority);
                }
            }
            ParsedExtension::KeyUsage(usage) => check_usage(*usage, holder, refused),
            ParsedExtension::ExtendedKeyUsage(usage) => check_extended(usage, holder, refused),
            ParsedExtension::SubjectAlternativeName(names) => {
                for name in &names.general_names {
                    check_name(name, holder, refused);
                }
            }
            // Says of the key what is computed from it here; keytool puts it into every request.
            ParsedExtension::SubjectKeyIdentifier(_) => {}
            ParsedExtension::ParseError { .. } => {
                refused.push(Refusal::ExtensionMalformed { name: name() });
            }
            _ => refused.push(Refusal::Extension { name: name() }),
        }
    }
}

/// In the order of their bits (RFC 5280 4.2.1.3).
const USAGES: [&str; 9] = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];

fn check_usage(usage: KeyUsage, holder: &Holder, refused: &mut Vec<Refusal>) {
    let profile = holder.profile.code();
    // The first, digitalSignature, is what every certificate has, and all that TLS 1.3 needs.
    for (bit, name) in USAGES.iter().enumerate().skip(1) {
        if usage.flags & (1 << bit) != 0 {
            let usage = (*name).to_owned();
            refused.push(Refusal::Usage { usage, profile });
        }
    }
}

fn check_extended(usage: &ExtendedKeyUsage<'_>, holder: &Holder, refused: &mut Vec<Refusal>) {
    let profile = holder.profile.code();
    let asked = [
        ("anyExtendedKeyUsage", usage.any),
        ("serverAuth", usage.server_auth && !holder.profile.serves()),
        ("codeSigning", usage.code_signing),
        ("emailProtection", usage.email_protection),
        ("timeStamping", usage.time_stamping),
        ("OCSPSigning", usage.ocsp_signing),
    ];
    let asked = asked.into_iter().filter(|(_, asked)| *asked);
    let named = asked.map(|(name, _)| name.to_owned());
    let others = usage.other.iter().map(name_of);
    refused.extend(
        named
            .chain(others)
            .map(|usage| Refusal::Usage { usage, profile }),
    );
}

fn check_name(name: &GeneralName<'_>, holder: &Holder, refused: &mut Vec<Refusal>) {
    let granted = match name {
        GeneralName::DNSName(name) => holder.hosts.iter().any(|host| host == name),
        GeneralName::IPAddress(bytes) => address(bytes).is_some_and(|asked| {
            let own = |host: &String| host.parse::<IpAddr>().is_ok_and(|own| own == asked);
            holder.hosts.iter().any(own)
        }),
        _ => false,
    };
    if !granted {
        let name = match name {
            GeneralName::IPAddress(bytes) => {
                address(bytes).map_or_else(|| name.to_string(), |address| address.to_string())
            }
            GeneralName::DNSName(name) => (*name).to_owned(),
            _ => name.to_string(),
        };
        let name = name.chars().take(120).flat_map(char::escape_debug);
        refused.push(Refusal::AlternativeName {
            name: name.collect(),
        });
    }
}
