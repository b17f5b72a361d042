"""
process - what the kernel knows of a server's processes: CPU, memory, who they are.

A server's processes are those of its session: each server is started in one of its own.
"""

import ctypes
import glob
import os
import time


PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """From now on this process is the parent of those whose own has ended, and can reap them."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap(pids):
    """Those that have ended, of children and orphans."""
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


def stat_of(pid):
    """(state, session), or None for one that is gone."""
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (fields[0], int(fields[3])) if fields else None


def of_session(session):
    """The pids of a session; zombies are left out."""
    found = []
    for name in os.listdir("/proc"):
        stat = stat_of(name) if name.isdigit() else None
        if stat and stat[1] == session and stat[0] not in "ZX":
            found.append(int(name))
    return found


def cpu_ns(pids):
    """Nanoseconds on a CPU, of all threads of these processes."""
    total = 0
    for pid in pids:
        for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            total += int((read(path) or "0").split()[0])
    return total


def own_memory(pids):
    """Bytes that these processes alone have: Private_Dirty and Swap."""
    kib = 0
    for pid in pids:
        for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith(("Private_Dirty:", "Swap:")):
                kib += int(line.split()[1])
    return kib * 1024


def wait(seconds, condition):
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True
