#!/usr/bin/env bats
#
# doctor - what `drover doctor` says of a machine: of this one, and of ones that lack something.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load process

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

# What is looked at, in this order.
ROWS='kernel
processes
epoll
signalfd
SOCK_SEQPACKET
TCP listener
SO_REUSEPORT
classic BPF
extended BPF
EPOLLEXCLUSIVE
TCP_DEFER_ACCEPT
SYN filter
request migration
schedstat
openat2
standby
Landlock
low ports
backlog
admin address
descriptors
CPUs
tasks
seccomp
CAP_NET_ADMIN
service manager
notify socket
descriptor store
watchdog
activated sockets
journal'

as_nobody=(setpriv --reuid=nobody --regid=65534 --clear-groups --bounding-set=-all)

# examine [COMMAND..] -- ARGS...: drover doctor --json ARGS, run by COMMAND, with nothing in its
# environment that a service manager sets; its `status`, and its findings for `finding`.
examine() {
    local by=()
    while [[ $1 != -- ]]; do
        by+=("$1")
        shift
    done
    shift
    status=0
    env -u NOTIFY_SOCKET -u LISTEN_FDS -u LISTEN_PID -u LISTEN_FDNAMES -u WATCHDOG_USEC \
        -u WATCHDOG_PID -u FDSTORE -u INVOCATION_ID -u JOURNAL_STREAM \
        timeout --kill-after=1 20 "${by[@]}" "$DROVER" doctor --json "$@" >findings.json 3>&- 4>&- ||
        status=$?
    jq --exit-status . findings.json >/dev/null || fail "no JSON: $(<findings.json)"
}

# finding WHAT [FIELD]: one of the fields; without FIELD, "GRADE: FOUND".
finding() {
    jq --raw-output --arg what "$1" --arg field "${2:-}" '.findings[] | select(.what == $what) |
        if $field == "" then "\(.grade): \(.found)" else .[$field] end' findings.json
}

# in_network SETTING...: sets NETWORK, a command that runs its arguments in a network of its own, with
# the loopback interface up and these sysctls.
in_network() {
    local inside=(unshare --net) script='ip link set lo up || exit' setting
    ((EUID)) && inside=(unshare --user --map-root-user --net)
    for setting; do
        script+="; sysctl -q -w $setting || exit"
    done
    # shellcheck disable=SC2016 # it is the inner shell's
    NETWORK=("${inside[@]}" sh -c "$script; "'exec "$@"' sh)
}

# confined ACTION CALL...: sets CONFINED, a command that runs its arguments under a seccomp filter,
# which answers these system calls so: eperm, or kill.
confined() {
    cat >confine.py <<'PY'
import ctypes, os, struct, sys

ALLOW, ACTIONS = 0x7fff0000, {'eperm': 0x00050001, 'kill': 0x80000000}
libc = ctypes.CDLL(None, use_errno=True)
calls = [int(n) for n in sys.argv[2].split(',')]
code = [(0x20, 0, 0, 0)]  # the number of the call
code += [(0x15, len(calls) - i, 0, call) for i, call in enumerate(calls)]
code += [(0x06, 0, 0, ALLOW), (0x06, 0, 0, ACTIONS[sys.argv[1]])]
bytes_of = ctypes.create_string_buffer(b''.join(struct.pack('=HBBI', *one) for one in code))


class Program(ctypes.Structure):
    _fields_ = [('n', ctypes.c_ushort), ('code', ctypes.c_void_p)]


program = Program(len(code), ctypes.addressof(bytes_of))
assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0  # PR_SET_SECCOMP
os.execvp(sys.argv[3], sys.argv[3:])
PY
    local action=$1 call numbers=()
    shift
    for call; do
        numbers+=("$(printf '#include <sys/syscall.h>\nSYS_%s\n' "$call" | cc -E -P - | tail -n 1)")
    done
    CONFINED=(python3 confine.py "$action" "$(IFS=, && echo "${numbers[*]}")")
}

