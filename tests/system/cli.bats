#!/usr/bin/env bats
#
# The command line: what is taken, what is refused and with which words and exit status; who may
# have an address, a pid file and a unix socket; who the workers run as.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load process

setup() {
    make_site
    HELD=()
}

teardown() {
    ((${#HELD[@]})) && kill -KILL "${HELD[@]}"
    drover_teardown
}

# Options are read before ROOT is looked at: with a ROOT that is not there, a value that is taken
# shows in the status 66 and in a message about ROOT alone.
taken() {
    drover serve "$@" /nonexistent
    assert_equal "$status: $output" \
        '66: drover serve: ROOT /nonexistent: No such file or directory'
}

# refused MESSAGE ARGS...: a usage error with exactly this message.
refused() {
    local message=$1
    shift
    drover serve "$@"
    assert_equal "$status: $output" "64: drover serve: $message"
}

# hold ADDRESS PORT: a program that is not drover listens there, sharing the port as far as it can.
# Sets HOLDER, its pid, and PORT.
hold() {
    local fifo=$BATS_TEST_TMPDIR/port
    rm -f "$fifo"
    mkfifo "$fifo"
    python3 -c 'import signal, socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen()
print(s.getsockname()[1], flush=True)
signal.pause()' "$1" "$2" >"$fifo" 3>&- 4>&- &
    HOLDER=$!
    HELD+=("$HOLDER")
    read -r PORT <"$fifo"
}

# as_nobody COMMAND...: for DROVER_UNDER too.
as_nobody=(setpriv --reuid=nobody --regid=65534 --clear-groups)

# status_field PID NAME: of /proc/PID/status, its numbers with single blanks.
status_field() {
    local words
    read -ra words < <(sed -n "s/^$2://p" "/proc/$1/status")
    echo "${words[*]}"
}

# ---- values -----------------------------------------------------------------------------------

@test "values at their bounds are taken" {
    local option value
    while read -r option value; do
        taken "--$option" "$value"
    done <<'ROWS'
workers auto
workers 1
workers 256
listing yes
listing no
dot-files yes
dot-files no
ready-fd 1
max-connections 1
max-connections 1000000
header-timeout 0
header-timeout 1ms
body-timeout 24h
send-timeout 1440m
idle-timeout 86400s
drain-timeout 86400000ms
start-timeout 0s
preempt auto
preempt yes
preempt no
standby on
standby off
log-level error
log-level warn
log-level info
log-level debug
user root
user 54321
group root
group 54321
listen 127.0.0.1:0
listen 127.0.0.1:65535
listen :0
listen [::1]:0
listen localhost:0
listen unix:@name
listen 127.0.0.1:0,backlog=1
listen 127.0.0.1:0,backlog=1048576
listen 127.0.0.1:0,defer=no,backlog=7
listen 127.0.0.1:0,defer=yes
ROWS
}

@test "values beyond their bounds are refused, and what is allowed is said" {
    local option value message
    while IFS='|' read -r option value message; do
        refused "--$option $value: $message" "--$option" "$value"
    done <<'ROWS'
workers|0|must be "auto" or a whole number from 1 to 256
workers|257|must be "auto" or a whole number from 1 to 256
workers|-1|must be "auto" or a whole number from 1 to 256
workers|+1|must be "auto" or a whole number from 1 to 256
workers|1.5|must be "auto" or a whole number from 1 to 256
workers|0x10|must be "auto" or a whole number from 1 to 256
workers|2x|must be "auto" or a whole number from 1 to 256
workers| 2|must be "auto" or a whole number from 1 to 256
workers|Auto|must be "auto" or a whole number from 1 to 256
workers|18446744073709551617|must be "auto" or a whole number from 1 to 256
max-connections|0|must be a whole number from 1 to 1000000
max-connections|1000001|must be a whole number from 1 to 1000000
max-connections|auto|must be a whole number from 1 to 1000000
ready-fd|-1|must be a whole number from 0 to 2147483647
ready-fd|2147483648|must be a whole number from 0 to 2147483647
ready-fd|one|must be a whole number from 0 to 2147483647
listing|maybe|must be yes or no
listing|1|must be yes or no
dot-files|Yes|must be yes or no
standby|yes|must be on or off
preempt|maybe|must be auto, yes or no
preempt|AUTO|must be auto, yes or no
log-level|trace|must be error, warn, info or debug
log-level|INFO|must be error, warn, info or debug
user|no such user|there is no such user
user|-1|there is no such user
group|no such group|there is no such group
group|4294967295|there is no such group
ROWS
}

@test "durations need a unit and end at a day" {
    local option value
    local allowed='must be a number with ms, s, m or h, as in 250ms or 10s, at most 24h; 0 is never'
    for value in 1 -1s 1.5s 10sec 10S s '10 s' 25h 1441m 86401s 86400001ms 9223372036854775807h \
        99999999999999999999s; do
        refused "--drain-timeout $value: $allowed" --drain-timeout "$value"
    done
    for option in header body send idle start; do
        refused "--$option-timeout 25h: $allowed" "--$option-timeout" 25h
    done
}

@test "addresses that are none are refused, and what one looks like is said" {
    local value message
    local forms='an address is HOST:PORT, :PORT, [V6]:PORT, unix:/path, unix:@name or fd:NAME'
    while IFS='|' read -r value message; do
        refused "--listen $value: $message" --listen "$value"
    done <<ROWS
8080|a port alone stands behind a colon, as in :8080
localhost|there is no port; $forms
127.0.0.1:65536|the port must be a number from 0 to 65535
127.0.0.1:|the port must be a number from 0 to 65535
127.0.0.1:http|the port must be a number from 0 to 65535
127.0.0.1:-1|the port must be a number from 0 to 65535
::1:8080|an IPv6 number stands in brackets, as in [::1]:8080
unix:relative|a unix address is unix:/path, absolute, or unix:@name
unix:|a unix address is unix:/path, absolute, or unix:@name
unix:@|a unix address is unix:/path, absolute, or unix:@name
127.0.0.1:0,backlog=0|backlog= takes a number from 1 to 1048576
127.0.0.1:0,backlog=1048577|backlog= takes a number from 1 to 1048576
127.0.0.1:0,backlog=|backlog= takes a number from 1 to 1048576
127.0.0.1:0,defer=maybe|defer= takes yes or no
127.0.0.1:0,fast|after a comma may stand backlog=N, defer=yes, defer=no or proxy
127.0.0.1:0,backlog|after a comma may stand backlog=N, defer=yes, defer=no or proxy
ROWS
    drover serve --listen '[::x]:80'
    assert_equal "$status" 64
    assert_output --partial '--listen [::x]:80: host "::x": '
    drover serve --listen 'no.such.host.invalid:80'
    assert_equal "$status" 64
    assert_output --partial 'host "no.such.host.invalid": '
}

@test "a unix path has at most 107 bytes" {
    local path
    path=/$(printf '%0106d' 0)
    taken --listen "unix:$path"
    refused "--listen unix:${path}0: a unix address has at most 107 bytes after the colon (unix(7))" \
        --listen "unix:${path}0"
}

@test "16 addresses are allowed, not 17" {
    local many=()
    for ((i = 0; i < 16; i++)); do
        many+=(--listen "127.0.0.1:$((20000 + i))")
    done
    taken "${many[@]}"
    refused '--listen 127.0.0.1:0: there are too many addresses; 16 are allowed' \
        "${many[@]}" --listen 127.0.0.1:0
}

@test "an empty value is refused" {
    local option
    for option in root pidfile user group; do
        refused "--$option: must not be empty" "--$option="
        refused "--$option: must not be empty" "--$option" ''
    done
    drover serve --workers=
    assert_equal "$status" 64
    drover serve --listen=
    assert_equal "$status" 64
}

@test "a missing value is named by what it would be" {
    refused '--workers: its value is missing, as in --workers N' --workers
    refused '--listen: its value is missing, as in --listen ADDR' "$SITE" --listen
    refused '--drain-timeout: its value is missing, as in --drain-timeout TIME' --workers 1 --drain-timeout
    refused '--workers --listen: must be "auto" or a whole number from 1 to 256' \
        --workers --listen
}

@test "an unknown option comes with the one that may have been meant" {
    refused '--worker: there is no such option; did you mean --workers?' --worker 2
    refused '--worker: there is no such option; did you mean --workers?' --worker=2
    refused '--lisent: there is no such option; did you mean --listen?' --lisent :80
    refused '--drain-timeuot: there is no such option; did you mean --drain-timeout?' \
        --drain-timeuot 1s
    refused '--port: there is no such option; did you mean --listen?' --port 80
    refused '--daemon: there is no such option; drover serve --help lists them' --daemon
    refused '--frobnicate: there is no such option; drover serve --help lists them' --frobnicate
    refused '-p: there is no such option; options have two dashes' -p 80
}

# ---- ROOT and commands ------------------------------------------------------------------------

@test "ROOT must be a directory that is there" {
    taken
    drover serve "$SITE/hello.txt"
    assert_equal "$status: $output" \
        "66: drover serve: ROOT $SITE/hello.txt: is not a directory; a configuration file is given by -c $SITE/hello.txt"
    drover serve --root /nonexistent
    assert_equal "$status: $output" \
        '66: drover serve: ROOT /nonexistent: No such file or directory'
    refused "$SITE: ROOT was given already: /tmp" /tmp "$SITE"
}

@test "what is served is said once: as ROOT or as --root" {
    refused 'ROOT www: --root wwww was given, too' --root wwww www
    refused 'ROOT www: --root wwww was given, too' www --root=wwww
}

@test "a ROOT that is a file, and maybe a configuration file" {
    cd "$SITE"
    drover serve hello.txt
    assert_equal "$status: $output" "66: drover serve: ROOT hello.txt: is not a directory; \
a configuration file is given by -c hello.txt"
    : >it.so
    drover serve it.so
    assert_equal "$status: $output" \
        '66: drover serve: ROOT it.so: is not a directory; a module is named with --app'
}

@test "the same address twice is refused before the start" {
    refused '--listen 127.0.0.1:8123,backlog=9: was given already: 127.0.0.1:8123' \
        --listen 127.0.0.1:8123 --listen 127.0.0.1:8123,backlog=9
    refused '--listen unix:/x: was given already: unix:/x' --listen unix:/x --listen unix:/x
    taken --listen 127.0.0.1:0 --listen 127.0.0.1:0
    taken --listen 127.0.0.1:8123 --listen 127.0.0.2:8123
}

@test "every value of the command line that is wrong is told at once" {
    drover serve --workers 0 --log-level loud
    assert_equal "$status: $output" '64: drover serve: --workers 0: must be "auto" or a whole number from 1 to 256
drover serve: --log-level loud: must be error, warn, info or debug'
}

@test "a word that is no log file is refused; as a path it is one" {
    local word
    for word in on yes True stdout stderr syslog journal none Off null; do
        refused "--access-log $word: is no word here (off, -, or a file's path); a file of that name is ./$word" \
            --access-log "$word"
    done
    for word in on off None null - stdout; do
        refused "--log $word: is no word here (stderr, syslog, journal, or a file's path); a file of that name is ./$word" \
            --log "$word"
    done
    taken --access-log ./on --log ./none
    taken --access-log - --log journal
    taken --access-log on.log --log off.log
}

@test "a ROOT that may not be looked at is EX_NOPERM" {
    copy_drover
    mkdir -p "$SITE/closed/inner"
    chmod 700 "$SITE/closed"
    run timeout 20 "${as_nobody[@]}" "$DROVER" serve "$SITE/closed/inner" 3>&- 4>&-
    assert_equal "$status: $output" \
        "77: drover serve: ROOT $SITE/closed/inner: Permission denied"
}

@test "a command is needed, and one that is misspelt is guessed" {
    drover
    assert_equal "$status" 64
    assert_output --partial 'usage: drover COMMAND'
    drover sevre
    assert_equal "$status: $output" '64: drover: there is no command "sevre"; did you mean serve?'
    cd "$SITE"
    drover .
    assert_equal "$status: $output" \
        '64: drover: there is no command "."; to serve that directory: drover serve .'
    drover log
    assert_equal "$status: $output" '64: drover: there is no command "log"; drover help lists them'
    drover frobnicate
    assert_equal "$status: $output" \
        '64: drover: there is no command "frobnicate"; drover help lists them'
}

@test "help and version go to stdout and succeed" {
    local command option
    for command in help --help -h version --version -V 'serve --help' 'serve -h' \
        'serve --workers 0 --help'; do
        # shellcheck disable=SC2086 # the words of a command
        run --separate-stderr timeout 20 "$DROVER" $command 3>&- 4>&-
        assert_success
        assert_output
        # shellcheck disable=SC2154 # run sets it
        assert_equal "$stderr" ''
    done
    drover serve --help
    local help=$output
    drover help serve
    assert_equal "$status: $output" "0: $help"
    drover help sevre
    assert_equal "$status: $output" '64: drover: there is no command "sevre"; did you mean serve?'
    drover --version
    assert_output --regexp '^drover [0-9]+\.[0-9]+\.[0-9]+'
    drover serve --help
    for option in listen workers app set root listing dot-files ready-fd pidfile user group \
        max-connections header-timeout body-timeout send-timeout idle-timeout drain-timeout \
        start-timeout preempt log-level precompressed cache-control field error-page fallback; do
        assert_line --regexp "^  --$option .+   \(default: .+\)$"
    done
}

@test "--name=value, --name value and -- in a server that runs" {
    mkdir "$SITE/--odd"
    echo odd >"$SITE/--odd/name.txt"
    DROVER_UNDER=(env -C "$SITE")
    drover_start --workers=2 --log-level info -- --odd
    assert_equal "$(worker_count)" 2
    assert_equal "$(fetch /name.txt)" odd
    drover_stop
    assert_equal "$status" 0
}

@test "ROOT is the present directory, --root and the argument are the same" {
    DROVER_UNDER=(env -C "$SITE")
    drover_start --workers 1
    assert_equal "$(fetch /hello.txt)" hello
    drover_stop
    drover_start --workers 1 --root sub
    assert_equal "$(fetch / | head -c 15)" '<!doctype html>'
    assert_equal "$(fetch /hello.txt --output /dev/null --write-out '%{http_code}')" 404
}

@test "one line says what is served, where, by how many, and how to stop it" {
    local line
    drover_start --workers 1 "$SITE/sub/.."
    line=$(<"$DROVER_LOG")
    assert_equal "${line#* master: }" \
        "serving $SITE at http://$DROVER_ADDR/ with 1 worker; Ctrl-C or kill $DROVER_PID stops it"
    drover_stop
    : >"$DROVER_LOG"
    drover_start --workers 2 --listen 127.0.0.1:0 --listen unix:@drover.$$ "$SITE"
    line=$(<"$DROVER_LOG")
    assert_equal "${line#* master: }" "serving $SITE at http://$DROVER_ADDR/, unix:@drover.$$ $(
    )with 2 workers; Ctrl-C or kill $DROVER_PID stops it"
}

@test "--log-level says how much is said" {
    drover_start --workers 1 --log-level error "$SITE"
    kill_worker 0
    drover_stop
    assert_equal "$(<"$DROVER_LOG")" ''
    drover_start --workers 1 --log-level warn "$SITE"
    kill_worker 0
    drover_stop
    # whose CPU is another machine's for a moment seems to hang
    run grep -vE ' worker 0 \(pid [0-9]+\) (hangs since|goes on after) ' "$DROVER_LOG"
    assert_equal "${#lines[@]}" 1
    drover_start --workers 1 --log-level debug "$SITE"
    drover_stop
    run cat "$DROVER_LOG"
    assert_output --partial 'worker 0: forked as pid'
}

# ---- addresses --------------------------------------------------------------------------------

@test "a port in use is refused, and the holder named" {
    hold 127.0.0.1 0
    drover serve --listen "127.0.0.1:$PORT" "$SITE"
    assert_equal "$status" 69
    assert_output --partial "--listen 127.0.0.1:$PORT: the address is in use by $(
        )$(name_of "$HOLDER") (pid $HOLDER)"
    drover serve --listen ":$PORT" "$SITE"
    assert_equal "$status" 69
    assert_output --partial "$(name_of "$HOLDER") (pid $HOLDER)"
}

@test "of two programs at one port, the one in the way is named" {
    local first
    hold 127.0.0.2 0
    first=$HOLDER
    hold 127.0.0.3 "$PORT"
    drover serve --listen "127.0.0.2:$PORT" "$SITE"
    assert_equal "$status" 69
    assert_output --partial "127.0.0.2:$PORT: the address is in use by $(
        )$(name_of "$first") (pid $first)"
    drover serve --listen "127.0.0.3:$PORT" "$SITE"
    assert_equal "$status" 69
    assert_output --partial "127.0.0.3:$PORT: the address is in use by $(
        )$(name_of "$HOLDER") (pid $HOLDER)"
}

