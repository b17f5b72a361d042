#!/usr/bin/env bats
#
# faults - what the system calls of a worker may answer once in a year, here in each of its calls:
# whatever fails, no client waits for ever, no client gets wrong bytes, and afterwards all is as if
# nothing had been. tests/fault/fault.c makes them fail.

# bats file_tags=beside

load helper
load process
load http

: "${FAULT:=$BATS_TEST_DIRNAME/../../build/fault.so}"

setup() {
    make_site
    CONTROL=$BATS_TEST_TMPDIR/control
    head -c 64 /dev/zero >"$CONTROL"
    # shellcheck disable=SC2034 # of http.bash
    CLIENT_SECONDS=5
}

# faulty_start: a server whose one worker takes its faults from CONTROL.
faulty_start() {
    # The sanitizer's library would want to be first.
    # shellcheck disable=SC2034 # of the helper
    DROVER_UNDER=(env LD_PRELOAD="$FAULT" DROVER_FAULT="$CONTROL"
        ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0")
    # it would give up looking how long it waits, whose descriptor is counted here
    drover_start --workers 1 --preempt yes "$SITE"
}

# faulty_client <<'PYTHON': as `client`, with what stands below.
faulty_client() {
    client "$(worker_of 0)" "$DROVER_PID" "$CONTROL" "${SAN:-0}" < <(
        cat <<'PYTHON'
import struct

worker, master, control, is_san = int(args[0]), int(args[1]), os.open(args[2], os.O_RDWR), args[3] == '1'
generation = 0


def fault(text):
    """From the worker's next call on; returns how often the one before has struck."""
    global generation
    struck, = struct.unpack('=I', os.pread(control, 4, 8))
    generation += 1
    os.pwrite(control, struct.pack('=II52s', 0, 0, text.encode()), 4)
    os.pwrite(control, struct.pack('=I', generation), 0)
    return struck


def descriptors():
    return len(os.listdir(f'/proc/{worker}/fd'))


big, small, home = content('/big.bin'), content('/1k.bin'), content('/index.html')
whole = dict([('/big.bin', big), ('/1k.bin', small), ('/', home), ('/zero.txt', b'')])
CLOSE = 'Connection: close'


def chunked(path):
    return request(path, 'POST', 'Transfer-Encoding: chunked') + '5\r\nhello\r\n' * 3 + '0\r\n\r\n'


at_rest = descriptors()

# What is sent, and the answers to it: method, status, body (None: any).
MIX = [
    (request('/1k.bin'), [('GET', 200, small)]),
    (request('/big.bin'), [('GET', 200, big)]),
    (request('/big.bin', 'GET', 'Range: bytes=5-70000'), [('GET', 206, big[5:70001])]),
    (request('/1k.bin', 'GET', 'Range: bytes=0-9,20-29'), [('GET', 206, None)]),
    (request('/'), [('GET', 200, home)]),
    (request('/big.bin', 'HEAD'), [('HEAD', 200, b'')]),
    (request('/list/'), [('GET', 200, Connection().ask('/list/')[2])]),
    (request('/list'), [('GET', 301, None)]),
    (request('/none'), [('GET', 404, None)]),
    ('GET / HTTP/2.0\r\nHost: x\r\n\r\n', [('GET', 505, None)]),
    (request('/1k.bin', 'POST', 'Content-Length: 5') + 'hello', [('POST', 405, None)]),
    (chunked('/1k.bin'), [('POST', 405, None)]),
    (request('/1k.bin', 'POST', 'Content-Length: 5', 'Expect: 100-continue'), [('POST', 405, None)]),
    (request('/1k.bin') * 3 + request('/big.bin') + request('/1k.bin', 'HEAD') + request('/zero.txt'),
     [('GET', 200, small)] * 3 + [('GET', 200, big), ('HEAD', 200, b''), ('GET', 200, b'')]),
]


class Fault(Exception):
    pass


def answers_of(connection, wanted):
    """All of them, or fewer when the connection ends. Waiting too long is a failure of the test."""
    for method, status, body in wanted:
        try:
            got, fields, bytes = connection.answer(method)
        except AssertionError as e:
            if str(e).startswith('closed'):
                return
            raise
        except (ConnectionError, BrokenPipeError):
            return
        yield got, bytes, status, body


def look(text, wanted, is_faulty):
    try:
        connection = Connection()
        # In two pieces, with what a worker keeps between them.
        connection.send(text[:7])
        connection.send(text[7:])
    except (ConnectionError, BrokenPipeError):
        assert is_faulty, text[:60]
        return
    answers = 0
    for got, bytes, status, body in answers_of(connection, wanted):
        answers += 1
        if got == status:
            assert body is None or bytes == body, f'{text[:60]!r}: {len(bytes)} bytes, other ones'
        else:
            assert is_faulty and got in (403, 404, 408, 500, 503), f'{text[:60]!r}: {got}'
    assert is_faulty or answers == len(wanted), f'{text[:60]!r}: {answers} answers'
    connection.socket.close()


is_fresh = False # files that have just changed are not kept, but read each time


def load(is_faulty):
    for path in ('index.html', '1k.bin', 'big.bin') if is_fresh else ():
        os.utime(os.path.join(os.environ['SITE'], path))
    for text, wanted in MIX:
        look(text, wanted, is_faulty)


def is_standby(pid):
    with open(f'/proc/{pid}/comm') as name:
        return name.read() == 'drover:standby\n'


def workers():
    with open(f'/proc/{master}/task/{master}/children') as children:
        return [int(pid) for pid in children.read().split() if not is_standby(pid)]


def settled():
    try:
        return descriptors() == at_rest
    except FileNotFoundError:
        assert False, 'the worker is gone'


load(False)
wait(settled)


def try_fault(name, whens, whats, everywhere=True):
    for what in whats.split():
        total = 0
        for when in whens:
            text = f'{name}:{when}:{what}'
            try:
                fault(text)
                load(True)
                total += fault('')
                load(False)
                wait(settled)
                assert workers() == [worker], 'another worker'
            except BaseException:
                print(f'-- {text}', file=sys.stderr)
                raise
        assert total or not everywhere, f'{name}:{what} was never tried'
PYTHON
        cat
    )
}

ends_well() {
    drover_stop
    assert_equal "$status" 0
    refute grep -E 'ended: |killed by|Sanitizer' "$DROVER_LOG"
}

@test "faults of sockets: no stall, no wrong byte, no leak" {
    faulty_start
    faulty_client <<'PYTHON'
FEW = [1, 2, 3, 4, 7, 15, '*3', '%30']
try_fault('recv', FEW + ['*2'], 'EAGAIN EINTR ECONNRESET ETIMEDOUT ENOMEM SHORT END')
try_fault('send', FEW + ['*1'], 'EPIPE ECONNRESET ENOBUFS ENOMEM SHORT')
try_fault('send', FEW + ['*2'], 'EAGAIN EINTR')
try_fault('sendfile', [1, 2, 3, '*2', '%30'], 'EAGAIN EINTR EPIPE EIO ENOMEM SHORT END')
try_fault('sendfile', ['*1'], 'EPIPE EIO SHORT END')
try_fault('shutdown', [1, '*1'], 'ENOTCONN ENOBUFS')
try_fault('accept4', [1, 2, 5, '*3'], 'EAGAIN EINTR ECONNABORTED EPERM EPROTO')
try_fault('accept4', [1, 5], 'EMFILE ENFILE ENOMEM ENOBUFS')
try_fault('setsockopt', [1, '*1'], 'ENOMEM EINVAL', False)
try_fault('getpeername', [1, '*1'], 'ENOTCONN ENOBUFS', False)
try_fault('getsockname', [1, '*1'], 'ENOBUFS', False)
try_fault('socket', [1, '*1'], 'EMFILE ENFILE ENOMEM', False)
PYTHON
    ends_well
}

@test "faults of epoll: no stall, no wrong byte, no leak" {
    faulty_start
    faulty_client <<'PYTHON'
try_fault('epoll_ctl', [1, 2, 3, 5, 8, '*3', '%30'], 'ENOMEM ENOSPC EPERM')
try_fault('epoll_wait', [1, 2, 3, '*2', '%30'], 'EINTR')
PYTHON
    ends_well
}

@test "faults of files: no stall, no wrong byte, no leak" {
    faulty_start
    faulty_client <<'PYTHON'
FEW = [1, 2, 3, 6, '*1', '*2', '%30']
is_fresh = True
try_fault('openat2', FEW, 'EMFILE ENFILE ENOMEM EACCES EAGAIN EINTR EIO ELOOP')
try_fault('fstat', FEW, 'EIO ENOMEM')
try_fault('pread', FEW, 'EIO SHORT END')
try_fault('pread', [1, 2, '*2', '%30'], 'EINTR')
try_fault('close', FEW, 'EINTR EIO')
try_fault('fdopendir', [1], 'ENOMEM EMFILE')
try_fault('readdir', [1, 2], 'EIO ENOENT')
try_fault('open', [1, '*1'], 'EMFILE ENOMEM', False)
try_fault('read', [1, 2, '*1'], 'EAGAIN EINTR EIO SHORT', False)
try_fault('write', [1, '*1'], 'EAGAIN EPIPE SHORT', False)
PYTHON
    ends_well
}

# Under the sanitizers, memory is theirs.
# bats test_tags=nosan
@test "faults of memory: no stall, no wrong byte, no leak" {
    faulty_start
    faulty_client <<'PYTHON'
for name in 'malloc', 'calloc', 'realloc':
    try_fault(name, [*range(1, 60), '*1', '*2', '%30'], 'ENOMEM')
PYTHON
    ends_well
}

# For want of anything else that it could do.
@test "a worker that cannot wait any more says so and is replaced" {
    faulty_start
    faulty_client <<'PYTHON'
fault('epoll_wait:2:EBADF')
look(request('/1k.bin') + request('/1k.bin'), [('GET', 200, small)] * 2, True)
wait(lambda: workers() and worker not in workers())
fault('')
wait(lambda: Connection().ask('/1k.bin')[0] == 200)
PYTHON
    logged 'worker 0: epoll_wait: Bad file descriptor'
    logged 'EX_OSERR'
    refute grep 'killed by' "$DROVER_LOG"
}
