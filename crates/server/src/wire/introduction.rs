//! The code that a person hands over: 128 random bits, written to be read aloud and typed over.
//!
//! `ABCD-EFGH-JKMN-PQRS-TVWX-YZ01-2345`: 26 symbols of Crockford's base 32 for the bits, the most
//! significant first, and 2 that check them. The check makes the 28 symbols a Reed-Solomon code over
//! GF(32), so that any one or two wrong symbols, and any two symbols that changed places, are noticed.

use super::{Fields, request::sha256};

/// Symbols that carry the bits: 26 × 5 = 130, the first two bits are zero.
const DATA: usize = 26;
/// Symbols in all.
const LENGTH: usize = DATA + 2;
/// The longest text that is looked at, with the spaces and hyphens somebody may have added.
const LONGEST: usize = 80;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The code as it is handed over.
pub(crate) fn write(code: [u8; 16]) -> String {
    let mut bits = u128::from_be_bytes(code);
    let mut symbols = [0; DATA];
    for symbol in symbols.iter_mut().rev() {
        *symbol = (bits & 31) as u8;
        bits >>= 5;
    }
    let check = check(&symbols);
    let mut text = String::with_capacity(LENGTH + LENGTH / 4);
    for (at, symbol) in symbols.into_iter().chain(check).enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push('-');
        }
        let letter = ALPHABET.get(usize::from(symbol)).copied().unwrap_or(b'0');
        text.push(char::from(letter));
    }
    text
}

impl Fields {
    /// Reads a code and gives the SHA-256 of its sixteen bytes, by which it is known.
    pub(crate) fn introduction(&mut self, field: &str, text: &str) -> Option<[u8; 32]> {
        let rule = match parse(text) {
            Ok(code) => return Some(sha256(&code)),
            Err(rule) => rule,
        };
        self.refuse(field, rule);
        None
    }
}

fn parse(text: &str) -> Result<[u8; 16], &'static str> {
    const FORM: &str = "must be 28 letters and digits in 7 groups of 4, without the letter U: \
                        copy it again from what the person handed over";
    const CHECK: &str =
        "has a typing error: compare it group by group with what the person handed over";
    if text.len() > LONGEST {
        return Err(FORM);
    }
    let symbols: Vec<u8> = text
        .chars()
        .filter(|letter| !matches!(letter, ' ' | '-'))
        .map(symbol)
        .collect::<Option<_>>()
        .ok_or(FORM)?;
    let (data, given) = symbols.split_at_checked(DATA).ok_or(FORM)?;
    if given.len() != LENGTH - DATA {
        return Err(FORM);
    }
    let fits_128_bits = data.first().is_some_and(|first| *first < 8);
    if !fits_128_bits || check(data).as_slice() != given {
        return Err(CHECK);
    }
    let bits = data
        .iter()
        .fold(0_u128, |bits, symbol| (bits << 5) | u128::from(*symbol));
    Ok(bits.to_be_bytes())
}

/// The value of a letter or digit; what is easily mistaken for a digit is read as that digit.
fn symbol(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let at = ALPHABET
        .iter()
        .position(|known| char::from(*known) == letter)?;
    u8::try_from(at).ok()
}

/// The remainder of the symbols, as a polynomial times x², by (x - α)(x - α²) = x² + 6x + 8 over GF(32).
fn check(symbols: &[u8]) -> [u8; 2] {
    let (mut high, mut low) = (0, 0);
    for symbol in symbols {
        let carry = symbol ^ high;
        (high, low) = (low ^ times(carry, 6), times(carry, 8));
    }
    [high, low]
}

