#!/usr/bin/env bash
#
# helper - what the system tests share. A test file says `load helper` first.
#
# Every server is started by drover_start() and is gone after the test, whatever happened to it: its
# processes carry a mark in their environment. A failed test shows the server's log, and a finding
# of a sanitizer in the log fails the test.
#
# A file that needs a teardown() of its own calls drover_teardown in it.
#
# From the environment (tests/run sets it): DROVER, DROVER_LOAD, DROVER_LAB, the binaries; SAN=1, when they
# have sanitizers. A test that means nothing then (it measures time, say) is tagged
# `# bats test_tags=nosan` and left out there.

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert

: "${DROVER:=$BATS_TEST_DIRNAME/../../build/drover}"
: "${DROVER_LOAD:=$BATS_TEST_DIRNAME/../../build/drover-load}"
: "${DROVER_LAB:=$BATS_TEST_DIRNAME/../../build/drover-lab}"
: "${SAN:=}"

# A pyenv's shim takes ten times as long as the interpreter itself.
PYTHON=python3
# shellcheck disable=SC2034 # for those that stand on this
[[ -x /usr/bin/python3 ]] && PYTHON=/usr/bin/python3

# Seconds until a server must be ready, and until it must have ended: far more than it takes, as a
# busy machine and valgrind are slow.
READY_SECONDS=30 STOP_SECONDS=30

# What the server is run under, such as (valgrind --quiet). For a test to set before drover_start.
DROVER_UNDER=()

# Options that each server has before its own, such as (--standby off): for a file whose subject is a
# server like that.
DROVER_WITH=()

drover_starts=0

# Where servers put their control sockets, and verbs look for them; any user may serve. bats loads a
# file outside of its tests, too.
unset RUNTIME_DIRECTORY
export XDG_RUNTIME_DIR=${BATS_TEST_TMPDIR:-${BATS_FILE_TMPDIR:-$BATS_RUN_TMPDIR}}/run
mkdir -p "$XDG_RUNTIME_DIR"
chmod 1777 "$XDG_RUNTIME_DIR"

# ---- one server -------------------------------------------------------------------------------

