#!/usr/bin/env bats
#
# The service manager's store of descriptors (sd_notify(3), FDSTORE=1): what a restart, a kill of
# everything and another configuration leave of the sockets and of those who wait there.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load process
load lifecycle
load faulty
load managed

setup() {
    make_site
    CONF=$BATS_TEST_TMPDIR/site.conf
    export FDSTORE=1024 # as systemd sets it since 254
}

configure() {
    printf '%s\n' "root = $SITE" "$@" >"$CONF.new"
    mv "$CONF.new" "$CONF"
}

# stored: what the manager has now, a line a name: "NAME: COUNT ADDRS".
stored() {
    awk '$1 == "store" { $1 = ""; last[$2] = substr($0, 2) }
        END { for (name in last) if (last[name] !~ /: 0$/) print last[name] }' "$EVENTS" | sort -V
}

has_stored() {
    (($(stored | wc -l) == $1))
}

# longest_ms LOAD: what the slowest answer took.
longest_ms() {
    jq '.latency_us.max / 1000 | floor' "$BATS_TEST_TMPDIR/load.$1"
}

# removed: the slots that were taken out of the store, in this order.
removed() {
    sed -n 's/^notify FDSTOREREMOVE=1 FDNAME=//p' "$EVENTS" | paste -sd ' '
}

# has_kept: has the server answered on kept connections, and not only on those for one request? What
# waits in a queue outlives a restart.
has_kept() {
    (($("${BOARD:-${DROVER%/*}/board}" "$DROVER_PID" |
        awk '$1 == "row" { more += $6 - $4 } END { print more + 0 }') > 64))
}

# Both loads, and what a restart closes is there.
both_are_served() {
    both_begin
    wait_until 10 has_kept
}

# Nothing was lost, though connections were closed, each with an announcement.
nothing_is_lost_by_restarts() {
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    load_stop kept
    assert_equal "$LOST $CAUSES" '0 '
    ((OPENED > 64))
}

# nobody_connects: has each client's SYN been answered? For wait_until.
nobody_connects() {
    [[ -z $(ss --no-header --numeric --tcp state syn-sent "dport = :$(port_of)") ]]
}

# ---- restarts ---------------------------------------------------------------------------------

@test "10 restarts under load: nothing is lost" {
    managed_start -- --listen 127.0.0.1:0 --workers 4 "$SITE"
    wait_until 10 has_stored 4
    both_are_served
    for _ in {1..10}; do
        manage_again restart
    done
    nothing_is_lost_by_restarts
    assert_equal "$(listeners)" 4
    assert_equal "$(stored)" "$(printf "slot%d: 1 $DROVER_ADDR\n" 0 1 2 3)"
    assert_equal "$(removed)" ''
}

@test "3 restarts under load, where the manager does not say that it has a store: nothing is lost" {
    unset FDSTORE
    managed_start -- --listen 127.0.0.1:0 --workers 4 "$SITE"
    both_are_served
    for _ in {1..3}; do
        manage_again restart
        # a SYN that came to two of the stops would come again after two seconds more
        wait_until 10 nobody_connects
    done
    nothing_is_lost_by_restarts
    (($(longest_ms short) < 2000 + DOWN_MS)) # a SYN that was dropped comes again after a second
}

@test "5 times SIGKILL to everything under load: only what was in flight or kept is lost" {
    local lost
    managed_start -- --listen 127.0.0.1:0 --workers 4 "$SITE"
    wait_until 10 has_stored 4
    both_begin
    for _ in {1..5}; do
        manage_again kill
        sleep 0.2 # so that clients come meanwhile
    done
    load_stop short
    tell "longest: $(longest_ms short) ms, down for up to $DOWN_MS ms"
    ((LOST <= 5 * 64))
    assert_equal "$(caused short refused timeout)" 0
    (($(longest_ms short) < 1500 + DOWN_MS))
    load_stop kept
    ((LOST <= 5 * 64))
    assert_equal "$(caused kept refused timeout)" 0
}

