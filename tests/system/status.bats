#!/usr/bin/env bats
#
# drover status: the figures are right, and are there whatever the server's processes do.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154 # each test is a subshell; the variables are
# the helper's and bats' own

# bats file_tags=beside

load helper
load process
load lifecycle
load faulty

setup() {
    make_site
    cd "$BATS_TEST_TMPDIR" || return
}

# status: the object of drover status --json, in status.json.
status() {
    timeout --kill-after=1 20 "$DROVER" status --json "$@" >status.json 3>&- 4>&-
}

# has FILTER: is it so, by jq, in the status of now? For wait_until.
has() {
    status && jq --exit-status "$1" status.json >/dev/null
}

# seen FILTER: what is seen there; of the object that was asked for last.
seen() {
    jq --raw-output "$1" status.json
}

# ---- the figures ------------------------------------------------------------------------------

@test "requests, connections, answers and times are those that were" {
    drover_start --workers 3 "$SITE"
    py "$DROVER_ADDR" <<'PY'
kept = connect(sys.argv[1])
for path in ["/hello.txt"] * 10 + ["/none"] * 3:
    ask(kept, path, close=False)
    answer(kept)
for _ in range(20):
    fetch(sys.argv[1])
PY
    wait_until 10 has '.totals.requests == 33 and .totals.connections_open == 0'
    assert_equal "$(seen '.totals | [.connections_accepted, .answers["2xx"], .answers["4xx"]] | @tsv')" $'21\t30\t3'
    # what is told of all is the sum of what is told of each
    for member in requests connections_accepted wakeups bytes_sent cpu_us rss_bytes \
        context_switches_voluntary request_time_us; do
        assert_equal "$member $(seen "[.workers[].$member] | add")" "$member $(seen ".totals.$member")"
    done
    seen '.totals | .cpu_us > 0 and .rss_bytes > 1e6 and .wakeups > 0 and .bytes_sent > 30 * 100 and
        .context_switches_voluntary > 0 and .request_time_us > 0' | grep -x true
    seen '.latency_us | .p50 > 0 and .p50 <= .p90 and .p90 <= .p99 and .p99 <= .p999' | grep -x true
    assert_equal "$(seen '[.phase, .is_ready, .generation, .workers_ready, .slot_count, .pid] | @tsv')" \
        $'serving\ttrue\t1\t3\t3\t'"$DROVER_PID"
    assert_equal "$(seen '[.workers[].pid] | sort | join(" ")')" "$(workers | sort -n | xargs)"
    assert_equal "$(seen .root) $(seen '.addresses[0]')" "$SITE http://$DROVER_ADDR/"
}

@test "a worker that was killed: its cause, its requests, and the lines of the log" {
    local pid
    drover_start --workers 2 "$SITE"
    for _ in 1 2 3 4; do
        fetch /hello.txt >/dev/null
    done
    pid=$(worker_of 1)
    kill_worker 1
    wait_until 10 has '.ended.crashed == 1 and .workers_ready == 2 and .slots[1].ends == 1'
    assert_equal "$(seen .totals.requests)" 4
    seen '.events[].text' | grep -F "worker 1 (pid $pid)"
    seen '.events | map(.number) | . == sort and (.[0] == 1)' | grep -x true
    seen '.events[0].date' | grep -E '^20[0-9-]{8}T[0-9:]{8}\.[0-9]{3}Z$'
    drover status
    assert_success
    assert_output --partial 'ended        1 crashed'
    assert_output --partial "worker 1 (pid $pid)"
}

