//! Who calls, as the token says, and what follows from that.

use portcullis_axum::{AuthError, AuthErrorKind};
use serde::Deserialize;
use uuid::Uuid;

/// The claims of a token.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// Whose token it is.
    pub email: String,
    /// The same, as paths begin with it.
    pub username: String,
    /// May do everything in the workspace.
    pub is_admin: bool,
    /// May run things, and not change them.
    pub is_operator: bool,
    /// Groups.
    pub groups: Vec<String>,
    /// Folders: name, may write, is owner.
    pub folders: Vec<(String, bool, bool)>,
    /// When it expires; the engine has looked at it.
    pub exp: u64,
    /// The one workspace.
    pub workspace_id: Option<String>,
    /// Further workspaces.
    pub workspace_ids: Option<Vec<String>>,
    /// What the token is for.
    pub label: Option<String>,
    /// What the token is limited to.
    pub scopes: Option<Vec<String>>,
    /// The job that the token was made for.
    pub job_id: Option<Uuid>,
}

impl Identity {
    pub(crate) fn is_member(&self, workspace: &str) -> bool {
        self.workspace_id
            .iter()
            .chain(self.workspace_ids.iter().flatten())
            .any(|id| id == workspace)
    }

    pub(crate) fn check_admin(&self) -> Result<(), AuthError> {
        allow(self.is_admin, || format!("Require Admin privileges for {}", self.username))
    }

    pub(crate) fn check_not_operator(&self, what: &str) -> Result<(), AuthError> {
        allow(!self.is_operator, || {
            format!("Permission denied: Operators cannot create {what} for security reasons")
        })
    }

    pub(crate) fn check_folder_owner(&self, folder: &str) -> Result<(), AuthError> {
        let is_owner = self.is_admin || self.folder(folder, |&(_, _, is_owner)| is_owner);
        allow(is_owner, || format!("You are not owner of the folder {folder}"))
    }

    pub(crate) fn check_read(&self, path: &str) -> Result<(), AuthError> {
        allow(self.is_allowed(path, |_| true), || format!("Permission denied: cannot read {path}"))
    }

    pub(crate) fn check_write(&self, path: &str) -> Result<(), AuthError> {
        let may_write = self.is_allowed(path, |&(_, may_write, _)| may_write);
        allow(may_write, || format!("Permission denied: cannot write {path}"))
    }

    /// `u/<name>/…` is the user's own; `f/<folder>/…` is everyone's whose token names the folder.
    fn is_allowed(&self, path: &str, flag: fn(&(String, bool, bool)) -> bool) -> bool {
        let mut parts = path.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            _ if self.is_admin => true,
            (Some("u"), Some(name), Some(rest)) => name == self.username && !rest.is_empty(),
            (Some("f"), Some(folder), Some(rest)) => self.folder(folder, flag) && !rest.is_empty(),
            _ => false,
        }
    }

    fn folder(&self, name: &str, flag: fn(&(String, bool, bool)) -> bool) -> bool {
        self.folders.iter().any(|folder| folder.0 == name && flag(folder))
    }
}

fn allow(yes: bool, reason: impl FnOnce() -> String) -> Result<(), AuthError> {
    if yes { Ok(()) } else { Err(AuthError::with_source(AuthErrorKind::NotPermitted, reason())) }
}
