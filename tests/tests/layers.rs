//! The layers of ARCHITECTURE.md, held to the code: who may depend on whom, and where the big foreign
//! crates may be used.
//!
//! Only what ships counts: dependencies of tests and build scripts are free. A new edge is a decision, so it
//! starts here, with a line in one of the tables below.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// Each crate, from the top layer to the bottom, and the crates of this workspace it may depend on.
/// Arrows point downward only, never sideways.
const DRAWING: &[(&str, &[&str])] = &[
    (
        "cli",
        &["server", "client", "store", "pki", "core", "audit", "api"],
    ),
    ("server", &["store", "pki", "core", "audit", "api"]),
    // A party's key is made where it stays, and its certificate read there: what renews itself needs both.
    ("client", &["pki", "core", "audit", "api"]),
    ("store", &["core", "audit"]),
    ("pki", &["core"]),
    ("core", &[]),
    ("audit", &[]),
    ("api", &[]),
];

/// Foreign crates that stay behind a fence, and the crates of this workspace inside it. A name that ends in
/// `*` stands for all that begin so.
const FENCES: &[(&str, &[&str], &str)] = &[
    (
        "anyhow",
        &["cli"],
        "errors have types everywhere but in `main`",
    ),
    (
        "ciborium",
        &["store", "audit"],
        "details and view rows are encoded where they are kept; erasures are read where they are verified",
    ),
    (
        "clap*",
        &["cli"],
        "the command line is a surface of its own",
    ),
    (
        "opentelemetry-proto",
        &["cli"],
        "a controller's logbook is fed from the log, never from telemetry",
    ),
    (
        "opentelemetry*",
        &["server"],
        "telemetry is a matter of the running broker",
    ),
    ("rcgen", &["pki"], "certificates are made in one place"),
    (
        "rustls",
        &["server", "client", "cli"],
        "TLS is where connections are",
    ),
    ("sled", &["store"], "its faults are contained in one crate"),
    (
        "tokio*",
        &["server", "client", "cli"],
        "rules, mathematics and effects know no runtime",
    ),
    (
        "tonic*",
        &["api", "server", "client", "cli"],
        "gRPC is where the wire is",
    ),
    (
        "tracing-opentelemetry",
        &["server"],
        "telemetry is a matter of the running broker",
    ),
    (
        "x509-parser",
        &["pki"],
        "certificates are read in one place",
    ),
];

/// Crates that nothing of the plain values may bring along, not even by way of another crate.
const NOT_IN_PLAIN_VALUES: &[&str] = &["hyper", "mio", "rustls", "sled", "socket2", "tokio"];

/// The crate that may use anything, because it tests everything.
const TESTS: &str = "tests";

#[test]
fn the_layers_are_those_of_the_drawing() {
    let graph = declared();
    for (package, _) in DRAWING {
        assert!(
            graph.contains_key(*package),
            "`{package}` is drawn but not in the workspace"
        );
    }
    assert!(
        graph["server"].contains("schakel-core"),
        "the edges were not read: {graph:?}"
    );
    let broken: Vec<String> = edges(&graph)
        .filter_map(|(from, to)| breach(from, to))
        .collect();
    assert!(
        broken.is_empty(),
        "edges against the drawing:\n{}",
        broken.join("\n")
    );
}

#[test]
fn rules_and_mathematics_bring_no_runtime_along() {
    let reached = resolved();
    for package in ["core", "audit"] {
        let found: Vec<_> = reached[package]
            .iter()
            .filter(|name| NOT_IN_PLAIN_VALUES.contains(&name.as_str()))
            .collect();
        assert!(
            found.is_empty(),
            "`schakel-{package}` brings along {found:?}: plain values know no clock, disk, socket or runtime"
        );
    }
    assert!(
        reached["store"].contains("sled"),
        "the graph was not followed: {:?}",
        reached["store"]
    );
    assert!(
        !reached["store"].contains("tokio"),
        "`schakel-store` brings along `tokio`: effects know no runtime"
    );
}

#[test]
fn nothing_that_ships_brings_what_is_for_tests_along() {
    let (mut shipping, mut testing) = (Vec::new(), 0);
    for package in list(&metadata(&["--no-deps"]), "packages") {
        let defaults = package["features"]["default"].as_array();
        assert!(defaults.is_none(), "a default feature could bring it along");
        for to in list(package, "dependencies") {
            if list(to, "features").iter().any(|name| name == "testing") {
                testing += 1;
                if to["kind"].is_null() {
                    shipping.push(format!("{} -> {}", text(package, "name"), text(to, "name")));
                }
            }
        }
    }
    assert!(testing > 0, "the feature `testing` was not found");
    assert_eq!(shipping, Vec::<String>::new());
}