@test "a port of another drover of the same user is refused, not shared" {
    drover_start --workers 3 "$SITE"
    drover serve --listen "$DROVER_ADDR" "$SITE"
    assert_equal "$status" 69
    assert_output --partial \
        "--listen $DROVER_ADDR: the address is in use by drover (pid $DROVER_PID)"
    assert_equal "$(listeners)" 3
    for _ in 1 2 3 4 5 6; do
        assert_equal "$(fetch /hello.txt)" hello
    done
}

@test "the holder of an address is the master, though its pid be the highest" {
    local last
    unshare --pid --fork --mount-proc true || skip 'needs pids of its own'
    cd "$BATS_TEST_TMPDIR"
    last=$(($(</proc/sys/kernel/pid_max) - 5))
    # shellcheck disable=SC2016 # for that shell
    run timeout --kill-after=1 20 unshare --pid --fork --kill-child --mount-proc sh -c '
        echo "$1" >/proc/sys/kernel/ns_last_pid || exit 1
        "$2" serve --listen "$3" --workers 4 --ready-fd 7 "$4" 7>ready 2>log &
        until [ -s ready ]; do sleep 0.02; done
        echo "$!" >pid
        "$2" serve --listen "$3" "$4"' sh "$last" "$DROVER" "127.0.0.1:$(free_ports 1)" "$SITE" 3>&- 4>&-
    assert_equal "$status" 69
    assert_output --partial ": the address is in use by drover (pid $(<pid))"
}

