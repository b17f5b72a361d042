#!/usr/bin/env bats
#
# load - drover-load: is every request in its ledger once, under the right cause and at the right
# time? Its servers here are drover and a liar, which does with each request what it is told.
#
# shellcheck disable=SC2030,SC2031 # `output` is of the test that `run` is called in

load helper
load http

setup() {
    make_site
    REPORT=$BATS_TEST_TMPDIR/report
}

# ---- a server that misbehaves -----------------------------------------------------------------

# liar ACTION[*N]...: serves in the background, and sets DROVER_ADDR and DROVER_URL. The first
# request of each connection gets the first action, and so on, and all that follow the last one;
# with `total` before the first action, connections are not told apart.
#   ok, chunked    the body, 100 bytes
#   other, long    100 other bytes, 101 bytes
#   after          the body, and a byte that belongs to nothing
#   status         500
#   garbage        what is not HTTP
#   last           the body, with Connection: close, and the end of the connection
#   half, head     half of the answer, half of its head, then the end
#   halfreset      half of the answer, then a reset
#   close, reset   the end, or a reset, without a byte of an answer
#   silent         nothing
#   pause          300 ms, in which nobody is served, then the body
#   idle           the body, and 30 ms later the end
liar() {
    local fifo=$BATS_TEST_TMPDIR/liar
    mkfifo "$fifo"
    "$PYTHON" -I -S -c "$LIAR" "$@" >"$fifo" 3>&- 4>&- &
    read -r DROVER_ADDR <"$fifo"
    DROVER_URL=http://$DROVER_ADDR
    rm "$fifo"
}

LIAR=$(
    cat <<'PYTHON'
import select, socket, struct, sys, time

words = sys.argv[1:]
in_total = words[0] == 'total'
actions = []
for word in words[in_total:]:
    name, _, times = word.partition('*')
    actions += [name] * int(times or 1)

BODY = b'0123456789' * 10


def answer(body, status=b'200 OK', fields=b''):
    return b'HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s' % (status, fields, len(body), body)


CHUNKED = (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
           b'1e\r\n%s\r\n46;x=y\r\n%s\r\n0\r\n\r\n' % (BODY[:30], BODY[30:]))
OK = answer(BODY)

# What is sent, and what then becomes of the connection.
ANSWERS = {
    'ok': (OK, 'keep'),
    'pause': (OK, 'keep'),
    'chunked': (CHUNKED, 'keep'),
    'other': (answer(BODY[::-1]), 'keep'),
    'long': (answer(BODY + b'x'), 'keep'),
    'after': (OK + b'x', 'keep'),
    'status': (answer(BODY, b'500 Oh'), 'keep'),
    'garbage': (b'SSH-2.0-liar\r\n', 'keep'),
    'last': (answer(BODY, fields=b'Connection: close\r\n'), 'close'),
    'half': (OK[:-50], 'close'),
    'head': (OK[:20], 'close'),
    'halfreset': (OK[:-50], 'reset'),
    'close': (b'', 'close'),
    'reset': (b'', 'reset'),
    'silent': (b'', 'keep'),
    'idle': (OK, 'idle'),
}

listener = socket.create_server(('127.0.0.1', 0), backlog=1024)
counts = {}  # requests seen: of a connection, or of None
unread = {}


def next_action(connection):
    key = None if in_total else connection
    n = counts.get(key, 0)
    counts[key] = n + 1
    return actions[min(n, len(actions) - 1)]


def drop(connection):
    counts.pop(connection, None)
    del unread[connection]
    connection.close()


def act(connection, action):
    """Returns False when the connection has ended."""
    text, then = ANSWERS[action]
    if action == 'pause':
        time.sleep(0.3)
    connection.sendall(text)
    if then == 'keep':
        return True
    if then == 'reset':
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    if then == 'idle':
        time.sleep(0.03)
    drop(connection)
    return False


def serve(connection):
    more = connection.recv(65536)
    unread[connection] += more
    while b'\r\n\r\n' in unread[connection]:
        unread[connection] = unread[connection].partition(b'\r\n\r\n')[2]
        if not act(connection, next_action(connection)):
            return
    if not more:
        drop(connection)


print('%s:%d' % listener.getsockname(), flush=True)
sys.stdout = None
while True:
    for ready in select.select([listener, *unread], [], [])[0]:
        if ready is listener:
            connection, _ = listener.accept()
            unread[connection] = b''
        else:
            try:
                serve(ready)
            except OSError:
                drop(ready)
PYTHON
)

