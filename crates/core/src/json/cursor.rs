//! The grammar of [RFC 8259], walked once.
//!
//! [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259

use super::{JsonError, Kind, MAX_DEPTH, Value};

type Result<T> = std::result::Result<T, JsonError>;

/// A place in a text.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    pub(super) fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Reads an object and hands each member to `visit`: name, whether it is escaped, value.
    pub(super) fn object(
        &mut self,
        depth: u8,
        visit: &mut impl FnMut(&'a str, bool, Value<'a>) -> Result<()>,
    ) -> Result<()> {
        self.expect(b'{')?;
        self.skip_white_space();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let start = self.at + 1;
            let escaped = self.string()?;
            let name = self.since(start, self.at - 1)?;
            self.skip_white_space();
            self.expect(b':')?;
            self.skip_white_space();
            let value = self.value(depth)?;
            visit(name, escaped, value)?;
            self.skip_white_space();
            if !self.take(b',') {
                return self.expect(b'}');
            }
            self.skip_white_space();
        }
    }

    /// Reads an array and hands each element to `visit`.
    pub(super) fn array(
        &mut self,
        depth: u8,
        visit: &mut impl FnMut(Value<'a>) -> Result<()>,
    ) -> Result<()> {
        self.expect(b'[')?;
        self.skip_white_space();
        if self.take(b']') {
            return Ok(());
        }
        loop {
            let value = self.value(depth)?;
            visit(value)?;
            self.skip_white_space();
            if !self.take(b',') {
                return self.expect(b']');
            }
            self.skip_white_space();
        }
    }

    /// Reads any value that stands inside `depth` objects and arrays, not counting the outermost.
    #[inline(always)]
    fn value(&mut self, depth: u8) -> Result<Value<'a>> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => {
                let escaped = self.string()?;
                let text = self.since(start + 1, self.at - 1)?;
                return Ok(Value { kind: Kind::String { escaped }, text });
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            Some(b't') => self.literal("true", Kind::Bool)?,
            Some(b'f') => self.literal("false", Kind::Bool)?,
            Some(b'n') => self.literal("null", Kind::Null)?,
            Some(b'{') if depth < MAX_DEPTH => {
                self.skip_object(depth + 1)?;
                Kind::Object
            }
            Some(b'[') if depth < MAX_DEPTH => {
                self.skip_array(depth + 1)?;
                Kind::Array
            }
            Some(b'{' | b'[') => return Err(JsonError::TooDeep),
            _ => return Err(JsonError::Syntax),
        };
        Ok(Value { kind, text: self.since(start, self.at)? })
    }

    // Not generic over the visitor, so that nesting does not nest types.
    #[inline(never)]
    fn skip_object(&mut self, depth: u8) -> Result<()> {
        self.object(depth, &mut |_, _, _| Ok(()))
    }

    #[inline(never)]
    fn skip_array(&mut self, depth: u8) -> Result<()> {
        self.array(depth, &mut |_| Ok(()))
    }

    /// Reads a string with its quotes; tells whether it holds an escape.
    #[inline(always)]
    fn string(&mut self) -> Result<bool> {
        self.expect(b'"')?;
        let mut escaped = false;
        loop {
            self.skip_plain()?;
            if self.take(b'"') {
                return Ok(escaped);
            }
            self.expect(b'\\')?;
            self.escape()?;
            escaped = true;
        }
    }

    /// Goes to the next byte of a string that is a quote, a backslash or a control character.
    #[inline(always)]
    fn skip_plain(&mut self) -> Result<()> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let (chunks, tail) = rest.as_chunks::<8>();
        for chunk in chunks {
            let special = special_bytes(u64::from_le_bytes(*chunk));
            if special != 0 {
                self.at += usize::try_from(special.trailing_zeros() / 8).unwrap_or_default();
                return Ok(());
            }
            self.at += 8;
        }
        let is_special = |&byte: &u8| byte == b'"' || byte == b'\\' || byte < 0x20;
        self.at += tail.iter().position(is_special).ok_or(JsonError::Syntax)?;
        Ok(())
    }

    /// Reads what follows a backslash. Half a surrogate pair is an error: no string holds it.
    fn escape(&mut self) -> Result<()> {
        let byte = self.peek().ok_or(JsonError::Syntax)?;
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
        let digits = self.since(self.at, self.at + 4)?;
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
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(JsonError::Syntax) } else { Ok(()) }
    }

    fn literal(&mut self, word: &str, kind: Kind) -> Result<Kind> {
        if self.since(self.at, self.at + word.len())? != word {
            return Err(JsonError::Syntax);
        }
        self.at += word.len();
        Ok(kind)
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(JsonError::Syntax) }
    }

    #[inline]
    fn since(&self, start: usize, end: usize) -> Result<&'a str> {
        self.text.get(start..end).ok_or(JsonError::Syntax)
    }
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
    use super::special_bytes;

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
