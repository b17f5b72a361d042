#!/usr/bin/env bats
#
# A worker that ends or hangs is succeeded by its standby: what was between two requests goes on
# with the same connections, what was in the middle of one is closed. What the tables say of each
# moment is here; the words of the protocol are in tests/model.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load process
load lifecycle
load faulty
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
    assert_equal "$OPENED" $((64 + LOST))
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
    ask(s, close=False)
    try:
        answer(s)
    except EOFError:
        break
assert ends(s) == b""
PY
}

# ---- a worker ends: what was in the middle ----------------------------------------------------------

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
for path in "/abort", "/abort?%22it%22", "/abort/" + "x" * 300:
    fatal, = kept(args[0])
    ask(fatal, path, close=False)
    assert ends(fatal) == b""
    for s in waiting:
        who(s)
    wait(lambda: f'killed by SIGABRT, in "GET {path[:200]}' in text())
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
# one that is at nothing was at nothing
idle, = kept(args[0])
pid = workers()[0]
kill_worker(0)
line = next(line for line in text().splitlines() if f"(pid {pid}) ended" in line)
assert line.endswith("killed by SIGKILL; its standby goes on"), line
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
wait(lambda: lines("in a row"))
told = [line for line in text().splitlines() if "in a row" in line]
assert len(told) == 1, told
assert "GET /abort?0 HTTP/1.1" in told[0] and "GET /abort?1 HTTP/1.1" in told[0], told
PY
}

# ---- a worker ends: what was the application's ------------------------------------------------------

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
pid, _ = kill_worker(0)
assert state(waiting[0])[:2] == [0, 2]
fds = None
for round in range(20):
    for s in waiting:
        goes_on(s, "/open?20")
    goes_on(waiting[round % 4], "/cling")
    pid, count = kill_worker(0)
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
assert goes_on(waiting[0], "/state").split()[1] == b"22"
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

# ---- a worker is stopped, or hangs --------------------------------------------------------------

@test "one worker stopped: others of its clients are answered; it finishes what it is at, and leaves" {
    faulty --workers 2
    act "$DROVER_ADDR" <<'PY'
for round in range(3):
    slot, pid = some_worker()
    pid, standby = wait_for_pair(slot)
    waiting = []
    while len(waiting) < 8:
        s, = kept(args[0])
        if who(s) == pid:
            waiting.append(s)
    at, = [waiting.pop()]
    ask(at, "/hold?100", close=False)
    who(waiting[0]) # it has read that one's, too
    new, count = succeeded(slot, lambda: kill(pid, signal.SIGSTOP))
    assert count == 7, count
    assert {who(s) for s in waiting} == {new}
    assert not is_gone(pid) and not select.select([at], [], [], 0)[0]
    kill(pid, signal.SIGCONT)
    assert answer(at) == (200, b"held\n")
    wait(lambda: is_gone(pid))
    assert {who(s) for s in waiting} == {new}
    assert standby_of(new) == standby, "the successor has another standby"
PY
    assert_equal "$(count_logged SIGABRT)" 0
}

# bats test_tags=nosan
@test "a handler that spins, or blocks: its client waits, and gets its answer; the others do not" {
    faulty --workers 1
    act "$DROVER_ADDR" <<'PY'
for path, word in ("/spin?1500", b"spun\n"), ("/block?1500", b"was blocked\n"):
    waiting, (at,) = kept(args[0], 31), kept(args[0])
    pid = who(at)
    wait_for_pair(0)
    ask(at, path, close=False)
    began = time.monotonic()
    for s in waiting:
        ask(s, "/who", close=False)
    pids = {int(answer(s)[1]) for s in waiting}
    took = time.monotonic() - began
    assert pid not in pids and len(pids) == 1, (pid, pids)
    assert took < 1.2, f"the others waited for {took} s"
    assert not select.select([at], [], [], 0)[0], "it was answered, too"
    assert answer(at) == (200, word)
    assert time.monotonic() - began > 1.4
    wait(lambda: is_gone(pid))
    assert {who(s) for s in waiting} == pids
    # what a successor closes is closed for its clients, though another had copies of it
    for s in waiting:
        ask(s, "/1k.bin")
        answer(s)
        assert ends(s) == b""
PY
    assert_equal "$(count_logged SIGABRT)" 0
}