# ---- this machine -----------------------------------------------------------------------------

@test "a line for each thing looked at, and whether drover can run" {
    drover doctor --workers 1 --max-connections 10
    assert_equal "$status" 0
    assert_equal "$(sed -n 's/^\(ok\|note\) \+\(.\{20\}\).*/\2/p' <<<"$output" | sed 's/ *$//')" "$ROWS"
    assert_line --regexp '^ok    epoll               works: '
    assert_line --regexp '^ok    SO_REUSEPORT        two listeners share a port: '
    assert_line --regexp '^drover can run here(; [0-9]+ notes?)?\.$'
    (($(wc -L <<<"$output") <= 96)) || fail "a line is too long"
    refute_line --regexp '^bad'
}

@test "--json: one object with the same, all texts there" {
    examine -- --workers 1
    assert_equal "$status" 0
    assert_equal "$(jq --raw-output '.findings[].what' findings.json)" "$ROWS"
    assert_equal "$(jq '.can_run' findings.json)" true
    assert_equal "drover $(jq --raw-output '.version' findings.json)" "$("$DROVER" version)"
    assert_equal "$(jq --compact-output '[.findings[] | keys_unsorted] | unique' findings.json)" \
        '[["what","grade","found","means","change"]]'
    assert_equal "$(jq '[.findings[] | select(.found == "" or .means == "")] | length' findings.json)" 0
    assert_equal "$(jq '[.findings[] | select(.grade | IN("ok", "note", "bad") | not)] | length' \
        findings.json)" 0
}

# bats test_tags=nosan
@test "it takes less than a second, and leaves no process and no file" {
    local began ms
    for _ in 1 2 3; do # other tests run
        began=$(now_us)
        DROVER_TEST=$BATS_TEST_TMPDIR/doctor drover doctor --json
        ms=$(ms_since "$began")
        assert_equal "$status" 0
        tell "# $ms ms"
        ((ms >= 1000)) || break
    done
    ((ms < 1000)) || fail "$ms ms"
    run grep -lszxF "DROVER_TEST=$BATS_TEST_TMPDIR/doctor" /proc/[0-9]*/environ
    refute_output
    assert_equal "$(find . -type f)" ''
}

@test "--help, and the list of commands" {
    drover doctor --help
    assert_equal "$status" 0
    assert_output --partial 'usage: drover doctor [--json] [-c FILE] [OPTIONS] [ROOT]'
    assert_output --partial '  --max-connections N '
    drover help
    assert_output --partial '  doctor '
}

@test "a wrong option is refused with the nearest name, and a file as drover check does" {
    drover doctor --worker 2
    assert_equal "$status: $output" \
        '64: drover doctor: --worker: there is no such option; did you mean --workers?'
    drover doctor --jason
    assert_equal "$status: $output" \
        '64: drover doctor: --jason: there is no such option; did you mean --json?'
    drover doctor --max-connections 0
    assert_equal "$status" 64
    drover doctor -c none
    assert_equal "$status: $output" '66: drover doctor: -c none: No such file or directory'
    echo 'worker = 1' >site.conf
    drover doctor -c site.conf
    assert_equal "$status" 78
    assert_output --partial 'site.conf:1:1: unknown key "worker"; did you mean "workers"?'
}

@test "what it finds and cannot write is an error" {
    run bash -c '"$0" doctor >/dev/full' "$DROVER"
    assert_equal "$status: $output" '74: drover doctor: what was found cannot be written'
}

# ---- as much as is asked for ------------------------------------------------------------------

