#!/usr/bin/env bats
#
# No worker outlives its master, whatever state it is in; no zombie stays, also where the master is
# PID 1; and a worker that does not listen does not hold up a stop.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load process

setup() {
    make_site
    echo 'spin, worker, spin' >"$SITE/spin.txt"
}

# end_master SIGNAL: ends it so that it can do nothing any more; every process of the server must be
# gone soon.
end_master() {
    local started
    kill -s "$1" "$DROVER_PID"
    started=$(now_us)
    wait_until 5 drover_left_nothing
    tell "all gone $(ms_since "$started") ms after SIG$1"
}

# spin: makes the worker of slot 0 spin; needs misbehave. SPINNER is its pid.
spin() {
    SPINNER=$(worker_of 0)
    fetch /spin.txt --max-time 60 >/dev/null 2>&1 3>&- 4>&- &
    wait_until 10 is_spinning "$SPINNER" $(($(cpu_ticks "$SPINNER") + 5))
}

# is_spinning PID TICKS: does it run, and has it had so much of a CPU? For wait_until.
is_spinning() {
    (($(cpu_ticks "$1") >= $2)) && in_state R "$1"
}

no_zombie() {
    ! has_zombie
}

# has_children N: the master's children, zombies and others' too, standbys not. For wait_until.
has_children() {
    (($(children_of "$DROVER_PID" | wc -l) - $(standbys | wc -l) == $1))
}

# ---- the master dies --------------------------------------------------------------------------

@test "kill -9 of the master ends idle workers, and their clients' connections" {
    drover_start --workers 4 "$SITE"
    client_open
    client_ask "$CLIENT" /hello.txt
    client_answer "$CLIENT"
    end_master KILL
    wait_until 2 client_at_end "$CLIENT"
}

@test "kill -9 of the master ends workers that have something to do" {
    drover_start --workers 2 "$SITE"
    slow_client
    slow_client
    end_master KILL
}

@test "a master that crashes leaves no worker" {
    drover_start --workers 4 "$SITE"
    end_master ABRT
}

@test "kill -9 of the master ends a stopped worker" {
    local pid
    drover_start --workers 4 "$SITE"
    pid=$(worker_of 1)
    kill -STOP "$pid"
    wait_until 5 in_state T "$pid"
    end_master KILL
}

@test "kill -9 of the master ends a stopped worker that changed its user" {
    local pid
    drover_start --workers 4 --user nobody "$SITE"
    pid=$(worker_of 1)
    kill -STOP "$pid"
    wait_until 5 in_state T "$pid"
    end_master KILL
}

# bats test_tags=nosan
@test "kill -9 of the master ends a worker that spins" {
    misbehave
    drover_start --workers 1 "$SITE"
    spin
    end_master KILL
}

# bats test_tags=nosan
@test "kill -9 of the master ends a worker that spins and changed its user" {
    misbehave
    drover_start --workers 1 --user nobody "$SITE"
    spin
    end_master KILL
}

@test "kill -9 of the master at any moment of its start" {
    for ((i = 0; i < 40; i++)); do
        drover_launch --listen 127.0.0.1:0 --workers 8 --user nobody "$SITE"
        for ((j = 0; j < i % 20; j++)); do
            : "$(:)" # later in its start each time, by a fork's time
        done
        kill -KILL "$DROVER_PID"
        wait_until 5 drover_left_nothing
    done
}

@test "kill -9 of the master while workers come and go" {
    for ((i = 0; i < 8; i++)); do
        drover_start --workers 4 "$SITE"
        kill -KILL "$(worker_of $((i % 4)))"
        kill -HUP "$DROVER_PID"
        kill -TTIN "$DROVER_PID"
        for ((j = 0; j < i; j++)); do
            : "$(:)"
        done
        kill -KILL "$DROVER_PID"
        wait_until 5 drover_left_nothing
    done
}

# ---- zombies ----------------------------------------------------------------------------------

@test "no zombie stays after many kills, also of several workers at once" {
    local pids
    drover_start --workers 8 "$SITE"
    mapfile -t pids < <(workers)
    # All end before it looks again: one SIGCHLD stands for them all.
    kill -STOP "$DROVER_PID"
    wait_until 5 in_state T "$DROVER_PID"
    kill -KILL "${pids[@]}"
    wait_until 5 all_gone "${pids[@]}"
    kill -CONT "$DROVER_PID"
    wait_until 10 logged_times 8 'killed by SIGKILL'
    wait_until 10 has_children 8
    for slot in 0 1 2 3; do
        kill_worker "$slot"
    done
    wait_until 5 no_zombie
    wait_until 5 has_children 8
    kill -TTOU "$DROVER_PID"
    kill -HUP "$DROVER_PID"
    wait_until 10 logged 'reload: every worker is a fresh one'
    wait_until 10 has_children 7
    wait_until 5 no_zombie
}

