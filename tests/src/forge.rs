//! Certificates as no honest authority of the project makes them: with intermediates, other keys, other usages,
//! two numbers, or signed by the wrong one.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension,
    DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, RevokedCertParams,
    RsaKeySize, SerialNumber, SigningKey as _,
};
use schakel_core::time::Timestamp;
use schakel_pki::{authority::Issued, identity::parse_peer_pem};
use time::OffsetDateTime;

/// The arcs of Subject.serialNumber, which holds the OIN.
const SERIAL_NUMBER: [u64; 4] = [2, 5, 4, 5];
/// The arcs of an attribute whose identifier is as long: it becomes a second serialNumber.
const TITLE: [u64; 4] = [2, 5, 4, 12];

/// An authority that issues what it is told to.
pub struct Forge {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    serial: Vec<u8>,
    now: Timestamp,
    key: Key,
}

/// What a forged certificate says.
#[derive(Clone, Debug)]
pub struct Forged {
    /// The number, as it stands in Subject.serialNumber.
    pub oin: String,
    /// A second number.
    pub second_oin: Option<String>,
    /// What it may be used for; empty leaves the extension out.
    pub usages: Vec<ExtendedKeyUsagePurpose>,
    /// The first and the last day, counted from the forge's now.
    pub days: (i64, i64),
    /// The policy under which it is issued.
    pub policy: Option<Vec<u64>>,
    /// Its key.
    pub key: Key,
    /// Whether it is an authority itself.
    pub is_authority: bool,
}

/// The key of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// RSA of 2048 bits.
    Rsa2048,
    /// RSA of 3072 bits.
    Rsa3072,
    /// RSA of 4096 bits.
    Rsa4096,
}

impl Forged {
    /// An ordinary client certificate for a number.
    #[must_use]
    pub fn of(oin: &str) -> Self {
        Self {
            oin: oin.to_owned(),
            second_oin: None,
            usages: vec![ExtendedKeyUsagePurpose::ClientAuth],
            days: (0, 30),
            policy: None,
            key: Key::P256,
            is_authority: false,
        }
    }
}

impl Forge {
    /// A root with a key on P-256.
    #[must_use]
    pub fn root(name: &str, now: Timestamp) -> Self {
        Self::root_of(Key::P256, name, now)
    }

    /// A root with a key of this kind; authorities below it have one of the same.
    #[must_use]
    pub fn root_of(kind: Key, name: &str, now: Timestamp) -> Self {
        let (key, params) = (kind.generate(), authority(name, now));
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            pem: certificate.pem(),
            serial: serial_of(&params),
            issuer: Issuer::new(params, key),
            now,
            key: kind,
        }
    }

    /// An authority below this one.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        let (key, params) = (self.key.generate(), authority(name, self.now));
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Self {
            pem: certificate.pem(),
            serial: serial_of(&params),
            issuer: Issuer::new(params, key),
            now: self.now,
            key: self.key,
        }
    }

    /// The certificate of the authority, PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Issues what it is told to.
    #[must_use]
    pub fn issue(&self, what: &Forged) -> Issued {
        let key = what.key.generate();
        let params = what.params(self.now);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let der = match &what.second_oin {
            Some(_) => self.with_two_numbers(certificate.der()),
            None => certificate.der().to_vec(),
        };
        Issued {
            cert_pem: pem_of("CERTIFICATE", &der),
            key_pem: key.serialize_pem(),
        }
    }

    /// A certificate that its own key signed.
    #[must_use]
    pub fn self_signed(what: &Forged, now: Timestamp) -> Issued {
        let key = what.key.generate();
        let certificate = what.params(now).self_signed(&key).expect("a certificate");
        Issued {
            cert_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }

    /// The serial number of the authority's certificate.
    #[must_use]
    pub fn serial(&self) -> Vec<u8> {
        self.serial.clone()
    }

    /// A revocation list, PEM, that counts for seven days from `from`.
    #[must_use]
    pub fn list(&self, revoked: &[&Issued], number: u64, from: Timestamp) -> String {
        let serials: Vec<_> = revoked
            .iter()
            .map(|issued| {
                parse_peer_pem(&issued.cert_pem)
                    .expect("a certificate")
                    .serial
                    .as_bytes()
                    .to_vec()
            })
            .collect();
        self.list_of(&serials, number, from)
    }

    /// As [`Self::list`], by serial numbers.
    #[must_use]
    pub fn list_of(&self, revoked: &[Vec<u8>], number: u64, from: Timestamp) -> String {
        let this_update = moment(from, 0);
        let entry = |serial: &Vec<u8>| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: this_update,
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update,
            next_update: moment(from, 7),
            crl_number: number.into(),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer)
            .expect("a list")
            .pem()
            .expect("PEM")
    }

    /// The library writes no attribute twice, so the second is written as another, renamed, and signed anew.
    fn with_two_numbers(&self, der: &[u8]) -> Vec<u8> {
        let (from, to) = (b"\x06\x03\x55\x04\x0c", b"\x06\x03\x55\x04\x05");
        let mut der = der.to_vec();
        let at = der
            .windows(5)
            .position(|window| window == from)
            .expect("the attribute");
        der[at..at + 5].copy_from_slice(to);
        let body = &der[header(&der).0..];
        let (head, length) = header(body);
        let signed = &body[..head + length];
        let rest = &body[head + length..];
        let (head, length) = header(rest);
        let algorithm = &rest[..head + length];
        let signature = self.issuer.key().sign(signed).expect("a signature");
        let bits = [&[0][..], &signature].concat();
        sequence(0x30, &[signed, algorithm, &sequence(0x03, &bits)].concat())
    }
}

