#!/usr/bin/env bash
#
# process - what the tests of processes, signals and the command line share, on top of helper.bash:
# `load helper`, then `load process`.

: "${SAN:=}"
: "${BOARD:=${DROVER%/*}/board}"

# ---- servers ----------------------------------------------------------------------------------

# drover ARGS...: runs it to its end, which must come soon; `status`, and `output` with stdout and
# stderr together. For what must be refused or only prints something.
drover() {
    run timeout --kill-after=1 20 "$DROVER" "$@" 3>&- 4>&-
}

# drover_launch ARGS...: as drover_start, but does not wait: for a server that will not get ready.
drover_launch() {
    drover_starts=$((drover_starts + 1))
    DROVER_LOG=$BATS_TEST_TMPDIR/log
    DROVER_MARK=$BATS_TEST_TMPDIR/$drover_starts
    DROVER_TEST=$DROVER_MARK env --default-signal=INT,QUIT "${DROVER_UNDER[@]}" \
        "$DROVER" serve "${DROVER_WITH[@]}" "$@" </dev/null >>"$DROVER_LOG" 2>&1 3>&- 4>&- &
    DROVER_PID=$!
}

# drover_launched [SECONDS]: waits until a launched server serves; DROVER_ADDR and DROVER_URL.
# shellcheck disable=SC2034 # DROVER_URL is the helper's
drover_launched() {
    wait_until "${1:-20}" logged "master: serving "
    DROVER_ADDR=$(sed -n 's,.* master: serving .* at http://\([^/]*\)/.*,\1,p' "$DROVER_LOG")
    DROVER_URL=http://$DROVER_ADDR
}

# copy_drover: a copy that every user may run, in DROVER.
copy_drover() {
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
    cp "$DROVER" "$BATS_TEST_TMPDIR/drover"
    DROVER=$BATS_TEST_TMPDIR/drover
}

# nobody_has PATH: none of the server's processes has the file open. For wait_until.
nobody_has() {
    local pid
    for pid in $(drover_processes); do
        ! find "/proc/$pid/fd" -printf '%l\n' 2>/dev/null | grep -qxF "$1" || return
    done
}

# How often the log holds the text.
count_logged() {
    grep -cF -e "$1" "$DROVER_LOG" || true
}

# logged_times N TEXT: so many lines, or more. For wait_until.
logged_times() {
    (($(count_logged "$2") >= $1))
}

# The pids of the workers that accept, as the master knows them. One that starts has its name before
# that, and what was ROOT then may not be any more when it opens it.
accepting() {
    "$BOARD" "$DROVER_PID" | sed -n 's/^worker .* pid \([0-9]*\) .* ready 1 .*/\1/p'
}

# accept N: so many workers do. For wait_until.
accept() {
    (($(accepting | wc -l) == $1))
}

# slot_has_other SLOT PIDS: it has a worker that accepts, and is not one of these pids. For wait_until.
slot_has_other() {
    local pid inside other
    pid=$(worker_of "$1") || return
    inside=$(sed -n 's/^NSpid:.*\t//p' "/proc/$pid/status") # in the master's namespace
    accepting | grep -qx "$inside" || return
    for other in $2; do
        [[ $pid != "$other" ]] || return
    done
}

# kill_worker SLOT: SIGKILL to its worker; returns when the slot's next one accepts.
kill_worker() {
    local pid
    pid=$(worker_of "$1")
    kill -KILL "$pid"
    wait_until 10 slot_has_other "$1" "$pid"
}

# free_ports N: so many ports that nobody has, of those that the kernel gives nobody who does not ask
# for them by their numbers.
free_ports() {
    "$PYTHON" - "$1" <<'PY' 3>&- 4>&-
import random, socket, sys
with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
    first, last = map(int, f.read().split())
held = []
while len(held) < int(sys.argv[1]):
    port = random.randrange(10000, 65536)
    if first <= port <= last:
        continue
    try:
        held.append(socket.create_server(("127.0.0.1", port)))
    except OSError:
        pass
ports = [s.getsockname()[1] for s in held]
for s in held: # before somebody reads the line
    s.close()
print(*ports)
PY
}

# The listening sockets at the server's port.
listeners() {
    ss --no-header --listening --tcp --numeric "sport = :$(port_of)" | wc -l
}

