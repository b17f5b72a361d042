#!/usr/bin/env bats
#
# The log of what happens to the server: its targets, its two forms, and that nobody waits for it.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154 # each test is a subshell; the variables are
# the helper's and bats' own

# bats file_tags=beside

load helper
load process
load lifecycle

setup() {
    make_site
    cd "$BATS_TEST_TMPDIR" || return
}

# A line of a worker's, and one of the master's.
make_lines() {
    py "${DROVER_ADDRS[1]}" <<'PY'
s = connect(sys.argv[1])
s.sendall(b"no PROXY header\r\n")
s.recv(1000)
PY
    kill -HUP "$DROVER_PID"
}

# holds FILE TEXT: for wait_until.
holds() {
    grep -qF -e "$2" "$1"
}

DOORS=(--listen 127.0.0.1:0 --listen '127.0.0.1:0,proxy')

@test "a file has the lines of the master and of the workers; stderr has none" {
    drover_start "${DOORS[@]}" --workers 1 --log drover.log "$SITE"
    make_lines
    wait_until 20 holds drover.log 'info  master: reload: every worker is a fresh one'
    grep -E '^[0-9-]{10} [0-9:.]{12} warn  worker 0: ' drover.log
    grep -E '^[0-9-]{10} [0-9:.]{12} info  master: serving ' drover.log
    [[ ! -s $DROVER_LOG ]] || fail 'stderr has lines'
    assert_equal "$(stat --format=%a drover.log)" 640
}

@test "json: one object a line, with the fields of the schema" {
    drover_start "${DOORS[@]}" --workers 1 --log drover.log --log-format json "$SITE"
    make_lines
    wait_until 20 holds drover.log 'reload: every worker is a fresh one'
    drover_stop
    jq --exit-status --slurp 'length > 4 and (map(
        (.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}[+-][0-9]{2}:[0-9]{2}$")) and
        (.level | IN("error", "warn", "info", "debug")) and (.pid | type == "number") and
        (.message | type == "string") and
        (if .process == "master" then has("slot") | not else .process == "worker \(.slot)" end)) | all)' drover.log
    jq --exit-status --slurp 'map(select(.process == "worker 0" and .level == "warn")) | length > 0' drover.log
    jq --exit-status --slurp "map(select(.process == \"master\" and .pid == $DROVER_PID)) | length > 2" drover.log
}

@test "json on stderr" {
    drover_start --workers 1 --log-format json "$SITE"
    tail -n 1 "$DROVER_LOG" | jq --exit-status '.process == "master" and .level == "info"'
}

@test "a log that cannot be opened: nothing is served, and why is on stderr" {
    drover serve --listen 127.0.0.1:0 --log /nowhere/log "$SITE"
    assert_equal "$status" 73
    assert_output --partial 'error master: --log /nowhere/log: No such file or directory'
    drover serve --listen 127.0.0.1:0 --log "$SITE" "$SITE"
    assert_equal "$status" 73
    assert_output --partial ": Is a directory"
}

@test "a start that fails once the log is open: why is there, and on stderr" {
    drover_start "$SITE"
    drover serve --listen "$DROVER_ADDR" --log drover.log "$SITE"
    assert_equal "$status" 69
    assert_output --regexp "^[0-9-]{10} [0-9:.]{12} error master: --listen $DROVER_ADDR: .*\$"
    holds drover.log "error master: --listen $DROVER_ADDR: "
}

@test "the level holds for the next generation's workers from their start" {
    printf '%s\n' "root = $SITE" 'workers = 1' "log = $PWD/one.log" >c
    drover_start "${DOORS[@]}" -c c
    printf '%s\n' "root = $SITE" 'workers = 1' "log = $PWD/two.log" 'log-level = error' >c
    drover reload
    assert_equal "$status" 0
    make_lines
    drover_stop
    [[ ! -s two.log ]] || fail "$(<two.log)"
    holds one.log 'serving'
}

@test "reopen: the log of master, workers and admin process goes on in the new file" {
    drover_start "${DOORS[@]}" --workers 1 --admin 127.0.0.1:0 --log drover.log "$SITE"
    mv drover.log old.log
    drover reopen
    assert_equal "$status" 0
    wait_until 20 nobody_has "$PWD/old.log"
    make_lines
    wait_until 20 holds drover.log 'info  master: reload: every worker is a fresh one'
    holds drover.log 'warn  worker 0: '
    run -1 holds old.log 'worker 0: '
}

