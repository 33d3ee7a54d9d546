//! The example parses, and each way to get it wrong is told in one sentence.

use super::*;

const EXAMPLE: &str = include_str!("../../../../deploy/schakel.toml");

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("schakel.toml"), Path::new("/etc/schakel"))
}

fn edited(from: &str, to: &str) -> String {
    assert!(EXAMPLE.contains(from), "nothing to edit: {from}");
    match parse(&EXAMPLE.replacen(from, to, 1)) {
        Ok(_) => format!("no error: {to}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_example_parses_and_shows_the_defaults() {
    let config = parse(EXAMPLE).unwrap();
    assert_eq!(config.broker.environment, Environment::Production);
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.inbox, Inbox::default());
    assert_eq!(config.publication, Publication::default());
    assert_eq!(config.telemetry, Telemetry::default());
    assert_eq!(config.tls.reload_every, tls::default_reload_every());
}

#[test]
fn what_may_be_left_out_has_the_value_of_the_example() {
    let short: String = EXAMPLE
        .split_inclusive("\n\n")
        .filter(|part| {
            ![
                "[limits]",
                "[telemetry]",
                "[inbox]",
                "[publication]",
                "[retention]",
            ]
            .iter()
            .any(|s| part.contains(s))
        })
        .collect();
    assert!(short.len() < EXAMPLE.len());
    assert_eq!(parse(&short).unwrap(), parse(EXAMPLE).unwrap());
}

#[test]
fn relative_paths_count_from_the_file() {
    let config = parse(&EXAMPLE.replacen("/etc/schakel/tls/broker.key.pem", "keys/broker.pem", 1));
    assert_eq!(
        config.unwrap().tls.key,
        Path::new("/etc/schakel/keys/broker.pem")
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Path::new("/nowhere/schakel.toml")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`/nowhere/schakel.toml` cannot be read: give the path of a configuration file that can"
    );
}

/// An error with the number of its line left out.
fn without_line(error: &str) -> String {
    match error.split_once(", line ") {
        Some((before, after)) => {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}, line N{rest}")
        }
        None => error.to_owned(),
    }
}

#[test]
fn an_error_names_its_line() {
    let told = edited("address = ", "adress = ");
    let line = EXAMPLE
        .lines()
        .position(|line| line.starts_with("address = "));
    let named = format!("line {}, `listen.adress`", line.unwrap() + 1);
    assert!(told.contains(&named), "{told}");
}

