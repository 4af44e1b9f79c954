use proptest::prelude::*;

use crate::document::outline::Outline;
use crate::document::yaml::general;

/// What the quick way finds, and the general one; `None` for errors.
fn both(text: &str) -> (Option<Outline>, Option<Outline>) {
    let mut general = general(text.as_bytes(), false).ok();
    if let Some(outline) = &mut general {
        outline.plain_lines = true;
    }
    (super::outline(text.as_bytes()), general)
}

fn agrees(text: &str) -> bool {
    let (quick, general) = both(text);
    quick.is_none_or(|quick| general.is_some_and(|general| format!("{quick:?}") == format!("{general:?}")))
}

fn line() -> impl Strategy<Value = String> {
    let indent = prop_oneof![4 => Just(0usize), 3 => Just(2), 2 => Just(4), 1 => 0usize..6];
    let key = prop_oneof![
        6 => "[a-e]",
        2 => "[a-zA-Z0-9_./-]{1,5}",
        1 => prop::sample::select(vec!["sops", "true", "no", "1", "1.5", "~", "null", "<<", "...", "---", "a b", "\"q\"", "?", "1e3"])
            .prop_map(str::to_owned),
    ];
    let value = prop_oneof![
        4 => "[a-z]{1,3}",
        2 => "[ -~]{0,6}",
        2 => "\"[ -~]{0,4}\"",
        2 => "'[ -~]{0,4}'",
        2 => prop::sample::select(vec![
            "ENC[AES256_GCM,data:a,iv:b,tag:c,type:comment]", "ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]", "-1", "- a",
            "a: b", "a:", "a #b", "a#b", "true", "1_000", "99999999999999999999", "2024-01-01", "{a: b}", "[]", "|", ">-", "&a b", "*a",
            "!!str 1", "a  b", "a ", "-", "--- a", "ü", "aé ü", "€", "\u{85}", "\u{feff}", "a\tb", "\ta", "a\r",
        ]).prop_map(str::to_owned),
    ];
    (indent, key, value, 0..14u8).prop_map(|(indent, key, value, shape)| {
        let blanks = " ".repeat(indent);
        match shape {
            0..=5 => format!("{blanks}{key}: {value}"),
            6..=8 => format!("{blanks}{key}:"),
            9..=11 => format!("{blanks}- {value}"),
            12 => blanks,
            _ => format!("{blanks}{value}"),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn both_ways_find_the_same(lines in prop::collection::vec(line(), 1..10), end in prop_oneof![Just(""), Just("\n"), Just("\n\n")]) {
        let text = lines.join("\n") + end;
        prop_assert!(agrees(&text), "{text:?}: {:?}", both(&text));
    }
}

#[test]
fn texts_of_plain_lines_go_the_quick_way() {
    let block =
        "sops:\n    mac: ENC[x]\n    age:\n        - enc: |\n            a\n            b\n    version: 3.13.3\n";
    for text in [
        "a: b\n",
        "a: 1\nb:\n    c: \"d e\"\n    f:\n\n    g: ''\nh:\n- 1\n- 'x'\ni:\n  - k l\n  - m",
        "a:\n  b:\n    c: d\n  e: f\n\n\nz: ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]",
        &format!("a: b\nc:\n{block}"),
        block,
    ] {
        assert!(super::outline(text.as_bytes()).is_some(), "{text}");
        assert!(agrees(text), "{text}: {:?}", both(text));
    }
}

#[test]
fn several_threads_find_what_one_finds() {
    let group = |index: usize| format!("group{index}:\n    key: value {index}\n    list:\n    - {index}\n    none:\n");
    let mut text: String = (0..30_000).map(group).collect();
    assert!(text.len() > 4 * super::LEAST_BYTES && super::cuts(text.as_bytes()).len() > 1);
    let (quick, general) = both(&text);
    assert!(format!("{:?}", quick.unwrap()) == format!("{:?}", general.unwrap()));
    text.push_str("group7: twice\n");
    assert!(super::outline(text.as_bytes()).is_none());
}
