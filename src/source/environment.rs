//! `env:NAME`: a variable of the environment. It is read when it is needed, and only by the profile that is used.

use std::rc::Rc;

use super::{Provider, invalid};
use crate::error::{Error, Kind, Result};
use crate::system::{KEY_VARIABLE, environment};
use crate::types::Secret;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(super) name: Rc<str>,
    /// Whether its value is left alone: `LABEL_STUDIO_API_KEY` belongs to the `LABEL_STUDIO_URL` beside it.
    pub(super) is_withheld: bool,
}

impl Variable {
    pub(super) fn parse(name: &str) -> Result<Self> {
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && name.starts_with(|first: char| !first.is_ascii_digit());
        if is_name {
            return Ok(Self { name: name.into(), is_withheld: false });
        }
        Err(invalid("names no variable after env:"))
    }

    fn value(&self) -> Result<Option<Secret>> {
        if self.is_withheld { Ok(None) } else { environment::secret(&self.name) }
    }
}

impl Provider for Variable {
    fn describe(&self) -> String {
        format!("env:{}", self.name)
    }

    fn read(&self, _hidden: &[Rc<str>]) -> Result<Secret> {
        let beside = if &*self.name == KEY_VARIABLE { "; it belongs to the LABEL_STUDIO_URL beside it" } else { "" };
        self.value()?.ok_or_else(|| {
            Error::new(Kind::NoCredential, format!("the variable {} is not set for this server", self.name))
                .hint(format!("export it, with a personal access token as its value{beside}"))
        })
    }

    fn fingerprint(&self) -> Option<String> {
        Some(self.value().ok()??.fingerprint())
    }

    fn how_to_replace(&self) -> String {
        format!("export it as {}", self.name)
    }

    fn variable(&self) -> Option<&Rc<str>> {
        Some(&self.name)
    }
}
