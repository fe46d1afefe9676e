#!/usr/bin/env python3
"""Reads the header of a Mac program and says what a Mac would hold against it.

    ci/macho.py arm64|x86_64 FILE…
    ci/macho.py --spoil page|oldest FROM TO

What the kernel and dyld check before the first instruction: processor, kind of file, the oldest
macOS, libraries that every Mac has, segments that lie within the file, and of the signature the
hash of each page. Ends with 1 at the first thing that would not run. `--spoil` makes a copy with a
changed page or another oldest macOS, to see that such a thing is found out.
"""

import hashlib
import struct
import sys

import lief

lief.logging.disable()

OLDEST = (11, 0)
SIGNATURE, DIRECTORY = 0xFADE0CC0, 0xFADE0C02


def refuse(why):
    sys.exit(f"ci/macho.py: {why}")


def oldest(binary):
    command = binary.build_version or binary.version_min
    version = command.minos if binary.build_version else command.version
    return tuple(version[:2])


def pages(file, data, signature):
    """How many pages the signature's code directory covers; all but the signature itself."""
    blob = data[signature.data_offset : signature.data_offset + signature.data_size]
    magic, _, count = struct.unpack_from(">III", blob)
    if magic != SIGNATURE:
        refuse(f"{file}: what is to be the signature begins with {magic:#x}")
    starts = [struct.unpack_from(">II", blob, 12 + 8 * slot)[1] for slot in range(count)]
    start = next(at for at in starts if struct.unpack_from(">I", blob, at)[0] == DIRECTORY)
    _, _, _, _, hashes, _, _, slots, limit, size, kind, _, log = struct.unpack_from(">IIIIIIIIIBBBB", blob, start)
    if (size, kind) != (32, 2):
        refuse(f"{file}: its pages are not hashed with SHA-256")
    if limit != signature.data_offset or slots != -(-limit >> log):
        refuse(f"{file}: the signature covers {limit} bytes of {signature.data_offset}")
    for slot in range(slots):
        page = data[slot << log : min((slot + 1) << log, limit)]
        at = start + hashes + size * slot
        if hashlib.sha256(page).digest() != blob[at : at + size]:
            refuse(f"{file}: page {slot} was changed after it was signed")
    return slots


def examine(cpu, file):
    binary = lief.MachO.parse(file).at(0)
    with open(file, "rb") as opened:
        data = opened.read()
    found = binary.header.cpu_type.name.lower()
    if found != cpu:
        refuse(f"{file}: for {found}")
    if binary.header.file_type.name != "EXECUTE" or not binary.is_pie:
        refuse(f"{file}: no program that can stand anywhere in memory")
    if not (binary.has_main_command and binary.has_dylinker and binary.dylinker.name == "/usr/lib/dyld"):
        refuse(f"{file}: no entry point, or another loader than Apple's")
    for segment in binary.segments:
        if segment.file_offset + segment.file_size > len(data):
            refuse(f"{file}: {segment.name} ends behind the file")
    if oldest(binary) != OLDEST:
        refuse(f"{file}: needs macOS {oldest(binary)}")
    libraries = [library.name for library in binary.libraries]
    strangers = [name for name in libraries if not name.startswith(("/usr/lib/", "/System/Library/"))]
    if strangers:
        refuse(f"{file}: needs {strangers}")
    if not binary.has_code_signature:
        refuse(f"{file}: not signed")
    count = pages(file, data, binary.code_signature)
    commands = len(list(binary.commands))
    return (
        f"Mach-O for {cpu}: {commands} load commands, macOS 11.0 and later, "
        f"{len(libraries)} libraries of the system, signed ad hoc, each of {count} pages as signed"
    )


def spoil(what, source, target):
    binary = lief.MachO.parse(source).at(0)
    with open(source, "rb") as opened:
        data = bytearray(opened.read())
    if what == "page":
        # In the middle of the code.
        text = binary.get_segment("__TEXT")
        data[text.file_offset + text.file_size // 2] ^= 1
    else:
        command = binary.build_version or binary.version_min
        at = command.command_offset + (12 if binary.build_version else 8)
        struct.pack_into("<I", data, at, 14 << 16)
    with open(target, "wb") as opened:
        opened.write(data)


if sys.argv[1] == "--spoil":
    spoil(*sys.argv[2:])
else:
    for file in sys.argv[2:]:
        print(examine(sys.argv[1], file))
