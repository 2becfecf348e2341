//! Private files and directories: how they are opened, made and replaced, and what becomes of those that a killed process
//! left. Everything that holds a token, or decides who gets one, goes through here.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, Dir, Mode, OFlags, access};
use tempfile::{Builder, NamedTempFile};

use super::process::user;
use crate::error::{Error, Fact, Kind, Result};

/// The beginning of temporary files' names. The name of the file to replace follows, then random letters.
const TEMPORARY_PREFIX: &str = ".ls-token-new-";

/// The most that is taken of that name, in bytes: a name may have 255 (`NAME_MAX`).
const MAX_NAME_IN_PREFIX: usize = 180;

/// The age at which a temporary file can only be the remains of a killed process.
const STALE_AFTER: Duration = Duration::from_secs(600);

/// The permission bits that let others read or change a file.
const OPEN_TO_OTHERS: u32 = 0o077;

const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Opens a file of ours that is there: no symbolic link, no FIFO, no second name, nobody else's, open to nobody. `None`
/// for what is not such a file.
pub(crate) fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<Option<(File, Metadata)>> {
    let file = options.custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK)).open(path)?;
    let about = file.metadata()?;
    let is_ours = about.is_file() && about.nlink() == 1 && about.uid() == user() && about.mode() & OPEN_TO_OTHERS == 0;
    Ok(is_ours.then_some((file, about)))
}

/// Opens a file that may be anybody's, and by a link; the caller looks whose it is. A FIFO does not hold the program up.
pub(crate) fn open_source(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(flags(OFlags::NONBLOCK)).open(path)
}

