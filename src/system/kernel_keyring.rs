//! The session keyring of Linux (keyrings(7)): what is put there is in the kernel's memory and never on a disk, for this
//! user's processes in this login session, and for as long as was said. Each call looks for what there is in `/proc/keys`.

use std::fs::File;
use std::time::Duration;

use super::{files::read_up_to, user};
use crate::types::Secret;

/// What may be done with a key: who possesses it may view, read, link and change it, and its owner may search for it.
/// Only what may be searched for is possessed, so it takes both to read it: neither a program of another user in this
/// session (`sudo -u`, `su`) can, nor one of this user in another session.
const PERMISSIONS: u32 = 0x3308_0000;

/// A key that this process can read.
pub(crate) struct Key {
    id: i32,
    pub(crate) description: String,
}

/// Lists the keys whose description, which has no blanks, begins so. With these permissions, only what can be read is seen.
pub(crate) fn list(beginning: &str) -> Vec<Key> {
    let bytes = File::open("/proc/keys").and_then(|file| read_up_to(&file, u64::MAX)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().filter_map(|line| Key::parse(line, beginning)).collect()
}

impl Key {
    /// Reads a line of `/proc/keys`; `None` for one that is not meant, or not there any more: revoked, invalid, expired.
    fn parse(line: &str, beginning: &str) -> Option<Self> {
        let mut columns = line.split_ascii_whitespace();
        let mut next = || columns.next();
        let (id, flags, _, timeout, permissions, owner) = (next()?, next()?, next()?, next()?, next()?, next()?);
        let (_, kind, description) = (next()?, next()?, next()?);
        let number = |text, radix| u32::from_str_radix(text, radix).ok();
        let is_there = flags.starts_with("I--") && !flags.ends_with('i') && timeout != "expd";
        // Another user's would be a plant, and one with other permissions is not finished.
        let is_ours = number(owner, 10) == Some(user()) && number(permissions, 16) == Some(PERMISSIONS);
        let is_meant = is_there && is_ours && kind == "user" && description.starts_with(beginning);
        let id = number(id, 16).filter(|_| is_meant)?.cast_signed();
        Some(Self { id, description: description.trim_end_matches(':').to_owned() })
    }

    /// Returns what is in it; `None` where it is gone by now.
    pub(crate) fn read(&self) -> Option<Secret> {
        kernel::read(self.id)
    }

    pub(crate) fn remove(&self) {
        kernel::remove(self.id);
    }
}

/// Why a secret cannot be put there.
pub(crate) struct Refusal(pub(crate) &'static str);

pub(crate) fn put(description: &str, secret: &Secret, life: Duration) -> Result<(), Refusal> {
    kernel::put(description, secret, life)
}

#[cfg(target_os = "linux")]
mod kernel {
    use std::time::Duration;

    use linux_keyutils::KeyRingIdentifier::{Process, Session, UserSession};
    use linux_keyutils::{Key, KeyError, KeyPermissions, KeyRing, KeySerialId};
    use rustix::io::Errno;
    use zeroize::Zeroizing;

    use super::Refusal;
    use crate::types::{MAX_PAT_BYTES, Secret};

    fn key(id: i32) -> Key {
        Key::from_id(KeySerialId::new(id))
    }

    pub(super) fn read(id: i32) -> Option<Secret> {
        let mut bytes = Zeroizing::new(vec![0; MAX_PAT_BYTES]);
        let length = key(id).read(&mut bytes).ok()?;
        Some(Secret::new(str::from_utf8(bytes.get(..length)?).ok()?.to_owned()))
    }

    pub(super) fn remove(id: i32) {
        let _ = key(id).invalidate();
    }

    /// The key is made in the process's keyring, which ends with the process, and linked to the session's once it has its
    /// limits: killed at any moment, this leaves nothing without an end. (To update a key would clear its timeout.)
    pub(super) fn put(description: &str, secret: &Secret, life: Duration) -> Result<(), Refusal> {
        let session = KeyRing::from_special_id(Session, false)?;
        // A session that has none gets this one, which every process of the user shares, and which outlives logouts.
        if KeyRing::from_special_id(UserSession, false)? == session {
            return Err(Refusal("this session has no keyring of its own"));
        }
        let key = KeyRing::from_special_id(Process, true)?.add_key(description, secret.expose())?;
        key.set_timeout(usize::try_from(life.as_secs()).unwrap_or(1))?;
        key.set_perms(KeyPermissions::from_u32(super::PERMISSIONS))?;
        if super::list(description).is_empty() {
            return Err(Refusal("/proc/keys does not show it, where it would be looked for"));
        }
        Ok(session.link_key(key)?)
    }

    impl From<KeyError> for Refusal {
        fn from(error: KeyError) -> Self {
            const NO_SUCH_CALL: i32 = Errno::NOSYS.raw_os_error();
            Self(match error {
                KeyError::PermissionDenied | KeyError::AccessDenied | KeyError::Unknown(NO_SUCH_CALL) => {
                    "the kernel's keyrings cannot be used here, as in most containers"
                }
                KeyError::QuotaExceeded => "your quota of keys is used up (/proc/key-users)",
                KeyError::KeyRevoked => "the keyring of this session was revoked when its login ended",
                _ => "the kernel does not take it",
            })
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use std::time::Duration;

    use super::Refusal;
    use crate::types::Secret;

    pub(super) fn read(_id: i32) -> Option<Secret> {
        None
    }

    pub(super) fn remove(_id: i32) {}

    pub(super) fn put(_description: &str, _secret: &Secret, _life: Duration) -> Result<(), Refusal> {
        Err(Refusal("only Linux has such a keyring"))
    }
}