@test "who is queued when everything is killed is served by the next start" {
    managed_start -- --listen 127.0.0.1:0 --workers 4 "$SITE"
    wait_until 10 has_stored 4
    act "$DROVER_ADDR" "$ORDERS_FILE" <<'PY'
pids = [master] + children(master)
for pid in pids:
    os.kill(pid, signal.SIGSTOP)
waiting = [connect(args[0], 10) for _ in range(100)]
for s in waiting:
    ask(s)
time.sleep(0.1) # they are in the queues: nobody can take them out
def begin_again():
    with open(args[1], "w") as f:
        f.write("kill\n")
expect("master: serving ", begin_again)
begin = time.monotonic()
for s in waiting:
    s.settimeout(10)
    assert answer(s)[1] == b"hello\n"
assert time.monotonic() - begin < 2
PY
}

@test "port 0: the port stays over restarts and kills" {
    local address
    managed_start -- --listen 127.0.0.1:0 --workers 2 "$SITE"
    wait_until 10 has_stored 2
    address=$DROVER_ADDR
    manage_again restart
    assert_equal "$DROVER_ADDR" "$address"
    manage_again kill
    assert_equal "$DROVER_ADDR" "$address"
    clients 100
}

@test "a unix socket's file stays over restarts and kills, and works" {
    managed_start -- --listen "unix:$BATS_TEST_TMPDIR/web" --listen 127.0.0.1:0 --workers 2 "$SITE"
    wait_until 10 has_stored 3
    load_begin short --close --clients 32
    for _ in 1 2 3; do
        manage_again restart
    done
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    assert_equal "$DROVER_SOCKET" "$BATS_TEST_TMPDIR/web"
    [[ $(stored) == *"shared: 1 unix:$BATS_TEST_TMPDIR/web"* ]]
    manage_again kill
    [[ -S $BATS_TEST_TMPDIR/web ]]
    clients 50
    manage_again kill
    clients 50
}

@test "a unix socket whose file is gone is made anew: nobody could come in there" {
    managed_start -- --listen "unix:$BATS_TEST_TMPDIR/web" --workers 2 "$SITE"
    wait_until 10 has_stored 1
    rm "$BATS_TEST_TMPDIR/web" # as with the directory, when the service manager removes that
    manage_again restart
    clients 20
    manage_again restart
    clients 20
    wait_until 10 has_stored 1
    assert_equal "$(stored)" "shared: 1 unix:$BATS_TEST_TMPDIR/web"
}

# ---- slots ------------------------------------------------------------------------------------

@test "slots without a worker: a stop takes them out of the store, from the last one down" {
    managed_start -- --listen 127.0.0.1:0 --workers 8 "$SITE"
    wait_until 10 has_stored 8
    act <<<'scale(8, 2)'
    wait_until 10 has_workers 2
    both_are_served
    manage_again restart
    nothing_is_lost_by_restarts
    assert_equal "$(removed)" 'slot7 slot6 slot5 slot4 slot3 slot2'
    assert_equal "$(worker_count)" 8 # the configuration's
    clients 200
    run frozen_queues 400
    [[ $output == [1-9]* ]] || fail "$output"
}

@test "slots without a worker: a kill brings them all back, and they are served" {
    configure 'listen = 127.0.0.1:0' 'workers = 8'
    managed_start -- -c "$CONF"
    wait_until 10 has_stored 8
    configure 'listen = 127.0.0.1:0' 'workers = 2'
    act <<<'scale(8, 2)'
    load_begin short --close --clients 64
    manage_again kill
    load_stop short
    assert_equal "$(caused short refused timeout)" 0
    assert_equal "$(listeners)" 8
    assert_equal "$(worker_count)" 2
    clients 200
    run frozen_queues 200
    [[ $output == '0 0 0 0 0 0 '[1-9]*' '[1-9]* ]] || fail "$output"
    manage_again restart
    assert_equal "$(listeners)" 2
    clients 200
}