#[test]
fn an_edge_against_the_drawing_is_named_with_its_rule() {
    fn told(from: &str, to: &str) -> String {
        breach(from, to).unwrap_or_default()
    }
    assert_eq!(
        told("core", "schakel-store"),
        "`schakel-core` -> `schakel-store`: `core` may depend on no crate of the workspace"
    );
    assert_eq!(
        told("client", "schakel-store"),
        "`schakel-client` -> `schakel-store`: `client` may depend on `pki`, `core`, `audit`, `api` only"
    );
    assert_eq!(
        told("server", "sled"),
        "`schakel-server` -> `sled`: only `store` may use it: its faults are contained in one crate"
    );
    assert_eq!(
        told("api", "tokio-stream"),
        "`schakel-api` -> `tokio-stream`: only `server`, `client`, `cli` may use it: \
         rules, mathematics and effects know no runtime"
    );
    assert!(told("console", "serde").contains("`console` is not in the drawing"));
    for (from, to) in [
        ("server", "client"),
        ("pki", "store"),
        ("store", "pki"),
        ("audit", "core"),
    ] {
        assert_ne!(
            told(from, &format!("schakel-{to}")),
            "",
            "{from} -> {to} passes"
        );
    }
    for (from, to) in [
        ("store", "sled"),
        ("cli", "schakel-server"),
        (TESTS, "rcgen"),
        ("core", "serde"),
    ] {
        assert_eq!(told(from, to), "", "{from} -> {to} does not pass");
    }
}

/// What is wrong with this edge, if anything is.
fn breach(from: &str, to: &str) -> Option<String> {
    if from == TESTS {
        return None;
    }
    let Some((_, below)) = DRAWING.iter().find(|(package, _)| *package == from) else {
        return Some(format!(
            "`{from}` is not in the drawing: decide on its layer and draw it"
        ));
    };
    let edge = format!("`schakel-{from}` -> `{to}`");
    if let Some(own) = to.strip_prefix("schakel-") {
        let rule = match below {
            [] => "no crate of the workspace".to_owned(),
            below => format!("{} only", listed(below)),
        };
        return (!below.contains(&own)).then(|| format!("{edge}: `{from}` may depend on {rule}"));
    }
    let (_, inside, reason) = FENCES.iter().find(|(foreign, ..)| matches(foreign, to))?;
    (!inside.contains(&from))
        .then(|| format!("{edge}: only {} may use it: {reason}", listed(inside)))
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == name, |start| name.starts_with(start))
}

fn listed(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

type Graph = BTreeMap<String, BTreeSet<String>>;

fn edges(graph: &Graph) -> impl Iterator<Item = (&str, &str)> {
    graph
        .iter()
        .flat_map(|(from, to)| to.iter().map(move |to| (from.as_str(), to.as_str())))
}

/// The dependencies that the manifests of the workspace declare, by the crate's name without `schakel-`.
fn declared() -> Graph {
    let metadata = metadata(&["--no-deps"]);
    let packages = list(&metadata, "packages").iter();
    packages
        .map(|package| {
            let normal = list(package, "dependencies")
                .iter()
                .filter(|to| to["kind"].is_null());
            (
                short(text(package, "name")),
                normal.map(|to| text(to, "name").to_owned()).collect(),
            )
        })
        .collect()
}

/// What each crate of the workspace brings along on this platform, by any number of steps.
fn resolved() -> Graph {
    let metadata = metadata(&["--filter-platform", &host()]);
    let packages = list(&metadata, "packages").iter();
    let names: BTreeMap<&str, &str> = packages
        .map(|package| (text(package, "id"), text(package, "name")))
        .collect();
    let nodes = list(&metadata["resolve"], "nodes").iter();
    let direct: BTreeMap<&str, Vec<&str>> = nodes
        .map(|node| (text(node, "id"), normal_dependencies(node)))
        .collect();
    list(&metadata, "workspace_members")
        .iter()
        .filter_map(Value::as_str)
        .map(|member| {
            let (mut seen, mut waiting) = (BTreeSet::new(), vec![member]);
            while let Some(id) = waiting.pop() {
                waiting.extend(direct[id].iter().filter(|next| seen.insert(**next)));
            }
            (
                short(names[member]),
                seen.into_iter().map(|id| names[id].to_owned()).collect(),
            )
        })
        .collect()
}

fn normal_dependencies(node: &Value) -> Vec<&str> {
    let ships = |to: &&Value| {
        list(to, "dep_kinds")
            .iter()
            .any(|kind| kind["kind"].is_null())
    };
    list(node, "deps")
        .iter()
        .filter(ships)
        .map(|to| text(to, "pkg"))
        .collect()
}

/// Asks cargo, without the network and without touching the lock file.
fn metadata(arguments: &[&str]) -> Value {
    let answer = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        answer.status.success(),
        "{}",
        String::from_utf8_lossy(&answer.stderr)
    );
    serde_json::from_slice(&answer.stdout).expect("cargo metadata answers in JSON")
}

/// The platform this test runs on, as rustc names it.
fn host() -> String {
    let answer = Command::new("rustc")
        .arg("-vV")
        .output()
        .expect("rustc runs");
    let answer = String::from_utf8(answer.stdout).expect("rustc answers in UTF-8");
    let host = answer.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_owned()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field]
        .as_array()
        .unwrap_or_else(|| panic!("no list `{field}`"))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no text `{field}`"))
}

fn short(package: &str) -> String {
    package
        .strip_prefix("schakel-")
        .unwrap_or(package)
        .to_owned()
}

/// What holds of the text of the code.
mod layers {
    mod text;
}
