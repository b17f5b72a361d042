#!/usr/bin/env bats
#
# drover as a service of a real systemd, which is booted in a box once for this file: what systemctl
# says is true, and no client is lost while it is started, reloaded, restarted, killed, upgraded.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helpers'

# bats file_tags=beside

load helper
load process
load lifecycle
load systemd

setup_file() {
    box_boot
}

teardown_file() {
    box down
}

setup() {
    systemd_setup
}

teardown() {
    systemd_teardown
}

# What is served can be fetched, whichever worker it comes to.
serves() {
    local i
    for i in {1..10}; do
        assert_equal "$(answer "${1:-$DROVER_URL}/hello.txt")" 200
    done
}

# Nothing of the service runs, and nobody listens.
is_over() {
    assert_equal "$(property ActiveState) $(property Result) $(property MainPID)" 'inactive success 0'
    assert_equal "$(property TasksCurrent)" '[not set]'
    run -1 inside pgrep drover
    assert_equal "$(answer "$DROVER_URL/hello.txt")" 000
}

# ---- installed --------------------------------------------------------------------------------

@test "systemctl enable --now drover: a page is served at once, by a user with no rights" {
    systemctl enable --now drover
    assert_equal "$(answer http://127.0.0.1:8080/)" 200
    assert_equal "$(answer 'http://[::1]:8080/')" 200
    run curl --silent --max-time 10 http://127.0.0.1:8080/
    assert_output --partial '<h1>drover serves</h1>'
    run inside grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' "/proc/$(property MainPID)/status"
    assert_output --regexp 'Uid:.6[0-9]{4}' # systemd.exec(5): dynamic users are 61184 to 65519
    assert_output --regexp 'CapEff:.0+
CapBnd:.0+
NoNewPrivs:.1
Seccomp:.2'
    systemctl disable --now drover
    is_over
}

@test "the units are without a complaint of systemd-analyze verify" {
    run -0 inside systemd-analyze verify --man=no drover.service drover.socket drover@x.service \
        drover@x.socket
    assert_output ''
}

@test "systemd-analyze security: 1.5 at most for the service, 0.4 with activated.conf" {
    run -0 inside systemd-analyze security --no-pager --offline=true --threshold=15 \
        drover.service drover@x.service
    run -0 inside systemd-analyze security --no-pager --threshold=15 drover.service
    tell "$(grep -F 'Overall exposure' <<<"$output")"
    use activated.conf
    run -0 inside systemd-analyze security --no-pager --threshold=4 drover.service
    tell "$(grep -F 'Overall exposure' <<<"$output")"
}

# use FILE: what was installed as an example of a drop-in.
use() {
    mkdir -p "$INSIDE/etc/systemd/system/drover.service.d"
    cp "$INSIDE/usr/local/share/drover/$1" "$INSIDE/etc/systemd/system/drover.service.d/test.conf"
    systemctl daemon-reload
}

@test "low-port.conf: port 80" {
    configure drover 'listen = :80'
    run -1 systemctl start drover
    journal_has ':80'
    use low-port.conf
    systemctl start drover
    serves http://127.0.0.1:80
}

@test "under the whole sandbox a stopped worker is steered around, and its clients are served" {
    local pid i
    configure drover 'workers = 4' 'standby = off'
    systemctl start drover
    pid=$(worker_pids)
    inside kill -STOP "${pid%% *}"
    wait_until 5 journal_has 'was stopped'
    for i in {1..50}; do
        assert_equal "$(answer "$DROVER_URL/hello.txt" --max-time 2)" 200
    done
    inside kill -CONT "${pid%% *}"
    wait_until 5 journal_has 'was continued'
    run -1 journal --grep 'Operation not permitted|Permission denied'
}

@test "under the sandbox no symbolic link is followed, but with own-user.conf" {
    configure drover
    systemctl start drover
    assert_equal "$(answer "$DROVER_URL/link.txt")" 403
    systemctl stop drover
    inside useradd --system drover
    rm "$INSIDE/run/drover"
    use own-user.conf
    systemctl start drover
    assert_equal "$(answer "$DROVER_URL/link.txt")" 200
    run -0 inside systemd-analyze security --no-pager --threshold=15 drover.service
}

