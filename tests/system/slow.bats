#!/usr/bin/env bats
#
# slow - clients that take their time, by the thousand: what they cost the others, what they cost in
# memory, and that none of them can stay for ever. tests/slow/slow.c is what they do.

load helper
load process
load http

: "${SLOW:=$BATS_TEST_DIRNAME/../../build/slow}"

setup() {
    make_site
    truncate -s 100M "$SITE/100m"
    truncate -s 32K "$SITE/32k"
}

# slow_start INTERVAL SECONDS MODE=N...: returns when all have begun, and have done a little once;
# SLOW_PID. What it says at its end is in SLOW_REPORT.
slow_start() {
    SLOW_REPORT=$BATS_TEST_TMPDIR/slow
    : >"$SLOW_REPORT"
    "$SLOW" "$(port_of)" /100m "$@" >"$SLOW_REPORT" 2>&1 3>&- 4>&- &
    SLOW_PID=$!
    wait_until 20 slow_has_begun
}

slow_has_begun() {
    grep -q '^ready$' "$SLOW_REPORT"
}

slow_stop() {
    kill "$SLOW_PID"
    wait "$SLOW_PID"
}

# of_mode MODE NAME: a number of the report.
of_mode() {
    sed -n "s/^$1 .*\\<$2 \\([0-9]*\\).*/\\1/p" "$SLOW_REPORT"
}

# The descriptors of all workers.
descriptors() {
    local pid total=0
    for pid in $(workers); do
        total=$((total + $(fd_count "$pid")))
    done
    echo "$total"
}

has_descriptors() {
    (($(descriptors) == $1))
}

has_at_least() {
    (($(descriptors) >= $1))
}

# The memory of all workers in bytes, shared pages by their share.
memory() {
    local pid
    for pid in $(workers); do
        cat "/proc/$pid/smaps_rollup"
    done | awk '/^Pss:/ { kib += $2 } END { print kib * 1024 }'
}

# p99 of drover-load, in microseconds; none may be lost.
p99() {
    "$DROVER_LOAD" --quiet --json --clients 8 --duration 500ms "$DROVER_URL/1k.bin" |
        jq 'if .lost == 0 then .latency_us.p99 else error("lost some") end'
}

median() {
    printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}

# Each is a descriptor here, and one or two in a worker.
requires_descriptors() {
    (($(ulimit -H -n) >= $1)) || skip "a process may not have $1 descriptors here"
}

# ---- what they cost the others ----------------------------------------------------------------

# bats test_tags=nosan,alone
@test "5000 slow clients: the others' p99 rises by no more than 1 ms" {
    local quiet=() loud=() round more at_rest
    requires_descriptors 12000
    drover_start --workers 2 --header-timeout 60s --body-timeout 60s --send-timeout 60s "$SITE"
    at_rest=$(descriptors)
    # A neighbour's burst may spoil some rounds, so it takes more of them to say that it is too much.
    for round in {1..15}; do
        quiet[round]=$(p99)
        slow_start 500 60 head=2000 bighead=500 body=1000 chunks=500 read=500 stall=500
        # a file for each who reads
        wait_until 20 has_at_least $((at_rest + 5000 + 1000))
        loud[round]=$(p99)
        slow_stop
        assert_equal "$(awk '/clients/ { n += $5 } END { print n }' "$SLOW_REPORT")" 0
        wait_until 20 has_descriptors "$at_rest"
        more=$(($(median "${loud[@]}") - $(median "${quiet[@]}")))
        ((round < 5 || more > 1000)) || break
    done
    tell "p99 of 8 clients beside 5000 slow ones: $(median "${loud[@]}") us, without these" \
        "$(median "${quiet[@]}") us; medians of $round rounds (${loud[*]}; ${quiet[*]})"
    ((more <= 1000))
}

# bounded MODE BYTES: the memory of a worker for a slow client of that mode is no more than that.
bounded() {
    local mode=$1 most=$2 before after at_rest each
    requires_descriptors 5000
    drover_start --workers 1 --header-timeout 60s --body-timeout 60s --send-timeout 60s "$SITE"
    at_rest=$(descriptors)
    before=$(memory)
    slow_start 200 60 "$mode=2000"
    wait_until 20 has_at_least $((at_rest + 2000))
    after=$(memory)
    each=$(((after - before) / 2000))
    tell "memory a client, $mode: $each bytes"
    slow_stop
    drover_stop
    ((each <= most)) || fail "$mode: $each bytes, more than $most"
}

# What the kernel keeps in its socket buffers is not in it.
# bats test_tags=nosan
@test "memory of a slow client is bounded" {
    bounded head 8192
    bounded bighead 36864
    bounded body 12288
    bounded chunks 12288
    bounded read 1024
    bounded stall 1024
    bounded pipeline 131072
}

