#!/usr/bin/env bats
#
# Workers that are replaced for what they have answered, or for the memory that they have: nothing
# is lost, and nothing is left behind.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

load helper
load process
load lifecycle
load faulty

setup() {
    make_site
}

# What each worker that was replaced had answered, one a line.
answered_by_each() {
    sed -n 's/.* has answered \([0-9]*\) requests (--max-requests).*/\1/p' "$DROVER_LOG"
}

# recycled LIMIT ANSWERED: was every worker replaced after so many answers, or a tenth less or more,
# and some after fewer? One turn of its loop may answer some more: each of the clients has one.
recycled() {
    local all least most
    all=$(answered_by_each | sort -n)
    least=$(head -n 1 <<<"$all") most=$(tail -n 1 <<<"$all")
    tell "$(wc -l <<<"$all") workers were replaced, after $least to $most answers each"
    ((least >= $1 * 9 / 10 && most <= $1 * 11 / 10 + 128))
    ((least < $1))
    # what was answered, but for what the present ones have and what those had that were leaving
    (($(wc -l <<<"$all") >= $2 / $1 / 2))
}

# recycle_of WORKERS: both loads, and as many replacements as --max-requests 1000 makes in this time.
recycle_of() {
    local all before
    drover_start --workers "$1" --max-requests 1000 "$SITE"
    before=$(belongings)
    both_begin
    act <<'PY'
wait(lambda: lines(" has answered ") >= 50, 50)
PY
    load_stop short
    all=$ANSWERED
    assert_equal "$LOST $CAUSES" '0 '
    load_stop kept
    all=$((all + ANSWERED))
    assert_equal "$LOST $CAUSES" '0 '
    assert_equal "$OPENED" 64
    recycled 1000 "$all"
    keeps_belongings "$before"
    assert_equal "$(count_logged 'ended')" 0
}

@test "--max-requests 1000, 8 workers: nothing is lost, short nor kept" {
    recycle_of 8
}

@test "--max-requests 1000, one worker: the same" {
    recycle_of 1
}

# bats test_tags=nosan
@test "--max-rss: a worker that grows is replaced, and nothing is lost" {
    local before sizes
    faulty --workers 2 --max-rss 64m
    before=$(belongings)
    both_begin
    # some 50 MiB a second each, as chance has it, which are looked at once a second
    act "$DROVER_ADDR" <<'PY'
while lines("MiB resident (--max-rss 64m); another takes its place") < 3:
    assert fetch(args[0], "/leak?2048")[0] == 200
    time.sleep(0.02) # the pace
PY
    nothing_is_lost
    sizes=$(sed -n 's/.* has \([0-9]*\) MiB resident .*/\1/p' "$DROVER_LOG" | sort -n)
    tell "replaced at $(paste -sd , <<<"$sizes") MiB"
    (($(head -n 1 <<<"$sizes") >= 64))
    (($(tail -n 1 <<<"$sizes") < 3 * 64))
    keeps_belongings "$before"
    assert_equal "$(count_logged 'ended')" 0
}
