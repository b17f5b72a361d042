#!/usr/bin/env bash
#
# faulty - what the tests of workers that die, hang, grow or are full share, on top of lifecycle:
# what the board says of them, and a server of tests/apps/hang.c.

: "${BOARD:=${DROVER%/*}/board}"

# ---- the board --------------------------------------------------------------------------------

# board: all that it says.
board() {
    "$BOARD" "$DROVER_PID"
}

# board_row SLOT NAME: that figure of the slot's row.
board_row() {
    board | awk -v slot="$1" -v name="$2" '$1 == "row" && $2 == slot {
        for (i = 3; i < NF; i += 2) if ($i == name) print $(i + 1) }'
}

# board_sum row|slot NAME: that figure of all of them.
board_sum() {
    board | awk -v kind="$1" -v name="$2" '$1 == kind {
        for (i = 3; i < NF; i += 2) if ($i == name) sum += $(i + 1) } END { print sum + 0 }'
}

# board_has SUM row|slot NAME: is it that at least? For wait_until.
board_has() {
    (($(board_sum "$2" "$3") >= $1))
}

# ---- a server with an application that has faults ---------------------------------------------

# faulty ARGS...: a server of tests/apps/hang.c, whose /1k.bin is SITE/1k.bin, too.
faulty() {
    SITE=$BATS_TEST_TMPDIR/site
    mkdir -p "$SITE"
    drover_start --app "${DROVER%/*}/apps/hang.so" "$@"
    fetch /1k.bin --output "$SITE/1k.bin"
}

# fault PATH: asks for it, and does not wait for the answer.
fault() {
    fetch "$1" --output /dev/null 2>/dev/null 3>&- 4>&- &
}

# ---- moments ----------------------------------------------------------------------------------

# For act(): what the board says, and single workers.
export BOARD
MOMENTS+='
import subprocess

def board():
    """Row by row, what the board says of it."""
    lines = subprocess.run([os.environ["BOARD"], str(master)], stdout=subprocess.PIPE, check=True)
    rows = [line.split() for line in lines.stdout.decode().splitlines() if line[:3] == "row"]
    return {int(row[1]): dict(zip(row[2::2], map(int, row[3::2]))) for row in rows}

def workers():
    """The pids of the workers by their slots; zombies have no place among them."""
    found = {}
    for pid in children(master):
        try:
            with open(f"/proc/{pid}/stat") as f:
                name, rest = f.read().split("(", 1)[1].rsplit(") ", 1)
        except OSError:
            continue
        if name[:12] == "drover:slot " and rest[0] != "Z":
            found[int(name[12:])] = pid
    return found

def is_ready(pid):
    """Says the board that it accepts, and stays? The successor of one that was leaving leaves, too."""
    said = subprocess.run([os.environ["BOARD"], str(master)], stdout=subprocess.PIPE, check=True)
    return any(line.startswith("worker ") and f" pid {pid} " in line and " ready 1 leaving 0 " in line
               for line in said.stdout.decode().splitlines())

def some_worker():
    """Slot and pid of any."""
    wait(workers)
    return random.choice(list(workers().items()))

def kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass

def held():
    """The connections of each worker, the most first."""
    return sorted((row["connections"] for row in board().values()), reverse=True)
'

# kills TIMES MS: so many times SIGKILL to a worker that accepts, with so many milliseconds in between, also
# where one is late: what a successor has of another is lost if it ends while it starts. Sets HELD: the
# connections that these workers had, all together.
kills() {
    # shellcheck disable=SC2034 # for the test
    HELD=$(
        act "$1" "$2" <<'PY'
times, pace = int(args[0]), int(args[1]) / 1000
lost = 0
for i in range(times):
    time.sleep(pace)
    slot, pid = some_worker()
    while not is_ready(pid):
        slot, pid = some_worker()
    lost += board()[slot]["connections"]
    kill(pid, signal.SIGKILL)
print(lost)
PY
    )
}
