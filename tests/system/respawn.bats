#!/usr/bin/env bats
#
# A worker that ends is replaced: at once, then with a growing delay, and the log says what ended
# it. A worker that cannot start neither ends the master nor makes it spin. What ends cost clients is
# in crash.bats.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load process

# A standby would be first; what comes when it cannot is this.
DROVER_WITH=(--standby off)

setup() {
    make_site
}

# end_worker SIGNAL SLOT: returns when the master has told of its end.
end_worker() {
    local pid
    pid=$(worker_of "$2")
    kill -s "$1" "$pid"
    wait_until 10 logged "worker $2 (pid $pid) ended"
}

# The last line of the log about a worker's end, without the time.
last_end() {
    grep -E 'worker [0-9]+ \(pid [0-9]+\) (ended|did not start|was leaving)' "$DROVER_LOG" |
        tail -n 1 | sed 's/.*master: //'
}

is_served() {
    [[ $(fetch /hello.txt --max-time 2 2>/dev/null) == hello ]]
}

# ---- how it ended, and when the next comes ----------------------------------------------------

@test "a killed worker is replaced: at once, then after 100 ms, 200 ms, 400 ms" {
    local pid ends delay started others
    drover_start --workers 2 "$SITE"
    others=$(worker_of 1)
    pid=$(worker_of 0)
    kill_worker 0
    assert_equal "$(last_end)" \
        "worker 0 (pid $pid) ended: killed by SIGKILL; the next one comes at once"
    for delay in 100 200 400; do
        ends=$((${ends:-1} + 1))
        pid=$(worker_of 0)
        started=$(now_us)
        kill_worker 0
        (($(ms_since "$started") >= delay))
        [[ $SAN == 1 ]] || (($(ms_since "$started") < delay + 5000)) # others have the CPUs, too
        assert_equal "$(last_end)" "worker 0 (pid $pid) ended: killed by SIGKILL; $(
        )the next one comes in $delay ms ($ends ends in a row)"
    done
    assert_equal "$(worker_of 1)" "$others"
    is_served
    # each slot has a count of its own
    kill_worker 1
    assert_equal "$(last_end)" \
        "worker 1 (pid $others) ended: killed by SIGKILL; the next one comes at once"
}

@test "the log names the signal" {
    local signal slot=0
    drover_start --workers 6 "$SITE"
    for signal in SEGV ABRT BUS FPE KILL; do
        [[ $SAN != 1 || $signal == KILL || $signal == ABRT ]] || continue # it has these handlers
        end_worker "$signal" "$slot"
        [[ $(last_end) == *"ended: killed by SIG$signal"*'; the next one comes at once' ]]
        slot=$((slot + 1))
    done
    # one that has no name of its own here
    end_worker 63 "$slot"
    [[ $(last_end) == *'ended: killed by signal 63; the next one comes at once' ]]
    wait_until 10 has_workers 6
    is_served
}