@test "standbys: how many sleep, and what they have done; a worker has the pid of its own" {
    local pid
    drover_start --workers 2 "$SITE"
    wait_until 10 has '.standbys == {is_on: true, asleep: 2, successions: {end: 0, hang: 0}, connections_kept: 0}'
    for pid in $(seen '.workers[].standby'); do
        assert_equal "$(<"/proc/$pid/comm")" drover:standby
    done
    py "$DROVER_ADDR" "$(worker_of 0)" "$(worker_of 1)" <<'PY'
kept = [connect(sys.argv[1]) for _ in range(12)]
for s in kept:
    ask(s, "/hello.txt", close=False)
    answer(s)
def sleeps(pid): # it has come back from the last answer
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rsplit(") ", 1)[1][0] == "S"

while not all(map(sleeps, sys.argv[2:])):
    time.sleep(0.001)
for pid in sys.argv[2:]:
    os.kill(int(pid), signal.SIGKILL)
for s in kept:
    ask(s, "/hello.txt", close=False)
    answer(s)
PY
    wait_until 10 has '.standbys == {is_on: true, asleep: 2, successions: {end: 2, hang: 0}, connections_kept: 12}'
    drover status
    assert_line 'standbys     2 asleep; 2 took over (2 ends, 0 hung), 12 connections kept'
    drover_stop
    drover_start --workers 2 --standby off "$SITE"
    has '.standbys.is_on == false and .standbys.asleep == 0 and ([.workers[].standby] == [null, null])'
    drover status
    refute_line --partial standbys
}

@test "a request that ends workers of a slot in a row is told" {
    faulty --workers 1
    for crashes in 1 2 3; do
        fetch '/abort?it=1' || true
        wait_until 20 has ".ended.crashed == $crashes and .workers_ready == 1"
    done
    assert_equal "$(seen '.slots[0] | [.crashes_in_a_row, .crashed_request] | @tsv')" \
        $'3\tGET /abort?it=1 HTTP/1.1'
    assert_equal "$(seen '.troubles | join("; ")')" \
        'slot 0: 3 workers in a row were ended by signals, the last at "GET /abort?it=1 HTTP/1.1"'
    logged 'slot 0: 3 workers in a row were ended by signals, at "GET /abort?it=1 HTTP/1.1"'
}

@test "rates are there as soon as the server is old enough" {
    drover_start --workers 1 "$SITE"
    has '.rates["60s"] == null'
    # it is asked all the time, so that the rate of the last second is one at any moment
    load_begin kept --clients 16 --rate 500
    wait_until 20 has '.rates["1s"] != null and .rates["1s"].requests > 50'
    load_stop kept
}

# ---- hard moments -----------------------------------------------------------------------------

@test "all workers stopped: they are named, and so is what nobody serves" {
    drover_start --workers 4 --standby off --hang-timeout 0 "$SITE"
    workers | xargs kill -STOP
    wait_until 10 has '.workers_ready == 0 and ([.slots[].is_served] | any | not)'
    assert_equal "$(seen '.troubles | join("; ")')" \
        '4 of 4 workers are stopped by a signal: slots 0-3; slots 0-3 are served by nobody: clients wait there'
    drover status
    assert_success
    assert_line --index 0 --partial "drover "
    assert_line '! 4 of 4 workers are stopped by a signal: slots 0-3'
    workers | xargs kill -CONT
    wait_until 10 has '.is_ready and .workers_ready == 4 and .troubles == []'
}

