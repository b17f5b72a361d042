"""memory - what a worker's own memory grows by for each connection that is kept idle."""

import resource

from guarding import client, server

CONNECTIONS = 8000
SPARE_FDS = 200


def private_bytes(pid):
    for line in server.read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"guard: /proc/{pid}/smaps_rollup has no Private_Dirty")


def raise_limit():
    """For the clients here; a server started later has it, too."""
    need = CONNECTIONS + SPARE_FDS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < need:
        if hard != resource.RLIM_INFINITY and hard < need:
            raise SystemExit(f"guard: needs {need} descriptors, and may have {hard} (ulimit -Hn)")
        resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))


def of_idle_connection(at, kind, request):
    """Each has had one answer."""
    worker = at.workers[0]
    kept = []

    def keep_one():
        sock = client.connect(at.address)
        kept.append(sock)
        sock.sendall(request)
        client.Answers(sock, kind).take()

    try:
        keep_one()
        client.settle(worker)
        before = private_bytes(worker)
        for _ in range(CONNECTIONS):
            keep_one()
        client.settle(worker)
        return round((private_bytes(worker) - before) / CONNECTIONS)
    finally:
        for sock in kept:
            sock.close()