# bats test_tags=nosan
@test "the log says that a core was dumped, also of a worker that changed its user" {
    local under dumps
    mkdir -m 777 "$BATS_TEST_TMPDIR/cores"
    under=(env -C "$BATS_TEST_TMPDIR/cores" prlimit --core=unlimited)
    dumps=$("${under[@]}" python3 -c 'import os, signal
pid = os.fork()
if pid == 0:
    os.kill(os.getpid(), signal.SIGSEGV)
print(os.WCOREDUMP(os.waitpid(pid, 0)[1]))')
    rm -f "$BATS_TEST_TMPDIR/cores"/*
    DROVER_UNDER=("${under[@]}")
    drover_start --workers 1 "$SITE"
    end_worker SEGV 0
    [[ $dumps == False || $(last_end) == *'killed by SIGSEGV, core dumped; the next'* ]]
    drover_stop
    DROVER_UNDER=("${under[@]}")
    drover_start --workers 1 --user nobody "$SITE"
    end_worker SEGV 0
    [[ $dumps == False || $(last_end) == *'killed by SIGSEGV, core dumped; the next'* ]]
    drover_stop
    DROVER_UNDER=(prlimit --core=0)
    drover_start --workers 1 "$SITE"
    end_worker SEGV 0
    # a handler in kernel.core_pattern, which a pipe is, gets a core whatever the limit
    [[ $(</proc/sys/kernel/core_pattern) == '|'* || $(last_end) == *'killed by SIGSEGV; the next'* ]]
}

@test "an end while it leaves is told, too, and brings no second worker" {
    local old
    drover_start --workers 1 "$SITE"
    old=$(worker_of 0)
    slow_client
    kill -HUP "$DROVER_PID"
    wait_until 10 logged 'reload: every worker is a fresh one'
    assert_equal "$(worker_count)" 2
    kill -KILL "$old"
    wait_until 10 logged "worker 0 (pid $old) was leaving: killed by SIGKILL"
    assert_equal "$(worker_count)" 1
    is_served
}

# ---- a worker that cannot start ---------------------------------------------------------------

# cannot_start WORKERS CAUSE STATUS-WORDS: for a second and a half the master of a server whose
# workers cannot start lives, says why, forks few and rests.
cannot_start() {
    local workers=$1 ticks forks
    wait_until 10 logged "worker 0 (pid "
    ticks=$(cpu_ticks "$DROVER_PID")
    # 0, 0, 100, 300, 700, 1500 ms after the start: with the fifth end, 700 ms have passed
    wait_until 10 logged_times "$workers" '(5 ends in a row)'
    forks=$(count_logged 'did not start: ')
    ticks=$(($(cpu_ticks "$DROVER_PID") - ticks))
    tell "$workers worker(s): $forks forks and $ticks ticks of CPU until the fifth"
    ((forks <= 6 * workers))
    [[ $SAN == 1 ]] || ((ticks <= 10)) # 100 ms in 700 ms; a spin takes all
    kill -0 "$DROVER_PID"
    run cat "$DROVER_LOG"
    assert_line --regexp \
        "worker 0 \(pid [0-9]+\) did not start: $2; $3; the next one comes in 800 ms \(5 ends in a row\)"
}

@test "a ROOT that workers may not enter ends the start, with its cause" {
    mkdir -m 700 "$SITE/closed"
    drover_launch --listen 127.0.0.1:0 --workers 2 --user nobody "$SITE/closed"
    drover_wait 10
    assert_equal "$status" 77
    logged_times 2 "did not start: --root $SITE/closed: Permission denied; exit status 77 (EX_NOPERM); it is not tried again"
    logged "no worker can start: --root $SITE/closed: Permission denied"
}

@test "a ROOT that workers may not enter any more is named, and they are tried again" {
    mkdir "$SITE/closed"
    echo hello >"$SITE/closed/hello.txt"
    drover_start --workers 1 --user nobody "$SITE/closed"
    chmod 700 "$SITE/closed"
    kill -KILL "$(worker_of 0)"
    cannot_start 1 "--root $SITE/closed: Permission denied" 'exit status 77 \(EX_NOPERM\)'
    logged 'killed by SIGKILL; the next one comes at once'
    chmod 755 "$SITE/closed"
    wait_until 20 has_workers 1
    wait_until 20 is_served
    drover_stop
    assert_equal "$status" 0
}

@test "a ROOT that is gone when a worker is replaced" {
    mkdir "$SITE/going"
    echo hello >"$SITE/going/hello.txt"
    drover_start --workers 2 "$SITE/going"
    mv "$SITE/going" "$SITE/gone"
    kill -KILL "$(worker_of 0)"
    cannot_start 1 "--root $SITE/going: No such file or directory" 'exit status 66 \(EX_NOINPUT\)'
    # the other one has it open, and serves both slots meanwhile
    for ((i = 0; i < 32; i++)); do
        is_served
    done
    mv "$SITE/gone" "$SITE/going"
    wait_until 20 has_workers 2
    drover_stop
    assert_equal "$status" 0
}

@test "a reload without a ROOT changes nothing" {
    local before
    drover_start --workers 1 "$SITE"
    before=$(workers)
    mv "$SITE" "$SITE.away"
    kill -HUP "$DROVER_PID"
    wait_until 10 logged 'reload: nothing is changed: ROOT '
    assert_equal "$(fetch /hello.txt)" hello
    assert_equal "$(workers)" "$before"
    mv "$SITE.away" "$SITE"
}

@test "a reload whose workers cannot start is given up, and the others go on" {
    local last
    mkdir "$SITE/going"
    echo hello >"$SITE/going/hello.txt"
    drover_start --workers 3 --user nobody "$SITE/going"
    last=$(worker_of 2)
    # The old workers have the old one open; the master may open the new one, a worker may not.
    mv "$SITE/going" "$SITE/gone"
    mkdir -m 700 "$SITE/going"
    kill -HUP "$DROVER_PID"
    wait_until 10 grep -q 'reload: nothing is changed: worker [0-2] does not start' "$DROVER_LOG"
    for ((i = 0; i < 32; i++)); do
        is_served
    done
    assert_equal "$(worker_of 2)" "$last"
    rmdir "$SITE/going"
    mv "$SITE/gone" "$SITE/going"
    kill -HUP "$DROVER_PID"
    wait_until 10 logged 'reload: every worker is a fresh one'
    wait_until 10 has_workers 3
}

@test "a stop while no worker can start" {
    drover_launch --listen 127.0.0.1:0 --workers 2 --user nobody /root/nonexistent
    drover_wait 10
    assert_equal "$status" 66
    drover_launch --app "${DROVER%/*}/apps/every.so" --listen 127.0.0.1:0 --workers 2 \
        --set broken='not yet' --set status=75
    wait_until 10 logged_times 2 'did not start: not yet; exit status 75'
    drover_stop
    assert_equal "$status" 0
}

# bats test_tags=nosan
@test "a worker that does not get ready is ended after --start-timeout" {
    # ROOT is a mount of a server that does not answer, as it were
    misbehave MISBEHAVE_SLOW="$BATS_TEST_TMPDIR/slow"
    : >"$BATS_TEST_TMPDIR/slow"
    drover_launch --listen 127.0.0.1:0 --workers 1 --start-timeout 300ms "$SITE"
    wait_until 10 logged 'is not ready after 300 ms and is ended'
    wait_until 10 logged 'did not start: killed by SIGKILL; the next one comes at once'
    rm "$BATS_TEST_TMPDIR/slow"
    drover_launched
    drover_stop
    assert_equal "$status" 0
}

@test "a fork that fails is tried again, and the master does not spin" {
    local ticks
    copy_drover
    # A uid that nobody else has: the limit counts the processes of the user.
    DROVER_UNDER=(setpriv --reuid=54324 --regid=54324 --clear-groups prlimit --nproc=3:100)
    drover_start --workers 2 "$SITE"
    ticks=$(cpu_ticks "$DROVER_PID")
    kill -TTIN "$DROVER_PID"
    wait_until 10 logged_times 4 'cannot fork worker 2: Resource temporarily unavailable'
    [[ $SAN == 1 ]] || (($(cpu_ticks "$DROVER_PID") - ticks <= 10))
    (($(count_logged 'cannot fork') <= 6))
    for ((i = 0; i < 32; i++)); do
        is_served
    done
    setpriv --reuid=54324 --regid=54324 --clear-groups prlimit --pid "$DROVER_PID" --nproc=100:
    wait_until 20 has_workers 3
    drover_stop
    assert_equal "$status" 0
}

@test "where processes are too few, standbys give way to workers" {
    local told room='its standby makes room for a worker'
    copy_drover
    a_user
    # the master, and three workers with one standby or none
    DROVER_UNDER=("${UNDER[@]}" prlimit --nproc=5)
    drover_start --workers 3 --standby on "$SITE"
    is_served
    drover_stop
    assert_equal "$status" 0
    # the same with all their standbys, and room for a reload without them
    a_user
    DROVER_UNDER=("${UNDER[@]}" prlimit --nproc=7:100)
    drover_start --workers 3 --standby on "$SITE"
    told=$(count_logged "$room")
    kill -HUP "$DROVER_PID"
    wait_until 60 logged 'reload: every worker is a fresh one: 3'
    (($(count_logged "$room") > told))
    is_served
    "${UNDER[@]}" prlimit --pid "$DROVER_PID" --nproc=100:
    wait_until 60 has_standbys 3
}

# crowded NPROC:MOST: a server with three workers and their standbys, seven processes, where there may
# be so many, and then one worker more.
crowded() {
    a_user
    copy_drover
    DROVER_UNDER=("${UNDER[@]}" prlimit --nproc="$1")
    drover_start --workers 3 --standby on --log-level debug "$SITE"
    wait_until 10 has_standbys 3
    kill -TTIN "$DROVER_PID"
    wait_until 20 has_workers 4
}

# a_user: sets UNDER, to run as one who has no process yet; zombies would count.
a_user() {
    local uid=$((40000 + (BASHPID + RANDOM) % 10000))
    UNDER=(setpriv --reuid="$uid" --regid="$uid" --clear-groups)
}

@test "one process too few costs one standby, and that comes back when there are enough" {
    crowded 7:100
    assert_equal "$(count_logged 'its standby makes room for a worker')" 1
    assert_equal "$(standbys | wc -l)" 2
    "${UNDER[@]}" prlimit --pid "$DROVER_PID" --nproc=100:
    wait_until 60 has_standbys 4
    wait_until 20 has_workers 4
    is_served
    drover_stop
    assert_equal "$status" 0
}

@test "where processes stay too few, a standby is tried for now and then, and no worker is replaced for nothing" {
    local before try='has no standby: one that gets one takes its place'
    local stays='stays: its successor would have no standby either'
    crowded 7:100
    before=$(workers)
    wait_until 20 logged_times 1 "$stays" # there is none for the successor
    "${UNDER[@]}" prlimit --pid "$DROVER_PID" --nproc=8:
    wait_until 60 logged_times 2 "$stays" # nor for its standby
    (($(count_logged "$try") <= 3))
    wait_until 10 has_workers 4
    wait_until 10 has_standbys 2
    assert_equal "$(workers)" "$before"
    is_served
    drover_stop
    assert_equal "$status" 0
}

@test "where the making of a standby ends the worker, there are workers without" {
    # as valgrind does, which knows no such clone(2), and a filter that kills
    cat >"$BATS_TEST_TMPDIR/deadly.c" <<'C'
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

long syscall(long number, ...)
{
    long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    long a[6];
    va_list args;
    if (number == SYS_clone)
        _exit(1);
    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
C
    cc -std=gnu17 -D_GNU_SOURCE -fPIC -shared -o "$BATS_TEST_TMPDIR/deadly.so" "$BATS_TEST_TMPDIR/deadly.c"
    DROVER_UNDER=(env LD_PRELOAD="$BATS_TEST_TMPDIR/deadly.so"
        ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0")
    drover_start --workers 1 --standby on "$SITE"
    assert_equal "$(count_logged 'did not start: exit status 1')" 2
    logged 'workers end before they have a standby: for a while none is made'
    is_served
    drover_stop
    drover_start --workers 4 --standby on "$SITE"
    assert_equal "$(count_logged 'for a while none is made')" 2 # one more
    is_served
    kill -HUP "$DROVER_PID"
    wait_until 20 logged 'reload: every worker is a fresh one: 4'
}

@test "a slot for which there is no descriptor is not made, and the server goes on" {
    drover_start --workers 2 "$SITE"
    prlimit --pid "$DROVER_PID" --nofile="$(lowest_free_fd "$DROVER_PID"):"
    kill -TTIN "$DROVER_PID"
    wait_until 10 logged 'cannot add a worker to the 2 there are: Too many open files'
    assert_equal "$(listeners)" 2
    # a worker needs a socketpair, and a dead one gives back but one end
    kill -KILL "$(worker_of 0)"
    wait_until 10 logged 'cannot fork worker 0: Too many open files'
    wait_until 10 is_served
    prlimit --pid "$DROVER_PID" --nofile=1000:
    wait_until 10 has_workers 2
    kill -TTIN "$DROVER_PID"
    wait_until 10 has_workers 3
    assert_equal "$(listeners)" 3
}

@test "workers are replaced where SIGCHLD was ignored by who started the server" {
    STOP_SECONDS=5
    DROVER_UNDER=(env --ignore-signal=CHLD)
    drover_start --workers 2 "$SITE"
    kill -KILL "$(worker_of 0)"
    wait_until 5 logged 'ended: killed by SIGKILL; the next one comes at once'
    wait_until 5 has_workers 2
    drover_stop
    assert_equal "$status" 0
}
