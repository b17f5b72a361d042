#!/usr/bin/env bash
#
# managed - a server that a service manager has started, which tests/system/manager plays: on top of
# helper.bash, process.bash and lifecycle.bash.

# managed_start [OPTIONS OF THE MANAGER...] -- ARGS...: starts `drover serve ARGS...` by a manager
# and returns when it serves. Sets DROVER_PID, DROVER_LOG and the variables of managed_learn; the
# manager's lines are in EVENTS. MANAGED_COMMAND (an array) stands in place of "$DROVER".
managed_start() {
    local before=0
    [[ ! -e $BATS_TEST_TMPDIR/log ]] || before=$(count_logged 'master: serving ')
    managed_launch "$@"
    wait_until "$READY_SECONDS" logged_times $((before + 1)) 'master: serving '
    managed_learn
}

# managed_launch ...: the same, and does not wait.
managed_launch() {
    local options=()
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    shift
    drover_starts=$((drover_starts + 1))
    DROVER_LOG=$BATS_TEST_TMPDIR/log DROVER_MARK=$BATS_TEST_TMPDIR/$drover_starts
    EVENTS=$BATS_TEST_TMPDIR/events.$drover_starts
    ORDERS_FILE=$BATS_TEST_TMPDIR/orders.$drover_starts
    mkfifo "$ORDERS_FILE"
    exec {ORDERS}<>"$ORDERS_FILE" # both, so that it has no end
    DROVER_TEST=$DROVER_MARK TMPDIR=$BATS_TEST_TMPDIR env --default-signal=INT,QUIT \
        "$BATS_TEST_DIRNAME/manager" "${options[@]}" "${MANAGED_COMMAND[@]:-$DROVER}" serve "$@" \
        <&"$ORDERS" >"$EVENTS" 2>>"$DROVER_LOG" 3>&- 4>&- {ORDERS}>&- &
    MANAGER_PID=$!
    wait_until 10 happened 'start .*'
}

# managed_learn: DROVER_PID, and DROVER_ADDR, DROVER_URL, DROVER_SOCKET as drover_start has them, of
# the last start.
# shellcheck disable=SC2034 # they are for the tests
managed_learn() {
    DROVER_PID=$(sed -nE 's/^(start|main) ([0-9]+)$/\2/p' "$EVENTS" | tail -n 1)
    DROVER_ADDR=$(sed -nE 's|.* master: serving .* at (http://)?([^/ ,]+[^ ,]*[^ ,/]).*|\2|p' "$DROVER_LOG" |
        tail -n 1)
    DROVER_SOCKET='' DROVER_URL=http://$DROVER_ADDR
    if [[ $DROVER_ADDR == unix:* ]]; then
        DROVER_SOCKET=${DROVER_ADDR#unix:} DROVER_URL=http://localhost
    fi
}

# manage ORDER...: see the manager.
manage() {
    echo "$*" >&"$ORDERS"
}

# manage_again ORDER...: one upon which it starts anew, such as restart or kill; returns when that
# serves. DOWN_MS: how long the longest such time was, in milliseconds.
manage_again() {
    local before begun took
    before=$(count_logged 'master: serving ')
    begun=$(now_us)
    manage "$@"
    wait_until "$READY_SECONDS" logged_times $((before + 1)) 'master: serving '
    managed_learn
    took=$(ms_since "$begun")
    ((${DOWN_MS:-0} >= took)) || DOWN_MS=$took
}

# managed_stop: TERM, and returns when all of its processes and the manager have ended.
managed_stop() {
    manage stop
    wait_until "$STOP_SECONDS" is_gone "$MANAGER_PID"
    wait_until "$STOP_SECONDS" drover_left_nothing || fail 'processes outlived the master'
}

# happened TEXT: has the manager such a line? For wait_until.
happened() {
    grep -qxE -e "$1" "$EVENTS"
}

# The address of the first socket that was lent under the name.
lent_address() {
    sed -n "s/^lent $1 //p" "$EVENTS" | head -n 1
}

# at ADDRESS: fetch, load_begin, clients and the like go there from now on.
# shellcheck disable=SC2034 # they are for the tests
at() {
    DROVER_ADDR=$1 DROVER_SOCKET='' DROVER_URL=http://$1
    if [[ $1 == unix:* ]]; then
        DROVER_SOCKET=${1#unix:} DROVER_URL=http://localhost
    fi
}

# clients N [SECONDS]: so many at the same time, each with a connection of its own; all are answered, none
# after more than so long (1).
clients() {
    py "$DROVER_ADDR" "$1" "${2:-1}" <<'PY'
address, count, limit = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
begin = time.monotonic()
waiting = [connect(address, limit) for _ in range(count)]
for s in waiting:
    ask(s)
for s in waiting:
    s.settimeout(max(0.001, begin + limit - time.monotonic()))
    assert answer(s)[1] == b"hello\n"
    s.close()
PY
}

# frozen_queues N: stops the master and all of its workers, has N clients come, and prints how many
# wait at each socket of the address, sorted; then all goes on, and each client is answered.
frozen_queues() {
    # shellcheck disable=SC2119
    act "$DROVER_ADDR" "$1" <<'PY'
import subprocess
address, count = args[0], int(args[1])
def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass # one that was leaving
def is_stopped(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "T"
    except OSError:
        return False
pids = [master] + children(master)
stopped = [pid for pid in pids if is_stopped(pid)]
for pid in pids:
    send(pid, signal.SIGSTOP)
try:
    waiting = [connect(address, 10) for _ in range(count)]
    for s in waiting:
        ask(s)
    def queues():
        out = subprocess.run(["ss", "-Hltn", "sport = :" + address.rsplit(":", 1)[1]],
                             capture_output=True, text=True, check=True).stdout
        return sorted(int(line.split()[1]) for line in out.splitlines())
    wait(lambda: sum(queues()) >= count, 5)
    print(*queues())
finally:
    for pid in reversed(pids):
        if pid not in stopped:
            send(pid, signal.SIGCONT)
for s in waiting:
    assert answer(s)[1] == b"hello\n"
PY
}

# The manager first: it would start the server again.
teardown() {
    [[ -z ${MANAGER_PID:-} ]] || kill -KILL "$MANAGER_PID" 2>/dev/null || true
    drover_teardown
}
