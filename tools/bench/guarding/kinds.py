"""kinds - what is asked of the server: the recorded requests, and what their answers must be."""

import dataclasses
import os
import time

MODIFIED = 1704067200  # Mon, 01 Jan 2024 00:00:00 GMT, as requests/304.http has it
SETTLED_SECONDS = 4
FILES = {"1k.html": 1024, "100k.html": 100 * 1024}


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str  # requests/NAME.http has its bytes
    told: str
    status: int = 200
    length: int = 1024  # bytes of an answer's body; None: whatever it is
    app: str = "static"
    requests: int = 1  # in the file: they are sent at once
    closes: bool = False  # the server ends the connection behind the answer


KINDS = [
    Kind("keep", "1 KiB on a kept connection, as wrk asks"),
    Kind("browser", "the same as a browser asks: 20 fields"),
    Kind("pipelined", "the same, 16 at once", requests=16),
    Kind("connection", "the same, a connection a request", closes=True),
    Kind("304", "not modified", status=304, length=0),
    Kind("404", "no such file", status=404, length=None),
    Kind("range", "256 bytes of the file", status=206, length=256),
    Kind("100k", "100 KiB", length=100 * 1024),
    Kind("hello", "an application's six bytes", app="hello", length=6),
    Kind("echo", "1 KiB sent and had back", app="echo"),
]


def read_request(folder, kind):
    path = os.path.join(folder, f"{kind.name}.http")
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError as e:
        raise SystemExit(f"guard: {path}: {e.strerror}") from e


def make_site(folder):
    """The times are fixed, since they are in the answers. What is there is left as it is."""
    os.makedirs(folder, exist_ok=True)
    for name, size in FILES.items():
        path = os.path.join(folder, name)
        if os.path.exists(path) and (os.path.getmtime(path), os.path.getsize(path)) == (MODIFIED,
                                                                                       size):
            continue
        with open(path, "wb") as f:
            f.write(b"a" * size)
        os.utime(path, (MODIFIED, MODIFIED))
    if os.path.getmtime(folder) != MODIFIED:
        os.utime(folder, (MODIFIED, MODIFIED))


def wait_until_settled(folder):
    """A server may treat what has just changed in another way: that is not what is measured."""
    changed = max(os.stat(os.path.join(folder, name)).st_ctime for name in FILES)
    time.sleep(max(0, changed + SETTLED_SECONDS - time.time()))
