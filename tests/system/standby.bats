#!/usr/bin/env bats
#
# A worker that ends or hangs is succeeded by its standby: what was between two requests goes on
# with the same connections, what was in the middle of one is closed. What the tables say of each
# moment is here; the words of the protocol are in tests/model.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load standby

setup() {
    make_site
}

no_zombie() {
    ! has_zombie
}

# clings ARGS...: a server of tests/apps/clings.c.
clings() {
    drover_start --app "${DROVER%/*}/apps/clings.so" "$@"
}

# ---- a worker ends: what waits goes on ----------------------------------------------------------

# bats test_tags=alone
@test "30 times kill -9 in 5 s, kept connections: at most 15 requests are lost" {
    local times=30
    [[ $SAN != 1 ]] || times=10
    drover_start --workers 8 "$SITE"
    wait_until 10 has_standbys 8
    load_begin kept --clients 64
    kills "$times" $((5000 / times))
    load_stop kept
    tell "the dead workers held $HELD"
    ((LOST <= times / 2))
    # one whose answer has just arrived is closed, too, and has lost nothing
    ((OPENED >= 64 + LOST && OPENED <= 64 + times / 2)) || fail "$OPENED connections"
    assert_equal "$(caused kept refused silent wrong_status wrong_body malformed)" 0
    wait_until 20 has_workers 8
    wait_until 20 has_standbys 8
    wait_until 2 no_zombie
}

@test "connections that wait are the successor's, at every address, and what was not asked yet, too" {
    drover_start --workers 2 --listen 127.0.0.1:0,defer=no --listen "unix:$BATS_TEST_TMPDIR/s" \
        --listen '[::1]:0,defer=no' "$SITE"
    act "${DROVER_ADDRS[@]}" <<'PY'
def connect_to(address):
    if address[0] != "[":
        return connect(address, 20)
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host[1:-1], int(port)), 20)

def held_by_all():
    return sum(row["connections"] for row in board().values())

waiting = [connect_to(address) for address in args for _ in range(8)]
for s in waiting:
    goes_on(s)
waiting += [connect_to(address) for address in args for _ in range(4)]
wait(lambda: held_by_all() == 36)
accepted = sum(row["accepted"] for row in board().values())
for round in range(3):
    count = kill_worker(0)[1] + kill_worker(1)[1]
    assert count == 36, f"{count} of 36 went on"
    for s in waiting:
        goes_on(s)
    assert held_by_all() == 36, board()
assert sum(row["accepted"] for row in board().values()) == accepted, "some were accepted anew"
for s in waiting:
    s.close()
wait(lambda: held_by_all() == 0)
PY
}

# As many workers as the master's list has room for: the successor's entry is what moves it.
@test "with 16 workers, and with 32, a worker is succeeded; memory that was given back is not read" {
    local count
    DROVER_UNDER=(env MALLOC_PERTURB_=85)
    for count in 16 32; do
        drover_start --workers "$count" "$SITE"
        wait_until 20 has_standbys "$count"
        act "$DROVER_ADDR" <<'PY'
s, = kept(args[0])
kill_worker(3)
goes_on(s)
PY
        drover_stop
    done
}

@test "who a client is, which a PROXY header has said, the successor knows; and it waits for such a header" {
    drover_start --app "${DROVER%/*}/apps/every.so" --workers 1 --listen 127.0.0.1:0,proxy,defer=no
    act "$DROVER_ADDR" <<'PY'
def client(s, header=b""):
    s.sendall(header)
    return re.search("^client=(.*)$", goes_on(s, "/describe").decode(), re.M).group(1)

known = []
for i in range(20):
    known.append(connect(args[0], 20))
    assert client(known[i], f"PROXY TCP4 192.0.2.{i} 10.0.0.1 {1000 + i} 80\r\n".encode()) == \
        f"192.0.2.{i} port={1000 + i}"
greeting = [connect(args[0], 20) for _ in range(5)]
wait(lambda: board()[0]["connections"] == 25)
for round in range(2):
    assert kill_worker(0)[1] == 25
    for i, s in enumerate(known):
        assert client(s) == f"192.0.2.{i} port={1000 + i}"
for s in greeting:
    assert client(s, b"PROXY TCP6 2001:db8::1 ::1 4711 80\r\n") == "2001:db8::1 port=4711"
# without one it is no client
s = connect(args[0], 20)
wait(lambda: board()[0]["connections"] == 26)
kill_worker(0)
ask(s)
assert ends(s) == b""
PY
}

