#!/usr/bin/env bats
#
# Workers that are stopped, or whose handlers do not return: others accept for them at once, those
# that do not come back are ended, and no healthy one is taken for one of them.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=alone

load helper
load process
load lifecycle
load faulty

# Without a standby, as it is where there can be none; what a standby does then is in standby.bats.
DROVER_WITH=(--standby off)

setup() {
    make_site
}

# What the log said of hangs, how many milliseconds each had lasted, one a line.
hangs_seen() {
    sed -n 's/.* hangs since \([0-9]*\) ms.*/\1/p' "$DROVER_LOG"
}

# takes_slot_back SLOT: from now on its worker accepts clients, sooner or later.
takes_slot_back() {
    local before
    before=$(board_row "$1" accepted)
    wait_until 10 accepted_since "$1" "$before"
}

accepted_since() {
    (($(board_row "$1" accepted) > $2))
}

# try_thrice COMMAND...: a measurement of time is another's business, too, on a busy machine.
try_thrice() {
    "$@" || "$@" || "$@"
}

# under_load [ARGS...]: both loads, with their connections open.
under_load() {
    both_begin "$@"
    wait_until 10 board_has 64 row connections
}

# ---- stopped ----------------------------------------------------------------------------------

# bats test_tags=nosan
@test "one worker stopped for 6 s: what it held waits, and nobody else" {
    local pid before
    drover_start --workers 8 "$SITE"
    under_load --timeout 1s
    pid=$(worker_of 3)
    kill -STOP "$pid"
    wait_until 10 logged 'was stopped'
    HELD=$(board_row 3 connections) before=$(board_row 3 accepted)
    sleep 6 # as long as the moment lasts
    assert_equal "$(board_row 3 accepted)" "$before"
    kill -CONT "$pid"
    wait_until 10 logged 'was continued'
    takes_slot_back 3
    load_stop short
    ((LOST <= 2))
    assert_equal "$(caused short silent)" "$LOST"
    load_stop kept
    tell "it held $HELD"
    ((LOST <= HELD && HELD <= 3 * 64 / 8))
    assert_equal "$(caused kept silent)" "$LOST"
    assert_equal "$(worker_of 3)" "$pid"
    assert_equal "$(count_logged 'SIGABRT')" 0
}

# stops_seen: twenty times, in milliseconds, from a SIGSTOP to its line in the log.
stops_seen() {
    act 20 <<'PY'
import datetime
log = open(log)
for i in range(int(args[0])):
    slot, pid = some_worker()
    log.seek(0, 2)
    began = time.time()
    kill(pid, signal.SIGSTOP)
    seen = None
    while not seen:
        for line in log.read().splitlines():
            if f"(pid {pid}) was stopped" in line:
                seen = datetime.datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S.%f").timestamp()
        time.sleep(0.001)
    # the log has no less than milliseconds
    print(max(0, round((seen - began) * 1000)))
    kill(pid, signal.SIGCONT)
    time.sleep(0.02) # the pace
PY
}

stops_are_seen_in_time() {
    # shellcheck disable=SC2046 # a word a number
    SEEN=$(median $(stops_seen))
    tell "a stop is seen after $SEEN ms"
    ((SEEN <= 5))
}

# bats test_tags=nosan
@test "a stop is seen within 5 ms under load" {
    drover_start --workers 8 "$SITE"
    under_load
    try_thrice stops_are_seen_in_time
    load_stop short
    assert_equal "$LOST" 0
    load_stop kept
    assert_equal "$LOST" 0
}

# ---- in a handler -----------------------------------------------------------------------------

# hangs_seen_after PATH: five times the milliseconds from the beginning of such a hang to its line in the
# log, and how many of them neither the worker nor the master had waited for a CPU.
hangs_seen_after() {
    act "$DROVER_ADDR" "$1" <<'PY'
import re
log = open(log)
log.seek(0, 2)

def waits():
    """The milliseconds that each process has waited for a CPU."""
    found = {}
    for pid in [master, *workers().values()]:
        with open(f"/proc/{pid}/schedstat") as f:
            found[pid] = int(f.read().split()[1]) / 1e6
    return found

def comes(text):
    """The first such line of the log."""
    deadline = time.monotonic() + 10
    while True:
        assert time.monotonic() < deadline, text
        for line in log:
            if text in line:
                return line
        time.sleep(0.002)

for i in range(5):
    before = waits()
    s = connect(args[0], 10)
    ask(s, f"/{args[1]}?400")
    pid, ms = map(int, re.search(r"pid (\d+)\) hangs since (\d+) ms", comes(" hangs since ")).groups())
    after = waits()
    waited = sum(after[p] - before[p] for p in (master, pid))
    assert answer(s)[0] == 200
    comes(f"(pid {pid}) goes on after ")
    print(ms, max(0, round(ms - waited)))
PY
}

# Where others have the CPUs, nothing is seen in time but what they leave.
hangs_are_seen_in_time() {
    local all own
    all=$(hangs_seen_after "$1") || return
    # shellcheck disable=SC2046 # a word a number
    SEEN=$(median $(cut -d ' ' -f 1 <<<"$all")) own=$(median $(cut -d ' ' -f 2 <<<"$all"))
    tell "a hang in /$1 is seen after $SEEN ms, $own without the wait for a CPU"
    ((SEEN <= 100 || own <= 100))
}