@test "it writes below /run/drover and /var/log/drover, and nowhere else" {
    configure drover 'pidfile = /var/log/drover/pid'
    systemctl start drover
    assert_equal "$(inside cat /var/log/drover/pid)" "$(property MainPID)"
    configure drover 'pidfile = /run/drover/pid'
    systemctl restart drover
    assert_equal "$(inside cat /run/drover/pid)" "$(property MainPID)"
    configure drover 'pidfile = /srv/pid'
    run -1 systemctl restart drover
    wait_until 5 journal_has '/srv/pid: Read-only file system'
}

# ---- start ------------------------------------------------------------------------------------

@test "start: systemctl returns when every worker accepts, and status says how many there are" {
    local i
    configure drover 'workers = 3'
    for i in 1 2 3; do
        systemctl start drover
        serves
        assert_equal "$(property ActiveState) $(property SubState)" 'active running'
        [[ $(property StatusText) == *'3 workers'* ]]
        run systemctl status --no-pager drover
        assert_output --partial 'Status: "'
        systemctl stop drover
    done
}

# gated: ./gated.so, an application whose workers do not get ready before the file go is in the site.
gated() {
    cat >"$BATS_TEST_TMPDIR/gated.c" <<'C'
#include <drover.h>
#include <unistd.h>
static int start(void *context, struct drover_worker *w, char why[DROVER_WHY_SIZE])
{
    (void)context, (void)w, (void)why;
    while (access("/srv/site/go", F_OK) < 0)
        usleep(1000);
    return 0;
}
static void handle(void *c, const struct drover_request *q, struct drover_response *r)
{
    (void)c, (void)q, drover_response_body(r, "it", 2);
}
static const struct drover_app app = {.name = "gated", .worker_start = start, .handle = handle};
DROVER_MODULE(app);
C
    "${CC:-cc}" -fPIC -shared -I "$BATS_TEST_DIRNAME/../../include" -o "$SITE/gated.so" \
        "$BATS_TEST_TMPDIR/gated.c"
}

@test "a slow start: the unit is activating until the last worker accepts" {
    gated
    configure drover 'app = /srv/site/gated.so' 'workers = 2'
    rm -f "$SITE/go"
    systemctl start --no-block drover
    wait_until 10 has_workers_inside 2
    assert_equal "$(property ActiveState)" activating
    run -3 systemctl is-active drover
    assert_output activating
    touch "$SITE/go"
    wait_until 10 has_property ActiveState active
    serves
}

has_workers_inside() {
    (($(worker_pids | wc -w) == $1))
}

@test "a configuration error: the unit fails once, with the exit status named, and stays so" {
    configure drover 'workres = 2'
    run -1 systemctl start drover
    assert_equal "$(property Result) $(property ExecMainStatus) $(property NRestarts)" 'exit-code 78 0'
    journal_has 'status=78/CONFIG'
    journal_has 'drover.conf:3:1: unknown key "workres"'
    assert_equal "$(priority_of workres)" 3
    rm "$INSIDE/etc/drover/drover.conf"
    run -1 systemctl start drover
    journal_has 'status=66/NOINPUT'
    assert_equal "$(property NRestarts)" 0
}

@test "a root that the service's user may not enter fails the start at once, and status says why" {
    inside mkdir -p -m 700 /srv/closed
    configure drover 'root = /srv/closed'
    run -1 inside timeout 10 systemctl start drover
    assert_equal "$(property ActiveState) $(property ExecMainStatus) $(property NRestarts)" 'failed 77 0'
    assert_equal "$(property StatusText)" 'no worker can start: --root /srv/closed: Permission denied'
}