# ---- what drover-load says --------------------------------------------------------------------

# load_ OPTION...: its report as JSON in REPORT; sets `status`. What it says on stderr is in
# REPORT.err.
load_() {
    status=0
    "$DROVER_LOAD" --json "$@" >"$REPORT" 2>"$REPORT.err" 3>&- || status=$?
}

# shows FILTER: does the filter of jq hold for the report?
shows() {
    jq --exit-status "$1" "$REPORT" >"$REPORT.jq" ||
        fail "not so: $1"$'\n'"$(jq --compact-output 'del(.windows)' "$REPORT")"
}

# In words, without those that are zero.
causes() {
    jq --raw-output '([["answered", .answered], ["local", .local]] + (.causes | to_entries |
        map([.key, .value])) | map(select(.[1] > 0) | "\(.[0]) \(.[1])") | join(", "))' "$REPORT"
}

# The CRC-32 of a file, by gzip(1): before its last four bytes, the lowest byte first.
crc32_of() {
    gzip --stdout "$1" | tail -c 8 | head -c 4 | od -An -tu4 --endian=little | xargs printf '%08x'
}

liar_body() {
    printf '0123456789%.0s' 1 2 3 4 5 6 7 8 9 10
}

# patience_for ACTION...: a --timeout that a busy liar keeps, and that a silent one need not.
patience_for() {
    [[ $* == *silent* ]] && echo 500ms || echo 10s
}

# at_best FILTER COMMAND...: does the filter of jq hold for what the command reports, in one round of
# three? For what hangs on times: a busy machine is late now and then.
at_best() {
    local filter=$1
    shift
    for _ in 1 2 3; do
        "$@"
        jq --exit-status "$filter" "$REPORT" >"$REPORT.jq" && return
    done
    shows "$filter"
}

# ---- the causes -------------------------------------------------------------------------------

@test "each way to lose a request has its cause, and each request is counted once" {
    local actions expected sum
    liar_body >"$BATS_TEST_TMPDIR/body"
    sum=$(crc32_of "$BATS_TEST_TMPDIR/body")
    while IFS='|' read -r actions expected; do
        # shellcheck disable=SC2086 # several actions
        liar $actions
        load_ --clients 1 --requests 4 --timeout "$(patience_for "$actions")" --expect-length 100 \
            --expect-checksum "$sum" "$DROVER_URL"
        assert_equal "$actions: $(causes)" "$actions: $expected"
        shows '.requests == 4 and .lost + .answered == 4 and (.causes | add) == .lost'
        shows '[.first[] | length] == [.causes[]]'
        if [[ $expected == 'answered 4' ]]; then
            assert_equal "$actions: $status" "$actions: 0"
        else
            assert_equal "$actions: $status" "$actions: 1"
        fi
        kill %%
        wait %% || true
    done <<'EOF'
ok|answered 4
chunked|answered 4
last|answered 4
reset|reset 4
close|closed 4
ok reset|answered 2, unanswered 2
ok close|answered 2, unanswered 2
ok ok ok silent|answered 3, silent 1
silent|silent 4
halfreset|reset_in_answer 4
ok halfreset|answered 2, reset_in_answer 2
half|cut_short 4
head|cut_short 4
ok half|answered 2, cut_short 2
status|wrong_status 4
ok status|answered 1, wrong_status 3
long|wrong_body 4
other|wrong_body 4
ok other ok|answered 3, wrong_body 1
after|wrong_body 4
garbage|malformed 4
ok garbage|answered 2, malformed 2
EOF
}

@test "where nobody listens: refused, and 69" {
    liar ok
    kill %%
    wait %% || true
    load_ --clients 2 --requests 4 "$DROVER_URL"
    assert_equal "$status: $(causes)" '69: refused 4'
    grep -qF 'the server was not reached at all' "$REPORT.err"
}

