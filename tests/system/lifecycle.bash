#!/usr/bin/env bash
#
# lifecycle - what the tests of the hard moments share, on top of helper.bash and process.bash:
# several loads beside each other, whose ledgers are the verdict; the moments themselves; and what
# a server has, counted before and after.

# ---- loads ------------------------------------------------------------------------------------

declare -gA LOADS=()

# load_begin NAME ARGS...: starts drover-load at the server's /1k.bin. A name for each of those that
# run at the same time. Every body is compared with the file.
load_begin() {
    local name=$1 through=()
    shift
    [[ -z $DROVER_SOCKET ]] || through=(--unix "$DROVER_SOCKET")
    # shellcheck disable=SC2153 # DROVER_LOAD is the helper's
    "$DROVER_LOAD" --json --max-lost 1000000000 --expect-file "$SITE/1k.bin" "${through[@]}" "$@" \
        "$DROVER_URL/1k.bin" >"$BATS_TEST_TMPDIR/load.$name" 2>"$BATS_TEST_TMPDIR/load.$name.err" \
        3>&- 4>&- &
    LOADS[$name]=$!
}

# load_end NAME: until its end. Sets LOST, ANSWERED, OPENED (connections that the clients opened)
# and CAUSES (in words, with the first times of each in seconds); says them, too.
# shellcheck disable=SC2034 # they are for the test
load_end() {
    local file=$BATS_TEST_TMPDIR/load.$1
    wait "${LOADS[$1]}" || fail "drover-load: $(<"$file.err")"
    unset "LOADS[$1]"
    LOST=$(jq .lost "$file") ANSWERED=$(jq .answered "$file") OPENED=$(jq .connections "$file")
    CAUSES=$(jq --raw-output '. as $all | .causes | to_entries | map(select(.value > 0) |
        "\(.key) \(.value) at \($all.first[.key])") | join(", ")' "$file")
    tell "$1: lost $LOST of $ANSWERED${CAUSES:+ ($CAUSES)}, $OPENED connections," \
        "p99 $(jq .latency_us.p99 "$file") us"
    ((ANSWERED > 0)) || fail 'no request was answered'
    (($(jq .local "$file") == 0)) || fail 'requests could not be sent from here'
}

# caused NAME CAUSE...: how many were lost for these causes, after load_end.
caused() {
    local file=$BATS_TEST_TMPDIR/load.$1
    shift
    jq '[.causes[$ARGS.positional[]]] | add' --args "$@" <"$file"
}

# both_begin TIME [ARGS...]: 64 clients with a connection a request and 64 that keep theirs.
both_begin() {
    local time=$1
    shift
    load_begin short --close --clients 64 --duration "$time" "$@"
    load_begin kept --clients 64 --duration "$time" "$@"
}

# Nothing is lost, and the kept connections are the same ones from the beginning to the end.
nothing_is_lost() {
    local lost
    load_end short
    lost="$LOST $CAUSES"
    load_end kept
    assert_equal "$lost" '0 '
    assert_equal "$LOST $CAUSES" '0 '
    assert_equal "$OPENED" 64
}

# still_loaded: do all loads go on? A moment that comes after their end proves nothing.
still_loaded() {
    local name
    for name in "${!LOADS[@]}"; do
        kill -0 "${LOADS[$name]}" || fail "the load was over before the moment: $name"
    done
}

# load_p99 COMMAND...: the 99th percentile of 64 kept connections' latencies, in microseconds, over
# three loads of half a second in which the command is run again and again: P99, the median.
load_p99() {
    local all=() until
    for _ in 1 2 3; do
        load_begin p99 --clients 64 --duration 500ms
        until=$(($(now_us) + 400000))
        while (($(now_us) < until)); do
            "$@"
            sleep 0.05 # the pace of the moments
        done
        wait "${LOADS[p99]}"
        all+=("$(jq .latency_us.p99 "$BATS_TEST_TMPDIR/load.p99")")
    done
    # shellcheck disable=SC2034 # for the test
    P99=$(printf '%s\n' "${all[@]}" | sort -n | sed -n 2p)
}

# ---- moments ----------------------------------------------------------------------------------

RELOADED='reload: every worker is a fresh one'

# reload: HUP; returns when its workers serve.
reload() {
    local before
    before=$(count_logged "$RELOADED")
    kill -HUP "$DROVER_PID"
    wait_until 20 logged_times $((before + 1)) "$RELOADED"
}

# reload_refused TEXT: HUP; returns when the log says, once more, that nothing is changed, and why.
reload_refused() {
    local before
    before=$(count_logged "$1")
    kill -HUP "$DROVER_PID"
    wait_until 20 logged_times $((before + 1)) "$1"
    logged 'reload: nothing is changed'
}

# The milliseconds that each reload took until the new workers served, one a line.
reload_times() {
    sed -n "s/.*$RELOADED: [0-9]*, after \([0-9]*\) ms.*/\1/p" "$DROVER_LOG"
}

# scale FROM TO: one signal a worker, since two of a kind may come as one.
scale() {
    local n=$1 log
    log=$(wc -l <"$DROVER_LOG")
    while ((n != $2)); do
        if ((n < $2)); then
            n=$((n + 1))
            kill -TTIN "$DROVER_PID"
            wait_until 20 logged_after "$log" "one worker more: $n"
        else
            n=$((n - 1))
            kill -TTOU "$DROVER_PID"
            wait_until 20 logged_after "$log" "one worker less: $n"
        fi
    done
}

# logged_after LINES TEXT: is it in the log after so many lines? For wait_until.
logged_after() {
    tail -n "+$(($1 + 1))" "$DROVER_LOG" | grep -qF -e "$2"
}

# The slots' numbers at which a worker serves, in order, such as "0 1 2".
slots_served() {
    local pid
    for pid in $(workers); do
        name_of "$pid"
    done | sort -u | sed 's/drover:slot //' | sort -n | paste -sd ' '
}

# ---- what a server has ------------------------------------------------------------------------

# What must be the same after a moment: its processes, zombies too, and their slots, the master's
# descriptors and the listening sockets.
belongings() {
    local fds=("/proc/$DROVER_PID/fd"/*) children
    children=$(wc -w <"/proc/$DROVER_PID/task/$DROVER_PID/children")
    echo "processes $children, slots $(slots_served), descriptors ${#fds[@]}, listeners $(listeners)"
}

# has_belongings TEXT: for wait_until; those who leave have a while for it.
has_belongings() {
    [[ $(belongings) == "$1" ]]
}

# keeps_belongings TEXT: as at the beginning, within ten seconds.
keeps_belongings() {
    wait_until 10 has_belongings "$1" || fail "at first $1; now $(belongings)"
}
