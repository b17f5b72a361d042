#!/usr/bin/env bats
#
# Reloads under load: no request is lost, kept connections stay the same ones, what was there is
# there, and what counts in the end is the last configuration. What HUP does besides is in
# signals.bats.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helper's

load helper
load process
load lifecycle

setup() {
    make_site
    CONF=$BATS_TEST_TMPDIR/site.conf
}

# configure LINE...: the file, in one piece, so that no reload reads half of it.
configure() {
    [[ " $*" == *' app = '* ]] || set -- "root = $SITE" "$@"
    printf '%s\n' "$@" >"$CONF.new"
    mv "$CONF.new" "$CONF"
}

# serve_conf: a server of the file.
serve_conf() {
    drover_start --listen 127.0.0.1:0 -c "$CONF"
}

none_of() {
    local pid
    for pid in $(workers); do
        [[ " $* " != *" $pid "* ]] || return
    done
}

# ---- nothing is lost --------------------------------------------------------------------------

@test "15 reloads under load: no request is lost, and kept connections stay" {
    local before
    drover_start --workers 8 "$SITE"
    reload
    before=$(belongings)
    both_begin
    act <<'PY'
for _ in range(15):
    reload()
    time.sleep(0.1) # so that clients come meanwhile
PY
    nothing_is_lost
    tell "new workers served after $(reload_times | paste -sd ' ') ms"
    keeps_belongings "$before"
}

@test "15 reloads under load at a unix socket: no request is lost, and kept connections stay" {
    local before
    drover_start --listen "unix:$BATS_TEST_TMPDIR/socket" --workers 4 "$SITE"
    reload
    before=$(belongings)
    both_begin
    act <<'PY'
for _ in range(15):
    reload()
    time.sleep(0.05)
PY
    nothing_is_lost
    keeps_belongings "$before"
}

@test "30 reloads in a row leave no process, descriptor or slot behind" {
    local before
    drover_start --workers 3 "$SITE"
    reload
    before=$(belongings)
    act <<'PY'
for _ in range(30):
    reload()
PY
    keeps_belongings "$before"
}

@test "100 idle connections are with the new workers after a reload, and the old ones are gone" {
    local old
    drover_start --workers 4 "$SITE"
    old=$(workers)
    act "$DROVER_ADDR" <<'PY'
def get(s):
    ask(s, close=False)
    head = begin(s)
    rest(s, 6)
    assert b"connection: close" not in head.lower(), head

idle = [connect(args[0]) for _ in range(100)]
for s in idle:
    get(s)
old = children(master)
reload()
wait(lambda: not set(old) & set(children(master)))
for s in idle: # and not one of them sees an end
    get(s)
PY
    # shellcheck disable=SC2086 # pids
    none_of $old
}

@test "a request that is half there at a reload is answered" {
    drover_start --workers 2 "$SITE"
    act "$DROVER_ADDR" <<'PY'
old, halves = children(master), []
for i in range(32):
    s = connect(args[0])
    ask(s, close=False)
    assert answer(s) == (200, b"hello\n")
    s.sendall(b"GET /hello.txt HTTP/1.1\r\nHo")
    halves.append(s)
reload()
for s in halves:
    s.sendall(b"st: test\r\n\r\nGET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n")
for s in halves:
    for _ in range(2):
        assert begin(s).startswith(b"HTTP/1.1 200 ")
        rest(s, 6)
wait(lambda: not set(old) & set(children(master)))
PY
}

# ---- how long it takes ------------------------------------------------------------------------

# new_workers_serve COMMAND...: the milliseconds that it took, by the log, from the asking until all
# new workers accept: the median of 20, which are told. 10 ms on a quiet machine, 50 on a busy one.
new_workers_serve() {
    local ms i
    for i in {1..20}; do
        "$@"
    done
    # shellcheck disable=SC2046 # numbers
    ms=$(median $(reload_times | tail -n 20))
    tell "8 new workers served after $ms ms, median of $(reload_times | tail -n 20 | sort -n | paste -sd ' ')"
    ((ms <= 50)) || fail "$ms ms"
}

# bats test_tags=nosan,alone
@test "8 new workers serve within 50 ms of the signal, the median of 20 reloads" {
    drover_start --workers 8 "$SITE"
    new_workers_serve reload
}

