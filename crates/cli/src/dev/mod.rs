//! `schakel dev`: one command on a fresh machine, from nothing to an audited exchange.

pub(crate) mod broker;
mod bundle;
mod outsider;
mod say;
mod scene;
mod story;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use aws_lc_rs::digest;
use schakel_client::{Client, ClientConfig, Identity, Trail};
use schakel_core::id::Oin;
use schakel_pki::develop::AUTHORITY_CERTIFICATE;
use schakel_server::clock::{Clock as _, SystemClock};

use crate::{command::end, output};

use broker::DevelopmentBroker;
use say::Teller;
use scene::{Connect, Scene};

/// Starts a development broker and plays a story through it.
///
/// Makes certificates for invented organisations, starts a broker, plays one person's story end to end over
/// real mutual TLS, verifies the trail as an outsider, and keeps serving until Ctrl-C.
#[derive(Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// Stop after the story.
    #[arg(long)]
    once: bool,
    /// Do not play the story; print only where the broker serves.
    #[arg(long, conflicts_with = "once")]
    quiet: bool,
    /// Where the broker keeps its certificates and data; made when missing. Without it, a temporary
    /// directory that is removed at the end.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Where the broker listens; port 0 takes a free one. Without it, 127.0.0.1:7443, and a free port with
    /// --once.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Write what the organisation with this number needs to call with a program of its own: certificate, key,
    /// authority, connection, and how to use them in several languages. Into bundle-PARTY in --directory.
    #[arg(long, value_name = "OIN", requires = "directory")]
    bundle: Option<Oin>,
}

/// Runs the command.
pub(crate) async fn run(args: DevArgs) -> Result<()> {
    let temporary = tempfile::tempdir().context("cannot make a temporary directory")?;
    let directory = args
        .directory
        .clone()
        .unwrap_or_else(|| temporary.path().to_owned());
    let port = if args.once { 0 } else { 7443 };
    let listen = args
        .listen
        .unwrap_or_else(|| (Ipv4Addr::LOCALHOST, port).into());
    let now = SystemClock.now();
    let config = broker::furnish(&directory, listen, now)?;
    let broker = DevelopmentBroker::start(&directory, &config).await?;
    if let Some(oin) = &args.bundle {
        let bundle = match bundle::write(&broker, oin, &directory) {
            Ok(bundle) => bundle,
            Err(error) => {
                broker.stop().await?;
                return Err(error);
            }
        };
        output::print(&format!("bundle in {}\n", bundle.display()));
    }
    let tell = Teller::new(args.quiet);
    if !args.quiet {
        tell.heading("A broker, ten organisations and one person");
        if let Err(error) = tell_story(&broker, &tell).await {
            broker.stop().await?;
            return Err(error);
        }
    }
    if args.once {
        tell.line("");
        return broker.stop().await;
    }
    invite(&broker, &directory, &config, tell);
    output::print(&format!("serving on {}\n", broker.address));
    broker.run_until(end()?).await
}

async fn tell_story(broker: &DevelopmentBroker, tell: &Teller) -> Result<()> {
    let server = broker.address.to_string();
    let connect = Connect {
        server: &server,
        certificates: &broker.certificates,
        trail: Arc::new(Trail::pinned(broker::ORIGIN, &broker.verifier_key)?),
    };
    let now = SystemClock.now().as_millis() / 1000;
    let scene = Scene::set(&connect, i64::try_from(now)?).await?;
    story::play(&scene, tell).await?;
    outsider::verify(&scene.auditor, broker, tell).await
}

fn invite(broker: &DevelopmentBroker, directory: &Path, config: &Path, tell: Teller) {
    tell.heading("What to try next, in another terminal");
    let program = std::env::current_exe().unwrap_or_else(|_| "schakel".into());
    let program = program.display();
    let options = format!(
        "--server {} --certificates {}",
        broker.address,
        broker.certificates.display()
    );
    tell.line(&format!(
        "  {program} party list --as gemeente-oost {options}"
    ));
    tell.line(&format!(
        "  {program} audit search --as fg-gemeente-oost --actor officer-1 --bsn {} {options}",
        scene::BSN
    ));
    tell.line(&format!(
        "  {program} verify log {} --verifier-key {}",
        broker.published.display(),
        broker.verifier_key_file.display()
    ));
    tell.line(&format!("  {program} check-config {}", config.display()));
    tell.line(&format!(
        "\n  Everything is in {}; Ctrl-C stops the broker.\n",
        directory.display()
    ));
}

/// SHA-256 of bytes.
fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

impl Connect<'_> {
    /// Connects a party with its own certificate.
    async fn party(&self, slug: &str) -> Result<Client> {
        let read = |name: String| {
            let path = self.certificates.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
        };
        let ca = read(AUTHORITY_CERTIFICATE.into())?;
        let certificate = read(format!("{slug}.cert.pem"))?;
        let key = read(format!("{slug}.key.pem"))?;
        let identity = Identity::new(slug, certificate, key);
        let config = ClientConfig::new(self.server, ca, identity, Arc::clone(&self.trail));
        Client::connect(config)
            .await
            .with_context(|| format!("cannot connect as {slug}"))
    }
}
