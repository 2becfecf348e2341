//! Reads values out of the settings: what type they are of, and on which line they stand.

use std::fmt::Display;
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Fact, Kind, Result};
use crate::system::{Environment, files};
use crate::types::untrusted;

/// A key and its value, with their positions in the text.
pub(super) type Entry<'a> = (&'a Spanned<std::borrow::Cow<'a, str>>, &'a Spanned<DeValue<'a>>);

pub(super) struct Reader<'a> {
    /// Where the file is, and the home directory.
    pub(super) environment: &'a Environment,
    /// The whole text, for the numbers of lines.
    pub(super) text: &'a str,
    /// What profiles hide before all of them are known: one, as each would be an allocation.
    pub(super) hidden: Rc<[Rc<str>]>,
}

impl Reader<'_> {
    pub(super) fn path(&self, text: &str, span: Range<usize>) -> Result<PathBuf> {
        files::absolute(text, self.environment.home.as_deref()).ok_or_else(|| {
            let shown = text.escape_default();
            let what = format!("the path {shown} depends on the current directory, or has a control character");
            self.fault(Some(span), what).only_hint("begin it with / or ~/")
        })
    }

    pub(super) fn seconds(&self, entry: Entry<'_>, least: u64, most: u64) -> Result<Duration> {
        let number = entry.1.get_ref().as_integer();
        let number = number.and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        number.filter(|number| (least..=most).contains(number)).map(Duration::from_secs).ok_or_else(|| {
            let wanted = format!("a whole number of seconds from {least} to {most}");
            self.wrong_type(entry, &wanted).only_hint(format!(
                "write {} = {}, without quotes",
                entry.0.get_ref(),
                least.max(15)
            ))
        })
    }

    pub(super) fn boolean(&self, entry: Entry<'_>) -> Result<bool> {
        entry.1.get_ref().as_bool().ok_or_else(|| {
            self.wrong_type(entry, "true or false")
                .only_hint(format!("write {} = true, without quotes", entry.0.get_ref()))
        })
    }

    pub(super) fn table_of<'b>(&self, entry: Entry<'b>, wanted: &str) -> Result<&'b DeTable<'b>> {
        entry.1.get_ref().as_table().ok_or_else(|| self.wrong_type(entry, wanted))
    }

    pub(super) fn text_of<'b>(&self, entry: Entry<'b>) -> Result<&'b str> {
        entry.1.get_ref().as_str().ok_or_else(|| {
            self.wrong_type(entry, "a string").only_hint(format!("write it in quotes: {} = \"…\"", entry.0.get_ref()))
        })
    }

    pub(super) fn wrong_type(&self, (key, value): Entry<'_>, wanted: &str) -> Error {
        self.fault(Some(value.span()), format!("{} must be {wanted}", key.get_ref().escape_default()))
    }

    pub(super) fn unknown(&self, span: Range<usize>, key: &str, place: &str, keys: &str) -> Error {
        self.fault(Some(span), format!("unknown key {} {place}", key.escape_default()))
            .only_hint(format!("valid keys: {keys}"))
    }

    pub(super) fn fault(&self, span: Option<Range<usize>>, what: impl Display) -> Error {
        Error::new(Kind::Settings, untrusted(&what.to_string()))
            .with(Fact::File, self.place(span))
            .hint("`ls-token --help` shows an example of the settings")
    }

    pub(super) fn place(&self, span: Option<Range<usize>>) -> String {
        let before = span.and_then(|span| self.text.get(..span.start)).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        format!("{}, line {line}", self.environment.shown_config())
    }
}
