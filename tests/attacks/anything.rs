//! Any text as any value of the configuration.

use super::{
    fleet::Fleet,
    sources::Source,
    stage::{Made, Stage},
    table::chosen,
    trial,
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};

/// So often each key gets a text, unless the variable `PROPTEST_CASES` says otherwise.
const CASES: u32 = 8;

/// Text that means something to a shell, to a path, to a terminal or to YAML.
const FRAGMENTS: &[&str] = &[
    "'",
    "\"",
    "\\",
    "`touch /root/pwned`",
    "$(touch /root/pwned)",
    "${IFS}",
    "; touch /root/pwned;",
    "& touch /root/pwned &",
    "| tee /root/pwned",
    "> /root/pwned",
    "\ntouch /root/pwned\n",
    "' ; touch /root/pwned ; '",
    "-R",
    "--reference=/srv/victim",
    "-",
    "--",
    "../",
    "/../..",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "~",
    "~root",
    "#",
    "!",
    "%s",
    "%%",
    "=",
    ":",
    "@",
    "\u{1b}]0;x\u{7}",
    "\u{1b}[31m",
    "\u{9b}31m",
    "\u{85}",
    "\u{202e}",
    "\u{2066}",
    "\u{200f}",
    "\u{feff}",
    "\u{0}",
    "\u{7f}",
    "\r",
    "\t",
    " ",
    "é",
    "日本",
    "🚀",
    "/etc/shadow",
    "/srv/victim",
    "/root",
    "/etc/cron.d",
    "/home/mallory",
    "/var/opt/circleci/workdir",
    "http://127.0.0.1:1/",
    "https://",
    "sudo",
    "circleci",
    "root",
    "mallory",
    "true",
    "5h",
    "Next: sudo touch /root/pwned",
];

fn text() -> impl Strategy<Value = String> {
    let fragment = prop::sample::select(FRAGMENTS).prop_map(str::to_owned);
    let piece = prop_oneof![8 => fragment, 1 => "[a-zA-Z0-9/_.-]{1,12}", 1 => any::<String>()];
    let all = prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat());
    // As a path, so that it comes past the checks of a value's form.
    (prop::bool::ANY, all)
        .prop_map(|(is_path, text)| if is_path { format!("/srv/{text}") } else { text })
}

#[test]
fn any_text_as_any_value_changes_nothing_of_others() {
    let Some(stage) = Stage::new(Made::ByHand, "any text as a value") else { return };
    let is_key = |source: &Source| matches!(source, Source::Key(_) | Source::PrefixAccount);
    let fleet = Fleet::new(&stage, chosen().into_iter().filter(is_key).collect());
    let here = format!("--endpoint=storage=none,vcs=none,releases={}", stage.lab.api.url());
    let values = prop::collection::vec(text(), fleet.sources.len());
    let tried = runner().run(&values, |values| {
        let plant = || fleet.plant(&|number| values[number].clone());
        let (printed, wrongs) = trial::examined_and_cured(
            &stage,
            &plant,
            &[&here, "--timeout=1", trial::NO_RESTARTS],
            "",
        );
        fleet.assert_examined(&printed);
        stage.reset();
        match wrongs.is_empty() {
            true => Ok(()),
            false => Err(TestCaseError::fail(format!("{wrongs:#?}"))),
        }
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}

/// The same texts each time, unless the variable asks for more of them.
fn runner() -> TestRunner {
    let mut config =
        Config { failure_persistence: None, max_shrink_iters: 10, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() {
        return TestRunner::new(config);
    }
    config.cases = CASES;
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}