@test "slots that TTIN adds are stored" {
    managed_start -- --listen 127.0.0.1:0 --workers 2 "$SITE"
    wait_until 10 has_stored 2
    act <<<'scale(2, 4)'
    wait_until 10 has_stored 4
    load_begin short --close --clients 32
    manage_again kill
    load_stop short
    assert_equal "$(caused short refused timeout)" 0
    assert_equal "$(listeners)" 4
    clients 200
}

@test "what a dead server has steered by is gone with the next start" {
    managed_start -- --listen 127.0.0.1:0 --workers 4 --standby off --hang-timeout 0 "$SITE"
    wait_until 10 has_stored 4
    kill -STOP "$(worker_of 2)"
    wait_until 10 logged 'was stopped'
    run frozen_queues 200
    [[ $output == '0 '[1-9]* ]] || fail "$output"
    manage_again kill
    clients 200
    run frozen_queues 200
    [[ $output == [1-9]* ]] || fail "$output"
    kill -STOP "$(worker_of 1)" # the kernel's order is still that of the slots
    wait_until 10 logged_times 2 'was stopped'
    clients 200
    run frozen_queues 200
    [[ $output == '0 '[1-9]* ]] || fail "$output"
}

@test "a store with no room for all: no queue is dead after a restart, and steering is right" {
    managed_start --store 4 -- --listen 127.0.0.1:0 --workers 8 --standby off --hang-timeout 0 "$SITE"
    wait_until 10 has_stored 4
    for again in restart kill; do
        manage_again "$again"
        assert_equal "$(listeners)" 8
        clients 400
        run frozen_queues 400
        [[ $output == [1-9]* ]] || fail "$again: $output"
        kill -STOP "$(worker_of 5)"
        wait_until 10 logged 'was stopped'
        run frozen_queues 400
        [[ $output == '0 '[1-9]* ]] || fail "$again: $output"
        clients 200
        kill -CONT "$(worker_of 5)"
        wait_until 10 logged 'was continued'
        : >"$DROVER_LOG"
    done
}

@test "a store of which is known that it has no room for all: a restart under load loses nothing" {
    export FDSTORE=4
    managed_start --store 4 -- --listen 127.0.0.1:0 --workers 8 "$SITE"
    wait_until 10 has_stored 4
    both_are_served
    for _ in 1 2 3; do
        manage_again restart
    done
    nothing_is_lost_by_restarts
}

@test "3 times SIGKILL to the master alone under load: only what was in flight or kept is lost" {
    managed_start -- --listen 127.0.0.1:0 --workers 4 "$SITE"
    wait_until 10 has_stored 4
    both_begin
    for _ in 1 2 3; do
        manage_again signal SIGKILL
        sleep 0.2 # so that clients come meanwhile
    done
    load_stop short
    ((LOST <= 3 * 64))
    assert_equal "$(caused short refused timeout)" 0
    (($(longest_ms short) < 1500 + DOWN_MS))
    load_stop kept
    ((LOST <= 3 * 64))
    assert_equal "$(caused kept refused timeout)" 0
    clients 200
    run frozen_queues 200
    [[ $output == [1-9]* ]] || fail "$output"
}

@test "a store that takes nothing: the next start binds anew" {
    managed_start --store 0 -- --listen "127.0.0.1:$(free_ports 1)" --workers 2 "$SITE"
    clients 50
    manage_again restart
    clients 50
    manage_again kill
    clients 50
    assert_equal "$(stored)" ''
}

@test "FDSTORE=0: nothing is stored, and a stop leaves nothing behind" {
    export FDSTORE=0
    managed_start -- --listen "unix:$BATS_TEST_TMPDIR/web" --listen 127.0.0.1:0 --workers 2 "$SITE"
    clients 20
    managed_stop
    [[ ! -e $BATS_TEST_TMPDIR/web ]]
    run ! grep FDSTORE "$EVENTS"
}

# ---- other configurations ---------------------------------------------------------------------

