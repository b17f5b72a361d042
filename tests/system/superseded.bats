#!/usr/bin/env bats
#
# A worker that is stopped or hangs is superseded: its standby's successor has all but what it is at,
# and it finishes that when it comes back. And what a standby's own end or stop comes to.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load standby

setup() {
    make_site
}

# As Docker's filter of system calls before Linux 5.9, for whoever is run under it.
REFUSE_PARTING='
import ctypes, os, struct, sys
numbers = {"x86_64": (272, 436), "aarch64": (97, 436)}[os.uname().machine]
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
EPERM, ALLOW = 0x50001, 0x7FFF0000
code = [(LOAD, 0, 0, 0), (EQUAL, 4, 0, numbers[0]), (EQUAL, 0, 2, numbers[1]),
        (LOAD, 0, 0, 32), (EQUAL, 1, 0, 2), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, EPERM)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
libc = ctypes.CDLL(None, use_errno=True)
filter = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(program)))
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter) == 0
os.execv(sys.argv[1], sys.argv[1:])
'

no_zombie() {
    ! has_zombie
}

# ---- a worker is stopped, or hangs --------------------------------------------------------------

@test "one worker stopped: others of its clients are answered; it finishes what it is at, and leaves" {
    faulty --workers 2
    act "$DROVER_ADDR" <<'PY'
for round in range(3):
    slot, pid = some_worker()
    pid, standby = wait_for_pair(slot)
    waiting = []
    while len(waiting) < 8:
        s, = kept(args[0])
        if who(s) == pid:
            waiting.append(s)
    at, = [waiting.pop()]
    ask(at, "/hold?100", close=False)
    who(waiting[0]) # it has read that one's, too
    sleeps(pid)
    new, count = succeeded(slot, lambda: kill(pid, signal.SIGSTOP))
    assert count == 7, count
    assert {who(s) for s in waiting} == {new}
    assert not is_gone(pid) and not select.select([at], [], [], 0)[0]
    kill(pid, signal.SIGCONT)
    assert answer(at) == (200, b"held\n")
    wait(lambda: is_gone(pid))
    assert {who(s) for s in waiting} == {new}
    assert standby_of(new) == standby, "the successor has another standby"
PY
    assert_equal "$(count_logged SIGABRT)" 0
}

@test "a connection is counted once while the superseded worker has a copy of it, and afterwards" {
    faulty --workers 1
    act "$DROVER_ADDR" <<'PY'
def opened():
    return sum(row["connections"] for row in board().values())

waiting, (at,) = kept(args[0], 8), kept(args[0])
pid = who(at)
wait_for_pair(0)
ask(at, "/hold?100", close=False)
who(waiting[0])
wait(lambda: opened() == 9)
sleeps(pid)
succeeded(0, lambda: kill(pid, signal.SIGSTOP))
wait(lambda: opened() == 9)
kill(pid, signal.SIGCONT)
assert answer(at) == (200, b"held\n")
wait(lambda: is_gone(pid))
wait(lambda: opened() == 9) # it was handed over
assert len({who(s) for s in (*waiting, at)}) == 1
PY
}

# bats test_tags=nosan
@test "a handler that spins, or blocks: its client waits, and gets its answer; the others do not" {
    faulty --workers 1
    act "$DROVER_ADDR" <<'PY'
# that it spins shows by its CPU time, of which a busy machine gives it little
for path, seconds, word in ("/spin", 4, b"spun\n"), ("/block", 2, b"was blocked\n"):
    waiting, (at,) = kept(args[0], 31), kept(args[0])
    pid = who(at)
    wait_for_pair(0)
    ask(at, f"{path}?{seconds * 1000}", close=False)
    began = time.monotonic()
    for s in waiting:
        ask(s, "/who", close=False)
    pids = {int(answer(s)[1]) for s in waiting}
    took = time.monotonic() - began
    assert pid not in pids and len(pids) == 1, (pid, pids)
    assert took < 0.8 * seconds, f"the others waited for {took} s"
    assert not select.select([at], [], [], 0)[0], "it was answered, too"
    assert answer(at) == (200, word)
    assert time.monotonic() - began > 0.9 * seconds
    wait(lambda: is_gone(pid))
    assert {who(s) for s in waiting} == pids
    # what a successor closes is closed for its clients, though another had copies of it
    for s in waiting:
        ask(s, "/1k.bin")
        answer(s)
        assert ends(s) == b""
PY
    assert_equal "$(count_logged SIGABRT)" 0
}

# bats test_tags=nosan
@test "a handler that is merely slow does not cost its worker's other clients their answers" {
    faulty --workers 1 --drain-timeout 1s
    act "$DROVER_ADDR" <<'PY'
held, slow = kept(args[0], 2)
pid = who(held)
wait_for_pair(0)
ask(held, "/hold?2500", close=False)
for _ in range(4):
    ask(slow, "/spin?100", close=False)
    assert answer(slow) == (200, b"spun\n")
assert answer(held) == (200, b"held\n")
assert who(slow) == pid
PY
    assert_equal "$(count_logged superseded)" 0
}

