"""
report - the figures of a run: as a page of text, and as JSON.
"""

import statistics
from dataclasses import asdict, dataclass, field

import aims

NONE = "-"


@dataclass
class Figure:
    median: float
    min: float
    max: float

    @classmethod
    def of(cls, values):
        return cls(statistics.median(values), min(values), max(values))


@dataclass
class Latency:
    """Of several rounds, us; `rate` is what was asked a second, None in a closed loop."""
    p50: Figure
    p99: Figure
    p999: Figure
    lost: int
    unsent: int
    rate: float | None = None

    @classmethod
    def of(cls, rounds, rate=None):
        return cls(*(Figure.of([getattr(one, name) for one in rounds])
                     for name in ("p50", "p99", "p999")), sum(one.lost for one in rounds),
                   sum(one.unsent for one in rounds), rate)


@dataclass
class Row:
    """A server at a work, with a number of clients."""
    work: str
    clients: int
    server: str
    deferred: bool
    peer: bool
    closed: list
    opened: list = field(default_factory=list)
    open_rate: float = 0

    @property
    def label(self):
        return f"{self.server} deferred" if self.deferred else self.server

    @property
    def cpu(self):
        return Figure.of([one.cpu_us for one in self.closed])

    @property
    def rate(self):
        return Figure.of([one.rate for one in self.closed])

    def ratio_to(self, other):
        """Of the CPU a request, round by round, so that a slow moment counts for both."""
        return Figure.of([a.cpu_us / b.cpu_us if b.cpu_us else 0
                          for a, b in zip(self.closed, other.closed)])


@dataclass
class Load:
    """A server's latency in an open loop, at two rates."""
    server: str
    peer: bool
    best_rate: Figure
    own: Latency
    common: Latency


@dataclass
class Calls:
    server: str
    calls: dict         # by name, a request; "all" of them
    counter: str


@dataclass
class Idle:
    server: str
    bytes: float
    connections: int
    kept: int


@dataclass
class Results:
    """All that a run has seen."""
    about: dict
    rows: list = field(default_factory=list)
    load: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    idle: list = field(default_factory=list)

    def floor_of(self, row):
        return next((other for other in self.rows if other.server == "floor" and
                     (other.work, other.clients) == (row.work, row.clients)), None)


# ---- text -------------------------------------------------------------------------------------


def short(value):
    """Three digits or so: 1234567 -> 1.23M."""
    for unit, size in ("M", 1e6), ("k", 1e3):
        if value >= size * 0.9995:
            return f"{value / size:.{max(0, 2 - len(str(int(value / size))) + 1)}f}{unit}"
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def spread(figure):
    return f"{short(figure.median):>6} {f'{short(figure.min)}..{short(figure.max)}':<14}"


def latencies(latency):
    if latency is None:
        return f"{NONE:>7}{NONE:>7}{NONE:>7}"
    found = [getattr(latency, name).median for name in ("p50", "p99", "p999")]
    return "".join(f"{short(value) if value else NONE:>7}" for value in found)


def missing(*parts):
    """What was lost or not sent, if any was."""
    lost, unsent = (sum(getattr(part, name) for part in parts) for name in ("lost", "unsent"))
    return (f"  {lost} lost" if lost else "") + (f"  {unsent} unsent" if unsent else "")


def heading(about):
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    text = [f"{about['cpus']} CPUs, Linux {about['kernel']}, {about['workers']} workers each, "
            f"loopback; rounds of {about['seconds']:g} s", versions]
    text += [f"left out: {name}: {why}" for name, why in about["skipped"].items()]
    return "\n".join(text)