@test "one address in use takes none of the others" {
    local free
    drover_start --workers 1 "$SITE"
    free=$BATS_TEST_TMPDIR/free.sock
    drover serve --listen "unix:$free" --listen "$DROVER_ADDR" "$SITE"
    assert_equal "$status" 69
    [[ ! -e $free ]]
}

@test "a port is free again right after a stop, and after a kill -9" {
    local address
    address=127.0.0.1:$(free_ports 1) # which is nobody's between two servers
    drover_start --listen "$address" --workers 2 "$SITE"
    fetch /hello.txt >/dev/null
    drover_stop
    drover_start --listen "$address" --workers 2 "$SITE"
    fetch /hello.txt >/dev/null
    drover_stop KILL
    drover_start --listen "$address" --workers 2 "$SITE"
    assert_equal "$(fetch /hello.txt)" hello
}

@test "an address that this machine has not is EX_UNAVAILABLE" {
    drover serve --listen 192.0.2.1:0 "$SITE"
    assert_equal "$status" 69
    assert_output --partial '--listen 192.0.2.1:0: Cannot assign requested address'
}

@test "a privileged port is EX_NOPERM" {
    local first
    copy_drover
    first=$(</proc/sys/net/ipv4/ip_unprivileged_port_start)
    ((first > 1)) || skip 'this system has no privileged ports'
    run timeout 20 "${as_nobody[@]}" "$DROVER" serve --listen "127.0.0.1:$((first - 1))" "$SITE" \
        3>&- 4>&-
    assert_equal "$status" 77
    assert_output --partial "--listen 127.0.0.1:$((first - 1)): Permission denied"
}

