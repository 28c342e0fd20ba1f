//! One object, as the list of its members.

use std::borrow::Cow;

use super::{JsonError, Name, Value, cursor::Cursor};

/// How many members without a [`Name`] of ours stay off the heap.
const INLINE: usize = 8;

/// The members of one object. No two have the same name.
#[derive(Clone, Debug)]
pub(crate) struct Object<'a> {
    registered: [Option<Value<'a>>; Name::COUNT],
    others: [Option<Member<'a>>; INLINE],
    // Not a `SmallVec`: its lifetime could not be shortened, and every stage would carry two.
    spilled: Vec<Member<'a>>,
}

#[derive(Clone, Debug)]
struct Member<'a> {
    name: Cow<'a, str>,
    value: Value<'a>,
}

impl Default for Object<'_> {
    fn default() -> Self {
        Self {
            registered: [None; Name::COUNT],
            others: [const { None }; INLINE],
            spilled: Vec::new(),
        }
    }
}

impl<'a> Object<'a> {
    /// Reads a whole text as one object.
    pub(crate) fn parse(text: &'a str) -> Result<Self, JsonError> {
        let mut object = Self::default();
        object.read(text)?;
        Ok(object)
    }

    /// Reads a whole text as one object into this one, which is empty: for an object that stays
    /// where it is.
    pub(crate) fn read(&mut self, text: &'a str) -> Result<(), JsonError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_white_space();
        if cursor.peek() != Some(b'{') {
            // Told apart from bad syntax, because `["alg"]` and `"text"` are well-formed JSON.
            return Err(JsonError::NotAnObject);
        }
        cursor.object(0, &mut |name, escaped, value| self.add(name, escaped, value))?;
        cursor.skip_white_space();
        if cursor.peek().is_some() {
            return Err(JsonError::Syntax);
        }
        if self.other_names_are_unique() { Ok(()) } else { Err(JsonError::DuplicateMember) }
    }

    /// Returns the value of a registered member.
    pub(crate) fn get(&self, name: Name) -> Option<Value<'a>> {
        self.registered.get(name.index()).copied().flatten()
    }

    /// Returns the value of any member.
    pub(crate) fn find(&self, name: &str) -> Option<Value<'a>> {
        match Name::of(name) {
            Some(name) => self.get(name),
            None => self.others().find(|other| other.name == name).map(|other| other.value),
        }
    }

    #[inline]
    fn add(&mut self, name: &'a str, escaped: bool, value: Value<'a>) -> Result<(), JsonError> {
        let name = if escaped { unescaped(name) } else { Cow::Borrowed(name) };
        match Name::of(&name) {
            None => self.add_other(Member { name, value }),
            Some(name) => {
                if let Some(place) = self.registered.get_mut(name.index())
                    && place.replace(value).is_some()
                {
                    return Err(JsonError::DuplicateMember);
                }
            }
        }
        Ok(())
    }

    fn add_other(&mut self, member: Member<'a>) {
        match self.others.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(member),
            None => self.spilled.push(member),
        }
    }

    fn others(&self) -> impl Iterator<Item = &Member<'a>> {
        self.others.iter().map_while(Option::as_ref).chain(&self.spilled)
    }

    fn other_names_are_unique(&self) -> bool {
        if !self.spilled.is_empty() {
            return self.other_names_are_unique_when_sorted();
        }
        let mut rest = self.others.as_slice();
        while let Some((Some(first), others)) = rest.split_first() {
            if others.iter().flatten().any(|other| other.name == first.name) {
                return false;
            }
            rest = others;
        }
        true
    }

    /// For many names: time grows with n log n, whoever chose them.
    fn other_names_are_unique_when_sorted(&self) -> bool {
        let mut names: Vec<&str> = self.others().map(|other| &*other.name).collect();
        names.sort_unstable();
        names.is_sorted_by(|a, b| a < b)
    }
}

/// Reads the escapes of a name, which the cursor has found to be well-formed.
#[cold]
fn unescaped(name: &str) -> Cow<'_, str> {
    serde_json::from_str(&format!("\"{name}\"")).map_or(Cow::Borrowed(name), Cow::Owned)
}
