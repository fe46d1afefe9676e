//! Windows: accounts and rights, through programs of the system. Compiles
//! everywhere; runs what it runs through [`Commands`].

pub mod account_tools;
pub mod elevation;
pub mod inventory;
pub mod job_tools;
pub mod powershell;
pub mod registry;
pub mod rights;
pub mod state_folder;

use super::command::{Call, Commands};

/// Where Windows says what kind of Windows it is.
const PRODUCT: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions";

/// Whether Credential Guard runs; where Windows does not say, as none does before 10, it does not.
pub fn has_credential_guard(commands: &dyn Commands) -> bool {
    let script = "\"$(@((Get-CimInstance Win32_DeviceGuard -Namespace root\\Microsoft\\Windows\\\
                  DeviceGuard).SecurityServicesRunning) -contains 1)\"";
    powershell::run(commands, script).is_ok_and(|answer| answer.trim() == "True")
}

/// Whether this host is a domain controller, which has no local accounts.
pub fn is_domain_controller(commands: &dyn Commands) -> bool {
    let call = Call::new("reg", ["query", PRODUCT, "/v", "ProductType"]);
    commands.answer(&call).is_ok_and(|answer| answer.stdout.contains("LanmanNT"))
}