# bats test_tags=nosan
@test "with 64 hung workers the answer is there in 5 ms" {
    drover_start --workers 64 --standby off --hang-timeout 0 "$SITE"
    workers | xargs kill -STOP
    wait_until 20 has '.workers_stalled == 64'
    # What it takes by itself, and what it takes when nothing else has the CPUs: other tests run.
    py "$DROVER" <<'PY'
def run():
    begun = time.monotonic()
    pid = os.posix_spawn(sys.argv[1], [sys.argv[1], "status"], os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, used = os.wait4(pid, 0)
    assert status == 0
    return (time.monotonic() - begun) * 1000, (used.ru_utime + used.ru_stime) * 1000

taken = [run() for _ in range(21)]
while min(taken)[0] >= 5 and len(taken) < 500:
    taken.append(run())
cpu = sorted(cpu for _, cpu in taken)[len(taken) // 2]
assert min(taken)[0] < 5 and cpu < 5, f"{min(taken)[0]:.1f} ms, CPU {cpu:.1f} ms"
PY
}

@test "a master that is stopped is looked at all the same" {
    drover_start --workers 2 "$SITE"
    fetch /hello.txt >/dev/null
    wait_until 10 has '.totals.requests == 1'
    kill -STOP "$DROVER_PID"
    wait_until 10 in_state T "$DROVER_PID"
    has '.is_stopped and .phase == "serving" and .workers_ready == 2 and .totals.requests == 1'
    seen '.troubles[0]' | grep -x "the master (pid $DROVER_PID) is stopped by a signal: kill -CONT goes on with it"
    kill -CONT "$DROVER_PID"
    wait_until 10 has '.troubles == []'
}

@test "during upgrades and reloads there is always an answer, of the one that serves" {
    local old
    copy_drover
    drover_start --workers 2 "$SITE"
    for _ in 1 2; do
        old=$DROVER_PID
        "$DROVER" upgrade >upgraded 2>&1 3>&- 4>&- &
        while kill -0 "$!" 2>/dev/null; do
            status # fails with its status when there is no server
            seen .pid >>pids
        done
        wait "$!" || fail "$(<upgraded)"
        DROVER_PID=$(grep -oP 'upgrade: pid \K[0-9]+' upgraded)
        has ".pid == $DROVER_PID and .phase == \"serving\" and .pid != $old"
        "$DROVER" reload >/dev/null 3>&- 4>&-
        has '.generation == 2 and .reloads == 1'
        wait_until 10 is_gone "$old"
    done
}

@test "a server that stops says so until its end" {
    local slow
    drover_start --workers 2 "$SITE"
    slow_client
    slow=$SLOW
    "$DROVER" stop >stopped 2>&1 3>&- 4>&- &
    wait_until 10 has '.phase == "stopping" and (.is_ready | not)'
    seen '.troubles[0]' | grep -E '^the server stops: [12] workers? finish'
    slow_finish "$slow"
    wait "$!"
}

# ---- who is asked -----------------------------------------------------------------------------

@test "no server, one of several, and one that is named" {
    local first
    drover status
    assert_failure 69
    assert_output --partial 'drover status: no running server was found: looked for '
    status || assert_equal "$?" 69
    assert_equal "$(seen '[.verb, .status, .server, .message, (.errors | length)] | @json')" '["status",69,null,null,1]'
    drover_start --workers 1 "$SITE"
    has ".pid == $DROVER_PID"
    first=$DROVER_PID
    drover_start --workers 1 "$SITE"
    drover status
    assert_failure 64
    assert_output --partial 'drover status: several servers run; name the one that is meant:'
    status || assert_equal "$?" 64
    seen '.errors[1:][]' | grep -F "(pid $first)"
    assert_equal "$(seen '[.errors[] | test("\n|^ | $")] | @json')" '[false,false,false]'
    status --control "$XDG_RUNTIME_DIR/drover-$first.control"
    assert_equal "$(seen .pid)" "$first"
    kill "$first" "$DROVER_PID"
    wait_until 10 all_gone "$first" "$DROVER_PID"
}

@test "wrong arguments: what, and what was meant" {
    drover status --jsno
    assert_failure 64
    assert_output 'drover status: --jsno: there is no such option; did you mean --json?'
    drover status now
    assert_failure 64
    drover status --help
    assert_success
    assert_output --partial 'usage: drover status [--control PATH] [--json]'
}

# pretend ANSWER [VERSION [MAGIC]]: a server at ./control that answers so, with a board of that
# version, but of another size, if there is one; until it is killed.
pretend() {
    python3 -c '
import os, socket, struct, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind("new")
listener.listen(8)
os.rename("new", "control") # where it is once it can be reached
while True:
    peer = listener.accept()[0]
    peer.recv(256)
    fds = []
    if len(sys.argv) > 2:
        fds = [os.memfd_create("board")]
        magic = int(sys.argv[3], 16) if len(sys.argv) > 3 else 0x64726f7665724231
        os.write(fds[0], struct.pack("QQQ32s", magic, 0, 4096, sys.argv[2].encode()).ljust(4096, b"\0"))
    socket.send_fds(peer, [sys.argv[1].encode()], fds)
    for fd in fds:
        os.close(fd)
    peer.close()
' "$@" 3>&- 4>&- &
    wait_until 10 test -S control
}

@test "a server of another version is told from one that is none" {
    local row answer version magic
    while IFS='|' read -r answer version magic wanted text; do
        # shellcheck disable=SC2086 # none, or one
        pretend "$answer" ${version:+"$version"} ${magic:+"$magic"}
        drover status --control control
        kill "$!"
        wait "$!" 2>/dev/null || true
        rm control
        assert_equal "$status $output" "$wanted drover status: $text"
    done <<ROWS
0 7|0.0.9||76|the server is drover 0.0.9, whose board this one, $("$DROVER" version | cut -d ' ' -f 2), cannot read; ask with that version's drover, or let the server go on as this one: drover upgrade
0 7|0.0.9|1234|76|the server's board cannot be read: it has no board's beginning
0 7|||76|the server's answer cannot be understood
hello|||76|the server's answer cannot be understood
64 there is no such request; there are: reload|||64|the server is of a version that has no board; let it go on as this one: drover upgrade
77 uid 5 may not ask this server|||77|uid 5 may not ask this server
78 $(printf '\033]0;a\007 \302\233')|||78|?]0;a? ??
0 7|$(printf '\033[1m')||76|the server is drover ?[1m, whose board this one, $("$DROVER" version | cut -d ' ' -f 2), cannot read; ask with that version's drover, or let the server go on as this one: drover upgrade
ROWS
}

# ---- what is printed --------------------------------------------------------------------------

@test "a server whose files may not be large enough for the board serves, and says why it is not seen" {
    DROVER_UNDER=(prlimit --fsize=100000)
    drover_start --workers 1 "$SITE"
    logged 'drover status and drover top cannot look at this server: its board is no file: File too large'
    [[ $(fetch /hello.txt) == hello ]]
    run "$DROVER" status 3>&-
    assert_equal "$status $output" "71 drover status: this server cannot be looked at: its board is no file; its \
log has why, at the start"
    run "$DROVER" reload 3>&-
    assert_success
}

@test "hostile names are valid JSON, and no terminal obeys them" {
    local root=$PWD/$'a"b\\c\x1b[31m\xff\xc2\x9b'
    mkdir "$root"
    echo hello >"$root/hello.txt"
    drover_start --workers 1 "$root"
    status
    [[ $(seen .root) == *'a"b\c'$'\x1b''[31m'* ]]
    "$DROVER" status >text 3>&- 4>&-
    refute grep -qP '[\x00-\x08\x0b-\x1f\x7f]' text
    grep -qF 'a"b\c?[31m' text
}

# in_terminal COLUMNS: what drover status prints in a terminal of that width, in ./screen.
in_terminal() {
    TERM=xterm py "$DROVER" "$1" >screen <<'PY'
import fcntl, pty, struct, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[2]), 0, 0))
    os.execv(sys.argv[1], ["drover", "status"])
