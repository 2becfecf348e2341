//! The settings file. It is checked whole: an unknown key, a wrong type or a bad value is an error that names the line.

mod reader;

use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::mem::ManuallyDrop;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::rc::Rc;

use toml::Spanned;
use toml::de::DeTable;

use reader::{Entry, Reader};

use super::profile::{DEFAULT_TIMEOUT, ENVIRONMENT, Profile, names, shown_url};
use crate::error::{Error, Fact, Kind, Result};
use crate::source::{Owner, Source};
use crate::system::{Environment, files};
use crate::types::{Server, untrusted};

const KEYS: &str = "url, pat, allow_http, ca_file, timeout, min_ttl, keep";

/// What the settings file says; nothing, where it is not there.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) default: Option<String>,
    pub(super) profiles: Vec<Profile>,
}

pub(super) fn read(environment: &Environment) -> Result<File> {
    match text_of(environment)? {
        Some(text) => parse(environment, &text),
        None if environment.config_is_named => Err(unreadable(environment, &rustix::io::Errno::NOENT.into())),
        None => Ok(File::default()),
    }
}

/// Returns what stands in the settings file; `None` where there is none.
pub(super) fn text_of(environment: &Environment) -> Result<Option<String>> {
    let Some(path) = environment.config()? else { return Ok(None) };
    match read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(environment, &error)),
    }
}

pub(super) fn parse(environment: &Environment, text: &str) -> Result<File> {
    let reader = Reader { environment, text, hidden: Rc::default() };
    // Not freed, like the profiles.
    match DeTable::parse(text).map(ManuallyDrop::new) {
        Ok(table) => reader.file(table.get_ref()),
        Err(error) => Err(reader.fault(error.span(), format!("the settings are not TOML: {}", error.message()))),
    }
}

fn unreadable(environment: &Environment, error: &io::Error) -> Error {
    let hint = if environment.config_is_named {
        "LS_TOKEN_CONFIG names this file: fix it, or unset the variable"
    } else {
        "fix it, or move it away"
    };
    Error::new(Kind::Settings, format!("cannot read the settings: {error}"))
        .with(Fact::File, environment.shown_config())
        .hint(hint)
}

