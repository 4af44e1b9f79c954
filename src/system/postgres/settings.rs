//! Where a database is and how to speak to it: a connection string, over the variables of PostgreSQL's own programs.
//!
//! *Source*: Go's driver `lib/pq` 1.12, as SOPS has it: its parameters, its default `sslmode=require`, its files. What it
//! knows and this does not is refused: services, Kerberos, `sslinline`, `sslnegotiation` and bounds of protocol versions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use tokio_postgres::Config;
use tokio_postgres::config::{LoadBalanceHosts, SslMode, TargetSessionAttrs};

use super::tls::{Tls, Trusted};
use crate::secret::SecretString;
use crate::system::files;

/// Each parameter with its variable.
const VARIABLES: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("passfile", "PGPASSFILE"),
    ("options", "PGOPTIONS"),
    ("application_name", "PGAPPNAME"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslsni", "PGSSLSNI"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    ("service", "PGSERVICE"),
    ("timezone", "PGTZ"),
    ("geqo", "PGGEQO"),
];

/// Parameters that are not sent on as settings of the session.
const OURS: usize = 19;

/// What would have to be followed and is not.
const UNKNOWN: &[&str] = &[
    "service",
    "sslinline",
    "sslnegotiation",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "min_protocol_version",
    "max_protocol_version",
    "krbsrvname",
    "krbspn",
];

/// Parameters without a meaning here: every text is sent as it is.
const IDLE: &[&str] = &[
    "binary_parameters",
    "disable_prepared_binary_result",
    "client_encoding",
    "datestyle",
    "fallback_application_name",
];

/// The parameters of one database.
#[derive(Clone)]
pub struct Settings {
    parameters: BTreeMap<String, SecretString>,
    home: Option<PathBuf>,
}

/// What is wrong with the settings of a database. Never holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

fn wrong<T>(words: impl Into<String>) -> Result<T, SettingsError> {
    Err(SettingsError(words.into()))
}

