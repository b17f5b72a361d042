#!/usr/bin/env bats
#
# Sockets that a service manager passes (socket activation, sd_listen_fds(3)): which of them are
# served, by whom, and that they outlive the server unharmed.
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
}

# refused LEND... -- ARGS...: a start that ends by itself: `status`, and the log.
refused() {
    local options=()
    while [[ $1 != -- ]]; do
        options+=(--lend "$1")
        shift
    done
    DROVER_LOG=$BATS_TEST_TMPDIR/log
    status=0
    DROVER_TEST=$BATS_TEST_TMPDIR/refused TMPDIR=$BATS_TEST_TMPDIR timeout 20 \
        "$BATS_TEST_DIRNAME/manager" --once "${options[@]}" "$DROVER" serve "${@:2}" \
        < <(exec sleep 20) >"$BATS_TEST_TMPDIR/events" 2>>"$DROVER_LOG" 3>&- 4>&- || status=$?
}

configure() {
    printf '%s\n' "root = $SITE" "$@" >"$CONF.new"
    mv "$CONF.new" "$CONF"
}

# all_loaded N: has each of N workers accepted a client? For wait_until.
all_loaded() {
    (($(board | awk '$1 == "row" && $4 > 0' | wc -l) == $1))
}

# ---- which are served -------------------------------------------------------------------------

@test "--listen fd:NAME serves the socket of that name, at its address, and no other" {
    managed_start --lend web=127.0.0.1:0 --lend other=127.0.0.1:0 -- --listen fd:web "$SITE"
    assert_equal "$DROVER_ADDR" "$(lent_address web)"
    assert_equal "$(fetch /hello.txt)" hello
    logged "the socket other ($(lent_address other)) was passed to this server, and no --listen wants it"
    run ! logged 'the socket web'
    run curl --silent --max-time 0.3 "http://$(lent_address other)/"
    assert_equal "$status" 28 # it waits: the socket is the manager's
}

@test "a name that was not passed is refused, and the message has the names that were" {
    refused web=127.0.0.1:0 admin=127.0.0.1:0 -- --listen fd:wbe "$SITE"
    assert_equal "$status" 78
    logged '--listen fd:wbe: no socket of that name was passed; there are: web, admin'
}

@test "a name is refused where nobody passes sockets" {
    drover serve --listen fd:web "$SITE"
    assert_equal "$status" 78
    assert_output --partial '--listen fd:web: no socket of that name was passed; a service manager'
}

@test "without --listen all that is passed is served, and nothing else" {
    local address
    managed_start --lend a=127.0.0.1:0 --lend 'b=[::1]:0*3' --lend "c=unix:$BATS_TEST_TMPDIR/c" -- "$SITE"
    for address in "$(lent_address a)" "$(lent_address b)" "$(lent_address c)"; do
        at "$address"
        assert_equal "$(fetch /hello.txt)" hello
    done
    run -1 grep -F 127.0.0.1:8080 "$DROVER_LOG"
    run ! logged 'no --listen wants it'
}

@test "a --listen of the address of a passed socket takes that socket" {
    local port
    managed_start --lend web=127.0.0.1:0 -- "$SITE"
    port=$(port_of)
    managed_stop
    managed_start --lend "web=127.0.0.1:$port" -- --listen "127.0.0.1:$port" --listen 127.0.0.1:0 "$SITE"
    assert_equal "$(fetch /hello.txt)" hello
    assert_equal "$(listeners)" 1 # that of the manager
    run ! logged 'no --listen wants it'
}

@test "several sockets of one name at different addresses are all served" {
    managed_start --lend web=127.0.0.1:0 --lend 'web=[::1]:0' -- --listen fd:web "$SITE"
    at "$(lent_address web)"
    assert_equal "$(fetch /hello.txt)" hello
    at "$(sed -n 's/^lent web //p' "$EVENTS" | tail -n 1)"
    [[ $DROVER_ADDR == '[::1]:'* ]]
    assert_equal "$(fetch /hello.txt)" hello
}

