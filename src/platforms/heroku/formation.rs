//! The formation: how many dynos of which size, and whether they are up.

use std::collections::BTreeMap;

use super::App;
use super::api::{Dyno, Formation};
use super::releases::current;
use crate::promote::{Observed, PlatformError, Receipt, Settled, State, Value, Verdict};
use crate::system::http::{Body, Call, WriteClient};

impl App {
    /// The wanted process types; a size is compared where one is wanted (`2`, `2:standard-1x`).
    pub(super) async fn observe_formation(&self, wanted: &State) -> Result<Observed, PlatformError> {
        let live = self.formation().await?;
        let fields = match wanted {
            State::Fields(fields) => {
                let one = |(name, value): (&String, &Value)| (name.clone(), seen(&live, name, value));
                fields.iter().map(one).collect()
            }
            _ => live.iter().map(|entry| (entry.kind.clone(), Value::Text(entry.quantity.to_string()))).collect(),
        };
        Ok(super::observed(State::Fields(fields)))
    }

    /// Sets quantities and sizes in one request; it may be sent twice.
    pub(super) async fn scale(&self, http: &WriteClient, after: &State) -> Result<Receipt, PlatformError> {
        let action = "scale the dynos";
        let State::Fields(fields) = after else { return Err(self.misconfigured("a formation is a map of numbers")) };
        let mut updates = Vec::new();
        for (kind, value) in fields {
            let (quantity, size) = self.wanted_dynos(kind, value)?;
            let mut update = serde_json::json!({ "type": kind, "quantity": quantity });
            if let Some(size) = size {
                update["dyno_size"] = size.into();
            }
            updates.push(update);
        }
        let body =
            Body::json(&serde_json::json!({ "updates": updates })).map_err(|error| self.failed(action, error))?;
        let segments = ["apps", &self.name, "formation"];
        http.patch(&Call::new(&segments), &body).await.map_err(|error| self.failed(action, error))?;
        Ok(Receipt::default())
    }

    /// Whether the formation is as `after` has it.
    pub(super) async fn adopt_formation(&self, after: &State) -> Result<Option<Receipt>, PlatformError> {
        let State::Fields(fields) = after else { return Err(self.misconfigured("a formation is a map of numbers")) };
        let live = self.formation().await?;
        let so = fields.iter().all(|(name, value)| match value {
            Value::Absent => matches!(seen(&live, name, value), Value::Absent) || quantity(&live, name) == 0,
            wanted => seen(&live, name, wanted) == *wanted,
        });
        Ok(so.then(Receipt::default))
    }

    /// Whether the formation shows. That the dynos come up is a check of its own.
    pub(super) async fn formation_settled(&self, after: &State) -> Result<Settled, PlatformError> {
        Ok(match self.adopt_formation(after).await? {
            Some(receipt) => Settled::Done(receipt),
            None => Settled::Waiting("the formation to show".into()),
        })
    }

    /// The check `dynos: up`: every dyno of the formation is up, on the release that serves.
    pub(super) async fn dynos_verdict(&self) -> Result<Verdict, PlatformError> {
        let releases = self.newest_releases().await?;
        let Some(release) = current(&releases) else { return Ok(Verdict::Bad("there is no release".into())) };
        let formation = self.formation().await?;
        let segments = ["apps", &self.name, "dynos"];
        let dynos: Vec<Dyno> =
            self.http.list(&Call::new(&segments)).await.map_err(|error| self.failed("read the dynos", error))?;
        Ok(verdict(&formation, &dynos, release.version))
    }

    async fn formation(&self) -> Result<Vec<Formation>, PlatformError> {
        let segments = ["apps", &self.name, "formation"];
        self.http.list(&Call::new(&segments)).await.map_err(|error| self.failed("read the formation", error))
    }

    fn wanted_dynos(&self, kind: &str, value: &Value) -> Result<(u64, Option<String>), PlatformError> {
        let text = match value {
            Value::Absent => return Ok((0, None)),
            Value::Text(text) => text,
            _ => return Err(self.misconfigured(&format!("the number of `{kind}` dynos is not at hand"))),
        };
        let (count, size) = text.split_once(':').map_or((text.as_str(), None), |(count, size)| (count, Some(size)));
        let bad = |_| self.misconfigured(&format!("`{kind}: {text}` is not `2` or `2:standard-1x`"));
        Ok((count.trim().parse().map_err(bad)?, size.map(|size| size.trim().to_owned())))
    }
}

