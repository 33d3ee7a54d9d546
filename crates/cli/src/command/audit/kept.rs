//! Receipts fetched again, once witnesses have seen the head they lead to.

use std::path::PathBuf;

use schakel_api::v1;

use crate::{
    exit::{Exit, Failure},
    receipt,
    session::Session,
    view::Done,
};

#[derive(Debug, clap::Args)]
pub(super) struct ReceiptArgs {
    /// The number of the entry. An auditor may name any: that is an entry itself.
    entry: u64,
    /// Also when witnesses have not seen it yet.
    #[arg(long)]
    unwitnessed: bool,
    /// The file to keep it in, for `schakel verify proof`; its leaf beside it, as FILE.leaf.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) async fn receipt(session: &Session, args: &ReceiptArgs) -> Result<Exit, Failure> {
    receipt::check_place(&args.out)?;
    let least = if args.unwitnessed {
        v1::ReceiptLevel::LogSigned
    } else {
        v1::ReceiptLevel::Witnessed
    };
    let request = v1::GetReceiptRequest {
        actor: session.actor(),
        index: args.entry,
        min_level: least.into(),
    };
    let response = session.ask(session.client.get_receipt(request)).await?;
    session.keep(response.receipt.as_ref())?;
    let witnessed = response.level() == v1::ReceiptLevel::Witnessed;
    let given = response.proof;
    let proof = given.ok_or_else(|| Failure::new(Exit::Unproved, "The broker gave no receipt."))?;
    let text = schakel_client::proof(&proof)?.to_string();
    receipt::keep(&args.out, &text, &proof, None)?;
    let seen = if witnessed {
        "The head that it leads to carries the cosignatures of the broker's witnesses."
    } else {
        "Witnesses have not seen the head that it leads to."
    };
    let said = format!("Kept in `{}`. {seen}", args.out.display());
    Ok(session.show(&Done::new(said, response.receipt)))
}
