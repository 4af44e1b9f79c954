//! The metadata block as flat names, for the formats that have no nesting.
//!
//! *Source*: the SOPS format, "Flattened form" (`stores/flatten.go` of SOPS 3.13).

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::emit::general;
use super::scalar::{Kind, canonical, fixed_notation, parse_bool, parse_float};
use super::syntax::SyntaxErrorKind;
use super::tree::Tree;

const MAP: &str = "__map_";
const LIST: &str = "__list_";
/// Real metadata has five levels (key groups); names from hostile files could have any number.
const MOST_DEPTH: usize = 32;

/// The names and texts of all scalars, depth first; empty lists and mappings vanish.
pub(super) fn flatten(tree: &Tree) -> Vec<(String, String)> {
    let mut out = Vec::new();
    if let Tree::Map(entries) = tree {
        for (key, value) in entries {
            flatten_below(key, value, &mut out);
        }
    }
    out
}

/// The same with the names in the order of SOPS's writer, which sorts every mapping bytewise first.
pub(super) fn flatten_sorted(tree: &Tree) -> Vec<(String, String)> {
    flatten(&sorted(tree))
}

fn sorted(tree: &Tree) -> Tree {
    match tree {
        Tree::Map(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Tree::Map(entries)
        }
        Tree::List(items) => Tree::List(items.iter().map(sorted).collect()),
        scalar => scalar.clone(),
    }
}

fn flatten_below(name: &str, tree: &Tree, out: &mut Vec<(String, String)>) {
    match tree {
        Tree::Map(entries) => {
            for (key, value) in entries {
                flatten_below(&format!("{name}{MAP}{key}"), value, out);
            }
        }
        Tree::List(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten_below(&format!("{name}{LIST}{index}"), item, out);
            }
        }
        Tree::Scalar { text, kind, .. } => {
            let text = spell(*kind, text.as_bytes())
                .map_or_else(|| text.clone(), |bytes| String::from_utf8_lossy(&bytes).into_owned());
            out.push((name.to_owned(), text));
        }
    }
}

/// How SOPS writes a value of that kind where every value is a text; `None` if the bytes are not of that kind.
///
/// *Source*: the SOPS format, "Non-string scalars in dotenv, INI and exec-env".
pub(super) fn spell(kind: Kind, bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match kind {
        Kind::Str => bytes.to_vec(),
        Kind::Null => b"<nil>".to_vec(),
        Kind::Bool => if parse_bool(bytes)? { &b"true"[..] } else { b"false" }.to_vec(),
        Kind::Int => canonical(kind, bytes)?.into_owned(),
        Kind::Float => general_notation(parse_float(bytes)?).into_bytes(),
        Kind::Time => without_fraction(&canonical(kind, bytes)?),
    })
}

/// How a value is written where every value is a text: in dotenv, INI and environments; `None` if the bytes are not of
/// that kind.
#[must_use]
pub fn flat_spelling(kind: Kind, bytes: &[u8]) -> Option<Vec<u8>> {
    spell(kind, bytes)
}

/// Go's `%G` with the shortest digits, and one decimal where that shows neither point nor exponent.
fn general_notation(value: f64) -> String {
    if !value.is_finite() {
        return fixed_notation(value);
    }
    let text = general(value, 'E');
    if text.contains(['.', 'E']) { text } else { format!("{text}.0") }
}