@test "whom a PROXY header has named is nobody else after an upgrade that wants no such headers" {
    local conf=$BATS_TEST_TMPDIR/conf lines=('app = echo' 'workers = 1')
    printf '%s\n' 'listen = 127.0.0.1:0,proxy,defer=no' "${lines[@]}" >"$conf"
    drover_launch -c "$conf"
    drover_launched
    printf '%s\n' 'listen = 127.0.0.1:0,defer=no' "${lines[@]}" >"$conf"
    act "$DROVER_ADDR" <<'PY'
def client(s, header=b""):
    s.sendall(header)
    return re.search("^from (.*) port", goes_on(s, "/").decode(), re.M).group(1)

named = connect(args[0], 20)
assert client(named, b"PROXY TCP4 192.0.2.7 10.0.0.1 4711 80\r\n") == "192.0.2.7"
upgrade()
wait_for_pair(0)
assert client(named) == "192.0.2.7"
other = connect(args[0], 20)
assert client(other) == "127.0.0.1"
assert kill_worker(0)[1] == 1
assert client(other) == "127.0.0.1"
assert ends(named) == b""
PY
    follow_upgrade
}

@test "a worker's times for clients go on: one that waits too long is closed by the successor" {
    drover_start --workers 1 --idle-timeout 1s "$SITE"
    act "$DROVER_ADDR" <<'PY'
s, busy = kept(args[0], 2)
assert kill_worker(0)[1] == 2
began = time.monotonic()
assert ends(s) == b""
assert 0.5 < time.monotonic() - began < 10, time.monotonic() - began
PY
}

@test "--connection-requests ends a connection of a successor's, too" {
    drover_start --workers 1 --connection-requests 5 "$SITE"
    act "$DROVER_ADDR" <<'PY'
s, = kept(args[0])
goes_on(s)
kill_worker(0)
for i in range(5): # they count anew, at most
    ask(s, "/1k.bin", close=False)
    is_last = b"connection: close" in begin(s).lower()
    rest(s, 1024)
    if is_last:
        break
assert is_last and ends(s) == b""
PY
}

# ---- a worker ends: what was in the middle ------------------------------------------------------

@test "what was in the middle of a request or an answer is closed, and nothing of it is made up" {
    head -c 32M /dev/urandom >"$SITE/slow.bin"
    drover_start --workers 1 --listen 127.0.0.1:0,defer=no "$SITE"
    act "$DROVER_ADDR" <<'PY'
def part(text):
    s = connect(args[0], 20)
    s.sendall(text)
    return s

line = b"GET /1k.bin HTTP/1.1\r\nHost: test\r\n"
waiting = kept(args[0], 4)
parts = [part(text) for text in (
    b"G", line, line + b"\r", b"POST /1k.bin HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nhalf")]
later = kept(args[0], 2) # the beginning of a second request
for s in later:
    s.sendall(line)
download = part(b"GET /slow.bin HTTP/1.1\r\nHost: test\r\n\r\n")
begin(download)
deep = part((line + b"\r\n") * 3 + line) # the last one has no end
body = b""
while body.count(b"HTTP/1.1 200") < 3:
    body += deep.recv(65536)
for s in parts + later + [deep]: # what each has sent is read before that of a new one
    goes_on(waiting[0])
pid, count = kill_worker(0)
for s in parts + later + [deep]:
    got = ends(s)
    assert b"HTTP/1.1 2" not in got, got[:200]
size = len(ends(download))
assert size < 32 << 20, "a download of a dead worker was whole"
for s in waiting:
    goes_on(s)
assert count == 4, f"{count} instead of 4 went on"
PY
}

@test "a deferred answer's client is let go, and its neighbours stay" {
    faulty --workers 1
    act "$DROVER_ADDR" <<'PY'
waiting = kept(args[0], 8)
deferred = kept(args[0], 3)
for s in deferred:
    ask(s, "/hold?60000", close=False)
who(waiting[0])
pid, count = kill_worker(0)
for s in deferred:
    assert ends(s) == b""
assert count == 8, count
assert {who(s) for s in waiting} == {pid}
PY
}