def cell_text(results, title, rows):
    """The rows of one work and one number of clients."""
    steady = f"; open loop at {short(rows[0].open_rate)}/s" if rows[0].opened else ""
    rounds = len(rows[0].closed)
    text = [f"\n{title}, {rows[0].clients} client{'s' if rows[0].clients != 1 else ''}, "
            f"{rounds} round{'s' if rounds != 1 else ''}{steady}",
            f"  {'':17}{'CPU us a request':<21} {'to the floor':<21} {'requests/s':<21} "
            f"{'closed p50':>10}{'p99':>7}{'p99.9':>7}   {'open p50':>8}{'p99':>7}{'p99.9':>7} us"]
    for row in rows:
        floor = results.floor_of(row)
        ratio = spread(row.ratio_to(floor)) if floor else f"{NONE:>6} {'':<14}"
        opened = Latency.of(row.opened) if row.opened else None
        text.append(f"  {row.label:17}{spread(row.cpu)} {ratio} {spread(row.rate)} "
                    f"   {latencies(Latency.of(row.closed))}    {latencies(opened)}"
                    f"{missing(*row.closed, *row.opened)}")
    return "\n".join(text)


def load_text(results):
    common = results.load[0].common.rate
    text = ["\n1 KiB, 64 clients, open loop, p50 p99 p99.9 in us: at 70 % of what each can do itself, "
            f"and all at {short(common)}/s",
            f"  {'':17}{'best requests/s':<21}   own 70 %:{'p50':>7}{'p99':>7}{'p99.9':>7}"
            f"   common:{'p50':>7}{'p99':>7}{'p99.9':>7} {'':6} spread of p99.9"]
    for load in results.load:
        text.append(f"  {load.server:17}{spread(load.best_rate)}   {short(load.own.rate):>9}"
                    f"{latencies(load.own)}   {'':7}{latencies(load.common)}"
                    f" {spread(load.common.p999)}{missing(load.own, load.common)}")
    return "\n".join(text)


def calls_text(results):
    text = [f"\nsystem calls a request, 1 KiB, 64 clients (by {results.calls[0].counter})"]
    for found in results.calls:
        parts = ", ".join(f"{name} {n:.2f}" for name, n in found.calls.items()
                          if name != "all" and n >= 0.005)
        text.append(f"  {found.server:17}{found.calls['all']:>6.2f}  {parts}")
    return "\n".join(text)


def idle_text(results):
    text = [f"\nmemory of the server's own a kept connection, {results.idle[0].connections} idle"]
    for found in results.idle:
        gone = found.connections - found.kept
        text.append(f"  {found.server:17}{found.bytes:>8.0f} bytes"
                    f"{f'  ({gone} were closed by the server)' if gone else ''}")
    return "\n".join(text)


def aims_text(results):
    text = ["\naims"]
    for aim in aims.aims(results):
        side = "at least" if aim.least else "at most"
        if aim.seen is None:
            seen, met = f"seen {NONE:>6}", "not measured"
        else:
            seen, met = f"seen {aim.seen:>6.{0 if aim.unit else 2}f}", \
                "met" if aim.met else "NOT met"
        beside = f" ({aim.beside})" if aim.beside else ""
        text.append(f"  {aim.words + beside:66}{side:>8} {f'{aim.bound:g}{aim.unit}':10}{seen}  {met}")
    return "\n".join(text)


# ---- JSON -------------------------------------------------------------------------------------


def row_json(results, row):
    floor = results.floor_of(row)
    return {"work": row.work, "clients": row.clients, "server": row.server,
            "deferred": row.deferred, "rounds": len(row.closed), "cpu_us": asdict(row.cpu),
            "rate": asdict(row.rate),
            "to_floor": asdict(row.ratio_to(floor)) if floor else None,
            "closed": asdict(Latency.of(row.closed)),
            "open": asdict(Latency.of(row.opened, row.open_rate)) if row.opened else None}


def as_json(results):
    return {**results.about, "rows": [row_json(results, row) for row in results.rows],
            "load": [asdict(load) for load in results.load],
            "calls": [asdict(found) for found in results.calls],
            "idle": [asdict(found) for found in results.idle],
            "aims": [{**asdict(aim), "met": aim.met} for aim in aims.aims(results)]}