has_listeners() {
    (($(listeners) == $1))
}

# ---- processes --------------------------------------------------------------------------------

# Is there a zombie among the children of the master?
has_zombie() {
    local pid
    for pid in $(children_of "$DROVER_PID"); do
        [[ $(state_of "$pid") == Z ]] && return 0
    done
    return 1
}

# in_state STATE PID...: are all of them in it? For wait_until.
in_state() {
    local state=$1 pid
    shift
    for pid; do
        [[ $(state_of "$pid") == "$state" ]] || return
    done
}

all_gone() {
    local pid
    for pid; do
        is_gone "$pid" || return
    done
}

# CPU time of a process, in ticks of 10 ms.
cpu_ticks() {
    echo $(($(stat_field "$1" 14) + $(stat_field "$1" 15)))
}

# The descriptors of a process, how many.
fd_count() {
    local fds=("/proc/$1/fd"/*)
    echo "${#fds[@]}"
}

# The number that the process's next descriptor will have.
lowest_free_fd() {
    local fd=0
    while [[ -L /proc/$1/fd/$fd ]]; do
        fd=$((fd + 1))
    done
    echo "$fd"
}

# ms_since MICROSECONDS: milliseconds that have passed since, as now_us counts.
ms_since() {
    echo $((($(now_us) - $1) / 1000))
}

# tell TEXT: a figure that was seen; shows in bats' output, also when the test passes.
tell() {
    echo "$*" >&3
}

# ---- load -------------------------------------------------------------------------------------

# load_start ARGS...: starts drover-load at the server's /1k.bin; LOAD_PID.
load_start() {
    # shellcheck disable=SC2153 # DROVER_LOAD is the helper's
    "$DROVER_LOAD" --json --max-lost 1000000000 "$@" "$DROVER_URL/1k.bin" \
        >"$BATS_TEST_TMPDIR/load.json" 2>"$BATS_TEST_TMPDIR/load.err" 3>&- 4>&- &
    LOAD_PID=$!
}

# load_wait: until its end. Sets LOST, ANSWERED, LOCAL and CAUSES (in words).
# shellcheck disable=SC2034 # they are for the test
load_wait() {
    wait "$LOAD_PID" || fail "drover-load: $(<"$BATS_TEST_TMPDIR/load.err")"
    LOST=$(load_field .lost) ANSWERED=$(load_field .answered) LOCAL=$(load_field .local)
    CAUSES=$(load_field '.causes | to_entries | map(select(.value > 0) | "\(.key) \(.value)")
        | join(", ")')
    ((ANSWERED > 0)) || fail 'no request was answered'
    ((LOCAL == 0)) || fail "$LOCAL requests could not be sent from here"
}

load_field() {
    jq --raw-output "$1" "$BATS_TEST_TMPDIR/load.json"
}

# ---- clients ----------------------------------------------------------------------------------

# client_open: a connection to the server; its descriptor is CLIENT.
client_open() {
    exec {CLIENT}<>"/dev/tcp/${DROVER_ADDR%:*}/$(port_of)"
}

# client_close FD
client_close() {
    local fd=$1
    exec {fd}>&-
}

# client_ask FD PATH [FIELD]: sends a request and leaves the answer where it is.
client_ask() {
    printf 'GET %s HTTP/1.1\r\nHost: test\r\n%s\r\n' "$2" "${3:+$3$'\r\n'}" >&"$1"
}

# client_head FD: reads the head of an answer, within 10 seconds; HEAD.
client_head() {
    local line
    HEAD=''
    while IFS= read -r -t 10 -u "$1" line; do
        HEAD+=${line%$'\r'}$'\n'
        [[ $line == $'\r' ]] && return
    done
    fail "the answer has no end: $HEAD"
}

# client_answer FD: reads an answer with a Content-Length and a body of text; HEAD and BODY.
client_answer() {
    local length
    client_head "$1" || return
    length=$(sed -n 's/^Content-Length: //p' <<<"$HEAD")
    # head(1) may read more than it prints, bash does not
    IFS= read -r -t 10 -N "$length" -u "$1" BODY || fail "the body has no end: $BODY"
}

# client_at_end FD: has the server closed the connection? For wait_until, after the answer is read.
client_at_end() {
    local status=0
    IFS= read -r -t 0.01 -N 1 -u "$1" _ || status=$?
    ((status == 1)) # more than 128 is a timeout
}

# make_slow: makes SITE/slow.bin, for a moment that cannot wait for it.
make_slow() {
    [[ -e $SITE/slow.bin ]] || head -c 48M /dev/urandom >"$SITE/slow.bin"
}

# slow_client: asks for SITE/slow.bin and reads nothing of it yet; its descriptor is SLOW.
slow_client() {
    make_slow
    client_open
    # shellcheck disable=SC2034 # SLOW is for the test
    SLOW=$CLIENT
    client_ask "$CLIENT" /slow.bin 'Connection: close'
    client_head "$CLIENT"
}

# slow_finish FD: reads the rest; was the file whole?
slow_finish() {
    timeout 20 cmp <(cat <&"$1") "$SITE/slow.bin" 3>&- 4>&-
    client_close "$1"
}

# py [ARG...] <<'PY': runs Python, within a minute, with a client at hand:
#   connect(address, timeout=5), ask(socket, path, close), answer(socket) -> status and body
py() {
    local code
    code=$(cat)
    timeout --kill-after=1 60 "$PYTHON" -c "$PY_CLIENT$code" "$@" 3>&- 4>&-
}

PY_CLIENT='
import os, random, select, signal, socket, sys, time

def connect(address, timeout=5):
    if address.startswith("unix:"):
        path = address[5:]
        s, to = socket.socket(socket.AF_UNIX), "\0" + path[1:] if path[0] == "@" else path
    else:
        host, port = address.rsplit(":", 1)
        s, to = socket.socket(), (host, int(port))
    s.settimeout(timeout)
    s.connect(to)
    return s

def ask(s, path="/hello.txt", close=True):
    field = "Connection: close\r\n" if close else ""
    s.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n{field}\r\n".encode())

def answer(s):
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            raise EOFError(data)
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields[b"content-length"]):
        more = s.recv(65536)
        if not more:
            raise EOFError(data)
        body += more
    return int(head.split()[1]), body

def fetch(address, path="/hello.txt", timeout=5):
    s = connect(address, timeout)
    ask(s, path)
    got = answer(s)
    s.close()
    return got

def children_with(is_wanted, pid):
    found, all = [], {}
    for _ in range(2): # one look while a child ends may leave out another
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            all.update((int(child), None) for child in f.read().split())
    for child in all:
        try:
            with open(f"/proc/{child}/comm") as f:
                if is_wanted(f.read().strip()):
                    found.append(child)
        except OSError:
            pass # was a zombie, and is reaped
    return found

def children(pid):
    """Without the standbys; zombies are among them."""
    return children_with(lambda name: name != "drover:standby", pid)

def standbys(pid):
    return children_with(lambda name: name == "drover:standby", pid)
'

# ---- a worker that misbehaves -----------------------------------------------------------------

# misbehave [NAME=VALUE...]: builds a library that makes a worker do what a handler with a bug or a
# slow disk would, and has the next server load it, with this environment:
#   a file that begins with "spin" is read without end
#   while the file $MISBEHAVE_SLOW is there, opening a directory does not come to its end
misbehave() {
    cat >"$BATS_TEST_TMPDIR/misbehave.c" <<'C'
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
    ssize_t (*next)(int, void *, size_t, off_t) =
        (ssize_t (*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread");
    ssize_t n = next(fd, buffer, size, offset);
    while (n >= 4 && memcmp(buffer, "spin", 4) == 0)
        __asm__ volatile("");
    return n;
}

int open(const char *path, int flags, ...)
{
    int (*next)(const char *, int, ...) =
        (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    const char *slow = getenv("MISBEHAVE_SLOW");
    while ((flags & O_DIRECTORY) && slow && access(slow, F_OK) == 0)
        usleep(1000);
    return next(path, flags, 0644);
}
C
    cc -std=gnu17 -D_GNU_SOURCE -O1 -fPIC -shared -o "$BATS_TEST_TMPDIR/misbehave.so" \
        "$BATS_TEST_TMPDIR/misbehave.c"
    # shellcheck disable=SC2034 # the helper's
    DROVER_UNDER=(env LD_PRELOAD="$BATS_TEST_TMPDIR/misbehave.so" "$@")
}
