#!/usr/bin/env bats
#
# Upgrades: the binary that is on disk takes over under load and no request is lost; one that
# cannot changes nothing.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helper's

load helper
load process
load lifecycle

setup() {
    make_site
    copy_drover # to be replaced
}

# upgrade: USR2; returns when the new master serves and the old one is gone. Sets DROVER_PID.
upgrade() {
    act <<'PY'
upgrade()
PY
    follow_upgrade
}

# The server that was upgraded, no child of this shell, stops in order.
stop_upgraded() {
    kill -TERM "$DROVER_PID"
    wait_until "$STOP_SECONDS" is_gone "$DROVER_PID"
    wait_until "$STOP_SECONDS" drover_left_nothing
    logged 'master: stopped: '
}

@test "10 upgrades under load: no request is lost, and kept connections stay" {
    local before
    drover_start --workers 8 "$SITE"
    upgrade # from here on, what it has is inherited
    before=$(belongings)
    both_begin
    act <<'PY'
for _ in range(10):
    upgrade()
    time.sleep(0.05) # so that clients come meanwhile
PY
    follow_upgrade
    nothing_is_lost
    keeps_belongings "$before"
    stop_upgraded
}

@test "upgrades under load at a unix socket: no request is lost, and kept connections stay" {
    local before
    drover_start --listen "unix:$BATS_TEST_TMPDIR/socket" --workers 4 "$SITE"
    upgrade
    before=$(belongings)
    both_begin
    act <<'PY'
for _ in range(5):
    upgrade()
    time.sleep(0.05)
PY
    follow_upgrade
    nothing_is_lost
    keeps_belongings "$before"
    stop_upgraded
    [[ ! -e $BATS_TEST_TMPDIR/socket ]]
}

@test "the new one is the binary that is on disk then" {
    drover_start --workers 2 "$SITE"
    cp "$DROVER" "$DROVER.new"
    mv "$DROVER.new" "$DROVER"
    upgrade
    [[ $DROVER -ef /proc/$DROVER_PID/exe ]]
    [[ $(fetch /hello.txt) == hello ]]
}

@test "more workers and fewer in the file of the new one: no request is lost" {
    local n
    printf '%s\n' 'workers = 4' "root = $SITE" >"$BATS_TEST_TMPDIR/conf"
    drover_start --listen 127.0.0.1:0 -c "$BATS_TEST_TMPDIR/conf"
    both_begin
    for n in 8 2 1 5; do
        printf '%s\n' "workers = $n" "root = $SITE" >"$BATS_TEST_TMPDIR/conf"
        upgrade
        wait_until 10 has_workers "$n"
    done
    nothing_is_lost
    # a slot's sockets stay: one that is left still has a queue
    assert_equal "$(listeners)" 8
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        [[ $(fetch /hello.txt) == hello ]]
    done
    stop_upgraded
}

@test "the pid file and what signals do follow the new one" {
    drover_start --workers 2 --pidfile "$BATS_TEST_TMPDIR/pid" "$SITE"
    upgrade
    assert_equal "$(<"$BATS_TEST_TMPDIR/pid")" "$DROVER_PID"
    act <<'PY'
reload()
scale(2, 3)
wait(has_workers(3))
scale(3, 2)
wait(has_workers(2))
os.kill(children(master)[0], signal.SIGKILL)
wait(lambda: lines("ended: killed by SIGKILL"))
wait(has_workers(2))
PY
    drover serve --listen 127.0.0.1:0 --pidfile "$BATS_TEST_TMPDIR/pid" "$SITE"
    assert_equal "$status" 69
    assert_output --partial "is held by pid $DROVER_PID"
    stop_upgraded
    [[ ! -e $BATS_TEST_TMPDIR/pid ]]
}

# cannot_upgrade TEXT: USR2 changes nothing, and a line says why.
cannot_upgrade() {
    local log nothing='upgrade: nothing is changed'
    log=$(wc -l <"$DROVER_LOG")
    kill -USR2 "$DROVER_PID"
    wait_until 10 logged_times $((CANNOT + 1)) "$nothing"
    CANNOT=$((CANNOT + 1))
    tail -n "+$((log + 1))" "$DROVER_LOG" | grep -F "$nothing" | grep -F -e "$1" ||
        fail "the log does not say: $1"
    keeps_belongings "$BEFORE"
    assert_equal "$(workers)" "$WORKERS"
}

# binary TEXT: what is on disk now is a script.
binary() {
    printf '%s\n' "$@" >"$DROVER.new"
    chmod 755 "$DROVER.new"
    mv "$DROVER.new" "$DROVER"
}

