//! What a doctor's report says.

use serde_json::Value;

/// The checks that failed, warned or could not be made.
pub fn problems(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let bad =
        findings.filter(|own| matches!(own["status"].as_str(), Some("fail" | "warn" | "error")));
    bad.map(|own| own["check"].as_str().unwrap().to_owned()).collect()
}
