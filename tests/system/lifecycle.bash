#!/usr/bin/env bash
#
# lifecycle - what the tests of the hard moments share, on top of helper.bash and process.bash:
# several loads beside each other, whose ledgers are the verdict; the moments themselves; and what
# a server has, counted before and after.

# ---- loads ------------------------------------------------------------------------------------

declare -gA LOADS=() # pids

# load_begin NAME ARGS...: starts drover-load at the server's /1k.bin, without an end unless ARGS say
# --duration. A name for each of those that run at the same time. Every body is compared with the
# file.
load_begin() {
    local name=$1 through=()
    shift
    [[ " $*" == *' --duration '* ]] || through=(--duration 1h)
    [[ -z $DROVER_SOCKET ]] || through+=(--unix "$DROVER_SOCKET")
    # shellcheck disable=SC2153 # DROVER_LOAD is the helper's
    "$DROVER_LOAD" --json --max-lost 1000000000 --expect-file "$SITE/1k.bin" "${through[@]}" "$@" \
        "$DROVER_URL/1k.bin" >"$BATS_TEST_TMPDIR/load.$name" 2>"$BATS_TEST_TMPDIR/load.$name.err" \
        3>&- 4>&- &
    LOADS[$name]=$!
    wait_until 10 is_loading "$!"
}

# is_loading PID: has it its connections, four at least? It asks as soon as it has. A short one may be
# over before anybody looks.
is_loading() {
    (($(find "/proc/$1/fd" -lname 'socket:*' 2>/dev/null | wc -l) >= 4)) || is_gone "$1"
}

# load_stop NAME: load_end for one without an end: what runs is answered, nothing is asked any more.
load_stop() {
    kill -TERM "${LOADS[$1]}" || fail "the load was over before the moment: $1"
    load_end "$1"
}

# load_end NAME: until its end. Sets LOST, ANSWERED, OPENED (connections that the clients opened)
# and CAUSES (in words, with the first times of each in seconds); says them, too.
# shellcheck disable=SC2034 # they are for the test
load_end() {
    local file=$BATS_TEST_TMPDIR/load.$1
    wait "${LOADS[$1]}" || fail "drover-load: $(<"$file.err")"
    unset "LOADS[$1]"
    LOST=$(jq .lost "$file") ANSWERED=$(jq .answered "$file") OPENED=$(jq .connections "$file")
    CAUSES=$(jq --raw-output '. as $all | .causes | to_entries | map(select(.value > 0) |
        "\(.key) \(.value) at \($all.first[.key])") | join(", ")' "$file")
    tell "$1: lost $LOST of $ANSWERED${CAUSES:+ ($CAUSES)}, $OPENED connections," \
        "p99 $(jq .latency_us.p99 "$file") us"
    ((ANSWERED > 0)) || fail 'no request was answered'
    (($(jq .local "$file") == 0)) || fail 'requests could not be sent from here'
}

# caused NAME CAUSE...: how many were lost for these causes, after load_end.
caused() {
    local file=$BATS_TEST_TMPDIR/load.$1
    shift
    jq '[.causes[$ARGS.positional[]]] | add' --args "$@" <"$file"
}

# both_begin [TIME] [ARGS...]: 64 clients with a connection a request, short, and 64 that keep theirs,
# kept; without an end, or for the time.
both_begin() {
    [[ -z ${1:-} || $1 == -* ]] || set -- --duration "$@"
    load_begin short --close --clients 64 "$@"
    load_begin kept --clients 64 "$@"
}

# Nothing is lost, and the kept connections are the same ones from the beginning to the end.
nothing_is_lost() {
    local lost
    load_stop short
    lost="$LOST $CAUSES"
    load_stop kept
    assert_equal "$lost" '0 '
    assert_equal "$LOST $CAUSES" '0 '
    assert_equal "$OPENED" 64
}

# ---- moments ----------------------------------------------------------------------------------

# act [ARG...] <<'PY': runs Python that makes them happen, in order and soon: with what py() has, and
# what stands in MOMENTS.
# shellcheck disable=SC2120 # the tests give arguments
act() {
    local code
    code=$(cat)
    py "$DROVER_PID" "$DROVER_LOG" "$@" <<<"$MOMENTS"$'\n'"$code"
}