@test "descriptors: as many connections as a start with that limit says" {
    make_site
    DROVER_UNDER=(prlimit --nofile=100:200)
    drover_start --workers 2 "$SITE"
    run -0 sed -n 's/.*so a worker takes \([0-9]*\) connections.*/\1/p' "$DROVER_LOG"
    local fit=$output
    examine prlimit --nofile=100:200 -- --workers 2
    assert_equal "$status" 0
    assert_equal "$(finding descriptors)" 'note: 200 a process (100 now, which drover raises)'
    assert_regex "$(finding descriptors means)" "^a worker takes $fit connections, "
    assert_regex "$(finding descriptors change)" "; or --max-connections $fit\$"
    examine prlimit --nofile=200 -- --workers 2 --max-connections "$fit"
    assert_equal "$(finding descriptors)" 'ok: 200 a process'
}

@test "descriptors: what it says to set is exactly enough" {
    local wanted
    examine prlimit --nofile=200 -- --workers 2 --max-connections 200
    wanted=$(finding descriptors change | sed -n 's/^LimitNOFILE=\([0-9]*\) .*/\1/p')
    examine prlimit "--nofile=$wanted" -- --workers 2 --max-connections 200
    assert_equal "$(finding descriptors)" "ok: $wanted a process"
    examine prlimit "--nofile=$((wanted - 1))" -- --workers 2 --max-connections 200
    assert_equal "$(finding descriptors)" "note: $((wanted - 1)) a process"
}

@test "more workers than CPUs are a note, and a file's options count" {
    echo 'workers = 2' >site.conf
    examine taskset 1 -- -c site.conf
    assert_regex "$(finding CPUs)" '^note: 1'
    assert_regex "$(finding CPUs means)" '^2 workers share it; '
    examine taskset 1 -- -c site.conf --workers 1
    assert_regex "$(finding CPUs)" '^ok: 1'
}

@test "backlog: what net.core.somaxconn cuts is seen at a listener" {
    in_network net.core.somaxconn=100
    examine "${NETWORK[@]}" -- --listen 127.0.0.1:0,backlog=100 --listen 127.0.0.2:0,backlog=70
    assert_equal "$(finding backlog)" 'ok: 100, as --listen asks for'
    examine "${NETWORK[@]}" -- --listen 127.0.0.1:0,backlog=101
    assert_equal "$status" 0
    assert_equal "$(finding backlog)" 'note: 100 of the 101 that --listen asks for'
    assert_regex "$(finding backlog change)" '^sysctl -w net.core.somaxconn=101,'
}

@test "request migration is told as it happens" {
    in_network net.ipv4.tcp_migrate_req=0
    examine "${NETWORK[@]}" --
    assert_equal "$(finding 'request migration')" 'ok: a queued client was reset with its listener'
    in_network net.ipv4.tcp_migrate_req=1
    examine "${NETWORK[@]}" --
    assert_equal "$(finding 'request migration')" 'ok: a queued client came to another listener'
}

@test "a network without loopback is a note, and what needs it is not known" {
    local inside=(unshare --net)
    ((EUID)) && inside=(unshare --user --map-root-user --net)
    examine "${inside[@]}" --
    assert_equal "$status" 0
    assert_regex "$(finding 'TCP listener')" '^note: refused '
    assert_equal "$(finding 'TCP listener' change)" 'ip link set lo up'
    assert_regex "$(finding 'classic BPF')" '^note: could not be tried '
}

# ---- as other users ---------------------------------------------------------------------------

@test "as nobody: drover can run, and what a privilege is for is named" {
    ((EUID == 0)) || skip 'needs root'
    copy_drover
    cd /
    run -0 "${as_nobody[@]}" "$DROVER" doctor 3>&- 4>&-
    assert_line --regexp '^ok    SO_REUSEPORT '
    assert_line --regexp '^ok    classic BPF '
    assert_line --regexp '^ok    CAP_NET_ADMIN       is not there'
    assert_line --regexp '^ok    low ports           ports from [0-9]+ on, without'
    assert_line --regexp '^drover can run here'
}

