#!/usr/bin/env bats
#
# answer - answers that take time, streamed ones, bodies as they come, and upgrades:
# tests/apps/later.c, driven from outside.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; run sets output

# bats file_tags=beside

load helper
load http
load process
load embed

# ---- deferred ---------------------------------------------------------------------------------

@test "deferred: by a timer, a child's pipe and another thread, 300 at a time" {
    app later --workers 2
    client <<'PYTHON'
clients = []
for i in range(100):
    for path, wanted in ((f'/after?{i % 50}', f'after {i % 50}\n'),
                         (f'/thread?{i}', f'thread {i} blocked\n'),
                         (f'/child?{i}&{i % 5 * 10}', f'child {i}\n') if i % 3 == 0 else
                         ('/at-once', 'at once\n')):
        c = Connection()
        c.send(request(path))
        clients.append((c, wanted))
for c, wanted in clients:
    status, fields, body = c.answer()
    assert (status, body.decode()) == (200, wanted), (status, body, wanted)
    assert c.ask('/at-once')[2] == b'at once\n'
got = counts()
assert got['held'] == 0 and got['gone'] == 0, got
assert got['finished'] == got['released'] == 600, got
PYTHON
}

@test "what is watched, and posts in their order" {
    app later --workers 1
    assert_equal "$(fetch /watch)" 'EPERM ENOENT writable 1'
    assert_equal "$(fetch /posts?100)" "$(seq 0 99 | paste -sd ' ') "
    assert_equal "$(fetch /count | awk '/^held/ { print $2 }')" 0
}

@test "deferred: a timer is called in its time, as drover_now() tells it" {
    local ms waited
    app later --workers 1
    for ms in 0 1 30 100; do
        waited=$(fetch "/after?$ms" --output /dev/null --write-out '%header{x-waited}')
        ((waited >= ms && waited < ms + 1000))
    done
}

@test "deferred: the request is there until the answer is finished" {
    app later --workers 1
    client <<'PYTHON'
want = b'after 30\nan /after/a b 3 x 127.0.0.1\n'
c = Connection()
c.send((request('/after/a%20b?30', 'GET', 'X-It: an', 'Accept: */*') +
        request('/upload', 'POST', 'Content-Length: 60000') + 'x' * 60000) * 3)
for _ in range(3):
    got = c.answer()[2]
    assert got == want, got
    assert c.answer()[2].startswith(b'60000 ')
PYTHON
}

@test "deferred: pipelined requests are answered in order, and none overtakes" {
    app later --workers 1
    client <<'PYTHON'
c = Connection()
wanted = []
text = ''
for i in range(20):
    for path, body in ((f'/after?{30 - i}', f'after {30 - i}\n'), ('/at-once', 'at once\n'),
                       (f'/thread?{i}', f'thread {i} blocked\n'), ('/none', '<!DOCTYPE')):
        text += request(path)
        wanted.append(body.encode())
text += request('/upload', 'POST', 'Content-Length: 5') + 'hello' + request('/after?1')
wanted += [b'5 ' + fnv(b'hello').encode() + b'\n', b'after 1\n']
c.send(text)
for body in wanted:
    got = c.answer()[2]
    assert got.startswith(body), (got, body)
c.send(request('/after?20', 'HEAD') + request('/after?1'))
assert c.answer('HEAD')[0] == 200
assert c.answer()[2] == b'after 1\n'
assert counts()['held'] == 0
PYTHON
}

@test "deferred: a client that has only stopped to send gets its answer" {
    app later --workers 1
    client <<'PYTHON'
c = Connection()
c.send(request('/after?50') + request('/after?1'))
c.socket.shutdown(socket.SHUT_WR)
assert c.answer()[2] == b'after 50\n'
assert c.answer()[2] == b'after 1\n'
assert c.is_closed()
PYTHON
}