impl std::fmt::Debug for Forge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Forge").finish_non_exhaustive()
    }
}

impl Forged {
    fn params(&self, now: Timestamp) -> CertificateParams {
        let mut params = CertificateParams::default();
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationName, "Vervalst");
        let number = |oin: &String| DnValue::Utf8String(oin.clone());
        name.push(
            DnType::CustomDnType(SERIAL_NUMBER.to_vec()),
            number(&self.oin),
        );
        if let Some(second) = &self.second_oin {
            name.push(DnType::CustomDnType(TITLE.to_vec()), number(second));
        }
        params.distinguished_name = name;
        (params.not_before, params.not_after) =
            (moment(now, self.days.0), moment(now, self.days.1));
        params.serial_number = Some(fresh_serial());
        params.extended_key_usages.clone_from(&self.usages);
        params.use_authority_key_identifier_extension = true;
        params.is_ca = if self.is_authority {
            IsCa::Ca(BasicConstraints::Unconstrained)
        } else {
            IsCa::ExplicitNoCa
        };
        if let Some(policy) = &self.policy {
            params.custom_extensions.push(policies(policy));
        }
        params
    }
}

impl Key {
    fn generate(self) -> KeyPair {
        let key = match self {
            Self::P256 => KeyPair::generate(),
            Self::P384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
            Self::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
            Self::Rsa3072 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072),
            Self::Rsa4096 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_4096),
        };
        key.expect("a key")
    }
}

fn authority(name: &str, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    params.serial_number = Some(fresh_serial());
    (params.not_before, params.not_after) = (moment(now, -1), moment(now, 365));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params
}

fn serial_of(params: &CertificateParams) -> Vec<u8> {
    params.serial_number.as_ref().expect("a number").to_bytes()
}

fn fresh_serial() -> SerialNumber {
    let mut bytes = *uuid::Uuid::from_u128(rand()).as_bytes();
    bytes[0] = (bytes[0] & 0x3f) | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn rand() -> u128 {
    use schakel_core::random::Random as _;
    let mut bytes = [0; 16];
    schakel_store::random::OsRandom.fill(&mut bytes);
    u128::from_be_bytes(bytes)
}

/// The extension certificatePolicies with one policy (RFC 5280 4.2.1.4).
fn policies(policy: &[u64]) -> CustomExtension {
    let [first, second, rest @ ..] = policy else {
        panic!("a policy has arcs");
    };
    let mut oid = vec![u8::try_from(first * 40 + second).expect("a small arc")];
    for arc in rest {
        let groups = (0..9)
            .rev()
            .map(|at| u8::try_from((arc >> (7 * at)) & 0x7f).expect("7 bits"));
        let mut groups: Vec<u8> = groups.skip_while(|group| *group == 0).collect();
        if groups.is_empty() {
            groups.push(0);
        }
        let last = groups.len() - 1;
        groups[..last].iter_mut().for_each(|group| *group |= 0x80);
        oid.extend(groups);
    }
    let information = sequence(0x30, &sequence(0x06, &oid));
    CustomExtension::from_oid_content(&[2, 5, 29, 32], sequence(0x30, &information))
}

fn moment(now: Timestamp, days: i64) -> OffsetDateTime {
    let seconds = i64::try_from(now.as_millis() / 1000).expect("seconds") + days * 86_400;
    OffsetDateTime::from_unix_timestamp(seconds).expect("an instant")
}

/// How long the header of a DER value is, and how long its content.
fn header(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short @ 0..0x80 => (2, short.into()),
        long => {
            let count = usize::from(long & 0x7f);
            let length = der[2..2 + count]
                .iter()
                .fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
            (2 + count, length)
        }
    }
}

fn sequence(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    match length {
        0..0x80 => der.push(u8::try_from(length).expect("short")),
        0x80..0x100 => der.extend([0x81, u8::try_from(length).expect("a byte")]),
        _ => {
            let bytes = u16::try_from(length).expect("not that long").to_be_bytes();
            der.extend([0x82, bytes[0], bytes[1]]);
        }
    }
    der.extend(content);
    der
}

fn pem_of(label: &str, der: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}
