//! Lists in pages: the `Range` request header and the answers 206 and 416.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Answer, Body, Refusal, Request};

/// Rows a page holds where the client does not say, and at most.
const DEFAULT_MAX: usize = 200;
const LARGEST_MAX: usize = 1000;

/// A parsed `Range`: `<attribute> [start]..[end]; max=N, order=desc`. `]` before an end leaves that row out.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    attribute: String,
    from: Option<Edge>,
    to: Option<Edge>,
    descending: bool,
    max: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Edge {
    value: String,
    excluded: bool,
}

/// One page of `rows` as the request wants it; sortable by `attributes`, the first by default.
pub(super) fn page(request: &Request, rows: Vec<Value>, attributes: &[&str]) -> Result<Answer, Refusal> {
    let unsatisfiable = || Refusal {
        status: 416,
        id: "requested_range_not_satisfiable",
        message: "Couldn't satisfy the requested range.".to_owned(),
    };
    let default = attributes.first().copied().unwrap_or("id");
    let range = match request.range.as_deref().filter(|text| !text.trim().is_empty()) {
        Some(text) => {
            parse(text).filter(|range| attributes.contains(&range.attribute.as_str())).ok_or_else(unsatisfiable)?
        }
        None => Range { attribute: default.to_owned(), from: None, to: None, descending: false, max: DEFAULT_MAX },
    };
    let key = |row: &Value| match row.get(&range.attribute) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let mut rows: Vec<(String, Value)> = rows.into_iter().map(|row| (key(&row), row)).collect();
    rows.retain(|(key, _)| {
        within(range.from.as_ref(), key, Ordering::Less) && within(range.to.as_ref(), key, Ordering::Greater)
    });
    rows.sort_by(|(a, _), (b, _)| if range.descending { compare(b, a) } else { compare(a, b) });
    let more = rows.len() > range.max;
    rows.truncate(range.max);

    let mut headers = vec![("accept-ranges", attributes.join(", "))];
    if let (Some((first, _)), Some((last, _))) = (rows.first(), rows.last()) {
        headers.push(("content-range", format!("{} {first}..{last}", range.attribute)));
        if more {
            let order = if range.descending { ", order=desc" } else { "" };
            // The next page begins after the last row in the order of the pages.
            let edges = match (range.descending, &range.from, &range.to) {
                (false, _, to) => format!("]{last}..{}", edge(to.as_ref())),
                (true, from, _) => format!("{}..]{last}", edge(from.as_ref())),
            };
            headers.push(("next-range", format!("{} {edges}; max={}{order}", range.attribute, range.max)));
        }
    }
    let body = Body::Json(rows.into_iter().map(|(_, row)| row).collect());
    Ok(Answer { status: if more { 206 } else { 200 }, headers, body })
}

fn edge(edge: Option<&Edge>) -> String {
    edge.map_or_else(String::new, |edge| format!("{}{}", if edge.excluded { "]" } else { "" }, edge.value))
}

fn within(edge: Option<&Edge>, key: &str, outside: Ordering) -> bool {
    edge.is_none_or(|edge| match compare(key, &edge.value) {
        Ordering::Equal => !edge.excluded,
        order => order != outside,
    })
}

/// Numbers by size, everything else by its bytes.
fn compare(a: &str, b: &str) -> Ordering {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

fn parse(text: &str) -> Option<Range> {
    let mut parts = text.split([';', ',']);
    let head = parts.next()?.trim();
    let (attribute, edges) = head.split_once(' ').unwrap_or((head, ".."));
    let (from, to) = edges.trim().split_once("..")?;
    let mut range = Range {
        attribute: attribute.to_owned(),
        from: parse_edge(from),
        to: parse_edge(to),
        descending: false,
        max: DEFAULT_MAX,
    };
    for parameter in parts.map(str::trim).filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=')? {
            ("order", "desc") => range.descending = true,
            ("order", "asc") => range.descending = false,
            ("max", number) => {
                range.max = number.trim().parse().ok().filter(|max| (1..=LARGEST_MAX).contains(max))?;
            }
            _ => return None,
        }
    }
    Some(range)
}

fn parse_edge(text: &str) -> Option<Edge> {
    let text = text.trim();
    let (excluded, value) = text.strip_prefix(']').map_or((false, text), |rest| (true, rest));
    (!value.is_empty()).then(|| Edge { value: value.to_owned(), excluded })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn versions(range: &str) -> (u16, Vec<u64>, Option<String>) {
        let request = Request { range: Some(range.to_owned()), ..Request::default() };
        let rows = (1..=12).map(|version| json!({ "version": version })).collect();
        match page(&request, rows, &["version"]) {
            Ok(answer) => {
                let Body::Json(Value::Array(rows)) = answer.body else { panic!("no list") };
                let next = answer.headers.into_iter().find(|(name, _)| *name == "next-range").map(|(_, value)| value);
                (answer.status, rows.iter().filter_map(|row| row["version"].as_u64()).collect(), next)
            }
            Err(refusal) => (refusal.status, Vec::new(), None),
        }
    }

    #[test]
    fn pages_follow_each_other_to_the_end_in_both_orders() {
        for order in ["asc", "desc"] {
            let mut next = Some(format!("version ..; max=5, order={order}"));
            let mut seen = Vec::new();
            while let Some(range) = next {
                let (_, rows, following) = versions(&range);
                seen.extend(rows);
                next = following;
            }
            let mut expected: Vec<u64> = (1..=12).collect();
            if order == "desc" {
                expected.reverse();
            }
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn the_spellings_of_the_vendors_client_are_read() {
        assert_eq!(
            versions("version ..; order=desc,max=1"),
            (206, vec![12], Some("version ..]12; max=1, order=desc".into()))
        );
        assert_eq!(versions("version 10..").1, [10, 11, 12]);
        assert_eq!(versions("version ]10..11").1, [11]);
        assert_eq!(versions("version ..; max=1000;").0, 200);
    }

    #[test]
    fn a_bad_range_is_416() {
        for bad in ["name ..", "version ..; max=0", "version ..; max=1001", "version 1", "version ..; order=up"] {
            assert_eq!(versions(bad).0, 416, "{bad}");
        }
    }
}