@test "10 upgrades that fail under load: nothing is changed, nothing is lost, a line says why" {
    local good=$BATS_TEST_TMPDIR/good
    CANNOT=0
    cp "$DROVER" "$good"
    printf '%s\n' 'workers = 4' "root = $SITE" >"$BATS_TEST_TMPDIR/conf"
    drover_start --listen 127.0.0.1:0 -c "$BATS_TEST_TMPDIR/conf" --start-timeout 2s
    reload
    BEFORE=$(belongings) WORKERS=$(workers)
    both_begin
    rm "$DROVER"
    cannot_upgrade 'No such file or directory'
    mkdir "$DROVER"
    cannot_upgrade 'Permission denied'
    rmdir "$DROVER"
    cp "$good" "$DROVER"
    chmod 644 "$DROVER"
    cannot_upgrade 'Permission denied'
    binary 'no program'
    cannot_upgrade 'Exec format error'
    # shellcheck disable=SC2016 # for the script
    binary '#!/bin/sh' 'kill -SEGV $$'
    cannot_upgrade 'killed by SIGSEGV'
    binary '#!/bin/sh' 'exit 0'
    cannot_upgrade 'exit status 0'
    binary '#!/bin/sh' 'exit 3'
    cannot_upgrade 'exit status 3'
    binary '#!/bin/sh' 'exec sleep 60'
    cannot_upgrade 'is not ready after 2000 ms'
    cp "$good" "$DROVER.new"
    mv "$DROVER.new" "$DROVER"
    echo 'workers = no' >>"$BATS_TEST_TMPDIR/conf"
    cannot_upgrade 'EX_CONFIG'
    printf '%s\n' 'workers = 4' "root = $SITE/none" >"$BATS_TEST_TMPDIR/conf"
    cannot_upgrade 'exit status'
    nothing_is_lost
    # and then one that does not
    printf '%s\n' 'workers = 4' "root = $SITE" >"$BATS_TEST_TMPDIR/conf"
    upgrade
    [[ $(fetch /hello.txt) == hello ]]
    stop_upgraded
}

# The first of its workers is ready, and the others never are.
half_ready() {
    cat >"$BATS_TEST_TMPDIR/half.c" <<'C'
#include <drover.h>
#include <fcntl.h>
#include <unistd.h>
static int start(void *context, struct drover_worker *worker, char why[DROVER_WHY_SIZE])
{
    (void)context, (void)worker, (void)why;
    while (open("half.lock", O_CREAT | O_EXCL | O_CLOEXEC, 0600) < 0)
        pause();
    return 0;
}
static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    (void)context, (void)request;
    drover_response_body(response, "new", 3);
}
static const struct drover_app app = {.name = "half", .worker_start = start, .handle = handle};
DROVER_MODULE(app);
C
    "${CC:-cc}" -shared -fPIC -I "$BATS_TEST_DIRNAME/../../include" -o "$BATS_TEST_TMPDIR/half.so" \
        "$BATS_TEST_TMPDIR/half.c"
    binary '#!/bin/sh' "cd '$BATS_TEST_TMPDIR' || exit 1" \
        "exec '$1' serve --listen ${DROVER_ADDR} --workers 4 --app ./half.so"
}

@test "a new one that is half ready answers nobody, and is given up without a loss" {
    local good=$BATS_TEST_TMPDIR/good
    cp "$DROVER" "$good"
    drover_start --listen 127.0.0.1:0 --workers 4 --start-timeout 2s "$SITE"
    half_ready "$good"
    both_begin
    kill -USR2 "$DROVER_PID"
    wait_until 10 test -e "$BATS_TEST_TMPDIR/half.lock"
    wait_until 10 logged 'is not ready after 2000 ms'
    nothing_is_lost
    [[ $(fetch /hello.txt) == hello ]]
}

@test "an upgrade in the middle of a reload, and a reload in the middle of an upgrade" {
    drover_start --workers 4 "$SITE"
    both_begin
    act <<'PY'
for i in range(6):
    tell(signal.SIGHUP)
    time.sleep(i / 2000) # it is met at another point each time
    upgrade()
    wait(has_workers(4))
for i in range(6):
    # the upgrade begins anew, or had come to its end: then the reload is the new one's
    def meanwhile():
        tell(signal.SIGUSR2)
        time.sleep(i / 500)
        tell(signal.SIGHUP)
    old = master
    expect(f"; pid {old} leaves when", meanwhile)
    follow(old)
    wait(lambda: is_gone(old))
    wait(has_workers(4))
PY
    follow_upgrade
    nothing_is_lost
    stop_upgraded
}

