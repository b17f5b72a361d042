#!/usr/bin/env bats
#
# limits - each bound of src/base/limits.h that shows on the wire, at it and one past it. The
# timeouts, --max-connections and what is refused in general are in serve; who comes in thousands
# is in slow, and what happens without descriptors in descriptors.

# bats file_tags=beside

load helper
load process
load http

setup() {
    make_site
}

# bound NAME: its value, from the header.
bound() {
    local value
    value=$(sed -n "s/^#define $1 *//p" "$BATS_TEST_DIRNAME/../../src/base/limits.h")
    echo $((value))
}

@test "a request line of 8192 bytes is read, one of 8193 is 414" {
    assert_equal "$(bound HTTP_REQUEST_LINE_MAX)" 8192
    drover_start "$SITE"
    client <<'PYTHON'
def line(length, target='/hello.txt?', version='HTTP/1.1'):
    """A line of so many bytes, and its CRLF."""
    rest = length - len(f'GET {target} {version}')
    return f'GET {target}{"x" * rest} {version}\r\n'


for length, wanted in (8191, 200), (8192, 200), (8193, 414), (8194, 414), (20000, 414):
    for pieces in 1, 2:
        c = Connection()
        text = line(length) + 'Host: x\r\n\r\n'
        c.send(text[:5000])
        c.send(text[5000:])
        status, fields, body = c.answer()
        assert status == wanted, (length, status)
        assert (fields.get('connection') == 'close') == (wanted == 414), fields
        if wanted == 200:
            assert c.ask('/hello.txt')[0] == 200
# Nobody waits for the end of a line that is too long already.
c = Connection()
c.send(line(8193)[:8192])
assert c.answer()[0] == 414
PYTHON
}

@test "a head of 32768 bytes is read, one of 32769 is 431" {
    assert_equal "$(bound HTTP_HEAD_MAX)" 32768
    drover_start "$SITE"
    client <<'PYTHON'
def head(length):
    start = 'GET /hello.txt HTTP/1.1\r\nHost: x\r\n' + ('Long: ' + 'x' * 9000 + '\r\n') * 3 + 'Last: '
    return start + 'x' * (length - len(start) - 4) + '\r\n\r\n'


for length, wanted in (32767, 200), (32768, 200), (32769, 431), (100000, 431):
    for first in 100, 30000, length:
        c = Connection()
        c.send(head(length)[:first])
        c.send(head(length)[first:])
        status, fields, body = c.answer()
        assert status == wanted, (length, first, status)
        if wanted == 200:
            assert c.ask('/hello.txt')[0] == 200
# Nor for the end of a head.
c = Connection()
c.send(head(32769)[:32768])
assert c.answer()[0] == 431
# It is the bound of one head: many together may be longer.
c = Connection()
c.send(head(32768) * 10)
assert [c.answer()[0] for i in range(10)] == [200] * 10
PYTHON
}

@test "a field of 16384 bytes is read, one of 16385 is 431" {
    assert_equal "$(bound HTTP_FIELD_MAX)" 16384
    drover_start "$SITE"
    client <<'PYTHON'
def field(length):
    return 'X: ' + 'x' * (length - 3)


for length, wanted in (16383, 200), (16384, 200), (16385, 431), (20000, 431):
    for place in [], ['A: b']:
        assert Connection().ask('/hello.txt', 'GET', *place, field(length), *place)[0] == wanted, length
c = Connection()
c.send('GET / HTTP/1.1\r\n' + field(16385))
assert c.answer()[0] == 431, 'its end is not waited for'
PYTHON
}

@test "100 fields are read, 101 are 431" {
    assert_equal "$(bound HTTP_FIELDS_MAX)" 100
    drover_start "$SITE"
    client <<'PYTHON'
for count, wanted in (99, 200), (100, 200), (101, 431), (2000, 431):
    c = Connection()
    assert c.ask('/hello.txt', 'GET', *[f'F{i}: x' for i in range(count - 1)])[0] == wanted, count
PYTHON
}

@test "a chunk's line of 256 bytes, and 8192 bytes of trailers, are read; more is 400" {
    assert_equal "$(bound HTTP_CHUNK_LINE_MAX)" 256
    assert_equal "$(bound HTTP_TRAILERS_MAX)" 8192
    drover_start "$SITE"
    client <<'PYTHON'
head = request('/hello.txt', 'POST', 'Transfer-Encoding: chunked')


def chunk_line(length):
    return '5;x=' + 'y' * (length - 4) + '\r\nhello\r\n0\r\n\r\n'


def trailers(length):
    lines = 'A: b\r\n' * 100
    return '0\r\n' + lines + 'X: ' + 'y' * (length - len(lines) - 5) + '\r\n\r\n'


for what, most in (chunk_line, 256), (trailers, 8192):
    for length in range(most - 3, most + 4):
        c = Connection()
        c.send(head + what(length) + request('/hello.txt'))
        status = c.answer()[0]
        if length <= most:
            assert status == 405 and c.answer()[0] == 200, (what, length, status)
        else:
            assert status == 400 or c.is_closed() or c.answer()[0] == 400, (what, length, status)
PYTHON
}