@test "where nobody listens, by time: it ends after a second without a connection" {
    liar ok
    kill %%
    wait %% || true
    for loop in '' '--rate 100'; do
        # shellcheck disable=SC2086 # none or two words
        load_ --clients 2 --duration 20s $loop "$DROVER_URL"
        assert_equal "$status" 69
        shows '.seconds < 15 and .causes.refused > 0 and .unsent == 0'
    done
}

@test "what this machine lacks is local, not lost: descriptors" {
    drover_start "$SITE"
    status=0
    (
        ulimit -n 24
        exec "$DROVER_LOAD" --json --clients 64 --requests 200 "$DROVER_URL/1k.bin"
    ) >"$REPORT" 2>"$REPORT.err" 3>&- || status=$?
    assert_equal "$status" 0
    shows '.lost == 0 and .answered > 0 and .local > 0 and .answered + .local == 200'
    grep -qF 'this machine, not the server' "$REPORT.err"
    # Those that can connect go on for the others, and none is left behind.
    (
        ulimit -n 24
        exec "$DROVER_LOAD" --json --close --clients 8 --requests 2000 "$DROVER_URL/1k.bin"
    ) >"$REPORT" 3>&-
    shows '.answered == 2000 and .local == 0'
}

# 100 ports, whose connections are in TIME_WAIT when drover-load has closed them first.
@test "no port is left: the next source, unless they were chosen" {
    local inside=(unshare --net)
    ((EUID)) && inside=(unshare --user --map-root-user --net)
    "${inside[@]}" ip link set lo up || skip 'no network namespace here'
    cat >"$BATS_TEST_TMPDIR/inside" <<'EOF'
ip link set lo up
echo '40000 40099' >/proc/sys/net/ipv4/ip_local_port_range
echo 0 >/proc/sys/net/ipv4/tcp_tw_reuse # not even after a second
"$PYTHON" -I -S -c "$LIAR" ok >"$DIR/address" &
until [[ -s $DIR/address ]]; do sleep 0.01; done
url=http://$(<"$DIR/address")
"$DROVER_LOAD" --json --close --clients 4 --requests 300 "$url" >"$DIR/spread"
"$DROVER_LOAD" --json --clients 150 --requests 300 "$url" >"$DIR/kept"
"$DROVER_LOAD" --json --close --sources 2 --clients 4 --requests 1000 "$url" >"$DIR/chosen"
kill $!
EOF
    PYTHON=$PYTHON LIAR=$LIAR DIR=$BATS_TEST_TMPDIR DROVER_LOAD=$DROVER_LOAD \
        "${inside[@]}" bash "$BATS_TEST_TMPDIR/inside" 3>&- 2>"$REPORT.err"
    REPORT=$BATS_TEST_TMPDIR/spread shows '.answered == 300 and .local == 0 and .sources > 2'
    REPORT=$BATS_TEST_TMPDIR/kept shows '.answered == 300 and .local == 0 and .sources > 1'
    REPORT=$BATS_TEST_TMPDIR/chosen shows '.local > 0 and .lost == 0 and .sources == 2'
    grep -qF 'Cannot assign requested address' "$REPORT.err"
}

@test "a connection that the server ends while nothing is asked on it is no loss" {
    liar idle
    # a liar that is late by more than the pause between two requests ends the second one's connection
    at_best '.answered == 5 and .lost == 0' load_ --clients 1 --rate 3 --requests 5 "$DROVER_URL"
    assert_equal "$status" 0
    shows '.connections == 5 and .idle_ends >= 4'
}

# ---- pipelined --------------------------------------------------------------------------------

@test "pipelined: all answers of one connection, in any pieces" {
    local depth
    drover_start "$SITE"
    for depth in 2 7 64; do
        load_ --clients 3 --pipeline "$depth" --requests 5000 --expect-file "$SITE/1k.bin" \
            "$DROVER_URL/1k.bin"
        assert_equal "$status: $(causes)" '0: answered 5000'
        shows ".connections == 3 and .pipeline == $depth"
    done
    load_ --clients 2 --pipeline 8 --requests 40 --expect-file "$SITE/big.bin" "$DROVER_URL/big.bin"
    assert_equal "$status: $(causes)" '0: answered 40'
    shows '.connections == 2 and .bytes > 40 * 1048583'
}