# hang_of PATH: what the issue says of one, under load; the worker comes back in time.
hang_of() {
    local slot
    faulty --workers 8
    local kind
    for kind in short kept; do
        [[ $kind == kept ]] || set -- "$1" --close
        load_begin "$kind" --clients 64 "${@:2}"
        set -- "$1"
        try_thrice hangs_are_seen_in_time "$1"
        load_stop "$kind"
        assert_equal "$LOST" 0
    done
    # what it holds loses its patience before it comes back
    under_load --timeout 1s
    : >"$DROVER_LOG"
    fault "/$1?2000"
    wait_until 10 logged ' hangs since '
    slot=$(sed -n 's/.*worker \([0-9]*\) .* hangs since .*/\1/p' "$DROVER_LOG")
    HELD=$(board_row "$slot" connections)
    wait_until 10 logged "worker $slot (pid $(worker_of "$slot")) goes on after"
    takes_slot_back "$slot"
    load_stop short
    ((LOST <= 2))
    assert_equal "$(caused short silent)" "$LOST"
    load_stop kept
    tell "it held $HELD"
    ((LOST <= HELD))
    assert_equal "$(caused kept silent)" "$LOST"
    assert_equal "$(hangs_seen | wc -l)" 1
    assert_equal "$(count_logged SIGABRT)" 0
}

# bats test_tags=nosan
@test "an endless loop in a handler: seen within 100 ms, others accept, and it takes its slot back" {
    hang_of spin
}

# bats test_tags=nosan
@test "a handler blocked in a system call: the same" {
    hang_of block
}

# bats test_tags=nosan
@test "after --hang-timeout it is ended by SIGABRT, then by SIGKILL, and there is another" {
    local before pid slot
    faulty --workers 8 --hang-timeout 300ms
    before=$(belongings)
    under_load --timeout 2s
    pid=$(worker_of 5)
    kill -STOP "$pid"
    fault /spin?60000
    wait_until 10 logged_times 1 ' hangs since '
    fault /block?60000
    wait_until 10 logged_times 2 ' hangs since '
    fault /deaf?60000
    wait_until 10 logged_times 3 ' hangs since '
    wait_until 10 logged "worker 5 (pid $pid) was stopped for 300 ms, and is ended by SIGABRT"
    wait_until 10 logged_times 3 ' has hung for 300 ms, and is ended by SIGABRT'
    wait_until 10 logged_times 3 'ended: killed by SIGABRT'
    wait_until 10 logged "worker 5 (pid $pid) ended: killed by SIGABRT"
    wait_until 10 logged_times 1 'ended: killed by SIGKILL' # the deaf one
    wait_until 10 has_workers 8
    for slot in 0 1 2 3 4 5 6 7; do
        takes_slot_back "$slot"
    done
    load_stop short
    ((LOST <= 4 * 2))
    load_stop kept
    ((LOST <= 4 * 3 * 64 / 8))
    assert_equal "$(hangs_seen | wc -l)" 3
    keeps_belongings "$before"
}

# bats test_tags=nosan
@test "--hang-timeout 0 ends nobody" {
    local pid
    faulty --workers 2 --hang-timeout 0
    pid=$(worker_of 0)
    kill -STOP "$pid"
    fault /spin?1500
    wait_until 10 logged ' hangs since '
    fetch /1k.bin >/dev/null & # waits for either
    wait_until 10 logged ' goes on after '
    wait "$!"
    kill -CONT "$pid"
    wait_until 10 logged 'was continued'
    assert_equal "$(count_logged 'ended')" 0
    assert_equal "$(worker_of 0)" "$pid"
}

# ---- healthy ones -----------------------------------------------------------------------------

# bats test_tags=nosan
@test "of 64 healthy workers on the CPUs there are, none is taken for hung" {
    faulty --workers 64
    # as many as there are wait for a CPU, and each has several costly answers to give in a turn
    DROVER_URL+=/work load_begin kept --clients 256 --timeout 20s --duration 3s
    load_begin short --close --clients 64 --timeout 20s --duration 3s
    load_end short
    assert_equal "$LOST" 0
    load_end kept
    assert_equal "$LOST" 0
    assert_equal "$(hangs_seen | wc -l)" 0
}

# bats test_tags=nosan
@test "a worker that waits for an answer of its application's does not hang" {
    faulty --workers 1
    for _ in 1 2 3 4; do
        fault /hold?500
    done
    # longer than the master leaves its board alone
    assert_equal "$(fetch /hold?1500)" held
    assert_equal "$(hangs_seen | wc -l)" 0
}

# As clients are that came back together behind a stop of their own: here the worker's.
# bats test_tags=nosan
@test "9000 idle connections whose time is up together hold nobody up" {
    (($(ulimit -H -n) >= 19000)) || skip 'a process may not have 19,000 descriptors here'
    ulimit -S -n 19000
    drover_start --workers 1 --idle-timeout 6s "$SITE" # which all of them are there in
    try_thrice expire_together
    assert_equal "$(hangs_seen | wc -l)" 0
}

# expire_together: in what is waited for meanwhile there is no answer that takes 60 ms.
expire_together() {
    act "$DROVER_ADDR" <<'PY'
worker, idle = children(master)[0], []
while len(idle) < 9000:
    batch = [connect(args[0]) for _ in range(60)]
    for s in batch:
        ask(s, close=False)
    for s in batch:
        answer(s)
    idle += batch
poll = select.poll()
for s in idle:
    poll.register(s, select.POLLIN)
assert not poll.poll(0), "not all of them are idle"
os.kill(worker, signal.SIGSTOP)
time.sleep(6.1) # until the time of each is up
os.kill(worker, signal.SIGCONT)
client, longest = connect(args[0]), 0
while len(poll.poll(0)) < len(idle):
    began = time.monotonic()
    ask(client, close=False)
    answer(client)
    longest = max(longest, time.monotonic() - began)
print(f"{longest * 1000:.0f} ms at most")
assert longest < 0.06, "that is too long"
PY
}
