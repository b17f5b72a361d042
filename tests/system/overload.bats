#!/usr/bin/env bats
#
# More clients than there is room for: a full worker is steered around while others have room, all
# wait in the queues while nobody has, and a full worker is not taken for one that hangs.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=alone

load helper
load process
load lifecycle
load faulty

setup() {
    make_site
}

# each_was_full N: has each of N workers been full? For wait_until.
each_was_full() {
    board | awk '$1 == "row" { for (i = 3; i < NF; i += 2) if ($i == "paused" && $(i + 1)) print $2 }' \
        >>"$BATS_TEST_TMPDIR/full"
    (($(sort -u "$BATS_TEST_TMPDIR/full" | wc -l) == $1))
}

# nobody_hung [N]: being full is no hang, which each full worker would have. Under load a few, N at most,
# are a long turn's, whose CPU somebody outside of the machine has taken.
nobody_hung() {
    (($(count_logged ' hangs since ') <= ${1:-0}))
    assert_equal "$(count_logged 'ended')" 0
}

@test "three clients for each place, a connection a request: all are served" {
    faulty --workers 8 --max-connections 10 --hang-timeout 200ms
    DROVER_URL+=/later load_begin short --close --clients 240 --timeout 20s
    wait_until 20 each_was_full 8
    sleep 2 # as long as it lasts
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    nobody_hung 2
}

@test "kept connections in three places of four, and others beside them: all are served" {
    drover_start --workers 8 --max-connections 10 --hang-timeout 200ms "$SITE"
    load_begin kept --clients 60
    wait_until 10 board_has 60 row connections
    load_begin short --close --clients 64 --timeout 1s
    sleep 2 # as long as it lasts
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    load_stop kept
    assert_equal "$LOST $CAUSES" '0 '
    assert_equal "$OPENED" 60
    nobody_hung 2
}

@test "three clients for each place at a unix socket: all are served" {
    faulty --listen "unix:$BATS_TEST_TMPDIR/socket" --workers 8 --max-connections 2
    DROVER_URL+=/later load_begin short --close --clients 48 --timeout 20s
    wait_until 20 each_was_full 8
    sleep 1 # as long as it lasts
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    nobody_hung 2
}

# For act(): servers of tests/apps/hang.c.
MOMENTS+='

def who(s):
    """The pid of the worker that answers."""
    ask(s, "/who", close=False)
    return int(answer(s)[1])

def fill(address, slot, places):
    """Idle connections to a worker, as many as it takes: the last time that it has room."""
    pid, kept = workers()[slot], []
    while len(kept) < places:
        s = connect(address)
        if who(s) == pid:
            kept.append(s)
        else:
            s.close()
    return kept
'

@test "one worker full of idle connections: new clients are answered at once, by the others" {
    faulty --workers 4 --max-connections 10 --hang-timeout 200ms --log-level debug
    act "$DROVER_ADDR" <<'PY'
kept = fill(args[0], 2, 10)
full = who(kept[0])
wait(lambda: lines(f"worker 2 (pid {full}) is full; others accept for it") == 1)
for i in range(200):
    s = connect(args[0], 2)
    assert who(s) != full
    s.close()
# and when there is room again
for s in kept[5:]:
    s.close()
wait(lambda: lines(f"worker 2 (pid {full}) accepts again") == 1)
more = fill(args[0], 2, 1)
assert all(who(s) == full for s in kept[:5] + more)
PY
    nobody_hung
}

# bats test_tags=nosan
@test "all full: the board has the queues and what they drop, and clients wait until there is room" {
    # no defer, since the kernel counts each client that it makes wait for its request as dropped
    faulty --listen 127.0.0.1:0,backlog=4,defer=no --workers 2 --max-connections 4 --hang-timeout 200ms
    run act "$DROVER_ADDR" <<'PY'
def queues():
    out = subprocess.run([os.environ["BOARD"], str(master)], stdout=subprocess.PIPE, check=True)
    slots = [l.split() for l in out.stdout.decode().splitlines() if l[:4] == "slot"]
    return sum(int(l[3]) for l in slots), sum(int(l[5]) for l in slots)

# one after the other: more than the backlog at once would be dropped, too
kept = []
pids = []
for _ in range(8):
    kept.append(connect(args[0]))
    pids.append(who(kept[-1]))
assert sorted(pids.count(pid) for pid in set(pids)) == [4, 4], pids
wait(lambda: sum(row["paused"] for row in board().values()) == 2)
assert queues()[1] == 0, queues()
waiting = []
for i in range(24):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex((args[0].rsplit(":", 1)[0], int(args[0].rsplit(":", 1)[1])))
    waiting.append(s)
unsent = set(waiting)
def send():
    for s in select.select([], list(unsent), [], 0)[1]:
        s.settimeout(20)
        ask(s, "/who")
        unsent.remove(s)
def is_full():
    send()
    queued, drops = queues()
    return queued >= 8 and drops > 0
wait(is_full)
time.sleep(0.3) # longer than --hang-timeout
print("%d clients are queued, %d were dropped" % queues())
assert not select.select(waiting, [], [], 0)[0]
assert [who(s) for s in kept] == pids
kept.pop().close()
wait(lambda: send() or select.select(waiting, [], [], 0)[0])
for s in kept:
    s.close()
deadline = time.monotonic() + 20
while unsent:
    assert time.monotonic() < deadline
    send()
    time.sleep(0.001)
assert all(answer(s)[0] == 200 for s in waiting)
PY
    assert_success
    tell "$output"
    nobody_hung
}