@test "what is no listening stream socket is told, closed, and not fatal" {
    local held
    managed_start --lend d=datagram --lend c=connected --lend f=file --lend web=127.0.0.1:0 -- "$SITE"
    assert_equal "$(fetch /hello.txt)" hello
    assert_equal "$(count_logged 'was inherited, and is not used')" 3
    logged '(d) was inherited, and is not used: Protocol wrong type for socket'
    logged '(f) was inherited, and is not used: Socket operation on non-socket'
    # the manager's two ends stay open there, and not here
    held=$(ls -l "/proc/$DROVER_PID/fd")
    [[ $held != */dev/null*/dev/null* ]]
}

@test "options behind fd:NAME: backlog, defer and proxy" {
    managed_start --lend web=127.0.0.1:0 -- --listen fd:web,backlog=77,proxy "$SITE"
    assert_equal "$(ss --no-header -ltn "sport = :$(port_of)" | awk '{ print $3 }')" 77
    run curl --silent --max-time 5 "$DROVER_URL/hello.txt"
    refute_output hello # there was no header
    assert_equal "$(fetch /hello.txt --haproxy-protocol)" hello
    managed_stop
    managed_start --lend web=127.0.0.1:0 -- --listen fd:web "$SITE"
    assert_equal "$(ss --no-header -ltn "sport = :$(port_of)" | awk '{ print $3 }')" 4096 # the manager's
}

# ---- one socket, many workers -----------------------------------------------------------------

@test "a single socket is shared by all workers: each of them serves" {
    managed_start --lend web=127.0.0.1:0 -- --workers 4 "$SITE"
    assert_equal "$(listeners)" 1
    load_begin short --close --clients 64
    wait_until 10 all_loaded 4
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
}

@test "clients of a single socket come to the workers by turns" {
    managed_start --lend web=127.0.0.1:0 --lend "web=unix:$BATS_TEST_TMPDIR/web" -- --workers 4 "$SITE"
    py "$(lent_address web)" "unix:$BATS_TEST_TMPDIR/web" <<'PY'
for address in sys.argv[1:]:
    for _ in range(100):
        fetch(address)
PY
    board | awk '$1 == "row" { print $4 }' >"$BATS_TEST_TMPDIR/accepted"
    tell "accepted: $(paste -sd ' ' "$BATS_TEST_TMPDIR/accepted") of 200"
    # Whoever is kept from its CPU is passed over, so that turns are not exact; without turns one
    # of the four has more than 180.
    assert_equal "$(awk '$1 >= 8 && $1 <= 120' "$BATS_TEST_TMPDIR/accepted" | wc -l)" 4
}

@test "a sharer of the single socket that is stopped, killed or hung strands nobody" {
    managed_start --lend web=127.0.0.1:0 -- --workers 2 --app "${DROVER%/*}/apps/hang.so" \
        --standby off --hang-timeout 0
    act "$DROVER_ADDR" <<'PY'
def round(number, many):
    waiting = [connect(args[0]) for _ in range(many)]
    begin = time.monotonic()
    for s in waiting:
        ask(s, "/1k.bin")
    for s in waiting:
        s.settimeout(2)
        answer(s)
    assert time.monotonic() - begin < 2, (number, time.monotonic() - begin)

def queued():
    return int(subprocess.run(["ss", "-Hltn", "sport = :" + args[0].rsplit(":", 1)[1]],
                              capture_output=True, text=True, check=True).stdout.split()[1])

# Whoever was woken for the client may be stopped before it has taken it in, or after that.
for i in range(200):
    slot, pid = some_worker()
    s = connect(args[0])
    ask(s, "/1k.bin")
    kill(pid, signal.SIGSTOP)
    if not select.select([s], [], [], 0.05)[0]:
        wait(lambda: queued() == 0, 2)
    kill(pid, signal.SIGCONT)
    answer(s)
for i in range(6):
    slot, pid = some_worker()
    kill(pid, signal.SIGKILL)
    round(i, 8)
    wait(lambda: len(workers()) == 2)
PY
    fault '/spin?3000'
    wait_until 10 logged 'hangs since'
    SECONDS=0
    for _ in {1..20}; do
        fetch /1k.bin --output /dev/null --max-time 2
    done
    ((SECONDS < 5))
}

