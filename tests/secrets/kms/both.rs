//! Both programs under the same variables against the same address: what they ask there, and what comes of it.

use std::cell::RefCell;

use lockage::sops::SopsError;

use super::lab::{Lab, PLAIN};
use super::stand_in::{Heard, StandIn};
use crate::common::peer;

/// A text without its line breaks, blanks and the marks of SOPS's report.
pub fn flat(text: &str) -> String {
    text.replace("- |", " ").replace('|', " ").split_whitespace().collect()
}

/// A comparison, and what it found.
pub struct Both<'a> {
    vendor: &'a StandIn,
    /// A request as it is compared; `None` for one that does not count.
    shown: fn(&Heard) -> Option<String>,
    differences: RefCell<Vec<String>>,
}

/// What came of it, and what was asked for that.
type Did = (Result<Vec<u8>, String>, Vec<String>);

impl<'a> Both<'a> {
    pub fn new(vendor: &'a StandIn, shown: fn(&Heard) -> Option<String>) -> Self {
        Self { vendor, shown, differences: RefCell::default() }
    }

    /// Both open it, and ask the same for that: `asked`, if that is to be held, too.
    pub fn open(&self, lab: &Lab, sealed: &str, what: &str, asked: &[&str]) {
        let (ours, mine) = self.ours(lab, sealed);
        match ours {
            Ok(text) if text == PLAIN => {}
            other => self.differ(what, "ours does not open it", format!("{other:?}"), &mine),
        }
        if !asked.is_empty() && mine != asked {
            self.differ(what, "ours asks otherwise", format!("{asked:?}"), &mine);
        }
        let Some((theirs, real)) = self.theirs(lab, sealed) else { return };
        match theirs {
            Ok(text) if text == PLAIN => {}
            other => self.differ(what, "theirs does not open it", format!("{other:?}"), &real),
        }
        if mine != real {
            self.differ(what, "it asks otherwise", format!("{real:?}"), &mine);
        }
    }

    /// Both fail, after asking the same; `same` is whether they also say the same.
    pub fn refuse(&self, lab: &Lab, sealed: &str, what: &str, same: bool) {
        let (ours, mine) = self.ours(lab, sealed);
        let Err(said) = ours else { return self.differ(what, "ours opens it", String::new(), &mine) };
        assert!(!said.contains("CANARY"), "{what}: {said}");
        let Some((theirs, real)) = self.theirs(lab, sealed) else { return };
        let Err(theirs) = theirs else { return self.differ(what, "theirs opens it", said, &real) };
        if same && flat(&said) != flat(&theirs) {
            self.differ(what, &said, theirs, &mine);
        }
        if mine != real {
            self.differ(what, "it asks otherwise", format!("{real:?}"), &mine);
        }
    }

    /// Fails if anything differed.
    pub fn done(self) {
        let found = self.differences.into_inner();
        assert!(found.is_empty(), "{}", found.join("\n\n"));
    }

    fn differ(&self, what: &str, how: &str, more: String, asked: &[String]) {
        self.differences.borrow_mut().push(format!("{what}: {how}\n  {more}\n  asked: {asked:?}"));
    }

    fn ours(&self, lab: &Lab, sealed: &str) -> Did {
        self.vendor.heard();
        (lab.decrypt(sealed).map_err(|error| said(&error)), self.asked())
    }

    fn theirs(&self, lab: &Lab, sealed: &str) -> Option<Did> {
        let sops = peer("sops")?;
        self.vendor.heard();
        let did = lab.sops_decrypt(&sops, sealed);
        Some((did.map(String::into_bytes).map_err(|(_, said)| said), self.asked()))
    }

    fn asked(&self) -> Vec<String> {
        let mut asked: Vec<String> = self.vendor.heard().iter().filter_map(self.shown).collect();
        // How often something is asked again is another matter.
        asked.dedup();
        asked
    }
}

/// Our report in the words of SOPS.
fn said(error: &SopsError) -> String {
    let SopsError::NotOpened(report) = error else { panic!("{error}") };
    report.sops_text()
}
