//! Private files and directories: whose they are, and who can read or change them. Everything that holds a token, or
//! decides who gets one, is opened here; `atomic` writes it.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, OFlags, access, fcntl_setfl};

use super::process::user;
use crate::error::{Error, Fact, Kind, Result};

/// The permission bits that let others read or change a file.
const OPEN_TO_OTHERS: u32 = 0o077;

const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Opens a private file of ours: no link, no FIFO, no second name, nobody else's, open to nobody. `None` for any other.
pub(crate) fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<Option<(File, Metadata)>> {
    let file = options.custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK)).open(path)?;
    let about = file.metadata()?;
    let is_ours = about.is_file() && about.nlink() == 1 && about.uid() == user() && about.mode() & OPEN_TO_OTHERS == 0;
    Ok(is_ours.then_some((file, about)))
}

/// Opens a file to be written anew, wherever its path leads. If it was not there, it is the user's alone. A FIFO that nobody
/// reads is an error, ENXIO, instead of a wait (fifo(7)).
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).custom_flags(flags(OFlags::NONBLOCK));
    let file = options.open(path)?;
    fcntl_setfl(&file, OFlags::empty())?;
    Ok(file)
}

/// Opens a file that may be anybody's, and by a link; the caller looks whose it is. A FIFO does not hold the program up.
pub(crate) fn open_source(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(flags(OFlags::NONBLOCK)).open(path)
}

/// Refuses a file that someone else may have written: owner and mode as ssh wants them (`ssh_config(5)`).
pub(crate) fn check_trusted(path: &Path, about: &Metadata) -> io::Result<()> {
    let (owner, path) = (about.uid(), quoted(path));
    let (why, command) = if owner != user() && owner != 0 {
        (format!("the file belongs to another user (uid {owner})"), format!("chown {} {path}", user()))
    } else if about.mode() & WRITABLE_BY_OTHERS != 0 {
        ("other users can write to the file".into(), format!("chmod go-w {path}"))
    } else {
        return Ok(());
    };
    // Who does not own it, and in a container cannot become who does, copies it.
    let may = user() == 0 || owner == user() && !command.starts_with("chown");
    let copy = if may { "run " } else { "use a copy of your own, or run sudo " };
    Err(io::Error::new(ErrorKind::PermissionDenied, format!("{why}; {copy}{command}")))
}

