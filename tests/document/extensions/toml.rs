//! TOML, held to the `toml` crate.

use lockage::document::{Document, Format, Kind, SyntaxError, Visit};

use super::generate;
use crate::emit::generate as texts;
use crate::laws;
use crate::yaml::generate::{Random, mutate};

/// Path, kind and canonical bytes of every value that the oracle has, in its order.
fn oracle(text: &str) -> Option<Vec<(String, String)>> {
    let table: toml::Table = toml::from_str(text).ok()?;
    let mut out = Vec::new();
    for (key, value) in table {
        below(&format!("/{key}"), &value, &mut out);
    }
    Some(out)
}

fn below(path: &str, value: &toml::Value, out: &mut Vec<(String, String)>) {
    match value {
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| below(&format!("{path}/{key}"), value, out)),
        toml::Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| below(&format!("{path}/{at}"), item, out));
        }
        toml::Value::String(text) if text == "null" => out.push((path.into(), "null".into())),
        toml::Value::String(text) => out.push((path.into(), format!("text {text:?}"))),
        toml::Value::Integer(number) => out.push((path.into(), format!("integer {number}"))),
        toml::Value::Float(number) => out.push((path.into(), float(*number))),
        toml::Value::Boolean(truth) => out.push((path.into(), format!("truth {truth}"))),
        toml::Value::Datetime(time) => out.push((path.into(), format!("time {time}"))),
    }
}

fn float(number: f64) -> String {
    if number.is_nan() { "float nan".into() } else { format!("float {number:?}") }
}

fn ours(text: &[u8]) -> Result<Vec<(String, String)>, SyntaxError> {
    let document = Document::parse(Format::Toml, text.to_vec())?;
    let mut out = Vec::new();
    document.walk(|visit| {
        let Visit::Leaf { id, path } = visit else { return Ok::<(), SyntaxError>(()) };
        let scalar = document.scalar(id)?;
        let spelled = String::from_utf8(scalar.canonical.into_owned()).unwrap();
        let bare = !matches!(document.text()[document.outline().leaf(id).range.start], b'"' | b'\'');
        let shown = match scalar.kind {
            Kind::Null => "null".into(),
            Kind::Str if bare => {
                let time: toml::Table = toml::from_str(&format!("x = {spelled}")).unwrap();
                format!("time {}", time["x"].as_datetime().unwrap())
            }
            Kind::Str => format!("text {spelled:?}"),
            Kind::Int => format!("integer {spelled}"),
            Kind::Float => float(spelled.parse().unwrap()),
            Kind::Bool => format!("truth {}", spelled.to_lowercase()),
            Kind::Time => unreachable!(),
        };
        let path = path.to_key_path();
        let parts = path.parts().iter().map(|part| match part {
            lockage::document::PathPart::Key(key) => format!("/{key}"),
            lockage::document::PathPart::Index(index) => format!("/{index}"),
        });
        out.push((parts.collect(), shown));
        Ok(())
    })?;
    Ok(out)
}

#[test]
fn what_the_crate_reads_is_read_alike_and_what_it_refuses_is_refused() {
    let mut random = Random::new(0x70_3311);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..6_000 {
        let text = generate::toml(&mut random, true);
        let text = if random.chance(2) { mutate(&mut random, &text) } else { text.into_bytes() };
        let (theirs, ours) = (std::str::from_utf8(&text).ok().and_then(oracle), ours(&text));
        let shown = String::from_utf8_lossy(&text);
        match (theirs, ours) {
            (Some(theirs), Ok(ours)) => {
                assert_eq!(ours, theirs, "{shown}");
                taken += 1;
            }
            (None, Err(_)) => refused += 1,
            (Some(_), Err(error)) => panic!("{error}, which the oracle reads:\n{shown}"),
            (None, Ok(_)) => {
                panic!("refused by the oracle: {:?}\n{shown}", toml::from_str::<toml::Table>(&shown).err())
            }
        }
    }
    assert!(taken > 1_000 && refused > 1_000, "{taken} {refused}");
}

#[test]
fn the_laws_hold() {
    let mut random = Random::new(5);
    let mut count = 0;
    while count < 1_500 {
        let text = generate::toml(&mut random, false);
        let Ok(_) = Document::parse(Format::Toml, text.clone().into_bytes()) else { continue };
        laws::metadata_is_removed_without_a_trace(Format::Toml, text.as_bytes());
        laws::tokens_and_back(Format::Toml, text.as_bytes());
        laws::one_leaf_changes_alone(Format::Toml, text.as_bytes(), random.below(9), &texts::string(&mut random));
        count += 1;
    }
}

#[test]
fn spellings_that_a_token_does_not_keep_keep_their_value() {
    let mut random = Random::new(6);
    for _ in 0..1_500 {
        let text = generate::toml(&mut random, true);
        let Ok(before) = ours(text.as_bytes()) else { continue };
        let back = laws::by_way_of_tokens(Format::Toml, text.as_bytes());
        assert_eq!(ours(&back).unwrap(), before, "{text}\nbecame\n{}", String::from_utf8_lossy(&back));
    }
}

#[test]
fn bad_input_is_told_with_line_and_column() {
    for (text, line, column) in [
        ("a = 1\nb = \n", 2, 5),
        ("a = 1\n  a = 2\n", 2, 3),
        ("[a]\n[a]\n", 2, 2),
        ("a = \"x\n", 1, 7),
        ("é = 1\n", 1, 1),
        ("a = [1,\n 2\n", 3, 1),
        ("a = {b = 1 c = 2}", 1, 12),
        ("a = 01\n", 1, 5),
        ("a = 1 b = 2\n", 1, 7),
        ("a = 9223372036854775808\n", 1, 5),
        ("a.b = 1\n[a]\n", 2, 2),
        ("a = []\n[[a]]\n", 2, 3),
        ("sops = 1\n", 1, 1),
        ("[sops]\n# lost\nmac = \"\"\n", 3, 1),
    ] {
        let error = Document::parse(Format::Toml, text.into()).expect_err(text);
        assert_eq!((error.line, error.column), (line, column), "{text:?}: {error}");
    }
    let error = Document::parse(Format::Toml, b"a = \"\xff\"".to_vec()).unwrap_err();
    assert_eq!((error.line, error.column), (1, 6));
    let deep = format!("a = {}", "[".repeat(5_000));
    assert!(Document::parse(Format::Toml, deep.into_bytes()).is_err());
}

#[test]
fn comments_belong_to_their_table_and_lines_may_end_in_any_way() {
    for text in [
        "# top\r\na = 1 # one\r\n\r\n[t] # table\r\nb = '''\r\nx\r\n'''\r\n# end\r\n",
        "\u{feff}a = 1",
        "# only",
        "",
        "a = [ # first\n  1, # one\n  # two\n  2\n]\n",
        "[[x]]\n[[x.y]]\nz = 1\n[[x]]\n",
    ] {
        laws::metadata_is_removed_without_a_trace(Format::Toml, text.as_bytes());
        laws::tokens_and_back(Format::Toml, text.as_bytes());
    }
}

#[test]
fn tables_of_the_metadata_lie_no_deeper_than_sops_writes_them() {
    for (depth, fits) in [(30, true), (40, false)] {
        let text = format!("a = 1\n[sops{}]\nb = 1\n", ".x".repeat(depth));
        assert_eq!(Document::parse(Format::Toml, text.into_bytes()).is_ok(), fits, "{depth}");
    }
}