@test "an answer that stood ready and had not left is the successor's, and is counted and logged once" {
    local access=$BATS_TEST_TMPDIR/access
    drover_start --workers 1 --access-log "$access" --app "${DROVER%/*}/apps/ready.so"
    act "$DROVER_ADDR" "$access" <<'PY'
def logged(path):
    with open(args[1]) as f:
        return f.read().count(f"GET {path} ")

def counted():
    return sum(row["requests"] for row in board().values())

waiting, (busy, last) = kept(args[0], 16, "/ready"), kept(args[0], 2, "/ready")
wait_for_pair(0)
sleeps(workers()[0])
before = counted()
ask(busy, "/spin?100", close=False)
for s in waiting:
    ask(s, "/ready", close=False)
succeeded(0, lambda: ask(last, "/die", close=False))
for s in waiting:
    assert answer(s)[0] == 200
goes_on(waiting[0], "/ready?again") # which a successor that was asked for no page yet makes, too
wait(lambda: logged("/ready?again") == 1 and logged("/ready") >= 18 + 16)
assert logged("/ready") == 18 + 16
assert counted() - before == 16 + 2, counted() - before
PY
}

@test "a raw stream ends with its worker, and the next one finds the successor" {
    drover_start --app tcp-echo --workers 1
    act "$DROVER_ADDR" <<'PY'
def say(s, text):
    s.sendall(text)
    assert s.recv(len(text)) == text

for round in range(3):
    s = connect(args[0], 20)
    say(s, b"here")
    assert kill_worker(0)[1] == 0
    assert ends(s) == b""
say(connect(args[0], 20), b"again")
PY
}

@test "a handler that crashes takes one client with it; the log has its request beside the signal" {
    faulty --workers 1
    act "$DROVER_ADDR" <<'PY'
waiting = kept(args[0], 16)
time.sleep(0.12) # a life that is no crash loop's; and so below
for path in "/abort", "/abort?%22it%22", "/abort/" + "x" * 300:
    fatal, = kept(args[0])
    ask(fatal, path, close=False)
    assert ends(fatal) == b""
    for s in waiting:
        who(s)
    wait(lambda: f'killed by SIGABRT, in "GET {path[:200]}' in text())
    time.sleep(0.12)
line = next(line for line in text().splitlines() if "GET /abort HTTP/1.1" in line)
assert line.endswith('in "GET /abort HTTP/1.1"; its standby goes on'), line
PY
}

@test "the request that a worker was at when it was killed is in the log, and a pipelined one's own" {
    faulty --workers 1 --hang-timeout 0
    act "$DROVER_ADDR" <<'PY'
s, = kept(args[0])
s.sendall(b"GET /1k.bin?1 HTTP/1.1\r\nHost: test\r\n\r\nGET /1k.bin?2 HTTP/1.1\r\nHost: test\r\n\r\n"
          b"GET /abort?3 HTTP/1.1\r\nHost: test\r\n\r\nGET /1k.bin?4 HTTP/1.1\r\nHost: test\r\n\r\n")
got = ends(s)
assert got.count(b"HTTP/1.1 200") <= 2
wait(lambda: 'killed by SIGABRT, in "GET /abort?3 HTTP/1.1"' in text())
# in pieces
s, = kept(args[0])
for piece in b"GET /ab", b"ort?4 HTTP/1.1\r\nHo", b"st: test\r\n\r\n":
    s.sendall(piece)
    time.sleep(0.02) # each by itself
ends(s)
wait(lambda: 'killed by SIGABRT, in "GET /abort?4 HTTP/1.1"' in text())
time.sleep(0.15) # a life that is no crash loop's
# one that is at nothing was at nothing
idle, = kept(args[0])
pid = workers()[0]
kill_worker(0)
assert f"(pid {pid}) ended: killed by SIGKILL; its standby goes on\n" in text()
goes_on(idle)
PY
}

@test "a slot whose requests crash in a row is reported, with their lines" {
    faulty --workers 1
    act "$DROVER_ADDR" <<'PY'
waiting = kept(args[0], 8)
for i in range(5):
    fatal, = kept(args[0])
    ask(fatal, f"/abort?{i % 2}", close=False)
    ends(fatal)
    for s in waiting:
        who(s)
    time.sleep(0.12) # a life that is no crash loop's
wait(lambda: lines("in a row"))
told = [line for line in text().splitlines() if "in a row" in line]
assert len(told) == 1, told
assert "GET /abort?0 HTTP/1.1" in told[0] and "GET /abort?1 HTTP/1.1" in told[0], told
PY
}

# ---- a worker ends: what was the application's --------------------------------------------------

