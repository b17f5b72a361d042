#!/usr/bin/env bats
#
# kept - small files that are kept in memory: what is sent is what is on disk, to the byte, whatever
# becomes of it; and answers that stand ready do not wait for others, nor are lost with them.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load http
load process
load embed

# A file is kept once it has not changed for a while: all files of all tests wait for that together.
setup_file() {
    local i site=$BATS_FILE_TMPDIR/site
    mkdir -p "$site"/{written,mixed}
    for i in {0..199}; do
        printf 'as it was %s\n' "$i" >"$site/written/$i.txt"
    done
    for i in a b; do
        head -c 2000 /dev/zero | tr '\0' "$i" >"$site/$i.txt"
    done
    ln -s a.txt "$site/link.txt"
    printf 'one\n' | tee "$site"/{renamed,deleted,forbidden,turned}.txt >/dev/null
    echo secret >"$BATS_FILE_TMPDIR/secret"
    seq 1 100000 | head -c 30000 >"$site/truncated.txt"
    for i in page sized; do
        head -c 1000 /dev/zero | tr '\0' h >"$site/$i.html"
        head -c 100 /dev/zero | tr '\0' g >"$site/$i.html.gz"
        head -c 50 /dev/zero | tr '\0' b >"$site/$i.html.br"
    done
    seq 1 1000 >"$site/same.txt"
    for i in {0..29}; do # one file, each name of which is asked for once
        ln "$site/same.txt" "$site/same.$i.txt"
    done
    touch --date '2024-02-29 12:00:00 UTC' "$site"/*.*
    chmod -R a+rX "$site"
    wait_until 10 has_settled "$site"
}

# KEPT_SETTLED_S, in whole seconds.
has_settled() {
    (($(date +%s) > $(stat -c %Z "$1" "$1"/* | sort -n | tail -n 1) + 2))
}

setup() {
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
    SITE=$BATS_FILE_TMPDIR/site
    STRACE='' LOADS=()
}

teardown() {
    [[ -z $STRACE ]] || kill -INT "$STRACE" 2>/dev/null || true
    drover_teardown
}

# A server of SITE whose worker may not read everything.
unprivileged() {
    local user=()
    ((EUID != 0)) || user=(--user nobody)
    drover_start --workers 1 "${user[@]}" "$SITE"
}

# keep(connection, target...): asks until they must be kept.
KEEP=$(
    cat <<'PYTHON'

def keep(connection, *targets):
    for target in targets:
        for _ in range(3):
            assert connection.ask(target)[0] == 200, target
PYTHON
)

# kept_client ARGS...: as client, with keep(connection, target...).
kept_client() {
    local program
    program=$(cat)
    client "$@" <<<"$KEEP"$'\n'"$program"
}

# ---- what is kept -----------------------------------------------------------------------------

# bats test_tags=nosan
@test "a kept file is not opened again for half a second" {
    local opened began ms trace=$BATS_TEST_TMPDIR/trace log=$BATS_TEST_TMPDIR/strace.log
    drover_start --workers 1 "$SITE"
    : >"$log"
    strace -f -e trace=openat2,openat -o "$trace" -p "$(workers)" 2>"$log" 3>&- 4>&- &
    STRACE=$!
    wait_until 10 grep -q attached "$log"
    began=$(now_us)
    "$DROVER_LOAD" --quiet --clients 1 --requests 200 "$DROVER_URL/a.txt" >/dev/null
    ms=$(ms_since "$began")
    kill -INT "$STRACE"
    wait "$STRACE" || true
    STRACE=''
    opened=$(grep -c '"a.txt"' "$trace" || true)
    ((opened >= 2 && opened <= 4 + ms / 500)) || fail "opened $opened times in $ms ms: $(<"$trace")"
}

@test "what is sent of it is to the byte what was sent before it was kept" {
    drover_start --workers 1 "$SITE"
    kept_client <<'PYTHON'
_, fields, _ = Connection().ask('/b.txt')
tag = Connection().ask('/same.29.txt')[1]['etag']

def raw(target, method, version, fields):
    c = Connection()
    lines = [f'{method} {target} HTTP/{version}', 'Host: x', *fields]
    c.send('\r\n'.join(lines) + '\r\n\r\n')
    c.socket.shutdown(socket.SHUT_WR)
    while c.more():
        pass
    bytes = re.sub(rb'\r\nDate: [^\r]*', b'', c.bytes)
    boundary = re.search(rb'boundary=([0-9a-f]+)', bytes)
    return bytes.replace(boundary[1], b'B') if boundary else bytes

requests = [
    ('GET', '1.1', []), ('GET', '1.0', []), ('GET', '1.0', ['Connection: keep-alive']),
    ('GET', '1.1', ['Connection: close']), ('HEAD', '1.1', []), ('HEAD', '1.0', []),
    ('GET', '1.1', [f'If-None-Match: {tag}']), ('HEAD', '1.1', [f'If-None-Match: {tag}']),
    ('GET', '1.1', ['If-None-Match: "x"']), ('GET', '1.1', [f'If-Match: {tag}']),
    ('GET', '1.1', ['If-Match: "x"']),
    ('GET', '1.1', ['If-Modified-Since: Thu, 29 Feb 2024 12:00:00 GMT']),
    ('GET', '1.1', ['If-Modified-Since: Thu, 29 Feb 2024 11:59:59 GMT']),
    ('GET', '1.1', ['If-Unmodified-Since: Thu, 29 Feb 2024 11:59:59 GMT']),
    ('GET', '1.1', ['Range: bytes=0-0']), ('GET', '1.1', ['Range: bytes=-5']),
    ('GET', '1.1', ['Range: bytes=0-1,5-6']), ('GET', '1.1', ['Range: bytes=99999-']),
    ('GET', '1.1', ['Range: bytes=0-0', f'If-Range: {tag}']),
    ('GET', '1.1', ['Range: bytes=0-0', 'If-Range: "x"']),
    ('POST', '1.1', []), ('OPTIONS', '1.1', []),
]
before = [raw(f'/same.{i}.txt', *request) for i, request in enumerate(requests)]
assert len({answer[:12] for answer in before}) >= 6, 'statuses'
keep(Connection(), '/same.txt')
for wanted, request in zip(before, requests):
    got = raw('/same.txt', *request)
    assert got == wanted, f'{request}: {got!r:.400} instead of {wanted!r:.400}'
PYTHON
}

# ---- what becomes of a file -------------------------------------------------------------------

@test "what is written is what comes next, over one connection and over new ones" {
    drover_start --workers 1 "$SITE"
    kept_client <<'PYTHON'
one = Connection()
for i in range(200):
    path = f'/written/{i}.txt'
    keep(one, path)
    assert one.ask(path)[2] == b'as it was %d\n' % i
    tag = one.ask(path)[1]['etag']
    for text in (b'as it is %d!\n' % i, b'longer %d' % i * 9, b''):
        with open(site + path, 'r+b') as file: # in place
            file.write(text)
            file.truncate()
        c = one if i % 2 else Connection()
        status, fields, body = c.ask(path)
        assert (status, body) == (200, text), f'{i}: {body!r:.80} instead of {text!r:.80}'
        assert fields['etag'] != tag, 'an old tag'
        tag = fields['etag']
PYTHON
}

# A link that is turned is another file that has settled long ago: each is kept, every time.
@test "what is put there by rename is what comes next, while others ask for it, too" {
    local how
    drover_start --workers 1 "$SITE"
    for how in --close --pipeline=1; do
        "$DROVER_LOAD" --clients 32 "$how" --duration 20s --quiet "$DROVER_URL/link.txt" \
            >"$BATS_TEST_TMPDIR/load" 2>&1 3>&- 4>&- &
        LOADS=("$!")
        kept_client <<'PYTHON'
one = Connection()
keep(one, '/link.txt')
for i in range(200):
    name = 'ab'[i % 2]
    os.symlink(name + '.txt', site + '/new')
    os.rename(site + '/new', site + '/link.txt')
    c = one if i % 4 < 2 else Connection()
    status, fields, body = c.ask('/link.txt')
    assert (status, body) == (200, name.encode() * 2000), f'{i}: an old answer'
PYTHON
        kill -INT "${LOADS[0]}"
        wait "${LOADS[0]}" || fail "$(<"$BATS_TEST_TMPDIR/load")"
    done
}

@test "renamed over, deleted, forbidden, turned to outside" {
    unprivileged
    kept_client "$BATS_FILE_TMPDIR/secret" <<'PYTHON'
c = Connection()
names = ['renamed', 'deleted', 'forbidden', 'turned']
keep(c, *[f'/{name}.txt' for name in names])
tag = c.ask('/renamed.txt')[1]['etag']
with open(site + '/new', 'w') as file:
    file.write('two\n')
os.utime(site + '/new', ns=(0, os.stat(site + '/renamed.txt').st_mtime_ns))
os.rename(site + '/new', site + '/renamed.txt')
status, fields, body = c.ask('/renamed.txt')
assert (status, body) == (200, b'two\n') and fields['etag'] != tag
os.unlink(site + '/deleted.txt')
assert c.ask('/deleted.txt')[0] == 404
os.chmod(site + '/forbidden.txt', 0)
assert c.ask('/forbidden.txt')[0] == 403
os.symlink(args[0], site + '/new')
os.rename(site + '/new', site + '/turned.txt')
assert c.ask('/turned.txt')[0] == 403
for name, wanted in zip(names, (200, 404, 403, 403)):
    for method in 'GET', 'HEAD':
        assert Connection().ask(f'/{name}.txt', method)[0] == wanted, name
os.chmod(site + '/forbidden.txt', 0o644)
assert c.ask('/forbidden.txt')[2] == b'one\n'
PYTHON
}

# It may be found short where it was longer before: that is a 500, and nothing else is lost.
@test "truncation under load" {
    local causes
    drover_start --workers 2 "$SITE"
    "$DROVER_LOAD" --clients 16 --duration 600ms --json --max-lost 1000000000 \
        "$DROVER_URL/truncated.txt" >"$BATS_TEST_TMPDIR/load.json" 2>&1 3>&- 4>&- &
    LOADS=("$!")
    kept_client <<'PYTHON'
whole = content('/truncated.txt')
until = time.monotonic() + 0.4
while time.monotonic() < until:
    with open(site + '/truncated.txt', 'r+b') as file:
        file.truncate(100)
        time.sleep(0.002)
        file.seek(0)
        file.write(whole)
    time.sleep(0.002)
_, _, body = Connection().ask('/truncated.txt')
same(body, whole)
PYTHON
    wait "${LOADS[0]}"
    causes=$(load_field '.causes | to_entries | map(select(.value > 0) | .key) | join(" ")')
    [[ -z $causes || $causes == wrong_status ]] || fail "lost: $causes"
    (($(load_field .answered) > 100))
}

@test "--workers 2: under load each body is one of the contents, whole, with its own tag" {
    drover_start --workers 2 "$SITE"
    "$DROVER_LOAD" --clients 32 --duration 20s --quiet "$DROVER_URL/link.txt" \
        >"$BATS_TEST_TMPDIR/load" 2>&1 3>&- 4>&- &
    LOADS=("$!")
    kept_client <<'PYTHON'
child = os.fork()
if child == 0:
    i = 0
    while os.getppid() != 1:
        i += 1
        os.symlink('ab'[i % 2] + '.txt', site + '/new')
        os.rename(site + '/new', site + '/link.txt')
        with open(site + '/new', 'wb') as file:
            file.write(b'cd'[i % 2:i % 2 + 1] * (3000 + i % 2))
        os.rename(site + '/new', site + '/moved.txt')
        time.sleep(0.001)
    os._exit(0)
try:
    wait(lambda: os.path.exists(site + '/moved.txt'))
    contents = {b'a' * 2000, b'b' * 2000, b'c' * 3001, b'd' * 3001, b'c' * 3000, b'd' * 3000}
    tags, seen = {}, set()
    connections = [Connection() for _ in range(8)]
    until = time.monotonic() + 0.5
    while time.monotonic() < until or (len(seen) < 4 and time.monotonic() < until + seconds):
        for target in '/link.txt', '/moved.txt':
            for c in connections:
                c.send(request(target))
            for c in connections:
                status, fields, body = c.answer()
                assert status == 200 and body in contents, (status, body[:80])
                assert int(fields['content-length']) == len(body)
                assert tags.setdefault(fields['etag'], body) == body, 'the tag of another'
                seen.add(body)
    assert len(seen) == 4, len(seen)
finally:
    os.kill(child, 9)
    os.waitpid(child, 0)
PYTHON
    kill -INT "${LOADS[0]}"
    wait "${LOADS[0]}" || fail "$(<"$BATS_TEST_TMPDIR/load")"
}

# ---- siblings ---------------------------------------------------------------------------------

@test "siblings that come and go" {
    drover_start --workers 1 "$SITE"
    kept_client <<'PYTHON'
c = Connection()

def ask(accept, coding, byte, length):
    status, fields, body = c.ask('/page.html', 'GET', f'Accept-Encoding: {accept}')
    assert status == 200 and fields.get('content-encoding', '-') == coding, (accept, fields)
    assert body == byte * length, f'{accept}: {body!r:.60}'
    return fields

def ask_all(*rows):
    for _ in range(4):
        for row in rows:
            assert ask(*row)['vary'] == 'Accept-Encoding'

plain = ('identity', '-', b'h', 1000)
gzip = ('gzip', 'gzip', b'g', 100)
br = ('br, gzip', 'br', b'b', 50)
ask_all(plain, gzip, br)
os.rename(site + '/page.html.br', site + '/gone')
c.ask('/page.html', 'GET', 'Accept-Encoding: br') # it is noticed by that
ask_all(plain, gzip, ('br, gzip', 'gzip', b'g', 100))
os.rename(site + '/gone', site + '/page.html.br')
wait(lambda: c.ask('/page.html', 'GET', 'Accept-Encoding: br')[1].get('content-encoding') == 'br')
ask_all(plain, gzip, br)
with open(site + '/new', 'wb') as file:
    file.write(b'G' * 120)
os.rename(site + '/new', site + '/page.html.gz')
ask_all(plain, ('gzip', 'gzip', b'G', 120), br)
with open(site + '/page.html', 'r+b') as file:
    file.write(b'H' * 1000)
os.utime(site + '/page.html') # both are of another content
status, fields, body = c.ask('/page.html', 'GET', 'Accept-Encoding: br')
assert 'content-encoding' not in fields or fields['content-encoding'] == 'gzip', fields
assert body in (b'H' * 1000, b'G' * 120), f'{body!r:.60}'
for name in '/page.html.gz', '/page.html.br':
    os.unlink(site + name)
for accept in 'identity', 'gzip', 'br':
    ask(accept, '-', b'H', 1000)
wait(lambda: 'vary' not in c.ask('/page.html')[1])
PYTHON
}

@test "of a kept sibling, its own length, tag and range" {
    drover_start --workers 1 "$SITE"
    kept_client <<'PYTHON'
c = Connection()
for accept, coding, byte, length in (('br', 'br', b'b', 50), ('gzip', 'gzip', b'g', 100),
                                     ('identity', None, b'h', 1000)):
    field = f'Accept-Encoding: {accept}'
    for _ in range(4):
        status, fields, body = c.ask('/sized.html', 'GET', field)
        assert (status, body, fields.get('content-encoding')) == (200, byte * length, coding)
    tag = fields['etag']
    status, head, _ = c.ask('/sized.html', 'HEAD', field)
    head['date'] = fields['date']
    assert (status, head) == (200, fields), (head, fields)
    status, fields, _ = c.ask('/sized.html', 'GET', field, f'If-None-Match: {tag}')
    assert (status, fields['etag'], fields['vary']) == (304, tag, 'Accept-Encoding')
    assert 'content-encoding' not in fields
    status, fields, body = c.ask('/sized.html', 'GET', field, 'Range: bytes=10-19')
    assert (status, body, fields['content-range']) == (206, byte * 10, f'bytes 10-19/{length}')
PYTHON
}

# ---- answers that stand ready, beside a handler -----------------------------------------------

# beside_a_handler REQUEST: all of this turn's clients have their answers within 200 ms, though the
# last of them asks for that.
beside_a_handler() {
    drover_start --app "$BUILD/apps/ready.so" --workers 1 --standby off # it is stopped for a while
    WORKER=$(workers) kept_client "$@" <<'PYTHON'
import signal
worker = int(os.environ['WORKER'])
clients = [Connection() for _ in range(30)]
last = Connection()
for c in clients:
    for _ in range(2):
        assert c.ask('/ready')[2] == b'k' * 1024
if len(args) > 1:
    last.send(args[0].encode().decode('unicode_escape'))
    time.sleep(0.1)
os.kill(worker, signal.SIGSTOP)
for c in clients:
    c.send(request('/ready'))
last.send(args[-1].encode().decode('unicode_escape'))
time.sleep(0.05)
started = time.monotonic()
os.kill(worker, signal.SIGCONT)
for c in clients:
    status, _, body = c.answer()
    assert status == 200 and body == b'k' * 1024
took = time.monotonic() - started
assert took < 1, f'they came after {took} s'
PYTHON
}

@test "an answer that was prepared may be a handler's, too" {
    drover_start --app "$BUILD/apps/ready.so" --workers 1
    kept_client <<'PYTHON'
c = Connection()
assert c.ask('/again')[0] == 404
ready = c.ask('/ready')[2]
(status, one, body), (_, two, _) = c.ask('/again'), c.ask('/again')
assert (status, body) == (200, ready), status
assert int(one['turn']) < int(two['turn']), (one, two)
PYTHON
}

@test "a handler that hangs does not hold the others' answers" {
    beside_a_handler 'GET /spin?2000 HTTP/1.1\r\nHost: x\r\n\r\n'
}

@test "a handler that hangs, once its body has come, does not either" {
    beside_a_handler 'POST /spin?2000 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab' cd
}

@test "a handler that crashes does not take the others' answers with it" {
    beside_a_handler 'GET /abort HTTP/1.1\r\nHost: x\r\n\r\n'
    beside_a_handler 'POST /abort HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab' cd
}