@test "several addresses, each with a socket a worker" {
    drover_start --workers 2 --listen 127.0.0.1:0 --listen '[::1]:0' --listen 127.0.0.2:0 "$SITE"
    assert_equal "${#DROVER_ADDRS[@]}" 3
    for DROVER_ADDR in "${DROVER_ADDRS[@]}"; do
        DROVER_URL=http://$DROVER_ADDR
        assert_equal "$(fetch /hello.txt)" hello
        # two addresses may have got the same port
        assert_equal "$(listeners)" $((2 * $(printf '%s\n' "${DROVER_ADDRS[@]}" | grep -c ":$(port_of)\$")))
    done
}

@test ":PORT serves both families" {
    local port
    drover_start --workers 1 --listen :0 "$SITE"
    assert_equal "${DROVER_ADDR%:*}" '[::]'
    port=$(port_of)
    DROVER_URL=http://127.0.0.1:$port
    assert_equal "$(fetch /hello.txt)" hello
    DROVER_URL="http://[::1]:$port"
    assert_equal "$(fetch /hello.txt)" hello
}

# ---- unix sockets -----------------------------------------------------------------------------

@test "a unix socket is there while the server runs, and gone afterwards" {
    local path=$BATS_TEST_TMPDIR/s.sock
    drover_start --workers 2 --listen "unix:$path" "$SITE"
    assert_equal "$DROVER_ADDR" "unix:$path"
    [[ -S $path ]]
    assert_equal "$(fetch /hello.txt)" hello
    drover_stop
    assert_equal "$status" 0
    [[ ! -e $path ]]
}

