#!/usr/bin/env bats
#
# Standbys and successors beside everything else that happens to a server: reloads, upgrades, stops,
# its own death, what runs out, what is written; and the switch.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load standby

setup() {
    make_site
}

# ---- beside the other moments -------------------------------------------------------------------

@test "reloads, scales, upgrades and leaves under kills: only what was in the middle is lost" {
    local kills=24
    drover_start --workers 4 "$SITE"
    wait_until 10 has_standbys 4
    load_begin kept --clients 32
    load_begin short --close --clients 32
    act "$kills" <<'PY'
def kill_some(count):
    for _ in range(count):
        slot, pid = some_worker()
        kill(pid, signal.SIGKILL)
        time.sleep(0.05) # the pace

for round in range(int(args[0]) // 8):
    tell(signal.SIGHUP)
    kill_some(2)
    tell(signal.SIGTTIN)
    kill_some(2)
    tell(signal.SIGTTOU)
    kill_some(2)
    slot, pid = some_worker()
    kill(pid, signal.SIGTERM)
    kill_some(2)
wait(lambda: len(workers()) == 4)
reload()
PY
    load_stop kept
    ((LOST <= kills * 32 / 4))
    assert_equal "$(caused kept refused silent wrong_status wrong_body malformed)" 0
    load_stop short
    assert_equal "$(caused short refused silent wrong_status wrong_body malformed)" 0
    drover_stop
    assert_equal "$status" 0
}

@test "after a kill a server is upgraded without a loss, and after the upgrade a kill costs nothing more" {
    drover_start --workers 2 "$SITE"
    wait_until 10 has_standbys 2
    load_begin kept --clients 16
    load_begin short --close --clients 16
    act <<'PY'
upgrade()
wait_for_pair(0)
wait_for_pair(1)
PY
    wait_until 10 follow_upgrade
    nothing_is_lost_of 16
    act "$DROVER_ADDR" <<'PY'
waiting = kept(args[0], 16)
assert kill_worker(0)[1] + kill_worker(1)[1] == 16
upgrade()
for s in waiting:
    ask(s)
    assert answer(s)[0] == 200
PY
    wait_until 10 follow_upgrade
    drover_stop
}

@test "a successor leaves as any worker does: at a reload its connections go to the new one" {
    drover_start --workers 2 "$SITE"
    act "$DROVER_ADDR" <<'PY'
waiting = kept(args[0], 32)
for round in range(3):
    assert kill_worker(0)[1] + kill_worker(1)[1] == 32
    reload()
    for s in waiting:
        goes_on(s)
kill_worker(0)
old = workers()[0]
kill(old, signal.SIGTERM)
wait(lambda: is_gone(old))
for s in waiting:
    goes_on(s)
PY
    drover_stop
    assert_equal "$status" 0
}

@test "a slot that was made after a standby is the successor's to serve, too" {
    drover_start --workers 1 "$SITE"
    act "$DROVER_ADDR" <<'PY'
scale(1, 2)
kill_worker(0)
# Who comes while the master sleeps is in the queue of the slot whose worker does not read it.
mine, other = wait_for_pair(0), wait_for_pair(1)
os.kill(master, signal.SIGSTOP)
for pid in other:
    kill(pid, signal.SIGSTOP)
wait(lambda: all(letter(pid) == "T" for pid in other + (master,)))
clients = [connect(args[0], 20) for _ in range(32)]
for s in clients:
    ask(s)
os.kill(master, signal.SIGCONT)
for s in clients:
    assert answer(s)[0] == 200
PY
}

@test "a stop in the middle of successions leaves nothing behind" {
    STOP_SECONDS=15 # the drain's half one, and a busy machine's
    for ((i = 0; i < 4; i++)); do
        drover_start --workers 4 --drain-timeout 500ms "$SITE"
        kill -KILL "$(worker_of 0)" "$(worker_of 1)"
        kill -STOP "$(worker_of 2)"
        for ((j = 0; j < i; j++)); do
            : "$(:)" # later each time, by a fork's time
        done
        drover_stop
        assert_equal "$status" 0
    done
}

@test "without --hang-timeout and --drain-timeout a superseded worker keeps nobody from stopping" {
    drover_start --workers 2 --hang-timeout 0 --drain-timeout 0 "$SITE"
    wait_until 10 has_standbys 2
    kill -STOP "$(worker_of 0)"
    wait_until 10 logged ' goes on with 0 connections'
    drover_stop
    assert_equal "$status" 0
}

@test "kill -9 of the master ends standbys, successors, superseded ones" {
    for ((i = 0; i < 6; i++)); do
        drover_start --workers 4 --user nobody "$SITE"
        kill -KILL "$(worker_of 0)" "$(worker_of 1)"
        kill -STOP "$(worker_of 2)"
        for ((j = 0; j < i; j++)); do
            : "$(:)"
        done
        kill -KILL "$DROVER_PID"
        wait_until 5 drover_left_nothing
    done
}

@test "without a descriptor for it there is no successor but a worker, later; and then a pair" {
    drover_start --workers 2 "$SITE"
    wait_until 10 has_standbys 2
    prlimit --pid "$DROVER_PID" --nofile="$(lowest_free_fd "$DROVER_PID"):"
    kill -KILL "$(worker_of 0)"
    wait_until 10 logged 'ended: killed by SIGKILL'
    for ((i = 0; i < 16; i++)); do
        assert_equal "$(fetch /hello.txt)" hello
    done
    prlimit --pid "$DROVER_PID" --nofile=1000:
    wait_until 20 has_workers 2
    wait_until 20 has_standbys 2
}

@test "without a process for it a worker goes on without a standby, and the log says so once" {
    copy_drover
    # a uid that nobody else has: the limit counts the processes of the user
    DROVER_UNDER=(setpriv --reuid=54323 --regid=54323 --clear-groups prlimit --nproc=3:100)
    drover_start --workers 2 "$SITE"
    wait_until 10 logged 'standby'
    assert_equal "$(standbys | wc -l)" 0
    kill_worker 0
    assert_equal "$(fetch /hello.txt)" hello
    drover_stop
    assert_equal "$status" 0
}

# ---- what is written, and the switch ------------------------------------------------------------

@test "the access log has a line for each answer, the dead worker's and its successor's; after USR1 in the new file" {
    local access=$BATS_TEST_TMPDIR/access
    drover_start --workers 1 --access-log "$access" "$SITE"
    act "$DROVER_ADDR" "$access" <<'PY'
def count(name):
    with open(name) as f:
        return sum(1 for _ in f)

waiting, path = kept(args[0], 8), args[1]
for round in range(4):
    kill_worker(0)
    for s in waiting:
        goes_on(s)
wait(lambda: count(path) == 40)
os.rename(path, path + ".1")
tell(signal.SIGUSR1)
wait(lambda: os.path.exists(path))
kill_worker(0)
for s in waiting:
    goes_on(s)
wait(lambda: count(path) == 8)
assert count(path + ".1") == 40
PY
}

@test "status tells of standbys and of what they kept" {
    drover_start --workers 2 "$SITE"
    act "$DROVER_ADDR" <<'PY'
wait_for_pair(0), wait_for_pair(1)
waiting = kept(args[0], 8)
kill_worker(0), kill_worker(1)
PY
    run -0 "$DROVER" status
    assert_output --partial standby
    run -0 "$DROVER" status --json
    assert_equal "$(jq '[.. | objects | .standby? | numbers | select(. > 0)] | length' \
        <<<"$output")" 2
}

@test "--standby off makes none, a reload that says on does" {
    local conf=$BATS_TEST_TMPDIR/conf
    printf '%s\n' 'workers = 2' "root = $SITE" 'standby = off' >"$conf"
    drover_start -c "$conf"
    assert_equal "$(standbys)" ''
    kill_worker 0
    assert_equal "$(standbys)" ''
    logged 'ended: killed by SIGKILL; the next one comes at once'
    sed -i 's/off/on/' "$conf"
    reload
    wait_until 10 has_standbys 2
    sed -i 's/on$/off/' "$conf"
    reload
    wait_until 10 has_standbys 0
}
