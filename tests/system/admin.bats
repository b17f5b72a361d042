#!/usr/bin/env bats
#
# The admin process: what it answers, also while the server starts and stops and every worker hangs;
# its own end and return; reloads and upgrades of it; and the page in a browser.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load process
load lifecycle
load faulty
load http
load managed

setup() {
    make_site
    CONF=$BATS_TEST_TMPDIR/drover.conf
}

# admin_start ARGS...: a server with an admin process; ADMIN.
admin_start() {
    drover_start --admin 127.0.0.1:0 "$@"
    admin_learn
}

# admin_learn: ADMIN, where the log has last said that it answers.
admin_learn() {
    wait_until 10 logged 'admin process (pid'
    ADMIN=$(sed -n 's,.* admin process (pid .*) answers at \(http:.*\)/$,\1,p' "$DROVER_LOG" | tail -n 1)
}

# ask PATH [CURL-OPTION...]: `code`, and `body`, of the admin process's answer; the code is 000
# where there is none.
ask() {
    local path=$1
    shift
    body=$(curl --silent --max-time 20 --write-out '%{http_code}' "$@" "$ADMIN$path") || true
    code=${body##*$'\n'} body=${body%"$code"}
    body=${body%$'\n'}
}

# answers_with CODE PATH [TEXT]: for wait_until.
answers_with() {
    ask "$2"
    [[ $code == "$1" && $body == *"${3:-}"* ]]
}

# sample NAME: the value of a sample of /metrics, labels included.
sample() {
    ask /metrics
    awk -v name="$1" '$1 == name { print $2 }' <<<"$body"
}

# sample_is NAME VALUE: for wait_until.
sample_is() {
    [[ $(sample "$1") == "$2" ]]
}

admin_pid() {
    local pid
    for pid in $(children_of "$DROVER_PID"); do
        if [[ $(name_of "$pid") == drover:admin && $(state_of "$pid") != Z ]]; then
            echo "$pid"
        fi
    done
}

# admin_is_other PID: for wait_until.
admin_is_other() {
    local pid
    pid=$(admin_pid)
    [[ -n $pid && $pid != *[!0-9]* && $pid != "$1" ]]
}

# configure LINE...: the file, in one piece.
configure() {
    printf '%s\n' "root = $SITE" "$@" >"$CONF.new"
    mv "$CONF.new" "$CONF"
}

# ---- what it answers --------------------------------------------------------------------------

@test "every place, by GET and HEAD, and nothing else" {
    local place head
    admin_start --workers 2 "$SITE"
    while read -r place status type; do
        head=$(curl --silent --max-time 20 --head "$ADMIN$place" | tr -d '\r')
        assert_equal "$place ${head%%$'\n'*}" "$place HTTP/1.1 $status OK"
        assert_equal "$place $(field Content-Type "$head")" "$place $type"
        assert_equal "$(field Cache-Control "$head")" no-store
        ask "$place"
        assert_equal "$place $code ${#body}" "$place $status $(($(field Content-Length "$head") - 1))"
    done <<'PLACES'
/healthz 200 text/plain; charset=utf-8
/readyz 200 text/plain; charset=utf-8
PLACES
    ask /healthz
    assert_equal "$code $body" '200 ok'
    ask /readyz
    assert_equal "$code $body" '200 ready'
    ask /
    assert_equal "$code" 302
    ask / --location
    assert_equal "$code ${body%%$'\n'*}" '200 <!DOCTYPE html>'
    ask /status.json
    assert_equal "$(jq --raw-output '"\(.phase) \(.pid) \(.workers | length)"' <<<"$body")" \
        "serving $DROVER_PID 2"
    ask /metrics --request POST --data x
    assert_equal "$code" 405
    for place in /metrics/ /nothing /status.jso; do
        ask "$place"
        assert_equal "$place $code" "$place 404"
    done
    for place in /metrics /status.json /readyz; do
        assert_equal "$place $(fetch "$place" --output /dev/null --write-out '%{http_code}')" "$place 404"
    done
}

@test "what is served is counted, and what the admin process answers is not" {
    local before
    admin_start --workers 2 --app "${DROVER%/*}/apps/every.so"
    for _ in {1..7}; do
        fetch '/add?3' --output /dev/null
    done
    fetch /nothing --output /dev/null
    wait_until 10 sample_is 'drover_requests_total{code="2xx"}' 7
    for _ in {1..5}; do
        ask /healthz
    done
    wait_until 10 sample_is 'drover_requests_total{code="4xx"}' 1
    wait_until 10 sample_is drover_request_duration_seconds_count 8
    assert_equal "$(sample drover_connections_accepted_total)" 8
    assert_equal "$(sample added)" 21
    assert_equal "$(sample drover_ready)" 1
    assert_equal "$(sample 'drover_workers{state="accepting"}')" 2
    # nothing goes back when a worker ends
    before=$(sample drover_sent_bytes_total)
    kill_worker 0
    wait_until 10 sample_is 'drover_worker_ends_total{cause="crashed"}' 1
    assert_equal "$(sample drover_sent_bytes_total)" "$before"
    assert_equal "$(sample added)" 21
}

@test "Prometheus has nothing to say against the metrics" {
    admin_start --workers 3 "$SITE"
    fetch /hello.txt --output /dev/null
    kill_worker 0
    wait_until 10 sample_is drover_request_duration_seconds_count 1
    ask /metrics
    run promtool check metrics <<<"$body"
    assert_equal "$status $output" '0 '
}

# ---- while the server starts, stops, hangs ------------------------------------------------------

@test "before the workers accept it is healthy and not ready" {
    local app=${DROVER%/*}/apps/every.so
    drover_launch --listen 127.0.0.1:0 --admin 127.0.0.1:0 --workers 1 --app "$app" \
        --set broken=yes --set status=75
    admin_learn
    wait_until 10 answers_with 200 /healthz ok
    ask /readyz
    assert_equal "$code $body" '503 not ready: starting, 0 of 1 workers accept'
    drover_stop
}

@test "a lame duck accepts, and is not ready" {
    admin_start --workers 1 --lame-duck 60s "$SITE"
    kill -TERM "$DROVER_PID"
    wait_until 10 answers_with 503 /readyz 'not ready: lame-duck'
    [[ $(fetch /hello.txt) == hello ]]
    ask /healthz
    assert_equal "$code $body" '200 ok'
    drover_stop # the second signal
    assert_equal "$status" 0
}

@test "until the last worker has left it answers, and is not ready" {
    local socket=$BATS_TEST_TMPDIR/admin ADMIN=http://admin
    drover_start --admin "unix:$socket" --workers 1 "$SITE"
    slow_client
    ask /readyz --unix-socket "$socket"
    assert_equal "$code $body" '200 ready'
    kill -TERM "$DROVER_PID"
    wait_until 10 logged 'stopping on'
    ask /readyz --unix-socket "$socket"
    assert_equal "$code $body" '503 not ready: stopping'
    ask /healthz --unix-socket "$socket"
    assert_equal "$code $body" '200 ok'
    slow_finish "$SLOW"
    drover_wait 20
    assert_equal "$status" 0
    [[ ! -e $socket ]]
}

@test "every worker hangs: it answers, and is not ready" {
    admin_start --workers 2 --standby off --hang-timeout 0s "$SITE"
    # shellcheck disable=SC2046 # pids
    kill -STOP $(workers)
    wait_until 10 answers_with 503 /readyz '2 of 2 slots have no worker that accepts'
    ask /healthz
    assert_equal "$code $body" '200 ok'
    assert_equal "$(sample 'drover_workers{state="stalled"}')" 2
    assert_equal "$(sample 'drover_slot_served{slot="1"}')" 0
    # shellcheck disable=SC2046 # pids
    kill -CONT $(workers)
    wait_until 10 answers_with 200 /readyz ready
}

@test "however many keep their connections, a probe is answered" {
    admin_start --workers 1 --idle-timeout 0s --header-timeout 0s "$SITE"
    act "${ADMIN#http://}" <<'PY'
held = []
for i in range(600):
    held.append(connect(args[0]))
    held[i].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" if i % 2 else b"GET /m")
for _ in range(10):
    assert fetch(args[0], "/healthz") == (200, b"ok\n")
PY
    assert_equal "$(admin_pid | wc -l)" 1
}

# ---- its own end ------------------------------------------------------------------------------

@test "it is killed, told to leave, stopped: another comes, and the server does not notice" {
    local pid before
    admin_start --workers 2 --hang-timeout 300ms "$SITE"
    before=$(workers)
    pid=$(admin_pid)
    kill -KILL "$pid"
    wait_until 10 admin_is_other "$pid"
    ask /readyz
    assert_equal "$code" 200
    wait_until 10 logged "admin process (pid $pid) ended: killed by SIGKILL"
    pid=$(admin_pid)
    kill -TERM "$pid"
    wait_until 10 admin_is_other "$pid"
    ask /readyz
    assert_equal "$code" 200
    pid=$(admin_pid)
    kill -STOP "$pid"
    wait_until 20 admin_is_other "$pid"
    logged "admin process (pid $pid) was stopped for"
    ask /readyz
    assert_equal "$code" 200
    assert_equal "$(workers)" "$before"
    [[ $(fetch /hello.txt) == hello ]]
    assert_equal "$(sample 'drover_worker_ends_total{cause="crashed"}')" 0
    kill -KILL "$(admin_pid)" # and is not there when the server stops
    drover_stop
    assert_equal "$status" 0
}

# bats test_tags=nosan
@test "it spins: it is ended after --hang-timeout, and another comes" { # preloads a library
    local pid spin=$BATS_TEST_TMPDIR/spin
    cat >"$spin.c" <<'C'
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

ssize_t getrandom(void *to, size_t n, unsigned flags)
{
    (void)flags;
    while (access(getenv("SPIN"), F_OK) == 0) {
    }
    memset(to, 1, n);
    return (ssize_t)n;
}
C
    "${CC:-cc}" -shared -fPIC -o "$spin.so" "$spin.c"
    DROVER_UNDER=(env LD_PRELOAD="$spin.so" SPIN="$spin")
    admin_start --workers 2 --hang-timeout 300ms "$SITE"
    pid=$(admin_pid)
    : >"$spin"
    ask /status # the page is the one that wants random bytes
    assert_equal "$code" 000
    rm "$spin"
    wait_until 20 admin_is_other "$pid"
    logged "admin process (pid $pid) has hung for"
    ask /status
    assert_equal "$code" 200
}

@test "there is no descriptor for another one: it is tried again" {
    local pid
    admin_start --workers 1 "$SITE"
    pid=$(admin_pid)
    prlimit --pid "$DROVER_PID" --nofile="$(lowest_free_fd "$DROVER_PID"):"
    kill -KILL "$pid"
    wait_until 10 logged 'cannot fork the admin process: Too many open files'
    [[ $(fetch /hello.txt) == hello ]]
    prlimit --pid "$DROVER_PID" --nofile=1000:
    wait_until 20 admin_is_other "$pid"
    ask /readyz
    assert_equal "$code" 200
}

# listens_at PORT PID: has the process a socket that listens there?
listens_at() {
    ss --no-header --listening --tcp --numeric --processes "sport = :$1" | grep -q "pid=$2,"
}

@test "it has the workers' user, not their listeners, and they have not its own" {
    ((EUID == 0)) || skip 'takes root'
    copy_drover
    admin_start --workers 1 --user nobody "$SITE"
    assert_equal "$(awk '/^Uid/ { print $2, $3 }' "/proc/$(admin_pid)/status")" \
        "$(id --user nobody) $(id --user nobody)"
    listens_at "${ADMIN##*:}" "$(admin_pid)"
    listens_at "$(port_of)" "$(worker_of 0)"
    refute listens_at "$(port_of)" "$(admin_pid)"
    refute listens_at "${ADMIN##*:}" "$(worker_of 0)"
    ask /readyz
    assert_equal "$code" 200
}

# ---- reloads, upgrades ------------------------------------------------------------------------

@test "reloads and upgrades under scrapes: none is lost, on short and on kept connections" {
    copy_drover
    admin_start --workers 2 "$SITE"
    cp "$SITE/hello.txt" "$SITE/healthz" # not what is asked: that is the admin process's
    "$DROVER_LOAD" --json --duration 1h --clients 4 --rate 200 --close "$ADMIN/metrics" \
        >"$BATS_TEST_TMPDIR/short" 2>&1 3>&- 4>&- &
    short=$!
    "$DROVER_LOAD" --json --duration 1h --clients 4 --rate 200 "$ADMIN/healthz" \
        >"$BATS_TEST_TMPDIR/kept" 2>&1 3>&- 4>&- &
    kept=$!
    wait_until 10 is_loading "$kept"
    act <<'PY'
for _ in range(4):
    reload()
    time.sleep(0.05)
for _ in range(3):
    upgrade()
    time.sleep(0.05)
reload()
PY
    follow_upgrade
    kill -TERM "$short" "$kept"
    wait "$short" || fail "short: $(<"$BATS_TEST_TMPDIR/short")"
    wait "$kept" || fail "kept: $(<"$BATS_TEST_TMPDIR/kept")"
    assert_equal "$(jq --slurp 'map([.lost, .answered > 10]) | tostring' "$BATS_TEST_TMPDIR"/{short,kept})" \
        '"[[0,true],[0,true]]"'
    assert_equal "$(jq .connections "$BATS_TEST_TMPDIR/kept")" 4
    assert_equal "$(admin_pid | wc -l)" 1
    kill -TERM "$DROVER_PID"
    wait_until "$STOP_SECONDS" is_gone "$DROVER_PID"
}

@test "a reload gives it another address, takes it away, and changes nothing where one is in use" {
    local first holder taken
    configure 'admin = 127.0.0.1:0'
    drover_start -c "$CONF"
    admin_learn
    first=$ADMIN
    configure "admin = unix:$BATS_TEST_TMPDIR/admin"
    reload
    ask /readyz
    assert_equal "$code" 000
    assert_equal "$(curl --silent --max-time 20 --unix-socket "$BATS_TEST_TMPDIR/admin" http://a/readyz)" ready
    configure "admin = $DROVER_ADDR"
    reload_refused "--admin $DROVER_ADDR: another --listen of this command has the address"
    assert_equal "$(curl --silent --max-time 20 --unix-socket "$BATS_TEST_TMPDIR/admin" http://a/readyz)" ready
    configure 'admin = off'
    reload
    [[ ! -e $BATS_TEST_TMPDIR/admin && -z $(admin_pid) ]]
    configure "admin = ${first#http://}"
    reload
    wait_until 10 answers_with 200 /readyz ready
    drover_stop
    assert_equal "$status" 0
}

@test "the old one is stopped at a reload: the new one has none of its sockets" {
    local old first
    configure 'admin = 127.0.0.1:0' 'hang-timeout = 0s' 'drain-timeout = 60s'
    drover_start -c "$CONF"
    admin_learn
    first=$ADMIN old=$(admin_pid)
    kill -STOP "$old"
    wait_until 10 logged "admin process (pid $old) was stopped"
    configure "admin = unix:$BATS_TEST_TMPDIR/admin" 'hang-timeout = 0s' 'drain-timeout = 60s'
    reload
    wait_until 10 is_gone "$old" # by the master
    assert_equal "$(ss --no-header --listening --tcp --numeric --processes "sport = :${first##*:}")" ''
    configure "admin = ${first#http://}"
    reload
    wait_until 10 answers_with 200 /readyz ready
}

@test "an address in use, or that nobody passes, is an error of the start" {
    drover_start "$SITE"
    drover serve --listen 127.0.0.1:0 --admin "$DROVER_ADDR" "$SITE"
    assert_equal "$status" 69
    assert_line --regexp "--admin $DROVER_ADDR: the address is in use by .*\(pid $DROVER_PID\)"
    drover serve --listen 127.0.0.1:0 --admin fd:admin "$SITE"
    assert_equal "$status" 78
    assert_line --partial '--admin fd:admin: no socket of that name was passed'
    drover check --print --admin :9100 "$SITE"
    assert_line 'admin = :9100  # option'
}

@test "a socket that a service manager passes, which no --listen has then" {
    managed_start --lend web=127.0.0.1:0 --lend admin=127.0.0.1:0 -- --admin fd:admin --workers 1 "$SITE"
    ADMIN=http://$(lent_address admin)
    assert_equal "$DROVER_ADDR" "$(lent_address web)"
    ask /readyz
    assert_equal "$code" 200
    assert_equal "$(fetch /readyz --output /dev/null --write-out '%{http_code}')" 404
    managed_stop
}

# ---- the page ---------------------------------------------------------------------------------

# front GOOD BAD: a port, in FRONT, where the admin process answers, but for the requests to
# /status.json after the first GOOD ones: BAD of them end without an answer.
front() {
    exec {reader}< <(exec timeout 120 "$PYTHON" -c '
import http.server, sys, urllib.request
behind, good, bad = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
class Front(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        if self.path == "/status.json":
            Front.asked += 1
            if good < Front.asked <= good + bad:
                return
        with urllib.request.urlopen(behind + self.path, timeout=20) as answer:
            body = answer.read()
            self.send_response(200)
            for name in "Content-Type", "Content-Security-Policy":
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Front)
print(server.server_port, flush=True)
server.serve_forever()' "$ADMIN" "$1" "$2" 3>&- 4>&-)
    FRONT_PID=$!
    read -r -t 20 -u "$reader" FRONT
}

# show_page MILLISECONDS: the page behind the front, after so much of its own time, in `dom`; what
# the browser had to complain of in `complaints`.
show_page() {
    local name
    for name in chromium chromium-browser google-chrome; do
        type -P "$name" >/dev/null && break
    done
    dom=$(timeout --kill-after=5 90 "$name" --headless --no-sandbox --disable-gpu --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync \
        --disable-default-apps --disable-extensions --disable-dev-shm-usage \
        --user-data-dir="$BATS_TEST_TMPDIR/profile" --enable-logging=stderr \
        --virtual-time-budget="$1" --dump-dom "http://127.0.0.1:$FRONT/status" \
        2>"$BATS_TEST_TMPDIR/browser" 3>&- 4>&-) || fail "the browser: $(tail -n 5 "$BATS_TEST_TMPDIR/browser")"
    complaints=$(grep -F ':CONSOLE' "$BATS_TEST_TMPDIR/browser" || true)
    kill "$FRONT_PID" || true
    exec {reader}<&-
}

@test "the page shows the figures and renews itself, and says when the server is gone" {
    local pid
    admin_start --workers 2 "$SITE"
    fetch /hello.txt --output /dev/null
    front 3 1000
    show_page 9000
    [[ $dom == *'No answer from the server'* && $dom == *'<title>drover: no answer</title>'* ]]
    front 2 2
    show_page 9000
    assert_equal "$(grep -vF 'Failed to load resource' <<<"$complaints")" ''
    [[ $dom == *'<title>drover: serving</title>'* ]]
    [[ $dom =~ '<p id="gone" role="alert" hidden' ]]
    for pid in $(workers); do
        [[ $dom == *"<td>$pid</td>"* ]]
    done
    [[ $dom == *'1 requests on 1 connections'* ]]
    [[ $dom == *'admin process (pid'* ]]
    [[ $dom == *'Standbys: 2 asleep'* ]]
    # more than a point in a plot
    [[ $dom =~ 'points="'[0-9.]+,[0-9.]+' '[0-9.]+,[0-9.]+ ]]
}