# ---- several sockets of one address -----------------------------------------------------------

@test "several sockets of one address are the slots': who is stopped is steered around" {
    managed_start --lend 'web=127.0.0.1:0*4' -- --listen fd:web --workers 4 --standby off --hang-timeout 0 "$SITE"
    assert_equal "$(listeners)" 4
    clients 100
    kill -STOP "$(worker_of 1)"
    wait_until 10 logged 'was stopped'
    clients 200
    run frozen_queues 200
    assert_success
    [[ $output == '0 '[1-9]* ]] || fail "$output"
    kill -CONT "$(worker_of 1)"
    wait_until 10 logged 'was continued'
    run frozen_queues 200
    [[ $output == [1-9]* ]] || fail "$output"
}

@test "more workers than sockets: all serve, and what changes loses nothing" {
    managed_start --lend 'web=127.0.0.1:0*2' -- --listen fd:web --workers 4 "$SITE"
    assert_equal "$(listeners)" 2
    load_begin short --close --clients 64
    wait_until 10 all_loaded 4
    act <<'PY'
scale(4, 6)
scale(6, 2)
scale(2, 4)
PY
    reload
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    load_begin short --close --clients 64
    kills 10 100
    load_stop short
    tell "10 kills: $HELD held"
    ((LOST <= HELD + 10))
    assert_equal "$(caused short refused timeout)" 0
    assert_equal "$(listeners)" 2
}

@test "more workers than sockets: a socket is steered around when all of its workers are stopped" {
    managed_start --lend 'web=127.0.0.1:0*2' -- --listen fd:web --workers 4 --standby off --hang-timeout 0 "$SITE"
    kill -STOP "$(worker_of 1)"
    wait_until 10 logged 'was stopped'
    clients 200
    run frozen_queues 100
    [[ $output == [1-9]*' '[1-9]* ]] || fail "$output"
    kill -STOP "$(worker_of 3)"
    wait_until 10 logged_times 2 'was stopped'
    run frozen_queues 100
    [[ $output == '0 100' ]] || fail "$output"
    clients 200
    kill -STOP "$(worker_of 0)"
    wait_until 10 logged_times 3 'was stopped'
    clients 200
}

@test "more workers than sockets: the clients of those that hang are served by who does not" {
    local pids=()
    managed_start --lend 'web=127.0.0.1:0*2' -- --listen fd:web --workers 4 --standby off --hang-timeout 0 \
        --app "${DROVER%/*}/apps/hang.so"
    fetch /1k.bin --output "$SITE/1k.bin"
    for i in 1 2 3; do
        fault '/block?4000'
        pids+=("$!")
        wait_until 10 logged_times "$i" 'hangs since'
    done
    load_begin short --close --clients 16 --duration 1s --timeout 1s
    load_end short
    assert_equal "$LOST $CAUSES" '0 '
    wait "${pids[@]}"
    load_begin short --close --clients 16 --duration 500ms --timeout 1s
    load_end short
    assert_equal "$LOST $CAUSES" '0 '
}

@test "fewer workers than sockets: each socket is served" {
    managed_start --lend 'web=127.0.0.1:0*6' -- --listen fd:web --workers 2 "$SITE"
    assert_equal "$(worker_count)" 2
    clients 200
    run frozen_queues 200
    [[ $output == '0 0 0 0 '[1-9]* ]] || fail "$output"
    act <<<'scale(2, 6)'
    run frozen_queues 200
    [[ $output == [1-9]* ]] || fail "$output"
}