@test "a stale unix socket is taken over" {
    local path=$BATS_TEST_TMPDIR/s.sock
    drover_start --workers 2 --listen "unix:$path" "$SITE"
    drover_stop KILL
    [[ -S $path ]]
    drover_start --workers 2 --listen "unix:$path" "$SITE"
    assert_equal "$(fetch /hello.txt)" hello
}

@test "a live unix socket is refused, and stays" {
    local address path=$BATS_TEST_TMPDIR/s.sock
    for address in "unix:$path" "unix:@drover.test.$$"; do
        drover_start --workers 1 --listen "$address" "$SITE"
        drover serve --listen "$address" "$SITE"
        assert_equal "$status" 69
        assert_output --partial \
            "--listen $address: the address is in use by drover (pid $DROVER_PID)"
        assert_equal "$(fetch /hello.txt)" hello
        drover_stop
    done
}

@test "an address that another one of the command takes in is named as such" {
    local port
    port=$(free_ports 1)
    drover serve --listen "0.0.0.0:$port" --listen "127.0.0.1:$port" "$SITE"
    assert_equal "$status" 69
    assert_output --partial "--listen 127.0.0.1:$port: another --listen of this command has the address"
}

@test "a file that is no socket is not removed" {
    echo precious >"$BATS_TEST_TMPDIR/file"
    drover serve --listen "unix:$BATS_TEST_TMPDIR/file" "$SITE"
    assert_equal "$status" 69
    assert_output --partial "--listen unix:$BATS_TEST_TMPDIR/file: Address already in use"
    assert_equal "$(<"$BATS_TEST_TMPDIR/file")" precious
}

