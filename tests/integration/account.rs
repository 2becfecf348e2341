//! What commands print that ask a server about an account.

use crate::sandbox::Done;

impl Done {
    /// Asserts that it succeeded and that stdout has a text in it.
    #[track_caller]
    pub(crate) fn prints(&self, text: &str) -> &Self {
        assert_eq!(self.code, Some(0), "exit status of {self:?}");
        assert!(self.stdout.contains(text), "{text:?} is missing in: {}", self.stdout);
        self
    }

    /// Returns the JSON object that it printed, after asserting that it succeeded and printed one line.
    #[track_caller]
    pub(crate) fn object(&self) -> serde_json::Value {
        serde_json::from_str(self.line()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
