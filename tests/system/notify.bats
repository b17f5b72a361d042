#!/usr/bin/env bats
#
# What a service manager is told, and when: by a manager of the tests' own, without systemd.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load process
load lifecycle
load manager

setup() {
    make_site
    CONF=$BATS_TEST_TMPDIR/site.conf
}

# A module whose first worker starts at once, and the others once the file is there; it answers with
# its NOTIFY_SOCKET.
gate() {
    GATE=$BATS_TEST_TMPDIR/gate
    cat >"$GATE.c" <<'C'
#include <drover.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int start(void *context, struct drover_worker *worker, char why[DROVER_WHY_SIZE])
{
    (void)context, (void)worker, (void)why;
    int fd = open(GATE ".first", O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    while (fd < 0 && access(GATE, F_OK) != 0)
        usleep(10000);
    return 0;
}
static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    const char *names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"};
    (void)context, (void)request;
    for (int i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        drover_response_body(response, value ? value : "-", value ? strlen(value) : 1);
    }
}
static const struct drover_app app = {.name = "gate", .worker_start = start, .handle = handle};
DROVER_MODULE(app);
C
    "${CC:-cc}" -D_GNU_SOURCE -DGATE="\"$GATE\"" -shared -fPIC \
        -I "$BATS_TEST_DIRNAME/../../include" -o "$GATE.so" "$GATE.c"
}

# ---- ready ------------------------------------------------------------------------------------

@test "READY=1 comes when every worker accepts; until then STATUS counts them" {
    manager_start
    gate
    drover_launch --listen 127.0.0.1:0 --workers 4 --app "$GATE.so"
    wait_until 10 status_is 'starting: 1 of 4 workers accepts'
    assert_equal "$(states)" ''
    : >"$GATE"
    wait_until 10 told READY=1
    drover_launched
    assert_equal "$(messages | tail -n 1)" \
        'READY=1|STATUS=4 workers, 0 connections, 0 requests/s'
    assert_equal "$(senders READY=1)" "$DROVER_PID"
    # a worker knows nothing of the manager
    assert_equal "$(fetch /)" ---
}

@test "the manager's socket may have an abstract name" {
    manager_start "@drover-test-$$-$RANDOM"
    drover_start --workers 2 "$SITE"
    wait_until 10 told READY=1
    drover_stop
    wait_until 10 told STOPPING=1
}

@test "workers do not hold the manager's socket" {
    local without
    drover_start --workers 1 "$SITE"
    without=$(fd_count "$(workers)")
    drover_stop
    manager_start
    drover_start --workers 1 "$SITE"
    assert_equal "$(fd_count "$(workers)")" "$without"
}

@test "a start that fails says why: a bad file, an address in use, workers that cannot start" {
    manager_start
    printf '%s\n' 'workers = 2' 'worker = 3' >"$CONF"
    drover serve -c "$CONF"
    assert_equal "$status" 78
    wait_until 10 status_is "$CONF:2:1: "
    drover_start --workers 1 "$SITE"
    drover serve --listen "$DROVER_ADDR" "$SITE"
    assert_equal "$status" 69
    wait_until 10 status_is "$DROVER_ADDR"
    drover serve --listen 127.0.0.1:0 --control "$XDG_RUNTIME_DIR/drover-$DROVER_PID.control" "$SITE"
    assert_equal "$status" 69
    wait_until 10 status_is ".control: is held by pid $DROVER_PID"
    # shellcheck disable=SC2016 # for that bash
    run env LISTEN_FDS=many bash -c 'LISTEN_PID=$$ exec "$@"' - "$DROVER" serve "$SITE"
    assert_equal "$status" 71
    wait_until 10 status_is 'what was inherited cannot be used: LISTEN_FDS=many '
    assert_equal "$(states)" READY=1
    drover_stop
    cat >"$BATS_TEST_TMPDIR/no.c" <<'C'
#include <drover.h>
#include <sysexits.h>
static int start(void *context, struct drover_worker *worker, char why[DROVER_WHY_SIZE])
{
    (void)context, (void)worker, (void)why;
    return EX_CONFIG;
}
static void handle(void *context, const struct drover_request *q, struct drover_response *r)
{
    (void)context, (void)q, (void)r;
}
static const struct drover_app app = {.name = "no", .worker_start = start, .handle = handle};
DROVER_MODULE(app);
C
    "${CC:-cc}" -shared -fPIC -I "$BATS_TEST_DIRNAME/../../include" \
        -o "$BATS_TEST_TMPDIR/no.so" "$BATS_TEST_TMPDIR/no.c"
    drover serve --listen 127.0.0.1:0 --workers 2 --app "$BATS_TEST_TMPDIR/no.so"
    assert_equal "$status" 78
    wait_until 10 status_is 'no worker can start'
    assert_equal "$(states)" $'READY=1\nSTOPPING=1'
}