# ---- the pid file -----------------------------------------------------------------------------

@test "the pid file holds the master's pid while it runs" {
    local file=$BATS_TEST_TMPDIR/pid
    drover_start --workers 1 --pidfile "$file" "$SITE"
    assert_equal "$(<"$file")" "$DROVER_PID"
    drover_stop
    assert_equal "$status" 0
    [[ ! -e $file ]]
}

@test "a pid file that is held is refused, and its holder named" {
    local file=$BATS_TEST_TMPDIR/pid
    drover_start --workers 1 --pidfile "$file" "$SITE"
    kill_worker 0 # a worker's end must not give up the lock
    drover serve --listen 127.0.0.1:0 --pidfile "$file" "$SITE"
    assert_equal "$status" 69
    assert_output --partial "--pidfile $file: is held by pid $DROVER_PID, which is running"
    assert_equal "$(<"$file")" "$DROVER_PID"
}

@test "a stale pid file is taken over" {
    local file=$BATS_TEST_TMPDIR/pid
    echo 123456789 >"$file"
    drover_start --workers 1 --pidfile "$file" "$SITE"
    assert_equal "$(<"$file")" "$DROVER_PID"
    drover_stop KILL
    assert_equal "$(<"$file")" "$DROVER_PID"
    drover_start --workers 1 --pidfile "$file" "$SITE"
    assert_equal "$(<"$file")" "$DROVER_PID"
}

