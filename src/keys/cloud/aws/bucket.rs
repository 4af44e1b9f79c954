//! Objects in buckets of Amazon S3 and of those that speak like it.
//!
//! *Source*: the notes on the wire, section 6; the SOPS format, section 11.

use zeroize::Zeroizing;

use super::credentials::{Chain, Credentials};
use super::endpoint;
use super::profile::Shared;
use super::sign::{self, Signing};
use super::sts::element;
use super::{THROTTLING, WAITS, passing_status};
use crate::error::Class;
use crate::keys::Surroundings;
use crate::keys::cloud::destination::{Found, UPLOAD_LIMIT};
use crate::keys::cloud::escaped;
use crate::keys::cloud::trouble::{Trouble, said};
use crate::system::wire::{Request, Response, Wire, WireError, authority};

/// Puts objects into buckets, with the credentials that AWS's own programs would find.
pub(in crate::keys::cloud) struct S3 {
    chain: Chain,
}

/// Where an object is, and with what to ask for it.
struct Object {
    url: String,
    region: String,
    credentials: Credentials,
}

impl S3 {
    pub(in crate::keys::cloud) fn new(surroundings: &Surroundings, wire: &Wire) -> Self {
        Self { chain: Chain::new(surroundings, wire) }
    }

    /// What is in a bucket under a name; more than `limit` bytes are not read.
    pub(in crate::keys::cloud) fn get(&self, bucket: &str, key: &str, limit: usize) -> Result<Found, Trouble> {
        let object = self.object(bucket, key)?;
        let answer = WAITS.attempt(|| match self.send(&object, "GET", &[], limit) {
            Ok(answer) if answer.status == 404 && code_of(&answer) != "NoSuchBucket" => Ok(Some(answer)),
            Ok(answer) if answer.is_success() => Ok(Some(answer)),
            Ok(answer) => Err(refused("GetObject", &answer)),
            Err(WireError::TooLong { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        })?;
        Ok(match answer {
            None => Found::TooLong,
            Some(answer) if answer.status == 404 => Found::Nothing,
            Some(answer) => Found::Object(Zeroizing::new(answer.body().to_vec())),
        })
    }

    /// Puts `content` into a bucket under a name, in place of what is there.
    pub(in crate::keys::cloud) fn put(&self, bucket: &str, key: &str, content: &[u8]) -> Result<(), Trouble> {
        let put = || {
            let object = self.object(bucket, key)?;
            WAITS.attempt(|| {
                let answer = self.send(&object, "PUT", content, 1 << 20)?;
                if answer.is_success() { Ok(()) } else { Err(refused("PutObject", &answer)) }
            })
        };
        put().map_err(|trouble| {
            let sops = format!("operation error S3: PutObject, {}", trouble.sops);
            trouble.sops(sops)
        })
    }

    fn object(&self, bucket: &str, key: &str) -> Result<Object, Trouble> {
        if bucket.is_empty() || bucket.contains([':', '/']) {
            return Err(Trouble::usage(format!("`{bucket}` is no name of a bucket")));
        }
        if key.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(Trouble::usage(format!("`{key}` leads out of its folder")));
        }
        let surroundings = &self.chain.surroundings;
        let shared = Shared::read(surroundings)?;
        let profile = shared.profile(self.chain.default_profile());
        let named = surroundings.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]);
        let region = named.or_else(|| profile?.get("region")).unwrap_or_default();
        if region.is_empty() || !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(Trouble::usage("no region of AWS is named")
                .sops("resolve auth scheme: resolve endpoint: endpoint rule error, Invalid region: region was not a valid DNS name.")
                .hint("set `AWS_REGION` to the region of the bucket"));
        }
        let base = endpoint::endpoint(surroundings, &shared, profile, "s3", region, true)?;
        let path: String = key.split('/').map(|part| format!("/{}", escaped(part))).collect();
        let url = match base.split_once("://") {
            // A certificate for `*.s3.…` is for no name with a dot in it; an address of numbers has no names below it.
            Some((scheme, host)) if is_label(bucket) && !is_number(host) => format!("{scheme}://{bucket}.{host}{path}"),
            _ => format!("{base}/{}{path}", escaped(bucket)),
        };
        let credentials = self.chain.find(&shared, "", region)?;
        Ok(Object { url, region: region.to_owned(), credentials })
    }

    fn send(&self, object: &Object, method: &'static str, body: &[u8], limit: usize) -> Result<Response, WireError> {
        let host = authority(&object.url);
        let path = object.url.split_once("://").and_then(|(_, rest)| Some(&rest[rest.find('/')?..]));
        let signing = Signing {
            method,
            path: path.unwrap_or("/"),
            host: &host,
            region: &object.region,
            service: "s3",
            content_type: if method == "PUT" { "application/octet-stream" } else { "" },
            target: None,
            body,
            digest: true,
        };
        let headers = sign::headers(&signing, &object.credentials, self.chain.surroundings.now());
        let request = Request::new(method, &object.url).body(Zeroizing::new(body.to_vec()));
        let request = request.time_limit(UPLOAD_LIMIT).answer_limit(limit);
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        self.chain.wire.send(request)
    }
}

/// Whether a bucket's name can be a label of a host's name.
fn is_label(bucket: &str) -> bool {
    let within = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (3..=63).contains(&bucket.len()) && bucket.bytes().all(within) && !bucket.starts_with('-') && !bucket.ends_with('-')
}

fn is_number(host: &str) -> bool {
    let name = host.split('/').next().unwrap_or_default();
    name.starts_with('[') || name.split(':').next().is_some_and(|name| name.parse::<std::net::Ipv4Addr>().is_ok())
}

fn code_of(answer: &Response) -> String {
    element(answer.text().unwrap_or_default(), "Code").unwrap_or_default()
}

fn refused(operation: &str, answer: &Response) -> Trouble {
    let status = answer.status;
    let (code, message) = (code_of(answer), element(answer.text().unwrap_or_default(), "Message").unwrap_or_default());
    let (code, message) =
        (if code.is_empty() { answer.reason().replace(' ', "") } else { said(&code) }, said(&message));
    let id = |name: &str| said(answer.header(name).unwrap_or_default());
    let (request, host) = (id("x-amz-request-id"), id("x-amz-id-2"));
    let theirs = format!(
        "https response error StatusCode: {status}, RequestID: {request}, HostID: {host}, api error {code}: {message}"
    );
    let passing = passing_status(status) || THROTTLING.contains(&code.as_str());
    let class = if passing { Class::World } else { Class::Untrusted };
    let trouble = Trouble::new(class, format!("{operation}: status {status}, {code}: {message}")).sops(theirs);
    match (status, answer.header("x-amz-bucket-region")) {
        (301 | 307 | 400, Some(region)) => trouble.hint(format!("the bucket is in the region `{}`", said(region))),
        _ => trouble,
    }
    .passing(passing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_buckets_are_names_of_hosts() {
        for (bucket, host) in
            [("my-bucket", true), ("a.b", false), ("Old_Bucket", false), ("ab", false), ("-abc", false)]
        {
            assert_eq!(is_label(bucket), host, "{bucket}");
        }
        for (host, number) in
            [("127.0.0.1:80", true), ("[::1]:80", true), ("localhost:80", false), ("s3.example", false)]
        {
            assert_eq!(is_number(host), number, "{host}");
        }
    }
}
