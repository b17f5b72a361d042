"""
measure - one measurement of one server: a round of load, its system calls, its idle memory.

CPU is that of all the server's threads while the load ran, its connections' coming included.
"""

import contextlib
import json
import math
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass

import process
from servers import Failed, find

WRK_SCRIPT = f"{os.path.dirname(os.path.abspath(__file__))}/wrk.lua"
WRK_THREADS = 2
# Source addresses of a connection a request: some servers leave the client in TIME_WAIT.
SOURCES = 16
# Beyond its time, until a load that does not end is ended.
SPARE_SECONDS = 20
SHARE = 0.7
CALLS = ("recvfrom recvmsg read readv pread64 sendto sendmsg sendfile64 write writev epoll_wait "
         "epoll_pwait epoll_ctl accept4 accept close openat openat2 newfstatat fstat fcntl "
         "setsockopt shutdown").split()


@dataclass
class Round:
    """What one load has shown. Times in us; cpu_us is a request's."""
    requests: int
    rate: float
    p50: float
    p99: float
    p999: float
    lost: int
    unsent: int = 0         # due in an open loop, and every client was busy until the end
    cpu_us: float = 0.0


def run(arguments, seconds):
    try:
        return subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=seconds + SPARE_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failed(f"not over {SPARE_SECONDS} s after its time: {' '.join(arguments)}") from None


# ---- loads ------------------------------------------------------------------------------------


def fields_of(work, server):
    """The fields to send, with the server's own ETag where one is needed."""
    if not any("{etag}" in field for field in work.fields):
        return list(work.fields)
    _, head, _ = ask(server, work.path, ())
    found = re.search(rb"\r\netag: *([^\r]+)", head, re.I)
    etag = found.group(1).decode() if found else '"none"'
    return [field.format(etag=etag) for field in work.fields]


def ask(server, path, fields):
    """One answer: its status, its head, its body."""
    request = "".join(f"{line}\r\n" for line in
                      (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *fields, "Connection: close", ""))
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=SPARE_SECONDS) as client:
            client.sendall(request.encode())
            return read_answer(client)
    except OSError as failure:
        raise Failed(f"{server.name} does not answer {path}: {failure}{server.words()}") from None