@test "an address that the service cannot have fails the start once, and status says what to do" {
    configure drover 'listen = unix:/nowhere/site.sock'
    run -1 systemctl start drover
    assert_equal "$(property ActiveState) $(property ExecMainStatus) $(property NRestarts)" 'failed 73 0'
    assert_equal "$(property StatusText)" \
        '--listen unix:/nowhere/site.sock: No such file or directory; its directory must be there'
    use activated.conf
    configure drover 'listen = 127.0.0.1:8081'
    run -1 systemctl start drover
    assert_equal "$(property ActiveState) $(property ExecMainStatus) $(property NRestarts)" 'failed 78 0'
    [[ $(property StatusText) == '--listen 127.0.0.1:8081: '*'RestrictAddressFamilies='* ]]
}

@test "doctor.conf: what the sandbox gives is told beside the service, which goes on" {
    local folder=$INSIDE/run/systemd/system/drover@drover.service.d main
    configure drover 'workers = 2'
    systemctl start drover
    main=$(property MainPID)
    mkdir -p "$folder"
    cp "$INSIDE/usr/local/share/drover/doctor.conf" "$folder"
    systemctl daemon-reload
    systemctl start drover@drover
    rm -r "$folder"
    run inside journalctl --unit drover@drover --output cat
    assert_line --regexp '^ok +service manager +this is a process of drover@drover.service'
    assert_line --regexp '^note +openat2 .*'
    assert_line --regexp '^ok +standby +shares '
    assert_line --regexp '^drover can run here'
    assert_equal "$(property MainPID) $(property ActiveState)" "$main active"
}

# ---- reload -----------------------------------------------------------------------------------

@test "reload under load: systemctl returns when fresh workers serve; no request is lost" {
    local before i
    configure drover 'workers = 2'
    systemctl start drover
    both_begin
    for i in 3 4 5 6; do
        before=$(worker_pids)
        configure drover "workers = $i" 'field = X-Round: '"$i"
        systemctl reload drover
        wait_until 10 has_workers_inside "$i" # those that leave may have one more client
        assert_equal "$(curl -s -m 10 -o /dev/null -w '%header{x-round}' "$DROVER_URL/hello.txt")" "$i"
        [[ $(property StatusText) == *"$i workers"* ]]
    done
    nothing_is_lost
    assert_equal "$(property ActiveState)" active
}

@test "a reload that fails is one for systemctl, too: nothing is changed, and the reason is told" {
    local before
    configure drover 'workers = 2'
    systemctl start drover
    before=$(property MainPID):$(worker_pids)
    configure drover 'workres = 3'
    run -1 systemctl reload drover
    assert_equal "$(property ActiveState) $(property MainPID):$(worker_pids)" "active $before"
    journal_has 'drover.conf:3:1: unknown key "workres"'
    [[ $(property StatusText) == *reload* ]]
    serves
    configure drover 'workers = 2'
    systemctl reload drover
    [[ $(property StatusText) != *'unknown key'* ]]
}

@test "notify-reload.conf: systemd itself tells it to reload, from 253 on" {
    local before
    use notify-reload.conf
    if (($(systemctl --version | awk 'NR == 1 { print $2 }') < 253)); then
        run inside systemd-analyze verify --man=no drover.service
        assert_output --partial 'notify-reload'
        return
    fi
    configure drover 'workers = 2'
    systemctl start drover
    before=$(worker_pids)
    systemctl reload drover
    [[ $(worker_pids) != "$before" ]]
    serves
}

# ---- restart, and worse -----------------------------------------------------------------------

@test "restarted ten times in a row under load: no request is lost" {
    local i
    configure drover 'workers = 4'
    systemctl start drover
    both_begin
    for i in {1..10}; do
        systemctl restart drover
    done
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    load_stop kept
    assert_equal "$LOST $CAUSES" '0 '
    assert_equal "$(property NRestarts)" 0
}