impl Settings {
    /// Reads a connection string, a URL or `key=value` words; `variable` gives the variables, `user` is who asks where
    /// nobody else is named.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn read(
        text: &str,
        variable: impl Fn(&str) -> Option<String>,
        user: &str,
        home: Option<PathBuf>,
    ) -> Result<Self, SettingsError> {
        let mut parameters = BTreeMap::from([("user".to_owned(), user.to_owned())]);
        for (name, in_environment) in VARIABLES {
            parameters.extend(variable(in_environment).map(|value| ((*name).to_owned(), value)));
        }
        let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        parameters.extend(if is_url { of_url(text)? } else { of_words(text)? });
        let parameters: BTreeMap<_, _> =
            parameters.into_iter().map(|(name, value)| (name, SecretString::new(value))).collect();
        let settings = Self { parameters, home };
        if let Some(name) = UNKNOWN.iter().find(|name| settings.get(name).is_some()) {
            return wrong(format!("`{name}` of a connection string is not followed here"));
        }
        Ok(settings)
    }

    /// Host, port and database, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        let (host, port) = (self.get("host").unwrap_or("localhost"), self.get("port").unwrap_or("5432"));
        format!("{host}:{port}/{}", self.get("dbname").or_else(|| self.get("user")).unwrap_or_default())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(SecretString::expose_secret).filter(|value| !value.is_empty())
    }

    /// The ways to connect, in the order in which they are tried.
    pub(super) fn attempts(&self) -> Result<Vec<(Config, Tls)>, SettingsError> {
        let config = self.config()?;
        let with = |mode: SslMode, tls: Tls| {
            let mut config = config.clone();
            config.ssl_mode(mode);
            (config, tls)
        };
        let hosts = self.get("host").unwrap_or("localhost");
        let socket = self.get("hostaddr").is_none() && hosts.split(',').all(|host| host.starts_with(['/', '@']));
        let mode = if socket { "disable" } else { self.mode() };
        let require = |mode: SslMode| Ok::<_, SettingsError>(with(mode, self.tls()?));
        Ok(match mode {
            "disable" => vec![with(SslMode::Disable, Tls::none())],
            "allow" => vec![with(SslMode::Disable, Tls::none()), require(SslMode::Require)?],
            "prefer" => vec![require(SslMode::Prefer)?, with(SslMode::Disable, Tls::none())],
            "require" | "verify-ca" | "verify-full" => vec![require(SslMode::Require)?],
            other => {
                let modes = "disable, allow, prefer, require, verify-full, verify-ca";
                return wrong(format!("`sslmode` is none of {modes}: `{other}`"));
            }
        })
    }

    fn mode(&self) -> &str {
        let of_system = self.get("sslrootcert") == Some("system");
        self.get("sslmode").unwrap_or(if of_system { "verify-full" } else { "require" })
    }

    fn tls(&self) -> Result<Tls, SettingsError> {
        let mode = self.mode();
        let usual = |name: &str| self.home.as_ref().map(|home| home.join(".postgresql").join(name));
        let named = self.get("sslrootcert");
        if named == Some("system") && mode != "verify-full" {
            return wrong(format!("`sslrootcert=system` goes with `sslmode=verify-full`, not with `{mode}`"));
        }
        let weak = matches!(mode, "allow" | "prefer" | "require");
        let roots = match named {
            Some("system") => None,
            Some(path) => Some(PathBuf::from(path)).filter(|path| !weak || path.exists()),
            None => usual("root.crt").filter(|path| path.exists()),
        };
        let trusted = match (mode, roots) {
            ("verify-full", roots) => Trusted::Named(roots.map(|path| read(&path)).transpose()?),
            (_, Some(path)) => Trusted::Issuer(read(&path)?),
            ("verify-ca", None) => Trusted::Named(None),
            _ => Trusted::Anybody,
        };
        let certificate = self.get("sslcert").map(PathBuf::from).or_else(|| usual("postgresql.crt"));
        let identity = match certificate.filter(|path| path.exists()) {
            None => None,
            Some(certificate) => {
                let key = self.get("sslkey").map(PathBuf::from).or_else(|| usual("postgresql.key"));
                let key = key.ok_or_else(|| SettingsError("the client's certificate has no key".to_owned()))?;
                Some((read(&certificate)?, read(&key)?))
            }
        };
        Tls::new(trusted, identity).map_err(SettingsError)
    }

    fn config(&self) -> Result<Config, SettingsError> {
        let mut config = Config::new();
        let list = |name: &str| self.get(name).map(|text| text.split(',').map(str::trim).collect::<Vec<_>>());
        let number = |text: &str| match if text.is_empty() { "5432" } else { text }.parse::<u16>() {
            Ok(port) => Ok(port),
            Err(_) => wrong(format!("`{text}` is no port")),
        };
        let addresses = list("hostaddr").unwrap_or_default();
        for address in &addresses {
            match address.parse() {
                Ok(address) => config.hostaddr(address),
                Err(_) => return wrong(format!("`{address}` is no address")),
            };
        }
        let hosts = list("host").or_else(|| addresses.is_empty().then(|| vec!["localhost"])).unwrap_or_default();
        for host in &hosts {
            config.host(if host.is_empty() { "localhost" } else { host });
        }
        for port in list("port").unwrap_or_else(|| vec!["5432"]) {
            config.port(number(port)?);
        }
        let user = self.get("user").unwrap_or_default();
        let database = self.get("dbname").unwrap_or(user);
        config.user(user).dbname(database);
        let (host, port) = (hosts.first().copied().unwrap_or("localhost"), self.get("port").unwrap_or("5432"));
        let given = self.parameters.get("password").filter(|password| !password.expose_secret().is_empty());
        let password = given.cloned().or_else(|| self.of_file([host, port, database, user]));
        if let Some(password) = password {
            config.password(password.expose_secret());
        }
        if let Some(name) = self.get("application_name").or_else(|| self.get("fallback_application_name")) {
            config.application_name(name);
        }
        match self.get("target_session_attrs").unwrap_or("any") {
            "any" => {}
            "read-write" | "primary" => drop(config.target_session_attrs(TargetSessionAttrs::ReadWrite)),
            other => return wrong(format!("`target_session_attrs={other}` is nothing to write to")),
        }
        if self.get("load_balance_hosts") == Some("random") {
            config.load_balance_hosts(LoadBalanceHosts::Random);
        }
        if let Some(text) = self.get("connect_timeout") {
            match text.parse::<i64>() {
                Ok(seconds @ 1..) => drop(config.connect_timeout(Duration::from_secs(seconds.unsigned_abs()))),
                Ok(_) => {}
                Err(_) => return wrong("`connect_timeout` is no number of seconds"),
            }
        }
        config.options(self.options());
        Ok(config)
    }

    /// The options of the session: those that are given, and every parameter that nobody else knows.
    fn options(&self) -> String {
        let known = |name: &str| VARIABLES[..OURS].iter().any(|(known, _)| *known == name) || IDLE.contains(&name);
        let mut options = self.get("options").unwrap_or_default().to_owned();
        for (name, value) in self.parameters.iter().filter(|(name, _)| !known(name)) {
            let value = value.expose_secret().replace('\\', "\\\\").replace(' ', "\\ ");
            options.push_str(&format!(" -c {name}={value}"));
        }
        options.trim().to_owned()
    }

    /// The password in `~/.pgpass`, or in the file that is named.
    fn of_file(&self, of: [&str; 4]) -> Option<SecretString> {
        let usual = || Some(self.home.as_ref()?.join(".pgpass"));
        let path = self.get("passfile").map(PathBuf::from).or_else(usual)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // PostgreSQL's own programs take no notice of a file that others can read.
            if std::fs::metadata(&path).ok()?.permissions().mode() & 0o077 != 0 {
                return None;
            }
        }
        let text = files::read(&path).ok()?;
        std::str::from_utf8(&text).ok()?.lines().find_map(|line| {
            let mut fields = fields(line);
            let fits = fields.len() >= 5 && of.iter().zip(&fields).all(|(one, field)| field == "*" || field == one);
            fits.then(|| SecretString::new(fields.swap_remove(4)))
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, SettingsError> {
    match files::read(path) {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(error) => wrong(error.to_string()),
    }
}

/// The fields of a line of `.pgpass`.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, fields.last_mut()) {
            (':', _) => fields.push(String::new()),
            ('\\', Some(field)) => field.extend(letters.next()),
            (other, Some(field)) => field.push(other),
            (_, None) => {}
        }
    }
    fields
}