# drover_start ARGS...: starts `drover serve ARGS...`, on a port of the kernel's choice unless ARGS
# say --listen, and returns when it is ready; fails when it does not get ready.
# Sets DROVER_PID, DROVER_ADDRS (all bound addresses), DROVER_ADDR and DROVER_URL (of the first),
# DROVER_SOCKET (its path or @name, if it is a unix socket) and DROVER_LOG. The variables are of
# the server started last.
drover_start() {
    local listen=(--listen 127.0.0.1:0) argument fifo
    for argument; do
        [[ $argument == --listen || $argument == --listen=* ]] && listen=()
    done
    drover_starts=$((drover_starts + 1))
    fifo=$BATS_TEST_TMPDIR/ready.$drover_starts
    DROVER_LOG=$BATS_TEST_TMPDIR/log
    DROVER_MARK=$BATS_TEST_TMPDIR/$drover_starts
    mkfifo "$fifo"
    # bash ignores INT and QUIT in what it starts with `&`; a server in a terminal has them.
    (
        close_descriptors_but 9
        DROVER_TEST=$DROVER_MARK exec env --default-signal=INT,QUIT "${DROVER_UNDER[@]}" \
            "$DROVER" serve "${listen[@]}" --ready-fd 9 "${DROVER_WITH[@]}" "$@"
    ) </dev/null >>"$DROVER_LOG" 2>&1 9>"$fifo" &
    DROVER_PID=$!
    read_ready "$fifo"
    rm -f "$fifo"
    if ((${#DROVER_ADDRS[@]} == 0)); then
        fail "drover serve $* did not become ready"
        return 1
    fi
    DROVER_ADDR=${DROVER_ADDRS[0]}
    DROVER_SOCKET='' DROVER_URL=http://$DROVER_ADDR
    if [[ $DROVER_ADDR == unix:* ]]; then
        DROVER_SOCKET=${DROVER_ADDR#unix:} DROVER_URL=http://localhost
    fi
}

# read_ready FIFO: the lines of --ready-fd, up to end of file, into DROVER_ADDRS. That end comes
# when every process has closed it, also by ending; but what DROVER_UNDER names may stay and hold it, as
# unshare(1) does: with that, after the first line the next must follow soon.
read_ready() {
    local line seconds=$READY_SECONDS reader
    DROVER_ADDRS=()
    exec {reader}< <(exec timeout "$READY_SECONDS" cat "$1" 3>&- 4>&-)
    while read -r -t "$seconds" -u "$reader" line; do
        DROVER_ADDRS+=("$line")
        ((${#DROVER_UNDER[@]} == 0)) || seconds=1
    done
    exec {reader}<&-
    kill "$!" 2>/dev/null || true
}

# close_descriptors_but N: leaves 0, 1, 2 and N. bats has more of them for itself, and would wait
# until the last process has closed them.
close_descriptors_but() {
    local fd
    for fd in /proc/"$BASHPID"/fd/*; do
        fd=${fd##*/}
        ((fd <= 2 || fd == $1 || fd == 255)) || exec {fd}>&-
    done
}

# drover_stop [SIGNAL]: sends the signal (TERM) to the master, waits until it has ended and sets
# `status`. Fails when it does not end, or when one of its processes outlives it.
drover_stop() {
    kill -s "${1:-TERM}" "$DROVER_PID"
    drover_wait "$STOP_SECONDS"
}

# drover_wait SECONDS: as drover_stop, without a signal.
# shellcheck disable=SC2034 # status is for the test, as bats' `run` sets it
drover_wait() {
    wait_until "$1" drover_ended || return
    status=0
    wait "$DROVER_PID" 2>/dev/null || status=$?
    wait_until 10 drover_left_nothing || {
        ps -o pid,ppid,stat,comm,args -p "$(drover_processes | paste -sd ,)"
        fail 'processes outlived the master'
    }
}

drover_ended() {
    ! kill -0 "$DROVER_PID" 2>/dev/null
}

# The pids of the server's processes, orphans too; zombies have no environment and are not listed.
drover_processes() {
    grep -lszxF "DROVER_TEST=$DROVER_MARK" /proc/[0-9]*/environ | cut -d / -f 3
}

drover_left_nothing() {
    [[ -z $(drover_processes) ]]
}

drover_show_log() {
    [[ -s ${DROVER_LOG:-} ]] || return 0
    echo "-- the server's log:"
    tail -n 200 "$DROVER_LOG"
    echo '--'
}

# fetch PATH [CURL-OPTION...]: the body, by curl.
fetch() {
    local path=$1 through=()
    shift
    case $DROVER_SOCKET in
    '') ;;
    @*) through=(--abstract-unix-socket "${DROVER_SOCKET#@}") ;;
    *) through=(--unix-socket "$DROVER_SOCKET") ;;
    esac
    curl --silent --show-error --max-time 20 "${through[@]}" "$@" "$DROVER_URL$path"
}

# port_of [ADDRESS]: its port; without an address, the server's.
port_of() {
    local address=${1:-$DROVER_ADDR}
    printf '%s\n' "${address##*:}"
}

# ---- its workers ------------------------------------------------------------------------------

# children_of PID: the pids of its children, zombies too. Two looks: one that is taken while a child ends
# may leave out another (proc_tid_children(5)).
children_of() {
    local -A seen=()
    local file=/proc/$1/task/$1/children pid
    for pid in $(<"$file") $(<"$file"); do
        [[ -n ${seen[$pid]:-} ]] || printf '%s\n' "$pid"
        seen[$pid]=yes
    done
}

# The pids of the master's living workers, the oldest first. Each is looked at once: one that ends
# meanwhile is there, or it is not.
workers() {
    local pid line fields
    for pid in $(children_of "$DROVER_PID"); do
        { read -r line <"/proc/$pid/stat"; } 2>/dev/null || continue
        read -ra fields <<<"${line##*) }"
        [[ $line == *'(drover:slot '* && ${fields[0]} != [ZX] ]] || continue
        printf '%s %s\n' "${fields[19]}" "$pid"
    done | sort -n -k 1,1 -k 2,2 | cut -d ' ' -f 2
}

worker_count() {
    workers | wc -l
}

# has_workers N: for wait_until.
has_workers() {
    (($(worker_count) == $1))
}

# The pids of the workers' standbys.
standbys() {
    local pid
    for pid in $(children_of "$DROVER_PID"); do
        [[ $(name_of "$pid") != drover:standby || $(state_of "$pid") == Z ]] || printf '%s\n' "$pid"
    done
}

# has_standbys N: for wait_until.
has_standbys() {
    (($(standbys | wc -l) == $1))
}

# worker_of SLOT: the pid of the slot's worker, the youngest if there are two generations.
worker_of() {
    local pid found=''
    for pid in $(workers); do
        [[ $(name_of "$pid") == "drover:slot $1" ]] && found=$pid
    done
    [[ -n $found ]] && printf '%s\n' "$found"
}

# ---- processes in general ---------------------------------------------------------------------

# stat_field PID N: field N of proc(5)'s stat, N > 2. The second field may have blanks in it.
stat_field() {
    local line fields
    line=$(cat "/proc/$1/stat" 2>/dev/null) || return
    read -ra fields <<<"${line##*) }"
    printf '%s\n' "${fields[$2 - 3]}"
}

# R, S, D, T, Z..; empty when there is no such process.
state_of() {
    stat_field "$1" 3
}

name_of() {
    cat "/proc/$1/comm" 2>/dev/null
}

# is_gone PID: it has ended; a zombie has, too.
is_gone() {
    local state
    state=$(state_of "$1") || return 0
    [[ $state == Z || $state == X ]]
}

# wait_until SECONDS COMMAND...: runs it until it succeeds, after 5 ms, then more and more seldom, at
# last every 40 ms: most conditions start processes, and others want the CPUs. Fails, naming it, when
# it does not hold after the time is up: it is asked once more then, since this process may have been
# kept from its CPU. Fractions of a second are allowed.
wait_until() {
    local seconds=$1 part=00 pause=5 deadline now
    shift
    [[ $seconds != *.* ]] || part=${seconds#*.}00
    monotonic
    deadline=$((now + 10#0${seconds%%.*} * 100 + 10#${part:0:2}))
    while
        monotonic
        ! "$@"
    do
        if ((now > deadline)); then
            fail "not within $seconds s: $*"
            return 1
        fi
        sleep "0.0$((pause / 10))$((pause % 10))"
        ((pause == 40)) || pause=$((pause + 1))
    done
}

# Sets `now`: hundredths of a second, by a clock that nobody sets, and without a process.
monotonic() {
    read -r now _ </proc/uptime
    now=$((10#${now/./}))
}

# Microseconds, by the wall clock.
now_us() {
    printf '%s\n' "${EPOCHREALTIME//[.,]/}"
}

# logged TEXT: does the log hold it? For wait_until.
logged() {
    grep -qF -e "$1" "$DROVER_LOG"
}

# complaints: the warnings and errors in the log, but for those that a busy machine makes: a worker
# that waits for its disk looks hung for a moment, one that leaves, too, and its standby goes on then.
complaints() {
    grep -E ' (warn|error) ' "$DROVER_LOG" |
        grep -vE 'worker [0-9]+ \(pid [0-9]+\) (hangs since|goes on after|is superseded;) ' || true
}

# ---- something to serve -----------------------------------------------------------------------

# Makes a small site and sets SITE. Readable for every user, since a server may change its own.
make_site() {
    SITE=$BATS_TEST_TMPDIR/site
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
    mkdir -p "$SITE"/{sub,list/dir,empty}
    echo '<!doctype html><title>home</title><p>home' >"$SITE/index.html"
    echo '<!doctype html><title>sub</title><p>sub' >"$SITE/sub/index.html"
    echo 'hello' >"$SITE/hello.txt"
    : >"$SITE/zero.txt"
    seq 1 1000000 | head -c 1024 >"$SITE/1k.bin"
    seq 1 1000000 | head -c $((1024 * 1024 + 7)) >"$SITE/big.bin"
    echo 'a' >"$SITE/list/a.txt"
    echo 'b' >"$SITE/list/with space.txt"
    echo 'c' >"$SITE/list/<b>&\"c'.txt"
    echo 'd' >"$SITE/list/%41#?.txt"
    echo 'hidden' >"$SITE/.hidden"
    echo 'secret' >"$BATS_TEST_TMPDIR/secret"
    ln -sf hello.txt "$SITE/inside.txt"
    ln -sf ../secret "$SITE/outside.txt"
    ln -sfn / "$SITE/slash"
    find "$SITE" -exec touch --no-dereference --date '2024-02-29 12:00:00 UTC' {} +
}

# The folder of a real site, thousands of pages that nobody here wrote.
docs_site() {
    local index
    for index in /usr/share/doc/python3*/html/index.html; do
        [[ -e $index ]] && dirname "$index" && return
    done
    fail 'no python3-doc: tools/setup test'
}

# ---- after each test --------------------------------------------------------------------------

drover_teardown() {
    local pids
    mapfile -t pids < <(
        grep -lszF "DROVER_TEST=$BATS_TEST_TMPDIR/" /proc/[0-9]*/environ | cut -d / -f 3
        jobs -p # the test's own, such as a client that waits
    )
    if ((${#pids[@]})); then
        kill -KILL "${pids[@]}" 2>/dev/null || true
        wait "${pids[@]}" 2>/dev/null || true
    fi
    if [[ ${BATS_TEST_COMPLETED:-} != 1 ]]; then
        drover_show_log
    elif grep -qsE 'ERROR: [A-Za-z]*Sanitizer|runtime error:' "$BATS_TEST_TMPDIR/log"; then
        drover_show_log
        fail 'a sanitizer has a finding'
    fi
}

teardown() {
    drover_teardown
}
