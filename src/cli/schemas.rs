//! `docs/schemas/`: the form of every document that `--json` prints, made from the types that are
//! printed.
//!
//! `RUNNERUP_BLESS=1 cargo test --lib schemas` writes them anew; the difference is to be read, for it
//! is what scripts will see. `tests/schemas.rs` holds what the program prints against them.

use super::{bundle, doctor, explain, install, output, plan, uninstall};
use crate::doctor::Diagnosis;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use std::{collections::BTreeMap, fs, path::PathBuf};

fn schema<T: JsonSchema>(title: &str) -> Schema {
    let mut schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema
}

/// A body as it is printed: with `schema_version`.
fn document<T: JsonSchema + serde::Serialize>(title: &str) -> Schema {
    schema::<output::Document<'_, T>>(title)
}

fn schemas() -> BTreeMap<&'static str, Schema> {
    BTreeMap::from([
        ("plan", document::<plan::Document<'_>>("plan, and any --dry-run")),
        ("install", document::<install::Document<'_>>("install")),
        ("uninstall", document::<uninstall::Document<'_>>("uninstall")),
        ("bundle-create", document::<bundle::Document<'_>>("bundle create")),
        ("doctor", document::<Diagnosis>("doctor")),
        ("doctor-fix", document::<doctor::Fixed<'_>>("doctor --fix, where it did something")),
        ("doctor-list", document::<doctor::List>("doctor --list")),
        ("explain", document::<explain::Explained<'_>>("explain CODE")),
        ("explain-check", document::<doctor::Listed>("explain CHECK")),
        ("explain-list", document::<explain::List<'_>>("explain --list")),
        ("error", document::<output::Failure<'_>>("what went wrong, of any command")),
    ])
}

#[test]
fn the_schemas_in_docs_are_those_of_the_types() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    let made = schemas();
    if std::env::var_os("RUNNERUP_BLESS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, schema) in &made {
            let text = serde_json::to_string_pretty(schema).unwrap();
            fs::write(folder.join(format!("{name}.json")), format!("{text}\n")).unwrap();
        }
    }
    for (name, schema) in &made {
        let text = fs::read_to_string(folder.join(format!("{name}.json"))).unwrap_or_default();
        let same = text == format!("{}\n", serde_json::to_string_pretty(schema).unwrap());
        assert!(same, "{name}: run RUNNERUP_BLESS=1 cargo test --lib schemas");
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), made.len(), "a schema of nothing");
}
