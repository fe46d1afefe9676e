//! How a scheduled task last ended: its result codes, and what each one means.

use crate::host::ServiceState;

/// The scheduler's own results, and those of Windows that it passes on; what each one means.
const MEANINGS: [(u32, &str); 17] = [
    (0x0004_1300, "it is ready, and has not ended"),
    (0x0004_1301, "it runs"),
    (0x0004_1302, "it is disabled"),
    (0x0004_1303, "it has never run"),
    (0x0004_1306, "someone ended it"),
    (0x8004_130F, "the scheduler has no password for its account"),
    (0x8004_1315, "the task scheduler's service does not run"),
    (0x8004_131F, "it runs already"),
    (0x8007_0002, "its program, or a folder, is not there"),
    (0x8007_0003, "a folder on the way to its program is not there"),
    (0x8007_0005, "the account may not run its program"),
    (0x8007_00C1, "its file is no program for this system"),
    (0x8007_04DD, "its account was not logged on"),
    (0xC000_013A, "it was ended by Ctrl-C, a logoff or a shutdown"),
    (0xC000_0005, "the program broke: it reached for memory that is not its own"),
    (0xC000_0135, "a library of the program is not there"),
    (0xC000_0142, "the program could not be set up in its session"),
];

/// Results that say why the account could not log on.
pub(crate) const LOGON: [(u32, &str); 9] = [
    (0x8007_052E, "the password that the scheduler keeps is not the account's"),
    (0x8007_0533, "the account is disabled"),
    (0x8007_0701, "the account has expired"),
    (0x8007_0775, "the account is locked"),
    (0x8007_0532, "the account's password has expired"),
    (0x8007_0773, "the account's password has to be changed first"),
    (0x8007_0569, "the account lacks the right to log on as a batch job"),
    (0x8007_0534, "there is no such account"),
    (0x8004_1310, "there is no such account"),
];

/// A task's state in words.
pub(super) fn words(state: &ServiceState) -> String {
    let code = state.exit_status.unwrap_or_default().cast_unsigned();
    format!("{}, {}", state.sub, last(code))
}

/// The last result of a task in words.
pub(crate) fn last(code: u32) -> String {
    let known = MEANINGS.iter().chain(&LOGON).find(|(own, _)| *own == code);
    let meaning = known.map_or(String::new(), |(_, meaning)| format!(": {meaning}"));
    format!("last result 0x{code:08X}{meaning}")
}