@test "an admin process that others can reach is a note" {
    examine -- --admin 127.0.0.1:9100
    assert_equal "$(finding 'admin address')" 'ok: 127.0.0.1:9100'
    examine -- --admin unix:/run/a
    assert_equal "$(finding 'admin address')" 'ok: unix:/run/a'
    examine -- --admin :9100
    assert_equal "$status: $(finding 'admin address')" '0: note: [::]:9100'
    assert_regex "$(finding 'admin address' means)" 'asks nobody who he is'
}

@test "a port that is not permitted is bad, unless a right or the service manager gives it" {
    ((EUID == 0)) || skip 'needs root'
    copy_drover
    in_network net.ipv4.ip_unprivileged_port_start=1024
    examine "${NETWORK[@]}" "${as_nobody[@]}" -- --listen 127.0.0.1:8080 --listen '[::1]:80' /
    assert_equal "$status" 69
    assert_equal "$(finding 'low ports')" 'bad: ports from 1024 on, without CAP_NET_BIND_SERVICE'
    assert_equal "$(finding 'low ports' means)" '--listen [::1]:80 will be refused'
    examine "${NETWORK[@]}" "${as_nobody[@]}" -- --listen 127.0.0.1:8080 --admin 127.0.0.1:81 /
    assert_equal "$status: $(finding 'low ports' means)" '69: --admin 127.0.0.1:81 will be refused'
    examine "${NETWORK[@]}" "${as_nobody[@]}" env LISTEN_FDS=1 -- --listen 127.0.0.1:80 /
    assert_regex "$(finding 'low ports')" '^ok: '
    examine "${NETWORK[@]}" "${as_nobody[@]}" env LISTEN_FDS=1 LISTEN_PID=1 -- --listen 127.0.0.1:80 /
    assert_regex "$(finding 'low ports')" '^bad: '
    in_network net.ipv4.ip_unprivileged_port_start=80
    examine "${NETWORK[@]}" "${as_nobody[@]}" -- --listen 127.0.0.1:80 /
    assert_equal "$status: $(finding 'low ports')" '0: ok: ports from 80 on, without CAP_NET_BIND_SERVICE'
    examine "${NETWORK[@]}" -- --listen 127.0.0.1:79
    assert_equal "$status: $(finding 'low ports')" '0: ok: all ports'
}

# ---- where something lacks --------------------------------------------------------------------

@test "a kernel without SO_REUSEPORT: drover cannot run, and says why" {
    cat >old.c <<'C'
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    int (*next)(int, int, int, const void *, socklen_t) =
        (int (*)(int, int, int, const void *, socklen_t))dlsym(RTLD_NEXT, "setsockopt");
    if (level == SOL_SOCKET && name == SO_REUSEPORT) {
        errno = ENOPROTOOPT;
        return -1;
    }
    return next(fd, level, name, value, length);
}
C
    cc -std=gnu17 -D_GNU_SOURCE -fPIC -shared -o old.so old.c
    local old=(env LD_PRELOAD="$PWD/old.so"
        ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0")
    examine "${old[@]}" --
    assert_equal "$status" 69
    assert_equal "$(jq '.can_run' findings.json)" false
    assert_equal "$(finding SO_REUSEPORT)" 'bad: refused (Protocol not available)'
    assert_equal "$(finding 'TCP listener')" 'ok: takes clients'
    run "${old[@]}" "$DROVER" doctor
    assert_equal "$status" 69
    assert_line 'drover cannot run here: SO_REUSEPORT.'
}

@test "a call that a seccomp filter refuses: bad where drover needs it, else a note" {
    confined eperm openat2 landlock_create_ruleset bpf
    examine "${CONFINED[@]}" --
    assert_equal "$status" 0
    assert_equal "$(finding openat2)" 'note: refused (Operation not permitted)'
    assert_equal "$(finding 'extended BPF')" 'ok: refused (Operation not permitted)'
    assert_equal "$(finding Landlock)" 'ok: refused (Operation not permitted)'
    assert_regex "$(finding seccomp)" '^ok: [0-9]+ filters?$'
    confined eperm sendfile signalfd4
    examine "${CONFINED[@]}" --
    assert_equal "$status" 69
    assert_equal "$(finding signalfd)" 'bad: refused (Operation not permitted)'
    assert_equal "$(finding seccomp means)" 'drover needs what is refused: sendfile, signalfd4'
}