@test "32 ranges are sent, and with 33 the whole file" {
    assert_equal "$(bound HTTP_RANGES_MAX)" 32
    drover_start "$SITE"
    client <<'PYTHON'
c = Connection()
for count, wanted in (1, 206), (32, 206), (33, 200):
    ranges = ','.join(f'{10 * i}-{10 * i}' for i in range(count))
    status, fields, body = c.ask('/1k.bin', 'GET', f'Range: bytes={ranges}')
    assert status == wanted, (count, status)
    assert status == 206 or body == content('/1k.bin')
PYTHON
}

@test "a body of 1 MiB that nobody wants is dropped, and a longer one ends the connection" {
    assert_equal "$(bound BODY_DISCARD_MAX)" $((1 << 20))
    drover_start "$SITE"
    client <<'PYTHON'
def chunked(length):
    whole, rest = divmod(length, 65536)
    last = f'{rest:x}\r\n{"x" * rest}\r\n' if rest else ''
    return f'10000\r\n{"x" * 65536}\r\n' * whole + last + '0\r\n\r\n'


most = 1 << 20
for length in 0, 1, most - 1, most, most + 1, 3 * most:
    for fields, body in ([f'Content-Length: {length}'], 'x' * length), (
            ['Transfer-Encoding: chunked'], chunked(length)):
        c = Connection()
        c.send(request('/hello.txt', 'POST', *fields))
        c.send(body)
        status, fields, page = c.answer()
        assert status == 405 if length <= most else status in (405, 413), (length, status)
        if length <= most:
            assert c.ask('/hello.txt')[0] == 200, length
        else:
            assert c.is_closed(), length
PYTHON
}

@test "a name of 255 bytes and a path of 4095 are looked for; a longer path is 414" {
    local name
    assert_equal "$(bound FILE_PATH_MAX)" 4095
    name=$(printf '%0255d' 0)
    echo long >"$SITE/$name"
    drover_start "$SITE"
    client <<'PYTHON'
c = Connection()
name = '0' * 255
assert c.ask('/' + name)[2] == b'long\n'
assert c.ask('/' + name + '0')[0] == 404
for length in 4094, 4095:
    assert c.ask('/' + 'a/' * 2000 + 'b' * (length - 4001))[0] == 404, length
assert Connection().ask('/' + 'a/' * 2000 + 'b' * 95)[0] == 414
PYTHON
}

# It would keep its descriptor for ever, without reading what it was answered.
@test "a client that goes on sending after it was refused is let go" {
    drover_start --workers 1 "$SITE"
    client "$(worker_of 0)" <<'PYTHON'
def descriptors():
    return len(os.listdir(f'/proc/{args[0]}/fd'))


at_rest = descriptors()
# By time: a little, again and again, without an end.
c = Connection()
began = time.monotonic()
c.send('GET / HTTP/1.1\r\n\r\n')
assert c.answer()[0] == 400 and c.is_closed()
assert descriptors() == at_rest + 1
try:
    while descriptors() > at_rest:
        c.send('x')
        time.sleep(0.01)
except (BrokenPipeError, ConnectionResetError):
    pass
wait(lambda: descriptors() == at_rest)
took = time.monotonic() - began
assert 1.8 < took < 8, took
# By amount.
c = Connection()
c.send('GET / HTTP/1.1\r\n\r\n')
assert c.answer()[0] == 400
sent = 0
try:
    while sent < 100 << 20:
        c.send('x' * 65536)
        sent += 65536
except (BrokenPipeError, ConnectionResetError):
    pass
assert 4 << 20 <= sent < 100 << 20, sent
wait(lambda: descriptors() == at_rest)
PYTHON
}

@test "--max-connections: so many are served, and not one more" {
    drover_start --workers 1 --max-connections 50 "$SITE"
    client <<'PYTHON'
inside = [Connection() for i in range(50)]
for c in inside:
    assert c.ask('/hello.txt')[0] == 200
after = Connection()
after.send(request('/hello.txt'))
for c in inside:
    assert c.ask('/hello.txt')[0] == 200
assert after.is_silent(0.2)
inside[7].socket.close()
assert after.answer()[0] == 200
PYTHON
}
