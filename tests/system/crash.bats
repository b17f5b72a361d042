#!/usr/bin/env bats
#
# Workers that die under load: what is lost is what they held, and nobody waits for the next one.
# How each end is told, and when the next worker comes, is in respawn.bats.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

load helper
load process
load lifecycle
load faulty

setup() {
    make_site
}

# A dead worker's clients see a reset or an end; a server without a listener, or with one that
# nobody serves, would refuse them or keep them waiting.
only_ends() {
    assert_equal "$(caused "$1" refused silent wrong_status wrong_body malformed)" 0
}

no_zombie() {
    ! has_zombie
}

# bats test_tags=alone
@test "30 times kill -9 in 10 s, a connection a request: at most 3 requests are lost" {
    local times=30 other
    [[ $SAN != 1 ]] || times=10
    # beside it, one whose worker had two ends in a row and is healthy for 10 s afterwards
    drover_start --workers 1 --standby off "$SITE"
    kill_worker 0
    kill_worker 0
    logged '(2 ends in a row)'
    other=$DROVER_PID
    drover_start --workers 8 "$SITE"
    load_begin short --close --clients 64
    kills "$times" $((10000 / times))
    load_stop short
    tell "the dead workers held $HELD"
    ((LOST <= 3))
    only_ends short
    wait_until 20 has_workers 8
    wait_until 2 no_zombie
    assert_equal "$(count_logged 'killed by SIGKILL')" $((2 + times))
    DROVER_PID=$other kill_worker 0
    [[ $(grep "killed by SIGKILL" "$DROVER_LOG" | tail -n 1) == *'; the next one comes at once' ]]
}

@test "30 times kill -9 in 5 s, kept connections, --standby off: what the dead workers held is lost" {
    local times=30
    [[ $SAN != 1 ]] || times=10
    drover_start --workers 8 --standby off "$SITE"
    load_begin kept --clients 64
    kills "$times" 160
    load_stop kept
    tell "the dead workers held $HELD"
    ((LOST <= HELD && HELD <= 2 * times * 64 / 8))
    only_ends kept
    wait_until 20 has_workers 8
}

# bats test_tags=alone
@test "all 8 killed at once, five times: each loses what it held, and the queues are served" {
    drover_start --workers 8 "$SITE"
    both_begin
    HELD=$(
        act <<'PY'
lost = 0
for i in range(5):
    wait(lambda: len(workers()) == 8 and sum(held()) >= 64)
    lost += sum(held())
    for pid in workers().values():
        kill(pid, signal.SIGKILL)
    time.sleep(0.2) # the pace
print(lost)
PY
    )
    load_stop short
    ((LOST <= 40 / 5)) # one in its hands at a time, and mostly none
    only_ends short
    load_stop kept
    tell "the dead workers held $HELD"
    ((LOST <= HELD))
    only_ends kept
    wait_until 20 has_workers 8
}

# bats test_tags=alone
@test "a handler that ends its process, again and again: others go on" {
    faulty --workers 8
    both_begin
    HELD=$(
        act "$DROVER_ADDR" <<'PY'
lost = 0
for i in range(40):
    s = connect(args[0])
    lost += held()[0]
    ask(s, "/abort")
    try:
        assert s.recv(1) == b""
    except ConnectionResetError:
        pass
    time.sleep(0.05) # the pace
print(lost)
PY
    )
    load_stop short
    ((LOST <= 40 / 5)) # which came in the same turn as a fatal one
    only_ends short
    load_stop kept
    tell "the dead workers held at most $HELD"
    ((LOST <= HELD))
    only_ends kept
    assert_equal "$(count_logged 'killed by SIGABRT')" 40
    logged 'ends in a row)'
    wait_until 60 has_workers 8
}

# bats test_tags=alone
@test "workers killed while reloads are under way: each comes to its end" {
    drover_start --workers 8 "$SITE"
    both_begin
    HELD=$(
        act <<'PY'
lost = 0
for i in range(10):
    old, reloads = set(children(master)), lines(RELOADED)
    tell(signal.SIGHUP)
    new = set()
    wait(lambda: new.update(set(children(master)) - old) or new)
    victims = max(new), random.choice(list(old))
    lost += sum(held()[:2])
    for pid in victims:
        kill(pid, signal.SIGKILL)
    wait(lambda: lines(RELOADED) > reloads)
    time.sleep(0.1) # the pace
print(lost)
PY
    )
    load_stop short
    ((LOST <= 20 / 5))
    only_ends short
    load_stop kept
    tell "the dead workers held at most $HELD"
    ((LOST <= HELD))
    only_ends kept
    wait_until 20 has_workers 8
}

@test "a unix socket's sharers killed and stopped: no client stays in the queue" {
    faulty --listen "unix:$BATS_TEST_TMPDIR/socket" --workers 8
    load_begin short --close --clients 64 --timeout 2s
    act <<'PY'
for i in range(30):
    slot, pid = some_worker()
    if i % 2:
        kill(pid, signal.SIGKILL)
        time.sleep(0.05) # the pace
    else:
        kill(pid, signal.SIGSTOP)
        time.sleep(0.05)
        kill(pid, signal.SIGCONT)
PY
    load_stop short
    ((LOST <= 15))
    only_ends short
    drover_stop
    # without standbys, where a stopped one stays what it is
    faulty --listen "unix:$BATS_TEST_TMPDIR/socket" --workers 8 --standby off
    # The kernel wakes the same idle one for each client that comes alone. What was announced to it
    # as it was stopped is announced to nobody else, unless it has come to accept it.
    run act "$DROVER_ADDR" <<'PY'
wait(lambda: len(workers()) == 8)

def comes(s, seconds):
    return select.select([s], [], [], seconds)[0]

def is_taken(s, slot, before):
    """Has the stopped worker accepted it? If only its row does not say so yet, nobody else will."""
    if board()[slot]["accepted"] > before:
        return True
    if comes(s, 3):
        return False
    fetch(args[0], "/who") # whoever accepts this one accepts all that are in the queue
    assert not comes(s, 1), "it stayed in the queue"
    return True

taken = 0
for i in range(100):
    pid = int(fetch(args[0], "/who")[1])
    slot = {pid: slot for slot, pid in workers().items()}[pid]
    before = board()[slot]["accepted"]
    s = socket.socket(socket.AF_UNIX)
    s.connect(args[0][5:])
    os.kill(pid, signal.SIGSTOP)
    ask(s, "/who")
    taken += not comes(s, 0.02) and is_taken(s, slot, before)
    kill(pid, signal.SIGCONT)
    s.settimeout(5)
    assert answer(s)[0] == 200
print(f"of 100 clients the stopped worker had accepted {taken}")
PY
    tell "$output"
    assert_success
}

@test "200 rounds of ends, stops and reloads leave no process, descriptor or slot behind" {
    local before
    drover_start --workers 8 "$SITE"
    reload
    wait_until 10 has_workers 8
    wait_until 10 has_standbys 8 # those of the first workers end after them
    wait_until 10 no_zombie
    before=$(belongings)
    both_begin
    act <<'PY'
for i in range(200):
    slot, pid = some_worker()
    if i % 20 == 0:
        tell(signal.SIGHUP)
    elif i % 4 == 0:
        kill(pid, signal.SIGKILL)
    else:
        kill(pid, signal.SIGSTOP)
        time.sleep(0.005) # the pace
        kill(pid, signal.SIGCONT)
    time.sleep(0.01)
PY
    load_stop short
    only_ends short
    load_stop kept
    only_ends kept
    wait_until 60 has_workers 8
    keeps_belongings "$before"
}