@test "restarted with fewer workers, more, and none of an address: no request is lost" {
    local i
    configure drover 'workers = 4' 'listen = :8080' 'listen = 127.0.0.1:8081'
    systemctl start drover
    load_begin short --close --clients 64
    for i in 2 6 1 4; do
        configure drover "workers = $i" 'listen = :8080'
        systemctl restart drover
    done
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    assert_equal "$(answer http://127.0.0.1:8081/hello.txt)" 000
    serves
}

@test "restarted with a unix socket of its own: no request is lost" {
    local i
    configure drover 'workers = 2' 'listen = unix:/run/drover/site.sock'
    systemctl start drover
    DROVER_SOCKET=$INSIDE/run/drover/site.sock
    load_begin short --close --clients 16
    for i in {1..3}; do
        systemctl restart drover
    done
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
}

@test "kill -9 of everything under load: each kill loses what was under way, and refuses nobody" {
    local i before
    configure drover 'workers = 4'
    systemctl start drover
    both_begin
    for i in {1..5}; do
        before=$(property MainPID)
        systemctl kill --signal KILL drover
        wait_until 10 main_is_not "$before"
    done
    load_stop short
    ((LOST <= 5 * 64))
    assert_equal "$(caused short refused silent cut_short wrong_body)" 0
    load_stop kept
    ((LOST <= 5 * 64))
    assert_equal "$(caused kept refused silent wrong_body)" 0
    assert_equal "$(property NRestarts)" 5
}

@test "kill -9 of everything: those in the queue are served by the next one" {
    local i before pids=()
    configure drover 'workers = 2' 'standby = off'
    systemctl start drover
    before=$(property MainPID)
    inside pkill -STOP --parent "$before"
    for i in {1..20}; do
        answer "$DROVER_URL/hello.txt" >"$BATS_TEST_TMPDIR/queued.$i" &
        pids+=($!)
    done
    wait_until 10 has_queued 20
    systemctl kill --signal KILL drover
    wait "${pids[@]}"
    assert_equal "$(sort "$BATS_TEST_TMPDIR"/queued.* | uniq -c | tr -s ' ')" ' 20 200'
    wait_until 10 main_is_not "$before"
}

@test "all workers hang: the watchdog ends it, and the next one serves those who wait" {
    local before
    drop_in drover.service '[Service]' WatchdogSec=1s
    configure drover 'workers = 2' 'standby = off'
    systemctl start drover
    before=$(property MainPID)
    inside pkill -STOP --parent "$before"
    assert_equal "$(answer "$DROVER_URL/hello.txt")" 200
    wait_until 5 main_is_not "$before"
    journal_has 'Watchdog timeout'
    assert_equal "$(property NRestarts)" 1
}

@test "one of four workers hangs: that is nothing for the watchdog" {
    local before pid
    drop_in drover.service '[Service]' WatchdogSec=500ms
    configure drover 'workers = 4' 'standby = off' 'hang-timeout = 2s'
    systemctl start drover
    before=$(property MainPID) pid=$(worker_pids)
    inside kill -STOP "${pid%% *}"
    wait_until 10 journal_has 'killed by SIGABRT' # four times the watchdog's time has passed
    assert_equal "$(property MainPID) $(property NRestarts)" "$before 0"
}

# ---- upgrade ----------------------------------------------------------------------------------

# upgraded FROM: what systemctl must say of it: it is the next process that is the service.
upgraded() {
    wait_until 10 main_is_not "$1"
    assert_equal "$(property ActiveState)" active
    run systemctl status --no-pager drover
    assert_output --partial "Main PID: $(property MainPID) (drover)"
    run -1 inside kill -0 "$1"
    [[ $(property StatusText) == *'2 workers'* ]]
}

@test "drover upgrade and USR2 under load: the main process follows; no request is lost" {
    local before
    configure drover 'workers = 2'
    systemctl start drover
    both_begin
    before=$(property MainPID)
    inside install -m 755 /build/drover /usr/local/bin/drover
    run -0 inside drover upgrade
    upgraded "$before"
    before=$(property MainPID)
    systemctl kill --kill-whom main --signal USR2 drover
    upgraded "$before"
    assert_equal "$(property NRestarts)" 0
    nothing_is_lost
    load_begin short --close --clients 64
    systemctl reload drover
    systemctl restart drover
    serves
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    systemctl stop drover
    is_over
}

