#!/usr/bin/env bats
#
# The access log: what its lines say, and that no line is lost while files are opened anew, workers
# end, and disks are full; nor a request.
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
    LINES=$BATS_TEST_TMPDIR/access.log
}

# The file of the server's lines; a worker writes them a second after the first at the latest.
has_lines() {
    (($(lines) >= $1))
}

lines() {
    cat "$LINES"* 2>/dev/null | wc -l
}

# wait_lines N: there are so many. What is gathered leaves when a file is opened anew, too.
wait_lines() {
    kill -USR1 "$DROVER_PID"
    wait_until 20 has_lines "$1"
    assert_equal "$(lines)" "$1"
}

# The line of that number is one that matches all of it.
line_is() {
    local line
    line=$(sed -n "$1p" "$LINES")
    [[ $line =~ ^($2)$ ]] || fail "line $1: $line"
}

# reopen: drover reopen, which must be done.
reopen() {
    drover reopen
    assert_equal "$status: $output" "0: $output"
}

TIME='\[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}\]'

# ---- what the lines say -----------------------------------------------------------------------

@test "combined: a line for every answer, with what was sent" {
    drover_start --workers 1 --access-log "$LINES" "$SITE"
    fetch '/hello.txt?a=b' --user-agent 'it "is"' --referer 'http://r/' >/dev/null
    fetch /big.bin >/dev/null
    fetch /big.bin --head >/dev/null
    fetch /nothing >/dev/null
    fetch /big.bin --range 10-19 >/dev/null
    fetch /hello.txt --request DELETE >/dev/null
    wait_until 20 has_lines 6 # without being told to
    line_is 1 "127\.0\.0\.1 - - $TIME \"GET /hello\.txt\?a=b HTTP/1\.1\" 200 6 \"http://r/\" \"it \\\\x22is\\\\x22\""
    line_is 2 "127\.0\.0\.1 - - $TIME \"GET /big\.bin HTTP/1\.1\" 200 1048583 \"-\" \"curl/[^\"]*\""
    line_is 3 ".* \"HEAD /big\.bin HTTP/1\.1\" 200 - .*"
    line_is 4 ".* \"GET /nothing HTTP/1\.1\" 404 [0-9]+ .*"
    line_is 5 ".* \"GET /big\.bin HTTP/1\.1\" 206 10 .*"
    line_is 6 ".* \"DELETE /hello\.txt HTTP/1\.1\" 405 [0-9]+ .*"
    assert_equal "$(stat --format=%a "$LINES")" 640
}

@test "requests that were refused have lines, with what came of theirs" {
    drover_start --workers 1 --header-timeout 100ms --body-timeout 100ms --max-body 10 \
        --access-log "$LINES" --access-format '%s "%r" %m' --app echo
    py "$DROVER_ADDR" <<'PY'
for text in (b"GET /\x01 HTTP/1.1\r\n\r\n", b"GET /late HTTP/1.1\r\nHost: a\r\n", b"\r\nNONSENSE\r\n\r\n",
             b"POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n",
             b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123",
             b"GET / HTTP/1.1\r\nHost: a\r\na: " + b"x" * 20000 + b"\r\n\r\n"):
    s = connect(sys.argv[1])
    s.sendall(text)
    while s.recv(65536):
        pass
PY
    wait_lines 6
    line_is 1 '400 "GET /\\x01 HTTP/1\.1" -'
    line_is 2 '408 "GET /late HTTP/1\.1" -'
    line_is 3 '400 ".*" -'
    line_is 4 '413 "POST /large HTTP/1\.1" -'
    line_is 5 '408 "POST /slow HTTP/1\.1" -'
    line_is 6 '431 "GET / HTTP/1\.1" -'
}

@test "json: every line is an object, whatever clients send" {
    drover_start --workers 1 --access-log "$LINES" --access-format json "$SITE"
    py "$DROVER_ADDR" <<'PY'
s = connect(sys.argv[1])
for agent in (b"plain", b'"quoted" \\\t.', b"\xc3\xa4\xff\xfe", b"x" * 9000):
    s.sendall(b"GET /hello.txt?q HTTP/1.1\r\nHost: a\r\nUser-Agent: " + agent + b"\r\n\r\n")
    answer(s)
s.sendall(b"\xff\"\\\x00 HTTP/1.1\r\n\r\n")
answer(s)
PY
    wait_lines 5
    jq --exit-status --slurp 'map(has("time") and .client == "127.0.0.1" and .slot == 0 and
        (.duration_us | type) == "number") | all' "$LINES"
    assert_equal "$(jq --raw-output .user_agent "$LINES" | sed -n 2p)" $'"quoted" \\\t.'
    assert_equal "$(jq --raw-output .user_agent "$LINES" | sed -n 3p)" 'ä��'
    jq --exit-status --slurp '.[0] | .method == "GET" and .path == "/hello.txt" and .status == 200 and
        .bytes == 6 and .host == "a" and .request == "GET /hello.txt?q HTTP/1.1" and
        .referer == null' "$LINES"
    jq --exit-status --slurp '.[4] | .status == 400 and .method == null and .user_agent == null' "$LINES"
}

