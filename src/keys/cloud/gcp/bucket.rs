//! Objects in buckets of Google Cloud Storage.
//!
//! *Source*: the notes on the wire, section 6; the SOPS format, section 11.

use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::credentials::{Sources, safe};
use super::{Refused, WAITS};
use crate::error::Class;
use crate::keys::Surroundings;
use crate::keys::cloud::destination::{Found, UPLOAD_LIMIT};
use crate::keys::cloud::trouble::{Trouble, said};
use crate::keys::cloud::{escaped, hex};
use crate::system::wire::{Request, Response, Wire};

/// Puts objects into buckets, with the credentials that Google's own libraries would find.
pub(in crate::keys::cloud) struct Gcs {
    surroundings: Surroundings,
    wire: Wire,
    sources: Sources,
}

#[derive(Deserialize)]
struct Kept {
    #[serde(default)]
    crc32c: String,
}

impl Gcs {
    pub(in crate::keys::cloud) fn new(surroundings: &Surroundings, wire: &Wire) -> Self {
        let sources = Sources::of_application(surroundings, wire);
        Self { surroundings: surroundings.clone(), wire: wire.clone(), sources }
    }

    /// What is in a bucket under a name; more than `limit` bytes are not read.
    pub(in crate::keys::cloud) fn get(&self, bucket: &str, name: &str, limit: usize) -> Result<Found, Trouble> {
        let url = format!("{}/storage/v1/b/{}/o/{}?alt=media", self.base(), escaped(bucket), escaped(name));
        WAITS.attempt(|| {
            let request = self.authorised(Request::get(&url).time_limit(UPLOAD_LIMIT).answer_limit(limit))?;
            Found::of(self.wire.send(request), |answer| answer.status == 404, refused)
        })
    }

    /// Puts `content` into a bucket under a name, in place of what is there. SOPS takes no notice of a refusal.
    pub(in crate::keys::cloud) fn put(&self, bucket: &str, name: &str, content: &[u8]) -> Result<(), Trouble> {
        let query = format!("alt=json&name={}&prettyPrint=false&projection=full&uploadType=multipart", escaped(name));
        let url = format!("{}/upload/storage/v1/b/{}/o?{query}", self.base(), escaped(bucket));
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| Trouble::new(Class::World, "the system gives no random bytes"))?;
        // No content has a line of these.
        let boundary = hex(&random);
        let sum = base64_of_sum(content);
        let metadata = json!({ "bucket": bucket, "crc32c": sum, "name": name });
        let mut body = format!("--{boundary}\r\nContent-Type: application/json\r\n\r\n{metadata}\r\n").into_bytes();
        body.extend_from_slice(format!("--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let kept = WAITS.attempt(|| {
            let request = Request::post(&url)
                .body(Zeroizing::new(body.clone()))
                .header("content-type", format!("multipart/related; boundary={boundary}"))
                .time_limit(UPLOAD_LIMIT);
            let answer = self.wire.send(self.authorised(request)?)?;
            if !answer.is_success() {
                return Err(refused(&answer));
            }
            Ok(answer.json::<Kept>())
        })?;
        match kept {
            Some(kept) if kept.crc32c.is_empty() || kept.crc32c == sum => Ok(()),
            Some(_) => Err(Trouble::untrusted("Google Cloud Storage kept other bytes than were sent")),
            None => Err(Trouble::untrusted("the answer of Google Cloud Storage does not say that it kept anything")),
        }
    }

    fn universe(&self) -> &str {
        self.surroundings.text("GOOGLE_CLOUD_UNIVERSE_DOMAIN").unwrap_or("googleapis.com")
    }

    fn emulator(&self) -> Option<&str> {
        self.surroundings.text("STORAGE_EMULATOR_HOST")
    }

    fn base(&self) -> String {
        match self.emulator() {
            Some(url) if url.contains("://") => url.trim_end_matches('/').to_owned(),
            Some(host) => format!("http://{}", host.trim_end_matches('/')),
            None => format!("https://storage.{}", self.universe()),
        }
    }

    /// An emulator asks for no token.
    fn authorised(&self, request: Request) -> Result<Request, Trouble> {
        if self.emulator().is_some() {
            return Ok(request);
        }
        safe(&self.base())?;
        let token = self.sources.token(self.universe(), false)?;
        Ok(request.header("authorization", format!("Bearer {}", token.expose_secret())))
    }
}

fn refused(answer: &Response) -> Trouble {
    let status = answer.status;
    let message = match answer.json::<Refused>() {
        Some(refused) if !refused.error.message.is_empty() => said(&refused.error.message),
        _ => said(answer.text().unwrap_or_default()),
    };
    let passing = matches!(status, 408 | 429 | 500..=599);
    let class = if passing { Class::World } else { Class::Untrusted };
    Trouble::new(class, format!("status {status}, {message}"))
        .sops(format!("googleapi: Error {status}: {message}"))
        .passing(passing)
}

fn base64_of_sum(content: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(crc32c(content).to_be_bytes())
}

/// Castagnoli's checksum, bit by bit: a file is sent far more slowly than this.
fn crc32c(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0x82f6_3b78 & (sum & 1).wrapping_neg()))
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_the_standard() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(base64_of_sum(b""), "AAAAAA==");
    }
}