# bats test_tags=nosan
@test "connections end for their clients while the superseded worker still has copies of them" {
    faulty --workers 1 --idle-timeout 1s --hang-timeout 0
    act "$DROVER_ADDR" <<'PY'
waiting, (at,) = kept(args[0], 3), kept(args[0])
pid = who(at)
new, count = succeeded(0, lambda: ask(at, "/block?3000", close=False))
assert count == 3
ask(waiting[0], "/1k.bin") # Connection: close
answer(waiting[0])
assert ends(waiting[0]) == b""
waiting[1].sendall(b"nonsense\r\n\r\n")
assert b" 400 " in ends(waiting[1])
assert ends(waiting[2]) == b"" # idle for too long
assert not is_gone(pid), "the test was too slow"
assert answer(at) == (200, b"was blocked\n")
PY
}

# bats test_tags=nosan
@test "a hang that does not end is ended after --hang-timeout, and costs its own client alone" {
    faulty --workers 2 --hang-timeout 300ms
    local before
    before=$(belongings)
    act "$DROVER_ADDR" <<'PY'
for path in "/spin?60000", "/block?60000", "/deaf?60000":
    waiting, (at,) = kept(args[0], 31), kept(args[0])
    pid = who(at)
    slot = {pid: slot for slot, pid in workers().items()}[pid]
    wait_for_pair(slot)
    succeeded(slot, lambda: ask(at, path, close=False))
    assert ends(at) == b""
    wait(lambda: is_gone(pid))
    for s in waiting:
        who(s)
slot = 1
pid, _ = wait_for_pair(slot)
waiting = kept(args[0], 32)
succeeded(slot, lambda: kill(pid, signal.SIGSTOP))
wait(lambda: is_gone(pid))
for s in waiting:
    who(s)
PY
    logged ' has hung for 300 ms, and is ended by SIGABRT'
    logged ' was stopped for 300 ms, and is ended by SIGABRT'
    logged_times 1 'killed by SIGKILL' # the deaf one
    keeps_belongings "$before"
}

@test "stopped and continued at once, again and again: nothing is lost" {
    local before
    drover_start --workers 4 "$SITE"
    wait_until 10 has_standbys 4
    before=$(belongings)
    load_begin kept --clients 32
    load_begin short --close --clients 32
    act <<'PY'
for i in range(30):
    slot, pid = some_worker()
    kill(pid, signal.SIGSTOP)
    time.sleep(random.random() * 0.004)
    kill(pid, signal.SIGCONT)
    time.sleep(0.03) # the pace
PY
    load_stop kept
    assert_equal "$LOST $CAUSES $OPENED" '0  32'
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    keeps_belongings "$before"
    assert_equal "$(count_logged 'killed by')" 0
}

# ---- the standby itself -----------------------------------------------------------------------------

@test "a standby that is killed costs nothing: its worker leaves to a fresh pair" {
    drover_start --workers 2 "$SITE"
    load_begin kept --clients 16
    load_begin short --close --clients 16
    act <<'PY'
for round in range(3):
    for slot in 0, 1:
        old = wait_for_pair(slot)
        kill(old[1], signal.SIGKILL)
        wait_for_pair(slot, old)
PY
    nothing_is_lost_of 16
    wait_until 20 has_workers 2
    wait_until 2 no_zombie
}

# nothing_is_lost_of CLIENTS: nothing_is_lost for so many.
nothing_is_lost_of() {
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    load_stop kept
    assert_equal "$LOST $CAUSES $OPENED" "0  $1"
}

@test "a worker and its standby killed, in either order: what they held ends, and the slot has a new pair" {
    local before
    drover_start --workers 2 "$SITE"
    wait_until 10 has_standbys 2
    before=$(belongings)
    act "$DROVER_ADDR" <<'PY'
for round in range(6):
    waiting = kept(args[0], 16)
    old = wait_for_pair(round % 2)
    for pid in old if round % 4 < 2 else old[::-1]:
        kill(pid, signal.SIGKILL)
    new = wait_for_pair(round % 2, old)
    assert not set(old) & set(new)
    lost = 0
    for s in waiting:
        ask(s, close=False)
        try:
            assert answer(s)[0] == 200
        except (EOFError, ConnectionError):
            lost += 1
    assert lost < 16, "the other worker's are lost, too"
    assert fetch(args[0])[0] == 200
PY
    keeps_belongings "$before"
}

