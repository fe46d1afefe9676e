//! The proxy that Windows keeps for its own services.

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
        return Err(Unseen::not_applicable("Windows uses no proxy"));
    };
    let has = ["HTTPS_PROXY", "https_proxy"].iter().any(|name| install.variable(name).is_some());
    if has {
        return Ok(Verdict::Holds("it has one of its own".to_owned()));
    }
    Ok(Problem::warn("Windows uses a proxy that the agent knows nothing of")
        .seen(format!("WinHTTP: {proxy}; the agent has no HTTPS_PROXY"))
        .cure(Remedy::by_hand(
            "Give the agent the same, where it cannot do without: runnerup install --proxy \
                 http://HOST:PORT.",
        ))
        .into())
}
