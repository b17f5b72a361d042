#!/usr/bin/env bash
#
# manager - a service manager for the tests, on top of helper.bash: it does no more than receive
# what sd_notify(3) sends, and writes it down. A stopped one (SIGSTOP) is a manager that is stuck.

# manager_start [@NAME]: starts it, at a path without a name, and servers find it from then on.
# Sets MANAGER_PID and MESSAGES, a file with a line a message: microseconds of CLOCK_MONOTONIC, the
# sender's pid, how many descriptors came with it, and the text with | between its lines.
#
# Descriptors are closed when the message has been written down, but for while $MANAGER_HOLDS is a
# file.
manager_start() {
    MESSAGES=$BATS_TEST_TMPDIR/messages MANAGER_HOLDS=$BATS_TEST_TMPDIR/holds
    export NOTIFY_SOCKET=${1:-$BATS_TEST_TMPDIR/notify}
    "$PYTHON" -c "$MANAGER" "$NOTIFY_SOCKET" "$MESSAGES" "$MANAGER_HOLDS" 3>&- 4>&- &
    # shellcheck disable=SC2034 # for the test
    MANAGER_PID=$!
    wait_until "$READY_SECONDS" test -e "$MESSAGES"
}

MANAGER='
import array, os, select, socket, struct, sys, time

name, messages, holds = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind("\0" + name[1:] if name[0] == "@" else name)
held = []
with open(messages, "w", buffering=1) as out:
    while True:
        if select.select([s], [], [], 0.01)[0]:
            text, control, _, _ = s.recvmsg(8192, 4096)
            now, pid, fds = time.monotonic_ns() // 1000, 0, array.array("i")
            for level, kind, data in control:
                if kind == socket.SCM_RIGHTS:
                    fds.frombytes(data[:len(data) // 4 * 4])
                elif kind == socket.SCM_CREDENTIALS:
                    pid = struct.unpack("3i", data)[0]
            line = text.decode().replace("\n", "|")
            out.write(f"{now} {pid} {len(fds)} {line}\n")
            held += fds
        if not os.path.exists(holds):
            for fd in held:
                os.close(fd)
            held = []
'

# told TEXT: has it been told so? A message that is, or has, this line; for wait_until. Words of a
# line alone are found too.
told() {
    grep -qF -e "$1" "$MESSAGES"
}

count_told() {
    grep -cF -e "$1" "$MESSAGES" || true
}

# told_times N TEXT: so many times, or more.
told_times() {
    (($(count_told "$2") >= $1))
}

# The messages, without their times, pids and descriptors.
messages() {
    cut -d ' ' -f 4- "$MESSAGES"
}

# The words of each message that tells a state, one a line: without STATUS=, pings and what is stored.
states() {
    messages | sed 's/|STATUS=.*//' | grep -vE '^(STATUS=|WATCHDOG=1|FDSTORE)'
}

# The last STATUS=.
status_told() {
    sed -n 's/.*STATUS=//p' "$MESSAGES" | tail -n 1
}

# status_is TEXT: the last one has it. For wait_until.
status_is() {
    [[ $(status_told) == *"$1"* ]]
}

# status_ends TEXT: the last one ends so.
status_ends() {
    [[ $(status_told) == *"$1" ]]
}

# senders TEXT: the pids that told so, one a line.
senders() {
    grep -F -e "$1" "$MESSAGES" | cut -d ' ' -f 2
}

# times_of TEXT: when, in microseconds.
times_of() {
    grep -F -e "$1" "$MESSAGES" | cut -d ' ' -f 1
}

# ms_between TEXT: the milliseconds from each to the next.
ms_between() {
    times_of "$1" | awk 'NR > 1 { printf "%d\n", ($1 - last) / 1000 } { last = $1 }'
}
