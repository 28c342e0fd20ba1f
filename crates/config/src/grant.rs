//! Which claims hold the rights: from checked values to settings, and from these to the mapping.

use super::{
    check::Section,
    error::SettingError,
    read::filled,
    settings::{GrantSettings, PermissionForm, PermissionSettings},
};
use portcullis::{GrantMapping, error::GrantMappingError};

/// Reads the section at this path.
pub(super) fn read(mut section: Section, path: &str) -> Result<GrantSettings, SettingError> {
    let permissions = section
        .section("permissions")
        .map(|permissions| read_permissions(permissions, &format!("{path}.permissions")));
    Ok(GrantSettings {
        scope: section.texts("scope"),
        roles: section.texts("roles"),
        more_roles: section.texts("more_roles").unwrap_or_default(),
        known_roles: filled(section.texts("known_roles"), path, "known_roles")?,
        default_roles: section.texts("default_roles").unwrap_or_default(),
        groups: section.texts("groups"),
        permissions: permissions.transpose()?,
    })
}

fn read_permissions(mut section: Section, path: &str) -> Result<PermissionSettings, SettingError> {
    let wrong = |key: &str, problem: &str| SettingError::new(format!("{path}.{key}"), problem);
    let mut text = |key| section.text(key);
    let (claim, separator) = (text("claim").unwrap_or_default(), text("separator"));
    let (pattern, listed) = (text("pattern"), text("listed"));
    let form = match (separator, pattern, listed, section.texts("flags")) {
        (None, None, Some(listed), flags) => {
            PermissionForm::Tuple { listed, flags: flags.unwrap_or_default() }
        }
        (_, _, None, Some(_)) => {
            return Err(wrong("flags", "there is no `listed`, so it means nothing: add one"));
        }
        (None, Some(pattern), None, None) => PermissionForm::Pattern(pattern),
        (Some(separator), None, None, None) => PermissionForm::Separator(separator),
        (None, None, None, None) => PermissionForm::Separator(":".to_owned()),
        (_, Some(_), _, _) => {
            let problem =
                "entries have one form: leave out all but one of it, `separator` and `listed`";
            return Err(wrong("pattern", problem));
        }
        (Some(_), None, Some(_), _) => {
            let problem = "it contradicts `separator`: leave one of them out";
            return Err(wrong("listed", problem));
        }
    };
    Ok(PermissionSettings {
        claim,
        form,
        levels_in_lower_case: section.flag("levels_in_lower_case"),
        ignore_malformed: section.flag("dangerous_ignore_malformed"),
    })
}

/// Makes the mapping. An error comes with the key that it is about, below the section's own.
pub(super) fn mapping(
    settings: &GrantSettings,
) -> Result<GrantMapping, (&'static str, GrantMappingError)> {
    let mut mapping = GrantMapping::default()
        .more_roles(settings.more_roles.iter().cloned())
        .default_roles(settings.default_roles.iter().cloned());
    if let Some(scope) = &settings.scope {
        mapping = mapping.scope(scope.iter().cloned());
    }
    if let Some(roles) = &settings.roles {
        mapping = mapping.roles(roles.iter().cloned());
    }
    if let Some(known_roles) = &settings.known_roles {
        mapping = mapping.known_roles(known_roles.iter().cloned());
    }
    if let Some(groups) = &settings.groups {
        mapping = mapping.groups(groups.iter().cloned());
    }
    if let Some(permissions) = &settings.permissions {
        mapping = with_permissions(mapping, permissions)?;
    }
    mapping.check().map_err(|error| match error {
        GrantMappingError::InvalidPattern { .. } => (".permissions.pattern", error),
        error => ("", error),
    })?;
    Ok(mapping)
}

fn with_permissions(
    mapping: GrantMapping,
    settings: &PermissionSettings,
) -> Result<GrantMapping, (&'static str, GrantMappingError)> {
    let claim = &settings.claim;
    let mut mapping = match &settings.form {
        PermissionForm::Separator(separator) => mapping.permissions(claim, separator),
        #[cfg(feature = "regex")]
        PermissionForm::Pattern(pattern) => mapping.permissions_matching(claim, pattern),
        #[cfg(not(feature = "regex"))]
        PermissionForm::Pattern(pattern) => {
            let reason = "this program was built without the feature `regex`".to_owned();
            let error = GrantMappingError::InvalidPattern { pattern: pattern.clone(), reason };
            return Err((".permissions.pattern", error));
        }
        PermissionForm::Tuple { listed, flags } => {
            mapping.permission_tuples(claim, listed, flags.iter().cloned())
        }
    };
    if settings.levels_in_lower_case {
        mapping = mapping.levels_in_lower_case();
    }
    if settings.ignore_malformed {
        mapping = mapping.dangerous_ignore_malformed_permissions();
    }
    Ok(mapping)
}
