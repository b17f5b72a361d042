#!/usr/bin/env bats
#
# bench - that a measurement measures, and can fail. How fast the machine is does not matter here:
# that is what `make bench` and `make bench-parser` ask.
#
# bats file_tags=nosan,beside

load helper

setup() {
    BENCH_PID=''
    DROVER_MARK=$BATS_TEST_TMPDIR/bench
}

teardown() {
    bench_end
    drover_teardown
}

parser() {
    run "${DROVER%/*}/drover-bench-parser" "$@"
}

# ---- the parser -------------------------------------------------------------------------------

@test "the parser's speed is shown for each head and for all of them" {
    parser --no-check
    assert_success
    assert_line --regexp '^chrome, first page +[0-9]+ bytes +[0-9.]+ ns/parse +[0-9.]+ GB/s$'
    assert_line --regexp '^all of them, mixed +[0-9.]+ GB/s$'
    assert_equal "${#lines[@]}" 8
}

@test "a parser that is fast enough passes, a slower one fails" {
    parser --at-least=0.001
    assert_success
    parser --at-least=1000
    assert_failure 1
    assert_line 'too slow: at least 1000.00 GB/s are wanted'
}

@test "a bound that is no number is refused" {
    for bound in --at-least= --at-least=1x --at-least 1.5; do
        parser "$bound"
        assert_failure 64
    done
}

# ---- drover beside the floor and other servers ------------------------------------------------

