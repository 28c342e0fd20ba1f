//! Who calls, as the token says, and what follows from that.

use portcullis_axum::{AuthError, AuthErrorKind, policy::allow_if};

/// The claims of a token.
#[derive(Clone, Debug, serde::Deserialize)]
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
    pub job_id: Option<uuid::Uuid>,
}

impl Identity {
    pub(crate) fn is_member(&self, workspace: &str) -> Result<(), AuthError> {
        let mut ids = self.workspace_id.iter().chain(self.workspace_ids.iter().flatten());
        if ids.any(|id| id == workspace) {
            Ok(())
        } else {
            Err(AuthErrorKind::WrongAudience.into())
        }
    }

    pub(crate) fn owns(&self, folder: &str) -> Result<(), AuthError> {
        let is_owner = self.folders.iter().any(|(name, _, owner)| name == folder && *owner);
        allow_if(self.is_admin || is_owner, || format!("You are not owner of the folder {folder}"))
    }

    /// `u/<name>/…` is the user's own; `f/<folder>/…` is for those whose token names the folder, with a
    /// flag that says whether they may do more than `read`.
    pub(crate) fn may(&self, verb: &str, path: &str) -> Result<(), AuthError> {
        let opens = |flag: bool| flag || verb == "read";
        let is_allowed = match *path.splitn(3, '/').collect::<Vec<_>>().as_slice() {
            [_, _, ""] => false,
            ["u", owner, _] => owner == self.username,
            ["f", folder, _] => self.folders.iter().any(|(name, w, _)| name == folder && opens(*w)),
            _ => false,
        };
        allow_if(self.is_admin || is_allowed, || format!("Permission denied: cannot {verb} {path}"))
    }
}
