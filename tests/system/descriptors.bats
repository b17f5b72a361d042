#!/usr/bin/env bats
#
# descriptors - a worker that has none left, and one that has exactly as many as it needs.

# bats file_tags=beside

load helper
load process
load http

setup() {
    make_site
}

# A worker whose limit is lowered is as one whose descriptors an application has leaked.
# bats test_tags=alone
@test "without descriptors: who waits is served when others leave, hears 503 after a second, and all is well again" {
    drover_start --workers 1 "$SITE"
    client "$(worker_of 0)" "$DROVER_LOG" >"$BATS_TEST_TMPDIR/refused" <<'PYTHON'
import resource

worker = int(args[0])


def open_fds():
    return [int(fd) for fd in os.listdir(f'/proc/{worker}/fd')]


def limit_to(fds):
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (fds, hard))


def kept():
    c = Connection()
    assert c.ask('/hello.txt')[0] == 200
    return c


def waiting(text):
    c = Connection()
    c.send(text)
    return c


hard = resource.prlimit(worker, resource.RLIMIT_NOFILE)[1]
closing = request('/1k.bin', 'GET', 'Connection: close')
at_rest = len(open_fds())
inside = [kept() for i in range(5)]
assert len(open_fds()) == at_rest + 5

# In time: as soon as two have left, there is one for a client and one for its file.
limit_to(max(open_fds()) + 1)
began = time.monotonic()
outside = [waiting(closing) for i in range(10)]
assert not select.select([c.socket for c in outside], [], [], 0.3)[0], 'served, or refused'
# on its CPU, where a worker that is woken does not take it away: it is to see both ends at once
for pid in 0, worker:
    os.sched_setaffinity(pid, {min(os.sched_getaffinity(worker))})
inside.pop().socket.close()
inside.pop().socket.close()
for c in outside:
    assert c.answer()[2] == content('/1k.bin')
assert time.monotonic() - began < 5

# Not in time: an answer and the end, whatever the request is. Those who are in still are.
limit_to(hard)
inside += [kept() for i in range(2)]
limit_to(max(open_fds()) + 1)
began = time.monotonic()
outside = [waiting(text) for text in [closing, request('/1k.bin'), request('/1k.bin', 'HEAD')] * 10]
outside += [waiting(request('/', 'POST', 'Content-Length: 50000') + 'x' * 50000)]
for c in outside:
    status, fields, body = c.answer()
    assert status == 503 and fields['retry-after'] == '1', (status, fields)
    assert fields['connection'] == 'close' and fields['date'].endswith(' GMT'), fields
    assert b'<h1>503 ' in body, body
    assert c.is_closed()
    assert time.monotonic() - began > 0.95, 'too early'
assert time.monotonic() - began < 10
wait(lambda: len(open_fds()) == at_rest + 5) # the spare one is back, too
assert inside[0].ask('/hello.txt')[0] == 503, 'no descriptor for the file'

# A lack that goes on is told once a second, with its numbers.
refused, told, shed = len(outside), [], 0
while len(told) < 3 or shed < len(outside):
    assert time.monotonic() - began < 30, told
    assert waiting(closing).answer()[0] == 503
    refused += 1
    with open(args[1]) as log:
        told = [line for line in log if 'no descriptor for a new client' in line]
    shed = int(re.search(r', ([0-9]+) clients were turned away', told[-1])[1])
assert shed <= refused, (refused, told)
clocks = [[float(part) for part in line.split()[1].split(':')] for line in told]
times = [h * 3600 + m * 60 + s for h, m, s in clocks]
assert min((b - a) % 86400 for a, b in zip(times, times[1:])) > 0.5, told
assert '5 connections are open' in told[-1] and 'ulimit -n' in told[-1], told

# And back; but the worker may be at turning somebody away just then.
limit_to(hard)
while waiting(closing).answer()[0] == 503:
    refused += 1
    assert refused < 1000
for i in range(50):
    assert waiting(closing).answer()[0] == 200, i
assert [c.ask('/hello.txt')[0] for c in inside] == [200] * 5
for c in inside:
    c.socket.close()
wait(lambda: len(open_fds()) == at_rest)
print(refused)
PYTHON
    logged "accepts connections again; $(<"$BATS_TEST_TMPDIR/refused") clients were turned away"
    drover_stop
    assert_equal "$status" 0
}

# Each client has a file open in the worker for as long as it reads, and there are more clients than
# descriptors.
@test "as many clients as a worker takes, each with a big file: descriptors suffice" {
    # shellcheck disable=SC2034 # of the helper
    DROVER_UNDER=(prlimit --nofile=300:300)
    drover_start --workers 1 "$SITE"
    truncate -s 100M "$SITE/100m"
    run -0 sed -n 's/.*so a worker takes \([0-9]*\) connections.*/\1/p' "$DROVER_LOG"
    client "$(worker_of 0)" "$output" <<'PYTHON'
worker, most = map(int, args)
assert most > 100, most
clients = [Connection(4096) for i in range(most + 40)]
for c in clients:
    c.send(request('/100m'))
for i, c in enumerate(clients):
    c.until(b'\r\n\r\n')
    if i == most - 1:
        open_fds = len(os.listdir(f'/proc/{worker}/fd'))
        assert 2 * most < open_fds <= 300, open_fds
        assert not select.select([c.socket for c in clients[most:]], [], [], 0.1)[0]
    if i >= most - 1:
        clients[i - most + 1].socket.close()
PYTHON
    run -0 cat "$DROVER_LOG"
    refute_output --partial 'no descriptor'
}