# ---- STATUS -----------------------------------------------------------------------------------

@test "STATUS is renewed once a second at most under load, and ends with no requests a second" {
    local ms at
    manager_start
    drover_start --workers 2 "$SITE"
    load_start --clients 8 --duration 3500ms
    load_wait
    wait_until 10 status_is '2 workers, 0 connections, 0 requests/s'
    messages | grep -qE '2 workers, 8 connections, [1-9][0-9]+ requests/s'
    # all together: the manager reads one late now and then, and the next in time
    mapfile -t at < <(times_of STATUS=)
    ms=$(((at[-1] - at[0]) / 1000))
    ((ms >= (${#at[@]} - 1) * 1000 - 300)) || fail "${#at[@]} of them in $ms ms"
    told_times 4 STATUS=
}

# How often the master has woken up.
wakeups() {
    sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "/proc/$DROVER_PID/status"
}

# bats test_tags=nosan
@test "an idle server tells nothing, and sleeps" {
    local before woken
    manager_start
    drover_start --workers 4 "$SITE"
    client_open
    client_ask "$CLIENT" /hello.txt
    client_answer "$CLIENT"
    wait_until 10 status_is '1 connection, 0 requests/s'
    before=$(wc -l <"$MESSAGES")
    woken=$(wakeups)
    sleep 5 # as long as nothing may come
    assert_equal "$(wc -l <"$MESSAGES")" "$before"
    woken=$(($(wakeups) - woken))
    tell "$woken wake-ups of the master in 5 s"
    ((woken <= 6)) # no more than without a manager: see life.bats
}

@test "STATUS tells of a worker that is stopped, and of its being continued" {
    local pid
    manager_start
    drover_start --standby off --workers 4 "$SITE"
    pid=$(worker_of 2)
    kill -STOP "$pid"
    wait_until 10 status_is '; 3 of 4 accept; 1 hangs'
    kill -CONT "$pid"
    wait_until 10 status_ends '4 workers, 0 connections, 0 requests/s'
}

# ---- reload -----------------------------------------------------------------------------------

@test "a reload is told by RELOADING=1 with its time, then READY=1" {
    local from at
    manager_start
    drover_start --workers 2 "$SITE"
    wait_until 10 told READY=1
    from=$(py <<<'print(time.monotonic_ns() // 1000)')
    reload
    wait_until 10 told_times 2 READY=1
    assert_equal "$(states | sed 's/=[0-9]\{3,\}/=N/')" \
        $'READY=1\nRELOADING=1|MONOTONIC_USEC=N\nREADY=1'
    at=$(messages | sed -n 's/.*MONOTONIC_USEC=\([0-9]*\)|.*/\1/p')
    ((from <= at && at <= $(times_of RELOADING=1)))
    messages | grep -q '^RELOADING=1|.*|STATUS=2 workers, .*; reloading$'
    assert_equal "$(messages | tail -n 1)" \
        'READY=1|STATUS=2 workers, 0 connections, 0 requests/s'
}

@test "a reload that fails ends with READY=1, and STATUS says why until one succeeds" {
    manager_start
    printf '%s\n' 'workers = 2' "root = $SITE" >"$CONF"
    drover_start --listen 127.0.0.1:0 -c "$CONF"
    printf '%s\n' 'workers = 2' "root = $SITE" 'worker = 1' >"$CONF"
    reload_refused 'worker'
    wait_until 10 told_times 2 READY=1
    assert_equal "$(states | cut -d = -f 1 | paste -sd ' ')" 'READY RELOADING READY'
    [[ $(status_told) == "2 workers, "*"; reload failed: $CONF:3:1: "* ]]
    # it stays when the numbers change
    fetch /hello.txt
    load_start --clients 3 --duration 1500ms
    load_wait
    wait_until 10 status_is '0 connections, 0 requests/s; reload failed: '
    printf '%s\n' 'workers = 2' "root = $SITE" >"$CONF"
    reload
    wait_until 10 told_times 3 READY=1
    [[ $(status_told) != *failed* ]]
}

@test "a reload that cannot begin while another is under way is not the other one's end" {
    manager_start
    gate
    : >"$GATE"
    printf '%s\n' 'workers = 2' "app = $GATE.so" >"$CONF"
    drover_start --listen 127.0.0.1:0 -c "$CONF"
    wait_until 10 told READY=1
    rm "$GATE"
    kill -HUP "$DROVER_PID"
    wait_until 10 told RELOADING=1
    echo 'worker = 1' >>"$CONF"
    reload_refused 'worker'
    wait_until 10 status_is "; reloading; reload failed: $CONF:3:1: "
    assert_equal "$(states | cut -d = -f 1 | paste -sd ' ')" 'READY RELOADING RELOADING'
    : >"$GATE"
    wait_until 10 logged 'reload: every worker is a fresh one'
    wait_until 10 told_times 2 READY=1
    # what was asked last has failed still
    [[ $(status_told) == "2 workers, "*"; reload failed: $CONF:3:1: "* ]]
    assert_equal "$(states | cut -d = -f 1 | paste -sd ' ')" 'READY RELOADING RELOADING READY'
}

@test "what a name brings with it forges no message" {
    manager_start
    printf '%s\n' 'workers = 2' "root = $SITE" >"$CONF"
    drover_start --listen 127.0.0.1:0 -c "$CONF"
    printf 'workers = 2\nroot = %s\nx\rWATCHDOG=trigger = 1\nSTOPPING=1 = 2\n' "$SITE" >"$CONF"
    reload_refused 'nothing is changed'
    wait_until 10 told_times 2 READY=1
    assert_equal "$(messages | tr '|' '\n' | grep -cE '^(WATCHDOG|STOPPING)' || true)" 0
}

# ---- stop -------------------------------------------------------------------------------------

@test "a stop is told by STOPPING=1 at once, then how many connections are waited for" {
    manager_start
    drover_start --workers 2 --drain-timeout 20s "$SITE"
    slow_client
    kill -TERM "$DROVER_PID"
    wait_until 10 told STOPPING=1
    messages | grep -q '^STOPPING=1|STATUS=draining: 1 connection$'
    slow_finish "$SLOW"
    drover_wait 10
    wait_until 10 status_is 'stopped: 1 request'
    assert_equal "$(states)" $'READY=1\nSTOPPING=1'
}

@test "a lame duck is no stop yet: STATUS says that one comes" {
    manager_start
    drover_start --workers 2 --lame-duck 1500ms "$SITE"
    kill -TERM "$DROVER_PID"
    drover_wait 10
    wait_until 10 told STOPPING=1
    assert_equal "$(states)" $'READY=1\nSTOPPING=1'
    messages | sed '/^STOPPING=1/,$d' | grep -F "stops, after a lame duck's 1.5 s"
}

# ---- upgrade ----------------------------------------------------------------------------------

# upgrade_begun: USR2; returns when the log says that the new one serves; OLD and DROVER_PID.
upgrade_begun() {
    OLD=$DROVER_PID
    kill -USR2 "$OLD"
    wait_until 20 follow_upgrade
}

@test "an upgrade: the old one says who the main process is, and only then the new one READY=1" {
    manager_start
    : >"$MANAGER_HOLDS"
    drover_start --workers 2 --pidfile "$BATS_TEST_TMPDIR/pid" "$SITE"
    upgrade_begun
    wait_until 10 told BARRIER=1
    assert_equal "$(<"$BATS_TEST_TMPDIR/pid")" "$DROVER_PID"
    wait_until 10 has_workers 2
    sleep 0.5 # in which nothing may come
    assert_equal "$(states)" $'READY=1\nMAINPID='"$DROVER_PID"$'\nBARRIER=1'
    run is_gone "$OLD" # though its workers have left
    assert_failure
    assert_equal "$(senders MAINPID=) $(senders BARRIER=1)" "$OLD $OLD"
    assert_equal "$(grep -F BARRIER=1 "$MESSAGES" | cut -d ' ' -f 3)" 1
    rm "$MANAGER_HOLDS"
    wait_until 10 told_times 2 READY=1
    assert_equal "$(senders READY=1 | tail -n 1)" "$DROVER_PID"
    wait_until 10 is_gone "$OLD"
    kill -TERM "$DROVER_PID"
    wait_until 10 told STOPPING=1
    assert_equal "$(senders STOPPING=1)" "$DROVER_PID"
    wait_until 10 is_gone "$DROVER_PID"
    assert_equal "$(states | grep -c STOPPING=1)" 1
}

@test "a new one stores nothing before it is the main process, whatever is asked of it" {
    manager_start
    : >"$MANAGER_HOLDS"
    drover_start --workers 1 "$SITE"
    upgrade_begun
    wait_until 10 told BARRIER=1
    kill -TTIN "$DROVER_PID"
    wait_until 10 logged 'one worker more: 2'
    assert_equal "$(senders FDSTORE=1 | sort -u)" "$OLD"
    rm "$MANAGER_HOLDS"
    wait_until 10 told_times 2 READY=1
    wait_until 10 told FDNAME=slot1
    assert_equal "$(senders FDNAME=slot1)" "$DROVER_PID"
}

@test "what is asked of the old one while it is the main process still is done by the new one" {
    manager_start
    : >"$MANAGER_HOLDS"
    make_slow # which takes its time
    drover_start --workers 2 "$SITE"
    upgrade_begun
    wait_until 10 told BARRIER=1
    kill -HUP "$OLD"
    wait_until 10 logged 'reload: every worker is a fresh one'
    slow_client
    kill -TERM "$OLD"
    wait_until 10 logged 'stopping on SIGTERM: 1 connections are open'
    slow_finish "$SLOW"
    wait_until 10 is_gone "$DROVER_PID"
    rm "$MANAGER_HOLDS"
    wait_until 10 is_gone "$OLD"
}

@test "a stop of the old one and of the new one, while the manager waits, is one stop" {
    manager_start
    : >"$MANAGER_HOLDS"
    make_slow
    drover_start --workers 2 "$SITE"
    upgrade_begun
    wait_until 10 told BARRIER=1
    slow_client
    kill -TERM "$DROVER_PID" "$OLD"
    wait_until 10 logged 'SIGTERM: is passed on'
    slow_finish "$SLOW"
    wait_until 10 is_gone "$DROVER_PID"
    assert_equal "$(count_logged 'a second SIGTERM')" 0
    rm "$MANAGER_HOLDS"
    wait_until 10 is_gone "$OLD"
}

@test "two upgrades, one in the other: who is the main process is told one after the other" {
    local first
    manager_start
    : >"$MANAGER_HOLDS"
    drover_start --workers 1 "$SITE"
    first=$DROVER_PID
    upgrade_begun
    wait_until 10 told BARRIER=1
    upgrade_begun
    sleep 0.5 # in which nothing may come
    assert_equal "$(senders MAINPID=)" "$first"
    rm "$MANAGER_HOLDS"
    wait_until 10 told_times 3 READY=1
    assert_equal "$(states)" "READY=1
MAINPID=$OLD
BARRIER=1
READY=1
MAINPID=$DROVER_PID
BARRIER=1
READY=1"
    assert_equal "$(senders MAINPID= | tail -n 1) $(senders READY=1 | tail -n 1)" "$OLD $DROVER_PID"
    wait_until 10 all_gone "$first" "$OLD"
    assert_equal "$(fetch /hello.txt)" hello
}

@test "a manager that does not come to the barrier holds an upgrade up for 5 s at most" {
    local ms
    manager_start
    : >"$MANAGER_HOLDS"
    drover_start --workers 2 "$SITE"
    upgrade_begun
    assert_equal "$(fetch /hello.txt)" hello
    wait_until 20 told_times 2 READY=1
    ms=$((($(times_of READY=1 | tail -n 1) - $(times_of BARRIER=1)) / 1000))
    ((4500 <= ms && ms <= 8000)) || fail "after $ms ms" # either may be read late
    logged 'has not read within 5000 ms'
    wait_until 10 is_gone "$OLD"
}

@test "an upgrade that fails: STATUS says that it is under way, then why" {
    local pid
    manager_start
    copy_drover
    drover_start --workers 2 --start-timeout 3s "$SITE"
    printf '%s\n' '#!/bin/sh' 'exec sleep 60' >"$DROVER.new"
    chmod 755 "$DROVER.new"
    mv "$DROVER.new" "$DROVER"
    kill -USR2 "$DROVER_PID"
    wait_until 10 grep -q ' upgrade: pid [0-9]* runs' "$DROVER_LOG"
    pid=$(sed -n 's/.* upgrade: pid \([0-9]*\) runs.*/\1/p' "$DROVER_LOG")
    wait_until 10 told "; upgrading: pid $pid starts"
    wait_until 10 status_is '; upgrade failed: the new server (pid '
    [[ $(status_told) == *' is not ready after 3000 ms and is ended' ]]
    assert_equal "$(states)" READY=1
}

@test "a new one that is stopped before it has taken over says nothing: the server goes on" {
    local new good=$BATS_TEST_TMPDIR/good
    manager_start
    copy_drover
    cp "$DROVER" "$good"
    gate
    drover_start --workers 2 "$SITE"
    printf '%s\n' '#!/bin/sh' "exec '$good' serve --listen $DROVER_ADDR --workers 2 --app '$GATE.so'" \
        >"$DROVER.new"
    chmod 755 "$DROVER.new"
    mv "$DROVER.new" "$DROVER"
    kill -USR2 "$DROVER_PID"
    wait_until 10 test -e "$GATE.first"
    wait_until 10 grep -q ' upgrade: pid [0-9]* runs' "$DROVER_LOG"
    new=$(sed -n 's/.* upgrade: pid \([0-9]*\) runs.*/\1/p' "$DROVER_LOG")
    kill -TERM "$new"
    wait_until 10 logged 'ended before it was ready: exit status 0'
    fetch /hello.txt
    wait_until 10 status_is '; upgrade failed: '
    assert_equal "$(cut -d ' ' -f 2 "$MESSAGES" | sort -u)" "$DROVER_PID"
}

@test "a reload that became an upgrade ends with the READY=1 of the new one" {
    local good=$BATS_TEST_TMPDIR/good
    manager_start
    copy_drover
    cp "$DROVER" "$good"
    drover_start --workers 2 "$SITE"
    printf '%s\n' '#!/bin/sh' 'exec sleep 60' >"$DROVER.new"
    chmod 755 "$DROVER.new"
    mv "$DROVER.new" "$DROVER"
    OLD=$DROVER_PID
    kill -USR2 "$OLD"
    wait_until 10 logged 'upgrade: pid '
    mv "$good" "$DROVER"
    kill -HUP "$OLD"
    wait_until 20 follow_upgrade
    wait_until 10 told_times 2 READY=1
    assert_equal "$(states | cut -d = -f 1 | paste -sd ' ')" \
        'READY RELOADING MAINPID BARRIER READY'
    assert_equal "$(senders RELOADING=1) $(senders READY=1 | tail -n 1)" "$OLD $DROVER_PID"
}

# ---- watchdog ---------------------------------------------------------------------------------

# watched MS: the next server is the one that the manager wants to hear of within so long.
watched() {
    # shellcheck disable=SC2016 # for that bash
    DROVER_UNDER=(env "WATCHDOG_USEC=${1}000" bash -c 'WATCHDOG_PID=$$ exec "$@"' -)
}

pings() {
    count_told WATCHDOG=1
}

# pings_more N: there were more than so many.
pings_more() {
    (($(pings) > $1))
}

# bats test_tags=nosan,alone
@test "WATCHDOG=1 comes at half of the interval" {
    local ms
    watched 800
    manager_start
    drover_start --workers 2 "$SITE"
    wait_until 10 told_times 11 WATCHDOG=1
    tell "$(ms_between WATCHDOG=1 | paste -sd ' ') ms"
    for ms in $(ms_between WATCHDOG=1); do
        ((ms < 800)) || fail "$ms ms"
    done
    ms=$(ms_between WATCHDOG=1 | head -n 10 | awk '{ sum += $1 } END { print int(sum / NR) }')
    ((390 <= ms && ms <= 500)) || fail "$ms ms" # the manager reads one late now and then
}

@test "without an interval, or with another process's, there is no WATCHDOG=1" {
    manager_start
    DROVER_UNDER=(env WATCHDOG_USEC=100000 WATCHDOG_PID=1)
    drover_start --workers 2 "$SITE"
    sleep 1 # in which there would be 20
    assert_equal "$(pings)" 0
}

@test "WATCHDOG=1 is bound to progress: none while more than three of four are stopped" {
    local slot before
    watched 400
    manager_start
    drover_start --standby off --workers 4 "$SITE"
    for slot in 0 1 2; do
        kill -STOP "$(worker_of $slot)"
    done
    wait_until 10 logged_times 3 'was stopped'
    before=$(pings)
    wait_until 10 pings_more $((before + 2)) # a quarter of them is enough
    kill -STOP "$(worker_of 3)"
    wait_until 10 logged 'no WATCHDOG=1 any more: 0 of 4 workers make progress'
    before=$(pings)
    sleep 1 # in which there would be five
    (($(pings) <= before + 1)) # one is read late, perhaps
    before=$(pings)
    kill -CONT "$(worker_of 1)"
    wait_until 10 pings_more $((before + 2))
    logged 'WATCHDOG=1 again: 1 of 4 workers makes progress'
    assert_equal "$(count_logged 'no WATCHDOG=1 any more')" 1
    kill -CONT "$(worker_of 0)" "$(worker_of 2)" "$(worker_of 3)"
}

@test "WATCHDOG=1 is bound to progress: none while every handler hangs" {
    local before
    watched 400
    manager_start
    drover_start --standby off --workers 2 --app "${DROVER%/*}/apps/hang.so" --hang-timeout 20s
    for _ in 1 2 3 4 5 6; do
        fetch '/spin?2500' --output /dev/null 3>&- 4>&- &
    done
    wait_until 10 logged 'no WATCHDOG=1 any more: 0 of 2 workers make progress'
    before=$(pings)
    sleep 0.8 # in which there would be four
    (($(pings) <= before + 1)) # one is read late, perhaps
    before=$(pings)
    wait_until 20 pings_more "$before"
}

@test "after an upgrade it is the new one that says WATCHDOG=1" {
    local before
    watched 400
    manager_start
    drover_start --workers 2 "$SITE"
    upgrade_begun
    wait_until 10 told_times 2 READY=1
    before=$(pings)
    wait_until 10 pings_more $((before + 2))
    assert_equal "$(senders WATCHDOG=1 | tail -n 3 | sort -u)" "$DROVER_PID"
}

# ---- a manager that is stuck, or not there ----------------------------------------------------

# stuck: nobody reads, and the queue is full.
stuck() {
    kill -STOP "$MANAGER_PID"
    wait_until 10 in_state T "$MANAGER_PID"
    py "$NOTIFY_SOCKET" <<'PY'
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setblocking(False)
try:
    while True:
        s.sendto(b"X_FULL=1", sys.argv[1])
except BlockingIOError:
    pass
PY
}

# What the server told, without what has filled the queue.
states_but_full() {
    states | grep -v X_FULL
}

@test "a stuck manager holds nothing up, and hears what happened once it goes on" {
    local began
    manager_start
    drover_start --workers 2 "$SITE"
    wait_until 10 told READY=1
    stuck
    began=$(now_us)
    reload
    assert_equal "$(fetch /hello.txt)" hello
    (($(ms_since "$began") < 4500)) # a barrier takes 5 s
    kill -CONT "$MANAGER_PID"
    wait_until 10 told_times 2 READY=1
    assert_equal "$(states_but_full | cut -d = -f 1 | paste -sd ' ')" 'READY RELOADING READY'
    stuck
    drover_stop
    assert_equal "$status" 0
}

@test "an upgrade with a stuck manager is done within its 5 s" {
    manager_start
    drover_start --workers 2 "$SITE"
    stuck
    upgrade_begun
    assert_equal "$(fetch /hello.txt)" hello
    wait_until 12 is_gone "$OLD"
    assert_equal "$(fetch /hello.txt)" hello
    kill -CONT "$MANAGER_PID"
    wait_until 10 told_times 2 READY=1
}

@test "a manager that is not there is told of once, and nothing waits for it" {
    export NOTIFY_SOCKET=$BATS_TEST_TMPDIR/nobody
    drover_start --workers 2 "$SITE"
    reload
    upgrade_begun
    wait_until 4.5 is_gone "$OLD" # a barrier takes 5 s
    assert_equal "$(fetch /hello.txt)" hello
    kill -TERM "$DROVER_PID"
    wait_until 10 is_gone "$DROVER_PID"
    assert_equal "$(count_logged 'the service manager cannot be told')" 2 # each master once
}

# master_sends: how many messages the master sends to a socket by its name in two seconds with a load.
master_sends() {
    strace -q -e trace=sendto,sendmsg,socket -o "$BATS_TEST_TMPDIR/strace" -p "$DROVER_PID" 3>&- 4>&- &
    STRACE=$!
    wait_until 10 grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$DROVER_PID/status"
    load_start --clients 4 --duration 2s
    load_wait
    kill -INT "$STRACE"
    wait "$STRACE" || true
    grep -c . "$BATS_TEST_TMPDIR/strace" || true
}

# bats test_tags=nosan
@test "without a manager the master sends nothing" {
    drover_start --workers 2 "$SITE"
    assert_equal "$(master_sends)" 0
    drover_stop
    manager_start
    drover_start --workers 2 "$SITE"
    (($(master_sends) >= 1)) # what would have been seen
}
