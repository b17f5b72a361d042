"""
works - what the servers are asked to do.

A request work is a row of REQUESTS: one kind of request, measured for each number of clients. The
others (OTHERS) have a measurement of their own, in measure.py.
"""

import os
import random
import time
from dataclasses import dataclass, field

KIB, MIB = 1024, 1024 * 1024
DEPTH = 16
MISSING = "/none.bin"
# What a page that says "not found" is long, for the floor's sake: nginx's has 153 bytes.
NOT_FOUND_BYTES = 150
MANY = 1000


@dataclass(frozen=True)
class Work:
    name: str
    title: str
    path: str = "/1k.bin"
    body: int = KIB          # bytes of the right answer's body; None: whatever the server says
    status: int = 200
    fields: tuple = ()       # "{etag}" is what the server said of the file
    depth: int = 1           # requests under way on a connection
    close: bool = False      # a connection a request
    most_clients: int = MANY * 10
    longer: int = 1          # a round is that many times as long
    aimed: tuple = field(default=())  # numbers of clients for which an aim is set: more rounds

    @property
    def floor_bytes(self):
        """How long a body the floor sends for it: as long as the servers do."""
        return NOT_FOUND_BYTES if self.body is None else self.body


REQUESTS = {work.name: work for work in (
    Work("1k", "1 KiB, kept connections", aimed=(64,)),
    Work("pipelined", f"1 KiB, pipelined by {DEPTH}", depth=DEPTH, aimed=(64,)),
    Work("connection", "1 KiB, a connection a request", close=True, aimed=(64,)),
    Work("100k", "100 KiB", "/100k.bin", 100 * KIB, aimed=(64,)),
    # 1,000 clients at 10 MiB would not have one answer each in a round.
    Work("10m", "10 MiB", "/10m.bin", 10 * MIB, most_clients=100, longer=2, aimed=(64,)),
    Work("304", "304: If-None-Match with the server's own ETag", body=0, status=304,
         fields=("If-None-Match: {etag}",)),
    Work("404", "404", MISSING, None, 404),
    Work("range", "206: bytes=0-99 of 100 KiB", "/100k.bin", 100, 206,
         fields=("Range: bytes=0-99",)),
)}

OTHERS = {
    "load": "1 KiB, 64 clients, open loop: latency at 70 % load",
    "calls": "1 KiB, 64 clients: system calls a request",
    "idle": "memory of idle kept connections, each of which has had one answer of 1 KiB",
}

NAMES = [*REQUESTS, *OTHERS]
QUICK = ["1k", "pipelined", "connection", "100k", "10m", *OTHERS]


# A file that was changed a moment ago may change again within the same tick of its time stamp, so
# what keeps contents rightly distrusts it (drover for 2 s, by ctime, which nobody can set back).
SETTLED_SECONDS = 4


def files():
    """(name, bytes) of all that is served."""
    sizes = {work.floor_bytes for work in REQUESTS.values()}
    return [("1k.bin", KIB), ("100k.bin", 100 * KIB), ("10m.bin", 10 * MIB),
            *((f"{size}.floor", size) for size in sorted(sizes))]


def make_site(folder):
    """
    The files that are served; those that are there from an earlier run stay, since they have settled.
    Random bytes, so that no server gains by their sameness.
    """
    os.makedirs(folder, exist_ok=True)
    for name, size in files():
        path = f"{folder}/{name}"
        if not os.path.exists(path) or os.path.getsize(path) != size:
            with open(f"{path}.{os.getpid()}", "wb") as f:
                f.write(random.Random(size).randbytes(size))
            os.rename(f"{path}.{os.getpid()}", path)
    youngest = max(os.stat(f"{folder}/{name}").st_ctime for name, _ in files())
    time.sleep(max(0.0, min(SETTLED_SECONDS, youngest + SETTLED_SECONDS - time.time())))