@test "an address that a reload drops leaves the store, and is refused" {
    local first second
    first=127.0.0.1:$(free_ports 1) second=127.0.0.2:$(free_ports 1)
    configure "listen = $first" "listen = $second" "listen = unix:$BATS_TEST_TMPDIR/web"
    managed_start -- -c "$CONF" --workers 2
    wait_until 10 has_stored 3
    [[ $(stored) == *"slot1: 2 $first $second"* ]] || fail "$(stored)"
    configure "listen = $first"
    reload
    at "$second"
    wait_until 10 is_refused
    wait_until 10 has_stored 2
    assert_equal "$(stored)" "$(printf "slot%d: 1 $first\n" 0 1)"
    [[ ! -e $BATS_TEST_TMPDIR/web ]]
    at "$first"
    clients 50
    manage_again restart
    clients 50
    run ! logged 'is not used'
}

# Is the address without a listener? For wait_until.
is_refused() {
    local status=0
    curl --silent --max-time 2 --output /dev/null "$DROVER_URL/" || status=$?
    ((status == 7))
}

@test "an address that a restart drops leaves the store, and is refused" {
    local first second
    first=127.0.0.1:$(free_ports 1) second=127.0.0.2:$(free_ports 1)
    configure "listen = $first" "listen = $second" "listen = unix:$BATS_TEST_TMPDIR/web"
    managed_start -- -c "$CONF" --workers 2
    wait_until 10 has_stored 3
    configure "listen = $first"
    manage_again restart
    wait_until 10 has_stored 2
    assert_equal "$(stored)" "$(printf "slot%d: 1 $first\n" 0 1)"
    at "$second"
    wait_until 10 is_refused
    [[ ! -e $BATS_TEST_TMPDIR/web ]]
    configure "listen = $first" "listen = $second"
    manage_again kill
    at "$second"
    clients 50
}

@test "a manager that does not read for a while: the server does not wait, and all is stored then" {
    local first second
    first=127.0.0.1:$(free_ports 1) second=127.0.0.2:$(free_ports 1)
    configure "listen = $first"
    managed_start -- -c "$CONF" --workers 4
    wait_until 10 has_stored 4
    kill -STOP "$MANAGER_PID"
    py "$BATS_TEST_TMPDIR"/tmp*/notify <<'PY'
full = False
while not full: # each sender has a limit, too
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for i in range(100):
        try:
            s.sendto(b"WATCHDOG=1", socket.MSG_DONTWAIT, sys.argv[1])
        except BlockingIOError:
            full = i == 0
            break
PY
    configure "listen = $first" "listen = $second"
    reload
    at "$second"
    clients 50
    kill -CONT "$MANAGER_PID"
    wait_until 10 has_both 4 "$first $second"
    manage_again kill
    at "$second"
    clients 50
    assert_equal "$(listeners)" 4
}

# has_both N ADDRS: are these stored for each of N slots? For wait_until.
has_both() {
    (($(stored | grep -cF ": 2 $2") == $1))
}

@test "an address that a reload adds under load is kept over a kill, too" {
    local first second
    first=127.0.0.1:$(free_ports 1) second=127.0.0.2:$(free_ports 1)
    configure "listen = $first"
    managed_start -- -c "$CONF" --workers 4
    both_begin
    configure "listen = $first" "listen = $second"
    reload
    nothing_is_lost
    at "$second"
    wait_until 10 has_stored 4
    load_begin short --close --clients 32
    manage_again kill
    at "$second"
    load_stop short
    assert_equal "$(caused short refused timeout)" 0
    [[ $(stored) == *"slot3: 2 $first $second"* ]] || fail "$(stored)"
    clients 100
}

@test "an upgrade and then a restart, under load: nothing is lost" {
    managed_start -- --listen 127.0.0.1:0 --workers 4 "$SITE"
    wait_until 10 has_stored 4
    both_are_served
    manage signal SIGUSR2
    wait_until 20 follow_upgrade
    wait_until 20 happened "main $DROVER_PID"
    manage_again restart
    nothing_is_lost_by_restarts
    assert_equal "$(stored)" "$(printf "slot%d: 1 $DROVER_ADDR\n" 0 1 2 3)"
    run frozen_queues 200
    [[ $output == [1-9]* ]] || fail "$output"
}

