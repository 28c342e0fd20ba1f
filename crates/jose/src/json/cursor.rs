//! The grammar of [RFC 8259], walked once.
//!
//! [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259

use std::ops::Range;

use super::{JsonError, Kind, MAX_DEPTH, Name, Value, object::MemberName};
use crate::numeric_date::are_digits;

type Result<T> = std::result::Result<T, JsonError>;

/// A place in a text.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the next byte; at the end zero, which no rule of the grammar takes.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or_default()
    }

    /// Skips white space and returns the byte behind it.
    #[inline(always)]
    pub(super) fn peek_token(&mut self) -> u8 {
        let byte = self.peek();
        // Issuers write none: one comparison settles it.
        if byte > b' ' { byte } else { self.skip_white_space() }
    }

    #[cold]
    fn skip_white_space(&mut self) -> u8 {
        while let b' ' | b'\t' | b'\n' | b'\r' = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    /// Skips white space and tells whether nothing follows.
    #[inline]
    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek_token();
        self.at == self.text.len()
    }

    /// Opens an object or array; tells whether a first member or element follows.
    #[inline(always)]
    pub(super) fn open(&mut self, open: u8, close: u8) -> Result<bool> {
        self.expect_token(open)?;
        let is_empty = self.peek_token() == close;
        self.at += usize::from(is_empty);
        Ok(!is_empty)
    }

    /// Goes on behind a member or element; tells whether another one follows.
    #[inline(always)]
    pub(super) fn has_next(&mut self, close: u8) -> Result<bool> {
        let byte = self.peek_token();
        self.at += 1;
        match byte {
            b',' => Ok(true),
            byte if byte == close => Ok(false),
            _ => Err(JsonError::Syntax),
        }
    }

    /// Reads a member's name and the colon behind it.
    #[inline(always)]
    pub(super) fn name(&mut self) -> Result<MemberName<'a>> {
        // Most members of a token, at a glance.
        if let Some(&[b'"', a, b, c, b'"', b':']) = self.rest().first_chunk()
            && let Some(name) = Name::of_three_letters([a, b, c])
        {
            self.at += 6;
            return Ok(MemberName::Registered(name));
        }
        self.any_name()
    }

    #[inline(never)]
    fn any_name(&mut self) -> Result<MemberName<'a>> {
        if self.peek_token() != b'"' {
            return Err(JsonError::Syntax);
        }
        let (name, escaped) = self.string()?;
        let name = self.text.as_bytes().get(name).ok_or(JsonError::Syntax)?;
        self.expect_token(b':')?;
        Ok(MemberName::of(name, escaped))
    }

    /// Reads any value that stands inside `depth` objects and arrays, not counting the outermost.
    #[inline(always)]
    pub(super) fn value(&mut self, depth: u8) -> Result<Value<'a>> {
        let byte = self.peek_token();
        let start = self.at;
        let kind = match byte {
            b'"' => {
                let (text, escaped) = self.string()?;
                let text = self.text.get(text).ok_or(JsonError::Syntax)?;
                return Ok(Value { kind: Kind::String { escaped }, text });
            }
            b'-' | b'0'..=b'9' => {
                self.number()?;
                Kind::Number
            }
            b'{' | b'[' => self.skip_nested(byte, depth)?,
            _ => self.literal()?,
        };
        let text = self.text.get(start..self.at).ok_or(JsonError::Syntax)?;
        Ok(Value { kind, text })
    }

    #[inline(never)]
    fn skip_nested(&mut self, open: u8, depth: u8) -> Result<Kind> {
        if depth >= MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        if open == b'{' {
            let mut more = self.open(b'{', b'}')?;
            while more {
                self.name()?;
                self.value(depth + 1)?;
                more = self.has_next(b'}')?;
            }
            return Ok(Kind::Object);
        }
        let mut more = self.open(b'[', b']')?;
        while more {
            self.value(depth + 1)?;
            more = self.has_next(b']')?;
        }
        Ok(Kind::Array)
    }

    /// Reads a string from its first quote on: where its text is, and whether it holds an escape.
    #[inline(always)]
    fn string(&mut self) -> Result<(Range<usize>, bool)> {
        self.at += 1;
        let start = self.at;
        self.at += plain_len(self.rest());
        let escaped = self.peek() != b'"';
        if escaped {
            self.skip_escaped()?;
        }
        let text = start..self.at;
        self.at += 1;
        Ok((text, escaped))
    }

    /// Goes from a byte that is not plain to the quote that ends the string.
    #[cold]
    fn skip_escaped(&mut self) -> Result<()> {
        while self.peek() != b'"' {
            self.expect(b'\\')?;
            self.escape()?;
            self.at += plain_len(self.rest());
        }
        Ok(())
    }

    /// Reads what follows a backslash. Half a surrogate pair is an error: no string holds it.
    fn escape(&mut self) -> Result<()> {
        let byte = self.peek();
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => match self.hex4()? {
                0xd800..=0xdbff => {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    match self.hex4()? {
                        0xdc00..=0xdfff => Ok(()),
                        _ => Err(JsonError::Syntax),
                    }
                }
                0xdc00..=0xdfff => Err(JsonError::Syntax),
                _ => Ok(()),
            },
            _ => Err(JsonError::Syntax),
        }
    }

    fn hex4(&mut self) -> Result<u16> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(JsonError::Syntax)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(JsonError::Syntax);
        }
        self.at += 4;
        u16::from_str_radix(digits, 16).map_err(|_| JsonError::Syntax)
    }

    fn number(&mut self) -> Result<()> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        match self.peek() {
            b'.' | b'e' | b'E' => self.fraction_and_exponent(),
            _ => Ok(()),
        }
    }

    // Apart, because hardly any number of a token has either.
    #[cold]
    fn fraction_and_exponent(&mut self) -> Result<()> {
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        // A date has ten.
        if self.rest().first_chunk().is_some_and(|first| are_digits(*first)) {
            self.at += 8;
        }
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start { Err(JsonError::Syntax) } else { Ok(()) }
    }

    fn literal(&mut self) -> Result<Kind> {
        let rest = self.rest();
        let words = [("true", Kind::Bool), ("false", Kind::Bool), ("null", Kind::Null)];
        let found = words.into_iter().find(|(word, _)| rest.starts_with(word.as_bytes()));
        let (word, kind) = found.ok_or(JsonError::Syntax)?;
        self.at += word.len();
        Ok(kind)
    }

    #[inline(always)]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        if found {
            self.at += 1;
        }
        found
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(JsonError::Syntax) }
    }

    #[inline(always)]
    fn expect_token(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) { Ok(()) } else { self.expect_behind_white_space(byte) }
    }

    #[cold]
    fn expect_behind_white_space(&mut self, byte: u8) -> Result<()> {
        self.skip_white_space();
        self.expect(byte)
    }

    #[inline(always)]
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }
}

