#!/usr/bin/env bats
#
# More workers and fewer, under load: no request is lost, kept connections stay the same ones, and
# nothing is left behind.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helper's

load helper
load process
load lifecycle

setup() {
    make_site
}

@test "14 changes between 8 and 2 workers under load: no request is lost" {
    local before
    drover_start --workers 8 "$SITE"
    before=$(belongings)
    both_begin
    act <<'PY'
for _ in range(7):
    scale(8, 2)
    wait(has_workers(2))
    time.sleep(0.1) # so that clients come meanwhile
    scale(2, 8)
    wait(has_workers(8))
    time.sleep(0.1)
PY
    nothing_is_lost
    keeps_belongings "$before"
}

@test "from 1 worker to 64 and back under load: no request is lost" {
    drover_start --workers 1 "$SITE"
    both_begin
    act <<'PY'
scale(1, 64)
wait(has_workers(64))
time.sleep(0.3) # so that clients come meanwhile
scale(64, 1)
wait(has_workers(1))
time.sleep(0.3)
PY
    nothing_is_lost
    assert_equal "$(complaints)" ''
    # a slot's sockets stay: one that is left still has a queue
    assert_equal "$(listeners)" 64
    assert_equal "$(fetch /hello.txt)" hello
}

@test "one more and one less, 30 times: no process, descriptor or slot is left behind" {
    local before
    drover_start --workers 4 "$SITE"
    act <<'PY'
scale(4, 5)
scale(5, 4)
wait(has_workers(4))
PY
    before=$(belongings)
    both_begin
    act <<'PY'
for _ in range(30):
    scale(4, 5)
    scale(5, 4)
PY
    nothing_is_lost
    keeps_belongings "$before"
}

@test "clients in the queue of a worker that is no longer wanted are served by others" {
    drover_start --workers 2 --standby off "$SITE"
    act "$DROVER_ADDR" <<'PY'
last = children(master)[1]
os.kill(last, signal.SIGSTOP)
clients = [connect(args[0], 10) for _ in range(32)] # before or after that is seen
for client in clients:
    ask(client)
scale(2, 1)
for client in clients:
    assert answer(client) == (200, b"hello\n")
os.kill(last, signal.SIGCONT)
wait(has_workers(1))
PY
}

@test "a worker that is no longer wanted finishes its download, and gives away idle connections" {
    drover_start --workers 2 "$SITE"
    head -c 24M /dev/zero >"$SITE/slow.bin"
    act "$DROVER_ADDR" <<'PY'
def client(path):
    s = connect(args[0], 20)
    ask(s, path, close=False)
    return s

idle = [client("/hello.txt") for _ in range(32)]
for s in idle:
    assert answer(s) == (200, b"hello\n")
slow = [client("/slow.bin") for _ in range(8)] # half of them, or so, at each worker
for s in slow:
    begin(s)
last = children(master)[1]
scale(2, 1)
for _ in range(2):
    for s in idle:
        ask(s, close=False)
        assert answer(s) == (200, b"hello\n")
assert slots() == [0, 1], "a worker that has downloads has left"
for s in slow:
    rest(s, 24 << 20)
wait(has_workers(1))
for s in slow: # what was kept for the sake of a download is at the other one, too
    ask(s, close=False)
    assert answer(s) == (200, b"hello\n")
PY
}

@test "TTIN and TTOU in the middle of a reload: the last number is what counts" {
    drover_start --workers 3 "$SITE"
    both_begin
    act <<'PY'
for _ in range(5):
    tell(signal.SIGHUP)
    scale(3, 4)
    wait(has_workers(4))
    tell(signal.SIGHUP)
    scale(4, 3)
    wait(has_workers(3))
PY
    nothing_is_lost
}

# The kernel wakes one of those that share a socket. It is late where the processors are busy, and
# may be told to leave before it comes to its client.
# bats test_tags=alone
@test "a client at a shared socket is served at once, though who is woken for it is told to leave" {
    drover_start --listen "unix:$BATS_TEST_TMPDIR/socket" --workers 2 --standby off "$SITE"
    act "$DROVER_ADDR" <<'PY'
def is_asleep(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "S"
    except OSError:
        return False

hogs = []
for _ in range(2 * os.cpu_count()):
    hogs.append(os.fork())
    if hogs[-1] == 0:
        signal.alarm(50) # before this script's time is up, when nobody would end it
        while True:
            pass
try:
    for round in range(40):
        wait(has_workers(2))
        assert fetch(args[0]) == (200, b"hello\n") # who is woken first is not always the same one
        wait(lambda: all(is_asleep(pid) for pid in children(master)))
        if round % 3 == 0:
            tell(signal.SIGTTOU)
        s = connect(args[0])
        ask(s)
        if round % 3:
            tell(signal.SIGTTOU)
        assert answer(s) == (200, b"hello\n"), round
        s.close()
        wait(has_workers(1))
        tell(signal.SIGTTIN)
    assert all(os.waitpid(hog, os.WNOHANG) == (0, 0) for hog in hogs), "the load was over before"
finally:
    for hog in hogs:
        os.kill(hog, signal.SIGKILL)
PY
}

# bats test_tags=nosan,alone
@test "p99 while the number changes is at most 3 times the quiet one" {
    drover_start --workers 8 "$SITE"
    for _ in 1 2 3; do
        # Not to 2: two busy workers and the client on two CPUs wait 4 ms for one now and then, without
        # any change.
        quiet_and_busy <<'PY'
scale(8, 4)
scale(4, 8)
PY
        ((BUSY > 3 * QUIET)) || return 0
    done
    fail "$BUSY us instead of $QUIET us"
}
