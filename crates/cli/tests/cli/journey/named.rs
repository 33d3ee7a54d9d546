//! Who calls is what the certificate says.

use std::process::Command;

use super::{BSN, Broker, SCHAKEL};

/// The party to which receipts are held comes from the broker, and the key of the log from beside the certificate.
#[test]
fn a_party_need_not_be_named_where_its_files_are() {
    let broker = Broker::start();
    let file = |name: &str| broker.path("certificates").join(name);
    let withdraw = |files: &[(&str, &str)]| {
        let mut command = Command::new(SCHAKEL);
        command.args(["consent", "withdraw", "--bsn", BSN, "--actor", "employee-1"]);
        command.args(["--server", &broker.address]);
        for (option, name) in files {
            command.arg(option).arg(file(name));
        }
        for unset in ["SCHAKEL_AS", "SCHAKEL_CERTIFICATES"] {
            command.env_remove(unset);
        }
        command.env("XDG_CONFIG_HOME", broker.dir.path());
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    };
    let own = [
        ("--certificate", "gemeente-oost.cert.pem"),
        ("--key", "gemeente-oost.key.pem"),
        ("--ca", "ca.cert.pem"),
    ];
    assert_eq!(withdraw(&own), (Some(0), String::new()));
    let (exit, said) = withdraw(&own[..1]);
    assert!(exit == Some(2) && said.contains("--key"), "{said}");
}
