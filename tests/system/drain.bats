#!/usr/bin/env bats
#
# What a worker that leaves, and a server that stops, still do: what runs comes to its end, what is
# queued is served, who keeps a connection is told, and the rest is counted. A stop's signals are
# in signals.bats.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helper's

load helper
load process
load lifecycle

setup() {
    make_site
}

# later ARGS...: a server whose answers take time; the requests below are to tests/apps/later.c.
later() {
    drover_start --app "${DROVER%/*}/apps/later.so" "$@"
}

# Requests that are under way when the code in the middle runs: `runs`, and `come_to_their_ends`.
RUNNING=$(
    cat <<'PYTHON'
def open_one(text):
    s = connect(args[0], 20)
    s.sendall(text)
    return s

def get(path):
    return open_one(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())

def body_of(s):
    """An answer with a length; its head and body."""
    head = begin(s)
    size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    body = b""
    while len(body) < size:
        more = s.recv(size - len(body))
        assert more, "an answer was cut short"
        body += more
    return head, body

deferred = [get("/after?700") for _ in range(4)]
threads = [get("/thread?5&700") for _ in range(4)]
streams = [get("/events?70&10") for _ in range(4)]
uploads = [open_one(b"POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 20\r\n\r\n0123456789")
           for _ in range(4)]
halves = [open_one(b"GET /after?1 HTTP/1.1\r\nHo") for _ in range(4)]
for s in streams:
    begin(s)

def is_refused():
    try:
        connect(args[0]).close()
    except ConnectionRefusedError:
        return True
    return False

def come_to_their_ends():
    for s in uploads:
        s.sendall(b"abcdefghij")
    for s in halves:
        s.sendall(b"st: test\r\n\r\n")
    heads = []
    for s in uploads:
        head, body = body_of(s)
        assert body.startswith(b"20 "), body
        heads.append(head)
    for s in deferred + threads + halves:
        head, body = body_of(s)
        assert b" 200 " in head and body, head
        heads.append(head)
    for s in streams:
        got = b""
        while not got.endswith(b"0\r\n\r\n"):
            more = s.recv(65536)
            assert more, f"a stream was cut short after {got[-40:]}"
            got += more
        assert b"data: 70\n" in got
    return heads
PYTHON
)

# running <<'PY': as act, with requests under way.
running() {
    local code
    code=$(cat)
    act "$DROVER_ADDR" <<<"$RUNNING"$'\n'"$code"
}

# ---- a worker that leaves ---------------------------------------------------------------------

@test "what runs when its worker leaves at a reload comes to its end, and connections stay" {
    later --workers 2
    running <<'PY'
old = children(master)
reload()
assert set(old) <= set(children(master)), "a worker has left what it had to finish"
for head in come_to_their_ends():
    assert b"connection: close" not in head.lower(), head
for s in uploads + deferred + threads + halves + streams: # with a new worker now, or soon
    s.sendall(b"GET /after?1 HTTP/1.1\r\nHost: test\r\n\r\n")
    assert b" 200 " in body_of(s)[0]
wait(lambda: not set(old) & set(children(master)))
PY
}

@test "what runs when its worker is no longer wanted comes to its end, and connections stay" {
    later --workers 4
    running <<'PY'
scale(4, 1)
for head in come_to_their_ends():
    assert b"connection: close" not in head.lower(), head
for s in uploads + deferred + threads + halves + streams:
    s.sendall(b"GET /after?1 HTTP/1.1\r\nHost: test\r\n\r\n")
    assert b" 200 " in body_of(s)[0]
wait(has_workers(1))
PY
}

# ---- a stop -----------------------------------------------------------------------------------

@test "what runs at a stop comes to its end, and its connection is closed then" {
    later --workers 2 --drain-timeout 20s
    running <<'PY'
expect("stopping on SIGTERM", lambda: tell(signal.SIGTERM))
wait(is_refused) # every worker has heard of it
early = select.select(deferred + threads, [], [], 0)[0] # on a busy machine
closed = [b"connection: close" in head.lower() for head in come_to_their_ends()]
assert closed.count(False) <= len(early), (closed, len(early))
assert all(closed[:len(uploads)] + closed[-len(halves):]), closed
PY
    drover_wait 5
    assert_equal "$status" 0
    logged '; 0 connections were closed at the deadline'
}

@test "at a stop idle connections are told with their next answer, and the rest is counted" {
    drover_start --workers 4 --drain-timeout 3s "$SITE"
    act "$DROVER_ADDR" <<'PY'
idle = [connect(args[0]) for _ in range(40)]
for s in idle:
    ask(s, close=False)
    assert answer(s) == (200, b"hello\n")
expect("stopping on SIGTERM: 40 connections are open", lambda: tell(signal.SIGTERM))
for s in idle[:25]:
    head = b""
    while b"connection: close" not in head: # a worker hears of it a moment after the log
        ask(s, close=False)
        head = begin(s).lower()
        rest(s, 6)
    assert s.recv(1) == b""
for s in idle[25:]:
    assert s.recv(1) == b""
PY
    drover_wait 10
    assert_equal "$status" 0
    logged '; 15 connections were closed at the deadline'
}

