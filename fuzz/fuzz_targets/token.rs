#![no_main]

use libfuzzer_sys::fuzz_target;
use lockage::cipher::{DataKey, ValueCipher};

fuzz_target!(|token: &[u8]| {
    if let Ok(key) = DataKey::generate() {
        let _ = ValueCipher::new(&key).decrypt(token, "a:", &mut Vec::new());
    }
});
