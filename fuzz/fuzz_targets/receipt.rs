//! Receipts: what could be read is written so that it reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runnerup::record::Receipt;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(receipt) = serde_json::from_slice::<Receipt>(bytes) {
        let written = serde_json::to_vec(&receipt).expect("a receipt can be written");
        assert_eq!(serde_json::from_slice::<Receipt>(&written).ok(), Some(receipt));
    }
});