@test "an upgrade to other addresses: the store has those" {
    local first second
    first=127.0.0.1:$(free_ports 1) second=127.0.0.2:$(free_ports 1)
    configure "listen = $first"
    managed_start -- -c "$CONF" --workers 2
    wait_until 10 has_stored 2
    configure "listen = $second"
    manage signal SIGUSR2
    wait_until 20 follow_upgrade
    wait_until 20 happened "main $DROVER_PID"
    wait_until 10 has_stored 2
    assert_equal "$(stored)" "$(printf "slot%d: 1 $second\n" 0 1)"
    at "$first"
    wait_until 10 is_refused
    manage_again kill
    assert_equal "$DROVER_ADDR" "$second"
    clients 50
}

# wrapped: the server is started by a script that a test can change: the rest of its lines are on
# standard input.
wrapped() {
    cat >"$BATS_TEST_TMPDIR/wrapper"
    MANAGED_COMMAND=(bash "$BATS_TEST_TMPDIR/wrapper" "$DROVER")
}

@test "starts that fail leave the stored sockets to the next one, with who waits there" {
    local used
    export FAIL=$BATS_TEST_TMPDIR/fail
    wrapped <<'SH'
extra=()
if [[ -e $FAIL ]]; then
    mapfile -t extra <"$FAIL"
    rm "$FAIL"
fi
exec "$@" "${extra[@]}"
SH
    managed_start -- --listen 127.0.0.1:0 --listen "unix:$BATS_TEST_TMPDIR/web" --workers 4 "$SITE"
    wait_until 10 has_stored 5
    used=$DROVER_ADDR
    both_are_served
    printf '%s\n' --app /nowhere.so >"$FAIL"
    manage_again restart
    printf '%s\n' --listen fd:nobody >"$FAIL"
    manage_again restart
    printf '%s\n' --listen "unix:/nowhere/at/all" >"$FAIL" # bound after the inherited ones are
    manage_again restart
    nothing_is_lost_by_restarts
    assert_equal "$(sed -n 's/^ended //p' "$EVENTS" | paste -sd ' ')" '0 64 0 78 0 73'
    assert_equal "$(stored)" "shared: 1 unix:$BATS_TEST_TMPDIR/web"$'\n'"$(printf "slot%d: 1 $used\n" 0 1 2 3)"
    at "unix:$BATS_TEST_TMPDIR/web"
    clients 20
}

@test "the sockets of another user cannot be joined: they are shared, and everything is served" {
    ((UID == 0)) || skip 'only root can change its uid'
    copy_drover
    chmod 777 "$BATS_TEST_TMPDIR"
    export OTHER=$BATS_TEST_TMPDIR/other
    wrapped <<'SH'
[[ ! -e $OTHER ]] || set -- setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
exec "$@"
SH
    configure 'listen = 127.0.0.1:0' 'workers = 2'
    managed_start -- -c "$CONF" --standby off --hang-timeout 0
    wait_until 10 has_stored 2
    touch "$OTHER"
    chmod 666 "$BATS_TEST_TMPDIR"/tmp*/notify && chmod 755 "$BATS_TEST_TMPDIR"/tmp*
    configure 'listen = 127.0.0.1:0' 'workers = 5'
    load_begin short --close --clients 64
    manage_again restart
    assert_equal "$(stat -c %u "/proc/$DROVER_PID")" 65534
    wait_until 10 all_loaded 5
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    assert_equal "$(listeners)" 2
    kill -STOP "$(worker_of 1)" # its socket is worker 3's, too
    wait_until 10 logged 'was stopped'
    clients 200
    run frozen_queues 100
    [[ $output == [1-9]*' '[1-9]* ]] || fail "$output"
    assert_equal "$(stored)" "$(printf "slot%d: 1 $DROVER_ADDR\n" 0 1)"
}

# all_loaded N: has each of N workers accepted a client? For wait_until.
all_loaded() {
    (($(board | awk '$1 == "row" && $4 > 0' | wc -l) == $1))
}
