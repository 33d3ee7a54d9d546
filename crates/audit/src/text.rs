//! What the text formats have in common.

/// Reads ASCII digits without sign and without leading zeros, up to the greatest `u64`.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// Text from outside as an error may show it: its beginning, with nothing in it that a terminal
/// would act on.
pub(crate) fn quote(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        for number in [0, 1, 9, 10, 123, u64::MAX] {
            assert_eq!(decimal(&number.to_string()), Some(number));
        }
        for text in [
            "",
            "00",
            "01",
            "+5",
            "-1",
            " 1",
            "1 ",
            "1e3",
            "0x1",
            "१",
            "18446744073709551616",
            "99999999999999999999999",
        ] {
            assert_eq!(decimal(text), None, "`{text}`");
        }
    }

    #[test]
    fn a_quotation_is_short_and_harmless() {
        assert_eq!(quote("2026-11"), "2026-11");
        assert_eq!(quote("\u{1b}[2J"), "\\u{1b}[2J");
        assert_eq!(quote(&"a".repeat(1000)).len(), 80);
    }
}
