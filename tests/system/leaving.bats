#!/usr/bin/env bats
#
# A worker that is told to leave, and hangs, is stopped or ends before it has given away what rests
# with it: its standby's successor does that.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load standby

setup() {
    make_site
}

# For act(). What hangs does so for a minute: who waits for it fails, however late the machine is.
MOMENTS+='
def resting_at(address, pid, count):
    """So many connections that rest with this worker."""
    found = []
    while len(found) < count:
        s, = kept(address)
        if who(s) == pid:
            found.append(s)
    return found

def row_of(pid):
    said = subprocess.run([os.environ["BOARD"], str(master)], stdout=subprocess.PIPE, check=True)
    row = re.search(f"worker (\\d+) pid {pid} ", said.stdout.decode())[1]
    return board()[int(row)]

def hang(pid, s, ms=60000):
    """In a handler that this connection asks for, and with it all of its worker."""
    ask(s, f"/block?{ms}", close=False)
    wait(lambda: row_of(pid)["busy"] >= 10)

def hung(address, slot, count=8):
    """Its worker, which hangs, and connections that rest there."""
    pid, _ = wait_for_pair(slot)
    waiting = resting_at(address, pid, count + 1)
    sleeps(pid)
    hang(pid, waiting.pop())
    return pid, waiting

def are_answered(waiting, pid):
    """All, on their connections, by others than this worker."""
    for s in waiting:
        ask(s, "/who", close=False)
    found = {int(answer(s)[1]) for s in waiting}
    assert pid not in found, (pid, found)
'

# bats test_tags=nosan
@test "a reload, or one worker less, while it hangs: others go on with what rests with it" {
    faulty --workers 2 --hang-timeout 0
    act "$DROVER_ADDR" <<'PY'
for act in reload, lambda: scale(2, 1):
    pid, waiting = hung(args[0], 1)
    act()
    are_answered(waiting, pid)
    assert not is_gone(pid)
    kill(pid, signal.SIGKILL)
PY
}

# bats test_tags=nosan
@test "an upgrade or a stop while a worker hangs: the same" {
    faulty --workers 2 --hang-timeout 0
    act "$DROVER_ADDR" <<'PY'
pid, waiting = hung(args[0], 1)
upgrade(lambda old: None)
are_answered(waiting, pid)
assert not is_gone(pid)
kill(pid, signal.SIGKILL)

pid, waiting = hung(args[0], 1)
expect("stopping on SIGTERM", lambda: tell(signal.SIGTERM))
are_answered(waiting, pid)
assert not is_gone(pid)
kill(pid, signal.SIGKILL)
wait(lambda: is_gone(master))
PY
}

@test "a worker that is stopped while the one that is to replace it starts: the same" {
    export HANG_START_US=2000000 # which it is to be stopped in
    faulty --workers 1 --hang-timeout 30s
    act "$DROVER_ADDR" <<'PY'
pid, _ = wait_for_pair(0)
waiting = resting_at(args[0], pid, 8)
sleeps(pid)
kill(pid, signal.SIGTERM)
wait(lambda: len(slots()) == 2)
expect("was stopped", lambda: kill(pid, signal.SIGSTOP))
are_answered(waiting, pid)
assert not is_gone(pid)
kill(pid, signal.SIGCONT)
wait(lambda: is_gone(pid))
PY
}

# bats test_tags=nosan
@test "a worker that hangs, is told to leave, and is killed: the same" {
    local before
    faulty --workers 2
    before=$(belongings)
    act "$DROVER_ADDR" <<'PY'
for _ in range(3):
    pid, waiting = hung(args[0], 1)
    reload()
    kill(pid, signal.SIGKILL)
    are_answered(waiting, pid)
PY
    keeps_belongings "$before"
}

# bats test_tags=nosan
@test "one that comes back answers what it is at, and leaves" {
    local before
    faulty --workers 1
    before=$(belongings)
    act "$DROVER_ADDR" <<'PY'
pid, _ = wait_for_pair(0)
*waiting, at = resting_at(args[0], pid, 9)
sleeps(pid)
hang(pid, at, 2000)
reload()
are_answered(waiting, pid)
assert answer(at) == (200, b"was blocked\n")
wait(lambda: is_gone(pid))
PY
    keeps_belongings "$before"
    assert_equal "$(count_logged 'not left in time')" 0
}

@test "who leaves and does not hang is not superseded, and has no standby any more" {
    local before
    drover_start --workers 2 "$SITE"
    wait_until 10 has_standbys 2
    before=$(belongings)
    load_begin kept --clients 16
    act <<'PY'
for _ in range(5):
    reload()
PY
    load_stop kept
    assert_equal "$LOST $CAUSES $OPENED" '0  16'
    keeps_belongings "$before"
    assert_equal "$(count_logged 'superseded')" 0
}
