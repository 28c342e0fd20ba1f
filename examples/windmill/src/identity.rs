//! Who calls, as the token says, and what follows from that.

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

    pub(crate) fn owns(&self, folder: &str) -> bool {
        self.is_admin || self.folders.iter().any(|(name, _, owner)| name == folder && *owner)
    }

    /// `u/<name>/…` is the user's own; `f/<folder>/…` is for those whose token names the folder, with a
    /// flag that says whether they may write.
    pub(crate) fn may(&self, path: &str, flag: fn(bool) -> bool) -> bool {
        let mut parts = path.splitn(3, '/');
        let (kind, owner) = (parts.next(), parts.next().unwrap_or_default());
        let is_within = parts.next().is_some_and(|rest| !rest.is_empty());
        let mut folders = self.folders.iter();
        let is_allowed = match kind {
            Some("u") => owner == self.username,
            Some("f") => folders.any(|(name, write, _)| name == owner && flag(*write)),
            _ => false,
        };
        self.is_admin || (is_within && is_allowed)
    }
}
