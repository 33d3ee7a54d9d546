//! A file of entries, after every kill.

use super::*;

/// What an outsider finds in a file of entries, with nothing but the log's key.
fn check_file(stage: &Stage, text: &str) -> Vec<u64> {
    let key = stage.broker.verifier_key();
    let (mut head, mut next, mut indexes) = (None::<(u64, Hash)>, 0, Vec::new());
    let mut count = 0;
    for line in text.lines() {
        match line.parse::<Line>().expect("a line") {
            Line::Head(found) => {
                let signed =
                    schakel_audit::checkpoint::Checkpoint::open(&found.checkpoint, &key).unwrap();
                assert_eq!(found.controller.as_deref(), Some("gemeente-oost"));
                assert_eq!(found.from, next, "nothing was left out in between");
                if let Some((size, root)) = head {
                    verify_consistency(size, root, signed.size, signed.root, &found.consistency)
                        .unwrap();
                }
                head = Some((signed.size, signed.root));
                count = 0;
            }
            Line::Entry(entry) => {
                let (size, root) = head.unwrap();
                let hash = leaf_hash(&entry.leaf);
                verify_inclusion(hash, entry.index, size, &entry.proof, root).unwrap();
                assert!(!matches!(entry.details, Details::Redacted { .. }));
                indexes.push(entry.index);
                count += 1;
            }
            Line::End(end) => {
                assert_eq!(end.entries, count);
                next = end.end;
            }
        }
    }
    indexes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_entries_grows_by_whole_sections_and_holds_after_every_kill() {
    let stage = Stage::set().await;
    let file = stage.path("entries.jsonl");
    let entries = || {
        let approved = hex::encode(&stage.entries_approved);
        let mut command = stage.command(&["entries", "--batch", "1", "--approved", &approved]);
        command.arg("--to").arg(&file);
        command.arg("--state").arg(stage.path("state"));
        command
    };
    for n in 2..6 {
        let mut exporter = Exporter::start(entries());
        // Killed once something new is in the file, wherever it is by then.
        let before = fs::metadata(&file).map_or(0, |meta| meta.len());
        let mut looked = 0;
        while fs::metadata(&file).map_or(0, |meta| meta.len()) <= before && looked < 2_000 {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            looked += 1;
        }
        exporter.kill();
        // What a torn write leaves behind.
        let mut torn = fs::read(&file).unwrap_or_default();
        torn.extend_from_slice(b"{\"index\":1,\"leaf\":\"");
        fs::write(&file, torn).unwrap();
        if !stage.path("state").exists() {
            fs::remove_file(&file).unwrap();
        }
        act(&stage.broker, n).await;
    }
    stage.done(entries()).await;
    let text = fs::read_to_string(&file).unwrap();
    let indexes = check_file(&stage, &text);
    let client = stage.broker.client("fg-gemeente-oost", None).await;
    let request = schakel_api::v1::ExportEntriesRequest {
        actor: schakel_tests::actor(),
        purpose: "P-ACCOUNTABILITY".into(),
        page_size: 500,
        ..Default::default()
    };
    let all = client.export_entries(request, None).await.unwrap();
    let all = all.response.entries;
    let (kept, later) = all.split_at(indexes.len());
    let kept: Vec<u64> = kept.iter().map(|entry| entry.index).collect();
    assert_eq!(indexes, kept);
    // That the last section was taken out is an entry about each person in it, which comes with the next.
    for entry in later {
        let leaf = schakel_audit::leaf::Leaf::decode(&entry.leaf).unwrap();
        assert_eq!(leaf.party, "fg-gemeente-oost");
    }
}