# The end of a connection with requests that the liar has not read is a reset.
@test "pipelined: what waits behind a broken answer is lost, too" {
    local actions allowed
    while IFS='|' read -r actions allowed; do
        # shellcheck disable=SC2086 # several actions
        liar $actions
        load_ --clients 1 --pipeline 4 --requests 12 --timeout "$(patience_for "$actions")" \
            --expect-length 100 "$DROVER_URL"
        shows '.requests == 12 and .lost + .answered == 12 and (.causes | add) == .lost'
        shows ".causes | to_entries | all(.value == 0 or ([.key] | inside([$allowed])))"
        shows '.lost > 0'
        [[ $actions == ok* ]] && shows '.answered > 0 and .causes.unanswered > 0'
        kill %%
        wait %% || true
    done <<'EOF'
ok ok close|"unanswered"
ok ok reset|"unanswered"
ok half|"cut_short", "reset_in_answer", "unanswered"
ok halfreset|"reset_in_answer", "unanswered"
ok last|"unanswered"
ok garbage|"malformed", "unanswered"
close|"closed", "reset"
reset|"reset"
half|"cut_short", "reset_in_answer", "unanswered"
silent|"silent"
EOF
}

# ---- what is expected -------------------------------------------------------------------------

@test "expected bodies: a file, a checksum, the same as the first" {
    local sum
    drover_start "$SITE"
    sum=$(crc32_of "$SITE/1k.bin")
    head -c 1024 "$SITE/big.bin" | tr 0-9 1-90 >"$BATS_TEST_TMPDIR/other"
    expect_lost() {
        local lost=$1
        shift
        load_ --clients 4 --requests 100 "$@" "$DROVER_URL/1k.bin"
        assert_equal "$*: $status: $(causes)" "$*: $( ((lost)) && echo '1: wrong_body 100' || echo '0: answered 100')"
    }
    expect_lost 0 --expect-file "$SITE/1k.bin"
    shows ".body == {length: 1024, crc32: \"$sum\"}"
    expect_lost 1 --expect-file "$BATS_TEST_TMPDIR/other"
    expect_lost 1 --expect-file "$SITE/zero.txt"
    expect_lost 0 --expect-checksum "$sum"
    expect_lost 0 --expect-checksum "0x${sum^^}" --expect-length 1024
    expect_lost 1 --expect-checksum "$sum" --expect-length 1023
    expect_lost 1 --expect-checksum 1
    expect_lost 0 --expect-same
    shows ".body == {length: 1024, crc32: \"$sum\"}"
    load_ --requests 10 --expect-file "$SITE/zero.txt" "$DROVER_URL/zero.txt"
    assert_equal "$status: $(causes)" '0: answered 10'
    load_ --requests 10 --expect-file "$SITE/none" "$DROVER_URL/zero.txt"
    assert_equal "$status" 66
    grep -qF "$SITE/none': No such file or directory" "$REPORT.err"
}

@test "the same as the first: a file that is changed under it" {
    liar total 'ok*5' 'other*2' 'ok*2' long
    load_ --clients 1 --requests 12 --expect-same "$DROVER_URL"
    assert_equal "$status: $(causes)" '1: answered 7, wrong_body 5'
}

# ---- an open loop -----------------------------------------------------------------------------

@test "an open loop asks at its rate, and says what it could not begin" {
    drover_start "$SITE"
    at_rate() {
        load_ --rate 2000 --duration 1s "$DROVER_URL/1k.bin"
        shows '.requests + .unsent == 2000 and .lost == 0 and .rate_wanted == 2000'
        shows '.seconds >= 1 and .seconds < 1.01'
    }
    at_best '.requests > 1800 and .latency_us.p50 < 5000' at_rate
    load_ --rate 300/m --requests 3 "$DROVER_URL/1k.bin"
    shows '.requests == 3 and .rate_wanted == 5 and .seconds > 0.39'
    load_ --rate 500/s --duration 400ms --close "$DROVER_URL/1k.bin"
    shows '.requests + .unsent == 200 and .connections == .requests'
    drover_stop
    liar pause
    load_ --clients 2 --rate 100 --duration 1s "$DROVER_URL"
    shows '.requests + .unsent == 100 and .answered == .requests and .unsent > 50'
    run -0 "$DROVER_LOAD" --clients 1 --rate 100 --duration 500ms "$DROVER_URL"
    assert_output --regexp 'unsent: [0-9]+ were due while every client was busy'
}

