"""record - the figures of before: what a change is compared with."""

import json

TOLERANCE = 0.03  # of the figure before


class Record:
    """`figures` by name, and `with_what` they were taken."""

    def __init__(self, path):
        self.path, self.figures, self.with_what = path, {}, {}

    def load(self):
        try:
            with open(self.path, encoding="utf-8") as f:
                data = json.load(f)
            self.figures, self.with_what = data["figures"], data["with"]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise SystemExit(f"guard: {self.path} is no record: {e!r}") from e

    def save(self):
        data = {"with": self.with_what, "figures": self.figures}
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(json.dumps(data, indent=2) + "\n")


def change(before, now):
    """In percent, as it is told."""
    return f"{(now / before - 1) * 100:+.1f} %" if before else "from nothing"


def is_worse(before, now):
    return now > before * (1 + TOLERANCE)


def is_better(before, now):
    return now < before * (1 - TOLERANCE)