/// Reads a text of up to 1 MiB. The room for it comes first, and no call that only finds the end.
fn read_text(path: &Path) -> io::Result<String> {
    const MAX_CONFIG_BYTES: u64 = 1 << 20;
    let mut bytes = Vec::with_capacity(8 * 1024);
    // The file stays open until the process ends or becomes another, a moment later: closing it is a call that a cache
    // hit can do without.
    let file = ManuallyDrop::new(fs::File::open(path)?);
    let about = file.metadata()?;
    // They say what is run, and who gets the token.
    files::check_trusted(path, &about)?;
    let size = Some(about.len()).filter(|size| about.is_file() && *size > 0);
    (&*file).take(size.unwrap_or(u64::MAX).min(MAX_CONFIG_BYTES + 1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_CONFIG_BYTES {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is larger than 1 MiB"));
    }
    if file.as_raw_fd() <= 2 {
        // Instead of a standard stream that is closed, which is looked at later.
        drop(ManuallyDrop::into_inner(file));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

impl Reader<'_> {
    fn file(&self, table: &DeTable<'_>) -> Result<File> {
        let mut file = File::default();
        let mut default_at = None;
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "default" => {
                    file.default = Some(self.text_of((key, value))?.to_owned());
                    default_at = Some(value.span());
                }
                "profiles" => {
                    let profiles = self.table_of((key, value), "tables: [profiles.NAME]")?;
                    // With room for the variables' own.
                    file.profiles.reserve(profiles.len() + 1);
                    for entry in profiles {
                        file.profiles.push(self.profile(entry)?);
                    }
                }
                other => return Err(self.unknown(key.span(), other, "at the top", "default, profiles")),
            }
        }
        let is_there = |name: &&String| file.profiles.iter().any(|profile| profile.name == **name);
        let Some(name) = file.default.as_ref().filter(|name| !is_there(name)) else { return Ok(file) };
        let hint = match names(&file.profiles) {
            none if none.is_empty() => "remove this line: there is no profile".to_owned(),
            names => format!("name one of: {names}"),
        };
        let what = format!("the default profile {} is not in the file", name.escape_default());
        Err(self.fault(default_at, what).only_hint(hint))
    }

    fn profile(&self, entry: Entry<'_>) -> Result<Profile> {
        let name = entry.0;
        let table = self.table_of(entry, "a table: [profiles.NAME]")?;
        self.check_name(name)?;
        let (mut url, mut pat, mut allow_http, mut ca_file, mut timeout, mut min_ttl, mut keep) =
            (None, None, false, None, DEFAULT_TIMEOUT, None, None);
        for entry in table {
            let (key, value) = entry;
            match key.get_ref().as_ref() {
                "url" => url = Some((self.text_of(entry)?, value.span())),
                "pat" => pat = Some(entry),
                "allow_http" => allow_http = self.boolean(entry)?,
                "ca_file" => ca_file = Some(self.path(self.text_of(entry)?, value.span())?),
                "timeout" => timeout = self.seconds(entry, 1, 300)?,
                "min_ttl" => min_ttl = Some(self.seconds(entry, 0, 86_400)?),
                "keep" => keep = Some((self.seconds(entry, 60, 86_400)?, value.span())),
                other => return Err(self.unknown(key.span(), other, &format!("in profile {}", name.get_ref()), KEYS)),
            }
        }
        let missing = |key: &str, example: &str| {
            self.fault(Some(name.span()), format!("profile {} has no {key}", name.get_ref()))
                .only_hint(format!("add a line such as {example}"))
        };
        let (url, url_at) = url.ok_or_else(|| missing("url", r#"url = "https://label.example.com""#))?;
        let server = Server::parse(url)
            .map_err(|why| self.fault(Some(url_at.clone()), format!("the url {why}: {}", shown_url(url))))?;
        if !server.origin.secure && !allow_http && !server.origin.is_loopback() {
            return Err(self
                .fault(
                    Some(url_at),
                    format!("plain http to {} would show the personal access token to the network", server.origin),
                )
                .only_hint("use https, or add `allow_http = true` to the profile where you trust every hop"));
        }
        let owner = Owner { profile: name.get_ref(), server: &server };
        let source = self.pat(pat.ok_or_else(|| missing("pat", r#"pat = "op://Vault/Item/field""#))?, owner)?;
        if let Some((_, at)) = keep.clone().filter(|_| source.time_limit().is_none()) {
            let what = "keep is for a pat that a program gives: op://, cmd: or keyring";
            return Err(self.fault(Some(at), what).only_hint("remove this line"));
        }
        Ok(Profile {
            name: name.get_ref().to_string(),
            server,
            source,
            ca_file,
            timeout,
            min_ttl,
            keep: keep.map(|(seconds, _)| seconds),
            hidden: Rc::clone(&self.hidden),
        })
    }

    /// Refuses a name that cannot be shown as it is, or that means something else.
    fn check_name(&self, name: &Spanned<std::borrow::Cow<'_, str>>) -> Result<()> {
        let text = name.get_ref().as_ref();
        let fault = |why: &str| {
            Err(self
                .fault(Some(name.span()), format!("the profile name {text} {why}"))
                .only_hint("give it another name"))
        };
        if text == ENVIRONMENT {
            return fault("is reserved for the profile built from variables");
        }
        let is_plain = text.len() < 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let is_shown_as_it_is = || is_plain || untrusted(text) == text;
        if text.is_empty() || text.starts_with('-') || !is_shown_as_it_is() {
            return fault("cannot be written on a command line");
        }
        Ok(())
    }

    fn pat(&self, entry: Entry<'_>, owner: Owner<'_>) -> Result<Source> {
        let value = entry.1.get_ref();
        let source = if let Some(list) = value.as_array() {
            let words: Option<Vec<_>> = list.iter().map(|word| word.get_ref().as_str().map(str::to_owned)).collect();
            Source::command(words.ok_or_else(|| self.wrong_type(entry, "a string, or a list of strings alone"))?)
        } else {
            let spec = value.as_str().ok_or_else(|| self.wrong_type(entry, "a string or a list of strings"))?;
            Source::parse(spec, owner, self.environment.home.as_deref())
        };
        source.map_err(|error| error.with(Fact::File, self.place(Some(entry.1.span()))))
    }
}