# A server that stands still for 300 ms holds up one request of a closed loop's only client, and
# every third of a client who comes 1000 times a second.
@test "an open loop counts the wait from when a request was due: no coordinated omission" {
    liar total 'ok*100' pause ok
    load_ --clients 1 --requests 1000 "$DROVER_URL"
    shows '.lost == 0 and .latency_us.p90 < 100000 and .latency_us.max >= 300000'
    kill %%
    wait %% || true
    liar total 'ok*100' pause ok
    load_ --clients 1 --rate 1000 --requests 1000 "$DROVER_URL"
    shows '.lost == 0 and .latency_us.p90 > 150000 and .latency_us.max >= 300000'
}

# ---- times ------------------------------------------------------------------------------------

@test "the first times of a loss are when it was" {
    # Due at 0.400, and at 0.810, 0.820, ...; a busy machine is late, never early.
    losses() {
        liar total 'ok*40' 'close' 'ok*40' 'status*8' ok
        load_ --clients 1 --rate 100 --requests 100 "$DROVER_URL"
        assert_equal "$(causes)" 'answered 91, unanswered 1, wrong_status 8'
        shows '.first.unanswered | length == 1 and .[0] >= 0.4'
        shows '.first.wrong_status | length == 5 and . == sort and .[0] >= 0.81'
        shows '.statuses == {"500": 8}'
        shows ".began > $EPOCHSECONDS - 60 and .began < $EPOCHSECONDS"
        kill %%
        wait %% || true
    }
    at_best '.first.unanswered[0] < 0.6 and .first.wrong_status[4] < 1.3' losses
    liar total 'ok*40' 'close' 'ok*40' 'status*8' ok
    run -1 "$DROVER_LOAD" --clients 1 --rate 100 --requests 100 "$DROVER_URL"
    assert_line --regexp '^lost: 9 \(unanswered 1, wrong_status 8\)$'
    assert_line --regexp '^  unanswered: at [0-9]\.[0-9]{3} s$'
    assert_line --regexp '^  wrong_status: first at [0-9]\.[0-9]{3}(, [0-9]\.[0-9]{3}){4} s$'
    assert_line '  status 500: 8'
}

@test "windows: every request is in one, and a moment shows in its own" {
    in_windows() {
        liar total 'ok*50' pause 'ok*20' 'status*3' ok
        load_ --clients 1 --rate 100 --requests 150 --window 100ms "$DROVER_URL"
        shows '([.windows[].answered] | add) == .answered and ([.windows[].lost] | add) == .lost'
        shows '[.windows[].at] == [range(0; .windows | length) | . / 10]'
        shows '.causes.wrong_status == 3'
        kill %%
        wait %% || true
    }
    # The pause is from 0.5 to 0.8 s, and nothing is answered meanwhile.
    at_best '([.windows[] | select(.at < 0.45) | .max] | max) < 250000 and
        ([.windows[] | select(.at >= 0.55 and .at < 1.2) | .max] | max) >= 280000' in_windows
    liar ok
    run -1 "$DROVER_LOAD" --requests 5 --window 1s "$DROVER_URL/" --expect-length 1
    assert_line --regexp '^ *from s +answered +lost +p50 us +p99 us +max us$'
    assert_line --regexp '^ *0\.000 +0 +5 +0 +0 +0$'
}

# ---- the end ----------------------------------------------------------------------------------

# has_connections PID N: sockets that it has not inherited. For wait_until.
has_connections() {
    (($(sockets_of "$1") - $(sockets_of "$BASHPID") >= $2))
}

sockets_of() {
    find "/proc/$1/fd" -lname 'socket:*' 2>/dev/null | wc -l
}

@test "INT and TERM end it early, with the report" {
    local signal loop pid
    drover_start "$SITE"
    for signal in INT TERM; do
        for loop in '' '--rate 100'; do
            # shellcheck disable=SC2086 # none or two words
            "$DROVER_LOAD" --json --clients 16 --duration 1h $loop "$DROVER_URL/1k.bin" >"$REPORT" 3>&- &
            pid=$!
            wait_until 10 has_connections "$pid" 16
            kill -s "$signal" "$pid"
            wait "$pid"
            shows '.answered > 0 and .lost == 0 and .unsent == 0 and .seconds < 30'
        done
    done
}

