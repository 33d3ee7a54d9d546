"""Judges what sslyze found: no version, suite or curve beyond what NCSC calls good or sufficient, and no fault."""

import json
import sys

TLS_13 = {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"}
# The broker's certificate has a key on P-256, so that of the six for TLS 1.2 three can be agreed on.
TLS_12 = {
    f"TLS_ECDHE_{key}_WITH_{cipher}"
    for key in ("ECDSA", "RSA")
    for cipher in ("AES_256_GCM_SHA384", "AES_128_GCM_SHA256", "CHACHA20_POLY1305_SHA256")
}
CURVES = {"X25519", "secp256r1", "secp384r1"}


def main(path: str, oldest: str) -> None:
    with open(path, encoding="utf-8") as file:
        scanned = json.load(file)["server_scan_results"][0]
    wrong = []
    if scanned["scan_status"] != "COMPLETED":
        sys.exit(f"the scan did not complete: {scanned['scan_status']}, {scanned['connectivity_error_trace']}")
    found = {}
    for what, scan in scanned["scan_result"].items():
        if scan["status"] == "COMPLETED":
            found[what] = scan["result"]
        elif scan["status"] != "NOT_SCHEDULED":
            wrong.append(f"{what} was not judged: {scan['error_reason']}")

    def expect(what, condition):
        if not condition:
            wrong.append(what)

    accepted = {
        version: {
            suite["cipher_suite"]["name"]
            for suite in found[f"{version}_cipher_suites"]["accepted_cipher_suites"]
        }
        for version in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2", "tls_1_3")
    }
    for version in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
        expect(f"{version} is spoken", not accepted[version])
    expect("TLS 1.3 with other suites than it should", accepted["tls_1_3"] == TLS_13)
    if oldest == "1.2":
        expect("TLS 1.2 with other suites than it should", accepted["tls_1_2"] and accepted["tls_1_2"] <= TLS_12)
    else:
        expect("TLS 1.2 is spoken", not accepted["tls_1_2"])
    curves = {curve["name"] for curve in found["elliptic_curves"]["supported_curves"]}
    expect(f"other curves than it should: {sorted(curves)}", curves == CURVES)
    expect("compression", not found["tls_compression"]["supports_compression"])
    expect("CCS injection", not found["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"])
    expect("Heartbleed", not found["heartbleed"]["is_vulnerable_to_heartbleed"])
    expect("ROBOT", found["robot"]["robot_result"].startswith("NOT_VULNERABLE"))
    renegotiation = found["session_renegotiation"]
    expect("renegotiation by clients", not renegotiation["is_vulnerable_to_client_renegotiation_dos"])
    resumption = found["session_resumption"]
    resumed = [resumption[f"{kind}_successful_resumptions_count"] for kind in ("session_id", "tls_ticket")]
    expect("sessions are resumed", resumed == [0, 0])
    expect("no extended master secret", found["tls_extended_master_secret"]["supports_ems_extension"])
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"TLS from {oldest} on: {', '.join(sorted(accepted['tls_1_3'] | accepted['tls_1_2']))}; {sorted(curves)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
