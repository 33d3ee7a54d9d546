//! The statement as a page that prints well on A4 and can be read aloud: one file, nothing from elsewhere.

use super::{Language, block::Block};

const STYLE: &str = "\
@page { size: A4; margin: 18mm 16mm 20mm;
  @bottom-right { content: counter(page) ' / ' counter(pages); font: 9pt Verdana, 'DejaVu Sans', Arial, sans-serif; } }
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 178mm; padding: 1rem; color: #000; background: #fff;
  font: 11pt/1.5 Verdana, 'DejaVu Sans', Arial, sans-serif; }
h1 { font-size: 1.6em; margin: 0 0 .6em; }
h2 { font-size: 1.15em; margin: 1.6em 0 .4em; break-after: avoid; }
p { margin: .4em 0; max-width: 42em; }
table { border-collapse: collapse; width: 100%; font-size: .85em; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th, td { text-align: left; vertical-align: top; padding: .35em .5em; border-bottom: 1px solid #767676;
  overflow-wrap: break-word; hyphens: auto; }
th { border-bottom: 2px solid #000; }
th:first-child { width: 11em; }
th:nth-child(2):not(:last-child) { width: 10.5em; }
dl { display: grid; grid-template-columns: 9.5em 1fr; gap: .1em .8em; margin: .6em 0; padding: .6em;
  border: 1px solid #767676; break-inside: avoid; }
dt { font-weight: bold; }
dd { margin: 0; overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } }
@media (max-width: 40em) { dl { grid-template-columns: 1fr; } }";

/// The page.
pub(super) fn page(language: Language, blocks: &[Block]) -> String {
    let title = blocks.iter().find_map(|block| match block {
        Block::Title(text) => Some(escaped(text)),
        _ => None,
    });
    let mut body = String::new();
    for block in blocks {
        write(block, &mut body);
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{}</title>\n<style>\n{STYLE}\n</style>\n</head>\n\
         <body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        language.tag(),
        title.unwrap_or_default()
    )
}

fn write(block: &Block, body: &mut String) {
    match block {
        Block::Title(text) => element("h1", text, body),
        Block::Heading(text) => element("h2", text, body),
        Block::Paragraph(text) => element("p", text, body),
        Block::Pairs(pairs) => {
            body.push_str("<dl>\n");
            for (name, value) in pairs {
                element("dt", name, body);
                element("dd", value, body);
            }
            body.push_str("</dl>\n");
        }
        Block::Table {
            caption,
            head,
            rows,
        } => table(caption, head, rows, body),
    }
}

fn element(name: &str, text: &str, body: &mut String) {
    for part in ["<", name, ">", &escaped(text), "</", name, ">\n"] {
        body.push_str(part);
    }
}

fn table(caption: &str, head: &[String], rows: &[Vec<String>], body: &mut String) {
    body.push_str("<table>\n");
    element("caption", caption, body);
    body.push_str("<thead><tr>\n");
    for name in head {
        for part in ["<th scope=\"col\">", &escaped(name), "</th>\n"] {
            body.push_str(part);
        }
    }
    body.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        body.push_str("<tr>\n");
        for cell in row {
            element("td", cell, body);
        }
        body.push_str("</tr>\n");
    }
    body.push_str("</tbody>\n</table>\n");
}

/// Text that can mean nothing but itself.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
