//! Files that are written as a whole or not at all, also on a full disk.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// A file that is complete and on the disk, under another name than its own. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct NewFile {
    written: PathBuf,
    path: PathBuf,
}

impl NewFile {
    /// Writes the file next to its path, in the same file system.
    pub(crate) fn write(path: &Path, text: &str, mode: u32) -> Result<Self, Failure> {
        let written = with_suffix(path, &format!(".{}.new", std::process::id()));
        let about = |error| Failure::about(path, error);
        let mut file = create(&written, mode).map_err(about)?;
        // From here on a failure removes it.
        let new = Self { written, path: path.to_owned() };
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(about)?;
        Ok(new)
    }

    /// Gives the file its name. Only `force` replaces a file that has the name.
    fn put(&self, force: bool) -> io::Result<()> {
        if force {
            // An old file may be readable by others, or a link: it is not written to.
            return fs::rename(&self.written, &self.path);
        }
        match fs::hard_link(&self.written, &self.path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => self.put_without_links(),
            done => done,
        }
    }

    /// Gives the file its name in a file system that has no hard links: an empty file claims the name
    /// first, so that the rename replaces nothing else.
    fn put_without_links(&self) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).open(&self.path)?;
        let put = fs::rename(&self.written, &self.path);
        if put.is_err() {
            let _ = fs::remove_file(&self.path);
        }
        put
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After a rename it is not there.
        let _ = fs::remove_file(&self.written);
    }
}

/// Gives all files their names, or none of them: without `force`, a failure takes the names back that were
/// given before.
pub(crate) fn put_all(files: &[NewFile], force: bool) -> Result<(), Failure> {
    for (index, file) in files.iter().enumerate() {
        if let Err(error) = file.put(force) {
            if !force {
                files.iter().take(index).for_each(|given| drop(fs::remove_file(&given.path)));
            }
            return Err(match error.kind() {
                io::ErrorKind::AlreadyExists => exists(&file.path),
                _ => Failure::about(&file.path, error),
            });
        }
    }
    files.iter().for_each(|file| sync_folder(&file.path));
    Ok(())
}

pub(crate) fn exists(path: &Path) -> Failure {
    Failure::about(path, "the file exists; --force overwrites it")
}

/// Makes a name last through a power failure, where the platform can do that for folders.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(suffix);
    path.with_file_name(name)
}

fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_hard_links_gets_whole_files_too() {
        let folder = std::env::temp_dir().join(format!("portcullis-links-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("key");
        NewFile::write(&path, "first", 0o600).unwrap().put_without_links().unwrap();
        let second = NewFile::write(&path, "second", 0o600).unwrap();
        let error = second.put_without_links().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        drop(second);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_second_file_that_cannot_get_its_name_takes_the_first_back() {
        let folder = std::env::temp_dir().join(format!("portcullis-both-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let paths = ["key", "key.json"].map(|name| folder.join(name));
        let new = |path| NewFile::write(path, "new", 0o600).unwrap();
        let files: Vec<_> = paths.iter().map(|path| new(path)).collect();
        fs::write(&paths[1], "old").unwrap();
        assert!(put_all(&files, false).is_err());
        drop(files);
        assert!(!paths[0].exists());
        assert_eq!(fs::read_to_string(&paths[1]).unwrap(), "old");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
