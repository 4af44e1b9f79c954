//! Entries of TOML that come and go.

use lockage::document::{Document, Format, Graft, KeyPath, Kind, Replacement};

fn document(text: &str) -> Document {
    Document::parse(Format::Toml, text.into()).unwrap()
}

fn path(text: &str) -> KeyPath {
    text.parse().unwrap()
}

fn leaf(value: &str) -> Graft<'_> {
    Graft::Leaf(Replacement::Value { kind: Kind::Str, bytes: value.as_bytes() })
}

fn shown(text: zeroize::Zeroizing<Vec<u8>>) -> String {
    String::from_utf8(text.to_vec()).unwrap()
}

const TEXT: &str = "# top\na = 1 # one\n\n[t]\nb = 2\n# next\n\n[t.u]\nc.d = 3\ne = { f = 4 }\nl = [\n  5, # five\n  6,\n]\n\n[[x]]\ny = 7\n";

#[test]
fn a_new_value_stands_behind_its_neighbours() {
    for (at, value, before, after) in [
        ("n", leaf("v"), "a = 1 # one\n", "a = 1 # one\nn = \"v\"\n"),
        ("t.n", leaf("v"), "b = 2\n", "b = 2\nn = \"v\"\n"),
        ("t.u.c.n", leaf("v"), "c.d = 3\n", "c.d = 3\nc.n = \"v\"\n"),
        ("t.u.e.n", leaf("v"), "{ f = 4 }", "{ f = 4, n = \"v\" }"),
        ("t.u.l[2]", leaf("v"), "  6,\n", "  6,\n  \"v\",\n"),
        ("x[0].n", leaf("v"), "y = 7\n", "y = 7\nn = \"v\"\n"),
        ("new.n", leaf("v"), "y = 7\n", "y = 7\n\n[new]\nn = \"v\"\n"),
        ("t.w.z", leaf("v"), "y = 7\n", "y = 7\n\n[t.w]\nz = \"v\"\n"),
        ("x[1]", Graft::Map(vec![("y".into(), leaf("v"))]), "y = 7\n", "y = 7\n\n[[x]]\ny = \"v\"\n"),
        ("t.list", Graft::List(vec![leaf("v"), leaf("w")]), "b = 2\n", "b = 2\nlist = [\"v\", \"w\"]\n"),
    ] {
        let changed = shown(document(TEXT).insert(&path(at), &value).unwrap_or_else(|error| panic!("{at}: {error}")));
        assert_eq!(changed, TEXT.replacen(before, after, 1), "{at}");
    }
    assert_eq!(shown(document("").insert(&path("a.b"), &leaf("v")).unwrap()), "[a]\nb = \"v\"\n");
    assert_eq!(shown(document("[t]").insert(&path("a"), &leaf("v")).unwrap()), "a = \"v\"\n[t]");
    assert_eq!(shown(document("a = [1]").insert(&path("a[1]"), &leaf("v")).unwrap()), "a = [1, \"v\"]");
    assert_eq!(shown(document("a = {}").insert(&path("a.b"), &leaf("v")).unwrap()), "a = { b = \"v\" }");
    let marked = document("\u{FEFF}# c\n").insert(&path("a"), &leaf("v")).unwrap();
    assert_eq!(shown(marked), "\u{FEFF}a = \"v\"\n# c\n");
}

#[test]
fn what_goes_takes_its_lines_along() {
    for (at, gone) in [
        ("a", "a = 1 # one\n"),
        ("t.b", "b = 2\n"),
        ("t.u.c", "c.d = 3\n"),
        ("t.u.c.d", "c.d = 3\n"),
        ("t.u.l[0]", "  5, # five\n"),
        ("t.u.l[1]", "  6,\n"),
        ("x", "[[x]]\ny = 7\n"),
        ("x[0]", "[[x]]\ny = 7\n"),
        ("t.u.e.f", " f = 4 "),
    ] {
        let changed = shown(document(TEXT).remove(&path(at)).unwrap_or_else(|error| panic!("{at}: {error}")));
        let wanted = TEXT.replacen(gone, if at == "t.u.e.f" { "  " } else { "" }, 1);
        assert_eq!(changed, wanted, "{at}");
    }
    let changed = shown(document(TEXT).remove(&path("t")).unwrap());
    assert_eq!(changed, "# top\na = 1 # one\n\n# next\n\n\n[[x]]\ny = 7\n");
    assert_eq!(shown(document("a = [1, 2]").remove(&path("a[1]")).unwrap()), "a = [1]");
    assert_eq!(shown(document("a = [1, 2]").remove(&path("a[0]")).unwrap()), "a = [2]");
    assert_eq!(shown(document("a = 1\nb = 2").remove(&path("b")).unwrap()), "a = 1");
    assert_eq!(shown(document("a = 1\r\nb = 2").remove(&path("b")).unwrap()), "a = 1");
}

#[test]
fn a_table_gives_way_to_a_value_and_a_value_to_a_table() {
    let table = Graft::Map(vec![("n".into(), leaf("v"))]);
    assert_eq!(shown(document("a = 1\nb = 2\n").replace(&path("a"), &table).unwrap()), "a = { n = \"v\" }\nb = 2\n");
    assert_eq!(shown(document("b = 2\n[a]\nc = 1\n").replace(&path("a"), &leaf("v")).unwrap()), "b = 2\na = \"v\"\n");
    assert_eq!(shown(document("a = 'x'\n").replace(&path("a"), &leaf("v")).unwrap()), "a = 'v'\n");
    assert!(document("a = 1\n").remove(&path("b")).is_err());
    assert!(document("a = 1\n").insert(&path("a.b"), &leaf("v")).is_err());
    assert!(document("a = 1\n").insert(&path("sops"), &leaf("v")).is_err());
}
