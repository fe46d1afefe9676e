"""Parses scripts of PowerShell, as the program sends them; ends with an error that shows what is wrong.

Run by ci/check-powershell, which has what it needs.
"""

import html
import pathlib
import re
import sys

import tree_sitter
import tree_sitter_powershell

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
SENT = "powershell -NoProfile -NonInteractive -Command "


def faults(script):
    """Where a script is none: the text from there on."""
    source = script.encode()
    tree = PARSER.parse(source)
    found, nodes = [], [tree.root_node]
    while nodes:
        node = nodes.pop()
        if node.type == "ERROR" or node.is_missing:
            found.append(source[node.start_byte : node.start_byte + 100].decode(errors="replace"))
        elif node.has_error:
            nodes.extend(node.children)
    return found


def sent(text):
    """The scripts in a list of calls, which has a line for each statement."""
    for call in re.split(r"\n(?=\S)", text):
        if call.startswith(SENT):
            yield re.sub(r";\n    ", "; ", call[len(SENT) :]).rstrip("\n")


def inner(script):
    """Scripts that a script starts: each a text of its own, with its quotes doubled."""
    for quoted in re.findall(r"WriteLine\('((?:[^']|'')*)'\)", script):
        yield quoted.replace("''", "'")


def all_scripts():
    """Each script with its name."""
    own = pathlib.Path("src/platform/windows/inventory.ps1")
    yield str(own), own.read_text()
    for file in sorted(pathlib.Path("tests/calls").glob("windows-*.txt")):
        text = file.read_text()
        scripts = text.splitlines() if file.name == "windows-cures.txt" else sent(text)
        for script in scripts:
            yield str(file), script
            for below in inner(script):
                yield f"{file}, started by a script", below
    for file in sorted(pathlib.Path("tests/plans").glob("windows-*.txt")):
        for arguments in re.findall(r"<Arguments>.*-Command &quot;(.*)&quot;</Arguments>", file.read_text()):
            yield str(file), html.unescape(arguments)


def main():
    scripts = dict.fromkeys(all_scripts())
    kinds = [sum(1 for name, _ in scripts if part in name) for part in ("install", "cures", "plans", "started")]
    if 0 in kinds:
        sys.exit(f"scripts were not found: {kinds}")
    wrong = [(name, fault) for name, script in scripts for fault in faults(script)]
    for name, fault in wrong:
        print(f"{name}: not PowerShell from here on: {fault}", file=sys.stderr)
    # A check that finds nothing in what is wrong finds nothing at all.
    for name, script in scripts:
        for planted in (script + " }", script + " '", "if (" + script):
            if not faults(planted):
                sys.exit(f"{name}: a planted error was not found in: {planted[:200]}")
    if wrong:
        sys.exit(f"{len(wrong)} of {len(scripts)} scripts are wrong")
    print(f"{len(scripts)} scripts of PowerShell are whole")


main()
