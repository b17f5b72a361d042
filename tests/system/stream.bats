#!/usr/bin/env bats
#
# stream - raw streams of include/drover.h: tests/apps/frames.c, driven from outside.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; run sets output

# bats file_tags=beside

load helper
load http
load process
load embed

# frames FRAMING ARGS...: a server of tests/apps/frames.c with one worker.
frames() {
    app frames --workers 1 --set "framing=$1" "${@:2}"
}

CLIENT+='
class Frames(Connection):
    """Speaks one of the framings: "lines" or the size of a prefix."""

    def __init__(self, framing="lines", **options):
        super().__init__(**options)
        self.prefix = 0 if framing == "lines" else int(framing)

    def pack(self, *frames):
        out = b""
        for frame in frames:
            frame = frame if isinstance(frame, bytes) else frame.encode()
            out += len(frame).to_bytes(self.prefix, "big") + frame if self.prefix else frame + b"\n"
        return out

    def put(self, *frames):
        self.send(self.pack(*frames))

    def get(self):
        if not self.prefix:
            return self.until(b"\n")
        return self.take(int.from_bytes(self.take(self.prefix), "big"))


def told(framing="lines"):
    """The counts, by a stream of its own."""
    c = Frames(framing)
    c.put("count")
    text = c.get()
    while b"=" not in text:  # a banner
        text = c.get()
    c.put("end")
    c.socket.close()
    return {name: int(value) for name, value in
            (pair.split("=") for pair in text.decode().split())}
'

@test "frames of every framing: cut at every byte, many at once, empty ones" {
    local framing
    for framing in lines 2 4; do
        frames "$framing"
        client "$framing" <<'PYTHON'
c = Frames(args[0])
texts = [b'one', b'', b'three' * 20, b'\0\r\x01', b'x']
whole = c.pack(*texts)
for at in range(len(whole)):
    c.send(whole[:at])
    if at % 4 == 0:
        time.sleep(0.001)
    c.send(whole[at:])
    for text in texts:
        got = c.get()
        assert got == text, (at, got, text)
for byte in whole:
    c.send(bytes([byte]))
assert [c.get() for _ in texts] == texts
many = [b'%d' % i * (i % 50) for i in range(5000)]
sent = c.pack(*many)
at, back = 0, b''
while len(back) < len(sent):  # sends while it reads: neither waits for the other
    readable, writable, _ = select.select([c.socket], [c.socket] if at < len(sent) else [], [], 10)
    assert readable or writable
    at += c.socket.send(sent[at:at + 5000]) if writable else 0
    back += c.socket.recv(100000) if readable else b''
same(back, sent)
PYTHON
        drover_stop
        assert_equal "$status" 0
    done
}

@test "lines end with or without a carriage return, and RAW is what has come" {
    frames lines
    client <<'PYTHON'
c = Frames()
c.send('a\r\n\r\n\nb\rc\r\r\n')
assert [c.get() for _ in range(4)] == [b'a', b'', b'', b'b\rc\r']
PYTHON
    drover_stop
    frames raw --set banner=hello
    client <<'PYTHON'
c = Connection()
assert c.take(5) == b'hello'
for text in b'any', b'\0\n\xff' * 1000:
    c.send(text)
    assert c.take(len(text)) == text
PYTHON
}

@test "the longest frame comes whole, and one past it closes with EMSGSIZE, unsent ones too" {
    local framing max
    while read -r framing max; do
        frames "$framing" --set "max=$max"
        client "$framing" "$max" <<'PYTHON'
framing, max = args[0], int(args[1]) or 65536
if framing == '2':
    max = min(max, 65535)
c = Frames(framing)
for n in max - 1, max:
    if max <= 65536:
        c.put('x' * n)
        assert len(c.get()) == n
        c.put('after')
        assert c.get() == b'after'
if framing == 'lines':
    c.send('y' * max + '\r\n')
    assert len(c.get()) == max
c.put(f'size {max + 1}')
assert c.get() == b'EMSGSIZE', 'sent'
if framing == 'lines':
    c.put('break 10')
    assert c.get() == b'EMSGSIZE'
if not (framing == '2' and max == 65535):
    c.send(c.pack('x' * (max + 1))[:max + 2 if framing == 'lines' else c.prefix])
    assert ends(c)
    got = told(framing)
    assert got['too_long'] == 1, got
else:
    c.put(f'size {max}')
    assert len(c.get()) == max and c.get() == b'sent'
PYTHON
        drover_stop
    done <<'ROWS'
lines 0
lines 1000
2 0
2 1000
4 0
4 1000
ROWS
    frames 4 --set max=1g # 16 MiB are the most
    client <<'PYTHON'
c = Frames('4')
c.put('a' * (16 << 20))
# more than may wait for a client, and yet one frame
assert len(c.get()) == 16 << 20
c.put('b')
assert c.get() == b'b'
c.send(((16 << 20) + 1).to_bytes(4, 'big'))
assert ends(c)
PYTHON
}

@test "the server speaks first: a silent client gets the banner; open may refuse or end" {
    frames lines --set banner=welcome
    client <<'PYTHON'
c = Frames()
assert c.get() == b'welcome'
c = Frames()
c.put('hello')
assert (c.get(), c.get()) == (b'welcome', b'hello')
PYTHON
    drover_stop
    frames lines --set banner=refused
    client <<'PYTHON'
c = Frames()
assert ends(c)
c = Frames()
c.put('hello')
assert ends(c)
PYTHON
    drover_stop
    assert_equal "$status" 0
    app frames --workers 1 --set banner=closed
    client <<'PYTHON'
for said in '', 'hello\n' * 10:
    c = Frames()
    c.send(said)
    assert c.get() == b'closed' and ends(c)
PYTHON
}

