//! Reading an object in steps.

use super::{JsonError, Name, Object, cursor::Cursor};

/// Reads the members of one object up to a point, and later the rest.
#[derive(Debug)]
pub struct Reader<'a> {
    cursor: Cursor<'a>,
    has_next: bool,
}

impl<'a> Reader<'a> {
    /// Opens a text that is one object as a whole.
    ///
    /// # Errors
    ///
    /// [`JsonError::NotAnObject`] and [`JsonError::Syntax`].
    #[inline]
    pub fn new(text: &'a str) -> Result<Self, JsonError> {
        let mut cursor = Cursor::new(text);
        if cursor.peek_token() != b'{' {
            // Told apart from bad syntax, because `["alg"]` and `"text"` are well-formed JSON.
            return Err(JsonError::NotAnObject);
        }
        let has_next = cursor.open(b'{', b'}')?;
        Ok(Self { cursor, has_next })
    }

    /// Reads members into an object, as far as the one with this name or to the last. Nothing is
    /// known of what follows: the object is not good for anything before
    /// [`read_rest`](Self::read_rest).
    ///
    /// # Errors
    ///
    /// A [`JsonError`] for what was read.
    #[inline]
    pub fn read_to(&mut self, name: Name, object: &mut Object<'a>) -> Result<(), JsonError> {
        self.read(Some(name), object)
    }

    /// Reads the rest of the text.
    ///
    /// # Errors
    ///
    /// A [`JsonError`] if the text is not one object, nests too deeply, or repeats a member.
    #[inline]
    pub fn read_rest(&mut self, object: &mut Object<'a>) -> Result<(), JsonError> {
        self.read(None, object)
    }

    fn read(&mut self, last: Option<Name>, object: &mut Object<'a>) -> Result<(), JsonError> {
        while self.has_next {
            let name = self.cursor.name()?;
            let value = self.cursor.value(0)?;
            object.add(name, value)?;
            self.has_next = self.cursor.has_next(b'}')?;
            if last.is_some_and(|last| name.is(last)) {
                return Ok(());
            }
        }
        if !self.cursor.is_at_end() {
            return Err(JsonError::Syntax);
        }
        if object.other_names_are_unique() { Ok(()) } else { Err(JsonError::DuplicateMember) }
    }
}