@test "a standby that is stopped is of no use while it is; then the slot has a new pair" {
    local before
    drover_start --workers 1 "$SITE"
    wait_until 10 has_standbys 1
    before=$(belongings)
    act "$DROVER_ADDR" <<'PY'
old = wait_for_pair(0)
kill(old[1], signal.SIGSTOP)
wait(lambda: state(old[1]) == "T")
kill(old[0], signal.SIGKILL)
wait_for_pair(0, old)
assert fetch(args[0])[0] == 200
# one that was continued is as good as any
old = wait_for_pair(0)
kill(old[1], signal.SIGSTOP)
wait(lambda: state(old[1]) == "T")
kill(old[1], signal.SIGCONT)
wait(lambda: state(old[1]) == "S")
waiting = kept(args[0], 4)
time.sleep(0.1) # until the master has seen it
kill_worker(0)
for s in waiting:
    goes_on(s)
PY
    keeps_belongings "$before"
}

@test "a standby and its worker stopped: others accept for them, and all goes on when they do" {
    drover_start --workers 2 "$SITE"
    act "$DROVER_ADDR" <<'PY'
waiting = kept(args[0], 16)
pid, standby = wait_for_pair(0)
kill(standby, signal.SIGSTOP)
wait(lambda: state(standby) == "T")
time.sleep(0.1) # until the master has seen it
expect(f"worker 0 (pid {pid}) was stopped", lambda: kill(pid, signal.SIGSTOP))
for i in range(32):
    assert fetch(args[0])[0] == 200
kill(standby, signal.SIGCONT)
kill(pid, signal.SIGCONT)
for s in waiting:
    goes_on(s)
PY
}

# ---- beside the other moments -------------------------------------------------------------------------