@test "downloads and idle connections at an upgrade: the old one waits for the ones, the new one has the others" {
    drover_start --workers 2 "$SITE"
    head -c 24M /dev/urandom >"$SITE/slow.bin"
    act "$DROVER_ADDR" "$SITE/slow.bin" <<'PY'
def get(s):
    ask(s, close=False)
    assert b"connection: close" not in begin(s).lower()
    rest(s, 6)

idle = [connect(args[0]) for _ in range(50)]
for s in idle:
    get(s)
slow = connect(args[0], 20)
ask(slow, "/slow.bin", close=False)
begin(slow)
first = master
upgrade(then=lambda old: None)
for s in idle:
    get(s)
assert not is_gone(first), "the old master has left while a download is under way"
upgrade() # once more, which the first one has nothing to do with
for s in idle:
    get(s)
assert not is_gone(first)
rest(slow, 24 << 20)
get(slow)
wait(lambda: is_gone(first))
PY
    follow_upgrade
    stop_upgraded
}

# unseen_end [SIGNAL]: the new master gets ready and is killed while the old one sees nothing, and has
# this signal to read first; returns when the old one has told what became of it.
unseen_end() {
    local good=$BATS_TEST_TMPDIR/good new go=$BATS_TEST_TMPDIR/go
    cp "$DROVER" "$good"
    DROVER_UNDER=(setsid) # a signal to its process group is none to the tests
    drover_start --workers 2 "$SITE"
    BEFORE=$(belongings)
    binary '#!/bin/sh' "while [ ! -e '$go' ]; do sleep 0.01; done" \
        "exec '$good' serve --listen $DROVER_ADDR --workers 2 '$SITE'"
    kill -USR2 "$DROVER_PID"
    wait_until 10 logged 'upgrade: pid '
    new=$(sed -n 's/.* upgrade: pid \([0-9]*\) runs.*/\1/p' "$DROVER_LOG")
    kill -STOP "$DROVER_PID"
    wait_until 10 in_state T "$DROVER_PID"
    [[ -z ${1:-} ]] || kill -s "$1" "$DROVER_PID"
    : >"$go"
    wait_until 10 logged 'new master: serving '
    wait_until 10 in_state S "$new" # it has said so, and waits for the answer
    kill -KILL "$new"
    wait_until 10 has_zombie
    kill -CONT "$DROVER_PID"
    wait_until 10 logged 'upgrade: nothing is changed'
}

@test "a new one that is killed as soon as it is ready changes nothing" {
    unseen_end
    logged 'the new server ended as soon as it was ready'
    [[ $(fetch /hello.txt) == hello ]]
    keeps_belongings "$BEFORE"
    "$BATS_TEST_TMPDIR/good" reload --control "$XDG_RUNTIME_DIR/drover-$DROVER_PID.control" 3>&-
    drover_stop
    assert_equal "$(ls "$XDG_RUNTIME_DIR")" ''
}

@test "a new one whose end is seen before its being ready changes nothing" {
    unseen_end USR1
    logged 'the new server ended as soon as it was ready'
    assert_equal "$(count_logged 'nothing is changed')" 1
    [[ $(fetch /hello.txt) == hello ]]
    keeps_belongings "$BEFORE"
    drover_stop
}

@test "a stop in the middle of an upgrade leaves nothing" {
    local after
    for after in 0 2 5 9; do
        drover_start --workers 2 --drain-timeout 5s "$SITE"
        kill -USR2 "$DROVER_PID"
        sleep "0.00$after" # it is met at another point each time
        kill -TERM "$DROVER_PID" 2>/dev/null || true # it may have left already
        wait_until 20 is_gone "$DROVER_PID"
        # it may have handed over before it heard of the stop: then that is for the new one
        ! follow_upgrade || kill -TERM "$DROVER_PID" || true
        wait_until 20 drover_left_nothing
        : >"$DROVER_LOG"
    done
}

# bats test_tags=nosan,alone
@test "8 workers of the new one serve within 10 ms" {
    local ms
    drover_start --workers 8 "$SITE"
    for _ in 1 2 3; do
        ms=$(act <<'PY'
def stamp(text):
    with open(log) as f:
        line = [line for line in f if text in line][-1]
    hours, minutes, seconds = line.split()[1].split(":")
    return (int(hours) * 60 + int(minutes)) * 60 + float(seconds)

times = []
for _ in range(7):
    upgrade()
    times.append(round(1000 * (stamp(f"upgrade: pid {master} serves") -
                               stamp(f"upgrade: pid {master} runs"))) % 86400000)
print(*times)
PY
        )
        follow_upgrade
        tell "the new one served after $ms ms"
        # shellcheck disable=SC2086 # numbers
        (($(median $ms) > 10)) || return 0
    done
    fail "$ms ms"
}

# bats test_tags=nosan,alone
@test "p99 during upgrades is at most 3 times the quiet one" {
    drover_start --workers 8 "$SITE"
    for _ in 1 2 3; do
        quiet_and_busy <<'PY'
upgrade()
PY
        follow_upgrade || true
        ((BUSY > 3 * QUIET)) || return 0
    done
    fail "$BUSY us instead of $QUIET us"
}
