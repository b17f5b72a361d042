"""strace - counts the system calls of workers while they serve.

One client at a time is exact, by difference. With many, the calls of a turn of the loop are shared
by the requests that it finds, and how many it finds has to do with who is faster; a worker that is
traced is slow. So there each wait for events is held back until all clients have asked again: the
figure has what a request costs and what a turn does, shared by all.
"""

import os
import select
import signal
import subprocess
import tempfile
import time

from guarding import client, server

FEWER_ROUNDS = 16
ROUNDS = 128
CLIENTS = 64
CLIENT_ROUNDS = 50
HOLD_BACK = "inject=epoll_wait,epoll_pwait,?epoll_pwait2:delay_enter=10000"  # microseconds
ATTACH_SECONDS = 10


def is_traced(pid):
    return "TracerPid:\t0\n" not in server.read(f"/proc/{pid}/status")


def sum_up(text):
    """Of the table of strace -c: percentage, seconds, usecs/call, calls, errors if any, name."""
    total = 0
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 5 and words[0][0].isdigit() and words[-1] != "total":
            total += int(words[3])
    return total


def count(workers, action, *options):
    """System calls of these while the action goes on, and a few for the tracing itself."""
    with tempfile.TemporaryDirectory(prefix="guard.") as folder:
        table = os.path.join(folder, "table")
        pids = [word for pid in workers for word in ("-p", str(pid))]
        tracer = subprocess.Popen(["strace", "-c", "-o", table, *options, *pids],
                                  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            deadline = time.monotonic() + ATTACH_SECONDS
            while not all(is_traced(pid) for pid in workers):
                if tracer.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("guard: strace cannot attach")
                time.sleep(0.001)
            for pid in workers:
                client.settle(pid)
            action()
        finally:
            if tracer.poll() is None:
                tracer.send_signal(signal.SIGINT)
            said = tracer.communicate()[1].decode(errors="replace")
        total = sum_up(server.read(table))
    if total == 0:
        raise SystemExit(f"guard: strace has counted nothing\n{said}")
    return total


def of_kind(at, kind, request):
    """A request's, exactly."""
    with client.Client(at, kind, request) as one:
        one.rounds(FEWER_ROUNDS)
        fewer = count(at.workers, lambda: one.rounds(FEWER_ROUNDS))
        more = count(at.workers, lambda: one.rounds(FEWER_ROUNDS + ROUNDS))
    a_round = round((more - fewer) / ROUNDS, 1)  # without the few of the tracing itself
    return round(a_round / kind.requests, 3)


def crowd(address, kind, request, rounds):
    """As many clients at once: a generator, which has them connected and asked once at first."""
    socks = [client.connect(address) for _ in range(CLIENTS)]
    by_number = {s.fileno(): (s, client.Answers(s, kind)) for s in socks}
    poll = select.epoll()
    try:
        for s in socks:
            poll.register(s, select.EPOLLIN)
        for turns in (1, rounds):
            left = dict.fromkeys(by_number, turns)
            for s in socks:
                s.sendall(request)
            while left:
                events = poll.poll(client.ANSWER_SECONDS)
                if not events:
                    raise client.Refused("no answer comes")
                for number, _ in events:
                    s, answers = by_number[number]
                    answers.take()
                    left[number] -= 1
                    if left[number]:
                        s.sendall(request)
                    else:
                        del left[number]
            yield
    finally:
        poll.close()
        for s in socks:
            s.close()


def of_many(at, kind, request):
    """A request's, with 64 clients."""
    clients = crowd(at.address, kind, request, CLIENT_ROUNDS)
    next(clients)
    total = count(at.workers, lambda: next(clients), "-e", HOLD_BACK)
    clients.close()
    return round(total / (CLIENTS * CLIENT_ROUNDS), 2)