/// Reads a file, and no more than so many bytes of it.
pub(crate) fn read_up_to(file: &File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn flags(flags: OFlags) -> i32 {
    i32::try_from(flags.bits()).unwrap_or_default()
}

pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns a path that is absolute or begins with `~/`, and has no control character; `None` for any other.
pub(crate) fn absolute(text: &str, home: Option<&Path>) -> Option<PathBuf> {
    let path = match (text.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(text),
    };
    Some(path).filter(|path| path.is_absolute() && !text.contains(char::is_control))
}

/// What a private directory is for.
pub(crate) struct Purpose {
    pub(crate) name: &'static str,
    pub(crate) remedy: &'static str,
}

impl Purpose {
    fn refused(&self, path: &Path, why: &str, hint: &str) -> Error {
        let what = format!("{} {why}, so it is not used", self.name);
        Error::new(Kind::Io, what).with(Fact::Directory, path.display()).hint(hint)
    }
}

/// Refuses a directory that is not private, or not there and cannot be made. One that is there costs one system call.
pub(crate) fn check_private_directory(path: &Path, purpose: &Purpose) -> Result<()> {
    let refused = |why: &str, hint: &str| Err(purpose.refused(path, why, hint));
    match path.symlink_metadata() {
        Ok(about) if !about.is_dir() => refused("is not a directory", &format!("move it away, or {}", purpose.remedy)),
        Ok(about) if about.uid() != user() => refused("belongs to another user", purpose.remedy),
        Ok(about) if about.mode() & OPEN_TO_OTHERS != 0 => {
            refused("is open to others", &format!("chmod 700 {}", quoted(path)))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            check_above(path, purpose)?;
            let refused = |error| purpose.refused(path, "cannot be created", purpose.remedy).because(error);
            check_writable(nearest(path)).map_err(refused)
        }
        Err(error) => refused(&format!("cannot be read ({error})"), purpose.remedy),
    }
}

/// Proves that a private directory is there or can be made, and that files can be made in it.
pub(crate) fn can_make_private_directory(path: &Path, purpose: &Purpose) -> Result<()> {
    check_above(path, purpose)?;
    check_private_directory(path, purpose)?;
    check_writable(nearest(path))
}

/// Makes a directory that nobody else may look into, where it is not there.
pub(crate) fn make_private_directory(path: &Path, purpose: &Purpose) -> Result<()> {
    check_above(path, purpose)?;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    // Someone else may have been faster, and what is there in its place says more than the system's error.
    check_private_directory(path, purpose)?;
    made.map_err(|error| Error::file(&format!("create {}", purpose.name), path, &error))
}

/// Refuses a place that others could turn into another: below a directory of somebody else's, or one that everybody may
/// write to. Links on the way are followed, and must not be somebody else's either.
fn check_above(path: &Path, purpose: &Purpose) -> Result<()> {
    const STICKY: u32 = 0o1000;
    let real = path.ancestors().find_map(|above| above.canonicalize().ok());
    let links = path.ancestors().filter(|above| above.is_symlink());
    let real = real.iter().flat_map(|real| real.ancestors());
    for above in links.chain(real) {
        let about = above.symlink_metadata().map_err(|error| Error::file("read the directory", above, &error))?;
        if about.uid() != user() && about.uid() != 0 {
            return Err(purpose.refused(above, "is below something that belongs to another user", purpose.remedy));
        }
        // The owner of a sticky directory can still rename what is in it.
        let is_shared = about.uid() == 0 && about.mode() & STICKY != 0;
        if about.is_dir() && about.mode() & 0o002 != 0 && !is_shared {
            let command = format!("chmod o-w {}", quoted(above));
            let hint = if [about.uid(), 0].contains(&user()) { &command } else { purpose.remedy };
            return Err(purpose.refused(above, "is below a directory that everybody may write to", hint));
        }
    }
    Ok(())
}

/// Returns the path itself if it is there, or else the first of the directories above it that is.
pub(crate) fn nearest(path: &Path) -> &Path {
    path.ancestors().find(|above| above.exists()).unwrap_or(path)
}

/// Refuses a directory in which no file can be made.
pub(crate) fn check_writable(directory: &Path) -> Result<()> {
    can_create_in(directory).map_err(|error| {
        Error::file("write to the directory", directory, &error).hint("fix its permissions: chmod u+w")
    })
}

/// Asks the system whether files can be made in a directory.
pub(crate) fn can_create_in(directory: &Path) -> io::Result<()> {
    Ok(access(directory, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Returns whether the file is mounted by itself, as containers do; where the system cannot tell, it is not.
pub(crate) fn is_mount_point(file: &Path, directory: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
        let mount = |path: &Path| {
            let about = statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
            (about.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(about.stx_mnt_id)
        };
        mount(file) != mount(directory)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, directory);
        false
    }
}

/// Removes a file; one that is not there is gone already.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns a path as a shell takes it for one word.
pub(crate) fn quoted(path: &Path) -> String {
    shell_words::quote(&path.to_string_lossy()).into_owned()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const IT: Purpose = Purpose { name: "it", remedy: "move" };

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_that_is_mounted_by_itself_is_told_from_one_of_its_directory() {
        assert!(is_mount_point(Path::new("/proc"), Path::new("/")));
        assert!(!is_mount_point(Path::new("/proc/version"), Path::new("/proc")));
    }

    #[test]
    fn f56_only_a_private_file_of_ours_is_opened() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let open = |name: &str| open_private(&path(name), OpenOptions::new().read(true));
        for (name, mode) in [("good", 0o600), ("readable", 0o640), ("writable", 0o602), ("executable", 0o701)] {
            fs::write(path(name), b"x").unwrap();
            set_mode(&path(name), mode);
            assert_eq!(open(name).unwrap().is_some(), name == "good", "{name}");
        }
        DirBuilder::new().mode(0o700).create(path("directory")).unwrap();
        assert!(matches!(open("directory"), Ok(None)));
        std::os::unix::fs::symlink(path("good"), path("link")).unwrap();
        assert!(open("link").is_err());
        fs::hard_link(path("good"), path("second")).unwrap();
        assert!(matches!(open("good"), Ok(None)) && matches!(open("second"), Ok(None)));
        assert_eq!(open("absent").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn f56_a_directory_is_private_or_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("a/b"), directory.path().join("link"));
        let refusal = |path: &Path| make_private_directory(path, &IT).unwrap_err().what;
        can_make_private_directory(&path, &IT).unwrap();
        assert!(!path.exists());
        make_private_directory(&path, &IT).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(refusal(&link).contains("is not a directory"));
        for mode in [0o750, 0o705, 0o770, 0o711] {
            set_mode(&path, mode);
            assert!(refusal(&path).contains("is open to others"), "{mode:o}");
        }
        set_mode(parent(&path), 0o777);
        assert!(refusal(&path).contains("everybody may write to"));
    }
}