@test "deferred: a client that has gone is noticed, and its answer is finished and released once" {
    app later --workers 1
    client <<'PYTHON'
for path in '/until-gone', '/after?800', '/thread?1&800', '/child?1&800', '/upload?0&800':
    before = counts()
    c = Connection()
    c.send(request(path, 'POST' if 'upload' in path else 'GET'))
    wait(lambda: counts()['held'] == 1)
    reset(c)
    wait(lambda: counts()['held'] == 0)
    after = counts()
    for name in 'gone', 'finished', 'released':
        assert after[name] == before[name] + 1, (path, name, before, after)
# many, at any moment
for i in range(200):
    c = Connection()
    c.send(request((f'/after?{i % 20}', f'/thread?{i}', f'/events?0&{i % 7 + 1}')[i % 3]) * 2)
    if i % 4 == 0:
        c.more()
    reset(c)
wait(lambda: counts()['held'] == 0)
PYTHON
}

@test "deferred: 503 after --answer-timeout, and what is finished later harms nobody" {
    app later --workers 1 --answer-timeout 600ms
    client <<'PYTHON'
def refused(c, since):
    status, fields, body = c.answer()
    took = time.monotonic() - since
    assert status == 503 and b'503' in body, (status, body)
    assert fields['connection'] == 'close', fields
    assert 0.59 < took < 5, took
    assert ends(c)

late, never, behind = Connection(), Connection(), Connection()
started = time.monotonic()
late.send(request('/after?1200'))
never.send(request('/never'))
behind.send(request('/after?1') + request('/never') + request('/at-once'))
assert behind.answer()[2] == b'after 1\n'
for c in late, never, behind:
    refused(c, started)
wait(lambda: counts()['finished'] == 2)  # late's and the first of behind's
got = counts()
assert got['gone'] == 1 and got['held'] == 2, got
c = Connection()
for i in range(3):  # a kept connection has the whole time for each
    assert c.ask('/after?250')[2] == b'after 250\n'
PYTHON
    logged 'application later: an answer that was deferred is not finished after --answer-timeout: GET /'
    drover_stop
    assert_equal "$status" 0
}

# ---- streamed ---------------------------------------------------------------------------------

@test "events come as they happen, each by itself, and the answer ends with the last" {
    local started
    app later --workers 1
    started=${EPOCHREALTIME/./} # no process a line: on a busy machine the clock itself would be late
    curl --silent --no-buffer --include "$DROVER_URL/events?4&250" | while IFS= read -r line; do
        printf '%d %s\n' $(((${EPOCHREALTIME/./} - started) / 1000)) "$line"
    done >"$BATS_TEST_TMPDIR/lines"
    run awk '/data: / && $1 >= 250 * $3 - 10 { n++ } END { print n }' "$BATS_TEST_TMPDIR/lines"
    assert_output 4
    run awk '/data: 1/ && $1 < 1000 { print "before the last was due" }' "$BATS_TEST_TMPDIR/lines"
    assert_output "before the last was due"
    grep -q 'Content-Type: text/event-stream' "$BATS_TEST_TMPDIR/lines"
    grep -q 'Transfer-Encoding: chunked' "$BATS_TEST_TMPDIR/lines"
    wait_until 5 counted held 0
}

