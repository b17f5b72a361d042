#!/usr/bin/env bash
#
# standby - what the tests of standbys and their successors share, on top of faulty: who is whose
# standby, and clients that count what their connections come to. It loads what it stands on.

load helper
load process
load lifecycle
load faulty

# nothing_is_lost_of CLIENTS: nothing_is_lost for so many in each load.
nothing_is_lost_of() {
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    load_stop kept
    assert_equal "$LOST $CAUSES $OPENED" "0  $1"
}

# For act().
MOMENTS+='
import re

def sockets(pid):
    """What a process has open of them, by their names."""
    found = set()
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                found.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
            except OSError:
                pass
    except OSError:
        pass
    return {name for name in found if name.startswith("socket:")}

def standby_of(pid):
    """None when it has none. Both have one table, with channels to the master that nobody else has."""
    own = sockets(pid)
    for other in children(master):
        if other != pid:
            own -= sockets(other)
    for standby in standbys(master):
        if own & sockets(standby) and not is_gone(standby):
            return standby
    return None

def letter(pid):
    """Of its state: S sleeps, T is stopped."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(") ", 1)[1][0]
    except OSError:
        return ""

def pair(slot):
    """Its worker and the standby of that one, when both are there, and it accepts."""
    pid = workers().get(slot)
    standby = pid and standby_of(pid)
    return standby and is_ready(pid) and (pid, standby)

def wait_for_pair(slot, other_than=()):
    found = []
    def is_there():
        found[:] = pair(slot) or ()
        return found and not set(found) & set(other_than)
    wait(is_there)
    return tuple(found)

def kept(address, count=1, path="/1k.bin"):
    """Connections that have had an answer, and wait."""
    found = [connect(address, 20) for _ in range(count)]
    for s in found:
        goes_on(s, path)
    return found

def goes_on(s, path="/1k.bin"):
    """It is answered, on this connection; the body."""
    ask(s, path, close=False)
    status, body = answer(s)
    assert status == 200, (status, body)
    return body

def who(s):
    """Whose it is, in tests/apps/hang.c."""
    return int(goes_on(s, "/who"))

def ends(s):
    """Is the connection closed or reset, and what has come before that?"""
    found = b""
    try:
        while more := s.recv(1 << 20):
            found += more
    except ConnectionError:
        pass
    return found

def text():
    with open(log) as f:
        return f.read()

def successions(slot):
    """Of the log: the successors that its workers had, and the connections each went on with."""
    told = re.findall(f"worker {slot} \\(pid (\\d+)\\) goes on with (\\d+|no) ", text())
    return [(int(pid), 0 if count == "no" else int(count)) for pid, count in told]

def succeeded(slot, act):
    """Acts, and waits for the next successor; it and the connections it went on with."""
    before = len(successions(slot))
    act()
    wait(lambda: len(successions(slot)) > before)
    return successions(slot)[-1]

def kill_worker(slot):
    """One that has nothing to do."""
    wait(lambda: slot in workers())
    sleeps(workers()[slot])
    return succeeded(slot, lambda: kill(workers()[slot], signal.SIGKILL))

def sleeps(pid):
    """Returns when it has nothing to do: an answer is with its client a moment before the worker has
    done with it, and until then the connection is in the middle."""
    wait(lambda: letter(pid) in "SZ")
'