/// The product in GF(32), modulo x⁵ + x² + 1.
fn times(a: u8, b: u8) -> u8 {
    let mut product = 0;
    for bit in (0..5).rev() {
        product <<= 1;
        if product & 0b10_0000 != 0 {
            product ^= 0b10_0101;
        }
        if b & (1 << bit) != 0 {
            product ^= a;
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn letters(text: &str) -> Vec<char> {
        text.chars().filter(|letter| *letter != '-').collect()
    }

    #[test]
    fn a_code_has_seven_groups_of_four() {
        assert_eq!(write([0; 16]), "0000-0000-0000-0000-0000-0000-0000");
        let text = write(*b"\x7f0123456789abcde");
        assert_eq!(letters(&text).len(), 28);
        assert!(text.split('-').all(|group| group.len() == 4), "{text}");
        assert!(!text.contains(['I', 'L', 'O', 'U']), "{text}");
    }

    /// Computed by another program, from the roots of the polynomial instead of by division. Codes are in
    /// people's hands: what a code looks like never changes.
    #[test]
    fn a_code_is_written_as_it_always_was() {
        let code = std::array::from_fn(|at| 0xf0 | u8::try_from(at).unwrap());
        assert_eq!(write(code), "7GY7-SF7X-7NYV-VZHY-FTZF-YFVZ-QZDF");
    }

    #[test]
    fn a_code_of_another_form_is_refused_without_repeating_it() {
        let good = write([7; 16]);
        for wrong in [
            String::new(),
            "0".repeat(27),
            "0".repeat(29),
            good.replace('0', "U"),
            good.replace('0', "é"),
            "-".repeat(LONGEST + 1),
            format!("Z{}", "0".repeat(27)),
        ] {
            let mut fields = Fields::default();
            let read = fields.introduction("code", &wrong);
            let refused = fields.finish(read).unwrap_err();
            assert_eq!(refused.violations[0].field, "code");
            assert!(wrong.is_empty() || !refused.to_string().contains(&wrong));
        }
    }

    #[test]
    fn multiplication_has_inverses() {
        for a in 1..32 {
            let inverses = (1..32).filter(|b| times(a, *b) == 1).count();
            assert_eq!(inverses, 1, "{a}");
        }
    }

    /// The check is linear, so that an error is seen by itself: it changes what the check should be.
    #[test]
    fn no_two_errors_of_one_symbol_look_alike() {
        let mut seen = BTreeSet::from([[0, 0]]);
        for error in 1..32 {
            for at in 0..DATA {
                let mut symbols = [0; DATA];
                symbols[at] = error;
                assert!(seen.insert(check(&symbols)), "{error} at {at}");
            }
            assert!(
                seen.insert([error, 0]) && seen.insert([0, error]),
                "{error}"
            );
        }
        assert_eq!(seen.len(), 31 * LENGTH + 1);
    }

    proptest! {
        #[test]
        fn a_code_reads_back_however_it_is_typed(code: [u8; 16], lower: bool, spaced: bool) {
            let mut text = write(code).replace('0', "o").replace('1', "l");
            if lower { text = text.to_lowercase(); }
            if spaced { text = text.replace('-', "  "); }
            prop_assert_eq!(parse(&text), Ok(code));
        }

        #[test]
        fn one_or_two_wrong_symbols_are_noticed(
            code: [u8; 16], at in 0..28_usize, other in 0..28_usize, by in 1..32_usize, and in 0..32_usize,
        ) {
            let mut typed = letters(&write(code));
            for (at, by) in [(at, by), (other, if at == other { 0 } else { and })] {
                let was = ALPHABET.iter().position(|l| char::from(*l) == typed[at]).unwrap();
                typed[at] = char::from(ALPHABET[was ^ by]);
            }
            let typed: String = typed.into_iter().collect();
            prop_assert!(parse(&typed).is_err(), "{typed}");
        }

        #[test]
        fn symbols_that_changed_places_are_noticed(code: [u8; 16], a in 0..28_usize, b in 0..28_usize) {
            let mut typed = letters(&write(code));
            typed.swap(a, b);
            let changed = typed != letters(&write(code));
            let typed: String = typed.into_iter().collect();
            prop_assert_eq!(parse(&typed).is_err(), changed);
        }

        #[test]
        fn no_text_is_too_strange(text: String) {
            let _ = parse(&text);
        }
    }
}