# as_pid_1: starts a server as PID 1 of a namespace of its own. OUTSIDE is the process
# out here whose exit status is the server's; DROVER_PID is the server's pid as seen from here.
as_pid_1() {
    DROVER_UNDER=(unshare --pid --fork --mount-proc)
    if ! "${DROVER_UNDER[@]}" true 2>/dev/null; then
        DROVER_UNDER=(unshare --user --map-root-user --pid --fork --mount-proc)
        "${DROVER_UNDER[@]}" true || skip 'no PID namespace may be made here'
    fi
    : >"$BATS_TEST_TMPDIR/log"
    drover_launch --listen 127.0.0.1:0 --workers 2 "$SITE" # unshare would keep --ready-fd open
    drover_launched
    OUTSIDE=$DROVER_PID
    DROVER_PID=$(pgrep --parent "$OUTSIDE")
}

# How it ended is known by the process outside.
pid_1_ends() {
    DROVER_PID=$OUTSIDE
    drover_wait 10
    assert_equal "$status" 0
}

@test "as PID 1 it is stopped by TERM, from outside and from inside" {
    as_pid_1
    assert_equal "$(worker_count)" 2
    assert_equal "$(fetch /hello.txt)" hello
    kill -TERM "$DROVER_PID"
    pid_1_ends
    as_pid_1
    # its own kill may come from it: PID 1 takes everything along
    nsenter --pid --target "$DROVER_PID" kill -TERM 1 || [[ $? == 137 ]]
    pid_1_ends
}

@test "as PID 1 it reaps what is not its own, and goes on" {
    local own all
    as_pid_1
    own=$(workers)
    wait_until 10 has_standbys 2
    # children whose parent ends become those of PID 1
    nsenter --pid --target "$DROVER_PID" bash -c 'for i in {1..20}; do (sleep 60 &) & done; wait'
    wait_until 10 has_children 22
    mapfile -t all < <(children_of "$DROVER_PID")
    # All end before it looks again: one SIGCHLD stands for them all.
    kill -STOP "$DROVER_PID"
    for pid in "${all[@]}"; do
        [[ $(name_of "$pid") == drover:* ]] || kill -KILL "$pid"
    done
    kill -CONT "$DROVER_PID"
    wait_until 10 has_children 2
    assert_equal "$(workers)" "$own"
    kill_worker 0
    wait_until 10 has_children 2
    assert_equal "$(fetch /hello.txt)" hello
    wait_until 10 logged ') goes on with '
    assert_equal "$(wc -l <"$DROVER_LOG")" 3 # it serves; a worker ended; the next one goes on
    kill -TERM "$DROVER_PID"
    pid_1_ends
}

# ---- the stop does not wait for the deaf ------------------------------------------------------

@test "a stopped worker does not hold up a stop beyond the drain's deadline" {
    local pid started
    drover_start --workers 2 --drain-timeout 500ms "$SITE"
    pid=$(worker_of 1)
    kill -STOP "$pid"
    wait_until 5 in_state T "$pid"
    started=$(now_us)
    drover_stop
    assert_equal "$status" 0
    (($(ms_since "$started") < 5000))
    logged "worker 1 (pid $pid) has not left in time and is ended"
}

# bats test_tags=nosan
@test "a worker that spins does not hold up a stop beyond the drain's deadline" {
    misbehave
    drover_start --workers 1 --drain-timeout 500ms "$SITE"
    spin
    drover_stop
    assert_equal "$status" 0
    logged "worker 0 (pid $SPINNER) has not left in time and is ended"
}

# bats test_tags=nosan
@test "a second signal ends a worker that spins at once" {
    local started
    misbehave
    drover_start --workers 1 "$SITE"
    spin
    kill -TERM "$DROVER_PID"
    wait_until 5 logged 'stopping on SIGTERM'
    started=$(now_us)
    drover_stop TERM
    assert_equal "$status" 0
    (($(ms_since "$started") < 3000))
}

@test "a second signal ends a stopped worker at once" {
    local pid started
    drover_start --workers 2 "$SITE"
    pid=$(worker_of 1)
    kill -STOP "$pid"
    wait_until 5 in_state T "$pid"
    kill -INT "$DROVER_PID"
    wait_until 5 logged 'stopping on SIGINT'
    started=$(now_us)
    drover_stop INT
    assert_equal "$status" 0
    (($(ms_since "$started") < 3000))
}
