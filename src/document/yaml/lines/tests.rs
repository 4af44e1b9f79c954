use proptest::prelude::*;

use crate::document::edit::{self, Edits, MetadataEdit, Replacement};
use crate::document::outline::{CommentId, LeafId, Outline};
use crate::document::scalar::Kind;
use crate::document::tree::Tree;
use crate::document::yaml::{Yaml, general};

/// What the quick way finds, and the general one; `None` for errors.
fn both(text: &str) -> (Option<Outline>, Option<Outline>) {
    let quick = super::outline(text.as_bytes());
    let mut general = general(text.as_bytes(), false).ok();
    if let (Some(outline), Some(quick)) = (&mut general, &quick) {
        outline.plain_lines = quick.plain_lines;
    }
    (quick, general)
}

fn agrees(text: &str) -> bool {
    let (quick, general) = both(text);
    quick.is_none_or(|quick| general.is_some_and(|general| format!("{quick:?}") == format!("{general:?}")))
}

/// A value or none, and perhaps a comment behind it.
fn value() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        6 => "[a-z]{1,3}",
        2 => "[ -~]{0,6}",
        2 => "\"[ -~]{0,4}\"",
        2 => "'[ -~]{0,4}'",
        2 => prop::sample::select(vec![
            "ENC[AES256_GCM,data:a,iv:b,tag:c,type:comment]", "ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]", "-1", "- a",
            "a: b", "a:", "a #b", "a#b", "true", "1_000", "99999999999999999999", "2024-01-01", "{a: b}", "[]", "|", ">-", "&a b", "*a",
            "!!str 1", "a  b", "a ", "-", "--- a", "ü", "aé ü", "€", "°", "\u{85}", "\u{2028}", "\u{feff}", "\u{ffff}", "a\tb", "\ta", "a\r",
        ]).prop_map(str::to_owned),
    ];
    let behind = prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("# c"), 3 => Just(" # c"), 1 => Just("  #"), 1 => Just(" # a: é")];
    (value, behind).prop_map(|(value, behind)| value + behind)
}

fn line() -> impl Strategy<Value = String> {
    let indent = prop_oneof![4 => Just(0usize), 3 => Just(2), 2 => Just(4), 1 => 0usize..6];
    let key = prop_oneof![
        6 => "[a-h]",
        2 => "[a-zA-Z0-9_./-]{1,5}",
        1 => prop::sample::select(vec!["sops", "true", "no", "1", "1.5", "~", "null", "<<", "...", "---", "a b", "\"q\"", "?", "1e3"])
            .prop_map(str::to_owned),
    ];
    (indent, key, value(), 0..20u8).prop_map(|(indent, key, value, shape)| {
        let blanks = " ".repeat(indent);
        match shape {
            0..=5 => format!("{blanks}{key}: {value}"),
            6..=7 => format!("{blanks}{key}:"),
            8 => format!("{blanks}{key}: # c"),
            9..=10 => format!("{blanks}- {value}"),
            11 => format!("{blanks}- {key}: {value}"),
            12 => format!("{blanks}-   {key}:"),
            13..=14 => format!("{blanks}# {value}"),
            15 => format!("{blanks}#"),
            16 => "---".to_owned(),
            17..=18 => blanks,
            _ => format!("{blanks}{value}"),
        }
    })
}

/// Lines that are plain more often than not, so that deeper texts go the quick way: what comes next depends on what came.
fn plain_text() -> impl Strategy<Value = String> {
    prop::collection::vec((0..16u8, 0..4usize, 0..3u8, any::<bool>()), 1..14).prop_map(|steps| {
        let (mut text, mut columns, mut list, mut keys) = (String::new(), vec![0], vec![false], 0);
        // Whether the last key waits for its value.
        let mut open = false;
        for (step, amount, behind, odd) in steps {
            let comment = ["", "", " # t"][usize::from(behind)];
            let column = *columns.last().unwrap();
            keys += 1;
            match step {
                0..=2 => text += &format!("{}# c{keys}\n", " ".repeat(if odd { amount } else { column })),
                3 => text += &" ".repeat(amount),
                4 => text += "\n",
                6 if odd && !open && behind == 0 => {
                    let odd =
                        ["k: [a, {b: c}] # o", "k: |+ # o\n      x\n\n", "k: \"a\n       b\"", "\"q\": &x y"][amount];
                    text += &format!("{}{}\n", " ".repeat(column), odd.replacen('k', &format!("k{keys}"), 1));
                    continue;
                }
                5 if odd => {
                    (columns, list, open) = (vec![0], vec![false], false);
                    text += "---\n";
                    continue;
                }
                6..=7 if columns.len() > 1 && !open => {
                    let _ = (columns.pop(), list.pop());
                    continue;
                }
                8..=9 if open => {
                    let deeper = column + amount + usize::from(step == 8 || list[list.len() - 1]);
                    columns.push(deeper);
                    list.push(step == 9);
                    open = false;
                    continue;
                }
                _ => {
                    let item = list[list.len() - 1];
                    let value = ["x", "\"y\"", "'z'", "1"][amount];
                    text += &" ".repeat(column);
                    text += &match (item, step) {
                        (true, 10) => format!("- k{keys}: {value}{comment}\n"),
                        (true, 11) => format!("- ENC[AES256_GCM,data:a,iv:b,tag:c,type:comment]{comment}\n"),
                        (true, _) => format!("- {value}{comment}\n"),
                        (false, 12..) => format!("k{keys}:{comment}\n"),
                        (false, _) => format!("k{keys}: {value}{comment}\n"),
                    };
                    open = !item && step >= 12;
                }
            }
        }
        text
    })
}