# bats test_tags=nosan,alone
@test "8 new workers serve within 50 ms of \`drover reload\` under load, the median of 20" {
    drover_start --workers 8 "$SITE"
    both_begin
    new_workers_serve timeout 20 "$DROVER" reload
    nothing_is_lost
}

# bats test_tags=nosan,alone
@test "p99 during reloads is at most 3 times the quiet one" {
    drover_start --workers 8 "$SITE"
    for _ in 1 2 3; do
        quiet_and_busy <<'PY'
reload()
PY
        ((BUSY > 3 * QUIET)) || return 0
    done
    fail "$BUSY us instead of $QUIET us"
}

# ---- moments that meet ------------------------------------------------------------------------

@test "two HUPs in a row: the last file is what counts" {
    configure 'workers = 1'
    serve_conf
    both_begin
    act "$CONF" "$SITE" <<'PY'
def configure(workers):
    with open(args[0] + ".new", "w") as f:
        f.write(f"workers = {workers}\nroot = {args[1]}\n")
    os.rename(args[0] + ".new", args[0])

for i in range(15):
    configure(2 + i % 3)
    tell(signal.SIGHUP)
    time.sleep(i / 5000) # it is met at another point each time
    configure(5 - i % 3)
    tell(signal.SIGHUP)
    wait(has_workers(5 - i % 3))
PY
    nothing_is_lost
}

# The old worker is stopped while a client waits, so that its epoll set tells it of the door before
# it does of the order to leave.
@test "who asks behind the end of a reload is not answered by the configuration before it" {
    local old new kept first
    mkdir "$BATS_TEST_TMPDIR/next"
    echo 'next' >"$BATS_TEST_TMPDIR/next/hello.txt"
    configure 'workers = 1' 'standby = off' 'hang-timeout = 60s'
    serve_conf
    old=$(workers)
    client_open
    kept=$CLIENT
    client_ask "$kept" /hello.txt
    client_answer "$kept"
    assert_equal "$BODY" $'hello\n'
    kill -STOP "$old"
    wait_until 10 in_state T "$old"
    client_open
    first=$CLIENT
    client_ask "$first" /hello.txt
    SITE=$BATS_TEST_TMPDIR/next configure 'workers = 1' 'standby = off' 'hang-timeout = 60s'
    reload
    client_answer "$first"
    assert_equal "$BODY" $'next\n'
    new=$(workers | grep -vx "$old")
    kill -STOP "$new"
    wait_until 10 in_state T "$new"
    client_open
    client_ask "$CLIENT" /hello.txt
    client_ask "$kept" /hello.txt
    kill -CONT "$old"
    wait_until 10 is_gone "$old"
    kill -CONT "$new"
    client_answer "$CLIENT"
    assert_equal "$BODY" $'next\n'
    client_answer "$kept"
    assert_equal "$BODY" $'next\n'
}

@test "HUP while the workers before are still finishing downloads: all of them are whole" {
    drover_start --workers 2 "$SITE"
    head -c 24M /dev/urandom >"$SITE/slow.bin"
    act "$DROVER_ADDR" "$SITE/slow.bin" <<'PY'
with open(args[1], "rb") as f:
    whole = f.read()

def check(s):
    got = bytearray()
    while len(got) < len(whole):
        more = s.recv(1 << 20)
        assert more, f"closed after {len(got)} bytes"
        got += more
    assert got == whole, "other bytes"

slow = []
for _ in range(4):
    s = connect(args[0], 20)
    ask(s, "/slow.bin", close=False)
    begin(s)
    slow.append(s)
    reload()
assert len(slots()) > 2, "nobody is finishing a download"
for s in slow:
    check(s)
wait(has_workers(2))
for s in slow: # and then they are with the last ones
    ask(s, close=False)
    assert answer(s) == (200, b"hello\n")
PY
}