fn of_url(text: &str) -> Result<Vec<(String, String)>, SettingsError> {
    let no_url = || SettingsError("the connection string is no URL".to_owned());
    let url = Url::parse(text).map_err(|_| no_url())?;
    let decoded = |part: &str| unescaped(part).ok_or_else(no_url);
    let mut pairs = Vec::new();
    let mut add = |name: &str, value: String| pairs.push((name.to_owned(), value));
    if !url.username().is_empty() {
        add("user", decoded(url.username())?);
    }
    if let Some(password) = url.password() {
        add("password", decoded(password)?);
    }
    if let Some(host) = url.host_str().filter(|host| !host.is_empty()) {
        add("host", decoded(host.trim_matches(['[', ']']))?);
    }
    if let Some(port) = url.port() {
        add("port", port.to_string());
    }
    let path = url.path().trim_start_matches('/');
    if !path.is_empty() {
        add("dbname", decoded(path)?);
    }
    for (name, value) in url.query_pairs() {
        add(&name, value.into_owned());
    }
    Ok(pairs)
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        rest = more;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, behind) = more.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = behind;
    }
    String::from_utf8(bytes).ok()
}

fn of_words(text: &str) -> Result<Vec<(String, String)>, SettingsError> {
    let mut pairs = Vec::new();
    let mut letters = text.chars().peekable();
    loop {
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        if letters.peek().is_none() {
            return Ok(pairs);
        }
        let mut name = String::new();
        while let Some(letter) = letters.next_if(|letter| !letter.is_whitespace() && *letter != '=') {
            name.push(letter);
        }
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        if letters.next() != Some('=') {
            return wrong("a word of the connection string has no `=`");
        }
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        let quoted = letters.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        loop {
            let end = |letter: char| if quoted { letter == '\'' } else { letter.is_whitespace() };
            match letters.next() {
                None if quoted => return wrong("a quote of the connection string is not closed"),
                None => break,
                Some(letter) if end(letter) => break,
                Some('\\') => match letters.next() {
                    Some(letter) => value.push(letter),
                    None => return wrong("nothing stands behind the last backslash of the connection string"),
                },
                Some(letter) => value.push(letter),
            }
        }
        pairs.push((name, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Settings {
        Settings::read(text, |name| (name == "PGHOST").then(|| "of-variable".to_owned()), "me", None).unwrap()
    }

    #[test]
    fn urls_and_words_say_the_same() {
        let url = read("postgres://sops:a%20'b@db.example:6543/audit?sslmode=disable&search_path=x");
        let words =
            read(r"user=sops password='a \'b' host = db.example port=6543 dbname=audit sslmode=disable search_path=x");
        for name in ["user", "password", "host", "port", "dbname", "sslmode", "search_path"] {
            assert_eq!(url.get(name), words.get(name), "{name}");
        }
        assert_eq!((url.shown().as_str(), url.options().as_str()), ("db.example:6543/audit", "-c search_path=x"));
        assert_eq!((url.get("password"), url.mode()), (Some("a 'b"), "disable"));
    }

    #[test]
    fn variables_stand_behind_and_the_mode_is_require() {
        let settings = read("dbname=d");
        assert_eq!(
            (settings.get("host"), settings.get("user"), settings.mode()),
            (Some("of-variable"), Some("me"), "require")
        );
        assert_eq!(read("sslrootcert=system").mode(), "verify-full");
        for text in ["x", "a='b", "service=s", "sslinline=true", "postgres://h:p:1/"] {
            let refused = Settings::read(text, |_| None, "me", None).is_err();
            assert!(refused, "{text}");
        }
        assert!(read("sslmode=maybe").attempts().is_err());
        assert!(read("sslrootcert=system sslmode=require").attempts().is_err());
        assert_eq!(read("host=/run/postgresql sslmode=verify-full").attempts().unwrap().len(), 1);
        assert_eq!(read("sslmode=allow").attempts().unwrap().len(), 2);
    }

    #[test]
    fn passwords_out_of_a_file() {
        assert_eq!(fields(r"h\:1:*:a\\b:c:d"), ["h:1", "*", r"a\b", "c", "d"]);
    }
}
