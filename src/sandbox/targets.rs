//! The names under `herokudns.com` that custom domains point to.

use ring::digest;

const FIRST: [&str; 8] = ["ancient", "calm", "distant", "gentle", "hidden", "noble", "quiet", "silent"];
const SECOND: [&str; 8] = ["brook", "field", "forest", "island", "meadow", "river", "stone", "summit"];

/// The zone that the targets lie in.
pub(super) const ZONE: &str = "herokudns.com.";

/// A host name's target, the same at every run; another one for an app with automated certificates.
pub(super) fn target(hostname: &str, certified: bool) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let digest = digest::digest(&digest::SHA256, format!("{certified} {hostname}").as_bytes());
    let bytes = digest.as_ref();
    let tail: String = bytes[2..26].iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    format!("{}-{}-{tail}.herokudns.com", FIRST[usize::from(bytes[0] % 8)], SECOND[usize::from(bytes[1] % 8)])
}