seen = b""
while True:
    try:
        more = os.read(fd, 65536)
    except OSError:
        break
    if not more:
        break
    seen += more
assert os.waitpid(pid, 0)[1] == 0
sys.stdout.buffer.write(seen.replace(b"\r\n", b"\n"))
PY
}

@test "in a terminal the table has the columns that fit; in a pipe all, and nothing but text" {
    drover_start --workers 2 --standby off --hang-timeout 0 "$SITE"
    in_terminal 80
    (($(wc -L <screen) <= 80)) || fail "$(<screen)"
    grep -q 'slot.*queue drops$' screen
    refute grep -q $'\x1b' screen
    in_terminal 140
    grep -q 'resident  *age$' screen
    workers | xargs kill -STOP
    wait_until 10 has '.workers_ready == 0'
    in_terminal 80
    grep -q $'^\x1b\\[1;31m! 2 of 2 workers are stopped' screen
    NO_COLOR=1 in_terminal 80
    refute grep -q $'\x1b' screen
    "$DROVER" status >text 3>&- 4>&-
    refute grep -q $'\x1b' text
    grep -q 'resident  *age$' text
    workers | xargs kill -CONT
}

@test "what cannot be written is told" {
    drover_start --workers 1 "$SITE"
    for option in '' --json; do
        # shellcheck disable=SC2016 # for that shell
        run --separate-stderr timeout 20 bash -c '"$0" status $1 >/dev/full' "$DROVER" "$option" 3>&- 4>&-
        assert_equal "$status $stderr" '74 drover status: No space left on device'
    done
}