/// RFC 3339 with whole seconds.
fn without_fraction(time: &[u8]) -> Vec<u8> {
    let Some(point) = memchr::memchr(b'.', time) else { return time.to_vec() };
    let digits = time[point + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    [&time[..point], &time[point + 1 + digits..]].concat()
}

/// Builds the tree from flat names in any order.
#[derive(Default)]
pub(super) struct Unflatten {
    root: Node,
}

#[derive(Default)]
enum Node {
    #[default]
    Vacant,
    Scalar(String, Range<usize>),
    /// Names in order, and where each is.
    Map(Vec<(String, Self)>, HashMap<String, usize>),
    List(BTreeMap<u64, Self>),
}

enum Step<'n> {
    Key(&'n str),
    Index(u64),
}

impl Unflatten {
    /// Adds one scalar.
    pub(super) fn add(&mut self, name: &str, text: String, range: Range<usize>) -> Result<(), SyntaxErrorKind> {
        let mut node = &mut self.root;
        for step in steps(name)? {
            node = node.child(&step)?;
        }
        match node {
            Node::Vacant => *node = Node::Scalar(text, range),
            Node::Scalar(..) => return Err(SyntaxErrorKind::NotAllowed("this metadata entry stands twice")),
            _ => return Err(SyntaxErrorKind::NotAllowed("this metadata entry is a value and a container at once")),
        }
        Ok(())
    }

    /// The tree; an error for a list with a gap.
    pub(super) fn finish(self) -> Result<Tree, SyntaxErrorKind> {
        match self.root {
            Node::Vacant => Ok(Tree::Map(Vec::new())),
            other => other.finish(),
        }
    }
}

impl Node {
    fn child(&mut self, step: &Step<'_>) -> Result<&mut Self, SyntaxErrorKind> {
        if matches!(self, Self::Vacant) {
            *self = match step {
                Step::Key(_) => Self::Map(Vec::new(), HashMap::new()),
                Step::Index(_) => Self::List(BTreeMap::new()),
            };
        }
        match (self, step) {
            (Self::Map(entries, places), Step::Key(key)) => {
                let next = entries.len();
                let place = *places.entry((*key).to_owned()).or_insert(next);
                if place == next {
                    entries.push(((*key).to_owned(), Self::Vacant));
                }
                Ok(&mut entries[place].1)
            }
            (Self::List(items), Step::Index(index)) => Ok(items.entry(*index).or_default()),
            _ => Err(SyntaxErrorKind::NotAllowed("this metadata entry is a value and a container at once")),
        }
    }

    fn finish(self) -> Result<Tree, SyntaxErrorKind> {
        Ok(match self {
            Self::Vacant => Tree::text(""),
            Self::Scalar(text, range) => Tree::Scalar { text, kind: Kind::Str, range },
            Self::Map(entries, _) => {
                let finished = entries.into_iter().map(|(key, node)| Ok((key, node.finish()?)));
                Tree::Map(finished.collect::<Result<_, _>>()?)
            }
            Self::List(items) => {
                if items.keys().zip(0..).any(|(index, wanted)| *index != wanted) {
                    return Err(SyntaxErrorKind::NotAllowed("a metadata list has a gap"));
                }
                Tree::List(items.into_values().map(Self::finish).collect::<Result<_, _>>()?)
            }
        })
    }
}

/// The steps of a flat name. SOPS reads an index that is no number as 0.
fn steps(name: &str) -> Result<Vec<Step<'_>>, SyntaxErrorKind> {
    let mut steps = Vec::new();
    let (mut rest, mut list) = (name, false);
    loop {
        let next = [(MAP, false), (LIST, true)]
            .into_iter()
            .filter_map(|(word, is_list)| rest.find(word).map(|at| (at, word.len(), is_list)))
            .min();
        let part = next.map_or(rest, |(at, ..)| &rest[..at]);
        steps.push(if list { Step::Index(part.parse().unwrap_or(0)) } else { Step::Key(part) });
        if steps.len() > MOST_DEPTH {
            return Err(SyntaxErrorKind::TooDeep { limit: MOST_DEPTH });
        }
        let Some((at, length, is_list)) = next else { return Ok(steps) };
        rest = &rest[at + length..];
        list = is_list;
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Tree, Unflatten, flatten, spell};

    fn unflatten(entries: &[(&str, &str)]) -> Result<Tree, String> {
        let mut names = Unflatten::default();
        for (name, text) in entries {
            names.add(name, (*text).to_owned(), 0..0).map_err(|kind| kind.to_string())?;
        }
        names.finish().map_err(|kind| kind.to_string())
    }

    #[test]
    fn names_nest_both_ways() {
        let entries = [
            ("age__list_0__map_enc", "x"),
            ("age__list_0__map_recipient", "age1"),
            ("age__list_1__map_recipient", "age2"),
            ("key_groups__list_0__map_age__list_0__map_enc", "y"),
            ("mac", "m"),
        ];
        let tree = unflatten(&entries).unwrap();
        let flat = flatten(&tree);
        assert!(flat.iter().map(|(name, text)| (name.as_str(), text.as_str())).eq(entries));
    }

    #[test]
    fn what_sops_refuses_is_refused() {
        assert!(unflatten(&[("a", "1"), ("a", "2")]).unwrap_err().contains("twice"));
        assert!(unflatten(&[("a", "1"), ("a__map_b", "2")]).unwrap_err().contains("at once"));
        assert!(unflatten(&[("a__list_0", "1"), ("a__map_b", "2")]).unwrap_err().contains("at once"));
        assert!(unflatten(&[("a__list_1", "1")]).unwrap_err().contains("gap"));
        assert!(unflatten(&[("a__list_18446744073709551615", "1")]).unwrap_err().contains("gap"));
        assert!(unflatten(&[(&format!("a{}", "__list_0".repeat(100_000)), "1")]).unwrap_err().contains("deeper"));
    }

    #[test]
    fn numbers_are_spelled_as_sops_spells_them() {
        let cases = [
            (Kind::Float, "1e21", "1E+21"),
            (Kind::Float, "1e-7", "1E-07"),
            (Kind::Float, "123456789.5", "1.234567895E+08"),
            (Kind::Float, "1234567", "1.234567E+06"),
            (Kind::Float, "1", "1.0"),
            (Kind::Float, "0.0001", "0.0001"),
            (Kind::Float, "100000", "100000.0"),
            (Kind::Bool, "True", "true"),
            (Kind::Int, "+5", "5"),
            (Kind::Time, "2024-01-01T00:00:00.5+01:00", "2024-01-01T00:00:00+01:00"),
            (Kind::Null, "", "<nil>"),
        ];
        for (kind, bytes, wanted) in cases {
            assert_eq!(String::from_utf8(spell(kind, bytes.as_bytes()).unwrap()).unwrap(), wanted, "{bytes}");
        }
    }
}