@test "reopen: nobody keeps the files of a generation before, nor the admin process an access log" {
    printf '%s\n' "root = $SITE" 'workers = 1' 'admin = 127.0.0.1:0' "log = $PWD/log.1" "access-log = $PWD/access.1" >c
    drover_start "${DOORS[@]}" -c c
    local admin
    wait_until 20 holds log.1 'admin process (pid'
    admin=$(sed -n 's/.* admin process (pid \([0-9]*\)) answers.*/\1/p' log.1)
    find "/proc/$admin/fd" -printf '%l\n' >open
    holds open /log.1
    run -1 holds open /access.1
    drover reload
    assert_equal "$status" 0
    mv log.1 log.2
    mv access.1 access.2
    drover reopen
    assert_equal "$status" 0
    wait_until 20 nobody_has "$PWD/log.2"
    wait_until 20 nobody_has "$PWD/access.2"
    sed -i 's,[.]1$,.3,' c
    drover reload
    assert_equal "$status" 0
    wait_until 20 nobody_has "$PWD/log.1"
    wait_until 20 nobody_has "$PWD/access.1"
}

# in_dev: DROVER_UNDER gives the server a /dev/log and a journal's socket of its own, whose messages
# are in $PWD/syslog and $PWD/journal, a line each.
in_dev() {
    ((EUID == 0)) || skip 'needs root'
    unshare --mount true || skip 'needs mounts of its own'
    cat >sockets.py <<'PY'
import os, select, socket, sys
pairs = {}
for path, file in ((sys.argv[1], "syslog"), (sys.argv[2], "journal")):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    os.chmod(path, 0o666)
    pairs[s] = open(file, "ab", buffering=0)
open("bound", "w").close()
while True:
    for s in select.select(list(pairs), [], [], 60)[0]:
        pairs[s].write(s.recv(65536).replace(b"\n", b"|") + b"\n")
PY
    cat >in_dev <<'SH'
#!/bin/sh -e
mkdir -p dev journal-run
mount -t tmpfs tmpfs dev
for name in null zero full random urandom tty fd stdin stdout stderr; do
    [ -e "/dev/$name" ] && [ ! -h "/dev/$name" ] || continue
    : >"dev/$name"
    mount --bind "/dev/$name" "dev/$name"
done
ln -s /proc/self/fd dev/fd
mkdir dev/shm
mount --move dev /dev
mkdir -p /run/systemd/journal
mount -t tmpfs tmpfs /run/systemd/journal
python3 sockets.py /dev/log /run/systemd/journal/socket &
until [ -e bound ]; do sleep 0.02; done
exec "$@"
SH
    chmod +x in_dev
    DROVER_UNDER=(unshare --mount -- ./in_dev)
}

@test "syslog: a message a line, with its priority and who has sent it" {
    in_dev
    drover_start "${DOORS[@]}" --workers 1 --log syslog "$SITE"
    make_lines
    wait_until 20 holds syslog 'master: reload: every worker is a fresh one'
    grep -E "^<30>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} drover\[$DROVER_PID\]: master: serving " syslog
    grep -E '^<28>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} drover\[[0-9]+\]: worker 0: ' syslog
}

@test "journal: its fields, and JSON in the message when that is wanted" {
    in_dev
    drover_start "${DOORS[@]}" --workers 1 --log journal "$SITE"
    make_lines
    wait_until 20 holds journal 'MESSAGE=master: reload: every worker is a fresh one'
    grep -E '^PRIORITY=6\|SYSLOG_IDENTIFIER=drover\|DROVER_PROCESS=master\|MESSAGE=master: serving .*\|$' journal
    grep -E '^PRIORITY=4\|SYSLOG_IDENTIFIER=drover\|DROVER_PROCESS=worker 0\|DROVER_SLOT=0\|MESSAGE=worker 0: .*\|$' journal
}

@test "syslog that is not there: nothing is served" {
    [[ ! -e /dev/log ]] || skip 'there is one'
    drover serve --listen 127.0.0.1:0 --log syslog "$SITE"
    assert_equal "$status" 73
    assert_output --partial '--log syslog: No such file or directory'
}

@test "a stderr that nobody reads holds up neither the master nor a request" {
    local full
    mkfifo pipe
    exec {full}<>pipe
    # shellcheck disable=SC2016 # it is the inner shell's
    DROVER_UNDER=(sh -c 'exec "$@" 2>pipe' sh)
    drover_start --workers 1 --log-level debug "$SITE"
    py pipe <<'PY'
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_NONBLOCK)
for size in 4096, 1:
    try:
        while True:
            os.write(fd, b"x" * size)
    except BlockingIOError:
        pass
PY
    for _ in 1 2 3; do
        drover reload
        assert_equal "$status" 0
        [[ $(fetch /hello.txt) == hello ]]
    done
    timeout 20 cat pipe >got 3>&- 4>&- &
    wait_until 20 test -s got
    drover reload
    wait_until 20 grep -qE 'warn  master: log: [0-9]+ lines before this one could not be written' got
    kill "$!"
    exec {full}>&-
    drover_stop
}