/// Counts the bytes before the next quote, backslash or control character, or before the end.
// Not inlined: the compiler would spread the loop's state over every use.
#[inline(never)]
fn plain_len(text: &[u8]) -> usize {
    let (blocks, tail) = text.as_chunks::<BLOCK>();
    let mut len = 0;
    for block in blocks {
        if holds_special(block) {
            return len + plain_len_by_words(block);
        }
        len += BLOCK;
    }
    len + plain_len_by_words(tail)
}

/// How many bytes are looked at together, with a few vector instructions.
const BLOCK: usize = 16;

/// Tells whether a byte of the block ends the plain part of a string. Without a branch, and zero for
/// each of the three kinds, so that the compiler makes vector instructions of it.
#[inline(always)]
fn holds_special(block: &[u8; BLOCK]) -> bool {
    let special_is_zero = |byte: u8| (byte ^ b'"').min(byte ^ b'\\').min(byte.saturating_sub(0x1f));
    let mut marked = *block;
    marked.iter_mut().for_each(|byte| *byte = special_is_zero(*byte));
    marked.iter().fold(false, |found, &byte| found | (byte == 0))
}

#[inline(always)]
fn plain_len_by_words(text: &[u8]) -> usize {
    let (words, tail) = text.as_chunks();
    let mut len = 0;
    for word in words {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return len + usize::try_from(special.trailing_zeros() / 8).unwrap_or_default();
        }
        len += 8;
    }
    len + tail.iter().take_while(|byte| !is_special(**byte)).count()
}

#[inline(always)]
const fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

/// Marks the bytes of a word that end the plain part of a string, with the highest bit of each. The
/// lowest mark is exact, and those above it may not be.
const fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // A byte below `n` borrows from its highest bit; one that has that bit set is not below.
    const fn below(word: u64, n: u64) -> u64 {
        word.wrapping_sub(ONES * n) & !word & HIGH
    }
    below(word, 0x20) | below(word ^ (ONES * 0x22), 1) | below(word ^ (ONES * 0x5c), 1)
}

#[cfg(test)]
mod tests {
    use super::{Cursor, plain_len, special_bytes};

    #[test]
    fn the_plain_part_ends_at_the_first_special_byte() {
        for len in 0..50_usize {
            for special in [b'"', b'\\', 0, 0x1f] {
                for filler in [b' ', b'!', b'#', b'[', b']', b'a', 0x7f, 0x80, 0xff] {
                    let mut text = [filler; 50];
                    assert_eq!(plain_len(&text[..len]), len, "{filler:#x}");
                    text[len] = special;
                    assert_eq!(plain_len(&text), len, "{special:#x} after {filler:#x}");
                    // Those behind it do not count.
                    text[len..].fill(special);
                    assert_eq!(plain_len(&text), len, "many {special:#x} after {filler:#x}");
                }
            }
        }
    }

    #[test]
    fn a_number_ends_behind_its_last_digit() {
        for len in 1..20 {
            for end in ["", "]", "}", ",", " ", "/", ":", "a"] {
                let text = format!("{}{end}", "9".repeat(len));
                let mut cursor = Cursor::new(&text);
                cursor.number().unwrap();
                assert_eq!(cursor.at, len, "{text}");
            }
        }
    }

    #[test]
    fn the_first_special_byte_of_a_word_is_found() {
        for byte in 0..=u8::MAX {
            let special = byte == b'"' || byte == b'\\' || byte < 0x20;
            for place in 0..8 {
                for filler in [b'a', 0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff] {
                    let mut word = [filler; 8];
                    word[place] = byte;
                    let marks = special_bytes(u64::from_le_bytes(word));
                    let first =
                        (marks != 0).then(|| usize::try_from(marks.trailing_zeros() / 8).unwrap());
                    assert_eq!(first, special.then_some(place), "{byte:#x} after {filler:#x}");
                }
            }
        }
    }
}
