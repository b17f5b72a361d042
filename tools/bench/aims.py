"""
aims - what a run must reach, and what it has seen of it. The rows are the aims that cost and speed
have; each is a ratio within the run.
"""

from dataclasses import dataclass

CLIENTS = 64


@dataclass
class Aim:
    words: str
    bound: float
    seen: float | None          # None: this run has not measured it
    least: bool = False         # the bound is the least, else the most
    unit: str = ""
    beside: str = ""            # what it was compared with

    @property
    def met(self):
        if self.seen is None:
            return None
        return self.seen >= self.bound if self.least else self.seen <= self.bound


def row_of(results, work, server):
    """Drover's or the floor's own; None where it was not measured."""
    rows = [row for row in results.rows if (row.work, row.clients, row.server) ==
            (work, CLIENTS, server)]
    return rows[0] if rows else None


def peers_of(results, work):
    return [row for row in results.rows if (row.work, row.clients) == (work, CLIENTS) and row.peer]


def cpu_ratio(results, work, to, to_work=None):
    """Drover's CPU a request to another's, round by round where both are of the same work."""
    ours, theirs = row_of(results, work, "drover"), row_of(results, to_work or work, to)
    if not ours or not theirs:
        return None
    return ours.cpu.median / theirs.cpu.median if to_work else ours.ratio_to(theirs).median


def best_peer_cpu(results, work):
    """(ratio, name) to the peer that needs least."""
    ours, peers = row_of(results, work, "drover"), peers_of(results, work)
    if not ours or not peers:
        return None, ""
    best = min(peers, key=lambda row: row.cpu.median)
    return ours.ratio_to(best).median, best.label


def best_peer_rate(results, work):
    ours, peers = row_of(results, work, "drover"), peers_of(results, work)
    if not ours or not peers:
        return None, ""
    best = max(peers, key=lambda row: row.rate.median)
    return ours.rate.median / best.rate.median, best.label


def tail(results):
    """p99.9 at the common rate, to the best peer's."""
    ours = [load for load in results.load if load.server == "drover"]
    peers = [load for load in results.load if load.peer]
    if not ours or not peers:
        return None, ""
    best = min(peers, key=lambda load: load.common.p999.median)
    return ours[0].common.p999.median / max(1, best.common.p999.median), best.server


def aims(results):
    calls = {found.server: found.calls["all"] for found in results.calls}
    idle = {found.server: found.bytes for found in results.idle}

    def beside(words, bound, found, least=False):
        return Aim(words, bound, found[0], least, beside=found[1])

    return [
        Aim("1 KiB kept, CPU to the floor's", 1.03, cpu_ratio(results, "1k", "floor")),
        Aim("1 KiB kept, CPU to the bare loop's", 0.90, cpu_ratio(results, "1k", "bare")),
        beside("1 KiB kept, CPU to the best peer's", 1.00, best_peer_cpu(results, "1k")),
        Aim("1 KiB kept, CPU to nginx's", 0.60, cpu_ratio(results, "1k", "nginx")),
        Aim("a connection a request, CPU to the bare loop's", 0.75,
            cpu_ratio(results, "connection", "bare")),
        beside("a connection a request, CPU to the best peer's", 1.00,
               best_peer_cpu(results, "connection")),
        Aim("pipelined by 16, CPU to the floor's unpipelined", 0.25,
            cpu_ratio(results, "pipelined", "floor", "1k")),
        beside("100 KiB, requests/s to the best peer's", 1.00, best_peer_rate(results, "100k"), True),
        beside("10 MiB, requests/s to the best peer's", 1.00, best_peer_rate(results, "10m"), True),
        Aim("system calls a request", 2.2, calls.get("drover")),
        Aim("memory of an idle kept connection", 200, idle.get("drover"), unit=" bytes"),
        beside("p99.9 at 70 % load to the best peer's", 1.00, tail(results)),
    ]