@test "a second signal ends it at once" {
    local pid
    liar silent
    "$DROVER_LOAD" --json --clients 16 --timeout 1m "$DROVER_URL" >"$REPORT" 3>&- &
    pid=$!
    wait_until 10 has_connections "$pid" 16
    kill -s TERM "$pid"
    wait_until 10 grep -q 'SigBlk:.*0000$' "/proc/$pid/status" # it has read the first one
    kill -s TERM "$pid"
    status=0
    wait "$pid" || status=$?
    assert_equal "$status" 143
    [[ ! -s $REPORT ]]
}

# ---- the command line -------------------------------------------------------------------------

@test "wrong usage is told, with what is right" {
    local words expected
    while IFS='|' read -r words expected; do
        # shellcheck disable=SC2086 # several words
        run -64 "$DROVER_LOAD" $words
        assert_output "drover-load: $expected"
    done <<'EOF'
|the URL is missing (see --help)
--clinets 3 http://x|'--clinets': there is no such option; did you mean --clients?
--windw=3 http://x|'--windw=3': there is no such option; did you mean --window?
--frobnicate http://x|'--frobnicate': there is no such option; --help lists them
-c 3 http://x|'-c': there is no such option; --help lists them
--clients 0 http://x|--clients '0': too small (allowed: 1 to 100000)
--clients 100001 http://x|--clients '100001': too large (allowed: 1 to 100000)
--clients x http://x|--clients 'x': not a whole number (allowed: 1 to 100000)
--pipeline 1025 http://x|--pipeline '1025': too large (allowed: 1 to 1024)
--rate 0 http://x|--rate '0': too small (allowed: 1/m to 10000000/s; units: /s, /m)
--rate 10000001 http://x|--rate '10000001': too large (allowed: 1/m to 10000000/s; units: /s, /m)
--duration 0.5s http://x|--duration '0.5s': not a whole number (allowed: 1ms to 1000h; units: ms, s, m, h)
--rate 5/h http://x|--rate '5/h': unknown unit (allowed: 1/m to 10000000/s; units: /s, /m)
--rate fast http://x|--rate 'fast': not a rate (allowed: 1/m to 10000000/s; units: /s, /m)
--duration 5 http://x|--duration '5': the unit is missing (allowed: 1ms to 1000h; units: ms, s, m, h)
--duration x http://x|--duration 'x': not a duration (allowed: 1ms to 1000h; units: ms, s, m, h)
--window 2h http://x|--window '2h': too large (allowed: 1ms to 1h; units: ms, s, m, h)
--expect-checksum xyz http://x|--expect-checksum 'xyz': not a CRC-32 (allowed: up to eight hexadecimal digits)
--expect-checksum 123456789 http://x|--expect-checksum '123456789': too large (allowed: up to eight hexadecimal digits)
--json=yes http://x|--json 'yes': takes no value
--clients|--clients: needs a value (allowed: 1 to 100000)
--close --pipeline 2 http://x|--pipeline and --close: a connection has either several requests or one
--expect-same --expect-checksum 1 http://x|--expect-same: the checksum is that of the first answer or a given one
--expect-file /x --expect-length 1 http://x|--expect-file says the length and the checksum already
http://x http://y|'http://y': one URL is allowed, and 'http://x' came before it
https://x|'https://x': must start with http://
--sources 2 http://[::1]:1/|'--sources': only a target in 127.0.0.0/8 can be asked from several sources
EOF
}

@test "values at their bounds are taken" {
    local words
    drover_start "$SITE"
    while read -r words; do
        # shellcheck disable=SC2086 # several words
        load_ --requests 2 $words "$DROVER_URL/1k.bin"
        assert_equal "$words: $status: $(causes)" "$words: 0: answered 2"
    done <<'EOF'
--clients 1
--clients 100000
--rate 10000000/s
--rate 9999999/s
--duration 1000h
--pipeline 1024
--pipeline 1
--sources 65536 --clients 2
--timeout 1h
--window 1ms
--window 1h
--expect-length 1024
--max-lost 0
EOF
    load_ --rate 1/m --requests 1 "$DROVER_URL/1k.bin"
    assert_equal "$(causes)" 'answered 1'
    load_ --duration 1ms "$DROVER_URL/1k.bin" # in which a busy machine may begin none
    shows '.seconds == 0.001 and .lost == 0'
}