# bats test_tags=nosan
@test "connections end for their clients while the superseded worker still has copies of them" {
    faulty --workers 1 --idle-timeout 1s --hang-timeout 0
    act "$DROVER_ADDR" <<'PY'
waiting, (at,) = kept(args[0], 3), kept(args[0])
pid = who(at)
new, count = succeeded(0, lambda: ask(at, "/block?3000", close=False))
assert count == 3
ask(waiting[0], "/1k.bin") # Connection: close
answer(waiting[0])
assert ends(waiting[0]) == b""
waiting[1].sendall(b"nonsense\r\n\r\n")
assert b" 400 " in ends(waiting[1])
assert ends(waiting[2]) == b"" # idle for too long
assert not is_gone(pid), "the test was too slow"
assert answer(at) == (200, b"was blocked\n")
PY
}

# bats test_tags=nosan
@test "a hang that does not end is ended after --hang-timeout, and costs its own client alone" {
    faulty --workers 2 --hang-timeout 1s
    local before
    before=$(belongings)
    act "$DROVER_ADDR" <<'PY'
for path in "/spin?60000", "/block?60000", "/deaf?60000":
    waiting, (at,) = kept(args[0], 31), kept(args[0])
    pid = who(at)
    slot = {pid: slot for slot, pid in workers().items()}[pid]
    wait_for_pair(slot)
    succeeded(slot, lambda: ask(at, path, close=False))
    assert ends(at) == b""
    wait(lambda: is_gone(pid))
    for s in waiting:
        who(s)
slot = 1
pid, _ = wait_for_pair(slot)
waiting = kept(args[0], 32)
sleeps(pid)
succeeded(slot, lambda: kill(pid, signal.SIGSTOP))
wait(lambda: is_gone(pid))
for s in waiting:
    who(s)
PY
    logged ' has hung for 1000 ms, and is ended by SIGABRT'
    logged ' was stopped for 1000 ms, and is ended by SIGABRT'
    logged_times 1 'killed by SIGKILL' # the deaf one
    keeps_belongings "$before"
}

@test "stopped and continued at once, again and again: nothing is lost" {
    local before
    drover_start --workers 4 "$SITE"
    wait_until 10 has_standbys 4
    before=$(belongings)
    load_begin kept --clients 32
    load_begin short --close --clients 32
    act <<'PY'
for i in range(30):
    slot, pid = some_worker()
    kill(pid, signal.SIGSTOP)
    time.sleep(random.random() * 0.004)
    kill(pid, signal.SIGCONT)
    time.sleep(0.03) # the pace
PY
    load_stop kept
    assert_equal "$LOST $CAUSES $OPENED" '0  32'
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    keeps_belongings "$before"
    assert_equal "$(count_logged 'killed by')" 0
}

@test "a superseded worker hears its master as before when it is back" {
    faulty --workers 1 --hang-timeout 0
    act "$DROVER_ADDR" <<'PY'
def watched(pid):
    """What its epoll set has."""
    for fd in os.listdir(f"/proc/{pid}/fd"):
        if "eventpoll" in os.readlink(f"/proc/{pid}/fd/{fd}"):
            with open(f"/proc/{pid}/fdinfo/{fd}") as f:
                return set(re.findall(r"tfd: *(\d+)", f.read()))
pid, _ = wait_for_pair(0)
sleeps(pid)
before = watched(pid)
succeeded(0, lambda: kill(pid, signal.SIGSTOP))
assert watched(pid) == before, (before, watched(pid))
kill(pid, signal.SIGCONT)
wait(lambda: is_gone(pid))
PY
}

@test "a successor that is killed beside the stopped worker: its connections go on, or end at once" {
    faulty --workers 1 --hang-timeout 0
    act "$DROVER_ADDR" <<'PY'
pid, _ = wait_for_pair(0)
resting, (at,) = kept(args[0], 3), kept(args[0])
sleeps(pid)
second, count = succeeded(0, lambda: kill(pid, signal.SIGSTOP))
assert count == 4
ask(at, "/hold?60000", close=False)
assert who(resting[0]) == second # it has read that one's, too
third, count = kill_worker(0)
assert count == 3
assert ends(at) == b"" # though the stopped one has a copy
assert {who(s) for s in resting} == {third}
assert not is_gone(pid)
kill(pid, signal.SIGCONT)
wait(lambda: is_gone(pid))
PY
}