/// The entry in the wanted one's spelling, so that equal ones are equal texts.
fn seen(live: &[Formation], kind: &str, wanted: &Value) -> Value {
    let Some(entry) = live.iter().find(|entry| entry.kind == kind) else { return Value::Absent };
    let whole = format!("{}:{}", entry.quantity, entry.size);
    match wanted {
        Value::Text(text) if text.eq_ignore_ascii_case(&whole) => wanted.clone(),
        Value::Text(text) if text.contains(':') => Value::Text(whole.to_lowercase()),
        _ => Value::Text(entry.quantity.to_string()),
    }
}

fn quantity(live: &[Formation], kind: &str) -> u64 {
    live.iter().find(|entry| entry.kind == kind).map_or(0, |entry| entry.quantity)
}

fn verdict(formation: &[Formation], dynos: &[Dyno], version: u64) -> Verdict {
    let mut wanted: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in formation.iter().filter(|entry| entry.quantity > 0 && entry.kind != "release") {
        wanted.insert(&entry.kind, entry.quantity);
    }
    if wanted.is_empty() {
        return Verdict::Bad("no dyno is wanted: every quantity is 0".into());
    }
    let mut up: BTreeMap<&str, u64> = BTreeMap::new();
    for dyno in dynos.iter().filter(|dyno| dyno.release.version == version && wanted.contains_key(dyno.kind.as_str())) {
        match dyno.state.as_str() {
            "up" | "idle" => *up.entry(&dyno.kind).or_default() += 1,
            "crashed" => return Verdict::Bad(format!("{} crashed on v{version}", dyno.name)),
            _ => {}
        }
    }
    let missing = wanted.iter().find(|(kind, count)| up.get(*kind).copied().unwrap_or(0) < **count);
    match missing {
        Some((kind, count)) => {
            let there = up.get(kind).copied().unwrap_or(0);
            Verdict::Waiting(format!("{there} of {count} `{kind}` dynos are up on v{version}"))
        }
        None => {
            let all: Vec<_> = wanted.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            Verdict::Good(format!("{} up on v{version}", all.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, quantity: u64) -> Formation {
        Formation { kind: kind.into(), quantity, size: "Standard-1X".into() }
    }

    fn dyno(kind: &str, state: &str, version: u64) -> Dyno {
        let text = serde_json::json!({ "name": format!("{kind}.1"), "type": kind, "state": state, "release": { "version": version } });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn up_means_all_of_them_on_the_release_that_serves() {
        let formation = [entry("web", 1), entry("release", 1), entry("worker", 0)];
        let cases = [
            (vec![dyno("web", "up", 7)], Verdict::Good("1 web up on v7".into())),
            (vec![dyno("web", "up", 6)], Verdict::Waiting("0 of 1 `web` dynos are up on v7".into())),
            (vec![dyno("web", "starting", 7)], Verdict::Waiting("0 of 1 `web` dynos are up on v7".into())),
            (vec![dyno("web", "crashed", 7)], Verdict::Bad("web.1 crashed on v7".into())),
            (vec![dyno("web", "crashed", 6), dyno("web", "up", 7)], Verdict::Good("1 web up on v7".into())),
            (vec![dyno("run", "crashed", 7)], Verdict::Waiting("0 of 1 `web` dynos are up on v7".into())),
        ];
        for (dynos, expected) in cases {
            assert_eq!(verdict(&formation, &dynos, 7), expected, "{dynos:?}");
        }
        assert!(matches!(verdict(&[entry("web", 0)], &[], 7), Verdict::Bad(_)));
    }

    #[test]
    fn a_size_counts_where_it_is_wanted() {
        let live = [entry("web", 2)];
        for (wanted, live_text) in
            [("2", "2"), ("3", "2"), ("2:standard-1x", "2:standard-1x"), ("2:Basic", "2:standard-1x")]
        {
            assert_eq!(seen(&live, "web", &Value::Text(wanted.into())), Value::Text(live_text.into()), "{wanted}");
        }
        assert_eq!(seen(&live, "clock", &Value::Text("1".into())), Value::Absent);
    }
}
