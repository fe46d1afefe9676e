//! The WinHTTP proxy of Windows, which the agent does not read.

use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict},
    host::{Install, Survey, Unseen},
};

pub(super) const HEEDED: Check = Check {
    name: "connectivity/winhttp-proxy-given",
    holds: "The agent has the proxy that Windows uses",
    why: "The agent does not use the WinHTTP proxy, which an administrator sets for the whole \
          host; it reads only HTTPS_PROXY and similar variables.",
    found: "The doctor reads the WinHTTP proxy, and the variables of the task and of the machine.",
    cure: "Give the agent the proxy with `runnerup install --proxy`, or with a variable of the \
           machine.",
    after: &[],
    judge: Judge::Agent(heeded),
};

fn heeded(survey: &Survey, install: &Install) -> Judged {
    let windows = survey.host.windows.as_ref();
    let windows = windows.ok_or_else(|| Unseen::not_applicable("only Windows has WinHTTP"))?;
    let Some(proxy) = &windows.winhttp_proxy else {
        return Err(Unseen::not_applicable("Windows has no WinHTTP proxy"));
    };
    let has = ["HTTPS_PROXY", "https_proxy"].iter().any(|name| install.variable(name).is_some());
    if has {
        return Ok(Verdict::Holds("HTTPS_PROXY is set for the agent".to_owned()));
    }
    Ok(Problem::warn("Windows has a proxy that the agent does not use")
        .seen(format!("WinHTTP proxy: {proxy}; HTTPS_PROXY of the agent is not set"))
        .cure(Remedy::by_hand(
            "If the agent needs the proxy, give it to the agent: runnerup install --proxy \
                 http://HOST:PORT.",
        ))
        .into())
}
