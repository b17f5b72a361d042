#!/usr/bin/env bats
#
# The board: who asks for it gets it, and what is counted there is what has happened.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load process
load lifecycle
load faulty

setup() {
    make_site
}

# ---- what it says -----------------------------------------------------------------------------

# look: the board, as the control socket gives it.
look() {
    "$BOARD" "$XDG_RUNTIME_DIR/drover-$DROVER_PID.control"
}

# said KIND NAME: that figure, of all lines of the kind together.
said() {
    look | awk -v kind="$1" -v name="$2" '$1 == kind {
        for (i = 2; i < NF; i++) if ($i == name) sum += $(i + 1) } END { print sum + 0 }'
}

# says FIGURE KIND NAME: is it that? For wait_until.
says() {
    (($(said "$2" "$3") == $1))
}

# The phases, as board.h numbers them.
SERVING=1 LAME=2 STOPPING=3

# ---- asking for it ----------------------------------------------------------------------------

@test "the board is given at once: while workers hang, before a stop, and while the server stops" {
    local all
    drover_start --workers 2 --standby off --lame-duck 2s --hang-timeout 0 "$SITE"
    assert_equal "$(said server pid)" "$DROVER_PID"
    assert_equal "$(said server phase)" "$SERVING"
    assert_equal "$(said worker ready)" 2
    all=$(workers)
    # shellcheck disable=SC2086 # pids
    kill -STOP $all
    wait_until 10 says 2 worker stalled
    # shellcheck disable=SC2086
    kill -CONT $all
    wait_until 10 says 0 worker stalled
    slow_client
    kill -TERM "$DROVER_PID"
    wait_until 10 says "$LAME" server phase
    wait_until 10 says "$STOPPING" server phase
    wait_until 10 says 1 worker leaving
    wait_until 10 says 1 ended stop
    slow_finish "$SLOW"
    drover_wait "$STOP_SECONDS"
}