@test "a client that leaves has what it was sent; the time goes on to the end" {
    head --bytes=50M /dev/zero >"$SITE/huge.bin"
    drover_start --workers 1 --access-log "$LINES" --access-format '%U %s %B %D %k' "$SITE"
    py "$DROVER_ADDR" <<'PY'
s = connect(sys.argv[1])
ask(s, close=False)
answer(s)
ask(s, "/huge.bin")
s.recv(1000)
time.sleep(0.3)
PY
    wait_lines 2
    line_is 1 '/hello\.txt 200 6 [0-9]+ 0'
    read -r path code bytes us count <<<"$(sed -n 2p "$LINES")"
    assert_equal "$path $code $count" '/huge.bin 200 1'
    ((bytes > 0 && bytes < 50 * 1024 * 1024 && us >= 290000)) || fail "$bytes bytes in $us us"
}

@test "pipelined requests have their own lines, and files among them their own bytes" {
    drover_start --workers 1 --access-log "$LINES" --access-format '%U %B %O' "$SITE"
    py "$DROVER_ADDR" <<'PY'
s = connect(sys.argv[1])
for path in ("/hello.txt", "/big.bin", "/1k.bin", "/big.bin", "/hello.txt"):
    ask(s, path, close=path == "last")
s.shutdown(socket.SHUT_WR)
while s.recv(1 << 20):
    pass
PY
    wait_lines 5
    assert_equal "$(cut -d ' ' -f 1,2 "$LINES" | paste -sd ,)" \
        '/hello.txt 6,/big.bin 1048583,/1k.bin 1024,/big.bin 1048583,/hello.txt 6'
    awk '$3 <= $2 { exit 1 } $3 > $2 + 400 { exit 1 }' "$LINES" || fail "$(<"$LINES")"
}

@test "the client is who is believed: a PROXY header's, a trusted proxy's" {
    drover_start --workers 1 --trust-proxy 127.0.0.1 --access-log "$LINES" --access-format '%h %a %p' \
        --listen 127.0.0.1:0 --listen 127.0.0.1:0,proxy --listen "unix:$BATS_TEST_TMPDIR/s" "$SITE"
    fetch /hello.txt --header 'X-Forwarded-For: 203.0.113.9' >/dev/null
    curl --silent --max-time 20 --haproxy-protocol --haproxy-clientip 192.0.2.3 "http://${DROVER_ADDRS[1]}/" >/dev/null ||
        py "${DROVER_ADDRS[1]}" <<'PY'
s = connect(sys.argv[1])
s.sendall(b"PROXY TCP4 192.0.2.3 192.0.2.4 5 6\r\nGET / HTTP/1.0\r\n\r\n")
answer(s)
PY
    curl --silent --max-time 20 --unix-socket "$BATS_TEST_TMPDIR/s" http://a/ >/dev/null
    wait_lines 3
    line_is 1 "203\.0\.113\.9 203\.0\.113\.9 ${DROVER_ADDRS[0]##*:}"
    line_is 2 "192\.0\.2\.3 192\.0\.2\.3 ${DROVER_ADDRS[1]##*:}"
    line_is 3 'unix: unix: -'
}

@test "an answer of the application's own pace has its line when it has left" {
    drover_start --workers 1 --access-log "$LINES" --access-format '%U %s %B %D' \
        --app "${DROVER%/*}/apps/later.so"
    local length
    length=$(fetch '/events?3&50' --raw | wc -c)
    wait_lines 1
    read -r path code bytes us <"$LINES"
    assert_equal "$path $code $bytes" "/events 200 $length"
    ((us >= 90000)) || fail "$us us"
}

@test "a client that is turned away has a line" {
    drover_start --workers 1 --access-log "$LINES" --access-format '%h %s %O %B "%r"' "$SITE"
    py "$DROVER_ADDR" "$(worker_of 0)" <<'PY'
import resource
worker = int(sys.argv[2])
before = resource.prlimit(worker, resource.RLIMIT_NOFILE)
kept = connect(sys.argv[1])
ask(kept, close=False)
answer(kept)
fds = [int(fd) for fd in os.listdir(f"/proc/{worker}/fd")]
resource.prlimit(worker, resource.RLIMIT_NOFILE, (max(fds) + 1, before[1]))
s = connect(sys.argv[1], 20)
ask(s)
assert answer(s)[0] == 503
resource.prlimit(worker, resource.RLIMIT_NOFILE, before)
PY
    wait_lines 2
    line_is 2 '127\.0\.0\.1 503 5[0-9][0-9] 3[0-9][0-9] "-"'
}

