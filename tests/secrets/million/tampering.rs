//! Small changes to an encrypted file that somebody without a key can make.

use std::ops::Range;

use crate::generate::Seed;

/// The file with one change; `None` where there is nothing to change.
pub(super) fn tampered(seed: &mut Seed, file: &[u8]) -> Option<Vec<u8>> {
    let tokens = tokens(file);
    let token = tokens.get(seed.below(tokens.len().max(1)))?.clone();
    let other = tokens[seed.below(tokens.len())].clone();
    let mut out = file.to_vec();
    match seed.below(4) {
        // A letter of the ciphertext.
        0 => {
            let at = token.start + b"ENC[AES256_GCM,data:".len();
            out[at] = if out[at] == b'A' { b'B' } else { b'A' };
        }
        // Two values change places.
        1 if token.end <= other.start => {
            let (first, second) = (file[token.clone()].to_vec(), file[other.clone()].to_vec());
            out.splice(other, first);
            out.splice(token, second);
        }
        // A digit of the time.
        2 => {
            let start = memchr::memmem::find(file, b"lastmodified")?;
            let time = &file[start..start + b"lastmodified: 2026-11-21T20:19:17Z".len()];
            let at = memchr::memmem::find(time, b":0").or_else(|| memchr::memmem::find(time, b":1"))?;
            out[start + at + 1] ^= 1;
        }
        // The type of a value.
        _ => {
            let label = memchr::memmem::find(&file[token.clone()], b"type:")? + token.start + 5;
            let end = label + memchr::memchr(b']', &file[label..])?;
            let new = seed.pick(&["str", "int", "float", "bool"]).as_bytes().to_vec();
            out.splice(label..end, new);
        }
    }
    (out != file).then_some(out)
}

/// The tokens above the metadata; comments are left out if they are no items, because one that does not open is taken for
/// one in clear by both.
fn tokens(file: &[u8]) -> Vec<Range<usize>> {
    let starts = memchr::memmem::find_iter(file, b"ENC[AES256_GCM,data:");
    let tokens = starts.filter_map(|start| Some(start..start + memchr::memchr(b']', &file[start..])? + 1));
    let mac = memchr::memmem::rfind(file, b"lastmodified").unwrap_or(file.len());
    let comment = |token: &Range<usize>| file[token.clone()].ends_with(b"type:comment]");
    let item = |token: &Range<usize>| file[..token.start].ends_with(b"- ");
    tokens.filter(|token| token.end < mac && (item(token) || !comment(token))).collect()
}