@test "a pid file that cannot be written is named" {
    copy_drover
    chmod 755 "$SITE"
    drover serve --listen 127.0.0.1:0 --pidfile /nonexistent/pid "$SITE"
    assert_equal "$status" 73
    assert_output --partial '--pidfile /nonexistent/pid: No such file or directory'
    run timeout 20 "${as_nobody[@]}" "$DROVER" serve --listen 127.0.0.1:0 --pidfile "$SITE/pid" \
        "$SITE" 3>&- 4>&-
    assert_equal "$status" 77
    assert_output --partial "--pidfile $SITE/pid: Permission denied"
}

@test "a refused start leaves no pid file" {
    local file=$BATS_TEST_TMPDIR/pid
    drover serve --listen 192.0.2.1:0 --pidfile "$file" "$SITE"
    assert_equal "$status" 69
    [[ ! -e $file ]]
}

# ---- --ready-fd -------------------------------------------------------------------------------

# ready_on FD: starts a server that tells on this descriptor, and prints what it told up to its end.
ready_on() {
    local fifo=$BATS_TEST_TMPDIR/told
    mkfifo "$fifo"
    DROVER_LOG=$BATS_TEST_TMPDIR/log DROVER_MARK=$BATS_TEST_TMPDIR/ready
    DROVER_TEST=$DROVER_MARK bash -c "exec \"\$@\" $1>'$fifo'" bash \
        "$DROVER" serve --workers 3 --listen 127.0.0.1:0 --listen 127.0.0.2:0 --ready-fd "$1" \
        "$SITE" </dev/null >>"$DROVER_LOG" 2>&1 3>&- 4>&- &
    DROVER_PID=$!
    run timeout 10 cat "$fifo" 3>&- 4>&-
    DROVER_ADDR=${lines[0]:-}
    DROVER_URL=http://$DROVER_ADDR
}

@test "--ready-fd: an address a line, then its end, when every worker accepts" {
    ready_on 7
    assert_equal "$(worker_count)" 3
    assert_success
    assert_equal "${#lines[@]}" 2
    assert_line --index 0 --regexp '^127\.0\.0\.1:[0-9]+$'
    assert_line --index 1 --regexp '^127\.0\.0\.2:[0-9]+$'
    assert_equal "$(fetch /hello.txt)" hello
}

@test "--ready-fd 1 comes to its end, too" {
    ready_on 1
    assert_success
    assert_equal "${#lines[@]}" 2
    assert_equal "$(fetch /hello.txt)" hello
    drover_stop
    assert_equal "$status" 0
}

@test "--ready-fd: a descriptor that is not open is a usage error" {
    refused '--ready-fd 99: is not an open descriptor' --ready-fd 99 "$SITE"
}

@test "--ready-fd: a reader that has gone ends nothing" {
    local fifo=$BATS_TEST_TMPDIR/told
    mkfifo "$fifo"
    exec {reader}<>"$fifo"
    exec {writer}>"$fifo"
    exec {reader}>&-
    drover_launch --listen 127.0.0.1:0 --workers 1 --ready-fd "$writer" "$SITE"
    exec {writer}>&-
    wait_until 20 logged 'serving '
    assert_equal "$(worker_count)" 1
    drover_stop
    assert_equal "$status" 0
}

# ---- identity and limits ----------------------------------------------------------------------

@test "--user: the workers run as that user, without the groups of root" {
    local pid gid
    gid=$(id --group nobody)
    echo private >"$SITE/private.txt"
    chmod 600 "$SITE/private.txt"
    echo group >"$SITE/group.txt"
    chgrp 4242 "$SITE/group.txt"
    chmod 640 "$SITE/group.txt"
    DROVER_UNDER=(setpriv '--groups=0,4242')
    drover_start --workers 2 --user nobody "$SITE"
    assert_equal "$(status_field "$DROVER_PID" Uid)" '0 0 0 0'
    for pid in $(workers); do
        assert_equal "$(status_field "$pid" Uid)" "$(id --user nobody | sed 's/.*/& & & &/')"
        assert_equal "$(status_field "$pid" Gid)" "$gid $gid $gid $gid"
        assert_equal "$(status_field "$pid" Groups)" "$gid"
        assert_equal "$(status_field "$pid" CapEff)" 0000000000000000
    done
    assert_equal "$(fetch /hello.txt)" hello
    assert_equal "$(fetch /private.txt --output /dev/null --write-out '%{http_code}')" 403
    assert_equal "$(fetch /group.txt --output /dev/null --write-out '%{http_code}')" 403
    kill_worker 0 # its next one, too
    assert_equal "$(status_field "$(worker_of 0)" Groups)" "$gid"
    drover_stop
    assert_equal "$status" 0
}

