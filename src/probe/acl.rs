//! An access list of Windows in the words of checks: who may read, and who may change.

use crate::{
    host::{Grant, Rights},
    platform::windows::inventory,
};

/// What parts of an access mask mean: to read data; to change data, the list or the owner, or to
/// delete; and the general words for each.
const READ: u32 = 0x1 | 0x8000_0000 | 0x1000_0000;
const WRITE: u32 = 0x2 | 0x4 | 0x40 | 0x1_0000 | 0x4_0000 | 0x8_0000 | 0x4000_0000 | 0x1000_0000;

/// What a list gives.
pub(super) fn of(list: &inventory::Rights) -> Rights {
    let here = |rule: &&inventory::Rule| !rule.below;
    // A rule that takes rights from a number goes before one that gives it them.
    let denied = |sid: &str, mask: u32| {
        let takes = list.rules.iter().filter(here).filter(|rule| !rule.allows && rule.sid == sid);
        takes.fold(mask, |mask, rule| mask & !rule.rights)
    };
    let grant = |rule: &inventory::Rule| {
        let mask = denied(&rule.sid, rule.rights);
        Grant {
            sid: rule.sid.clone(),
            name: rule.name.clone(),
            read: mask & READ != 0,
            write: mask & WRITE != 0,
            inherited: rule.inherited,
        }
    };
    let grants = list.rules.iter().filter(here).filter(|rule| rule.allows).map(grant);
    Rights {
        path: list.path.clone(),
        owner: list.owner.clone(),
        grants: grants.filter(|grant| grant.read || grant.write).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rule_takes_nobody_has() {
        let rule = |sid: &str, allows, rights| inventory::Rule {
            sid: sid.into(),
            name: None,
            allows,
            rights,
            inherited: false,
            below: false,
        };
        let list = inventory::Rights {
            path: "C:\\x".into(),
            owner: "S-1-5-18".into(),
            rules: vec![
                rule("S-1-1-0", false, 0x1),
                rule("S-1-1-0", true, 0x12_0089),
                rule("S-1-5-11", true, 0x1301BF),
            ],
        };
        let grants = of(&list).grants;
        assert_eq!(grants.len(), 1);
        assert!(grants[0].read && grants[0].write);
    }
}