# ---- they outlive the server ------------------------------------------------------------------

@test "a stop leaves what was lent alone: who comes while the server is down is served by the next" {
    SITE_SOCKET=$BATS_TEST_TMPDIR/web.sock
    # with one of its own, where the kernel is told to drop who comes now
    managed_start --lend web=127.0.0.1:0 --lend 'four=127.0.0.1:0*4' --lend "web=unix:$SITE_SOCKET" -- \
        --listen fd:web --listen fd:four --listen 127.0.0.1:0 --workers 2 --standby off --hang-timeout 500ms "$SITE"
    kill -STOP "$(worker_of 1)" # what is steered around at the stop is not so at the next start
    wait_until 10 logged 'was stopped'
    act "$(lent_address web)" "$(lent_address four)" "unix:$SITE_SOCKET" "$ORDERS_FILE" <<'PY'
import struct
addresses = args[:3]
def resent(s):
    """Of tcp_info, tcpi_total_retrans."""
    return struct.unpack("I", s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[100:])[0]
with open(args[3], "w") as f:
    f.write("restart\n")
wait(lambda: lines("stopping on") > 0)
waiting = [connect(a, 20) for a in addresses for _ in range(50)]
assert not any(resent(s) for s in waiting if s.family == socket.AF_INET) # no SYN was sent twice
for s in waiting:
    ask(s)
wait(lambda: lines("master: serving ") > 1)
begin = time.monotonic()
for s in waiting:
    assert answer(s)[1] == b"hello\n"
assert time.monotonic() - begin < 2
PY
    managed_learn
    [[ -S $SITE_SOCKET ]]
    managed_stop
    run -0 ls "$SITE_SOCKET"
}

@test "10 restarts under load with lent sockets: nothing is lost" {
    managed_start --lend 'web=127.0.0.1:0*4' -- --listen fd:web --workers 4 "$SITE"
    both_begin
    for _ in {1..10}; do
        manage_again restart
    done
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    load_stop kept
    assert_equal "$LOST $CAUSES" '0 '
    ((OPENED > 64))
    run ! grep FDSTORE=1 "$EVENTS" # the manager has them already
}

@test "3 times SIGKILL to everything with lent sockets under load: nobody is refused or waits long" {
    managed_start --lend 'web=127.0.0.1:0*4' -- --listen fd:web --workers 4 "$SITE"
    load_begin short --close --clients 64
    for _ in 1 2 3; do
        manage_again kill
        sleep 0.2 # so that clients come meanwhile
    done
    load_stop short
    ((LOST <= 3 * 64))
    assert_equal "$(caused short refused timeout)" 0
    (($(jq '.latency_us.max / 1000 | floor' "$BATS_TEST_TMPDIR/load.short") < 1500 + DOWN_MS))
    run frozen_queues 200
    [[ $output == [1-9]* ]] || fail "$output"
}

@test "10 restarts under load with a single lent socket: nothing is lost" {
    managed_start --lend web=127.0.0.1:0 -- --listen fd:web --workers 4 "$SITE"
    both_begin
    for _ in {1..10}; do
        manage_again restart
    done
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    load_stop kept
    assert_equal "$LOST $CAUSES" '0 '
}

# ---- reload and upgrade -----------------------------------------------------------------------

@test "a reload goes from one name to the other and back; who came meanwhile is served then" {
    local first second
    configure 'listen = fd:a'
    managed_start --lend 'a=127.0.0.1:0*3' --lend b=127.0.0.1:0 -- -c "$CONF" --workers 3
    first=$(lent_address a) second=$(lent_address b)
    clients 50
    configure 'listen = fd:b'
    reload
    logged "the socket a ($first) was passed"
    at "$second"
    clients 50
    py "$first" "$BATS_TEST_TMPDIR" <<'PY' 3>&- 4>&- &
waiting = [connect(sys.argv[1], 20) for _ in range(30)]
for s in waiting:
    ask(s)
open(sys.argv[2] + "/asked", "w").close()
for s in waiting:
    assert answer(s)[1] == b"hello\n"
PY
    wait_until 10 test -e "$BATS_TEST_TMPDIR/asked"
    configure 'listen = fd:a'
    reload
    wait "$!"
    at "$first"
    clients 50
    configure 'listen = fd:c'
    reload_refused 'no socket of that name was passed; there are: a, b'
    clients 50
}