# stops_under_load ARGS...: a stop in the middle of a load. Whoever comes after it is refused.
stops_under_load() {
    local name lost=()
    drover_start --workers 8 --log-level debug "$@" "$SITE"
    both_begin --timeout 10s
    act "$STOP_AFTER_MS" <<'PY'
time.sleep(int(args[0]) / 1000) # so that it is met at another point each time
tell(signal.SIGTERM)
PY
    drover_wait 20
    assert_equal "$status" 0
    for name in short kept; do
        load_stop "$name"
        lost+=("$(caused "$name" reset closed unanswered reset_in_answer cut_short silent \
            wrong_status wrong_body malformed)")
    done
    LOST_SHORT=${lost[0]} LOST_KEPT=${lost[1]}
    logged '; 0 connections were closed at the deadline'
}

@test "a stop under load, where new clients can be dropped: all who were let in are answered" {
    for STOP_AFTER_MS in 50 103 157; do
        stops_under_load --drain-timeout 10s
        # without the privilege a client that comes at the last moment may be reset
        logged 'new connections are dropped' || continue
        assert_equal "short $LOST_SHORT, kept $LOST_KEPT" 'short 0, kept 0'
        : >"$DROVER_LOG"
    done
}

@test "a lame duck serves until its time is up, and then stops without a loss" {
    local began
    drover_start --workers 4 --log-level debug --lame-duck 1500ms --drain-timeout 10s "$SITE"
    both_begin
    began=$(now_us)
    kill -TERM "$DROVER_PID"
    wait_until 5 logged 'stopping on SIGTERM in 1500 ms'
    [[ $(fetch /hello.txt) == hello ]]
    drover_wait 20
    (($(ms_since "$began") >= 1500))
    assert_equal "$status" 0
    load_stop short
    if logged 'new connections are dropped'; then
        assert_equal "$(caused short reset closed reset_in_answer cut_short silent)" 0
    fi
    # nobody was turned away before
    (($(jq '.first.refused[0] * 1000 | floor' "$BATS_TEST_TMPDIR/load.short") >= 1500))
    load_stop kept
    assert_equal "$(caused kept reset closed unanswered reset_in_answer cut_short silent)" 0
}

@test "a second TERM ends a lame duck at once" {
    local began
    drover_start --workers 2 --lame-duck 60s "$SITE"
    kill -TERM "$DROVER_PID"
    wait_until 5 logged 'stopping on SIGTERM in 60000 ms'
    began=$(now_us)
    drover_stop
    assert_equal "$status" 0
    (($(ms_since "$began") < 5000))
    logged 'stopping at once on a second SIGTERM'
}

# ---- a stop among other moments ---------------------------------------------------------------

@test "HUP, TTIN and TTOU during a stop change nothing" {
    drover_start --workers 2 "$SITE"
    slow_client
    kill -TERM "$DROVER_PID"
    wait_until 5 logged 'stopping on SIGTERM'
    : >"$DROVER_LOG"
    kill -HUP "$DROVER_PID"
    kill -TTIN "$DROVER_PID"
    kill -TTOU "$DROVER_PID"
    slow_finish "$SLOW"
    drover_wait 10
    assert_equal "$status" 0
    assert_equal "$(wc -l <"$DROVER_LOG")" 1
    logged 'stopped: 1 requests'
}

@test "a stop in the middle of a reload: what was let in is answered, and nothing is left" {
    local after
    for after in 0 1 2 4; do
        drover_start --workers 4 --log-level debug --drain-timeout 10s "$SITE"
        both_begin
        act "$after" <<'PY'
tell(signal.SIGHUP)
time.sleep(int(args[0]) / 1000) # it is met at another point each time
tell(signal.SIGTERM)
PY
        drover_wait 20
        assert_equal "$status" 0
        logged '; 0 connections were closed at the deadline'
        load_stop short
        if logged 'new connections are dropped'; then
            assert_equal "$(caused short reset closed reset_in_answer cut_short silent)" 0
        fi
        load_stop kept
        assert_equal "$(caused kept reset closed unanswered reset_in_answer cut_short silent)" 0
        : >"$DROVER_LOG"
    done
}

# bats test_tags=nosan
@test "a stop while the workers of a reload do not get ready comes to its end" {
    local began
    misbehave MISBEHAVE_SLOW="$BATS_TEST_TMPDIR/slow"
    drover_start --workers 2 --start-timeout 4s "$SITE"
    : >"$BATS_TEST_TMPDIR/slow"
    kill -HUP "$DROVER_PID"
    wait_until 10 has_workers 4
    began=$(now_us)
    drover_stop
    assert_equal "$status" 0
    tell "stopped after $(ms_since "$began") ms"
    (($(ms_since "$began") < 8000)) # when they should have been ready
}
