#!/usr/bin/env bats
#
# idle - what idle connections cost, by tools/bench/idle: the memory of each, which is a bound, and
# that the measurement itself can fail. What they cost the requests of others is asked of the
# machine at hand by `tools/bench/idle --check`.

# bats file_tags=nosan,alone

load helper

IDLE=$BATS_TEST_DIRNAME/../../tools/bench/idle

# idle ARGS...: of the binaries under test.
idle() {
    B=${DROVER%/*} run --separate-stderr timeout --kill-after=5 100 "$IDLE" "$@" 3>&- 4>&-
}

member() {
    jq --exit-status "$1" <<<"$output"
}

@test "an idle connection that has had an answer takes at most 200 bytes of a worker" {
    (($(ulimit -H -n) >= 12000)) || skip 'a process may not have 12,000 descriptors here'
    ulimit -S -n "$(ulimit -H -n)"
    idle --connections 10000 --rounds 0 --seconds 0.1 --check
    assert_success
    assert_line --regexp '^memory of each of 10000 idle connections: [0-9]+ bytes of the workers'
    echo "${lines[0]}" >&3
}

@test "the costs are members of one object" {
    idle --connections 500 --workers 2 --clients 4 --rounds 2 --turns 1 --seconds 0.1 --json
    assert_success
    member '.connections == 500 and .workers == 2 and .clients == 4 and .turns == 1'
    member '(.without | length) == 3 and (.beside | length) == 2'
    member '[.without[], .beside[], .ratio.least] | all(. > 0)'
    member '.ratio.least <= .ratio.median and .ratio.median <= .ratio.most'
    member '.memory | (.user > 0) and has("kernel_slab") and has("kernel_buffers")'
    member '.aims == {"ratio": 1.05, "memory": 200}'
}

@test "an aim that is missed is exit status 1" {
    # so few that each costs pages: most workers have had no connection before
    idle --connections 32 --clients 1 --rounds 0 --seconds 0.1 --check
    assert_failure 1
    idle --connections 32 --clients 1 --rounds 0 --seconds 0.1
    assert_success
}

@test "a server that does not start, and wrong usage, are told" {
    for wrong in '--workers 0' '--rounds x' '--what'; do
        # shellcheck disable=SC2086 # two words
        idle $wrong
        assert_failure 64
    done
    mkdir "$BATS_TEST_TMPDIR/tmp"
    DROVER=$BATS_TEST_TMPDIR/drover TMPDIR=$BATS_TEST_TMPDIR/tmp idle
    assert_failure 1
    # shellcheck disable=SC2154 # run sets it
    [[ $stderr == *'No such file'* ]]
    assert_equal "$(ls "$BATS_TEST_TMPDIR/tmp")" ''
}
