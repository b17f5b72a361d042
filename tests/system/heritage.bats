#!/usr/bin/env bats
#
# What the kernel would have ended with a worker, and its standby's table keeps alive, does not come
# to a successor: record locks, robust mutexes, numbers of descriptors that the worker had closed.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load process
load lifecycle
load faulty
load standby

setup() {
    export HOLDS_FILE=$BATS_TEST_TMPDIR/held
    drover_start --workers 1 --app "${DROVER%/*}/apps/holds.so"
    wait_until 10 has_standbys 1
}

# For act().
MOMENTS+='
def dies(address, path):
    """The worker that is asked for it; its successor."""
    return succeeded(0, lambda: (ask(s := connect(address, 20), path, close=False), ends(s)))[0]
'

@test "a robust mutex whose owner has ended is left behind, be that a successor, too" {
    act "$DROVER_ADDR" <<'PY'
for round in range(3):
    dies(args[0], "/enter")
    s = connect(args[0], 20)
    assert goes_on(s, "/try") == b"left behind\n", round
    s.close()
PY
}