@test "reloads, scales, upgrades and leaves under kills: only what was in the middle is lost" {
    local before kills=24
    drover_start --workers 4 "$SITE"
    wait_until 10 has_standbys 4
    before=$(belongings)
    load_begin kept --clients 32
    load_begin short --close --clients 32
    act "$kills" <<'PY'
def kill_some(count):
    for _ in range(count):
        slot, pid = some_worker()
        kill(pid, signal.SIGKILL)
        time.sleep(0.05) # the pace

for round in range(int(args[0]) // 8):
    tell(signal.SIGHUP)
    kill_some(2)
    tell(signal.SIGTTIN)
    kill_some(2)
    tell(signal.SIGTTOU)
    kill_some(2)
    slot, pid = some_worker()
    kill(pid, signal.SIGTERM)
    kill_some(2)
wait(lambda: len(workers()) == 4)
reload()
PY
    load_stop kept
    ((LOST <= kills * 32 / 4))
    assert_equal "$(caused kept refused silent wrong_status wrong_body malformed)" 0
    load_stop short
    assert_equal "$(caused short refused silent wrong_status wrong_body malformed)" 0
    drover_stop
    assert_equal "$status" 0
}

@test "after a kill a server is upgraded without a loss, and after the upgrade a kill costs nothing more" {
    drover_start --workers 2 "$SITE"
    wait_until 10 has_standbys 2
    load_begin kept --clients 16
    load_begin short --close --clients 16
    act <<'PY'
upgrade()
wait_for_pair(0)
wait_for_pair(1)
PY
    wait_until 10 follow_upgrade
    nothing_is_lost_of 16
    act "$DROVER_ADDR" <<'PY'
waiting = kept(args[0], 16)
assert kill_worker(0)[1] + kill_worker(1)[1] == 16
upgrade()
for s in waiting:
    ask(s)
    assert answer(s)[0] == 200
PY
    wait_until 10 follow_upgrade
    drover_stop
}

@test "a successor leaves as any worker does: at a reload its connections go to the new one" {
    drover_start --workers 2 "$SITE"
    act "$DROVER_ADDR" <<'PY'
waiting = kept(args[0], 32)
for round in range(3):
    assert kill_worker(0)[1] + kill_worker(1)[1] == 32
    reload()
    for s in waiting:
        goes_on(s)
kill_worker(0)
old = workers()[0]
kill(old, signal.SIGTERM)
wait(lambda: is_gone(old))
for s in waiting:
    goes_on(s)
PY
    drover_stop
    assert_equal "$status" 0
}

@test "a slot that was made after a standby is the successor's to serve, too" {
    drover_start --workers 1 "$SITE"
    act "$DROVER_ADDR" <<'PY'
scale(1, 2)
kill_worker(0)
# Who comes while the master sleeps is in the queue of the slot whose worker does not read it.
mine, other = wait_for_pair(0), wait_for_pair(1)
os.kill(master, signal.SIGSTOP)
for pid in other:
    kill(pid, signal.SIGSTOP)
wait(lambda: all(state(pid) == "T" for pid in other + (master,)))
clients = [connect(args[0], 20) for _ in range(32)]
for s in clients:
    ask(s)
os.kill(master, signal.SIGCONT)
for s in clients:
    assert answer(s)[0] == 200
PY
}

@test "a stop in the middle of successions leaves nothing behind" {
    for ((i = 0; i < 6; i++)); do
        drover_start --workers 4 --drain-timeout 2s "$SITE"
        kill -KILL "$(worker_of 0)" "$(worker_of 1)"
        kill -STOP "$(worker_of 2)"
        for ((j = 0; j < i; j++)); do
            : "$(:)" # later each time, by a fork's time
        done
        drover_stop
        assert_equal "$status" 0
    done
}

@test "kill -9 of the master ends standbys, successors, superseded ones" {
    for ((i = 0; i < 6; i++)); do
        drover_start --workers 4 --user nobody "$SITE"
        kill -KILL "$(worker_of 0)" "$(worker_of 1)"
        kill -STOP "$(worker_of 2)"
        for ((j = 0; j < i; j++)); do
            : "$(:)"
        done
        kill -KILL "$DROVER_PID"
        wait_until 5 drover_left_nothing
    done
}

@test "without a descriptor for it there is no successor but a worker, later; and then a pair" {
    drover_start --workers 2 "$SITE"
    wait_until 10 has_standbys 2
    prlimit --pid "$DROVER_PID" --nofile="$(lowest_free_fd "$DROVER_PID"):"
    kill -KILL "$(worker_of 0)"
    wait_until 10 logged 'ended: killed by SIGKILL'
    for ((i = 0; i < 16; i++)); do
        assert_equal "$(fetch /hello.txt)" hello
    done
    prlimit --pid "$DROVER_PID" --nofile=1000:
    wait_until 20 has_workers 2
    wait_until 20 has_standbys 2
}

@test "without a process for it a worker goes on without a standby, and the log says so once" {
    copy_drover
    # a uid that nobody else has: the limit counts the processes of the user
    DROVER_UNDER=(setpriv --reuid=54322 --regid=54322 --clear-groups prlimit --nproc=3:100)
    drover_start --workers 2 "$SITE"
    wait_until 10 logged 'standby'
    assert_equal "$(standbys | wc -l)" 0
    kill_worker 0
    assert_equal "$(fetch /hello.txt)" hello
    drover_stop
    assert_equal "$status" 0
}

# ---- what is written, and the switch ----------------------------------------------------------------

@test "the access log has a line for each answer, the dead worker's and its successor's; after USR1 in the new file" {
    local lines=$BATS_TEST_TMPDIR/lines
    drover_start --workers 1 --access-log "$lines" "$SITE"
    act "$DROVER_ADDR" "$lines" <<'PY'
def count(name):
    with open(name) as f:
        return sum(1 for _ in f)

waiting, path = kept(args[0], 8), args[1]
for round in range(4):
    kill_worker(0)
    for s in waiting:
        goes_on(s)
wait(lambda: count(path) == 40)
os.rename(path, path + ".1")
tell(signal.SIGUSR1)
wait(lambda: os.path.exists(path))
kill_worker(0)
for s in waiting:
    goes_on(s)
wait(lambda: count(path) == 8)
assert count(path + ".1") == 40
PY
}

@test "status tells of standbys and of what they kept" {
    drover_start --workers 2 "$SITE"
    act "$DROVER_ADDR" <<'PY'
wait_for_pair(0), wait_for_pair(1)
waiting = kept(args[0], 8)
kill_worker(0), kill_worker(1)
PY
    run -0 "$DROVER" status
    assert_output --partial standby
    run -0 "$DROVER" status --json
    assert_equal "$(jq '[.. | objects | .standby? | numbers | select(. > 0)] | length' \
        <<<"$output")" 2
}

@test "--standby off makes none, a reload that says on does" {
    local conf=$BATS_TEST_TMPDIR/conf
    printf '%s\n' 'workers = 2' "root = $SITE" 'standby = off' >"$conf"
    drover_start -c "$conf"
    assert_equal "$(standbys)" ''
    kill_worker 0
    assert_equal "$(standbys)" ''
    logged 'ended: killed by SIGKILL; the next one comes at once'
    sed -i 's/off/on/' "$conf"
    reload
    wait_until 10 has_standbys 2
    sed -i 's/on$/off/' "$conf"
    reload
    wait_until 10 has_standbys 0
}