@test "where no table can be parted, one that was stopped is a worker like any when it goes on" {
    DROVER_UNDER=(python3 -c "$REFUSE_PARTING")
    faulty --workers 2
    act "$DROVER_ADDR" <<'PY'
waiting = kept(args[0], 16)
pid, standby = wait_for_pair(0)
sleeps(pid)
expect("cannot make a successor", lambda: kill(pid, signal.SIGSTOP))
wait_for_pair(0, (pid, standby))
kill(pid, signal.SIGCONT)
wait(lambda: is_gone(pid)) # it has heard that it is to leave
for s in waiting:
    who(s)
PY
}

# bats test_tags=nosan
@test "a successor that is stopped before it begins: the worker that goes on has its connections again" {
    cat >"$BATS_TEST_TMPDIR/stops.c" <<'C'
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Whoever has a standby's name yet, and says more than a standby has to say, is a successor. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t (*next)(int, const struct msghdr *, int) =
        (ssize_t (*)(int, const struct msghdr *, int))dlsym(RTLD_NEXT, "sendmsg");
    char name[16] = "";
    ssize_t n = next(fd, message, flags);
    prctl(PR_GET_NAME, name);
    if (strcmp(name, "drover:standby") == 0 && n > 100 && unlink(getenv("STOP_ONCE")) == 0)
        kill(getpid(), SIGSTOP);
    return n;
}
C
    cc -std=gnu17 -D_GNU_SOURCE -fPIC -shared -o "$BATS_TEST_TMPDIR/stops.so" "$BATS_TEST_TMPDIR/stops.c"
    DROVER_UNDER=(env LD_PRELOAD="$BATS_TEST_TMPDIR/stops.so" STOP_ONCE="$BATS_TEST_TMPDIR/once")
    : >"$BATS_TEST_TMPDIR/once"
    faulty --workers 1 --hang-timeout 0 --start-timeout 60s
    act "$DROVER_ADDR" <<'PY'
pid, _ = wait_for_pair(0)
waiting = kept(args[0], 8)
sleeps(pid)
kill(pid, signal.SIGSTOP)
wait(lambda: lines("was stopped") == 2)
kill(pid, signal.SIGCONT)
for s in waiting:
    goes_on(s) # which has a limit of 20 s
PY
    logged 'has not begun after'
}

# ---- the standby itself -------------------------------------------------------------------------

@test "a standby that is killed costs nothing: its worker leaves to a fresh pair" {
    drover_start --workers 2 "$SITE"
    load_begin kept --clients 16
    load_begin short --close --clients 16
    act <<'PY'
for round in range(3):
    for slot in 0, 1:
        old = wait_for_pair(slot)
        kill(old[1], signal.SIGKILL)
        wait_for_pair(slot, old)
PY
    nothing_is_lost_of 16
    wait_until 20 has_workers 2
    wait_until 2 no_zombie
}

@test "a worker and its standby killed, in either order: what they held ends, and the slot has a new pair" {
    local before
    drover_start --workers 2 "$SITE"
    wait_until 10 has_standbys 2
    before=$(belongings)
    act "$DROVER_ADDR" <<'PY'
for round in range(6):
    waiting = kept(args[0], 16)
    old = wait_for_pair(round % 2)
    for pid in old if round % 4 < 2 else old[::-1]:
        kill(pid, signal.SIGKILL)
    new = wait_for_pair(round % 2, old)
    assert not set(old) & set(new)
    lost = 0
    for s in waiting:
        ask(s, close=False)
        try:
            assert answer(s)[0] == 200
        except (EOFError, ConnectionError):
            lost += 1
    assert lost < 16, "the other worker's are lost, too"
    assert fetch(args[0])[0] == 200
PY
    keeps_belongings "$before"
}

@test "a standby that is stopped is of no use while it is; then the slot has a new pair" {
    local before
    drover_start --workers 1 "$SITE"
    wait_until 10 has_standbys 1
    before=$(belongings)
    act "$DROVER_ADDR" <<'PY'
old = wait_for_pair(0)
expect("was stopped", lambda: kill(old[1], signal.SIGSTOP))
kill(old[0], signal.SIGKILL)
wait_for_pair(0, old)
assert fetch(args[0])[0] == 200
# one that was continued is as good as any
old = wait_for_pair(0)
expect("was stopped", lambda: kill(old[1], signal.SIGSTOP))
expect("was continued", lambda: kill(old[1], signal.SIGCONT))
waiting = kept(args[0], 4)
kill_worker(0)
for s in waiting:
    goes_on(s)
PY
    keeps_belongings "$before"
}

@test "a standby and its worker stopped: others accept for them, and all goes on when they do" {
    drover_start --workers 2 "$SITE"
    act "$DROVER_ADDR" <<'PY'
waiting = kept(args[0], 16)
pid, standby = wait_for_pair(0)
expect("was stopped", lambda: kill(standby, signal.SIGSTOP))
expect(f"worker 0 (pid {pid}) was stopped", lambda: kill(pid, signal.SIGSTOP))
for i in range(32):
    assert fetch(args[0])[0] == 200
kill(standby, signal.SIGCONT)
kill(pid, signal.SIGCONT)
for s in waiting:
    goes_on(s)
PY
}