@test "an upgrade that fails: drover upgrade says why, and the service is the old one" {
    local before
    configure drover 'workers = 2'
    systemctl start drover
    before=$(property MainPID)
    printf '#!/bin/sh\nexit 3\n' >"$INSIDE/usr/local/bin/drover.new"
    inside install -m 755 /usr/local/bin/drover.new /usr/local/bin/drover
    run inside /build/drover upgrade
    inside install -m 755 /build/drover /usr/local/bin/drover
    ((status != 0))
    assert_output --partial 'status 3'
    assert_equal "$(property MainPID) $(property ActiveState)" "$before active"
    serves
}

# ---- stop -------------------------------------------------------------------------------------

@test "stop: what is under way is finished, then nothing is left" {
    local client
    configure drover 'workers = 2'
    systemctl start drover
    client_begins
    systemctl stop --no-block drover
    wait_until 5 has_property ActiveState deactivating
    client_ends
    wait_until 10 has_property ActiveState inactive
    is_over
}

@test "after an upgrade: a kill is noticed, and a stop finishes what is under way" {
    local client before
    configure drover 'workers = 2'
    systemctl start drover
    before=$(property MainPID)
    inside drover upgrade
    upgraded "$before"
    before=$(property MainPID)
    systemctl kill --signal KILL drover
    wait_until 10 main_is_not "$before"
    before=$(property MainPID)
    inside drover upgrade
    upgraded "$before"
    client_begins
    systemctl stop --no-block drover
    wait_until 5 journal_has 'stopping'
    client_ends
    wait_until 10 has_property ActiveState inactive
    is_over
    journal_has 'stopped: '
    run -1 journal --grep 'not our child|remains running'
}

# A client in the box's network, in the middle of its request; client_ends reads its answer.
client_begins() {
    mkfifo "$BATS_TEST_TMPDIR/rest"
    nsenter --net="$NETWORK" timeout 20 python3 -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", 8080), 10)
s.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: test\r\n")
print("begun", flush=True)
open(sys.argv[1]).read()
s.sendall(b"Connection: close\r\n\r\n")
print(s.makefile("rb").read().decode())' "$BATS_TEST_TMPDIR/rest" >"$BATS_TEST_TMPDIR/client" 3>&- 4>&- &
    client=$!
    wait_until 10 grep -q begun "$BATS_TEST_TMPDIR/client"
}

client_ends() {
    echo >"$BATS_TEST_TMPDIR/rest"
    wait "$client"
    grep -q '^HTTP/1.1 200' "$BATS_TEST_TMPDIR/client"
    grep -q '^hello' "$BATS_TEST_TMPDIR/client"
}

@test "drover stop: it prints what happened, and systemd starts it again only when asked" {
    configure drover 'workers = 2'
    systemctl start drover
    run -0 inside drover stop
    assert_output
    wait_until 10 has_property ActiveState inactive
    is_over
    systemctl start drover
    serves
}

# ---- sockets ----------------------------------------------------------------------------------

@test "socket activation: TCP 4, TCP 6 and unix; the first client starts the service" {
    local way ways=(http://127.0.0.1:8081/hello.txt 'http://[::1]:8082/hello.txt'
        "http://unix/hello.txt --unix-socket $INSIDE/run/drover-test.sock")
    configure drover 'workers = 2' 'listen = fd:http'
    drop_in drover.socket '[Socket]' ListenStream= ListenStream=127.0.0.1:8081 \
        'ListenStream=[::1]:8082' ListenStream=/run/drover-test.sock
    systemctl start drover.socket
    for way in "${ways[@]}"; do
        assert_equal "$(property ActiveState)" inactive
        read -ra way <<<"$way"
        assert_equal "$(answer "${way[@]}")" 200
        assert_equal "$(property ActiveState)" active
        systemctl stop drover.service 2>/dev/null
    done
    assert_equal "$(property ActiveState drover.socket)" active
    systemctl start drover
    for way in "${ways[@]}"; do
        read -ra way <<<"$way"
        assert_equal "$(answer "${way[@]}")" 200
    done
}