@test "--user and --group by number, and a group of its own" {
    local pid
    drover_start --workers 1 --user 54321 --group 54322 "$SITE"
    pid=$(worker_of 0)
    assert_equal "$(status_field "$pid" Uid)" '54321 54321 54321 54321'
    assert_equal "$(status_field "$pid" Gid)" '54322 54322 54322 54322'
    assert_equal "$(status_field "$pid" Groups)" 54322
    drover_stop
    drover_start --workers 1 --group 54322 "$SITE"
    pid=$(worker_of 0)
    assert_equal "$(status_field "$pid" Uid)" '0 0 0 0'
    assert_equal "$(status_field "$pid" Gid)" '54322 54322 54322 54322'
}

@test "--user is for root" {
    copy_drover
    run timeout 20 "${as_nobody[@]}" "$DROVER" serve --user root "$SITE" 3>&- 4>&-
    assert_equal "$status: $output" '77: drover serve: --user root: only root may change it'
    DROVER_UNDER=("${as_nobody[@]}")
    drover_start --workers 1 --user nobody "$SITE"
    assert_equal "$(fetch /hello.txt)" hello
}

@test "--max-connections above the limit of descriptors is lowered, with a warning" {
    DROVER_UNDER=(prlimit --nofile=200:200)
    drover_start --workers 2 "$SITE"
    run cat "$DROVER_LOG"
    assert_output --regexp "--max-connections 10000: a process may have only 200 descriptors $(
        )open \(ulimit -n\), so a worker takes [5-9][0-9] connections, each with a file to send"
    assert_equal "$(fetch /hello.txt)" hello
    drover_stop
    : >"$DROVER_LOG"
    drover_start --workers 2 --max-connections 50 "$SITE"
    run cat "$DROVER_LOG"
    refute_output --partial descriptors
}

@test "the soft limit of descriptors is raised to the hard one" {
    DROVER_UNDER=(prlimit --nofile=100:1000)
    drover_start --workers 1 --max-connections 400 "$SITE"
    run cat "$DROVER_LOG"
    refute_output --partial descriptors
}

@test "what cannot be printed is an error" {
    local words
    drover_start --workers 1 "$SITE"
    for words in help version 'serve --help' "check $SITE" "check --print $SITE" 'reopen' 'reopen --json'; do
        # shellcheck disable=SC2016 # for that shell
        run timeout 20 bash -c '"$0" $1 >/dev/full' "$DROVER" "$words" 3>&- 4>&-
        assert_equal "$status $output" "74 drover ${words%% *}: No space left on device"
    done
}

# bats test_tags=nosan
@test "the binary needs libc and nothing else" {
    run bash -c 'ldd "$1" | grep -vE "linux-vdso|libc\.so|ld-linux|statically|not a dynamic"' bash \
        "$DROVER"
    assert_output ''
}

# Else a log line would go to whatever got the number: a connection, the board.
@test "standard descriptors that are closed are /dev/null, and nobody else's" {
    # shellcheck disable=SC2016 # for the shell that is started
    DROVER_UNDER=(sh -c 'exec "$@" <&- >&- 2>&-' sh)
    drover_start "$SITE"
    local pid fd
    for pid in "$DROVER_PID" $(pgrep -P "$DROVER_PID"); do
        for fd in 0 1 2; do
            assert_equal "$(readlink "/proc/$pid/fd/$fd")" /dev/null
        done
    done
    drover_stop
    assert_equal "$status" 0
}
