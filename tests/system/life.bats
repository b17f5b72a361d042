#!/usr/bin/env bats
#
# Whole lives of a server: what it takes, what it gives back, and how fast and how quiet it is.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helper's

load helper
load process

setup() {
    make_site
}

# ---- nothing leaks ----------------------------------------------------------------------------

# some_life: what happens to a server of two workers: requests of all kinds, clients that behave
# badly, and every signal. It has two workers again at the end.
some_life() {
    local pid
    fetch /hello.txt >/dev/null
    fetch / >/dev/null
    fetch /list/ >/dev/null
    fetch /sub --location >/dev/null
    fetch /missing >/dev/null
    fetch /outside.txt >/dev/null
    fetch /big.bin | cmp - "$SITE/big.bin"
    fetch /big.bin --range 5-99999,200000-900000 >/dev/null
    fetch /hello.txt --head >/dev/null
    fetch /hello.txt --http1.0 >/dev/null
    fetch /hello.txt --data-binary @"$SITE/1k.bin" >/dev/null
    fetch /hello.txt --header 'If-None-Match: *' >/dev/null
    fetch /hello.txt --header 'Transfer-Encoding: chunked' --data-binary @"$SITE/1k.bin" >/dev/null
    for _ in 1 2 3 4; do # both workers, as chance has it
        py "$DROVER_ADDR" <<'PY'
address = sys.argv[1]
def talk(data, read=True):
    s = connect(address, 20)
    s.sendall(data)
    while read and s.recv(65536):
        pass
    s.close()
talk(b"this is not HTTP\r\n\r\n")
talk(b"GET / HTTP/1.1\r\n\r\n")
talk(b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: t\r\n\r\n")
talk(b"GET /hello.txt HTTP/1.1\r\nHost: t\r\n\r\n" * 50 + b"GET / HTTP/1.0\r\n\r\n")
talk(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhalf", read=False)
talk(b"GET /big.bin HTTP/1.1\r\nHost: t\r\n\r\n", read=False)
talk(b"GET /big.bin HTT", read=False)
talk(b"", read=False)
PY
    done
    kill -TTIN "$DROVER_PID"
    wait_until 30 has_workers 3
    fetch /hello.txt >/dev/null
    kill -TTOU "$DROVER_PID"
    wait_until 30 has_workers 2
    pid=$(worker_of 0)
    kill -STOP "$pid"
    wait_until 30 logged "worker 0 (pid $pid) was stopped"
    kill -CONT "$pid"
    kill -HUP "$DROVER_PID"
    wait_until 30 logged 'every worker is a fresh one'
    kill -KILL "$(worker_of 1)"
    wait_until 30 logged 'killed by SIGKILL'
    wait_until 30 has_workers 2
    kill -TERM "$(worker_of 0)"
    wait_until 30 logged 'told to leave by a signal'
    wait_until 30 has_workers 2
    fetch /list/ >/dev/null
    # one that waits, one that is being answered
    client_open
    client_ask "$CLIENT" /hello.txt
    client_answer "$CLIENT"
    slow_client
}

# bats test_tags=nosan
@test "a life under valgrind: no error, no leak, no descriptor left open, in any process" {
    local logs=$BATS_TEST_TMPDIR/valgrind pid ended=0
    mkdir "$logs"
    # Not to stderr, where the server's own log goes. What the test runner left open is inherited.
    DROVER_WITH=(--standby off) # valgrind knows no such clone(2)
    DROVER_UNDER=(valgrind --track-fds=yes --leak-check=full '--show-leak-kinds=definite,indirect'
        '--errors-for-leak-kinds=definite,indirect' --error-exitcode=99 --child-silent-after-fork=no
        --log-file="$logs/%p")
    drover_start --workers 2 --drain-timeout 1s --listen 127.0.0.1:0 \
        --listen "unix:$BATS_TEST_TMPDIR/s.sock" --pidfile "$BATS_TEST_TMPDIR/pid" "$SITE"
    some_life
    drover_stop
    assert_equal "$status" 0
    logged '2 connections were closed at the deadline'
    run cat "$DROVER_LOG"
    refute_output --partial 'exit status'
    # The lines of a process begin with its pid, whatever file they are in.
    sort --stable --key 1,1 "$logs"/* >"$BATS_TEST_TMPDIR/valgrind.all"
    while read -r pid; do
        sed -n "s/^==$pid== //p" "$BATS_TEST_TMPDIR/valgrind.all" >"$BATS_TEST_TMPDIR/one"
        grep -q 'ERROR SUMMARY' "$BATS_TEST_TMPDIR/one" || continue # the one that was killed
        ended=$((ended + 1))
        run cat "$BATS_TEST_TMPDIR/one"
        assert_line --partial 'ERROR SUMMARY: 0 errors'
        refute_output --regexp '(definitely|indirectly) lost: [1-9]'
        run opened_here "$BATS_TEST_TMPDIR/one"
        assert_output ''
    done < <(sed -n 's/^==\([0-9]*\)==.*/\1/p' "$BATS_TEST_TMPDIR/valgrind.all" | sort -u)
    # the master; two workers, one more, two fresh, one for the killed, one for the sent away
    tell "$ended processes ended without a finding"
    assert_equal "$ended" 7
}

# opened_here FILE: the descriptors of valgrind's report that the process opened itself.
opened_here() {
    awk '/^Open / { what = $0; getline; if ($0 !~ /inherited from parent/) print what }' "$1"
}

# The same life for the sanitizers, and for the machine that has no valgrind.
@test "a life, and what the master has open afterwards" {
    local before
    drover_start --workers 2 --drain-timeout 1s --listen 127.0.0.1:0 \
        --listen "unix:$BATS_TEST_TMPDIR/s.sock" --pidfile "$BATS_TEST_TMPDIR/pid" "$SITE"
    before=$(fd_count "$DROVER_PID")
    some_life
    # the slot that was made for the third worker keeps its socket and its inbox
    wait_until 20 has_fds "$DROVER_PID" $((before + 3))
    drover_stop
    assert_equal "$status" 0
}

has_fds() {
    (($(fd_count "$1") == $2))
}

has_processes() {
    (($(drover_processes | wc -l) == $1))
}

# workers_have_same_fds: every worker has as many as the others. For wait_until, as clients end.
workers_have_same_fds() {
    (($(for pid in $(workers); do fd_count "$pid"; done | sort -u | wc -l) == 1))
}

# How many workers are wanted, as the log has it.
wanted() {
    local count
    count=$(sed -n 's/.*one worker \(more\|less\): \([0-9]*\)$/\2/p' "$DROVER_LOG" | tail -n 1)
    echo "${count:-$1}"
}

wants() {
    (($(wanted "$1") == $2))
}

@test "50 random moments under load, and all is as it was" {
    local before seed=$RANDOM count
    drover_start --workers 4 --drain-timeout 2s "$SITE"
    before=$(fd_count "$DROVER_PID")
    load_start --close --clients 8 --duration 2s
    py "$DROVER_PID" "$seed" <<'PY'
master = int(sys.argv[1])
random.seed(int(sys.argv[2]))
stopped = set()
for _ in range(50):
    time.sleep(random.random() * 0.06)
    what = random.choice(["KILL", "TERM", "STOP", "CONT", "TTIN", "TTOU", "HUP"])
    to = master if what in ("TTIN", "TTOU", "HUP") else random.choice(children(master) or [master])
    if to == master and what in ("KILL", "TERM", "STOP"):
        continue
    (stopped.add if what == "STOP" else stopped.discard)(to)
    try:
        os.kill(to, getattr(signal, "SIG" + what))
    except ProcessLookupError:
        pass
for pid in stopped:
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass
PY
    load_wait
    tell "seed $seed: $(grep -c 'ended: killed' "$DROVER_LOG") kills, lost $LOST of $ANSWERED${CAUSES:+ ($CAUSES)}"
    "$DROVER" status 3>&- 4>&- >/dev/null # for which it has to have read the signals
    count=$(wanted 4)
    while ((count < 4)); do
        count=$((count + 1))
        kill -TTIN "$DROVER_PID"
        wait_until 10 wants 4 "$count"
    done
    while ((count > 4)); do
        count=$((count - 1))
        kill -TTOU "$DROVER_PID"
        wait_until 10 wants 4 "$count"
    done
    wait_until 30 has_workers 4
    # A slot that was made is kept, with a socket and the ends of its inbox. A worker costs a
    # socketpair's end.
    wait_until 20 has_fds "$DROVER_PID" $((before + 3 * ($(listeners) - 4)))
    wait_until 20 workers_have_same_fds
    wait_until 20 has_standbys 4
    wait_until 10 has_processes 9
    for _ in 1 2 3 4 5 6 7 8; do
        assert_equal "$(fetch /hello.txt)" hello
    done
    drover_stop
    assert_equal "$status" 0
}

# ---- figures ----------------------------------------------------------------------------------

@test "N workers have N listening sockets" {
    local n
    for n in 1 2 8 32; do
        drover_start --workers "$n" "$SITE"
        assert_equal "$(listeners)" "$n"
        drover_stop
    done
}

# bats test_tags=nosan,alone
@test "an idle server with 8 workers and 8 idle clients sleeps" {
    local woken clients
    drover_start --workers 8 "$SITE"
    for ((i = 0; i < 8; i++)); do
        client_open
        client_ask "$CLIENT" /hello.txt
        client_answer "$CLIENT"
    done
    woken=$(
        py "$DROVER_PID" <<'PY'
master = int(sys.argv[1])
def wakeups():
    total = 0
    for pid in [master] + children(master) + standbys(master):
        for line in open(f"/proc/{pid}/status"):
            if line.startswith("voluntary_ctxt_switches:"):
                total += int(line.split()[1])
    return total
for _ in range(3): # what else goes on in the machine may wake one, too
    before = wakeups()
    time.sleep(3)
    woken = wakeups() - before
    if woken <= 5:
        break
print(woken)
PY
    )
    tell "$woken wake-ups in 3 s"
    # the master's: one a second, and two until it has seen that nothing moves any more
    ((woken <= 5))
}

# bats test_tags=nosan
@test "with 256 workers on the CPUs there are, every order finds room" {
    drover_start --workers 256 "$SITE"
    assert_equal "$(fetch /hello.txt)" hello
    assert_equal "$(count_logged 'cannot reach')" 0
}

# bats test_tags=nosan,alone
@test "from start to the first answer with 8 workers: under 15 ms, the best of 10" {
    local best
    best=$(
        py "$DROVER" "$SITE" <<'PY'
import subprocess
times = []
for _ in range(10):
    told, tell = os.pipe()
    start = time.monotonic()
    server = subprocess.Popen([sys.argv[1], "serve", "--workers", "8", "--listen", "127.0.0.1:0",
                               "--log-level", "error", "--ready-fd", str(tell), sys.argv[2]],
                              pass_fds=[tell])
    os.close(tell)
    address = os.read(told, 100).decode().strip()
    os.close(told)
    assert fetch(address) == (200, b"hello\n")
    times.append((time.monotonic() - start) * 1000)
    server.terminate()
    assert server.wait(10) == 0
times.sort()
print(f"{times[0]:.1f} ms, median {times[5]:.1f} ms", int(times[0] * 1000))
PY
    )
    tell "from start to the first answer: best ${best% *}"
    ((${best##* } < 15000))
}

# bats test_tags=nosan,alone
@test "a stop of an idle server with 8 workers takes as long as a signal" {
    local took
    took=$(
        py "$DROVER" "$SITE" <<'PY'
import subprocess
times = []
for _ in range(5):
    told, tell = os.pipe()
    server = subprocess.Popen([sys.argv[1], "serve", "--workers", "8", "--listen", "127.0.0.1:0",
                               "--log-level", "error", "--ready-fd", str(tell), sys.argv[2]],
                              pass_fds=[tell])
    os.close(tell)
    os.read(told, 100)
    os.close(told)
    start = time.monotonic()
    server.terminate()
    assert server.wait(10) == 0
    times.append((time.monotonic() - start) * 1000)
print(int(min(times)))
PY
    )
    tell "an idle server stops in $took ms"
    ((took < 100))
}
