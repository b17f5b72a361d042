#!/usr/bin/env bats
#
# What the kernel would have ended with a worker, and its standby's table keeps alive, does not come
# to a successor: record locks, robust mutexes, numbers of descriptors that the worker had closed.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load standby

setup() {
    export HOLDS_FILE=$BATS_TEST_TMPDIR/held
    drover_start --workers 1 --app "${DROVER%/*}/apps/holds.so"
    wait_until 10 has_standbys 1
}

# For act().
MOMENTS+='
def dies(address, path):
    """The worker that is asked for it; its successor."""
    return succeeded(0, lambda: (ask(s := connect(address, 20), path, close=False), ends(s)))[0]
'

@test "a number that the application has closed is no client's: a successor writes to none by it" {
    act "$DROVER_ADDR" "$HOLDS_FILE" <<'PY'
first, = kept(args[0], path="/who")
number = int(goes_on(first, "/move"))
second, = kept(args[0], path="/who")
fds = f"/proc/{workers()[0]}/fd"
assert not os.readlink(f"{fds}/{number}").startswith("socket:"), os.readlink(f"{fds}/{number}")
for round in range(3):
    assert kill_worker(0)[1] == 2, "both go on"
    assert goes_on(first, "/note") == b"Bad file descriptor\n"
    assert who(second) == who(first) == workers()[0]
assert os.path.getsize(args[1]) == 0
PY
    drover_stop
    assert_equal "$status" 0
}

@test "the same in one that hung: its client waits for it elsewhere, and is answered" {
    act "$DROVER_ADDR" <<'PY'
first, = kept(args[0], path="/who")
goes_on(first, "/move")
second, = kept(args[0], path="/who")
old = workers()[0]
sleeps(old)
assert succeeded(0, lambda: kill(old, signal.SIGSTOP))[1] == 2
assert goes_on(first, "/note") == b"Bad file descriptor\n"
assert who(second) == who(first) != old
kill(old, signal.SIGCONT)
wait(lambda: is_gone(old))
assert who(second) == who(first)
PY
    drover_stop
    assert_equal "$status" 0
}

@test "a record lock of a worker that has ended is there no more, and a successor's own goes the same way" {
    act "$DROVER_ADDR" "$HOLDS_FILE" <<'PY'
import fcntl

for round in range(3):
    dies(args[0], "/lock")
    with open(args[1], "r+") as f:
        fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
PY
}

@test "a robust mutex whose owner has ended is left behind, be that a successor, too" {
    act "$DROVER_ADDR" <<'PY'
for round in range(3):
    dies(args[0], "/enter")
    s = connect(args[0], 20)
    assert goes_on(s, "/try") == b"left behind\n", round
    s.close()
PY
}
