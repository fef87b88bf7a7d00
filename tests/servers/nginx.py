"""The real nginx, with servers as our docs show them."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.servers.waiting import until

__all__ = ["NGINX", "free_port", "nginx"]

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
"""The program; None: not installed."""

_OURS = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def nginx(folder: Path, servers: str, port: int) -> Iterator[str]:
    """nginx with these servers, one of which listens on the port. Yields its address; it ends with the block."""
    assert NGINX is not None
    config, log = folder / "nginx.conf", folder / "nginx.log"
    config.write_text(_OURS.format(folder=folder, servers=servers, user="user root;" if os.geteuid() == 0 else ""))
    with log.open("wb") as output:
        process = subprocess.Popen([NGINX, "-p", folder, "-c", config], stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port, process, log), 20, "nginx to listen")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