@test "activated, by default: its sockets stand for the same listen line; restarts lose nothing" {
    local i
    systemctl start drover.socket
    assert_equal "$(answer http://127.0.0.1:8080/)" 200
    configure drover 'workers = 2' 'listen = :8080'
    systemctl restart drover
    both_begin
    for i in 1 2 3; do
        systemctl restart drover
    done
    load_stop short
    assert_equal "$LOST $CAUSES" '0 '
    load_stop kept
    assert_equal "$LOST $CAUSES" '0 '
}

@test "the same ListenStream three times: three sockets, a worker each; a stopped one loses nobody" {
    local i pid
    configure drover 'workers = 3' 'standby = off'
    drop_in drover.socket '[Socket]' ListenStream=8080 ListenStream=8080
    systemctl start drover.socket drover
    assert_equal "$(nsenter --net="$NETWORK" ss -Hltn 'sport = :8080' | wc -l)" 3
    pid=$(worker_pids)
    assert_equal "$(wc -w <<<"$pid")" 3
    inside kill -STOP "${pid%% *}"
    wait_until 5 journal_has 'was stopped'
    for i in {1..30}; do
        assert_equal "$(answer "$DROVER_URL/hello.txt" --max-time 3)" 200
    done
    inside kill -CONT "${pid%% *}"
}

@test "activated.conf: without a network of its own it serves what it is given" {
    configure drover 'workers = 2' 'listen = :8080'
    use activated.conf
    systemctl start drover.socket
    serves
    [[ $(inside readlink "/proc/$(property MainPID)/ns/net") != "$(inside readlink /proc/1/ns/net)" ]]
    systemctl reload drover
    serves
    systemctl restart drover
    serves
}

# ---- instances --------------------------------------------------------------------------------

@test "two instances side by side: each its configuration, its reload, its stop" {
    local pids
    configure a 'workers = 1' 'listen = 127.0.0.1:8081'
    configure b 'workers = 2' 'listen = 127.0.0.1:8082'
    systemctl start drover@a drover@b
    serves http://127.0.0.1:8081
    serves http://127.0.0.1:8082
    pids=$(worker_pids drover@b.service)
    systemctl reload drover@a
    assert_equal "$(worker_pids drover@b.service)" "$pids"
    run -64 inside drover reload
    assert_output --partial /run/drover-a/control
    assert_output --partial /run/drover-b/control
    run -0 inside drover reload --control /run/drover-b/control
    [[ $(worker_pids drover@b.service) != "$pids" ]]
    systemctl stop drover@a
    assert_equal "$(answer http://127.0.0.1:8081/hello.txt)" 000
    serves http://127.0.0.1:8082
}

@test "drover@.socket: an instance behind a unix socket" {
    configure shop 'workers = 1'
    systemctl start drover@shop.socket
    assert_equal "$(answer http://unix/hello.txt --unix-socket "$INSIDE/run/drover-shop.sock")" 200
    assert_equal "$(property ActiveState drover@shop.service)" active
}

# ---- the journal ------------------------------------------------------------------------------

@test "the journal has drover's lines with their priorities, and no second time of day" {
    local pid
    configure drover 'workers = 2'
    systemctl start drover
    pid=$(worker_pids)
    inside kill -KILL "${pid%% *}"
    wait_until 5 journal_has 'killed by SIGKILL'
    assert_equal "$(priority_of 'serving /srv/site')" 6
    assert_equal "$(priority_of 'killed by SIGKILL')" 4
    run -0 journal --priority warning
    assert_output --partial 'killed by SIGKILL'
    refute_output --partial 'serving /srv/site'
    run journal
    refute_output --regexp '20[0-9]{2}-[0-9]{2}-[0-9]{2} '
}