const END: [&str; 5] = ["", "\n", "\n\n", "\n# e", "\n  # e\n\n"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn both_ways_find_the_same(lines in prop::collection::vec(line(), 1..10), end in prop::sample::select(END.to_vec())) {
        let text = lines.join("\n") + end;
        prop_assert!(agrees(&text), "{text:?}: {:?}", both(&text));
    }

    #[test]
    fn both_ways_find_the_same_in_plain_texts(text in plain_text(), end in prop::sample::select(END.to_vec())) {
        let text = text + end;
        prop_assert!(agrees(&text), "{text:?}: {:?}", both(&text));
    }

    #[test]
    fn what_goes_the_quick_way_has_its_comments_where_the_encrypted_text_has_them(
        text in plain_text(), end in prop::sample::select(END.to_vec()), quoted in any::<bool>(),
    ) {
        let text = if quoted { text.replace(": x", ": \"x\"") } else { text } + end;
        if let Some(quick) = super::outline(text.as_bytes()).filter(|quick| quick.plain_lines) {
            let sealed = sealed(&text, &quick);
            let found = general(sealed.as_bytes(), false).ok().map(|outline| outline.nodes);
            prop_assert_eq!(found, Some(quick.nodes), "{:?}: {:?}", text, sealed);
        }
    }
}

/// The text with tokens in it, and with its metadata.
fn sealed(text: &str, outline: &Outline) -> String {
    let mut edits = Edits::new();
    let token = |of: &str| format!("ENC[AES256_GCM,data:a,iv:b,tag:c,type:{of}]");
    for (id, leaf) in (0..).map(LeafId).zip(&outline.leaves) {
        if leaf.kind != Kind::Null {
            edits.leaf(id, &Replacement::Token(token("str").as_bytes()));
        }
    }
    for (id, comment) in (0..).map(CommentId).zip(&outline.comments) {
        if !comment.range.is_empty() {
            edits.comment(id, token("comment").as_bytes());
        }
    }
    edits.metadata = MetadataEdit::Set(Tree::Map(vec![("mac".into(), Tree::text("x"))]));
    let text = edit::apply(&Yaml, text.as_bytes(), outline, &edits).unwrap();
    String::from_utf8(text.to_vec()).unwrap()
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
        "# a\n#\n\n# b\na: 1 # c\n# d\n\nb: # e\n  # f\n  c: \"d\"  # g\n  # h\ne:\n  # i\n  - f\n  # j\n  - g # k\n\n# l\n",
        "a:\n- b: c\n  # d\n  e: f\n# g\n-  h:\n   - i\n   j: k\nl: m \n",
        "# a\n---\n# b\nc: d\n# e\n---\nc:\n  f: g\n# h\n",
        &format!("---\na: b\n{block}---\nc: d\n{block}"),
        "a: \u{201c}b\u{201d} \u{b0}\u{2014}\n# \u{20ac}\u{ff01}\n",
    ] {
        assert!(super::outline(text.as_bytes()).is_some_and(|outline| outline.plain_lines), "{text}");
        assert!(agrees(text), "{text}: {:?}", both(text));
    }
}

#[test]
fn an_odd_entry_is_read_alone() {
    for text in [
        "a: 1\nb: [c, d] # e\n# f\ng: h\n",
        "# a\nb:\n  c: |+\n    d\n\n\n# e\nf: \"g\n\n  h\"\n  # i\n",
        "a:\n  b: c\n# own\n\n# head\nd:\n  ? e\n  : f\n---\ng: {h: i}\nj: k",
        "a: b\n\"c d\": e\nf g: h\ni: j\n",
        "a: >-\n  b\nsops:\n  mac: |\n    x\n",
    ] {
        let quick = super::outline(text.as_bytes());
        assert!(quick.is_some_and(|outline| !outline.plain_lines), "{text}");
        assert!(agrees(text), "{text}: {:?}", both(text));
    }
    for text in [
        "a: &x b\nc: *x\n",
        "a: b\nc: &x # d",
        "a: [b,\nc: d\n",
        "a: \"b\nc: d\"\n",
        "a: [b]\n...\nc: d\n",
        "a: [b]\n\"a\": c\n",
        "b: c\nd: e\n\"b\": f\n",
    ] {
        assert!(super::outline(text.as_bytes()).is_none(), "{text}");
    }
}

#[test]
fn several_threads_find_what_one_finds() {
    let group = |index: usize| {
        let below = ["", "    # foot\n", "\n# own\n\n", "---\n"][index % 7 % 4];
        format!(
            "# of {index}\ngroup{index}: # its own\n    key: value {index}\n    none:\n    list:\n    - {index}\n{below}"
        )
    };
    let mut text: String = (0..30_000).map(group).collect();
    assert!(text.len() > 4 * super::LEAST_BYTES && super::cuts(text.as_bytes()).len() > 1);
    let (quick, general) = both(&text);
    assert!(format!("{:?}", quick.unwrap()) == format!("{:?}", general.unwrap()));
    text = text.replace("---\n", "");
    assert!(super::outline(text.as_bytes()).is_some());
    text.push_str("group7: twice\n");
    assert!(super::outline(text.as_bytes()).is_none());
}
