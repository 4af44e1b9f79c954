//! Where the services of AWS are.
//!
//! *Source*: the notes on the wire, section 1.

use super::profile::{Section, Shared};
use crate::keys::Surroundings;
use crate::keys::cloud::trouble::Trouble;

/// The address of `service` in `region`: a variable for it, one for all services, the profile, else AWS's own name.
///
/// `everywhere` is whether `AWS_ENDPOINT_URL` counts: not for the token service inside the chain of credentials.
pub(super) fn endpoint(
    surroundings: &Surroundings,
    shared: &Shared,
    profile: Option<&Section>,
    service: &str,
    region: &str,
    everywhere: bool,
) -> Result<String, Trouble> {
    let configured = configured(surroundings, shared, profile, service, everywhere);
    let fips = surroundings.flag("AWS_USE_FIPS_ENDPOINT");
    let dual = surroundings.flag("AWS_USE_DUALSTACK_ENDPOINT");
    if let Some(url) = configured {
        if fips {
            let theirs = "FIPS and custom endpoint are not supported";
            return Err(
                Trouble::usage("an address of your own and `AWS_USE_FIPS_ENDPOINT` exclude each other").sops(theirs)
            );
        }
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(Trouble::usage(format!("`{url}` is no address for `{service}`")));
        }
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let fips = if fips { "-fips" } else { "" };
    if dual && service == "s3" {
        // Older than the others' names.
        return Ok(format!("https://s3{fips}.dualstack.{region}.{}", suffix(region)));
    }
    let suffix = if dual { dual_stack(region) } else { suffix(region) };
    Ok(format!("https://{service}{fips}.{region}.{suffix}"))
}

fn configured(
    surroundings: &Surroundings,
    shared: &Shared,
    profile: Option<&Section>,
    service: &str,
    everywhere: bool,
) -> Option<String> {
    if surroundings.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        return None;
    }
    let own = format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase());
    if let Some(url) = surroundings.text(&own) {
        return Some(url.to_owned());
    }
    if everywhere && let Some(url) = surroundings.text("AWS_ENDPOINT_URL") {
        return Some(url.to_owned());
    }
    let profile = profile.filter(|_| everywhere)?;
    let services = profile.get("services").and_then(|name| shared.services(name));
    let own = services.and_then(|section| section.get(&format!("{service}.endpoint_url")));
    own.or_else(|| profile.get("endpoint_url")).map(str::to_owned)
}

fn suffix(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "amazonaws.com.cn",
        _ if region.starts_with("us-isob-") => "sc2s.sgov.gov",
        _ if region.starts_with("us-isof-") => "csp.hci.ic.gov",
        _ if region.starts_with("eu-isoe-") => "cloud.adc-e.uk",
        _ if region.starts_with("us-iso-") => "c2s.ic.gov",
        _ if region.starts_with("eusc-") => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}

fn dual_stack(region: &str) -> &'static str {
    match suffix(region) {
        "amazonaws.com" => "api.aws",
        "amazonaws.com.cn" => "api.amazonwebservices.com.cn",
        other => other,
    }
}

/// The region of a key's ARN.
///
/// *Source*: the SOPS format, section 5.3. SOPS takes anything for the region; here it must be one, for it becomes part of
/// the host's name.
pub(super) fn region(arn: &str) -> Result<&str, Trouble> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if let ["arn", partition, "kms", region, account, key] = parts[..]
        && partition.starts_with("aws")
        && word(partition)
        && !region.is_empty()
        && word(region)
        && !account.is_empty()
        && account.bytes().all(|digit| digit.is_ascii_digit())
        && ["key/", "alias/"].iter().any(|kind| key.strip_prefix(kind).is_some_and(|name| !name.is_empty()))
    {
        return Ok(region);
    }
    Err(Trouble::usage(format!("`{arn}` is no ARN of a key or an alias of KMS"))
        .sops(format!("no valid ARN found in '{arn}'"))
        .led(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)], region: &str) -> Result<String, Trouble> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let surroundings = Surroundings::new(variables, || jiff::Timestamp::UNIX_EPOCH, "box");
        endpoint(&surroundings, &Shared::default(), None, "kms", region, true)
    }

    #[test]
    fn hosts_are_those_of_the_partition() {
        let hosts = [
            ("us-east-1", "https://kms.us-east-1.amazonaws.com"),
            ("cn-north-1", "https://kms.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "https://kms.us-gov-west-1.amazonaws.com"),
            ("us-iso-east-1", "https://kms.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "https://kms.us-isob-east-1.sc2s.sgov.gov"),
            ("eusc-de-east-1", "https://kms.eusc-de-east-1.amazonaws.eu"),
        ];
        for (region, host) in hosts {
            assert_eq!(with(&[], region).unwrap(), host);
        }
        assert_eq!(with(&[("AWS_USE_FIPS_ENDPOINT", "true")], "r").unwrap(), "https://kms-fips.r.amazonaws.com");
        assert_eq!(with(&[("AWS_USE_DUALSTACK_ENDPOINT", "true")], "r").unwrap(), "https://kms.r.api.aws");
    }

    #[test]
    fn the_services_own_variable_comes_first() {
        let both = [("AWS_ENDPOINT_URL", "http://127.0.0.1:1"), ("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:2/")];
        assert_eq!(with(&both, "r").unwrap(), "http://127.0.0.1:2");
        assert_eq!(with(&both[..1], "r").unwrap(), "http://127.0.0.1:1");
        let ignored = [both[0], ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
        assert_eq!(with(&ignored, "r").unwrap(), "https://kms.r.amazonaws.com");
        let fips = [both[0], ("AWS_USE_FIPS_ENDPOINT", "true")];
        assert_eq!(with(&fips, "r").unwrap_err().sops, "FIPS and custom endpoint are not supported");
    }

    #[test]
    fn a_region_cannot_lead_elsewhere() {
        assert_eq!(region("arn:aws:kms:eu-west-1:1:key/k").unwrap(), "eu-west-1");
        assert_eq!(region("arn:aws-cn:kms:cn-north-1:12:alias/a/b").unwrap(), "cn-north-1");
        for arn in ["arn:aws:kms:evil.example/#:1:key/k", "arn:aws:kms:r@h:1:key/k", "arn:aws:kms:r::key/k", "k"] {
            assert_eq!(region(arn).unwrap_err().sops, format!("no valid ARN found in '{arn}'"));
        }
    }
}