MOMENTS=$(
    cat <<'PYTHON'
master, log, args = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
RELOADED = "reload: every worker is a fresh one"

def lines(text=""):
    """How many lines of the log hold it."""
    with open(log) as f:
        return sum(text in line for line in f)

def wait(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.001)

def expect(text, act):
    """Acts, and waits until the log has one line more with the text."""
    before = lines(text)
    act()
    wait(lambda: lines(text) > before)

def tell(number):
    os.kill(master, number)

def reload():
    """Returns when the new workers serve."""
    expect(RELOADED, lambda: tell(signal.SIGHUP))

def scale(now, then):
    """One signal a worker, since two of a kind may come as one."""
    step = 1 if then > now else -1
    while now != then:
        now += step
        expect(f"one worker {'more' if step > 0 else 'less'}: {now}\n",
               lambda: tell(signal.SIGTTIN if step > 0 else signal.SIGTTOU))

def is_gone(pid):
    """It has ended; a zombie has, too."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True

def follow(old):
    """The master is the one that has taken over from the old one."""
    global master
    with open(log) as f:
        master = [int(line.split("upgrade: pid ")[1].split()[0]) for line in f
                  if f"; pid {old} leaves when" in line][-1]

def upgrade(then=lambda old: wait(lambda: is_gone(old))):
    """Returns when the new master serves and the old one is gone; master is the new one."""
    old = master
    expect(f"; pid {old} leaves when", lambda: tell(signal.SIGUSR2))
    follow(old)
    then(old)

def begin(s):
    """Reads an answer's head, and nothing of its body."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        more = s.recv(1)
        assert more, head
        head += more
    return head

def rest(s, size):
    """Reads the body."""
    while size > 0:
        n = len(s.recv(min(size, 1 << 20)))
        assert n, f"closed {size} bytes before the end"
        size -= n

def slots():
    """The slots of the living workers, those that leave, too."""
    found = []
    for pid in children(master):
        try:
            with open(f"/proc/{pid}/stat") as f:
                name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        if name.startswith("drover:slot ") and rest.split()[0] != "Z":
            found.append(int(name[12:]))
    return sorted(found)

def has_workers(count):
    return lambda: slots() == list(range(count))
PYTHON
)

# The milliseconds that each reload took until the new workers served, one a line.
reload_times() {
    sed -n 's/.*reload: every worker is a fresh one: [0-9]*, after \([0-9]*\) ms.*/\1/p' "$DROVER_LOG"
}

# reload: HUP; returns when its workers serve.
reload() {
    local before text='reload: every worker is a fresh one'
    before=$(count_logged "$text")
    kill -HUP "$DROVER_PID"
    wait_until 20 logged_times $((before + 1)) "$text"
}

# reload_refused TEXT: HUP; returns when the log says, once more, this; nothing is to be changed.
reload_refused() {
    local before
    before=$(count_logged "$1")
    kill -HUP "$DROVER_PID"
    wait_until 20 logged_times $((before + 1)) "$1"
    logged 'reload: nothing is changed'
}

# follow_upgrade: DROVER_PID is the newest master's; succeeds when it has been upgraded.
# shellcheck disable=SC2034 # the helper's
follow_upgrade() {
    local pid
    pid=$(sed -n 's/.*upgrade: pid \([0-9]*\) serves after .*/\1/p' "$DROVER_LOG" | tail -n 1)
    [[ -n $pid && $pid != "$DROVER_PID" ]] && DROVER_PID=$pid
}

# quiet_and_busy <<'PY': the 99th percentile of the latencies of 64 kept connections, in microseconds,
# while nothing happens (QUIET) and while the code runs four times a second (BUSY): medians of three rounds.
quiet_and_busy() {
    local code quiet=() busy=()
    code=$(sed 's/^/    /')
    for _ in 1 2 3; do
        p99_while quiet '    pass'
        p99_while busy "$code"
    done
    # shellcheck disable=SC2034 # for the test
    QUIET=$(median "${quiet[@]}") BUSY=$(median "${busy[@]}")
    tell "p99 of kept connections: quiet $QUIET us, meanwhile $BUSY us"
}

# p99_while ARRAY CODE: adds it.
p99_while() {
    load_begin p99 --clients 64
    follow_upgrade || true # the last round has done that
    # shellcheck disable=SC2119
    act <<PY
until = time.monotonic() + 0.55
while time.monotonic() < until:
$2
    time.sleep(0.25) # the pace of the moments
PY
    load_stop p99 >/dev/null 3>&1
    eval "$1+=($(jq .latency_us.p99 "$BATS_TEST_TMPDIR/load.p99"))"
}

median() {
    printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}

# ---- what a server has ------------------------------------------------------------------------

# What must be the same after a moment: its processes, zombies too, their slots, and the master's
# descriptors. They are told once nobody leaves or comes any more, so that they can be the beginning.
belongings() {
    # shellcheck disable=SC2119
    act <<'PY'
def belongings():
    fds = os.listdir(f"/proc/{master}/fd")
    return (len(children(master)), "processes in the slots", *slots(), "and",
            len(standbys(master)), "standbys and", len(fds), "descriptors")

def is_at_rest():
    global seen
    before, seen = seen, belongings()
    return seen == before and slots() == sorted(set(slots())) and (
        len(children(master)) == len(slots()) and len(standbys(master)) in (0, len(slots())))

seen = None
deadline = time.monotonic() + 5
while not is_at_rest() and time.monotonic() < deadline:
    time.sleep(0.02)
print(*seen)
PY
}

# has_belongings TEXT: for wait_until; those who leave have a while for it.
has_belongings() {
    [[ $(belongings) == "$1" ]]
}

# keeps_belongings TEXT: as at the beginning, within ten seconds.
keeps_belongings() {
    wait_until 10 has_belongings "$1" || fail "at first $1; now $(belongings)"
}
