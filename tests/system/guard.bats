#!/usr/bin/env bats
#
# guard - that the guard of the figures can fail. What the figures are, `make bench-guard` asks.
#
# bats file_tags=nosan,beside

load helper

GUARD=$BATS_TEST_DIRNAME/../../tools/bench/guard

setup() {
    RECORD=$BATS_TEST_TMPDIR/record
    MARK=$BATS_TEST_TMPDIR/guard
}

# guard ARGS...: with a record of the test's own.
guard() {
    B=${DROVER%/*} run timeout --kill-after=5 60 "$GUARD" --record "$RECORD" "$@" 3>&- 4>&-
}

# recorded FIGURE VALUE: the record has this, and nothing else.
recorded() {
    printf '{"with": {"compiler": "tcc 0.1"}, "figures": {"%s": %s}}\n' "$1" "$2" >"$RECORD"
}

# started: the processes that the guard is, and has started.
started() {
    grep -lszxF "DROVER_TEST=$MARK" /proc/[0-9]*/environ | cut -d / -f 3
}

# A worker is there, for wait_until.
serves() {
    local pid
    for pid in $(started); do
        grep -qs '^drover:slot' "/proc/$pid/comm" && return
    done
    return 1
}

@test "instructions that were fewer fail, by their name, with the functions that cost most" {
    recorded instructions/hello 100
    guard instructions/hello
    assert_failure 1
    assert_line --regexp '^FAIL instructions/hello: 100 before, [0-9.]+ now, \+[0-9.]+ %$'
    assert_line --regexp '^where the instructions of hello go, [0-9.]+ of drover.s own:$'
    assert_equal "$(grep -cE '^ +[0-9.]+  [a-z_]+ \[(drover|libc.*)\]$' <<<"$output")" 5
    assert_line --partial 'guard: the record was taken with another compiler: tcc 0.1; this is '
    assert_equal "${lines[-1]}" '0 passed, 1 failed'
}

@test "a record is written anew where asked, and keeps the other figures" {
    recorded system-calls/echo 5
    guard --renew system-calls/hello
    assert_success
    assert_equal "$(jq -c '.figures | keys' "$RECORD")" '["system-calls/echo","system-calls/hello"]'
}

# as_times FACTOR: the record has the figure that is seen now, times this.
as_times() {
    recorded system-calls/hello "$(jq -n "$NOW * $1")"
    guard system-calls/hello
}

@test "over 3 % more fails, over 3 % less is told, what is between passes" {
    guard --renew system-calls/hello
    NOW=$(jq '.figures["system-calls/hello"]' "$RECORD")

    as_times 0.96
    assert_failure 1
    assert_line --regexp '^FAIL system-calls/hello: [0-9.]+ before, [0-9.]+ now, \+4\.2 %$'

    as_times 0.98
    assert_success
    refute_line --partial renewed
    assert_equal "${lines[-1]}" '1 passed, 0 failed'

    as_times 1.04
    assert_success
    assert_line --regexp '^better system-calls/hello: [0-9.]+ before, [0-9.]+ now, -3\.8 %$'
    assert_line 'the record can be renewed: make bench-guard RECORD=1'
}

@test "what is not in the record fails, and so does a record that is none" {
    recorded system-calls/echo 5
    guard system-calls/hello
    assert_failure 1
    assert_line 'FAIL system-calls/hello: is not in the record'
    rm "$RECORD"
    guard system-calls/hello
    assert_failure 1
    assert_line --partial 'there is no record'
    echo '{' >"$RECORD"
    guard system-calls/hello
    assert_failure 1
    assert_line --partial 'is no record'
}

@test "requests that the server refuses are told" {
    recorded system-calls/hello 3
    cp -r "${GUARD%/*}/requests" "$BATS_TEST_TMPDIR/requests"
    printf 'GET / HTTP/1.1\r\n\r\n' >"$BATS_TEST_TMPDIR/requests/hello.http"
    guard --requests "$BATS_TEST_TMPDIR/requests" system-calls/hello
    assert_failure 1
    assert_line --regexp \
        '^FAIL system-calls/hello: .*/requests/hello.http: answered with 400 .* 200 and 6 were expected$'
    assert_equal "${lines[-1]}" '0 passed, 1 failed'
}

@test "nothing is left of one that is told to end" {
    recorded instructions/hello 1
    DROVER_TEST=$MARK B=${DROVER%/*} "$GUARD" --record "$RECORD" instructions/hello \
        >/dev/null 2>&1 3>&- 4>&- &
    local status=0 pid=$!
    wait_until 20 serves
    kill -TERM "$pid"
    wait "$pid" || status=$?
    assert_equal "$status" 143
    assert_equal "$(started)" ''
}