# The server's ends of the connections, and the bytes that each holds to be sent.
held_to_send() {
    ss --no-header --tcp --memory --numeric state established "sport = :$(port_of)" |
        grep -o ',w[0-9]*' | tr -d ,w
}

@test "the kernel holds no megabytes for a client that does not read" {
    drover_start --workers 1 "$SITE"
    slow_start 100 60 stall=20
    run -0 held_to_send
    slow_stop
    assert_equal "${#lines[@]}" 20
    tell "held by the kernel for a client that does not read: $(median "${lines[@]}") bytes"
    (($(printf '%s\n' "${lines[@]}" | sort -n | tail -n 1) <= 512 * 1024))
}

# ---- how long they can stay -------------------------------------------------------------------

@test "heads and bodies byte by byte are ended at their time, with 408" {
    local mode
    drover_start --workers 2 --header-timeout 1s --body-timeout 1s "$SITE"
    slow_start 100 20 head=200 bighead=50 body=200 chunks=200
    wait "$SLOW_PID"
    cat "$SLOW_REPORT"
    for mode in head bighead body chunks; do
        assert_equal "$mode $(of_mode $mode ended)" "$mode $(of_mode $mode clients)"
        assert_equal "$mode $(of_mode $mode timeout)" "$mode $(of_mode $mode clients)"
        (($(of_mode $mode first) >= 950)) || fail "$mode: too early"
        # The answer, and up to 2 s of lingering for a client that does not stop to send.
        (($(of_mode $mode last) <= 1000 + 2000 + 4000)) || fail "$mode: too late"
    done
}

@test "who reads nothing is ended at its time" {
    local at_rest began
    drover_start --workers 2 --send-timeout 3s "$SITE"
    at_rest=$(descriptors)
    began=$(now_us)
    slow_start 100 20 stall=200
    wait_until 10 has_at_least $((at_rest + 400)) # before the first of them is ended
    wait_until 20 has_descriptors "$at_rest"
    (($(ms_since "$began") >= 2950)) || fail 'too early'
    (($(ms_since "$began") <= 9000)) || fail 'too late'
    slow_stop
}

# What the server's socket holds is megabytes on this machine, and says only now and then that it
# takes more.
# bats test_tags=alone
@test "who takes at least PROGRESS_BYTES in each --send-timeout stays, who takes less goes" {
    drover_start --workers 1 --send-timeout 500ms "$SITE"
    client "$(worker_of 0)" <<'PYTHON'
def is_served():
    """Does the worker have the file open?"""
    links = [f'/proc/{args[0]}/fd/{fd}' for fd in os.listdir(f'/proc/{args[0]}/fd')]
    return any(os.path.exists(link) and os.readlink(link).endswith('/100m') for link in links)


def stays(rate, for_seconds):
    """Does a client stay that takes so many bytes a second?"""
    c = Connection(4096)
    c.send(request('/100m'))
    c.until(b'\r\n\r\n')
    began, taken = time.monotonic(), 0
    while time.monotonic() - began < for_seconds and is_served():
        while taken < rate * (time.monotonic() - began):
            taken += len(c.socket.recv(2048))
        time.sleep(0.01)
    stayed = is_served()
    c.socket.close()
    wait(lambda: not is_served())
    return stayed


assert stays(16384 * 8, 2.5), 'four times what it must take'
assert not stays(16384 // 2, 2.5), 'a quarter of it'
PYTHON
}

# ---- a tool that nobody here wrote ------------------------------------------------------------

# slowhttp NAME OPTION...: five seconds of it.
slowhttp() {
    local name=$1
    shift
    slowhttptest -c 500 -r 500 -l 5 -i 1 -p 2 -u "$DROVER_URL/100m" "$@" \
        >"$BATS_TEST_TMPDIR/slowhttp.$name" 2>&1 3>&- 4>&- </dev/null &
    SLOW_PIDS+=("$!")
}

# bats test_tags=nosan,alone
@test "slowhttptest: the service is available all the time" {
    local name SLOW_PIDS=()
    drover_start --workers 2 "$SITE"
    slowhttp headers -H
    slowhttp body -B
    slowhttp range -R
    slowhttp read -X -w 512 -y 1024 -n 1 -z 32 -k 3
    wait "${SLOW_PIDS[@]}"
    for name in headers body range read; do
        grep -q 'service available:.*YES' "$BATS_TEST_TMPDIR/slowhttp.$name" ||
            fail "$name: $(<"$BATS_TEST_TMPDIR/slowhttp.$name")"
        refute grep 'service available:.*NO' "$BATS_TEST_TMPDIR/slowhttp.$name"
    done
    assert_equal "$(fetch /hello.txt)" hello
}
