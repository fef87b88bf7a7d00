"""Forms as look-alikes of services read them: multipart/form-data, with what is wrong about it as an error; and the size of a PNG."""

import re
import struct
from dataclasses import dataclass

from tests.servers.receiver import Request

__all__ = ["File", "form_in", "png_size"]

_HEAD = re.compile(rb'Content-Disposition: form-data; name="([^"\r\n]+)"(?:; filename="([^"\r\n]+)"\r\nContent-Type: ([a-z/]+))?\Z')


@dataclass(frozen=True)
class File:
    """One file of a form."""

    name: str
    kind: str
    content: bytes


def form_in(request: Request) -> tuple[dict[str, str], dict[str, File]] | None:
    """The fields and the files of a form; None if the request is none. ValueError if it is written wrongly."""
    kind, _, boundary = request.headers.get("content-type", "").partition("; boundary=")
    if kind != "multipart/form-data":
        return None
    first, last = f"--{boundary}\r\n".encode(), f"\r\n--{boundary}--\r\n".encode()
    if not request.body.startswith(first) or not request.body.endswith(last):
        raise ValueError("a form without its boundary")
    fields, files = dict[str, str](), dict[str, File]()
    for part in request.body[len(first) : -len(last)].split(b"\r\n" + first):
        head, _, content = part.partition(b"\r\n\r\n")
        found = _HEAD.match(head)
        if found is None:
            raise ValueError(f"a part that cannot be read: {head[:80]!r}")
        if found[2] is None:
            fields[found[1].decode()] = content.decode()
        else:
            files[found[1].decode()] = File(found[2].decode(), found[3].decode(), content)
    return fields, files


def png_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG; None if it is none."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n") or b"IEND" not in content[-16:]:
        return None
    width, height = struct.unpack(">II", content[16:24])
    return int(width), int(height)