@test "HUP while a worker crash-loops: the new ones are there at once" {
    mkdir "$SITE/going"
    cp "$SITE/1k.bin" "$SITE/going"
    drover_start --workers 2 "$SITE/going"
    both_begin
    act "$SITE" <<'PY'
os.rename(args[0] + "/going", args[0] + "/gone")
expect("worker 0 (pid ", lambda: os.kill(children(master)[0], signal.SIGKILL))
wait(lambda: lines("(5 ends in a row)")) # the next one would come in 800 ms
expect("reload: nothing is changed", lambda: tell(signal.SIGHUP))
os.rename(args[0] + "/gone", args[0] + "/going")
reload()
wait(has_workers(2))
PY
    load_stop short
    ((LOST <= 64)) # what the killed one held
    load_stop kept
    ((LOST <= 64))
    act <<'PY'
time.sleep(0.9) # the one that would have come by now
wait(has_workers(2))
assert lines("(6 ends in a row)") == 0
PY
}

# cannot_reload LINE TEXT: a reload of a file with the line more changes nothing, and says so once.
cannot_reload() {
    local before nothing='reload: nothing is changed'
    before=$(workers)
    configure "app = $APP" 'workers = 4' "$1"
    : >"$DROVER_LOG"
    kill -HUP "$DROVER_PID"
    wait_until 20 logged "$nothing"
    wait_until 10 logged "$2"
    assert_equal "$(count_logged "$nothing")" 1
    wait_until 10 has_workers "$(wc -l <<<"$before")"
    assert_equal "$(workers)" "$before"
}