# bench OPTIONS...: the command, its processes marked.
bench() {
    DROVER_TEST=$DROVER_MARK B=${BENCH_BUILD:-${DROVER%/*}} timeout 60 \
        "$BATS_TEST_DIRNAME/../../tools/bench/bench" "$@" 3>&-
}

bench_end() {
    [[ -z $BENCH_PID ]] || kill "$BENCH_PID" 2>/dev/null || true
}

# amiss FILE: what is there and cannot be. A figure's median, least and largest are in order, and no
# zeros.
amiss() {
    jq -c 'def figure: .min > 0 and .min <= .median and .median <= .max;
        def latency: (.p50 | figure) and .p50.median <= .p999.median and .p99.max >= .p99.min;
        (.rows[] | select(((.cpu_us | figure) and (.rate | figure) and (.to_floor | figure) and
            (.closed | latency) and (.open | latency) and .open.rate > 0 and .rounds == 1 and
            .clients == 64 and .deferred == false and .closed.lost == 0 and .open.lost == 0) | not)),
        (.load[] | select(((.best_rate | figure) and (.own | latency) and (.common | latency)) | not)),
        (.calls[] | select((.calls.all >= 2 and .calls.recvfrom >= 0.9 and (.counter | length) > 0) | not)),
        (.idle[] | select((.connections == 500 and .kept == 500) | not))' "$1"
}

@test "bench: every work has its rows, on the page and as JSON, and nothing is left running" {
    local json=$BATS_TEST_TMPDIR/json
    run -0 bench --servers drover,floor --works all --clients 64 --rounds 1 --seconds 0.3 \
        --idle 500 --json "$json"
    wait_until 2 drover_left_nothing
    assert_line --regexp '^drover [0-9.]+, floor [0-9.]+$'
    for title in '1 KiB, kept connections' '1 KiB, pipelined by 16' '1 KiB, a connection a request' \
        '100 KiB' '10 MiB' '304: .*' '404' '206: .*'; do
        assert_line --regexp "^$title, 64 clients, 1 round; open loop at [0-9.kM]+/s$"
    done
    # the same number of columns in each: 3 figures with a spread, 6 latencies
    assert_equal 16 "$(grep -cE '^  (drover|floor) +([0-9.kM]+ [0-9.kM]+[.][.][0-9.kM]+ +){3}([0-9.kM-]+ *){6}( .*)?$' \
        <<<"$output")"
    assert_line --regexp '^  drover +[0-9.]+  (recvfrom|.*, recvfrom) [0-9.]+'
    assert_line --regexp '^  drover +-?[0-9]+ bytes$'
    assert_line --regexp "^  1 KiB kept, CPU to the floor's +at most 1.03 +seen +[0-9.]+  (NOT )?met$"
    assert_line --regexp "^  1 KiB kept, CPU to nginx's +at most 0.6 +seen +-  not measured$"
    assert_equal "$(amiss "$json")" ''
    jq -e '(.rows | length == 16) and ([.load, .calls, .idle] | all(length == 2)) and
        (.aims | length) == 12 and any(.aims[]; .met == null) and
        (.when and .kernel and .cpus and .workers == 2 and .seconds == 0.3) and
        (.versions | keys == ["drover", "floor"]) and .skipped == {}' "$json" ||
        fail "$(jq -c 'del(.rows, .load, .calls, .idle)' "$json")"
}

@test "bench: wrong usage is told with what is allowed" {
    run -64 bench --servers drover,apache
    assert_line "bench: no server is called 'apache': all, drover, floor, bare, nginx, h2o, lighttpd, haproxy"
    run -64 bench --works 1k,2k
    assert_line --partial "no work is called '2k': all, 1k, pipelined,"
    run -64 bench --fast
    assert_line --partial "no option is called '--fast': --servers, --works,"
    for wrong in --seconds=0 '--clients=64,'; do
        run -64 bench "$wrong"
        assert_line --partial "bench: ${wrong%%=*}"
        assert_line --partial 'is wanted'
    done
}

@test "bench: a server that does not start is told in its own words" {
    mkdir "$BATS_TEST_TMPDIR/bin"
    printf '#!/bin/sh\necho "nginx: [emerg] 1.0 has no luck"\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/nginx"
    chmod +x "$BATS_TEST_TMPDIR/bin/nginx"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH run -69 bench --servers floor,nginx --works 1k
    assert_line 'bench: nginx did not start:'
    assert_line '  nginx: [emerg] 1.0 has no luck'
    wait_until 2 drover_left_nothing
}

# Files that changed a moment ago are not kept in memory: each request would open its file.
@test "bench: a new site is measured once it has settled" {
    BENCH_BUILD=$BATS_TEST_TMPDIR/build
    mkdir "$BENCH_BUILD"
    ln -s "$DROVER" "$DROVER_LOAD" "$BENCH_BUILD"
    run -0 bench --servers drover --works calls --seconds 0.2 --json "$BATS_TEST_TMPDIR/json"
    jq -e '.calls[0].calls | .recvfrom > 0.9 and (.openat2 // 0) < 0.2' "$BATS_TEST_TMPDIR/json"
}

# A build whose drover is a server of another kind, which makes far more system calls; and a PATH
# without perf, h2o and all else.
@test "bench: a missed aim fails with --check; strace counts where perf cannot; who is not there is left out" {
    local python
    python=$(python3 -c 'import sys; print(sys.executable)')
    BENCH_BUILD=$BATS_TEST_TMPDIR/build
    mkdir "$BENCH_BUILD" "$BATS_TEST_TMPDIR/bin"
    ln -s "$DROVER_LOAD" "$BENCH_BUILD/drover-load"
    for name in wrk strace timeout env; do
        ln -s "$(type -P "$name")" "$BATS_TEST_TMPDIR/bin/$name"
    done
    ln -s "$python" "$BATS_TEST_TMPDIR/bin/python3"
    cat >"$BENCH_BUILD/drover" <<EOF
#!$python
import functools, http.server, sys
if sys.argv[1] == "version":
    sys.exit(print("0.0"))
port = int(sys.argv[sys.argv.index("--listen") + 1].split(",")[0].rpartition(":")[2])
class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
http.server.HTTPServer.request_queue_size = 128
http.server.HTTPServer(("127.0.0.1", port), functools.partial(
    Handler, directory=sys.argv[-1])).serve_forever()
EOF
    chmod +x "$BENCH_BUILD/drover"
    mkdir -p "${DROVER%/*}/bench-site"
    ln -s "$(realpath "${DROVER%/*}/bench-site")" "$BENCH_BUILD/bench-site"
    PATH=$BATS_TEST_TMPDIR/bin run -1 bench --servers drover,h2o --works calls --seconds 0.1 --check
    assert_line 'left out: h2o: not installed'
    assert_line --regexp '\(by strace\)$'
    assert_line --regexp '^  system calls a request +at most 2.2 +seen +[0-9.]+  NOT met$'
    wait_until 2 drover_left_nothing
}

@test "bench: SIGTERM ends it, and all that it has started" {
    bench --servers drover,floor --works 1k --seconds 20 >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
    BENCH_PID=$!
    wait_until 10 bench_loads
    kill "$(pgrep -f -P "$BENCH_PID" bench || echo "$BENCH_PID")"
    wait_until 5 drover_left_nothing
}

bench_loads() {
    drover_processes | xargs -I{} cat /proc/{}/comm 2>/dev/null | grep -qx wrk
}
