//! From which stage to which: every spelling of `promote review->staging`.

use std::ffi::OsString;

use crate::cli::Failed;
use crate::cli::promotion::stage_name;
use crate::error::Class;
use crate::promote::StageName;

/// The stages, as words or as flags.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Words {
    /// The stages: `review staging`, `review..staging`, `review:staging`, 'review->staging', `review/pr-80 staging`.
    #[arg(value_name = "STAGE", num_args = 0..=3)]
    pub(crate) words: Vec<String>,
    /// The stage that the build comes from.
    #[arg(long, value_name = "STAGE")]
    pub(crate) from: Option<String>,
    /// The stage that it goes to.
    #[arg(long, value_name = "STAGE")]
    pub(crate) to: Option<String>,
}

/// Takes a quoted arrow that stands alone out of a command line about stages: the grammar would read it as a flag.
pub(crate) fn without_arrows(mut argv: Vec<OsString>) -> Vec<OsString> {
    let about_stages = argv.iter().skip(1).any(|word| word == "promote" || word == "plan");
    argv.retain(|word| !(about_stages && word == "->"));
    argv
}

impl Words {
    /// What the words mean.
    ///
    /// # Errors
    /// As [`Route::parse`].
    pub(crate) fn route(&self) -> Result<Route, Failed> {
        Route::parse(&self.words, self.from.as_deref(), self.to.as_deref())
    }
}

/// Where a promotion starts and ends; without a start it is the stage before the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) from: Option<StageName>,
    pub(crate) to: StageName,
}

const SPELLINGS: &str =
    "write `lockage promote review staging`, `review..staging`, `review:staging`, or `--from review --to staging`";

/// Marks between two stages, the longest first so that `->` is not read as a stage ending in `-`.
const MARKS: &[&str] = &["->", "=>", "→", "..", ":"];

impl Route {
    /// Reads the words of the command line and the two flags.
    ///
    /// # Errors
    /// When the words are not one of the spellings, with the spellings.
    pub(crate) fn parse(words: &[String], from: Option<&str>, to: Option<&str>) -> Result<Self, Failed> {
        let mut stages: Vec<&str> = Vec::new();
        for word in words {
            match split(word) {
                Some((before, after)) => stages.extend([before, after].into_iter().filter(|part| !part.is_empty())),
                None => stages.push(word),
            }
        }
        match (stages.as_slice(), from, to) {
            ([from, to], None, None) => Self::of(Some(from), to),
            ([to], from, None) => Self::of(from, to),
            ([], from, Some(to)) => Self::of(from, to),
            ([from], None, Some(to)) => Self::of(Some(from), to),
            ([], _, None) => Err(usage("no stage is named")),
            ([_, _], _, _) => Err(usage("the stages are named twice, as words and as flags")),
            _ => Err(usage("these are not two stages")),
        }
    }

    fn of(from: Option<&str>, to: &str) -> Result<Self, Failed> {
        let from = from.map(stage).transpose()?;
        Ok(Self { from, to: stage(to)? })
    }
}

fn stage(word: &str) -> Result<StageName, Failed> {
    stage_name(word).map_err(|failed| failed.hint(SPELLINGS))
}

fn split(word: &str) -> Option<(&str, &str)> {
    MARKS.iter().find_map(|mark| word.split_once(mark)).map(|(before, after)| (before.trim(), after.trim()))
}

fn usage(message: &str) -> Failed {
    Failed::new(Class::Usage, message).hint(SPELLINGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<String> {
        let words: Vec<String> = line.split('|').map(str::to_owned).collect();
        let route = Route::parse(&words, None, None).ok()?;
        Some(format!("{} {}", route.from.map_or("?".to_owned(), |from| from.to_string()), route.to))
    }

    #[test]
    fn every_spelling_means_the_same() {
        let spellings = [
            "review|staging",
            "review..staging",
            "review:staging",
            "review->staging",
            "review -> staging",
            "review→staging",
        ];
        for spelling in spellings.into_iter().chain(["review|->|staging", "review|→|staging", "review=>staging"]) {
            assert_eq!(parse(spelling).as_deref(), Some("review staging"), "{spelling}");
        }
        assert_eq!(parse("review/pr-80|staging").as_deref(), Some("review/pr-80 staging"));
        assert_eq!(parse("staging").as_deref(), Some("? staging"));
        let flags = Route::parse(&[], Some("review"), Some("staging")).unwrap();
        assert_eq!((flags.from.unwrap().to_string(), flags.to.to_string()), ("review".into(), "staging".into()));
    }

    #[test]
    fn what_a_shell_leaves_of_an_arrow_is_no_stage() {
        for spelling in ["review-", "review|-", "review=", "-", "Prod", "a|b|c", ""] {
            assert_eq!(parse(spelling), None, "{spelling}");
        }
    }
}