@test "a reload between lent names under load loses nothing of those that stay" {
    configure 'listen = fd:a' 'listen = fd:b'
    managed_start --lend 'a=127.0.0.1:0*3' --lend b=127.0.0.1:0 -- -c "$CONF" --workers 3
    at "$(lent_address a)"
    both_begin
    for _ in 1 2 3; do
        configure 'listen = fd:a'
        reload
        configure 'listen = fd:a' 'listen = fd:b'
        reload
    done
    nothing_is_lost
    at "$(lent_address b)"
    clients 50
}

@test "an upgrade keeps lent sockets with their names, those that nobody wants, too" {
    local first second old
    configure 'listen = fd:a'
    managed_start --lend 'a=127.0.0.1:0*3' --lend b=127.0.0.1:0 --lend "c=unix:$BATS_TEST_TMPDIR/c" -- \
        -c "$CONF" --workers 2
    first=$(lent_address a) second=$(lent_address b) old=$DROVER_PID
    both_begin
    manage signal SIGUSR2
    wait_until 20 follow_upgrade
    wait_until 20 happened "main $DROVER_PID"
    nothing_is_lost
    at "$first"
    clients 100
    configure 'listen = fd:b'
    reload
    at "$second"
    clients 100
    configure 'listen = fd:a' 'listen = fd:c'
    reload
    at "unix:$BATS_TEST_TMPDIR/c"
    clients 20
    at "$first"
    clients 100
    run frozen_queues 100
    assert_success
    manage_again restart
    at "$first"
    clients 100
    [[ -S $BATS_TEST_TMPDIR/c ]]
}

# ---- other programs ---------------------------------------------------------------------------

@test "a program with drover_main() takes what it is passed" {
    # shellcheck disable=SC2016 # $1 and $2 are the binary's name and "serve", which it does not want
    MANAGED_COMMAND=(bash -c 'exec "$0" "${@:2}"' "${DROVER%/*}/apps/hang")
    managed_start --lend web=127.0.0.1:0 -- --listen fd:web --workers 2
    assert_equal "$DROVER_ADDR" "$(lent_address web)"
    fetch /1k.bin --output "$BATS_TEST_TMPDIR/got"
    manage_again restart
    fetch /1k.bin --output "$BATS_TEST_TMPDIR/got"
}

@test "systemd-socket-activate starts it with the first client" {
    local port
    port=$(python3 -c 'import socket
print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
    DROVER_LOG=$BATS_TEST_TMPDIR/log DROVER_MARK=$BATS_TEST_TMPDIR/activated
    DROVER_TEST=$DROVER_MARK systemd-socket-activate --listen="127.0.0.1:$port" --fdname=web \
        --setenv=DROVER_TEST="$DROVER_MARK" "$DROVER" serve --listen fd:web "$SITE" \
        </dev/null >>"$DROVER_LOG" 2>&1 3>&- 4>&- &
    DROVER_PID=$!
    at "127.0.0.1:$port"
    wait_until 10 has_listeners 1
    run ! logged 'serving'
    assert_equal "$(fetch /hello.txt)" hello
    wait_until 10 logged 'master: serving '
    drover_stop
    assert_equal "$status" 0
}

@test "a socket that is called upgrade makes no upgrade of a start" {
    managed_start --lend upgrade=127.0.0.1:0 -- --listen 127.0.0.1:0 --workers 1 "$SITE"
    wait_until 10 happened 'notify READY=1.*'
    logged '(upgrade) was inherited, and is not used'
    managed_stop
}
