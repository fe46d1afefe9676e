//! How a scheduled task last ended: its result codes, and what each one means.

use crate::host::ServiceState;

/// The scheduler's own results, and those of Windows that it passes on; what each one means.
const MEANINGS: [(u32, &str); 19] = [
    (0x0004_1300, "the task is ready"),
    (0x0004_1301, "the task is running"),
    (0x0004_1302, "the task is disabled"),
    (0x0004_1303, "the task has never run"),
    (0x0004_1306, "a user ended the task"),
    (0x8004_130F, "the scheduler has no password for the account"),
    (0x8004_1315, "the Task Scheduler service is not running"),
    (0x8004_131F, "the scheduler refused a second start while the task was running"),
    (0x8007_10E0, "the scheduler refused a second start while the task was running"),
    (0x8007_0002, "the program or a folder does not exist"),
    (0x8007_0003, "a folder above the program does not exist"),
    (0x8007_0005, "the account cannot execute the program"),
    (0x8007_00C1, "the file is not a program for this system"),
    (0x8007_010B, "the folder of the task (Start in) does not exist, or is in quotes"),
    (0x8007_04DD, "the account was not logged on"),
    (0xC000_013A, "Ctrl-C, a logoff or a shutdown ended the program"),
    (0xC000_0005, "the program crashed with an access violation"),
    (0xC000_0135, "a library of the program does not exist"),
    (0xC000_0142, "the program could not be initialized in its session"),
];

/// Results that say why the account could not log on.
pub(crate) const LOGON: [(u32, &str); 9] = [
    (0x8007_052E, "the scheduler has a wrong password for the account"),
    (0x8007_0533, "the account is disabled"),
    (0x8007_0701, "the account has expired"),
    (0x8007_0775, "the account is locked"),
    (0x8007_0532, "the account's password has expired"),
    (0x8007_0773, "the account must change its password first"),
    (0x8007_0569, "the account lacks the right to log on as a batch job"),
    (0x8007_0534, "the account does not exist"),
    (0x8004_1310, "the account does not exist"),
];

/// A task's state in words.
pub(super) fn words(state: &ServiceState) -> String {
    let code = state.exit_status.unwrap_or_default().cast_unsigned();
    format!("{}, {}", state.sub, last(code))
}

/// The last result of a task in words.
pub(crate) fn last(code: u32) -> String {
    let known = MEANINGS.iter().chain(&LOGON).find(|(status, _)| *status == code);
    let meaning = known.map_or(String::new(), |(_, meaning)| format!(": {meaning}"));
    format!("last result 0x{code:08X}{meaning}")
}
