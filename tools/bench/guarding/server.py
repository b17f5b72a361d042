"""server - a drover that is started, found ready, and ended by its pid."""

import os
import signal
import subprocess
import threading
import time

STOP_SECONDS = 20


running = set()
is_over = threading.Event()  # no further one may start


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def state(pid):
    """As ps shows it: S while it waits; Z, and nothing, when it has ended."""
    return read(f"/proc/{pid}/stat").rpartition(")")[2].strip()[:1]


def is_gone(pid):
    return state(pid) in ("", "Z")


class Server:
    """One that serves a folder, for a `with`. Its workers are `workers`; `folder` has its log."""

    def __init__(self, build, site, folder, app="static", workers=1, under=()):
        self.log = os.path.join(folder, "log")
        self.command = [*under, os.path.join(build, "drover"), "serve", "--preempt", "yes",
                        "--standby", "off",  # valgrind cannot follow its clone(2)
                        "--app", app, "--workers",
                        str(workers), "--control", "off", "--listen", "127.0.0.1:0"]
        if app == "static":
            self.command.append(site)
        self.process, self.workers, self.address = None, [], None

    def __enter__(self):
        if is_over.is_set():
            raise SystemExit(1)
        ready, told = os.pipe()
        try:
            with open(self.log, "wb") as log:
                self.process = subprocess.Popen(
                    [*self.command, "--ready-fd", str(told)], stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, pass_fds=[told])
            running.add(self)
        finally:
            os.close(told)
        with os.fdopen(ready) as f:
            address = f.readline().strip()
        if not address:
            self.stop()
            raise SystemExit(f"guard: {' '.join(self.command)}: does not serve\n{read(self.log)}")
        host, port = address.rsplit(":", 1)
        self.address = host, int(port)
        self.workers = self.find_workers()
        return self

    def __exit__(self, *_):
        self.stop()

    def find_workers(self):
        master = self.process.pid
        children = read(f"/proc/{master}/task/{master}/children").split()
        return [int(pid) for pid in children if read(f"/proc/{pid}/comm").startswith("drover:slot")]

    def end_worker(self):
        """Where it waits, by a signal that it knows nothing of: not a turn of its loop is run."""
        os.kill(self.workers[0], signal.SIGALRM)
        self.wait_for_workers()

    def wait_for_workers(self):
        deadline = time.monotonic() + STOP_SECONDS
        while not all(is_gone(pid) for pid in self.workers) and time.monotonic() < deadline:
            time.sleep(0.002)

    def stop(self):
        """Returns when all of its processes have ended; whatever does not, is killed."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in self.workers:
                os.kill(pid, 9)
            self.process.kill()
            self.process.wait()
        self.wait_for_workers()
        running.discard(self)


def stop_all():
    """For the end, or when the measuring is broken off."""
    is_over.set()
    for one in list(running):
        one.stop()