@test "stdout takes the lines" {
    drover_start --workers 1 --access-log - --access-format 'line %U' "$SITE"
    fetch /hello.txt >/dev/null
    wait_until 20 logged 'line /hello.txt'
}

# ---- what is wrong with it --------------------------------------------------------------------

@test "a format that cannot be used is told with its column, at the start and by drover check" {
    drover serve --listen 127.0.0.1:0 --access-format '%h %z' "$SITE"
    assert_equal "$status" 64
    assert_output --partial 'drover serve: --access-format %h %z: column 4: there is no directive "%z"; there are: %%, %a,'
    printf '%s\n' "root = $SITE" 'access-format = "%h %{Referer"' 'log-format = xml' 'log = sylog' >c
    drover check -c c
    assert_equal "$status" 78
    assert_output --partial 'c:2:17: access-format = %h %{Referer: column 4: the } is missing'
    assert_output --partial 'c:3:14: log-format = xml: must be text or json'
    assert_output --partial 'c:4:7: log = sylog: did you mean syslog? A file of that name is ./sylog'
}

@test "drover check --print has what was said, and can be read again" {
    printf '%s\n' "root = $SITE" "access-log = $LINES" "access-format = '%h \"%r\" %{User-Agent}i #'" \
        'log = /x/log' 'log-format = json' >c
    drover check --print -c c
    assert_equal "$status" 0
    printf '%s\n' "$output" | sed 's/  # .*//' >c2
    drover check --print -c c2
    printf '%s\n' "$output" | sed 's/  # .*//' | diff c2 -
    assert_line --partial "access-format = \"%h \\\"%r\\\" %{User-Agent}i #\""
}

@test "a file that cannot be opened: nothing is served, and why is on stderr" {
    drover serve --listen 127.0.0.1:0 --access-log /nowhere/a "$SITE"
    assert_equal "$status" 73
    assert_output --partial 'error master: --access-log /nowhere/a: No such file or directory'
    ((EUID == 0)) || skip 'needs root'
    mkdir -m 700 closed
    chmod 755 .
    copy_drover
    run timeout 20 setpriv --reuid=nobody --regid=65534 --clear-groups "$DROVER" serve \
        --listen 127.0.0.1:0 --control off --access-log "$PWD/closed/a" "$SITE" 3>&- 4>&-
    assert_equal "$status" 77
    assert_output --partial "--access-log $PWD/closed/a: Permission denied"
}

# ---- opened anew ------------------------------------------------------------------------------

@test "logrotate under load, with drover reopen: every request has its line, and no line is broken" {
    drover_start --workers 3 --access-log "$LINES" --log drover.log "$SITE"
    cat >rotate.conf <<CONF
$LINES $PWD/drover.log {
    size 1
    rotate 20
    nocreate
    compress
    sharedscripts
    su $(id -un) $(id -gn)
    postrotate
        $DROVER reopen --control $XDG_RUNTIME_DIR/drover-$DROVER_PID.control >>$PWD/reopened
    endscript
}
CONF
    chmod 600 rotate.conf
    "$DROVER_LOAD" --json --rate 5000 --duration 60s "$DROVER_URL/1k.bin" >load 3>&- 4>&- &
    for _ in 1 2 3 4 5; do
        wait_until 20 test -s "$LINES"
        PATH=$PATH:/usr/sbin logrotate --state "$PWD/state" rotate.conf 3>&- 4>&-
    done
    kill -TERM "$!"
    wait "$!"
    drover_stop
    assert_equal "$(jq .lost load)" 0
    assert_equal "$(wc -l <reopened)" 5
    zcat --force "$LINES"* >all
    assert_equal "$(wc -l <all)" "$(jq .answered load)"
    assert_equal "$(grep -cvE "^127\.0\.0\.1 - - $TIME \"GET /1k\.bin HTTP/1\.1\" 200 1024 \"-\" \"[^\"]*\"$" all)" 0
    zcat --force drover.log* | grep -F 'reopened: 2 files were opened anew, after'
}

