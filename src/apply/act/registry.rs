//! Values of the Windows registry, and the keys that are created for them.

use super::Tools;
use crate::{
    Result,
    platform::windows::registry::{self, Place},
    record::{RegistryValue, State},
};

pub(super) fn before(tools: &Tools<'_>, place: &Place) -> Result<State> {
    let commands = tools.host.commands;
    if let Some(value) = registry::read(commands, place)? {
        return Ok(State::Value(value));
    }
    let nearest = registry::nearest_key(commands, &place.key)?;
    Ok(if nearest == place.key { State::Absent } else { State::NoKey { nearest } })
}

pub(super) fn set(tools: &Tools<'_>, wanted: &RegistryValue) -> Result<()> {
    registry::set(tools.host.commands, &wanted.place, &wanted.value)
}

pub(super) fn restore(tools: &Tools<'_>, place: &Place, to: &State) -> Result<()> {
    let commands = tools.host.commands;
    match to {
        State::Value(value) => match registry::read(commands, place)? {
            Some(now) if now == *value => Ok(()),
            _ => registry::set(commands, place, value),
        },
        State::Absent => registry::remove(commands, place),
        State::NoKey { nearest } => {
            registry::remove(commands, place)?;
            registry::remove_keys(commands, &place.key, nearest)
        }
        _ => Ok(()),
    }
}

/// On the real registry; under Wine that is real too.
#[cfg(test)]
#[cfg(windows)]
mod tests {
    use super::*;
    use crate::{
        apply::{self, Host, StepReporter, Task},
        platform::{
            Os,
            command::{Answer, Call, Commands, HostCommands},
            fs::Root,
            system,
            windows::registry::Value,
        },
        record::{Receipt, Step},
    };
    use std::{
        panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
        path::PathBuf,
        sync::atomic::{AtomicUsize, Ordering},
    };

    /// The host's commands. Wine 8 now and then fails to start a program while much else runs.
    struct Patient;

    impl Commands for Patient {
        fn find(&self, program: &str) -> Option<PathBuf> {
            HostCommands.find(program)
        }

        fn answer(&self, call: &Call) -> Result<Answer> {
            for _ in 0..5 {
                match HostCommands.answer(call) {
                    Err(error) if error.message().contains("could not be started") => {
                        std::thread::sleep(std::time::Duration::from_millis(200));
                    }
                    answer => return answer,
                }
            }
            HostCommands.answer(call)
        }
    }

    /// The host's commands, up to the one after which the run is killed.
    struct Killed(AtomicUsize);

    impl Commands for Killed {
        fn find(&self, program: &str) -> Option<PathBuf> {
            Patient.find(program)
        }

        fn answer(&self, call: &Call) -> Result<Answer> {
            let answer = Patient.answer(call);
            if self.0.fetch_sub(1, Ordering::Relaxed) == 0 {
                resume_unwind(Box::new("killed"));
            }
            answer
        }
    }

    /// A key that no other run has, and that is gone with the test however that ends.
    struct OwnKey(String);

    impl OwnKey {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let name = folder.path().file_name().unwrap().to_string_lossy().into_owned();
            Self(format!(r"HKCU\Software\runnerup-test-{}", name.trim_start_matches('.')))
        }
    }

    impl Drop for OwnKey {
        fn drop(&mut self) {
            // After a test that ended well there is none.
            let _ = Patient.answer(&Call::new("reg", ["delete", &self.0, "/f"]));
        }
    }

    struct Nobody;

    impl StepReporter for Nobody {
        fn begins(&self, _: usize, _: usize, _: &Step) {}
        fn done(&self) {}
        fn waits(&self, _: &str) {}
        fn tells(&self, _: &str) {}
        fn leaves(&self, _: &str) {}
        fn undoes(&self, _: &str) {}
        fn is_interrupted(&self) -> bool {
            false
        }
    }

    fn go(root: &Root, commands: &dyn Commands, steps: &[Step], receipt: Receipt) -> Receipt {
        let system = system::of(Os::Windows, commands, root, false);
        let host = Host {
            root,
            commands,
            system: system.as_ref(),
            services: None,
            source: None,
            report: &Nobody,
        };
        let done = apply::run(Task { command: "install", steps, receipt }, &host).unwrap();
        done.unwrap_or_else(|| Receipt::new("default"))
    }

    /// All that stands below the key, as `reg` prints it.
    fn printed(key: &str) -> String {
        Patient.answer(&Call::new("reg", ["query", key, "/s"])).unwrap().stdout
    }

    #[test]
    fn values_are_set_and_put_back_even_after_a_kill() {
        let test_key = OwnKey::new();
        let key = test_key.0.clone();
        let at = |inner: &str, name: &str| Place::new(format!("{key}{inner}"), name);
        // Other data, another kind of value, and what only a list can hold; the last two are new.
        let (number, text) = (at("", "number"), at("", "text"));
        registry::set(&Patient, &number, &Value::number(7)).unwrap();
        let list = Value { kind: "REG_MULTI_SZ".into(), data: r"one two\0three".into() };
        registry::set(&Patient, &text, &list).unwrap();
        let before = printed(&key);
        assert!(before.contains("0x7") && before.contains("REG_MULTI_SZ"), "{before}");
        let set = |place: &Place, value: Value| {
            let (place, purpose) = (place.clone(), "a test");
            Step::Registry(RegistryValue { place, value, purpose })
        };
        let steps = [
            set(&number, Value::number(1)),
            set(&text, Value::text("TERMSRV/localhost")),
            set(&at("", "new"), Value::text(r"C:\Program Files\x\")),
            set(&at(r"\new\newer key", "1"), Value::number(0)),
        ];
        let mut is_over = false;
        for number in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let root = Root::open(folder.path()).unwrap();
            let mut receipt = Receipt::new("default");
            receipt.installed = true;
            let commands = Killed(AtomicUsize::new(number));
            let run = || go(&root, &commands, &steps, receipt.clone());
            is_over = is_over || catch_unwind(AssertUnwindSafe(run)).is_ok();
            if is_over {
                let now = printed(&key);
                for value in ["0x1", "TERMSRV/localhost", r"C:\Program Files\x\", "newer key"] {
                    assert!(now.contains(value), "{value}: {now}");
                }
            }
            let known = crate::record::read(&root, "default").unwrap().receipt.unwrap();
            let back: Vec<_> =
                known.records.iter().rev().map(|record| Step::restore(record, false)).collect();
            let written = known.written.clone();
            let uninstalled = Receipt { written, ..Receipt::new("default") };
            let left = go(&root, &Patient, &back, uninstalled);
            assert!(left.records.is_empty(), "killed at call {number}");
            assert_eq!(printed(&key), before, "killed at call {number}");
            if is_over {
                assert!(number > 8, "{number} calls");
                break;
            }
        }
        registry::remove(&Patient, &number).unwrap();
        registry::remove(&Patient, &text).unwrap();
        registry::remove_keys(&Patient, &key, r"HKCU\Software").unwrap();
        assert_eq!(registry::nearest_key(&Patient, &key).unwrap(), r"HKCU\Software");
    }
}
