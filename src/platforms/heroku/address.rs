//! Where the API is: the vendor's own address, or what `HEROKU_HOST` names.
//!
//! The vendor's client sends the token to its own address when it does not like what the variable names; that would be a
//! promotion of the real app by somebody who meant another, so here it is a refusal.

/// The vendor's domains, as its own client knows them.
const DOMAINS: [&str; 4] = ["heroku.com", "herokai.com", "herokuspace.com", "herokudev.com"];

/// The address that a host setting means; nothing where the API key may not be sent there.
///
/// *Source*: the vendor's client: a bare name is a domain whose API is at `api.`; an address has its scheme.
pub(super) fn of(setting: &str) -> Option<String> {
    let setting = setting.trim_end_matches('/');
    let Some((scheme, authority)) = setting.split_once("://") else {
        return is_vendor(setting).then(|| format!("https://api.{setting}"));
    };
    // A name before `@` would be a login and what follows it the host.
    if authority.contains(['/', '?', '#', '@', '\\']) {
        return None;
    }
    let trusted = match scheme {
        "https" => is_vendor(host(authority)) || is_loopback(host(authority)),
        "http" => is_loopback(host(authority)),
        _ => false,
    };
    trusted.then(|| setting.to_owned())
}

/// Why a host setting is not followed.
pub(super) fn refusal(setting: &str) -> String {
    format!("`{setting}` is neither an address of Heroku's nor of this machine: the API key is not sent there")
}

fn host(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn is_vendor(host: &str) -> bool {
    let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    plain
        && DOMAINS
            .iter()
            .any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_to_the_vendor_or_stays_here() {
        for (setting, address) in [
            ("heroku.com", "https://api.heroku.com"),
            ("staging.herokudev.com", "https://api.staging.herokudev.com"),
            ("https://api.heroku.com/", "https://api.heroku.com"),
            ("http://127.0.0.1:4100", "http://127.0.0.1:4100"),
            ("http://localhost:4100", "http://localhost:4100"),
            ("https://[::1]:4100", "https://[::1]:4100"),
        ] {
            assert_eq!(of(setting).as_deref(), Some(address), "{setting}");
        }
        for setting in [
            "",
            "127.0.0.1:4100",
            "http://api.heroku.com",
            "https://heroku.com.example.org",
            "https://notheroku.com",
            "http://127.0.0.1@example.org",
            "http://127.0.0.1.example.org:80",
            "http://example.org/127.0.0.1",
            "https://example.org#.heroku.com",
            "file://127.0.0.1",
        ] {
            assert_eq!(of(setting), None, "{setting}");
        }
    }
}