@test "USR1 opens the files anew; one that cannot be opened changes nothing" {
    mkdir there
    LINES=$PWD/there/access.log
    drover_start --workers 2 --access-log "$LINES" "$SITE"
    fetch /hello.txt >/dev/null
    mv "$LINES" "$LINES.1"
    kill -USR1 "$DROVER_PID"
    wait_until 20 logged 'reopened: 1 file was opened anew'
    [[ -e $LINES && -s $LINES.1 ]]
    fetch /hello.txt >/dev/null
    mv there gone
    drover reopen
    assert_equal "$status" 73
    assert_output "drover reopen: --access-log $LINES: No such file or directory"
    logged "reopen: nothing is changed: --access-log $LINES: No such file or directory"
    mv gone there
    fetch /hello.txt >/dev/null
    wait_lines 3
    reopen
}

@test "a server without log files has nothing to open" {
    drover_start --workers 1 "$SITE"
    reopen
    assert_output 'reopened: no log is a file'
}

@test "a worker that hangs is not waited for, and its lines are in the new file" {
    local pid
    drover_start --workers 1 --standby off --hang-timeout 60s --access-log "$LINES" \
        --listen 127.0.0.1:0 "$SITE"
    pid=$(worker_of 0)
    stop_with_a_line "$pid"
    wait_until 20 logged 'was stopped by SIGSTOP'
    mv "$LINES" "$LINES.1"
    reopen
    assert_output --regexp "^reopened: the files were opened anew; 1 worker, worker 0 \(pid $pid\) first, will write there"
    kill -CONT "$pid"
    wait_until 20 test -s "$LINES"
    assert_equal "$(wc -l <"$LINES") $(wc -l <"$LINES.1")" '1 0'
}

# stop_with_a_line PID: the worker is stopped before it has written the line that it has, where a
# busy machine lets that happen within its second.
stop_with_a_line() {
    for _ in 1 2 3 4 5; do
        fetch /hello.txt >/dev/null
        kill -STOP "$1"
        [[ -s $LINES ]] || return 0
        kill -CONT "$1"
        : >"$LINES"
    done
    skip 'this machine is too busy'
}

@test "the master opens what workers may not: as root, for workers that are nobody" {
    ((EUID == 0)) || skip 'needs root'
    mkdir -m 700 closed
    LINES=$PWD/closed/access.log
    drover_start --workers 1 --user nobody --access-log "$LINES" "$SITE"
    fetch /hello.txt >/dev/null
    mv "$LINES" "$LINES.1"
    reopen
    fetch /hello.txt >/dev/null
    wait_lines 2
    assert_equal "$(stat --format='%U %a' "$LINES")" 'root 640'
}

@test "a reload with another file and another format: lines go there from then on" {
    printf '%s\n' "root = $SITE" 'workers = 2' "access-log = $LINES" >c
    drover_start -c c --listen 127.0.0.1:0
    fetch /hello.txt >/dev/null
    printf '%s\n' "root = $SITE" 'workers = 2' "access-log = $LINES.new" 'access-format = "new %U"' \
        "log = $PWD/drover.log" >c
    drover reload
    assert_equal "$status" 0
    fetch /hello.txt >/dev/null
    wait_lines 2
    assert_equal "$(<"$LINES.new")" 'new /hello.txt'
    grep -F 'reload: every worker is a fresh one' drover.log
    printf '%s\n' "root = $SITE" 'access-log = /nowhere/a' >c
    drover reload
    assert_equal "$status" 73
    fetch /hello.txt >/dev/null
    wait_lines 3
    sed -i 's,/nowhere/a,off,' c
    drover reload
    assert_equal "$status" 0
    fetch /hello.txt >/dev/null
    drover_stop
    assert_equal "$(lines)" 3
}

@test "an upgrade goes on with the same files" {
    drover_start --workers 2 --access-log "$LINES" "$SITE"
    fetch /hello.txt >/dev/null
    drover upgrade
    assert_equal "$status" 0
    follow_upgrade
    fetch /hello.txt >/dev/null
    wait_lines 2
}

@test "what is renamed while a new server starts is opened anew when it serves" {
    # the sanitizer's library would want to be before what misbehaves
    misbehave ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0" MISBEHAVE_SLOW="$PWD/slow"
    drover_start --workers 1 --start-timeout 60s --access-log "$LINES" "$SITE"
    touch slow
    kill -USR2 "$DROVER_PID"
    wait_until 20 logged 'upgrade: pid'
    wait_until 20 new_worker_starts
    mv "$LINES" "$LINES.1"
    rm slow
    wait_until 20 follow_upgrade
    wait_until 20 logged 'reopened: 1 file was opened anew'
    fetch /hello.txt >/dev/null
    wait_until 20 test -s "$LINES"
}