@test "standby: what a filter refuses of it, and what is left" {
    local own='shares a worker'"'"'s descriptors, and can part from it'
    examine --
    assert_equal "$(finding standby)" "ok: $own"
    confined eperm unshare close_range
    examine "${CONFINED[@]}" --
    assert_equal "$status" 0
    assert_equal "$(finding standby)" 'note: refused (Operation not permitted)'
    assert_regex "$(finding standby means)" '^a worker that hangs keeps its connections; '
    assert_regex "$(finding standby change)" '; or --standby off$'
    examine "${CONFINED[@]}" -- --standby off
    assert_equal "$(finding standby)" 'ok: off'
    confined eperm prctl
    examine "${CONFINED[@]}" --
    assert_equal "$(finding standby)" "note: ${own%, *}, but libc takes it for the worker"
    assert_regex "$(finding standby means)" ' abort\(3\), raise\(3\) and robust mutexes '
    confined kill unshare
    examine "${CONFINED[@]}" --
    assert_equal "$status: $(finding standby)" '0: note: refused by a seccomp filter (SIGSYS)'
    assert_regex "$(finding standby change)" '^SystemCallErrorNumber=EPERM .*; or --standby off$'
}

@test "tasks: what a reload has of them is more than this user may have" {
    ((EUID == 0)) || skip 'needs root'
    local as=(setpriv --reuid=54325 --regid=65534 --clear-groups prlimit --nproc=401) # nobody has others
    copy_drover
    cd /
    run -0 "${as[@]}" "$DROVER" doctor --workers 100 3>&- 4>&-
    assert_output --regexp \
        'note  tasks +401 at most: a reload of --workers 100 with --standby on wants 402'
    run -0 "${as[@]}" "$DROVER" doctor --workers 100 --standby off 3>&- 4>&-
    assert_output --regexp 'ok    tasks +401 at most: a reload of 100 workers has 202 processes'
}

@test "a filter that kills ends the probe, and not the doctor" {
    confined kill openat2 landlock_create_ruleset bpf
    examine "${CONFINED[@]}" --
    assert_equal "$status" 69
    assert_equal "$(finding openat2)" 'bad: refused by a seccomp filter (SIGSYS)'
    assert_equal "$(finding openat2 means)" 'drover asks for it, and would be killed'
    assert_equal "$(finding 'extended BPF')" 'ok: refused by a seccomp filter (SIGSYS)'
    confined kill sendfile
    examine "${CONFINED[@]}" --
    assert_equal "$status" 69
    assert_equal "$(finding seccomp means)" 'a server is killed as soon as it calls sendfile'
    assert_equal "$(find . -name 'core*')" ''
}