@test "who it is, a timer, an end, and why a stream was closed" {
    frames lines --idle-timeout 1500ms
    client <<'PYTHON'
c = Frames()
c.put('who', 'later 30')
assert c.get().decode() == '127.0.0.1 %d' % c.socket.getsockname()[1]
assert c.get() == b'later'
c.put('later 60000', 'end', 'not this')
assert c.get() == b'bye'
assert ends(c)
c.socket.close()
half = Frames()  # the end in the middle of a frame
half.send('hal')
half.socket.shutdown(socket.SHUT_WR)
assert half.is_closed()
gone = Frames()
gone.put('stay')
gone.get()
reset(gone)
done = Frames()  # what came before the end is answered
done.put('stay', 'x')
done.socket.shutdown(socket.SHUT_WR)
assert done.get() == b'staying' and done.get() == b'x' and done.is_closed()
idle = Frames()
started = time.monotonic()
idle.put('stay')
idle.get()
assert idle.is_closed()
assert 1.45 < time.monotonic() - started < 8
wait(lambda: told()['opened'] == 1)
got = told()
assert (got['torn'], got['reset'], got['timed_out']) == (1, 1, 1), got
assert got['ended'] >= 2 and got['others'] == 0, got
PYTHON
    refute logged 'a frame was sent after the end'
}

@test "a PROXY header before a stream, and what comes with it" {
    frames 2 --listen 127.0.0.1:0,proxy
    client <<'PYTHON'
for header in b'PROXY TCP4 198.51.100.7 10.0.0.1 4711 80\r\n', \
        b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x07\x0a\0\0\1\x12\x67\0\x50':
    for at in range(len(header) + 6):
        c = Frames('2')
        whole = header + c.pack('who', 'x')
        c.send(whole[:at])
        c.send(whole[at:])
        assert c.get() == b'198.51.100.7 4711'
        assert c.get() == b'x'
PYTHON
}

@test "a slow reader: EAGAIN, drained, every frame in order, memory within its bound" {
    frames lines
    client "$(worker_of 0)" <<'PYTHON'
slow = [Frames(receive_buffer=4096) for _ in range(20)]
for c in slow:
    c.put('flood 20000')  # 20 MB each
wait(lambda: told()['refused'] >= 20)
for i, c in enumerate(slow[1:]):  # and they send what nobody reads
    c.socket.setblocking(False)
    try:
        for _ in range(200):
            c.socket.send(b'x' * 50000 + b'\n')
    except BlockingIOError:
        pass
quick = Frames()
quick.put('hello')
assert quick.get() == b'hello'  # others are served
for line in open(f'/proc/{args[0]}/status'):
    if line.startswith('VmHWM') and not os.environ.get('SAN'):
        assert int(line.split()[1]) < 40000, line
for i in range(20000, 0, -1):
    got = slow[0].get()
    assert got == b'%01000d' % i, (i, got)
slow[0].put('still here')
assert slow[0].get() == b'still here'
got = told()
assert got['drained'] > 10 and got['drained'] <= got['refused'], got
for c in slow:
    reset(c)
wait(lambda: told()['opened'] == 2)  # quick and itself
PYTHON
}

@test "a client that reads nothing is let go after --send-timeout" {
    frames lines --send-timeout 300ms
    client <<'PYTHON'
c = Frames(receive_buffer=4096)
c.put('flood 20000')
wait(lambda: told()['timed_out'] == 1)
wait(lambda: told()['opened'] == 1)
PYTHON
}

@test "leaving: streams are told, and those that stay are cut at --drain-timeout" {
    frames lines --drain-timeout 1500ms
    client "$DROVER_PID" <<'PYTHON'
ends_itself, stays, talks = Frames(), Frames(), Frames()
for c in stays, talks:
    c.put('stay')
    assert c.get() == b'staying'
ends_itself.put('hi')
assert ends_itself.get() == b'hi'
started = time.monotonic()
os.kill(int(args[0]), 15)
for c in ends_itself, stays, talks:
    assert c.get() == b'leaving'
assert ends_itself.is_closed() and time.monotonic() - started < 1.3
ends_itself.socket.close()
talks.put('who')
assert talks.get().startswith(b'127.0.0.1 ')
talks.put('end')
assert talks.get() == b'bye' and talks.is_closed()
talks.socket.close()
assert ends(stays) and time.monotonic() - started > 1.3
PYTHON
    drover_wait "$STOP_SECONDS"
    assert_equal "$status" 0
    logged '; 1 connections were closed at the deadline'
}

@test "leaving at HUP: new clients have a new worker, and what a cut stream is told" {
    frames lines --drain-timeout 300ms
    client "$DROVER_PID" <<'PYTHON'
old = Frames()
old.put('stay')
old.get()
os.kill(int(args[0]), 1)
assert old.get() == b'leaving'
new = Frames()
new.put('x')
assert new.get() == b'x'
assert ends(old)
wait(lambda: told()['cut'] == 1)
new.put('y')
assert new.get() == b'y'
PYTHON
}

@test "the same as a program, with several workers" {
    program frames --workers 3 --set framing=4 --set banner=hello
    client <<'PYTHON'
all = [Frames('4') for _ in range(60)]
for i, c in enumerate(all):
    c.put(f'{i}' * 1000)
for i, c in enumerate(all):
    assert c.get() == b'hello' and c.get().decode() == f'{i}' * 1000
wait(lambda: told('4')['opened'] == 61)
PYTHON
    drover_stop
    assert_equal "$status" 0
    drover serve --app "$BUILD/apps/frames.so" --listen 127.0.0.1:0 --set framing=5
    assert_equal "$status" 64
    assert_output --partial '--set framing=5: there is no such framing'
}