/// Ways to get the example wrong: what stands there, and what instead.
const EDITS: &[(&str, &str)] = &[
    ("address = ", "adress = "),
    ("origin = \"schakel.example.nl/log\"\n", ""),
    ("[tls]", "[ssl]"),
    ("= \"production\"", "= \"prod\""),
    ("\"0.0.0.0:7443\"", "\"localhost\""),
    (
        "handshake_timeout = \"10s\"",
        "handshake_timeout = \"10 lightyears\"",
    ),
    ("handshake_timeout = \"10s\"", "handshake_timeout = 10"),
    ("handshake_timeout = \"10s\"", "handshake_timeout = \"0s\""),
    ("connection_age = \"1h\"", "connection_age = \"25h\""),
    ("calls = 8192", "calls = 0"),
    ("calls = 8192", "calls = -1"),
    ("message_bytes = 65536", "message_bytes = 104857600"),
    ("[[tls.anchor.crl]]\nfile =", "[[tls.anchor.crl]]\n# file ="),
    (
        "[[tls.anchor]]",
        "[[tls.anchor]]\nname = \"second\"\ncertificates = \"ca.pem\"\ncrl = [{ file = \"ca.crl\" }]\n[[tls.anchor]]",
    ),
    ("[[tls.anchor]]", "[[tls.anchor]]\npolicies = [\"any\"]"),
    ("usages = [\"clientAuth\"]", "usages = [\"everything\"]"),
    ("name = \"own\"", "name = \"Own CA\""),
    (
        "[[tls.anchor.crl]]\nfile = \"/etc/schakel/tls/issuing-ca.crl.pem\"",
        "[[tls.anchor.crl]]\nurl = \"https://crl.example.nl/ca.crl\"",
    ),
    ("schakel.example.nl/log", "the log of schakel"),
    ("/var/lib/schakel-keyring", "/var/lib/schakel/keyring"),
    ("/etc/schakel/secret/kek", "/var/lib/schakel-keyring/kek"),
    (
        "# otlp_endpoint = \"http://127.0.0.1:4317\"",
        "otlp_endpoint = \"https://collector\"",
    ),
    (
        "# otlp_endpoint = \"http://127.0.0.1:4317\"",
        "otlp_endpoint = \"https://collector.example.nl:4317\"",
    ),
    ("# otlp_ca = ", "otlp_ca = "),
    ("trace_ratio = 0.01", "trace_ratio = 1.5"),
    ("log = \"info\"", "log = \"info,schakel=loud\""),
    ("heartbeat = \"20s\"", "heartbeat = \"\""),
    ("every = \"10s\"", "every = \"10ms\""),
    ("refresh_every = \"10m\"", "refresh_every = \"2d\""),
    ("anchor = \"every-publication\"", "anchor = \"every-batch\""),
    (
        "# anchor_file = \"/mnt/anchor",
        "anchor_file = \"/var/lib/schakel/anchor",
    ),
    (
        "# dir = \"/var/lib/schakel-published",
        "dir = \"/var/lib/schakel/log/public",
    ),
    ("standard_months = 61", "standard_months = 48"),
    ("care_months = 61", "care_months = 60"),
    ("case_days = 180", "case_days = 185"),
    ("[listen]", "[listen"),
];

#[test]
fn each_error_is_one_sentence_with_the_key_and_the_remedy() {
    let golden = include_str!("tests/errors.txt");
    // Which line it is depends on how long the comments of the example are.
    let told = EDITS
        .iter()
        .map(|(from, to)| without_line(&edited(from, to)));
    let told: Vec<String> = told.collect();
    assert_eq!(
        told.join(
            "
"
        ),
        golden.trim_end()
    );
}

#[test]
fn an_authority_of_the_broker_and_its_passphrase_are_kept_apart() {
    let with = |lines: &str| {
        let text = format!("{EXAMPLE}\n[enrolment]\naddress = \"127.0.0.1:7444\"\n{lines}");
        parse(&text).map_err(|error| error.to_string())
    };
    let config = with("").unwrap().enrolment.unwrap();
    assert_eq!(
        (config.attempts_per_minute, config.attempts_per_address),
        (60, 10)
    );
    let issuing = |lines: &str| with(&format!("[enrolment.issuing]\n{lines}"));
    let config = issuing("authority = \"issuing\"\npassphrase_file = \"phrase\"\n").unwrap();
    let own = config.enrolment.unwrap().issuing.unwrap();
    assert_eq!(own.authority, Path::new("/etc/schakel/issuing"));
    assert_eq!(own.days, 30);
    let inside = issuing("authority = \"issuing\"\npassphrase_file = \"issuing/phrase\"\n");
    assert!(
        inside
            .unwrap_err()
            .contains("must not lie inside `enrolment.issuing.authority`")
    );
    let published = issuing(
        "authority = \"issuing\"\npassphrase_file = \"phrase\"\npublic = \"issuing/public\"\n",
    );
    assert!(
        published
            .unwrap_err()
            .contains("what is in it is published")
    );
    let apart = issuing("authority = \"a\"\npassphrase_file = \"b\"\npublic = \"c\"\n");
    let own = apart.unwrap().enrolment.unwrap().issuing.unwrap();
    assert_eq!(own.public.as_deref(), Some(Path::new("/etc/schakel/c")));
    let long = issuing("authority = \"a\"\npassphrase_file = \"b\"\ndays = 91\n");
    assert!(
        long.unwrap_err()
            .contains("`enrolment.issuing.days` must be from 1 to 90")
    );
    assert!(with("attempts_per_minute = 0\n").is_err());
}
