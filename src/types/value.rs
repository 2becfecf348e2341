//! What stands around a value that comes from a file of variables, a paste or a command, and is no part of it.

/// Returns a value without blanks, line ends and a byte-order mark around it, and without a pair of quotes.
pub(crate) fn unwrapped(text: &str) -> &str {
    let text = trimmed(text);
    let inside = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).map_or(text, trimmed)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}
