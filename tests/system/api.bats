#!/usr/bin/env bats
#
# api - include/drover.h as an application for HTTP uses it: tests/apps/every.c, driven from outside.
# stream.bats is for raw streams, answer.bats for answers that take time.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; run sets output

# bats file_tags=beside

load helper
load http
load process
load embed

# ---- at once ----------------------------------------------------------------------------------

@test "every function of drover.h is used by tests/apps" {
    local name
    while read -r name; do
        grep -qE "\b$name\(" "$BATS_TEST_DIRNAME"/../apps/*.[ch] || fail "$name is not"
    done <"$BUILD/api.names"
}

@test "what a request says of itself" {
    app every --workers 1
    run fetch '/describe/a%20b/%C3%A4.html?x=%20&y' --include --path-as-is -H 'X-It:  a value ' \
        -H 'X-It: another' -H 'Accept-Encoding: gzip;q=0.5, br;q=0.4, identity;q=0.1' -H 'User-Agent: t'
    assert_line --partial 'HTTP/1.1 200 OK'
    assert_line --partial 'X-Every: one'
    assert_line --partial 'Content-Type: text/x-every'
    assert_line 'method=GET'
    assert_line 'is=100'
    assert_line 'path=/describe/a b/ä.html'
    assert_line 'prefix='
    assert_line 'query=x=%20&y'
    assert_line "authority=$DROVER_ADDR"
    assert_line "field 0: Host: $DROVER_ADDR"
    assert_line 'field 2: X-It: a value'
    assert_line 'field 3: X-It: another'
    assert_line 'x-it=a value'
    assert_line --regexp '^client=127.0.0.1 port=[1-9][0-9]+$'
    assert_line 'coding=4'
    assert_line 'encoded=/describe/a%20b/%C3%A4.html'
    assert_line 'short=-1 ENOBUFS'
    assert_line 'type=text/html; charset=utf-8'
    run fetch /describe -X PATCH --http1.0 -H 'Accept-Encoding: identity;q=0, zstd' --max-time 5
    assert_line 'method=PATCH'
    assert_line 'is=000'
    assert_line 'coding=0'
}

@test "a file drops the bytes before it, has its tag and its time, and ranges" {
    app every --workers 1
    run fetch /file?100000 --include --output - -H 'Range: bytes=1-3'
    assert_line --partial 'HTTP/1.1 206 '
    assert_line --partial 'Content-Range: bytes 1-3/100000'
    assert_line --partial 'ETag: "every"'
    assert_line --partial 'Last-Modified: Fri, 02 Jan 1970 00:00:00 GMT'
    assert_equal "$(fetch /file?100000 | wc -c)" 100000
    assert_equal "$(fetch /file?10 -H 'If-None-Match: "every"' --output /dev/null \
        --write-out '%{http_code}')" 304
}

@test "the application's page is for its own statuses and for drover's refusals" {
    local status
    app every --workers 1 --max-body 10
    for status in 404 418 500; do
        answers "$status" "GET /status?$status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert_equal "$body $(field Content-Type) $(field X-Page)" "every: $status text/x-page 1"
    done
    answers 413 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n'
    assert_equal "$body" 'every: 413'
    answers 400 'GET nothing HTTP/1.1\n\n'
    assert_equal "$body $(field X-Page)" 'every: 400 1'
    refuses 410 'GET /status?410 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    # there is none for these
    answers 204 'GET /status?204 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    assert_equal "$(field X-Page)" ''
}

@test "whole bodies, up to --max-body and not one byte more" {
    app every --workers 1 --set whole=yes --max-body 100000
    for size in 0 1 99999 100000; do
        head -c "$size" /dev/urandom >"$BATS_TEST_TMPDIR/body"
        printf '%d %d\n' "$size" "$((size > 0))" | cat - "$BATS_TEST_TMPDIR/body" >"$BATS_TEST_TMPDIR/wanted"
        fetch /body --data-binary "@$BATS_TEST_TMPDIR/body" | cmp "$BATS_TEST_TMPDIR/wanted" -
        fetch /body --data-binary "@$BATS_TEST_TMPDIR/body" -H 'Transfer-Encoding: chunked' |
            cmp "$BATS_TEST_TMPDIR/wanted" -
    done
    head -c 100001 /dev/zero >"$BATS_TEST_TMPDIR/body"
    client "$BATS_TEST_TMPDIR/body" <<'PYTHON'
body = open(args[0], 'rb').read()
c = Connection()
c.send(request('/body', 'POST', f'Content-Length: {len(body)}').encode() + body)
assert c.answer()[0] == 413
c = Connection()
c.send(request('/body', 'POST', 'Transfer-Encoding: chunked').encode())
c.send(b'%x\r\n' % len(body) + body + b'\r\n0\r\n\r\n')
assert c.answer()[0] == 413
PYTHON
    # a handler that is called at the head has none
    drover_stop
    app every --workers 1
    assert_equal "$(fetch /body -d something)" '0 0'
}

# ---- keys, hooks, metrics ---------------------------------------------------------------------

@test "keys of every type, their defaults and their bounds" {
    app every --workers 1
    assert_equal "$(fetch /keys)" 'NULL -3 65536 1000 0'
    drover_stop
    program every --workers 1 --set word= --set number=5 --set size=1g --set duration=1m \
        --set loud=yes
    assert_equal "$(fetch /keys)" ' 5 1073741824 60000 1'
    drover_stop
    DROVER_UNDER=()
    while IFS='|' read -r set message; do
        drover serve --app "$BUILD/apps/every.so" --listen 127.0.0.1:0 --set "$set"
        assert_equal "$status: $output" "64: drover serve: --set $set: $message"
    done <<'ROWS'
number=-6|must be a whole number from -5 to 5
number=6|must be a whole number from -5 to 5
number=1x|must be a whole number from -5 to 5
size=1023|must be a number of bytes, or one with k, m or g, as in 64k, from 1k to 1g
size=2g|must be a number of bytes, or one with k, m or g, as in 64k, from 1k to 1g
duration=61s|must be a number with ms, s, m or h, as in 250ms or 10s, from 0 to 1m
loud=maybe|must be yes or no
ROWS
}

@test "before_fork once in the master, worker_start in each, worker_stop in each that leaves" {
    app every --workers 2
    assert_equal "$(fetch /hooks)" '1 2 0 1'
    kill -HUP "$DROVER_PID"
    wait_until 20 logged 'every worker is a fresh one'
    wait_until 20 logged_times 2 'every has stopped, its worker'
    assert_equal "$(fetch /hooks)" '1 4 2 1'
    drover_stop
    assert_equal "$status" 0
    assert_equal "$(count_logged 'every is loaded, with its context')" 1
    assert_equal "$(count_logged 'every has stopped, its worker')" 4
}

@test "worker_start that fails with EX_CONFIG in every worker ends the start, and its reason is told" {
    drover_launch --app "$BUILD/apps/every.so" --listen 127.0.0.1:0 --workers 2 \
        --set broken='the table is not there'
    drover_wait 10
    assert_equal "$status" 78
    run cat "$DROVER_LOG"
    assert_output --partial 'did not start: the table is not there; exit status 78 (EX_CONFIG)'
    assert_output --partial 'no worker can start'
}

@test "metrics are summed over the workers; counters outlive a worker, gauges do not" {
    app every --workers 2
    client "$(worker_of 0)" "$(worker_of 1)" <<'PYTHON'
def on(worker, path):
    """Asks until that worker has answered once."""
    wait(lambda: Connection().ask(path)[2].decode().strip() == worker)

on(args[0], f'/level?{args[0]}&5')
on(args[1], f'/level?{args[1]}&7')
wait(lambda: counts()['level'] == 12)
before = counts()['added']
pids = [Connection().ask('/add?3')[2] for i in range(20)]
assert len(set(pids)) == 2, pids
assert counts()['added'] == before + 60
PYTHON
    local requests
    requests=$(counted drover_requests_total)
    kill_worker 0
    wait_until 10 counted level 7
    assert_equal "$(counted added)" 60
    kill_worker 1
    wait_until 10 counted level 0
    assert_equal "$(counted added)" 60
    (($(counted drover_requests_total) > requests))
}

# ---- who it is --------------------------------------------------------------------------------

@test "the client that a PROXY header or a trusted X-Forwarded-For brings" {
    app every --workers 1 --listen 127.0.0.1:0,proxy --trust-proxy 192.0.2.0/24
    client <<'PYTHON'
def who(header, *fields):
    c = Connection()
    c.send(header + request('/describe', 'GET', *fields).encode())
    body = c.answer()[2].decode()
    return re.search('^client=(.*)$', body, re.M).group(1)

assert who(b'PROXY TCP4 198.51.100.7 10.0.0.1 4711 80\r\n') == '198.51.100.7 port=4711'
assert who(b'PROXY TCP6 2001:db8::1 ::1 4711 80\r\n') == '2001:db8::1 port=4711'
v2 = b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c' + bytes([192, 0, 2, 9, 10, 0, 0, 1, 0x12, 0x67, 0, 80])
assert who(v2) == '192.0.2.9 port=4711'
assert who(v2, 'X-Forwarded-For: 203.0.113.5') == '203.0.113.5 port=0'
assert who(v2, 'X-Forwarded-For: 1.1.1.1, 203.0.113.5, 192.0.2.1') == '203.0.113.5 port=0'
assert who(b'PROXY TCP4 198.51.100.7 10.0.0.1 4711 80\r\n',
           'X-Forwarded-For: 203.0.113.5') == '198.51.100.7 port=4711'
c = Connection()
c.send(request('/describe'))
assert ends(c)
PYTHON
    drover_stop
    app every --workers 1 --listen "unix:$BATS_TEST_TMPDIR/s" --trust-proxy unix
    run fetch /describe
    assert_line 'client=unix: port=0'
    run fetch /describe -H 'X-Forwarded-For: 203.0.113.5'
    assert_line 'client=203.0.113.5 port=0'
}

@test "a client that has gone has no address, and is not taken for one of a unix socket" {
    app every --workers 1 --trust-proxy unix
    client "$(worker_of 0)" <<'PYTHON'
worker = int(args[0])
os.kill(worker, 19)
try:
    c = Connection()
    c.send(request('/client', 'GET', 'X-Forwarded-For: 203.0.113.5'))
    reset(c)
finally:
    os.kill(worker, 18)
wait(lambda: Connection().ask('/last')[2] != b'')
got = Connection().ask('/last')[2]
assert got == b'ENOTCONN', got
assert Connection().ask('/client', 'GET', 'X-Forwarded-For: 203.0.113.5')[0] == 200
assert Connection().ask('/last')[2] == b'127.0.0.1'
PYTHON
}

# ---- misuse -----------------------------------------------------------------------------------

# misused KIND STATUS BODY ERROR: the answer is correct all the same, and the cause is told.
misused() {
    local got
    got=$(fetch "/misuse/$1" --write-out '%{http_code}')
    assert_equal "$1: $got" "$1: $3$2"
    assert_equal "$1: $(fetch /error)" "$1: $4"
}

@test "misuse: what was said first is answered, and the error is in words" {
    app every --workers 1
    misused statuses 201 $'two\n' 'status 201 is set, and 404 comes too late'
    misused odd-status 200 $'odd\n' 'status 600 is not one of 200 to 599'
    misused 204-body 204 '' 'status 204 has no body'
    misused body-204 200 $'body\n' 'status 204 has no body, and there is one'
    misused fields 200 $'fields\n' "the field Content-Length is drover's to write"
    misused ours 200 $'ours\n' \
        "the field Content-Type is drover's to write: drover_response_type() sets it"
    misused no-pull 200 $'no pull\n' 'there is no function to pull'
    misused finish 200 $'finished\n' 'finish() comes without a defer()'
    misused etag 200 $'etag\n' 'an entity tag stands in quotes'
    misused attached 200 $'attached\n' 'something is attached already'
    misused late 200 $'streamed\n' 'a field comes after the head has left'
    misused file 200 $'streamed\n' 'the body is a stream, and cannot be a file'
    head=$(fetch /misuse/fields --head)
    refute_regex "$(field X-Y)$(field X-Z)" .
    # the log has it, once a second at most
    run cat "$DROVER_LOG"
    assert_output --partial 'warn'
    assert_output --partial 'application every: status 201 is set, and 404 comes too late'
    drover_stop
    app every --workers 1 --set whole=yes
    misused receive 200 $'received\n' 'to receive a body takes .when = DROVER_AT_HEAD'
}

@test "misuse that is seen when the handler has returned is in the log" {
    app every --workers 1
    assert_equal "$(fetch /misuse/metric)" counted
    logged 'warn  worker 0: application every: it has no metric 2: there are 2, from 0 on'
    assert_equal "$(fetch /misuse/descriptor --output /dev/null --write-out '%{http_code}')" 500
    logged 'application every: descriptor 1000000: Bad file descriptor'
}

@test "misuse: a pull that wrote more than it had room for" {
    app every --workers 1
    run fetch /misuse/much
    assert_equal "$status" 18 # CURLE_PARTIAL_FILE
    logged 'a pull says that it wrote more than it had room for'
    assert_equal "$(fetch /error)" ''
}
