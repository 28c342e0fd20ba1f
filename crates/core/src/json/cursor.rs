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

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

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
    fn value(&mut self, depth: u8) -> Result<Value<'a>> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => Kind::String { escaped: self.string()? },
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
    fn skip_object(&mut self, depth: u8) -> Result<()> {
        self.object(depth, &mut |_, _, _| Ok(()))
    }

    fn skip_array(&mut self, depth: u8) -> Result<()> {
        self.array(depth, &mut |_| Ok(()))
    }

    /// Reads a string with its quotes; tells whether it holds an escape.
    fn string(&mut self) -> Result<bool> {
        self.expect(b'"')?;
        let mut escaped = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let plain = rest
                .iter()
                .position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)
                .ok_or(JsonError::Syntax)?;
            self.at += plain;
            if self.take(b'"') {
                return Ok(escaped);
            }
            self.expect(b'\\')?;
            self.escape()?;
            escaped = true;
        }
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

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(JsonError::Syntax) }
    }

    fn since(&self, start: usize, end: usize) -> Result<&'a str> {
        self.text.get(start..end).ok_or(JsonError::Syntax)
    }
}