@test "events: HTTP/1.0 ends with the connection, HEAD has no body, the next request follows" {
    app later --workers 1
    client <<'PYTHON'
c = Connection()
c.send('GET /events?3&5 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
head, _, body = rest(c).partition(b'\r\n\r\n')
assert b'chunked' not in head and b'Content-Length' not in head, head
assert b'Connection: close' in head, head
assert body == b'data: 1\n\ndata: 2\n\ndata: 3\n\n', body
c = Connection()
c.send(request('/events?2&20', 'HEAD') + request('/events?2&20') + request('/at-once'))
assert c.answer('HEAD')[1]['transfer-encoding'] == 'chunked'
assert c.answer()[0] == 200
assert [chunks(c) for _ in range(3)] == [b'data: 1\n\n', b'data: 2\n\n', b'']
assert c.answer()[2] == b'at once\n'
PYTHON
    assert_equal "$(counted held)" 0
}

@test "events that are begun only later" {
    app later --workers 1
    run fetch /events-later?3\&50
    assert_output $'data: 1\n\ndata: 2\n\ndata: 3'
    client <<'PYTHON'
c = Connection()
c.send(request('/events-later?0&20'))
c.until(b'data: 2\n')
reset(c)
wait(lambda: counts()['held'] == 0)
PYTHON
}

@test "events: a client that has gone is released with the next event" {
    app later --workers 1
    client <<'PYTHON'
c = Connection()
c.send(request('/events?0&10'))
c.until(b'data: 3\n')
assert counts()['held'] == 1
c.socket.close()
wait(lambda: counts()['held'] == 0)
assert counts()['released'] == 1
c = Connection()
c.send(request('/events?0&60000'))
c.until(b'\r\n\r\n')
reset(c)  # seen at once
wait(lambda: counts()['held'] == 0)
PYTHON
}

@test "streamed: a known length, from one byte to many, and none" {
    app later --workers 1
    client <<'PYTHON'
c = Connection()
for n in 1, 4095, 4096, 16384, 16385, 1000003:
    status, fields, body = c.ask(f'/length?{n}&{n}')
    assert fields['content-length'] == str(n) and 'transfer-encoding' not in fields, fields
    same(body, (b'abcdefghijklmnopqrstuvwxyz' * (n // 26 + 1))[:n])
assert c.ask('/length?0&0')[2] == b''
assert c.ask('/length?5&5', 'HEAD')[1]['content-length'] == '5'
c.send(request('/length?-1&100000'))
assert c.answer()[1]['transfer-encoding'] == 'chunked'
same(b''.join(iter(lambda: chunks(c), b'')), (b'abcdefghijklmnopqrstuvwxyz' * 3847)[:100000])
assert c.ask('/at-once')[2] == b'at once\n'
assert counts()['held'] == 0
PYTHON
}

@test "streamed: too long is cut, too short and a failure close the connection, and the log tells" {
    app later --workers 1
    client <<'PYTHON'
c = Connection()
assert c.ask('/length?10&20')[2] == b'abcdefghij'
assert c.ask('/at-once')[2] == b'at once\n'  # still in step
wait(lambda: time.time() % 1 < 0.5)  # a line a second
for path, n in ('/length?20&10', 10), ('/length/failed?20&10', 10), ('/length/failed?-1&5', 5):
    c = Connection()
    c.send(request(path))
    c.until(b'\r\n\r\n')
    body = rest(c)
    assert b'abcdefghij'[:n] in body and not body.endswith(b'0\r\n\r\n'), body
wait(lambda: counts()['held'] == 0)
PYTHON
    logged 'the stream has more bytes than its length said'
    run fetch /length?20\&10
    assert_equal "$status" 18
}

@test "streamed: what a client does not read is not pulled" {
    app later --workers 1
    client "$(worker_of 0)" <<'PYTHON'
n = 100_000_000
c = Connection(receive_buffer=4096)
c.send(request(f'/length?-1&{n}'))
c.until(b'\r\n')

def is_stuck():
    before = counts()['pulled']
    time.sleep(0.1)
    return counts()['pulled'] == before

wait(is_stuck)
assert counts()['pulled'] < n / 4, counts()
assert counts()['held'] == 1
reset(c)
wait(lambda: counts()['held'] == 0)
PYTHON
    [[ $SAN == 1 ]] || (($(peak_kb "$(worker_of 0)") < 20000))
}

# ---- bodies as they come ----------------------------------------------------------------------

@test "an upload of 100 MB passes through a worker that does not grow" {
    local before
    app later --workers 1 --max-body 1k
    fetch /upload -d x
    before=$(peak_kb "$(worker_of 0)")
    assert_equal "$(head -c 100000000 /dev/zero | fetch /upload -X POST -T - \
        -H 'Expect:' | cut -d ' ' -f 1)" 100000000
    assert_equal "$(head -c 100000000 /dev/zero | fetch /upload -X POST --data-binary @- \
        -H 'Content-Type: x/y' | cut -d ' ' -f 1)" 100000000
    if [[ $SAN != 1 ]]; then # whose allocator gives nothing back
        (($(peak_kb "$(worker_of 0)") < before + 1000)) ||
            fail "$before KB, then $(peak_kb "$(worker_of 0)")"
    fi
    assert_equal "$(counted held)" 0
}

@test "bodies: every way that they are sent, pieces of any size, and nothing" {
    app later --workers 1
    client <<'PYTHON'
data = bytes(range(256)) * 400
want = f'{len(data)} {fnv(data)}\n'.encode()

def chunked(data, size):
    return b''.join(b'%x\r\n%s\r\n' % (len(part), part) for part in
                    (data[i:i + size] for i in range(0, len(data), size))) + b'0\r\n\r\n'

c = Connection()
for path in '/upload', '/upload?0&5':
    word = b'later ' if '&' in path else b''
    length = request(path, 'PUT', f'Content-Length: {len(data)}').encode()
    coded = request(path, 'PUT', 'Transfer-Encoding: chunked').encode()
    for message in length + data, coded + chunked(data, 1000), coded + chunked(data, 70000):
        c.send(message)
        assert c.answer()[2] == word + want
        for at in 1, len(length) - 1, len(length), len(length) + 1, len(message) - 1:
            c.send(message[:at])
            time.sleep(0.002)
            c.send(message[at:] + message)  # and another right behind
            assert c.answer()[2] == word + want
            assert c.answer()[2] == word + want
    for empty in request(path, 'POST', 'Content-Length: 0'), request(path, 'POST'), \
            request(path, 'POST', 'Transfer-Encoding: chunked') + '0\r\n\r\n':
        c.send(empty)
        assert c.answer()[2] == word + f'0 {fnv(b"")}\n'.encode()
c.send(request('/upload', 'POST', 'Content-Length: 3', 'Expect: 100-continue'))
assert c.until(b'\r\n\r\n') == b'HTTP/1.1 100 Continue'
c.send('abc')
assert c.answer()[2] == f'3 {fnv(b"abc")}\n'.encode()
assert counts()['held'] == 0
PYTHON
}

@test "bodies: refused early, and the client hears it while it still sends" {
    app later --workers 1
    client <<'PYTHON'
c = Connection()  # a short rest is read, and the connection stays
c.send(request('/upload?10', 'POST', 'Content-Length: 30') + 'x' * 30)
assert c.answer()[0] == 413
assert c.ask('/at-once')[2] == b'at once\n'
c = Connection()  # a long one is not waited for
c.send(request('/upload?1000', 'POST', 'Content-Length: 1000000000') + 'x' * 100000)
assert c.answer()[0] == 413
assert counts()['received'] < 1000000
# somebody who does not listen is cut off
try:
    for i in range(1000):
        c.send(b'x' * 100000)
    assert False, 'all of it was taken'
except OSError:
    pass
c = Connection()  # nor is one that is chunked
c.send(request('/upload?1000', 'POST', 'Transfer-Encoding: chunked').encode())
for i in range(20):
    c.send(b'400\r\n' + b'x' * 1024 + b'\r\n')
c.send(b'0\r\n\r\n')
assert c.answer()[0] == 413
wait(lambda: counts()['held'] == 0)
PYTHON
}

@test "bodies: an answer that is finished before the body is whole does not wait for it" {
    app later --workers 1 --body-timeout 10s
    client <<'PYTHON'
for fields, rest in ((('Content-Length: 100',), 'x' * 50),
                     (('Content-Length: 100000000',), 'x' * 99999950),
                     (('Transfer-Encoding: chunked',), '32\r\n' + 'x' * 50 + '\r\n0\r\n\r\n')):
    c = Connection()
    c.send(request('/upload-early?0&50', 'POST', *fields) +
           ('32\r\n' + 'x' * 50 + '\r\n' if 'chunked' in fields[0] else 'x' * 50))
    assert c.answer()[0] == 507
wait(lambda: counts()['held'] == 0)
PYTHON
}

@test "bodies: an upload that breaks off, stands still or is malformed is released, and not ended" {
    app later --workers 1 --body-timeout 1s
    client <<'PYTHON'
def upload(*fields):
    c = Connection()
    c.send(request('/upload', 'POST', *fields))
    return c

for end in reset, lambda c: c.socket.close():
    c = upload('Content-Length: 1000')
    c.send('x' * 500)
    wait(lambda: counts()['held'] == 1)
    end(c)
    wait(lambda: counts()['held'] == 0)
c = upload('Content-Length: 1000')
c.send('x' * 500)
assert c.answer()[0] == 408
wait(lambda: counts()['held'] == 0)
c = Connection()  # refused, and the rest that could still be read does not come
c.send(request('/upload?10', 'POST', 'Content-Length: 1000') + 'x' * 500)
assert c.answer()[0] == 413
wait(lambda: counts()['held'] == 0)
c = upload('Transfer-Encoding: chunked')
c.send('3\r\nabc\r\nnonsense\r\n')
assert c.answer()[0] == 400
wait(lambda: counts()['held'] == 0)
got = counts()
assert got['released'] == 5 and got['finished'] == 0, got
PYTHON
}

# ---- upgrades ---------------------------------------------------------------------------------

UPGRADE='
def upgrade(path="/upgrade", also=b"", *fields):
    c = Connection()
    c.send(request(path, "GET", *(fields or ("Connection: keep-alive, Upgrade",
                                             "Upgrade: other/1, lines"))).encode() + also)
    return c


def accepted(c):
    head = c.until(b"\r\n\r\n").decode().split("\r\n")
    assert head[0] == "HTTP/1.1 101 Switching Protocols", head
    fields = dict(line.split(": ") for line in head[1:])
    assert fields["Upgrade"] == "lines" and fields["Connection"].lower() == "upgrade", fields
    assert fields["X-Every"] == "upgraded", fields
    assert "Content-Length" not in fields and "Transfer-Encoding" not in fields, fields
    assert c.until(b"\n") == b"welcome"
    return c
'

@test "upgraded: 101, then lines on the same connection, those in the same packet too" {
    app later --workers 1
    CLIENT+=$UPGRADE client <<'PYTHON'
c = accepted(upgrade())
c.send('one\r\ntwo\nthr')
c.send('ee\n')
assert [c.until(b'\n') for _ in range(3)] == [b'one', b'two', b'three']
c.send('end\n')
assert c.is_closed()

for path in '/upgrade', '/upgrade-later?30':
    c = accepted(upgrade(path, b'first\nsecond\nthi'))
    assert [c.until(b'\n') for _ in range(2)] == [b'first', b'second']
    c.send('rd\nend\nnot this\n')
    assert c.until(b'\n') == b'third'
    assert ends(c)

c = Connection()  # behind other requests
c.send(request('/at-once') + request('/after?20') +
       request('/upgrade', 'GET', 'Connection: upgrade', 'Upgrade: LINES') + 'x\n')
assert c.answer()[2] == b'at once\n' and c.answer()[2] == b'after 20\n'
assert accepted(c).until(b'\n') == b'x'

all = [accepted(upgrade('/upgrade-later?20')) for _ in range(50)]
for one in all:
    one.send('end\n')
for one in all:
    assert one.is_closed()
    one.socket.close()
wait(lambda: counts()['held'] == 1)
c.socket.close()
wait(lambda: counts()['held'] == 0)
PYTHON
}

@test "an upgrade that was not asked for is refused, and the connection goes on" {
    app later --workers 1
    CLIENT+=$UPGRADE client <<'PYTHON'
for fields in (('Upgrade: lines',), ('Connection: upgrade',),
               ('Connection: upgrade', 'Upgrade: line'), ('X-No: 1',)):
    c = upgrade('/upgrade', b'', *fields)
    status, head, body = c.answer()
    assert status == 426 and b'426' in body, (status, body)
    assert (head['upgrade'], head['connection']) == ('lines', 'Upgrade'), head
    assert c.ask('/at-once')[2] == b'at once\n'
c = Connection()
c.send('GET /upgrade HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: lines\r\n\r\n')
assert c.answer()[0] == 426
PYTHON
}

# ---- the end ----------------------------------------------------------------------------------

# What runs at a signal is finished, and nothing is lost. $2 is what else is to hold.
finishes() {
    app later --workers 2 --drain-timeout 20s
    client "$1" "$DROVER_PID" "$(worker_of 0)" "$(worker_of 1)" <<'PYTHON'
what, master, *workers = args
deferred = []
for i in range(60):
    c = Connection()
    path = ('/after?1500', f'/thread?{i}&100', '/events?6&250', '/child?1&500',
            '/upload?0&300')[i % 5]
    c.send(request(path, 'POST', 'Content-Length: 4') + ('so' if i % 5 == 4 else 'some'))
    deferred.append((c, i))


def begun():
    got = counts()
    return got['held'] + got['released']


wait(lambda: begun() >= 60)
for pid in workers if what == 'worker' else [master]:
    os.kill(int(pid), 1 if what == 'HUP' else 15)
time.sleep(0.1)  # at any moment
for c, i in deferred:
    if i % 5 == 4:
        c.send('me')
for c, i in deferred:
    if i % 5 == 2:
        assert c.answer()[0] == 200
        body = b''.join(iter(lambda: chunks(c), b''))
        assert body.count(b'data') == 6, body
    else:
        status, fields, body = c.answer()
        word = (b'after', b'thread', b'', b'child', b'later')[i % 5]
        assert status == 200 and body.startswith(word), (i, status, body)
        if what != 'stop':  # it goes on, at another worker
            assert c.ask('/at-once')[2] == b'at once\n'
        else:
            assert i % 5 in (1, 3) or ends(c)  # those may have been faster than the signal
    c.socket.close()
PYTHON
}

@test "a stop finishes what was deferred and streamed" {
    finishes stop
    drover_wait "$STOP_SECONDS"
    assert_equal "$status" 0
    logged '; 0 connections were closed at the deadline'
    assert_equal "$(count_logged 'has joined its threads')" 2
}

@test "HUP and TERM to the workers finish what was deferred and streamed" {
    finishes HUP
    wait_until 20 counted held 0
    drover_stop
    finishes worker
    wait_until 20 counted held 0
    drover_stop
    assert_equal "$status" 0
}

@test "an application is told when its worker leaves, and can end what has no end" {
    app later --workers 1 --drain-timeout 20s
    client "$DROVER_PID" <<'PYTHON'
c = Connection()
c.send(request('/until-leaving'))
wait(lambda: counts()['held'] == 1)
os.kill(int(args[0]), 15)
status, fields, body = c.answer()
assert (status, body, fields['connection']) == (200, b'leaving\n', 'close'), (status, body, fields)
assert c.is_closed()
PYTHON
    drover_wait "$STOP_SECONDS"
    assert_equal "$status" 0
}

@test "what is not finished at the drain's deadline is released, and the threads are joined" {
    app later --workers 1 --drain-timeout 300ms
    CLIENT+=$UPGRADE client "$DROVER_PID" <<'PYTHON'
all = [Connection() for _ in range(5)]
for c, path in zip(all, ('/never', '/after?60000', '/events?0&20', '/until-gone', '/thread?1&1000')):
    c.send(request(path))
wait(lambda: counts()['held'] == 5)
stream = accepted(upgrade())
behind = upgrade('/upgrade-later?100')  # when the worker leaves already
wait(lambda: counts()['held'] == 7)
os.kill(int(args[0]), 15)
assert stream.until(b'\n') == b'leaving' and stream.is_closed()
accepted(behind)
assert behind.until(b'\n') == b'leaving' and behind.is_closed(), behind.bytes
stream.socket.close()
behind.socket.close()
for c in all:
    while not ends(c):
        c.bytes = b''
PYTHON
    drover_wait "$STOP_SECONDS"
    assert_equal "$status" 0
    assert_equal "$(count_logged 'has joined its threads')" 1
    logged '; 5 connections were closed at the deadline'
}
