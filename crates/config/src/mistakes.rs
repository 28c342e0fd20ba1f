//! Mistakes as they are found, before their place in the file is known.

/// Collects mistakes.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Vec<Mistake>);

/// What is wrong with a key.
#[derive(Debug)]
pub(crate) struct Mistake {
    /// The path of the key, such as `issuer[0].leeway`: empty for the configuration as a whole.
    pub(crate) key: String,
    pub(crate) message: String,
    /// What to do. Empty if the message says it.
    pub(crate) help: String,
}

impl Mistakes {
    pub(crate) fn add(
        &mut self,
        key: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let mistake = Mistake { key: key.into(), message: message.into(), help: help.into() };
        // What was found when the file was read may be found again when it is tried out.
        if !self.0.iter().any(|known| known.key == mistake.key && known.message == mistake.message)
        {
            self.0.push(mistake);
        }
    }

    pub(crate) fn append(&mut self, others: Self) {
        for Mistake { key, message, help } in others.0 {
            self.add(key, message, help);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether one of them has this message.
    pub(crate) fn contain(&self, message: &str) -> bool {
        self.0.iter().any(|mistake| mistake.message == message)
    }

    /// Returns whether there is a mistake at this key, or inside of its section.
    pub(crate) fn are_in(&self, path: &str) -> bool {
        self.0.iter().any(|mistake| {
            let rest = mistake.key.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// Returns whether there is a mistake at a key outside of any section.
    pub(crate) fn are_outside_of_sections(&self) -> bool {
        self.0.iter().any(|mistake| {
            let is_inside = mistake.key.contains('.')
                || ["issuer[", "static_token["].iter().any(|list| mistake.key.starts_with(list));
            !is_inside
        })
    }

    pub(crate) fn into_vec(self) -> Vec<Mistake> {
        self.0
    }
}
