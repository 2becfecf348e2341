//! `op://VAULT/ITEM/FIELD`: a secret reference of 1Password, read by its program `op`. A token is replaced by
//! `op item edit` with the whole item on stdin, as 1Password documents it for secrets:
//! <https://developer.1password.com/docs/cli/reference/management-commands/item>. Its other way, an assignment as an
//! argument, would show the token to every process.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::command::COMMAND_TIMEOUT;
use super::{Provider, text};
use crate::error::{Error, Kind, Result};
use crate::system::{
    Spinner,
    child::{Task, output},
};
use crate::types::{Secret, jwt};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(super) text: String,
}

impl Provider for Reference {
    fn describe(&self) -> String {
        self.text.clone()
    }

    /// <https://developer.1password.com/docs/cli/reference/commands/read>
    fn read(&self, hidden: &[Rc<str>]) -> Result<Secret> {
        text(call(&["read", "--no-newline", &self.text], hidden, None)?)
    }

    fn can_save(&self, hidden: &[Rc<str>]) -> Result<()> {
        item(&self.text, hidden).map(|_| ())
    }

    /// Saves the token in the field of the reference, and reads it again to be sure.
    fn save(&self, pat: &Secret, hidden: &[Rc<str>]) -> Result<()> {
        let mut item = item(&self.text, hidden)?;
        if let Some(value) = item.whole.pointer_mut(&item.place) {
            *value = Value::String(pat.expose().to_owned());
        }
        let input = Secret::new(item.whole.to_string());
        call(&["item", "edit", &item.id, &item.vault_option, "--format", "json"], hidden, Some(&input))?;
        if self.read(hidden)?.expose().trim() == pat.expose() {
            return Ok(());
        }
        Err(fault("1Password does not return the token that was saved"))
    }

    fn time_limit(&self) -> Option<Duration> {
        Some(COMMAND_TIMEOUT)
    }

    fn how_to_replace(&self) -> String {
        format!("save it as {}", self.text)
    }
}

struct Item {
    /// The item as `op` gives it. Wiping it would not reach what the JSON parser copied.
    whole: Value,
    /// The JSON pointer (RFC 6901) of the token.
    place: String,
    id: String,
    vault_option: String,
}

/// Reads the item of a reference `op://vault/item/[section/]field`, and finds the token in it.
fn item(reference: &str, hidden: &[Rc<str>]) -> Result<Item> {
    let parts: Vec<&str> = reference.strip_prefix("op://").unwrap_or_default().split('/').collect();
    let (vault, name, section, field) = match parts.as_slice() {
        [vault, item, field] => (*vault, *item, None, *field),
        [vault, item, section, field] => (*vault, *item, Some(*section), *field),
        _ => return Err(fault("the reference is not op://vault/item/field")),
    };
    if name.starts_with('-') || field.contains('?') {
        return Err(fault("a token cannot be saved by this reference"));
    }
    let vault_option = format!("--vault={vault}");
    let json = call(&["item", "get", name, &vault_option, "--format", "json"], hidden, None)?;
    let whole: Value = serde_json::from_slice(&json).map_err(|_| fault("`op item get` did not return JSON"))?;
    if whole.get("category").and_then(Value::as_str) == Some("LOGIN") {
        let what = "the token is in a login item, and `op` would lose that item's passkeys when it is edited";
        let hint = "move the token to an item of its own (API Credential, Password), and set pat to its reference";
        return Err(fault(what).only_hint(hint));
    }
    let id = whole.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut fields = whole.get("fields").and_then(Value::as_array).into_iter().flatten();
    let place = fields.position(|entry| is_named(entry, section, field)).map(|at| format!("/fields/{at}/value"));
    let found = place.as_ref().and_then(|place| whole.pointer(place)?.as_str());
    let (Some(place), Some(value), false) = (place, found, id.is_empty()) else {
        return Err(fault("`op item get` shows no such field in the item"));
    };
    // What `op` conceals would come back as the new content.
    jwt::claims(value).ok_or_else(|| fault("`op item get` does not show the token in that field"))?;
    Ok(Item { whole, place, id, vault_option })
}

/// Returns whether a field of an item is meant: by its id or label, and those of its section.
fn is_named(entry: &Value, section: Option<&str>, field: &str) -> bool {
    let is = |value: &Value, name: &str| {
        let mut texts = ["id", "label"].into_iter().filter_map(|key| value.get(key)?.as_str());
        texts.any(|text| text.eq_ignore_ascii_case(name))
    };
    let in_section = section.is_none_or(|name| entry.get("section").is_some_and(|section| is(section, name)));
    in_section && is(entry, field)
}

fn call(words: &[&str], hidden: &[Rc<str>], input: Option<&Secret>) -> Result<Vec<u8>> {
    let words: Vec<String> = std::iter::once("op").chain(words.iter().copied()).map(str::to_owned).collect();
    let task = Task { words: &words, hidden, input, timeout: COMMAND_TIMEOUT };
    output(&task, &mut Spinner::begin("1Password".into()))
}

fn fault(what: &str) -> Error {
    Error::new(Kind::NoCredential, what).hint("create a new token in the browser and save it in 1Password by hand")
}