def read_answer(client):
    """Up to its end and no further: a server may reset what it has answered."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += receive(client)
    head, _, body = got.partition(b"\r\n\r\n")
    status = int(head.split(None, 2)[1])
    found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
    length = int(found.group(1)) if found and status != 304 else 0
    parts, missing = [body], length - len(body)
    while missing > 0:
        parts.append(receive(client))
        missing -= len(parts[-1])
    return status, head, b"".join(parts)


def receive(client):
    some = client.recv(1 << 16)
    if not some:
        raise ConnectionError("the connection ended before its answer")
    return some


def check(server, work):
    """That it answers this work as it should, before it is measured."""
    wanted = wanted_status(server, work)
    body_bytes = work.floor_bytes if server.body is not None else work.body
    status, _, body = ask(server, work.path, fields_of(work, server))
    if status != wanted or body_bytes not in (None, len(body)):
        raise Failed(f"{server.name} answers {work.name} with {status} and {len(body)} bytes, not "
                     f"{wanted} and {body_bytes}{server.words()}")


def wanted_status(server, work):
    """The floor has one answer to all."""
    return work.status if server.body is None else 200


def wrk(server, work, clients, seconds):
    """As fast as it answers. wrk knows whole seconds only, and ends well at SIGINT."""
    fields = [word for field in fields_of(work, server) for word in ("-H", field)]
    load = subprocess.Popen(
        [find("wrk"), "-t", str(min(WRK_THREADS, clients)), "-c", str(clients), "-d",
         f"{math.ceil(seconds) + SPARE_SECONDS // 2}s", "--timeout", "5s", "-s", WRK_SCRIPT, *fields,
         server.url(work.path), "--", str(work.depth)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        time.sleep(seconds)
        # one that comes before it has its handler is lost
        while not process.wait(0.25, lambda: load.poll() is not None):
            load.send_signal(signal.SIGINT)
        said = load.stdout.read()
    finally:
        load.kill()
        load.communicate()
    return round_of_wrk(said, work)


def round_of_wrk(said, work):
    lines = [line for line in said.splitlines() if line.startswith("{")]
    if not lines:
        raise Failed(f"wrk says: {said.strip()}")
    found = json.loads(lines[-1].replace("nan", "0"))
    seconds = found["duration_us"] / 1e6
    lost = found["lost"] + (found["refused"] if work.status < 400 else 0)
    return Round(found["requests"], found["requests"] / seconds if seconds else 0, found["p50"],
                 found["p99"], found["p999"], lost)


def drover_load(server, work, clients, seconds, build, rate=None):
    """As fast as it answers, or at a steady rate, whose latency counts from when each was due."""
    fields = [word for field in fields_of(work, server) for word in ("--field", field)]
    did = run([f"{build}/drover-load", "--json", "--quiet", "--max-lost", str(1 << 40), "--clients",
               str(clients), "--duration", f"{max(1, round(seconds * 1000))}ms", "--expect-status",
               str(wanted_status(server, work)), *fields,
               *(["--close", "--sources", str(SOURCES)] if work.close else []),
               *(["--pipeline", str(work.depth)] if work.depth > 1 else []),
               *(["--rate", str(max(1, round(rate)))] if rate else []), server.url(work.path)],
              seconds)
    if did.returncode != 0:
        raise Failed(f"drover-load against {server.name}: {did.stderr.strip()}{server.words()}")
    found = json.loads(did.stdout)
    latency = found["latency_us"]
    return Round(found["answered"], found["rate"], latency["p50"] or 0, latency["p99"] or 0,
                 latency["p999"] or 0, found["lost"] + found["local"], found["unsent"])


def closed(server, work, clients, seconds, build):
    """One round of a closed loop. One that was over before the clients had an answer each says
    nothing: it is taken again, for twice as long, up to four times."""
    for _ in range(4):
        found = closed_once(server, work, clients, seconds, build)
        if found.requests >= clients:
            break
        seconds *= 2
    return found


def closed_once(server, work, clients, seconds, build):
    """And the CPU that it took."""
    before = process.cpu_ns(server.pids())
    if work.close:
        found = drover_load(server, work, clients, seconds, build)
    else:
        found = wrk(server, work, clients, seconds)
    took = process.cpu_ns(server.pids()) - before
    found.cpu_us = took / 1000 / max(1, found.requests)
    return found


def opened(server, work, clients, seconds, build, rate):
    return drover_load(server, work, clients, seconds, build, rate)


# ---- system calls -----------------------------------------------------------------------------


def can_count_in_kernel():
    """perf counts without slowing the server, but needs a privilege."""
    perf = find("perf")
    return bool(perf) and run([perf, "stat", "-x,", "-e", "raw_syscalls:sys_enter", "true"],
                              5).returncode == 0


def calls(server, work, clients, seconds, options):
    """
    System calls a request: a dict by name, and `all`; and what counted them. An empty dict where
    neither may look at the server.
    """
    load = [f"{options.build}/drover-load", "--json", "--quiet", "--clients", str(clients),
            "--duration", f"{max(1, round(seconds * 1000))}ms", server.url(work.path)]
    count = count_by_perf if can_count_in_kernel() else count_by_strace
    said, counts = count(server, load, seconds)
    requests = max(1, json.loads(said)["answered"])
    return {name: n / requests for name, n in sorted(counts.items(), key=lambda item: -item[1])}, \
        "perf" if count is count_by_perf else "strace"


def count_by_perf(server, load, seconds):
    """It runs the load itself, and counts the server meanwhile."""
    events = ",".join(["raw_syscalls:sys_enter",
                       *(f"syscalls:sys_enter_{name}" for name in known_calls())])
    with tempfile.NamedTemporaryFile("r") as out:
        said = run([find("perf"), "stat", "-x,", "-o", out.name, "-e", events, "-p",
                    ",".join(map(str, server.pids())), "--", *load], seconds).stdout
        counts = {}
        for line in out:
            found = re.match(r"(\d+),,\w+:sys_enter_?(\w*)", line)
            if found and int(found.group(1)):
                counts[found.group(2) or "all"] = int(found.group(1))
    return said, counts


def known_calls():
    """Those of CALLS that this kernel has an event for."""
    for root in "/sys/kernel/tracing", "/sys/kernel/debug/tracing":
        found = [name for name in CALLS
                 if os.path.isdir(f"{root}/events/syscalls/sys_enter_{name}")]
        if found:
            return found
    return []


def count_by_strace(server, load, seconds):
    """It stops the server at each call, which makes larger batches of what waits for it."""
    with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("r+") as log:
        attach = [word for pid in server.pids() for word in ("-p", str(pid))]
        strace = subprocess.Popen([find("strace"), "-c", "-f", "-o", out.name, *attach],
                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            process.wait(5, lambda: process.read(log.name).count("attached") >= len(attach) // 2)
            said = run(load, seconds).stdout
            strace.send_signal(signal.SIGINT)
            strace.wait(SPARE_SECONDS)
        finally:
            strace.kill()
            strace.wait()
        counts = {}
        for line in out:
            found = re.match(r" *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", line)
            if found:
                counts[found.group(2)] = int(found.group(1))
    total = counts.pop("total", 0)
    return said, {"all": total, **counts} if total else {}


# ---- idle memory ------------------------------------------------------------------------------


def raise_descriptors():
    """As many as the hard limit lets, for the servers too; that number."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def settled_memory(server):
    """Its memory once two looks see the same, or after a second."""
    last, deadline = -1, time.monotonic() + 1
    while (now := process.own_memory(server.pids())) != last and time.monotonic() < deadline:
        last = now
        time.sleep(0.1)
    return now


def is_open(client):
    client.setblocking(False)
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def connect(stack, server, work, count):
    """That many clients, each with one answer."""
    request = f"GET {work.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    clients = []
    for _ in range(count):
        client = stack.enter_context(socket.socket())
        client.settimeout(SPARE_SECONDS)
        try:
            client.connect(("127.0.0.1", server.port))
            client.sendall(request)
            read_answer(client)
        except OSError as failure:
            raise Failed(f"{server.name} has {len(clients)} connections, and no answer for the next: "
                         f"{failure}{server.words()}") from None
        clients.append(client)
    return clients


def idle(server, work, count):
    """
    Bytes of the server's own memory for each of so many connections, and how many of them it kept.
    What its first connections make it allocate for all is not counted.
    """
    with contextlib.ExitStack() as stack:
        connect(stack, server, work, 64)
    before = settled_memory(server)
    with contextlib.ExitStack() as stack:
        clients = connect(stack, server, work, count)
        after = settled_memory(server)
        kept = sum(map(is_open, clients))
    return (after - before) / count, kept