@test "asked a thousand times, by some who do not read: the server goes on, and keeps nothing of it" {
    local before
    drover_start --workers 1 "$SITE"
    before=$(belongings)
    py "$XDG_RUNTIME_DIR/drover-$DROVER_PID.control" <<'PY'
import array

def ask(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(path) # with a timeout, a full queue would be an error
    s.settimeout(10)
    s.send(b"board")
    return s

deaf = [ask(sys.argv[1]) for _ in range(100)]
for _ in range(900):
    s = ask(sys.argv[1])
    text, controls, _, _ = s.recvmsg(64, socket.CMSG_SPACE(4))
    assert text.split()[0] == b"0", text
    [(_, kind, fds)] = controls
    assert kind == socket.SCM_RIGHTS
    [fd] = array.array("i", fds)
    assert os.fstat(fd).st_size > 0
    try:
        os.write(fd, b"x")
        raise SystemExit("it can be written")
    except OSError:
        pass
    os.close(fd)
    s.close()
PY
    assert_equal "$(fetch /hello.txt)" "$(<"$SITE/hello.txt")"
    keeps_belongings "$before"
    assert_equal "$(count_logged 'board')" 0
}

# ---- what is counted --------------------------------------------------------------------------

@test "known traffic: requests, answers by class, times, connections, bytes" {
    local got
    drover_start --workers 2 "$SITE"
    py "$DROVER_ADDR" >"$BATS_TEST_TMPDIR/bytes" <<'PY'
total = 0

def exchange(bytes, times=1):
    """What comes back of so many sent at once, to the end."""
    global total
    s = connect(sys.argv[1])
    s.sendall(bytes * times)
    s.shutdown(socket.SHUT_WR)
    while True:
        got = s.recv(65536)
        if not got:
            return
        total += len(got)

get = b"GET %s HTTP/1.1\r\nHost: test\r\n%s\r\n"
exchange(get % (b"/hello.txt", b""), 5)
exchange(get % (b"/1k.bin", b"Range: bytes=0-9\r\n"), 2)
exchange(get % (b"/1k.bin", b"If-None-Match: *\r\n"), 3)
exchange(get % (b"/none", b""), 4)
exchange(b"NONSENSE\r\n\r\n")
exchange(b"BREW / HTTP/1.1\r\nHost: test\r\n\r\n")
print(total)
PY
    wait_until 10 says 0 row connections
    got=$(for name in accepted requests answers 1xx 2xx 3xx 4xx 5xx taken; do
        printf '%s %s ' "$name" "$(said row "$name")"
    done)
    assert_equal "$got" 'accepted 6 requests 16 answers 16 1xx 0 2xx 7 3xx 3 4xx 5 5xx 1 taken 0 '
    wait_until 10 says 16 row times
    assert_equal "$(said row bytes)" "$(<"$BATS_TEST_TMPDIR/bytes")"
}

# A worker sleeps nowhere but in epoll_wait(2).
# bats test_tags=nosan
@test "wakeups are the worker's sleeps, as the kernel counts them; hardly one is wasted" {
    local pid before slept woken wasted
    drover_start --workers 1 "$SITE"
    pid=$(workers)
    # shellcheck disable=SC2317 # called below
    sleeps() { awk '/^voluntary/ { print $2 }' "/proc/$pid/status"; }
    before=$(sleeps) woken=$(said row wakeups)
    load_start --clients 1 --requests 2000
    load_wait
    wait_until 10 says 0 row connections
    slept=$(($(sleeps) - before)) woken=$(($(said row wakeups) - woken)) wasted=$(said row wasted)
    tell "2000 requests: $woken wakeups, $slept sleeps, $wasted wasted"
    assert_equal "$(said row requests)" 2000
    # The event may have come before it slept: that is a wakeup, too.
    ((slept <= woken + woken / 50 + 5))
    ((woken <= 2000 + 20))
    ((wasted <= 20))
}

@test "a connection that a sibling takes over is counted there, and not accepted twice" {
    drover_start --workers 2 "$SITE"
    client_open
    client_ask "$CLIENT" /hello.txt
    client_answer "$CLIENT"
    reload
    wait_until 10 says 1 row taken
    client_ask "$CLIENT" /hello.txt
    client_answer "$CLIENT"
    assert_equal "$(said row accepted) $(said row requests)" '1 2'
    client_close "$CLIENT"
}

# ---- why workers end --------------------------------------------------------------------------

@test "ends are counted by their causes: killed, asked, hung, fewer, a reload; events tell of them" {
    drover_start --workers 3 --standby off --hang-timeout 200ms "$SITE"
    kill_worker 0
    kill -TERM "$(worker_of 1)"
    wait_until 10 says 1 ended asked
    wait_until 10 says 3 worker ready
    kill -STOP "$(worker_of 2)"
    wait_until 10 says 1 ended hung
    wait_until 10 says 3 worker ready
    kill -TTOU "$DROVER_PID"
    wait_until 10 says 1 ended scale
    reload
    wait_until 10 says 2 ended reload
    assert_equal "$(look | sed -n 's/ cpu .*//; s/^ended //p')" \
        'exit 0 signal 1 hung 1 start 0 spent 0 asked 1 reload 2 scale 1 late 0 stop 0'
    assert_equal "$(said server generation) $(said server reloads) $(said server workers)" '2 1 2'
    (($(said ended cpu) > 0))
    assert_equal "$(said slot ends)" 2 # killed, hung
    look | grep -q '^event [0-9]* 1 worker 0 (pid [0-9]*) ended: killed by SIGKILL'
    look | grep -q '^event [0-9]* 2 reload: every worker is a fresh one'
}

@test "ends are counted by their causes: spent, and late" {
    drover_start --workers 1 --standby off --max-requests 20 --drain-timeout 1s "$SITE"
    load_start --close --clients 2 --requests 50
    load_wait
    assert_equal "$LOST" 0
    wait_until 10 says 1 worker ready
    (($(said ended spent) >= 1))
    assert_equal "$(said row requests)" 50
    kill -STOP "$(workers)"
    kill -HUP "$DROVER_PID"
    wait_until 20 says 1 ended late
}

# ---- all of it --------------------------------------------------------------------------------

@test "200 rounds of kill, reload, scale, scrape and reopen under load: all counters add up" {
    run env B="${DROVER%/*}" timeout 120 "$BATS_TEST_DIRNAME/../rounds" --rounds 200 --rate 1500 3>&- 4>&-
    tell "$output"
    assert_success
}