@test "the successor's application is a fresh one, and nothing of the dead one's is left" {
    clings --workers 1
    act "$DROVER_ADDR" <<'PY'
def state(s):
    return [int(word) for word in goes_on(s, "/state").split()]

def ticks(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])

waiting = kept(args[0], 4, "/state")
assert state(waiting[0])[:2] == [4, 1]
time.sleep(0.12) # as below
pid, _ = kill_worker(0)
assert state(waiting[0])[:2] == [0, 2]
fds = None
for round in range(10):
    for s in waiting:
        goes_on(s, "/open?20")
    goes_on(waiting[round % 4], "/cling")
    time.sleep(0.12) # a life that is no crash loop's
    pid, count = succeeded(0, lambda: kill(pid, signal.SIGKILL))
    assert count == 4, count
    now = len(os.listdir(f"/proc/{pid}/fd"))
    fds = fds or now
    assert now == fds, f"{now} descriptors, and {fds} after the first"
# neither a timer nor a watch of theirs is there, and what children hold open wakes nobody
before, used = state(waiting[0])[2], ticks(pid)
time.sleep(0.3) # as long as nothing may happen
assert state(waiting[0])[2] == before
assert ticks(pid) - used < 10, "it spins"
with open(f"/proc/{pid}/status") as f:
    assert "Threads:\t1\n" in f.read()
assert goes_on(waiting[0], "/state").split()[1] == b"12"
PY
}

@test "a successor that ends before it is ready is followed by a worker of the usual kind" {
    local before
    clings --workers 2
    before=$(belongings)
    act "$DROVER_ADDR" <<'PY'
for fatal in 1, 2:
    waiting = kept(args[0], 8, "/state")
    pid = int(goes_on(waiting[0], f"/fatal?{fatal}"))
    slot = {pid: slot for slot, pid in workers().items()}[pid]
    kill(pid, signal.SIGKILL)
    wait(lambda: lines("did not start") >= 2 * fatal - 1)
    wait_for_pair(slot, [pid])
    for s in waiting: # of the other worker's
        s.close()
    assert fetch(args[0], "/state")[0] == 200
PY
    keeps_belongings "$before"
}

@test "a successor, and its own, are the process that libc takes them for" {
    faulty --workers 1
    act "$DROVER_ADDR" <<'PY'
s, = kept(args[0])
wait_for_pair(0)
for round in range(3):
    assert int(goes_on(s, "/self")) == who(s), round
    kill_worker(0)
PY
}

@test "a table has room for all clients before they come, and so has a successor's" {
    faulty --workers 1 --max-connections 1000
    act "$DROVER_ADDR" <<'PY'
def room(pid):
    """Each time that a table with two users grows, its worker stands still."""
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"FDSize:\s*(\d+)", f.read())[1])
s, = kept(args[0])
stopped = []
for number in signal.SIGKILL, signal.SIGSTOP, signal.SIGKILL:
    wait_for_pair(0)
    pid = who(s)
    assert room(pid) >= 1000, (number, room(pid))
    sleeps(pid)
    succeeded(0, lambda: kill(pid, number))
    if number == signal.SIGSTOP:
        stopped.append(pid)
assert room(who(s)) >= 1000, room(who(s))
kill(stopped[0], signal.SIGCONT)
PY
}

@test "the core of a worker has nothing of the memory that standbys and the access log read" {
    drover_start --workers 1 --access-log "$BATS_TEST_TMPDIR/access.log" "$SITE"
    act <<'PY'
pid, _ = wait_for_pair(0)
def shared():
    """What is large and without a file in the worker: its flags."""
    with open(f"/proc/{pid}/smaps") as f:
        parts = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", f.read(), flags=re.M)
    found = [part for part in parts if "/dev/zero" in part.split("\n")[0]
             and int(re.search(r"Size: *(\d+)", part)[1]) > 1024]
    return {re.search("VmFlags: (.*)", part)[1] for part in found if " rw-s " in part}
assert shared() and all(" dd" in flags for flags in shared()), shared()
PY
}

@test "an application that takes its time to start: its connections wait for it, and are answered" {
    export HANG_START_US=300000
    faulty --workers 1
    act "$DROVER_ADDR" <<'PY'
waiting = kept(args[0], 8)
kill(workers()[0], signal.SIGKILL)
for s in waiting:
    goes_on(s)
new = connect(args[0], 20)
goes_on(new)
PY
}