# ---- how long ---------------------------------------------------------------------------------

# bats test_tags=nosan
@test "a worker with a deferred answer is superseded no sooner than half of --hang-timeout" {
    faulty --workers 1 --hang-timeout 8s
    act "$DROVER_ADDR" <<'PY'
resting, (held, at) = kept(args[0], 3), kept(args[0], 2)
pid = who(held)
wait_for_pair(0)
ask(held, "/hold?60000", close=False)
assert who(resting[0]) == pid # it has read that, too
ask(at, "/block?1000", close=False)
assert answer(at) == (200, b"was blocked\n")
assert {who(s) for s in resting} == {pid}, "it was superseded"
began = time.monotonic()
new, count = succeeded(0, lambda: ask(at, "/block?60000", close=False))
assert count == 3
assert time.monotonic() - began > 3.5
assert {who(s) for s in resting} == {new}
PY
    assert_equal "$(count_logged 'is superseded')" 1
}

# bats test_tags=nosan
@test "handlers that block now and then: not a new process for each of them" {
    faulty --workers 1
    act "$DROVER_ADDR" <<'PY'
resting, = kept(args[0])
for round in range(8):
    wait_for_pair(0)
    at, = kept(args[0])
    ask(at, "/block?320", close=False)
    assert answer(at) == (200, b"was blocked\n")
    who(resting)
PY
    tell "8 handlers: $(count_logged 'is superseded') workers superseded"
    (($(count_logged 'is superseded') <= 2))
}

# bats test_tags=nosan
@test "requests that end their workers late are crashes in a row, superseded or not" {
    faulty --workers 1
    act "$DROVER_ADDR" <<'PY'
resting = kept(args[0], 3)
for round in range(3):
    wait_for_pair(0)
    at, = kept(args[0])
    ask(at, "/abort?1500", close=False)
    assert ends(at) == b""
    for s in resting:
        who(s)
PY
    (($(count_logged 'is superseded') > 0))
    logged 'slot 0: 3 workers in a row were ended by signals, at "GET /abort?1500 HTTP/1.1"'
    assert_equal "$("$DROVER" status --json | jq -c '[.ended.crashed, .ended.hung]')" '[3,0]'
}

# bats test_tags=nosan
@test "a costly answer supersedes nobody; a worker that comes back has the time it wants, but to hang" {
    faulty --workers 1 --drain-timeout 1s --hang-timeout 2s
    act "$DROVER_ADDR" <<'PY'
pid, _ = wait_for_pair(0)
resting, = kept(args[0])
for path in "/spin?60", "/block?60":
    assert fetch(args[0], path)[0] == 200
assert who(resting) == pid, "it was superseded"

# what it has in hand is older than the drain's timeout when it ends
pid, _ = wait_for_pair(0)
s, = kept(args[0])
assert who(s) == pid
s.sendall(b"GET /block?800 HTTP/1.1\r\nHost: x\r\n\r\nGET /hold?3000 HTTP/1.1\r\nHost: x\r\n\r\n")
assert answer(s) == (200, b"was blocked\n")
assert not is_gone(pid)
assert answer(s) == (200, b"held\n")
wait(lambda: is_gone(pid))

# and when that hangs, too, it is ended
pid, _ = wait_for_pair(0)
s, = kept(args[0])
assert who(s) == pid
s.sendall(b"GET /block?1200 HTTP/1.1\r\nHost: x\r\n\r\nGET /spin?60000 HTTP/1.1\r\nHost: x\r\n\r\n")
wait(lambda: is_gone(pid))
PY
    assert_equal "$(count_logged 'is ended by SIGABRT')" 1
    assert_equal "$(count_logged 'has not left in time')" 0
    drover_stop
    assert_equal "$status" 0
}

@test "a reload gives a superseded worker that is back the drain's time, and no more" {
    faulty --workers 1 --drain-timeout 1s
    act "$DROVER_ADDR" <<'PY'
pid, _ = wait_for_pair(0)
s, = kept(args[0])
assert who(s) == pid
ask(s, "/hold?60000", close=False)
fetch(args[0], "/who") # it has read that, too
kill(pid, signal.SIGSTOP)
wait(lambda: 0 in workers() and int(fetch(args[0], "/who")[1]) != pid)
kill(pid, signal.SIGCONT)
wait(lambda: "is back" in text())
time.sleep(1.5) # longer than the drain's
assert not is_gone(pid)
kill(master, signal.SIGHUP)
wait(lambda: is_gone(pid))
PY
    drover_stop
    assert_equal "$status" 0
}
