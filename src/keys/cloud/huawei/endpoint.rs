//! Where the services of HuaweiCloud are.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::keys::Surroundings;
use crate::keys::cloud::trouble::Trouble;
use crate::system::files;

/// Regions that have the key service.
const REGIONS: &[&str] = &[
    "ae-ad-1",
    "af-north-1",
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-east-5",
    "cn-north-1",
    "cn-north-11",
    "cn-north-12",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-south-1",
    "cn-south-2",
    "cn-south-4",
    "cn-southwest-2",
    "cn-southwest-3",
    "eu-west-101",
    "la-north-2",
    "la-south-2",
    "me-east-1",
    "my-kualalumpur-1",
    "na-mexico-1",
    "ru-moscow-1",
    "sa-brazil-1",
    "tr-west-1",
];

/// A region of the regions file.
#[derive(Deserialize)]
struct Region {
    id: String,
    endpoint: Option<String>,
    endpoints: Option<Vec<String>>,
}

/// The key service of a region: a variable for it, the regions file, else the built-in name.
///
/// *Source*: the notes on the wire, section 4.
pub(super) fn kms(surroundings: &Surroundings, region: &str) -> Result<String, Trouble> {
    let variable = format!("HUAWEICLOUD_SDK_REGION_KMS_{}", region.to_ascii_uppercase().replace('-', "_"));
    if let Some(list) = surroundings.text(&variable) {
        return usable(list.split(',').next().unwrap_or_default());
    }
    if let Some(url) = in_file(surroundings, region)? {
        return usable(&url);
    }
    if !REGIONS.contains(&region) {
        let list = REGIONS.join(" ");
        let theirs = format!(
            "invalid region \"{region}\": region id '{region}' is not in the following supported regions of service 'KMS': [{list}]"
        );
        return Err(Trouble::usage(format!("`{region}` is no region of HuaweiCloud that has the key service"))
            .sops(theirs)
            .led("failed to create HuaweiCloud KMS client"));
    }
    Ok(format!("https://kms.{region}.{}", domain(region)))
}

/// The service for identities; anything that is not https becomes it.
pub(super) fn iam(surroundings: &Surroundings, of_profile: Option<&str>, region: &str) -> String {
    let named = surroundings.text("HUAWEICLOUD_SDK_IAM_ENDPOINT").or(of_profile).map(|url| url.trim_end_matches('/'));
    match named {
        Some(url) if url.starts_with("https://") => url.to_owned(),
        Some(url) => format!("https://{}", url.strip_prefix("http://").unwrap_or(url)),
        None if REGIONS.contains(&region) => format!("https://iam.{region}.{}", domain(region)),
        None => "https://iam.myhuaweicloud.com".to_owned(),
    }
}

fn domain(region: &str) -> &'static str {
    if region == "eu-west-101" { "myhuaweicloud.eu" } else { "myhuaweicloud.com" }
}

fn usable(url: &str) -> Result<String, Trouble> {
    let url = url.trim().trim_end_matches('/');
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(url.to_owned());
    }
    Err(Trouble::usage(format!("`{url}` is no address of a key service")))
}

fn in_file(surroundings: &Surroundings, region: &str) -> Result<Option<String>, Trouble> {
    let named = surroundings.text("HUAWEICLOUD_SDK_REGIONS_FILE").map(|path| surroundings.path(path));
    let Some(path) = named.or_else(|| Some(surroundings.home()?.join(".huaweicloud/regions.yaml"))) else {
        return Ok(None);
    };
    if !path.is_file() {
        return Ok(None);
    }
    let unreadable = || Trouble::usage(format!("`{}` is no file of regions", path.display()));
    let bytes = files::read(&path).map_err(|error| Trouble::usage(error.to_string()))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| unreadable())?;
    let services: BTreeMap<String, Vec<Region>> = serde_saphyr::from_str(text).map_err(|_| unreadable())?;
    let found = services.get("KMS").into_iter().flatten().find(|known| known.id == region);
    Ok(found.and_then(|known| known.endpoint.clone().or_else(|| known.endpoints.as_ref()?.first().cloned())))
}