@test "the old server's workers, which still serve, follow when files are opened anew after an upgrade" {
    truncate --size 40M "$SITE/huge.bin"
    drover_start --workers 1 --access-log "$LINES" "$SITE"
    local old=$DROVER_PID
    exec {client}<>"/dev/tcp/${DROVER_ADDR%:*}/${DROVER_ADDR##*:}"
    printf 'GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n' >&"$client"
    read -r -t 20 <&"$client"
    drover upgrade
    assert_equal "$status" 0
    follow_upgrade
    mv "$LINES" "$LINES.1"
    drover reopen
    assert_equal "$status" 0
    wait_until 20 nobody_has "$LINES.1"
    kill -0 "$old"
    exec {client}>&-
    wait_until 20 grep -qF /huge.bin "$LINES"
}

# The new one's has the file open, and its master. For wait_until.
new_worker_starts() {
    local pid count=0
    for pid in $(drover_processes); do
        find "/proc/$pid/fd" -printf '%l\n' 2>/dev/null | grep -qxF "$LINES" && count=$((count + 1))
    done
    ((count >= 4)) # two masters, two workers
}

# ---- what goes wrong --------------------------------------------------------------------------

@test "what a worker that is killed had logged is there" {
    drover_start --workers 1 --access-log "$LINES" "$SITE"
    for _ in 1 2 3; do fetch /hello.txt >/dev/null; done
    wait_until 10 in_state S "$(worker_of 0)" # a client has its answer before there is a line
    kill -KILL "$(worker_of 0)"
    wait_until 20 logged 'ended: killed by SIGKILL'
    wait_lines 3
    fetch /hello.txt >/dev/null
    wait_lines 4
}

# in_small_disk: DROVER_UNDER gives the server a disk of 256 KiB at $PWD/small, which is seen at
# $SMALL by who looks from outside once the server runs.
in_small_disk() {
    ((EUID == 0)) || skip 'needs root'
    unshare --mount true || skip 'needs mounts of its own'
    mkdir -p small
    # shellcheck disable=SC2016 # it is the inner shell's
    DROVER_UNDER=(unshare --mount -- sh -c
        'mount -t tmpfs -o size=256k tmpfs "$0" && exec "$@"' "$PWD/small")
}

@test "a full disk costs lines, which are counted, and no request; it goes on when there is room" {
    in_small_disk
    drover_start --workers 2 --access-log "$PWD/small/a" --access-format '%h "%r" %s %b %D end' "$SITE"
    local small=/proc/$DROVER_PID/root$PWD/small whole lost kept
    run -0 "$DROVER_LOAD" --requests 20000 "$DROVER_URL/1k.bin" 3>&- 4>&-
    wait_until 20 logged_lost
    assert_equal "$(stat --format=%s "$small/a")" 262144
    whole=$(grep -c ' end$' "$small/a")
    : >"$small/a"
    wait_until 20 is_logged_again "$small/a"
    # a line that was cut is alone in its row
    run -1 grep -E 'end.+end' "$small/a"
    # each request has its line, or is counted as lost
    exec {kept}<"$small/a" # its disk goes with the server
    lost=$(timeout 20 "$DROVER" status --json 3>&- 4>&- | jq '[.. | .log_lines_lost? | numbers] | max')
    drover_stop
    whole=$((whole + $(grep -c ' end$' <&"$kept")))
    exec {kept}<&-
    logged "stopped: $((whole + lost)) requests were answered" || fail "$whole lines, $lost lost"
}

# is_logged_again FILE: for wait_until.
is_logged_again() {
    fetch /hello.txt >/dev/null
    grep -qF '"GET /hello.txt HTTP/1.1" 200 ' "$1"
}

logged_lost() {
    grep -qE 'worker [01]: access log: [0-9]+ lines were lost: No space left on device' "$DROVER_LOG"
}

@test "a pipe that nobody reads costs lines and no request; a reader that comes has whole lines" {
    local reader
    mkfifo "$LINES"
    drover_start --workers 2 --access-log "$LINES" --access-format '%h "%r" %s end' "$SITE"
    run -0 "$DROVER_LOAD" --requests 20000 "$DROVER_URL/1k.bin" 3>&- 4>&-
    wait_until 20 grep -qE 'access log: [0-9]+ lines were lost: Resource temp' "$DROVER_LOG"
    timeout 20 cat "$LINES" >got 3>&- 4>&- &
    reader=$!
    wait_until 20 is_logged_again got
    kill "$reader"
    wait "$reader" || true
    run -1 grep -vE '^127\.0\.0\.1 "GET /(1k\.bin|hello\.txt) HTTP/1\.1" 200 end$' got
}
