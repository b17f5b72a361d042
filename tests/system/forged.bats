#!/usr/bin/env bats
#
# What a worker says of standbys and successors, its own and others', is not trusted.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load standby

@test "a worker that lies about its standby, or ends with such a lie, costs nobody else a process" {
    sleep 300 3>&- &
    BYSTANDER=$!
    drover_start --workers 3 --admin 127.0.0.1:0 --app "${DROVER%/*}/apps/forges.so"
    wait_until 10 has_standbys 3
    act "$DROVER_ADDR" "$BYSTANDER" <<'PY'
def ours():
    return {pid for pid in [*children(master), *standbys(master)] if not is_gone(pid)}

def are_all_there():
    """And none of them leaves."""
    all_of = workers().values()
    return len(all_of) == 3 and all(is_ready(pid) and standby_of(pid) for pid in all_of)

before = ours()
assert len(before) == 7, before
targets = [0, 1, -1, 2**31 - 1, master, os.getpid(), int(args[1]), *before]
for pid in targets:
    assert fetch(args[0], f"/forge?{pid}")[1] == b"forged\n"
fetch(args[0], "/who")
assert ours() == before, (before, ours())

for pid in targets[:1] + targets[2:3] + targets[4:5] + targets[6:10]:
    wait(lambda: are_all_there() and len(ours()) == 7)
    before = ours()
    s = connect(args[0], 20)
    victim = who(s)
    own = {victim, standby_of(victim)}
    ask(s, f"/die?{pid}", close=False)
    try:
        assert s.recv(1) == b"", "it was answered"
    except ConnectionResetError:
        pass
    wait(are_all_there)
    # its standby, too, if it is said to have failed, or the worker has ended too often
    gone = before - ours()
    assert victim in gone and gone <= own, (pid, gone, own)
os.kill(int(args[1]), 0)
os.kill(master, 0)
PY
    kill "$BYSTANDER"
    drover_stop
    assert_equal "$status" 0
}

@test "a worker that scrawls over its desk, and ends, has a successor that serves, and has the log" {
    local access=$BATS_TEST_TMPDIR/access
    drover_start --workers 2 --access-log "$access" --app "${DROVER%/*}/apps/forges.so" \
        --listen 127.0.0.1:0,defer=no --listen "unix:$BATS_TEST_TMPDIR/s"
    wait_until 10 has_standbys 2
    act "${DROVER_ADDRS[@]}" "$access" <<'PY'
addresses, access = args[:-1], args[-1]

def lines_there():
    with open(access) as f:
        return sum(1 for _ in f)

scale(2, 3) # its doors are in nobody's memory of before
for slot in range(3):
    wait_for_pair(slot)
for round in range(3):
    s = connect(addresses[0], 20)
    pid = who(s)
    slot, = [slot for slot, other in workers().items() if other == pid]
    succeeded(slot, lambda: ask(s, "/scrawl", close=False))
    for slot in range(3):
        wait_for_pair(slot)
before = lines_there()
for address in addresses:
    clients = kept(address, 32, "/who")
    assert {who(s) for s in clients} <= set(workers().values())
assert len(workers()) == 3
wait(lambda: lines_there() == before + 128)
kill_worker(0)
reload()
PY
    drover_stop
    assert_equal "$status" 0
}
