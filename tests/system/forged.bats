#!/usr/bin/env bats
#
# What a worker says of standbys and successors, its own and others', is not trusted.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load process
load lifecycle
load faulty
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
    return len(workers()) == 3 and all(standby_of(pid) for pid in workers().values())

before = ours()
assert len(before) == 7, before
targets = [0, 1, -1, 2**31 - 1, master, os.getpid(), int(args[1]), *before]
for pid in targets:
    assert fetch(args[0], f"/forge?{pid}")[1] == b"forged\n"
fetch(args[0], "/who")
assert ours() == before, (before, ours())

for pid in targets:
    wait(are_all_there)
    before = ours()
    s = connect(args[0], 20)
    ask(s, f"/die?{pid}", close=False)
    try:
        assert s.recv(1) == b"", "it was answered"
    except ConnectionResetError:
        pass
    wait(are_all_there)
    gone = before - ours()
    # the worker; and its standby, if it is said to have failed
    assert 1 <= len(gone) <= (2 if pid <= 0 else 1), (pid, gone)
os.kill(int(args[1]), 0)
os.kill(master, 0)
PY
    kill "$BYSTANDER"
    drover_stop
    assert_equal "$status" 0
}
