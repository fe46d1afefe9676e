"""Checks a task definition by the rules of [MS-TSCH] 2.5, the published schema, version 1.2.

Written by hand from the schema: names, order, values. Ends with an error that says what is wrong.
"""

import re
import sys
import xml.etree.ElementTree as tree

SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
DURATION = r"P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?"
BOOLEAN = "true|false"

# Element: children in their order, or a pattern for its text. Where the schema says "all", any
# order goes: those are marked with "any".
RULES = {
    "Task": ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"],
    "RegistrationInfo": ["any", "Author", "Description", "Date", "URI", "Version"],
    "Author": ".+",
    "Description": ".+",
    # A choice, any number of times.
    "Triggers": ["any", "BootTrigger", "LogonTrigger", "TimeTrigger"],
    # triggerBaseType, then bootTriggerType.
    "BootTrigger": ["Repetition", "StartBoundary", "EndBoundary", "ExecutionTimeLimit", "Enabled", "Delay"],
    # triggerBaseType, then logonTriggerType.
    "LogonTrigger": ["Repetition", "StartBoundary", "EndBoundary", "ExecutionTimeLimit", "Enabled", "UserId", "Delay"],
    # triggerBaseType, then timeTriggerType, whose beginning the schema asks for.
    "TimeTrigger": ["Repetition", "StartBoundary", "EndBoundary", "ExecutionTimeLimit", "Enabled", "RandomDelay"],
    "StartBoundary": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
    "Repetition": ["any", "Interval", "Duration", "StopAtDurationEnd"],
    "StopAtDurationEnd": BOOLEAN,
    "Principals": ["Principal"],
    "Principal": ["any", "UserId", "LogonType", "GroupId", "DisplayName", "RunLevel"],
    "UserId": ".+",
    "LogonType": "S4U|Password|InteractiveToken|InteractiveTokenOrPassword",
    "RunLevel": "LeastPrivilege|HighestAvailable",
    "Settings": ["any", "MultipleInstancesPolicy", "DisallowStartIfOnBatteries",
                 "StopIfGoingOnBatteries", "AllowHardTerminate", "StartWhenAvailable",
                 "RunOnlyIfNetworkAvailable", "AllowStartOnDemand", "Enabled", "Hidden",
                 "RunOnlyIfIdle", "ExecutionTimeLimit", "Priority", "RestartOnFailure", "WakeToRun",
                 "DeleteExpiredTaskAfter", "IdleSettings", "NetworkSettings"],
    "MultipleInstancesPolicy": "Parallel|Queue|IgnoreNew|StopExisting",
    "Priority": "[0-9]|10",
    "RestartOnFailure": ["any", "Interval", "Count"],
    "Interval": DURATION,
    "ExecutionTimeLimit": DURATION,
    # unsignedByte.
    "Count": "[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]",
    "Actions": ["Exec"],
    "Exec": ["Command", "Arguments", "WorkingDirectory"],
    "Command": ".+",
    "Arguments": ".+",
    "WorkingDirectory": "[^\"]+",
}


def check(element):
    name = element.tag.removeprefix(SPACE)
    rule = RULES.get(name, BOOLEAN)
    children = [child.tag.removeprefix(SPACE) for child in element]
    if isinstance(rule, str):
        text = element.text or ""
        assert not children, f"{name} has children"
        assert re.fullmatch(rule, text), f"{name}: {text!r} is not {rule}"
        return
    assert all(child.tag.startswith(SPACE) for child in element), f"{name}: another name space"
    unknown = [child for child in children if child not in rule]
    assert not unknown, f"{name} may not hold {unknown}"
    assert len(set(children)) == len(children), f"{name} holds one thing twice: {children}"
    if rule[0] != "any":
        assert children == sorted(children, key=rule.index), f"{name}: order {children}"
    for child in element:
        check(child)


root = tree.parse(sys.argv[1]).getroot()
assert root.tag == SPACE + "Task" and root.get("version") == "1.2"
check(root)
# Not of the schema, and yet wanted: a repetition has at least a minute, the context a principal.
principals = {own.get("id") for own in root.iter(SPACE + "Principal")}
assert root.find(SPACE + "Actions").get("Context") in principals