@test "the help names every option, and every cause in the report" {
    local name
    run -0 "$DROVER_LOAD" --help
    assert_equal "$(grep -c '^  --' <<<"$output")" 21
    drover_start "$SITE"
    load_ --requests 1 "$DROVER_URL/1k.bin"
    for name in $(jq --raw-output '.causes | keys[]' "$REPORT"); do
        assert_line --regexp "^  $name "
    done
    (($(awk '{ print length }' <<<"$output" | sort -n | tail -n 1) <= 100))
}

@test "a line a second on a terminal, and none with --quiet" {
    drover_start "$SITE"
    on_terminal() {
        "$PYTHON" -I -S -c 'import os, sys
master, slave = os.openpty()
if os.fork() == 0:
    os.dup2(slave, 2)
    os.execv(sys.argv[1], sys.argv[1:])
os.wait()
os.set_blocking(master, False)
try:
    sys.stderr.write(os.read(master, 65536).decode())
except BlockingIOError:
    pass' "$DROVER_LOAD" "$@" >"$REPORT" 2>"$REPORT.err" 3>&-
    }
    on_terminal --rate 100 --duration 1200ms "$DROVER_URL/1k.bin"
    grep -qE '1 s  answered [0-9]+  [0-9]+/s  lost 0' "$REPORT.err"
    on_terminal --quiet --rate 100 --duration 1200ms "$DROVER_URL/1k.bin"
    [[ ! -s $REPORT.err ]]
}

# ---- its own cost -----------------------------------------------------------------------------

# cpu_of_run COMMAND...: nanoseconds of CPU that it took; its output is in REPORT.
cpu_of_run() {
    "$PYTHON" -I -S -c 'import os, resource, sys
out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
if os.fork() == 0:
    os.dup2(out, 1)
    os.execvp(sys.argv[2], sys.argv[2:])
status = os.wait()[1]
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(int((used.ru_utime + used.ru_stime) * 1e9))
sys.exit(status != 0)' "$REPORT" "$@" 3>&-
}

median() {
    printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}

# beside_wrk [--close]: three rounds of a second each, in turn, against one worker. Sets RATE and
# COST: drover-load's requests a second and its CPU a request, in % of wrk's; of medians.
beside_wrk() {
    local cpu n their_rates=() their_costs=() our_rates=() our_costs=() field=()
    [[ $* == --close ]] && field=(--header 'Connection: close')
    for _ in 1 2 3; do
        cpu=$(cpu_of_run wrk --threads 1 --connections 64 --duration 1s "${field[@]}" "$DROVER_URL/1k.bin")
        n=$(awk '/requests in/ { print $1 }' "$REPORT")
        their_rates+=("$n") their_costs+=($((cpu / n)))
        cpu=$(cpu_of_run "$DROVER_LOAD" --quiet --json --clients 64 --duration 1s "$@" "$DROVER_URL/1k.bin")
        shows '.lost == 0 and .local == 0'
        n=$(jq .answered "$REPORT")
        our_rates+=("$n") our_costs+=($((cpu / n)))
    done
    RATE=$((100 * $(median "${our_rates[@]}") / $(median "${their_rates[@]}")))
    COST=$((100 * $(median "${our_costs[@]}") / $(median "${their_costs[@]}")))
    echo "drover-load $* beside wrk, 64 clients: $(median "${our_rates[@]}") to $(median "${their_rates[@]}")" \
        "requests a second, $RATE %; CPU a request $(median "${our_costs[@]}") to" \
        "$(median "${their_costs[@]}") ns, $COST %" >&3
}

# A machine that is busy with something else hits one of the two harder: so five tries.
# bats test_tags=nosan,alone
@test "it keeps pace with wrk, a thread each, and takes no more CPU" {
    local try option
    drover_start --workers 1 "$SITE"
    for option in '' --close; do
        for try in 1 2 3 4 5; do
            # shellcheck disable=SC2086 # none or one
            beside_wrk $option
            ((RATE >= 85 && COST <= 105)) && break
            ((try < 5))
        done
    done
}
