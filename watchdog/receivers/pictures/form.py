"""A form with a file, as browsers send it (multipart/form-data, RFC 7578).

In: fields, and one file. Out: the body and its content type; the same bytes each time, as the boundary is made of what stands in it.
"""

from collections.abc import Mapping
from hashlib import sha256

__all__ = ["form_with_file"]


def form_with_file(fields: Mapping[str, str], file: tuple[str, str, bytes]) -> tuple[bytes, str]:
    """`file`: the name of its field, its own name, its bytes (a PNG). Names are ours: ASCII without quotes."""
    field, name, content = file
    digest = sha256(content)
    for text in fields.values():
        digest.update(text.encode())
    boundary = f"watchdog-{digest.hexdigest()[:40]}"
    parts = [f'Content-Disposition: form-data; name="{each}"\r\n\r\n{text}'.encode() for each, text in fields.items()]
    parts.append(f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: image/png\r\n\r\n'.encode() + content)
    lines = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return lines + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
