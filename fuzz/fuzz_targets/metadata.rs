#![no_main]

use libfuzzer_sys::fuzz_target;
use lockage::document::Format;
use lockage::sops::EncryptedFile;

fuzz_target!(|text: &[u8]| {
    for format in [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary] {
        let _ = EncryptedFile::parse_as_sops(format, text.to_vec());
    }
});
