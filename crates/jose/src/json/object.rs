//! One object, as the list of its members.

use std::borrow::Cow;

use super::{JsonError, Name, Reader, Value};

/// How many members without a [`Name`] stay off the heap.
const INLINE: usize = 8;

/// The members of one object. No two have the same name.
#[derive(Debug)]
pub struct Object<'a> {
    registered: [Option<Value<'a>>; Name::COUNT],
    others: [Option<Member<'a>>; INLINE],
    // Not a `SmallVec`: its lifetime could not be shortened, and every stage would carry two.
    spilled: Vec<Member<'a>>,
}

/// A member whose name is not a [`Name`].
#[derive(Clone, Copy, Debug)]
struct Member<'a> {
    /// As it stands in the text.
    name: &'a [u8],
    escaped: bool,
    value: Value<'a>,
}

/// The name of a member.
#[derive(Clone, Copy, Debug)]
pub(super) enum MemberName<'a> {
    Registered(Name),
    /// As it stands in the text; `escaped` if it holds a backslash.
    Other {
        name: &'a [u8],
        escaped: bool,
    },
}

impl<'a> MemberName<'a> {
    #[inline]
    pub(super) fn of(name: &'a [u8], escaped: bool) -> Self {
        let registered = if escaped { Name::of(&unescaped(name)) } else { Name::of(name) };
        registered.map_or(Self::Other { name, escaped }, Self::Registered)
    }

    pub(super) fn is(self, own: Name) -> bool {
        matches!(self, Self::Registered(name) if name == own)
    }
}

impl<'a> Member<'a> {
    fn name(&self) -> Cow<'a, [u8]> {
        if self.escaped { unescaped(self.name) } else { Cow::Borrowed(self.name) }
    }
}

impl Default for Object<'_> {
    #[inline]
    fn default() -> Self {
        Self { registered: [None; Name::COUNT], others: [None; INLINE], spilled: Vec::new() }
    }
}

impl<'a> Object<'a> {
    /// Reads a whole text as one object.
    ///
    /// # Errors
    ///
    /// A [`JsonError`] if the text is not one object, nests too deeply, or repeats a member.
    #[inline]
    pub fn parse(text: &'a str) -> Result<Self, JsonError> {
        let mut object = Self::default();
        Reader::new(text)?.read_rest(&mut object)?;
        Ok(object)
    }

    /// Returns the value of a registered member.
    #[inline]
    #[must_use]
    pub fn get(&self, name: Name) -> Option<Value<'a>> {
        self.registered.get(name.index()).copied().flatten()
    }

    /// Returns the value of any member.
    #[inline]
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Value<'a>> {
        match Name::of(name.as_bytes()) {
            Some(name) => self.get(name),
            None => self.find_other(name),
        }
    }

    /// Returns the value of a member that has no [`Name`].
    #[inline]
    #[must_use]
    pub fn find_other(&self, name: &str) -> Option<Value<'a>> {
        self.others().find(|other| *other.name() == *name.as_bytes()).map(|other| other.value)
    }

    /// Adds a member. Those without a [`Name`] may be there twice until
    /// [`other_names_are_unique`](Self::other_names_are_unique) was asked.
    #[inline(always)]
    pub(super) fn add(&mut self, name: MemberName<'a>, value: Value<'a>) -> Result<(), JsonError> {
        match name {
            MemberName::Other { name, escaped } => self.add_other(Member { name, escaped, value }),
            MemberName::Registered(name) => {
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

    pub(super) fn other_names_are_unique(&self) -> bool {
        if !self.spilled.is_empty() {
            return self.other_names_are_unique_when_sorted();
        }
        let mut rest = self.others.as_slice();
        while let Some((Some(first), others)) = rest.split_first() {
            let name = first.name();
            if others.iter().flatten().any(|other| other.name() == name) {
                return false;
            }
            rest = others;
        }
        true
    }

    /// For many names: time grows with n log n, whoever chose them.
    fn other_names_are_unique_when_sorted(&self) -> bool {
        let mut names: Vec<_> = self.others().map(Member::name).collect();
        names.sort_unstable();
        names.is_sorted_by(|a, b| a < b)
    }
}

/// Reads the escapes of a name, which the cursor has found to be well-formed.
#[cold]
fn unescaped(name: &[u8]) -> Cow<'_, [u8]> {
    let quoted = [b"\"", name, b"\""].concat();
    serde_json::from_slice::<String>(&quoted)
        .map_or(Cow::Borrowed(name), |name| name.into_bytes().into())
}
