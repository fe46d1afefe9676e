#!/usr/bin/env python3
"""Signs a Mac program ad hoc, as Apple's own linker does, unless it is signed already.

    ci/sign.py FILE…

zig signs what is for arm64, which runs nothing else, and leaves what is for x86_64 as it is. The
form is that of `cs_blobs.h` in Apple's kernel: a super blob with one code directory.
"""

import hashlib
import struct
import sys

SEGMENT_64, CODE_SIGNATURE = 0x19, 0x1D
PAGE = 4096
# Ad hoc, and by a linker.
FLAGS = 0x2 | 0x20000


def commands(data):
    count, size = struct.unpack_from("<II", data, 16)
    at = 32
    for _ in range(count):
        kind, length = struct.unpack_from("<II", data, at)
        yield kind, at
        at += length
    assert at == 32 + size, "the load commands do not add up"


def segment(data, wanted):
    for kind, at in commands(data):
        if kind == SEGMENT_64 and data[at + 8 : at + 24].rstrip(b"\0") == wanted:
            return at
    sys.exit(f"ci/sign.py: no segment {wanted.decode()}")


def directory(data, limit, text, name):
    """The code directory: what is signed, and the hash of each of its pages."""
    slots = -(-limit // PAGE)
    hashes = 88 + len(name)
    offset, size = struct.unpack_from("<QQ", data, text + 40)
    head = struct.pack(
        ">IIIIIIIIIBBBBIIIIQQQQ",
        *(0xFADE0C02, hashes + 32 * slots, 0x20400, FLAGS, hashes, 88, 0, slots, limit, 32, 2, 0, 12),
        *(0, 0, 0, 0, 0, offset, size, 1),
    )
    pages = (data[at : min(at + PAGE, limit)] for at in range(0, limit, PAGE))
    return head + name + b"".join(hashlib.sha256(page).digest() for page in pages)


def sign(file):
    with open(file, "rb") as opened:
        data = bytearray(opened.read())
    assert data[:4] == b"\xcf\xfa\xed\xfe", f"{file} is no thin 64-bit Mac program"
    if any(kind == CODE_SIGNATURE for kind, _ in commands(data)):
        return
    count, size = struct.unpack_from("<II", data, 16)
    end = 32 + size
    assert not any(data[end : end + 16]), f"{file} has no room for another load command"
    data.extend(bytes(-len(data) % 16))
    limit, name = len(data), b"runnerup\0"
    length = 20 + 88 + len(name) + 32 * -(-limit // PAGE)
    struct.pack_into("<II", data, 16, count + 1, size + 16)
    struct.pack_into("<IIII", data, end, CODE_SIGNATURE, 16, limit, length)
    edit = segment(data, b"__LINKEDIT")
    start = struct.unpack_from("<Q", data, edit + 40)[0]
    filled = limit + length - start
    struct.pack_into("<Q", data, edit + 32, -(-filled // PAGE) * PAGE)
    struct.pack_into("<Q", data, edit + 48, filled)
    blob = directory(data, limit, segment(data, b"__TEXT"), name)
    data += struct.pack(">IIIII", 0xFADE0CC0, 20 + len(blob), 1, 0, 20) + blob
    assert len(data) == limit + length
    with open(file, "wb") as opened:
        opened.write(data)


for file in sys.argv[1:]:
    sign(file)
