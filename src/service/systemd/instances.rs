//! Instances of templates, as systemd has them loaded: one that was only started stands in no file.

use super::drop_ins::template_of;
use crate::platform::command::{Call, Commands};
use std::time::Duration;

/// Most names that are taken from systemd's answer.
const MOST: usize = 256;

/// The instances of these templates; none where systemd does not answer.
pub(super) fn loaded(
    commands: &dyn Commands,
    templates: &[String],
    limit: Duration,
) -> Vec<String> {
    let pattern = |template: &String| template.replacen("@.", "@*.", 1);
    let args = ["list-units", "--all", "--full", "--plain", "--no-legend", "--no-pager", "--"];
    let args = args.map(str::to_owned).into_iter().chain(templates.iter().map(pattern));
    let answer = commands.run(&Call::new("systemctl", args).within(limit));
    let listed = answer.map(|answer| answer.stdout).unwrap_or_default();
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    let is_instance =
        |name: &&str| template_of(name).is_some_and(|template| templates.contains(&template));
    names.filter(is_instance).take(MOST).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::Script;

    /// As systemd 252 prints it.
    #[test]
    fn loaded_instances_are_listed() {
        let call = "systemctl list-units --all --full --plain --no-legend --no-pager -- 'circleci@*.service'";
        let output = "circleci@1.service loaded active   running CircleCI runner 1\n\
            circleci@2.service loaded inactive dead    CircleCI runner 2\n\
            circleci@.service  loaded inactive dead    x\n";
        let script = Script::new(&[(call, 0, output)]);
        let templates = ["circleci@.service".to_owned()];
        let found = loaded(&script, &templates, Duration::from_secs(2));
        assert_eq!(found, ["circleci@1.service", "circleci@2.service"]);
    }
}
