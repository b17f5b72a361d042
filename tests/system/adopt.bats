#!/usr/bin/env bats
#
# A slot whose worker is dead, stopped, starting or no longer wanted is served by another worker:
# no client waits for a worker that is not there.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helper's

load helper
load process

# A slot has no standby here: with one, it takes more for it to be without a worker.
DROVER_WITH=(--standby off)

# The workers have ROOT open. Once it has another name, they go on and no new one can start: then a
# killed worker's slot stays without one, as long as the test needs.
setup() {
    make_site
    ROOT=$BATS_TEST_TMPDIR/root
    mv "$SITE" "$ROOT"
}

forbid_starts() {
    mv "$ROOT" "$ROOT.away"
}

allow_starts() {
    mv "$ROOT.away" "$ROOT"
}

# kill_for_good SLOT...
kill_for_good() {
    local slot pid
    for slot; do
        pid=$(worker_of "$slot")
        kill -KILL "$pid"
        wait_until 10 logged "worker $slot (pid $pid) ended"
    done
}

# all_served WHAT [N]: N new connections, one after the other, are answered, so many that each slot
# gets some. How long they took is shown. None may take a second, which a lost SYN would.
all_served() {
    local times
    times=$(
        py "$DROVER_ADDR" "${2:-64}" <<'PY'
took = []
for _ in range(int(sys.argv[2])):
    start = time.monotonic()
    assert fetch(sys.argv[1]) == (200, b"hello\n")
    took.append((time.monotonic() - start) * 1000)
took.sort()
print(f"median {took[len(took) // 2]:.2f} ms, max {took[-1]:.2f} ms", int(took[-1]))
PY
    )
    tell "$1: ${2:-64} connections, ${times% *}"
    ((${times##* } < 1000))
}

# ---- dead -------------------------------------------------------------------------------------

@test "a slot in backoff is served by another worker" {
    drover_start --workers 4 "$ROOT"
    forbid_starts
    kill_for_good 0
    all_served 'one of 4 slots without a worker' 200
    run worker_of 0
    assert_failure
    allow_starts
    wait_until 60 slot_has_other 0 ''
    all_served 'all of them with one again'
}

@test "a worker that was killed many times in a row is missed by no client" {
    drover_start --workers 2 "$ROOT"
    for _ in 1 2 3 4; do
        kill_worker 0
    done
    kill_for_good 0
    logged 'the next one comes in 800 ms'
    all_served 'right after the fifth kill in a row' 100
}

@test "one worker serves the slots of seven that are dead" {
    drover_start --workers 8 "$ROOT"
    forbid_starts
    kill_for_good 0 1 2 3 4 5 6
    all_served '7 of 8 slots without a worker'
    allow_starts
    wait_until 60 accept 8
    kill_for_good 7
    all_served 'after its return to the eight'
}

@test "an adopter that dies, too, is followed by another" {
    drover_start --workers 4 "$ROOT"
    forbid_starts
    for slot in 0 1 2; do
        kill_for_good "$slot"
        all_served "slots 0 to $slot without a worker"
    done
    allow_starts
    wait_until 60 accept 4
    # the last one that was there goes: the others serve what is theirs, and slot 3
    forbid_starts
    kill_for_good 3
    all_served 'slot 3 without a worker'
}

@test "clients right after a kill -9 are answered as fast as ever" {
    drover_start --workers 16 "$ROOT"
    run py "$DROVER_ADDR" "$DROVER_PID" <<'PY'
address, master = sys.argv[1], int(sys.argv[2])
took = []
for pid in children(master):
    os.kill(pid, signal.SIGKILL)
    for _ in range(13):
        start = time.monotonic()
        assert fetch(address) == (200, b"hello\n")
        took.append((time.monotonic() - start) * 1000)
took.sort()
print(f"median {took[len(took) // 2]:.2f} ms, max {took[-1]:.2f} ms of {len(took)}")
assert took[-1] < 1000
PY
    assert_success
    tell "13 clients after each of 16 kills: $output"
}

# bats test_tags=alone
@test "clients that are in the queue when their worker dies are answered soon" {
    drover_start --workers 4 "$ROOT"
    run py "$DROVER_ADDR" "$DROVER_PID" <<'PY'
# On one CPU, and this process first: between connect and kill no worker runs.
address, master = sys.argv[1], int(sys.argv[2])
workers = children(master)
for pid in [0, master] + workers:
    os.sched_setaffinity(pid, {min(os.sched_getaffinity(0))})
took, held = [], 0
for pid in workers:
    clients = [connect(address) for _ in range(50)]
    # a worker takes nothing before there is something to read
    start = time.monotonic()
    for client in clients:
        ask(client)
    os.kill(pid, signal.SIGKILL)
    for client in clients:
        try:
            assert answer(client) == (200, b"hello\n")
            took.append((time.monotonic() - start) * 1000)
        except (ConnectionError, EOFError):
            held += 1
took.sort()
print(f"median {took[len(took) // 2]:.2f} ms, max {took[-1]:.2f} ms of {len(took)}, {held} held")
# 50 take their time one after the other: 4.4 ms on one CPU at rest, 7 beside other work.
assert took[len(took) // 2] < (1000 if os.environ.get("SAN") == "1" else 15)
assert took[-1] < 1000
assert held <= len(workers) # what the dead one was at
PY
    assert_success
    tell "50 clients at each of 4 kills: $output"
}

@test "with one worker, clients wait for the next one and are answered" {
    local clients=()
    drover_start --workers 1 "$ROOT"
    forbid_starts
    kill_for_good 0
    for ((i = 0; i < 8; i++)); do
        client_open
        client_ask "$CLIENT" /hello.txt
        clients+=("$CLIENT")
    done
    allow_starts
    for CLIENT in "${clients[@]}"; do
        client_answer "$CLIENT"
        assert_equal "$BODY" $'hello\n'
    done
}

# ---- stopped ----------------------------------------------------------------------------------

@test "a stopped worker's slot is served by another, and its own worker comes back" {
    local pid
    drover_start --workers 4 "$ROOT"
    pid=$(worker_of 1)
    kill -STOP "$pid"
    wait_until 5 logged "worker 1 (pid $pid) was stopped by SIGSTOP"
    all_served 'one of 4 workers stopped'
    kill -CONT "$pid"
    wait_until 5 logged "worker 1 (pid $pid) was continued"
    assert_equal "$(worker_of 1)" "$pid"
    all_served 'continued'
    # it serves again: the others leave all to it
    for slot in 0 2 3; do
        kill -STOP "$(worker_of "$slot")"
    done
    wait_until 5 logged_times 4 'was stopped'
    all_served 'the other 3 stopped'
    for slot in 0 2 3; do
        kill -CONT "$(worker_of "$slot")"
    done
    drover_stop
    assert_equal "$status" 0
}

@test "a stopped adopter is followed by another" {
    drover_start --workers 3 "$ROOT"
    forbid_starts
    kill_for_good 0
    for slot in 1 2; do
        kill -STOP "$(worker_of "$slot")"
        wait_until 5 logged_times 1 "worker $slot (pid $(worker_of "$slot")) was stopped"
        all_served "slot 0 without a worker, $slot stopped"
        kill -CONT "$(worker_of "$slot")"
        wait_until 5 logged_times 1 "worker $slot (pid $(worker_of "$slot")) was continued"
    done
}

@test "all stopped: clients wait, and are answered when one goes on" {
    local pids
    drover_start --workers 2 "$ROOT"
    mapfile -t pids < <(workers)
    kill -STOP "${pids[@]}"
    wait_until 5 logged_times 2 'was stopped'
    for ((i = 0; i < 16; i++)); do
        client_open
        client_ask "$CLIENT" /hello.txt
        clients+=("$CLIENT")
    done
    kill -CONT "${pids[1]}"
    for CLIENT in "${clients[@]}"; do
        client_answer "$CLIENT"
        assert_equal "$BODY" $'hello\n'
    done
}

@test "a stopped worker that is killed is replaced" {
    local pid
    drover_start --workers 2 "$ROOT"
    pid=$(worker_of 0)
    kill -STOP "$pid"
    wait_until 5 logged 'was stopped'
    kill -KILL "$pid"
    wait_until 20 slot_has_other 0 "$pid"
    all_served 'replaced'
}

# ---- slots that came later, and slots that nobody wants ----------------------------------------

@test "a slot that was made later is adopted, too" {
    drover_start --workers 2 "$ROOT"
    kill -TTIN "$DROVER_PID"
    wait_until 10 slot_has_other 2 ''
    wait_until 10 has_listeners 3
    forbid_starts
    kill_for_good 2
    all_served 'slot 2 of 0 to 2 without a worker'
    kill_for_good 0
    all_served 'slot 0, too'
}

@test "a slot that nobody wants is served on, whoever dies" {
    drover_start --workers 3 "$ROOT"
    kill -TTOU "$DROVER_PID"
    wait_until 10 has_workers 2
    all_served 'two workers for three slots'
    forbid_starts
    kill_for_good 0
    all_served 'one worker for three slots'
    allow_starts
    wait_until 60 accept 2
    forbid_starts
    kill_for_good 1
    all_served 'the other worker for three slots'
}

@test "slots that come and go during reloads are all served" {
    drover_start --workers 2 "$ROOT"
    for signal in TTIN TTIN HUP TTOU TTOU HUP TTIN TTOU HUP TTOU TTIN; do
        count=$(count_logged 'one worker ')
        kill -s "$signal" "$DROVER_PID"
        # two of a kind that wait to be read are one
        [[ $signal == HUP ]] || wait_until 10 logged_times $((count + 1)) 'one worker '
    done
    wait_until 10 has_workers 2
    all_served 'two workers for four slots'
}

# ---- sockets that all share -------------------------------------------------------------------

# strand ADDRESS SIGNAL ROUNDS: in each round a client comes, and four of the workers get the signal
# before the one that was woken by the client can run. Nobody may be left waiting in the queue beside
# workers that have nothing to do. What a worker had taken already may be lost with it.
strand() {
    run py "$@" "$DROVER_PID" <<'PY'
address, name, rounds, master = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
workers = children(master)
# On one CPU, and nobody who is woken interrupts this process: between a request and the signals no
# worker runs.
for pid in [0, master] + workers:
    os.sched_setaffinity(pid, {min(os.sched_getaffinity(0))})
    if pid:
        os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
stranded = held = 0
for _ in range(rounds):
    victims = random.sample(workers, 4)
    client = connect(address, 2)
    for pid in victims:
        os.kill(pid, getattr(signal, name))
    try:
        ask(client)
        assert answer(client) == (200, b"hello\n")
    except (ConnectionError, EOFError):
        held += 1
    except TimeoutError:
        # In the queue, or taken by one that was stopped? Its death tells.
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        try:
            answer(client)
            stranded += 1
        except TimeoutError:
            stranded += 1
        except (ConnectionError, EOFError):
            held += 1
        while set(victims) & set(children(master)):
            time.sleep(0.01)
        victims, workers = [], children(master)
    client.close()
    if name == "SIGSTOP":
        for pid in victims:
            os.kill(pid, signal.SIGCONT)
    else:
        workers = [pid for pid in workers if pid not in victims]
print(f"{stranded} stranded, {held} held")
assert stranded == 0
PY
    assert_success
}

@test "a unix socket: 100 sharers are killed, and no client is left in the queue" {
    local said=''
    for _ in 1 2 3 4 5; do
        drover_start --workers 24 --listen "unix:$BATS_TEST_TMPDIR/shared.sock" "$ROOT"
        forbid_starts # a new one would look into the queue by itself
        strand "$DROVER_ADDR" SIGKILL 5
        said+="$output; "
        drover_stop
        allow_starts
    done
    tell "5 x 20 of 24 workers killed: $said"
}

@test "a unix socket: 100 sharers are stopped, and no client is left in the queue" {
    drover_start --workers 20 --listen "unix:@drover.shared.$$" "$ROOT"
    strand "$DROVER_ADDR" SIGSTOP 25
    tell "25 times 4 of 20 workers stopped: $output"
    drover_stop
    assert_equal "$status" 0
}

@test "a unix socket under load, sharers killed: nobody waits in vain" {
    drover_start --workers 8 --listen "unix:$BATS_TEST_TMPDIR/shared.sock" "$ROOT"
    load_start --close --clients 16 --duration 2s --timeout 3s --unix "$DROVER_SOCKET"
    for slot in 0 1 2 3 4 5 6 7; do
        sleep 0.15 # the pace of the kills
        kill -KILL "$(worker_of "$slot")"
    done
    load_wait
    tell "unix socket, 8 x kill -9: lost $LOST of $ANSWERED${CAUSES:+ ($CAUSES)}"
    [[ $CAUSES != *silent* && $CAUSES != *refused* ]]
    ((LOST <= 16))
}