@test "HUP whose workers cannot start: the others go on, and a line says why" {
    local before
    APP=${DROVER%/*}/apps/every.so
    configure "app = $APP" 'workers = 4'
    serve_conf
    reload
    before=$(belongings)
    for _ in 1 2 3; do
        cannot_reload "set = broken=no luck" 'no luck'
    done
    keeps_belongings "$before"
    configure "app = $APP" 'workers = 4'
    reload
    keeps_belongings "$before"
}

# bats test_tags=nosan,alone
@test "HUP whose workers do not get ready: the others go on, and a line says why" {
    local before
    misbehave MISBEHAVE_SLOW="$BATS_TEST_TMPDIR/slow"
    drover_start --workers 4 --start-timeout 300ms "$SITE"
    reload
    before=$(belongings)
    both_begin
    : >"$BATS_TEST_TMPDIR/slow"
    kill -HUP "$DROVER_PID"
    wait_until 10 logged 'is not ready after 300 ms'
    wait_until 10 logged 'reload: nothing is changed'
    assert_equal "$(count_logged 'reload: nothing is changed')" 1
    rm "$BATS_TEST_TMPDIR/slow"
    keeps_belongings "$before"
    reload
    nothing_is_lost
    keeps_belongings "$before"
}

# ---- the file ---------------------------------------------------------------------------------

@test "a file with an error changes nothing, and the log says where it is" {
    local before
    configure 'workers = 2'
    serve_conf
    before=$(workers)
    printf '%s\n' 'workers = 3' 'worker = 4' "root = $SITE/none" >"$CONF"
    reload_refused "$CONF:2:1: "
    logged "$CONF:3:8: "
    : >"$CONF" # as `cat new >FILE` has it for a moment
    reload_refused "-c $CONF: is empty"
    rm "$CONF"
    reload_refused "$CONF"
    assert_equal "$(workers)" "$before"
    configure 'workers = 3'
    reload
    wait_until 10 has_workers 3
}

@test "the number of workers in the file, under load: no request is lost" {
    local before
    configure 'workers = 8'
    serve_conf
    reload
    before=$(belongings)
    both_begin
    for ((i = 0; i < 14; i++)); do
        configure "workers = $((i % 2 ? 8 : 2))"
        reload
        wait_until 10 has_workers $((i % 2 ? 8 : 2))
    done
    nothing_is_lost
    keeps_belongings "$before"
}

@test "what signals have made of the number holds until the file has another one" {
    configure 'workers = 2'
    serve_conf
    act <<'PY'
scale(2, 4)
reload()
wait(has_workers(4))
PY
    configure 'workers = 3'
    reload
    wait_until 10 has_workers 3
}

# ---- addresses --------------------------------------------------------------------------------

# addressed PORT...: a file with these addresses, and a unix socket if one of them is a path.
addressed() {
    local address lines=('workers = 4')
    for address; do
        [[ $address == /* ]] && address=unix:$address || address=127.0.0.1:$address
        lines+=("listen = $address")
    done
    configure "${lines[@]}"
}

serve_addressed() {
    addressed "$@"
    drover_launch -c "$CONF"
    wait_until 20 logged 'master: serving '
    DROVER_SOCKET='' DROVER_ADDR=127.0.0.1:$1 DROVER_URL=http://127.0.0.1:$1
}

@test "addresses come and go with a reload, and nothing is lost at the one that stays" {
    local ports i
    read -ra ports < <(free_ports 3)
    serve_addressed "${ports[0]}"
    both_begin
    for ((i = 0; i < 8; i++)); do
        addressed "${ports[0]}" "${ports[1]}" "$BATS_TEST_TMPDIR/socket"
        reload
        [[ $(curl -s --max-time 10 "127.0.0.1:${ports[1]}/hello.txt") == hello ]]
        [[ $(curl -s --max-time 10 --unix-socket "$BATS_TEST_TMPDIR/socket" x/hello.txt) == hello ]]
        addressed "${ports[2]}" "${ports[0]}"
        reload
        [[ $(curl -s --max-time 10 "127.0.0.1:${ports[2]}/hello.txt") == hello ]]
        wait_until 10 refuses "${ports[1]}"
        [[ ! -e $BATS_TEST_TMPDIR/socket ]]
        addressed "${ports[0]}"
        reload
        wait_until 10 refuses "${ports[2]}"
    done
    nothing_is_lost
    assert_equal "$(complaints)" ''
}

@test "the log has the addresses that came and went with a reload" {
    local old=$BATS_TEST_TMPDIR/old new=$BATS_TEST_TMPDIR/new
    serve_addressed "$old"
    reload
    refute grep -qE 'reload: (now|no longer) at' "$DROVER_LOG"
    addressed "$new" "$old"
    reload
    addressed "$new"
    reload
    run sed -n 's/.*info  master: reload: \(n.* at\)/\1/p' "$DROVER_LOG"
    assert_output "now at unix:$new
no longer at unix:$old"
}

# refuses PORT: for wait_until.
refuses() {
    ! (exec {CLIENT}<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

@test "addresses that came and went leave no descriptor and no socket behind" {
    local ports before
    read -ra ports < <(free_ports 3)
    serve_addressed "${ports[0]}"
    reload
    before=$(belongings)
    for ((i = 0; i < 10; i++)); do
        addressed "${ports[0]}" "${ports[1]}" "$BATS_TEST_TMPDIR/socket"
        reload
        addressed "${ports[0]}"
        reload
    done
    keeps_belongings "$before"
    assert_equal "$(ss --no-header -ltn "sport = :${ports[1]}" | wc -l)" 0
}

@test "who waits in the queue of an address that goes is served, and then it is refused" {
    DROVER_WITH=(--standby off)
    local ports
    read -ra ports < <(free_ports 3)
    serve_addressed "${ports[0]}" "${ports[1]}"
    addressed "${ports[0]}"
    act "127.0.0.1:${ports[1]}" <<'PY'
old = children(master)
for pid in old:
    os.kill(pid, signal.SIGSTOP)
clients = [connect(args[0], 15) for _ in range(64)]
for client in clients:
    ask(client)
reload()
for pid in old:
    os.kill(pid, signal.SIGCONT)
for client in clients:
    assert answer(client) == (200, b"hello\n")
wait(lambda: not set(old) & set(children(master)))
try:
    connect(args[0])
    raise SystemExit("the address that went lets clients in")
except ConnectionRefusedError:
    pass
PY
}

@test "an address that somebody else has changes nothing, and a line says who" {
    local ports holder
    read -ra ports < <(free_ports 3)
    serve_addressed "${ports[0]}"
    python3 -m http.server --bind 127.0.0.1 "${ports[1]}" >"$BATS_TEST_TMPDIR/other" 2>&1 3>&- 4>&- &
    holder=$!
    wait_until 10 is_listening "${ports[1]}"
    addressed "${ports[0]}" "${ports[2]}" "${ports[1]}"
    reload_refused "the address is in use by python3 (pid $holder)"
    refuses "${ports[2]}"
    [[ $(fetch /hello.txt) == hello ]]
    kill "$holder"
    wait "$holder" || true
    reload
    [[ $(curl -s --max-time 10 "127.0.0.1:${ports[1]}/hello.txt") == hello ]]
}

# is_listening PORT: for wait_until.
is_listening() {
    [[ -n $(ss --no-header -ltn "sport = :$1") ]]
}