/// Refuses a file that someone else may have written: owner and mode as ssh wants them of its configuration
/// (`ssh_config(5)`).
pub(crate) fn check_trusted(path: &Path, about: &Metadata) -> io::Result<()> {
    let refuse = |why: &str| Err(io::Error::new(ErrorKind::PermissionDenied, why));
    if about.uid() != user() && about.uid() != 0 {
        return refuse("the file belongs to another user");
    }
    if about.mode() & WRITABLE_BY_OTHERS != 0 {
        return refuse(&format!("other users can write to the file; run chmod go-w {}", quoted(path)));
    }
    Ok(())
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

/// Returns a path that is absolute or begins with `~/`; `None` where it depends on the current directory, or has a
/// control character.
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

/// Refuses a directory that is not the user's own or is open to others, and one that is not there and cannot be made. One
/// that is there costs one system call.
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
            let hint = format!("chmod o-w {}", quoted(above));
            return Err(purpose.refused(above, "is below a directory that everybody may write to", &hint));
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

/// A file that is ready to replace another in one step: written beside it, flushed to the disk, then renamed over it.
/// Whatever happens meanwhile, the old one or the new one is there, whole. It vanishes where it does not get that far.
pub(crate) struct AtomicFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl AtomicFile {
    /// Writes the content beside the target, which may be absent but not a symbolic link: that would be replaced.
    pub(crate) fn prepare(target: &Path, content: &[u8], mode: u32) -> Result<Self> {
        let write = || {
            let file = write_temporary(target, content)?;
            file.as_file().set_permissions(Permissions::from_mode(mode))?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        let file = write().map_err(|error| cannot_write(target, &error))?;
        Ok(Self { file, target: target.to_owned() })
    }

    pub(crate) fn commit(self) -> Result<()> {
        let Self { file, target } = self;
        file.persist(&target).map_err(|error| cannot_write(&target, &error.error))?;
        sync_directory(parent(&target));
        Ok(())
    }
}

/// Replaces a file that can be made again: like `AtomicFile`, but without a wait for the disk, and instead of an empty
/// directory too.
pub(crate) fn replace_quickly(target: &Path, content: &[u8]) -> io::Result<()> {
    let file = write_temporary(target, content)?;
    if target.symlink_metadata().is_ok_and(|about| about.is_dir()) {
        // Only an empty one goes; what someone keeps there is not ours.
        fs::remove_dir(target)?;
    }
    file.persist(target).map_err(|error| error.error)?;
    Ok(())
}

/// Makes a file that is not there yet, for this user alone, and waits until the disk has it.
pub(crate) fn create_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    written.inspect_err(|_| _ = fs::remove_file(path))?;
    sync_directory(parent(path));
    Ok(())
}

/// Removes a file; one that is not there is gone already.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a temporary file beside the target, with mode 0600, after removing what killed processes left there.
fn write_temporary(target: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let directory = parent(target);
    // One that cannot be removed keeps nobody from writing another.
    let _ = remove_temporary(directory, TEMPORARY_PREFIX.as_bytes(), STALE_AFTER);
    let mut file = Builder::new().prefix(OsStr::from_bytes(&temporary_prefix(target))).tempfile_in(directory)?;
    file.write_all(content)?;
    Ok(file)
}

/// Waits until the disk has the names in a directory. Some file systems cannot do that, and it is done all the same.
fn sync_directory(directory: &Path) {
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
}

/// Removes the copies of a file that killed processes left, of any age. Returns whether there were any. Whoever calls
/// this holds the lock of those who write the file.
pub(crate) fn remove_copies(target: &Path) -> io::Result<bool> {
    remove_temporary(parent(target), &temporary_prefix(target), Duration::ZERO)
}

/// Removes all copies of files in a directory that killed processes left. Returns whether there were any.
pub(crate) fn remove_copies_in(directory: &Path) -> io::Result<bool> {
    remove_temporary(directory, TEMPORARY_PREFIX.as_bytes(), Duration::ZERO)
}

fn temporary_prefix(target: &Path) -> Vec<u8> {
    let name = target.file_name().unwrap_or_default().as_bytes();
    let name = name.get(..MAX_NAME_IN_PREFIX).unwrap_or(name);
    [TEMPORARY_PREFIX.as_bytes(), name, b"-"].concat()
}

/// Removes temporary files of an age. Not by `std::fs::read_dir`, which panics when closing the directory fails.
fn remove_temporary(directory: &Path, prefix: &[u8], age: Duration) -> io::Result<bool> {
    let opened = rustix::fs::open(directory, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let mut removed = Ok(false);
    for entry in opened.and_then(Dir::read_from).into_iter().flatten().flatten() {
        let name = entry.file_name().to_bytes();
        let path = directory.join(OsStr::from_bytes(name));
        let age_of = |about: Metadata| about.modified().ok()?.elapsed().ok();
        let is_old = || path.symlink_metadata().ok().and_then(age_of).is_some_and(|old| old > age);
        if name.starts_with(prefix) && (age.is_zero() || is_old()) {
            let done = remove(&path);
            removed = removed.and_then(|_| done.map(|()| true));
        }
    }
    removed
}

fn cannot_write(target: &Path, error: &io::Error) -> Error {
    Error::file("write the file", target, error)
        .hint("check the permissions of its directory, and the room on the disk")
}

/// Returns a path as a shell takes it for one word.
pub(crate) fn quoted(path: &Path) -> String {
    shell_words::quote(&path.to_string_lossy()).into_owned()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    const IT: Purpose = Purpose { name: "it", remedy: "move" };

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
        create_new(&path("good"), b"x").unwrap();
        assert!(matches!(open("good"), Ok(Some(_))));
        for (name, mode) in [("readable", 0o640), ("writable", 0o602), ("executable", 0o701)] {
            create_new(&path(name), b"x").unwrap();
            fs::set_permissions(path(name), Permissions::from_mode(mode)).unwrap();
            assert!(matches!(open(name), Ok(None)), "{name}");
        }
        DirBuilder::new().mode(0o700).create(path("directory")).unwrap();
        assert!(matches!(open("directory"), Ok(None)));
        std::os::unix::fs::symlink(path("good"), path("link")).unwrap();
        assert!(open("link").is_err());
        fs::hard_link(path("good"), path("second")).unwrap();
        assert!(matches!(open("good"), Ok(None)) && matches!(open("second"), Ok(None)));
        assert_eq!(open("absent").unwrap_err().kind(), ErrorKind::NotFound);
        assert!(create_new(&path("good"), b"y").is_err());
    }

    #[test]
    fn f56_a_directory_is_private_or_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("a/b"), directory.path().join("link"));
        let set_mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
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
