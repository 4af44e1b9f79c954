#![no_main]

use libfuzzer_sys::fuzz_target;
use lockage::sops::RuleSet;

fuzz_target!(|text: &str| {
    let _ = RuleSet::parse(text, "rules");
    let _ = RuleSet::parse_for(text, "rules", Some("secrets/prod.yaml"));
});
