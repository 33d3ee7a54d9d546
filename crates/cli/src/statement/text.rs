//! The statement as text in 80 columns.

use super::block::Block;
use crate::page::Page;

pub(super) fn write(blocks: &[Block], page: &mut Page) {
    for (at, block) in blocks.iter().enumerate() {
        if at > 0 {
            page.blank();
        }
        match block {
            Block::Title(text) | Block::Heading(text) => underlined(block, text, page),
            Block::Paragraph(text) => page.line(text),
            Block::Pairs(pairs) => page.table(pairs),
            Block::Table { head, rows, .. } => table(head, rows, page),
        }
    }
}

fn underlined(block: &Block, text: &str, page: &mut Page) {
    page.line(text);
    let mark = if matches!(block, Block::Title(_)) {
        "="
    } else {
        "-"
    };
    page.line(&mark.repeat(text.chars().count().min(80)));
}

/// A row as names and values, below each other: columns would not fit 80 characters.
fn table(head: &[String], rows: &[Vec<String>], page: &mut Page) {
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            page.blank();
        }
        let cells = head.iter().cloned().zip(row.iter().cloned());
        let cells: Vec<_> = cells.filter(|(_, value)| !value.is_empty()).collect();
        page.table(&cells);
    }
}
