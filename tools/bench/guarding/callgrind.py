"""callgrind - counts what a worker runs for a kind of requests: instructions, and calls.

The same is run with fewer and with more rounds, each time by a fresh server, and the difference
counts: start and end are not in it. It is exact to the instruction, but for what has to do with
time. Once a second the date is written anew and files are looked at again: so a count begins with a
second, and is made again when that was over before its end. And a worker tells a master that sleeps
that something happens, and is told things at its start: on a busy machine one such turn of its loop
more or less makes five instructions a request.

valgrind 3.19 has no openat2: what drover does without it is counted.
"""

import collections
import os
import re
import tempfile
import time

from guarding.client import Client
from guarding.server import Server, read

ROUNDS = 32, 160  # by the fewer all is warm
TRIES = 4  # then the figure is told as one that is not exact
SECOND_BEGUN = 0.01  # the kernel's coarse clock is late by up to a tick

ALLOCATE = {"malloc", "calloc", "realloc", "memalign", "aligned_alloc", "posix_memalign", "valloc"}


class Profile:
    """Of one process: instructions by (object, function), allocations by (caller, function)."""

    def __init__(self, path):
        self.own, self.allocations = collections.Counter(), collections.Counter()
        self.names = {}
        self.object = self.function = self.called = None
        self.times = 0  # of the call whose cost is on the next line
        with open(path, encoding="utf-8") as f:
            for line in f:
                self.take(line.rstrip("\n"))

    def name(self, space, text):
        """`(7) main` gives a name, `(7)` has it again."""
        number, named = re.match(r"\((\d+)\)(?: (.*))?$", text).groups()
        if named is not None:
            self.names[space, number] = named
        return self.names[space, number]

    def take(self, line):
        if line[:1] in "0123456789+-*" and line:
            if self.times:
                if self.called in ALLOCATE:
                    self.allocations[self.function, self.called] += self.times
                self.times = 0
            else:
                self.own[self.object, self.function] += int(line.split()[1])
            return
        key, _, text = line.partition("=")
        if key == "ob":
            self.object = self.name("ob", text)
        elif key == "fn":
            self.function = self.name("fn", text)
        elif key == "cob":
            self.name("ob", text)
        elif key == "cfn":
            self.called = self.name("fn", text)
        elif key == "calls":
            self.times = int(text.split()[0])


class Cost:
    """A request's, of a kind: the difference of two profiles."""

    def __init__(self, fewer, more, requests, is_exact):
        self.is_exact = is_exact
        self.own = {k: (n - fewer.own[k]) / requests for k, n in more.own.items()}
        self.allocated = {k: (n - fewer.allocations[k]) / requests
                          for k, n in more.allocations.items() if n > fewer.allocations[k]}

    def instructions(self, name=None):
        """Of one object, by its file's name, or of all."""
        return round(sum(cost for (path, _), cost in self.own.items()
                         if name is None or os.path.basename(path) == name), 1)

    def allocations(self):
        return round(sum(self.allocated.values()), 2)

    def who_allocates(self):
        return ", ".join(f"{count:g} {function} by {caller}"
                         for (caller, function), count in self.allocated.items())

    def costliest(self, count):
        found = sorted(self.own.items(), key=lambda item: -item[1])[:count]
        return [(function, os.path.basename(path), cost) for (path, function), cost in found]


def wait_for_second():
    now = time.time()
    time.sleep(1 + SECOND_BEGUN - now % 1)
    return int(now) + 1


def run(build, site, kind, request, rounds):
    """The profile of a worker that has so many rounds, and whether a second was enough for them."""
    with tempfile.TemporaryDirectory(prefix="guard.") as folder:
        under = ["valgrind", "--tool=callgrind", "--vgdb=no", "-q",
                 f"--callgrind-out-file={folder}/out.%p"]
        with Server(build, site, folder, app=kind.app, under=under) as server:
            second = wait_for_second()
            with Client(server, kind, request) as client:
                client.rounds(rounds)
            is_exact = int(time.time()) == second
            server.end_worker()
        try:
            return Profile(f"{folder}/out.{server.workers[0]}"), is_exact
        except OSError as e:
            raise SystemExit(f"guard: callgrind has counted nothing: {e}\n"
                             f"{read(server.log)}") from e


def run_in_a_second(build, site, kind, request, rounds):
    for _ in range(TRIES):
        profile, is_exact = run(build, site, kind, request, rounds)
        if is_exact:
            break
    return profile, is_exact


def cost(kind, fewer, more):
    """Of what run_in_a_second has returned for both ROUNDS."""
    requests = (ROUNDS[1] - ROUNDS[0]) * kind.requests
    return Cost(fewer[0], more[0], requests, fewer[1] and more[1])