@test "without TCP sockets: bad, unless unix sockets or activated ones are all that is served" {
    cat >none.c <<'C'
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

int socket(int domain, int type, int protocol)
{
    int (*next)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
    errno = EAFNOSUPPORT;
    return domain == AF_UNIX ? next(domain, type, protocol) : -1;
}
C
    cc -std=gnu17 -D_GNU_SOURCE -fPIC -shared -o none.so none.c
    local none=(env LD_PRELOAD="$PWD/none.so"
        ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0")
    examine "${none[@]}" --
    assert_equal "$status" 69
    assert_equal "$(finding 'TCP listener')" \
        'bad: refused (Address family not supported by protocol)'
    assert_regex "$(finding SO_REUSEPORT)" '^note: could not be tried '
    examine "${none[@]}" -- --listen unix:@x
    assert_equal "$status" 0
    assert_regex "$(finding 'TCP listener')" '^note: refused '
    examine "${none[@]}" LISTEN_FDS=1 --
    assert_equal "$status" 0
}

# ---- what a service manager gives -------------------------------------------------------------

@test "started by hand, nothing of a service manager is there, and that is well" {
    examine --
    assert_equal "$(finding 'notify socket')" 'ok: none'
    assert_equal "$(finding 'descriptor store')" 'ok: none'
    assert_equal "$(finding watchdog)" 'ok: none'
    assert_equal "$(finding 'activated sockets')" 'ok: none'
    assert_equal "$(finding journal)" 'ok: stderr does not go there'
}

@test "descriptor store: room for the sockets of all slots, and how to look where it is not told" {
    local given=(env NOTIFY_SOCKET="$PWD/none")
    examine "${given[@]}" FDSTORE=7 -- --workers 3 --listen 127.0.0.1:0 --listen '[::1]:0' --listen unix:@x
    assert_equal "$(finding 'descriptor store')" 'ok: room for 7 descriptors'
    examine "${given[@]}" FDSTORE=6 -- --workers 3 --listen 127.0.0.1:0 --listen '[::1]:0' --listen unix:@x
    assert_equal "$(finding 'descriptor store')" 'note: room for 6 descriptors'
    assert_equal "$(finding 'descriptor store' change)" 'FileDescriptorStoreMax=7 in UNIT'
    examine "${given[@]}" -- --workers 2
    assert_equal "$(finding 'descriptor store')" 'note: not told'
    assert_regex "$(finding 'descriptor store' change)" \
        '^systemctl show -p NFileDescriptorStore,FileDescriptorStoreMax [^ ]+: the second is to be 2 at least$'
    assert_regex "$(finding 'notify socket')" "^note: .*/none, which cannot be reached \(No such file"
}

@test "watchdog: how often, and for whom" {
    examine env WATCHDOG_USEC=2500000 --
    assert_equal "$(finding watchdog)" 'ok: every 2.5 s'
    examine env WATCHDOG_USEC=10000000 WATCHDOG_PID=1 --
    assert_equal "$(finding watchdog)" 'note: every 10 s, of process 1'
}

@test "activated sockets are named with their addresses and left as they are" {
    cat >activate.py <<'PY'
import os, socket, sys

first, second = socket.socket(), socket.socket(socket.AF_UNIX)
first.bind(('127.0.0.1', 0))
first.listen()
second.bind('\0' + sys.argv[1])
if sys.argv[2] == 'both':
    second.listen()
os.dup2(first.fileno(), 30)
os.dup2(second.fileno(), 31)
os.dup2(30, 3)
os.dup2(31, 4)
print(first.getsockname()[1], file=open('port', 'w'))
os.environ.update(LISTEN_FDS='2', LISTEN_FDNAMES='web:in "quotes"', LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[3], sys.argv[3:])
PY
    examine python3 activate.py "drover-$$" both --
    assert_equal "$(finding 'activated sockets')" \
        "ok: 2 (web 127.0.0.1:$(<port), in \"quotes\" unix:@drover-$$)"
    assert_equal "$(finding 'descriptor store' means)" 'activated sockets outlive a restart without it'
    examine python3 activate.py "drover-$$" one --
    assert_regex "$(finding 'activated sockets')" 'descriptor 4 is no listener \(Invalid argument\)\)$'
    examine env LISTEN_FDS=1 LISTEN_PID=1 --
    assert_equal "$(finding 'activated sockets')" 'note: 1, for process 1'
}

@test "the journal is known by stderr itself" {
    # shellcheck disable=SC2016 # it is the inner shell's
    examine sh -c 'JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr) exec "$@"' sh --
    assert_equal "$(finding journal)" 'ok: stderr goes there'
    examine env JOURNAL_STREAM=1:1 --
    assert_equal "$(finding journal)" 'ok: stderr does not go there'
}
