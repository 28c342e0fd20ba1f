//! What the functions of a table need while they apply their rows: files, and a list for mistakes.

use std::{cell::RefCell, path::PathBuf};

use portcullis::ConfigError;

use crate::{Config, mistakes::Mistakes, section::Section, store_url::StoreUrl, stores::Stores};

pub(crate) struct Applying<'c> {
    config: &'c Config,
    mistakes: RefCell<Mistakes>,
}

impl<'c> Applying<'c> {
    pub(crate) fn new(config: &'c Config) -> Self {
        Self { config, mistakes: RefCell::default() }
    }

    /// Returns the path of a file that the configuration names.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.config.folder().join(file)
    }

    /// Returns the open store of the configuration.
    pub(crate) fn stores(&self) -> &Stores {
        &self.config.stores
    }

    /// Returns the URL of the store that a section names, if it can be used.
    pub(crate) fn store_url(&self, section: &Section) -> Option<StoreUrl> {
        let url = StoreUrl::new(section.text("store")?).ok()?;
        Some(url.in_folder(self.config.folder()))
    }

    /// Returns whether files are read only once.
    pub(crate) fn files_are_fixed(&self) -> bool {
        self.config.files_are_fixed
    }

    /// Adds a mistake: the engine rejects the value of a key. An empty key is the section.
    pub(crate) fn reject(&self, section: &Section, key: &str, error: impl Into<ConfigError>) {
        let (message, help) = self.config.explain(error.into());
        self.mistakes.borrow_mut().add(section.path_of(key), message, help);
    }

    pub(crate) fn into_mistakes(self) -> Mistakes {
        self.mistakes.into_inner()
    }

    /// Returns whether a mistake was added at a key, or inside of its section.
    pub(crate) fn has_mistakes_in(&self, path: &str) -> bool {
        self.mistakes.borrow().are_in(path)
    }
}
