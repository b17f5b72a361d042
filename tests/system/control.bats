#!/usr/bin/env bats
#
# The control socket, and who asks there: drover reload, drover upgrade, drover stop.
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
    # The sanitizer's library would want to be before what misbehaves.
    LINKS=ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0"
    as_nobody=(setpriv --reuid=nobody --regid=65534 --clear-groups)
}

# The control socket of the server started last, where nothing has said otherwise.
control() {
    printf '%s\n' "$XDG_RUNTIME_DIR/drover-$DROVER_PID.control"
}

# ask STATUS STDOUT STDERR ARGS...: `drover ARGS` ends so; the texts are regular expressions that
# must match all of it.
ask() {
    local status_wanted=$1 out=$2 err=$3
    shift 3
    run --separate-stderr timeout --kill-after=1 20 "$DROVER" "$@" 3>&- 4>&-
    assert_equal "$status: $stderr" "$status_wanted: $stderr"
    [[ $output =~ ^($out)$ ]] || fail "stdout: $output"
    [[ $stderr =~ ^($err)$ ]] || fail "stderr: $stderr"
}

# talk PATH [TEXT]: connects, says it, and prints the answer; "end" if there is none. Says nothing
# without a text.
talk() {
    py "$@" <<'PY'
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(10)
s.connect(sys.argv[1])
if len(sys.argv) > 2:
    s.send(sys.argv[2].encode())
print(s.recv(65536).decode() or "end")
PY
}

RELOADED='reload: every worker is a fresh one: 2, after [0-9]+ ms'
STOPPED='stopped: [0-9]+ requests were answered on [0-9]+ connections; 0 connections were closed at the deadline; the stop took [0-9]+ ms'
REQUESTS='64 there is no such request; there are: reload, upgrade, reopen, scale N, stop, stop now, board'

# ---- reload -----------------------------------------------------------------------------------

@test "drover reload returns when every worker is a fresh one" {
    local old pid
    drover_start --workers 2 "$SITE"
    old=$(workers)
    ask 0 "$RELOADED" '' reload
    wait_until 5 has_workers 2
    for pid in $old; do
        is_gone "$pid"
    done
    logged 'master: reload: is asked for by pid '
}

@test "drover reload with a file that is wrong: all that is, with its places, and 78" {
    local old
    printf '%s\n' 'workers = 2' "root = $SITE" >site.conf
    drover_start --listen 127.0.0.1:0 -c site.conf
    old=$(workers)
    printf '%s\n' 'workers = 0' "root = $SITE" 'listing = maybe' >site.conf
    ask 78 '' 'drover reload: site\.conf:1:11: workers = 0: [^
]*
drover reload: site\.conf:3:11: listing = maybe: must be yes or no
drover reload: nothing is changed; pid '"$DROVER_PID serves as before" reload
    assert_equal "$(workers)" "$old"
    printf '%s\n' 'workers = 2' "root = $SITE" >site.conf
    ask 0 "$RELOADED" '' reload
}

@test "drover reload whose worker does not start: the reason, 69, and the old ones go on" {
    local old
    printf '%s\n' 'workers = 2' "root = $SITE" >site.conf
    misbehave "$LINKS" MISBEHAVE_SLOW="$PWD/slow"
    drover_start --listen 127.0.0.1:0 -c site.conf
    old=$(workers)
    echo 'start-timeout = 200ms' >>site.conf
    touch slow
    ask 69 '' 'drover reload: worker [01] does not start' reload
    rm slow
    wait_until 10 has_workers 2
    assert_equal "$(workers)" "$old"
    [[ $(fetch /hello.txt) == hello ]]
}

@test "two drover reload at once: both wait for the end, and one that is begun anew is not told before" {
    printf '%s\n' 'workers = 2' "root = $SITE" 'start-timeout = 30s' >site.conf
    misbehave "$LINKS" MISBEHAVE_SLOW="$PWD/slow"
    drover_start --listen 127.0.0.1:0 -c site.conf
    touch slow
    "$DROVER" reload >first 2>&1 3>&- 4>&- &
    local first=$!
    wait_until 10 logged_times 1 'reload: is asked for'
    "$DROVER" reload >second 2>&1 3>&- 4>&- &
    wait_until 10 logged 'reload: it begins anew, since another was asked for' # with the file as it is
    # and what cannot be read is the end of that one alone
    echo 'workers = none' >site.conf
    ask 78 '' 'drover reload: site\.conf:1:11: workers = none: .*' reload
    [[ ! -s first && ! -s second ]]
    rm slow
    wait "$!" "$first"
    [[ $(<first) =~ ^$RELOADED$ && $(<second) =~ ^$RELOADED$ ]] || fail "$(head first second)"
}

# ---- upgrade ----------------------------------------------------------------------------------

@test "drover upgrade: the new server has the control socket, and is asked there next" {
    local old
    copy_drover
    drover_start --workers 2 "$SITE"
    for _ in 1 2 3; do
        old=$DROVER_PID
        ask 0 "upgrade: pid [0-9]+ serves after [0-9]+ ms; pid $old leaves when its workers have" '' upgrade
        follow_upgrade
        [[ $output == "upgrade: pid $DROVER_PID serves after "* ]]
        wait_until 10 is_gone "$old"
        assert_equal "$(find "$XDG_RUNTIME_DIR" -type s)" "$(control)"
        ask 0 "$RELOADED" '' reload
    done
    ask 0 "$STOPPED" '' stop
    wait_until 10 is_gone "$DROVER_PID"
    assert_equal "$(find "$XDG_RUNTIME_DIR" -type s)" ''
}

@test "an upgrade keeps the socket at --control PATH, and takes another PATH" {
    local inode
    printf '%s\n' 'workers = 1' "root = $SITE" 'control = one' >site.conf
    drover_start --listen 127.0.0.1:0 -c site.conf
    inode=$(stat -c %i one)
    ask 0 'upgrade: .*' '' upgrade --control one
    follow_upgrade
    assert_equal "$(stat -c %i one)" "$inode"
    sed -i 's/control = one/control = two/' site.conf
    ask 0 'reload: .*' '' reload --control one
    logged 'reload: a new control takes an upgrade'
    ask 0 'upgrade: .*' '' upgrade --control=one
    follow_upgrade
    [[ ! -e one ]]
    assert_equal "$(stat -c %i two)" "$inode"
    ask 69 '' 'drover reload: one: no server is there' reload --control one
    sed -i 's/control = two/control = off/' site.conf
    ask 0 'upgrade: .*' '' upgrade --control two
    follow_upgrade
    [[ ! -e two ]]
    sed -i '/control/d' site.conf
    kill -USR2 "$DROVER_PID"
    wait_until 10 follow_upgrade
    wait_until 10 test -S "$(control)"
    ask 0 'reload: .*' '' reload
}

@test "a request that is in the queue while the server is upgraded is answered by the new one" {
    drover_start --workers 1 "$SITE"
    act "$XDG_RUNTIME_DIR" <<'PY'
def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(10)
    s.connect(path)
    return s

def ask_and_upgrade():
    """What is answered, and after how many seconds."""
    path, old = f"{args[0]}/drover-{master}.control", master
    # The place of every connection is taken, so that the next ones wait in the queue; one asks.
    begun = time.monotonic()
    others = [connect(path) for _ in range(16)]
    queued = connect(path)
    queued.send(b"reload")
    upgrade(lambda old: None)
    words = queued.recv(65536)
    took = time.monotonic() - begun
    wait(lambda: is_gone(old))
    return words, took

# After two seconds the old one has dropped the others, and answers: a busy machine has more tries.
for _ in range(5):
    words, took = ask_and_upgrade()
    if took < 2:
        break
assert took < 2, "the old one has answered, when it had dropped the others"
assert words.startswith(b"0 every worker is a fresh one"), words
PY
}

@test "drover reload while the server is upgraded: every one is answered, by the old or the new one" {
    copy_drover
    drover_start --workers 2 "$SITE"
    act "$DROVER" <<'PY'
import subprocess, threading
failed, over = [], threading.Event()

def ask():
    while not over.is_set():
        p = subprocess.run([args[0], "reload"], capture_output=True, timeout=20)
        # between the new one's file and the end of the old one's; or that has begun anew for it
        if p.returncode:
            failed.append((p.returncode, p.stderr))

asking = [threading.Thread(target=ask) for _ in range(3)]
for t in asking:
    t.start()
for _ in range(10):
    p = subprocess.run([args[0], "upgrade"], capture_output=True, timeout=20)
    assert p.returncode == 0, p.stderr
over.set()
for t in asking:
    t.join()
unexpected = [f for f in failed if b"an upgrade has begun" not in f[1]]
assert not unexpected, unexpected
PY
    follow_upgrade
    ask 0 "$RELOADED" '' reload
}

@test "while the old server finishes what it has, the new one alone is asked" {
    drover_start --workers 2 "$SITE"
    slow_client
    act "$(control)" "$XDG_RUNTIME_DIR" <<'PY'
def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(10)
    s.connect(path)
    return s

def descriptors():
    return len(os.listdir(f"/proc/{master}/fd"))

before, old = descriptors(), master
early = connect(args[0])
wait(lambda: descriptors() > before) # the old one has accepted it
upgrade(lambda old: None)
early.send(b"reload")
words = early.recv(65536)
assert words == f"75 the server is pid {master} now; ask that".encode(), words
for _ in range(20):
    s = connect(f"{args[1]}/drover-{master}.control")
    s.send(b"reload")
    words = s.recv(65536)
    assert words.startswith(b"0 every worker"), words
assert not is_gone(old)
PY
    follow_upgrade
    slow_finish "$SLOW"
}

# pretend ANSWER...: what is no drover, at the path fake: gives each connection an answer, "reset"
# without having read the request, and ends. PRETENDS is its pid.
pretend() {
    py "$PWD/fake" "$@" <<'PY' &
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(sys.argv[1] + ".new")
listener.listen()
os.rename(sys.argv[1] + ".new", sys.argv[1])
for words in sys.argv[2:]:
    s = listener.accept()[0]
    if words != "reset":
        s.recv(100)
    s.send(words.encode())
    s.close()
PY
    PRETENDS=$!
    wait_until 10 test -S fake
}

@test "who is told that the server is another one now asks that, but not for ever" {
    pretend '75 the server is pid 5 now; ask that' '0 done'
    ask 0 'reload: done' '' reload --control fake
    wait "$PRETENDS"
    rm fake
    pretend '75 ask 1' '75 ask 2' '75 ask 3'
    ask 75 '' 'drover reload: ask 3' reload --control fake
    wait "$PRETENDS"
}

@test "an answer that is none; one that comes before the request is read" {
    pretend 'OK' '0done' '256 x' '-1 x' 'reset'
    for _ in 1 2 3 4; do
        ask 76 '' "drover stop: the server's answer cannot be understood" stop --control fake
    done
    ask 76 '' "drover stop: the server's answer cannot be understood" stop --control fake
    wait "$PRETENDS"
}

@test "a reload that is asked for during an upgrade ends with it" {
    printf '%s\n' 'workers = 2' "root = $SITE" 'start-timeout = 30s' >site.conf
    misbehave "$LINKS" MISBEHAVE_SLOW="$PWD/slow"
    drover_start --listen 127.0.0.1:0 -c site.conf
    touch slow
    "$DROVER" upgrade >upgraded 2>&1 3>&- 4>&- &
    local asking=$!
    wait_until 10 logged 'upgrade: pid '
    "$DROVER" reload >reloaded 2>&1 3>&- 4>&- &
    local too=$!
    wait_until 10 logged 'upgrade: it begins anew with the configuration as it is now'
    rm slow
    wait "$asking"
    wait "$too"
    [[ $(<reloaded) =~ ^"reload: pid "[0-9]+" serves after "[0-9]+" ms; pid $DROVER_PID leaves when its workers have"$ ]]
    assert_equal "$(<upgraded)" "upgrade: $(sed 's/^reload: //' reloaded)"
    follow_upgrade
}

@test "drover upgrade to a binary that cannot run: the reason, 69, and the server goes on" {
    local old served
    copy_drover
    served=$DROVER
    cp "$DROVER" good
    drover_start --workers 2 "$SITE"
    old=$(workers)
    rm "$served"
    DROVER=$PWD/good # for the verbs
    ask 69 '' "drover upgrade: cannot run $served: No such file or directory" upgrade
    printf '#!/bin/sh\nexit 3\n' >"$served"
    chmod 755 "$served"
    ask 69 '' \
        'drover upgrade: the new server \(pid [0-9]+\) ended before it was ready: exit status 3' upgrade
    assert_equal "$(workers)" "$old"
    ask 0 "$RELOADED" '' reload
}

# ---- stop -------------------------------------------------------------------------------------

@test "drover stop returns when what runs was finished, and everything is given back" {
    local asking
    drover_start --workers 2 --pidfile pid "$SITE"
    slow_client
    "$DROVER" stop >stopped 2>&1 3>&- 4>&- &
    asking=$!
    wait_until 10 logged 'stopping on drover stop'
    [[ ! -s stopped ]]
    slow_finish "$SLOW"
    wait "$asking"
    [[ $(<stopped) =~ ^$STOPPED$ ]] || fail "$(<stopped)"
    [[ ! -e pid && ! -e $(control) ]]
    drover_wait "$STOP_SECONDS"
    assert_equal "$status" 0
}

@test "what drover stop has answered for can be had by the next server" {
    drover_start --listen "unix:$PWD/socket" --listen 127.0.0.1:0 --pidfile pid --control ctl "$SITE"
    local port=${DROVER_ADDRS[1]}
    for _ in 1 2 3 4 5; do
        ask 0 "$STOPPED" '' stop --control ctl
        drover_start --listen "unix:$PWD/socket" --listen "$port" --pidfile pid --control ctl "$SITE"
    done
}

@test "drover stop --now does not wait for what runs; one that waited has its answer, too" {
    drover_start --workers 2 "$SITE"
    slow_client
    "$DROVER" stop >stopped 2>&1 3>&- 4>&- &
    wait_until 10 logged 'stopping on drover stop'
    ask 69 '' 'drover reload: the server stops' reload
    ask 0 'stopped: .*' '' stop --now
    wait "$!"
    [[ $(<stopped) == "stopped: "* ]] || fail "$(<stopped)"
    logged 'stopping at once on drover stop --now'
    client_close "$SLOW"
}

@test "a second drover stop is no second SIGTERM: both wait for the same end" {
    drover_start --workers 1 --lame-duck 300ms "$SITE"
    "$DROVER" stop >one 2>&1 3>&- 4>&- &
    wait_until 10 logged 'stopping on drover stop in 300 ms'
    ask 0 "$STOPPED" '' stop
    wait "$!"
    assert_equal "$(<one)" "$output"
    run ! logged 'at once'
}

@test "a server that is killed while it is asked: 70, and the next one starts" {
    drover_start --workers 1 --control ctl "$SITE"
    slow_client
    "$DROVER" stop --control ctl >stopped 2>&1 3>&- 4>&- &
    wait_until 10 logged 'stopping on drover stop'
    kill -KILL "$DROVER_PID"
    status=0
    wait "$!" || status=$?
    assert_equal "$status: $(<stopped)" '70: drover stop: the server ended before it answered'
    client_close "$SLOW"
    [[ -S ctl ]] # stale
    drover_start --workers 2 --control ctl "$SITE"
    ask 0 "$RELOADED" '' reload --control ctl
}

# ---- which server -----------------------------------------------------------------------------

# in_own_run COMMAND...: with a /run where no other server of this machine is.
in_own_run() {
    ((EUID == 0)) || skip 'another user has no /run of its own'
    unshare --mount -- sh -c 'mount -t tmpfs tmpfs /run && exec "$@"' sh "$@" 3>&- 4>&-
}

@test "no server: where it was looked for, and 69" {
    local verb
    for verb in reload upgrade stop; do
        run in_own_run "$DROVER" "$verb"
        assert_equal "$status: $output" "69: drover $verb: no running server was found: looked for \
drover*/control and drover-*.control in \
$XDG_RUNTIME_DIR and /run; name its socket with --control PATH"
        ask 69 '' "drover $verb: none: no server is there" "$verb" --control none
        touch "$SITE/file"
        ask 69 '' "drover $verb: $SITE/file: no server is there" "$verb" --control "$SITE/file"
    done
}

@test "two servers: a list, and 64; --control says which" {
    local one
    drover_start --workers 2 "$SITE"
    one=$DROVER_PID
    drover_start --workers 1 "$SITE"
    DROVER_PIDS="$one $DROVER_PID" ask 64 '' "drover stop: several servers run; name the one that is meant:
(  --control $XDG_RUNTIME_DIR/drover-[0-9]+\.control   \(pid [0-9]+\)
?)*" stop
    [[ $stderr == *"drover-$one.control   (pid $one)"* ]]
    [[ $stderr == *"drover-$DROVER_PID.control   (pid $DROVER_PID)"* ]]
    ask 0 "$RELOADED" '' reload --control "$XDG_RUNTIME_DIR/drover-$one.control"
    ask 0 "$STOPPED" '' stop --control "$(control)"
    run ! is_gone "$one"
}

@test "the list of servers has the pid of one that was upgraded" {
    drover_start --workers 1 "$SITE"
    drover_start --workers 1 --control "$XDG_RUNTIME_DIR/drover-mine.control" "$SITE"
    ask 0 'upgrade: .*' '' upgrade --control "$XDG_RUNTIME_DIR/drover-mine.control"
    follow_upgrade
    ask 64 '' '.*' reload
    [[ $stderr == *"drover-mine.control   (pid $DROVER_PID)"* ]] || fail "$stderr"
}

@test "a server whose socket changes its name all the time, as in upgrades, is found, and is one" {
    py "$DROVER" "$XDG_RUNTIME_DIR" <<'PY'
import subprocess, threading
drover, place = sys.argv[1:]
over = threading.Event()
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(f"{place}/drover-0.control")
listener.listen(64)

def serve():
    while True:
        s = listener.accept()[0]
        if s.recv(100):
            s.send(b"0 once")
        s.close()

def rename():
    n = 0
    while not over.is_set():
        os.rename(f"{place}/drover-{n}.control", f"{place}/drover-{n + 1}.control")
        n += 1
        time.sleep(0.0005) # a pace, and far more than between two upgrades

threading.Thread(target=serve, daemon=True).start()
renaming = threading.Thread(target=rename)
renaming.start()
wrong = []
for _ in range(200):
    p = subprocess.run([drover, "reload"], capture_output=True, text=True, timeout=20)
    if p.returncode:
        wrong.append(p.stderr)
over.set()
renaming.join()
assert not wrong, wrong
PY
}

@test "a service's own server alone is asked by its commands" {
    drover_start --workers 1 "$SITE"
    mkdir service
    (
        export RUNTIME_DIRECTORY=$PWD/service:$PWD/other
        ask 69 '' "drover reload: $PWD/service/control: no server is there" reload
        drover_start --workers 2 "$SITE"
        [[ -S service/control ]]
        ask 0 "$RELOADED" '' reload
        ask 0 "$STOPPED" '' stop
        [[ ! -e service/control ]]
    )
    ask 0 'reload: .*' '' reload
}

@test "another user's server: whose it is, and 77; root may ask any" {
    ((EUID == 0)) || skip 'takes root'
    local who
    copy_drover
    drover_start --workers 1 "$SITE"
    run "${as_nobody[@]}" "$DROVER" reload --control "$(control)"
    assert_equal "$status: $output" \
        "77: drover reload: $(control): the server is uid 0's (root); it and root may ask it"
    run "${as_nobody[@]}" "$DROVER" reload
    assert_equal "$status" 77
    # somebody has changed the mode
    chmod 666 "$(control)"
    run "${as_nobody[@]}" "$DROVER" reload
    who=$(id -u nobody)
    assert_equal "$status: $output" \
        "77: drover reload: uid $who may not ask this server: root may, and uid 0"
    logged "(uid $who) may not ask this server"
    ask 0 "$STOPPED" '' stop

    DROVER_UNDER=("${as_nobody[@]}")
    drover_start --workers 2 "$SITE"
    ask 0 "$RELOADED" '' reload
    run "${as_nobody[@]}" "$DROVER" reload
    assert_equal "$status: ${output%%,*}" '0: reload: every worker is a fresh one: 2'
}

# ---- the socket -------------------------------------------------------------------------------

@test "the socket is its owner's alone, whatever the umask" {
    umask 0
    drover_start --workers 1 "$SITE"
    assert_equal "$(stat -c '%a %F' "$(control)")" '600 socket'
}

@test "workers have no part in the control socket" {
    local inodes pid
    drover_start --workers 2 --standby off "$SITE"
    inodes=$(awk -v path="$(control)" '$NF == path { print $7 }' /proc/net/unix)
    [[ -n $inodes ]]
    py "$(control)" "$DROVER_PID" "$inodes" <<'PY'
def sockets(pid):
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            pass
    return found

path, master, inode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
before = sockets(master)
assert f"socket:[{inode}]" in before
held = []
for _ in range(4):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(path)
    held.append(s)
while len(sockets(master)) < len(before) + 4:
    time.sleep(0.001)
peers = sockets(master) - before | {f"socket:[{inode}]"}
old = children(master)
for pid in old: # the next ones are forked while the connections are there
    os.kill(pid, signal.SIGKILL)
deadline = time.monotonic() + 5
while len([p for p in children(master) if p not in old]) < 2:
    assert time.monotonic() < deadline
for s in held:
    s.settimeout(0)
time.sleep(0) # what follows looks until the workers are what they become
for pid in children(master):
    while sockets(pid) & peers:
        assert time.monotonic() < deadline, sockets(pid) & peers
PY
}

@test "a stale socket is replaced, a server's is not, and neither is another file" {
    drover_start --workers 1 --control ctl "$SITE"
    drover serve --listen 127.0.0.1:0 --control ctl "$SITE"
    assert_equal "$status" 69
    assert_output --partial "--control ctl: is held by pid $DROVER_PID, which is running"
    [[ -S ctl ]]
    kill -KILL "$DROVER_PID"
    drover_wait "$STOP_SECONDS"
    [[ -S ctl ]]
    drover_start --workers 2 --control ctl "$SITE"
    ask 0 "$RELOADED" '' reload --control ctl
    echo kept >file
    drover serve --listen 127.0.0.1:0 --control file "$SITE"
    assert_equal "$status" 69
    assert_output --partial '--control file: Address already in use'
    assert_equal "$(<file)" kept
}

@test "a place for the socket that cannot be had: an error where it was named, else a warning" {
    drover serve --listen 127.0.0.1:0 --control none/ctl "$SITE"
    assert_equal "$status" 73
    assert_output --partial '--control none/ctl: No such file or directory'
    drover serve --listen 127.0.0.1:0 --control "$(printf '%0108d' 0)" "$SITE"
    assert_equal "$status" 64
    assert_output --partial 'is longer than 107 bytes'
    XDG_RUNTIME_DIR=$PWD/none drover_start --workers 1 "$SITE"
    logged "drover status, reload, upgrade and stop cannot ask this server: $PWD/none/drover-$DROVER_PID.control: No such"
    [[ $(fetch /hello.txt) == hello ]]
    if ((EUID == 0)); then
        run "${as_nobody[@]}" timeout 20 "$DROVER" serve --listen 127.0.0.1:0 --control "$SITE/ctl" \
            "$SITE" 3>&- 4>&-
        assert_equal "$status" 77
    fi
}

@test "no place for a socket at all: the start says so, and what makes one" {
    ((EUID == 0)) || skip 'needs root'
    copy_drover
    chmod 755 .
    DROVER_UNDER=("${as_nobody[@]}" env -u XDG_RUNTIME_DIR)
    drover_start --workers 1 "$SITE"
    logged 'drover status, reload, upgrade and stop cannot ask this server: XDG_RUNTIME_DIR is not set; --control PATH makes a socket'
}

@test "--control off: there is none" {
    drover_start --workers 1 --control off "$SITE"
    run ! logged 'cannot ask this server'
    assert_equal "$(find "$XDG_RUNTIME_DIR" "$PWD" -name '*control*' -o -name off)" ''
}

@test "a socket that another has put there meanwhile stays at the end" {
    drover_start --workers 1 --control ctl "$SITE"
    mv ctl gone
    drover_start --workers 2 --control ctl "$SITE"
    ask 0 'stopped: .*' '' stop --control gone
    ask 0 "$RELOADED" '' reload --control ctl
}

# ---- who asks wrongly, or slowly --------------------------------------------------------------

@test "a request that there is not, or one that is too long: a list of those there are, and 64" {
    drover_start --workers 2 "$SITE"
    assert_equal "$(talk "$(control)" 'drop')" "$REQUESTS"
    assert_equal "$(talk "$(control)" $'reload\n')" "$REQUESTS"
    assert_equal "$(talk "$(control)" 'stop no')" "$REQUESTS"
    assert_equal "$(talk "$(control)" "reload$(printf '%4000s' '')")" "$REQUESTS"
    ask 0 "$RELOADED" '' reload
    assert_equal "$(count_logged 'is asked for')" 1
}

@test "who connects and says nothing holds up nobody, and is dropped after two seconds" {
    local begun before
    drover_start --workers 2 "$SITE"
    for _ in 1 2 3; do # a reload may take that long on a busy machine
        begun=$(now_us) before=$(fd_count "$DROVER_PID")
        talk "$(control)" >silent &
        wait_until 20 descriptor_count_is_not "$before"
        ask 0 "$RELOADED" '' reload
        [[ -s silent ]] || break
        wait "$!"
    done
    assert_equal "$(<silent)" '' # it is there still
    wait "$!"
    assert_equal "$(<silent)" end
    (($(ms_since "$begun") >= 2000))
}

# For wait_until.
descriptor_count_is_not() {
    (($(fd_count "$DROVER_PID") != $1))
}

@test "more silent ones than there is room for: the next one has its turn when they are dropped" {
    drover_start --workers 2 "$SITE"
    py "$(control)" "$DROVER_PID" <<'PY'
def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(10)
    s.connect(sys.argv[1])
    return s

def ticks():
    with open(f"/proc/{sys.argv[2]}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])

before = ticks()
begun = time.monotonic()
silent = [connect() for _ in range(16)]
asks = connect()
asks.send(b"reload")
words = asks.recv(65536)
assert words.startswith(b"0 every worker"), words
assert 1.9 < time.monotonic() - begun < 8, time.monotonic() - begun
assert all(s.recv(1) == b"" for s in silent)
assert ticks() - before < 50, "the master has spun"
PY
}

@test "who goes away, says more, or does not read is forgotten; the server goes on" {
    local before
    printf '%s\n' 'workers = 2' "root = $SITE" 'start-timeout = 30s' >site.conf
    misbehave "$LINKS" MISBEHAVE_SLOW="$PWD/slow"
    drover_start --listen 127.0.0.1:0 -c site.conf
    before=$(fd_count "$DROVER_PID")
    touch slow
    py "$(control)" <<'PY'
def ask(words):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(10)
    s.connect(sys.argv[1])
    s.send(words)
    return s

held = [ask(b"reload") for _ in range(4)]
held[0].close() # before its request was read, perhaps
held[1].send(b"reload")
assert held[1].recv(100) == b""
held[2].shutdown(socket.SHUT_WR)
assert held[2].recv(100) == b""
descriptors = ask(b"reload")
socket.send_fds(descriptors, [b"stop now"], [0, 1, 2]) # one request a connection
assert descriptors.recv(100) == b""
PY
    rm slow
    wait_until 10 logged 'reload: every worker is a fresh one'
    wait_until 10 has_descriptors "$before"
    ask 0 "$RELOADED" '' reload
}

@test "a server without descriptors lets who asks wait, and does not spin; with some again it answers" {
    local ticks
    drover_start --workers 2 "$SITE"
    prlimit --pid "$DROVER_PID" --nofile="$(lowest_free_fd "$DROVER_PID"):"
    ticks=$(cpu_ticks "$DROVER_PID")
    "$DROVER" reload >reloaded 2>&1 3>&- 4>&- &
    wait_until 5 logged 'control: no connection can be taken: Too many open files'
    [[ $(fetch /hello.txt) == hello ]]
    sleep 0.5 # in which it tries again, five times
    (($(cpu_ticks "$DROVER_PID") - ticks < 20))
    assert_equal "$(count_logged 'no connection can be taken')" 1
    prlimit --pid "$DROVER_PID" --nofile=1000:
    wait "$!"
    [[ $(<reloaded) =~ ^$RELOADED$ ]] || fail "$(<reloaded)"
}

# has_descriptors N: for wait_until.
has_descriptors() {
    (($(fd_count "$DROVER_PID") == $1))
}

# ---- the verbs themselves ---------------------------------------------------------------------

@test "the verbs say what they do, and what they do not know" {
    local verb
    for verb in reload upgrade reopen stop; do
        ask 0 "usage: drover $verb \[--control PATH\].*" '' "$verb" --help
        ask 64 '' "drover $verb: --quickly: there is no such option; drover $verb --help tells more" "$verb" --quickly
        ask 64 '' "drover $verb: --jsno: there is no such option; did you mean --json\?" "$verb" --jsno
        ask 64 '' "drover $verb: --control: its value is missing.*" "$verb" --control
        ask 64 '' "drover $verb: --control: must not be empty.*" "$verb" --control=
    done
    ask 64 '' 'drover reload: --now: there is no such option.*' reload --now
    ask 64 '' 'drover stop: --nwo: there is no such option; did you mean --now\?' stop --nwo
    ask 64 '' 'drover stop: 5: there is nothing to be named here.*' stop 5
    [[ $("$DROVER" stop --help) == *--now* ]]
}

@test "a master that is stopped: why it takes so long is told meanwhile" {
    drover_start --workers 2 "$SITE"
    kill -STOP "$DROVER_PID"
    wait_until 10 in_state T "$DROVER_PID"
    "$DROVER" reload >reloaded 2>told 3>&- 4>&- &
    wait_until 10 grep -qx "drover reload: waits: the master (pid $DROVER_PID) is stopped by a signal; kill -CONT goes on with it" told
    kill -CONT "$DROVER_PID"
    wait "$!"
    [[ $(<reloaded) =~ ^$RELOADED$ ]] || fail "$(<reloaded)"
    assert_equal "$(wc -l <told)" 1
}

@test "as JSON: what has happened, or all that is wrong" {
    local verb
    printf '%s\n' 'workers = 2' "root = $SITE" >site.conf
    copy_drover
    drover_start --listen 127.0.0.1:0 -c site.conf
    for verb in reload upgrade reopen; do
        ask 0 '.*' '' "$verb" --json
        jq --exit-status --arg verb "$verb" --argjson pid "$DROVER_PID" '.verb == $verb and .status == 0 and
            .server == $pid and .milliseconds >= 0 and (.message | type) == "string" and .errors == []' <<<"$output"
        [[ $verb != upgrade ]] || DROVER_PID=$(jq --raw-output '.message | capture("pid (?<pid>[0-9]+) serves").pid' <<<"$output")
    done
    printf '%s\n' 'workers = 0' 'listing = "maybe"' >site.conf
    ask 78 '.*' '' reload --json
    jq --exit-status '.status == 78 and .message == null and (.errors | length) == 2 and
        (.errors[1] | startswith("site.conf:2:"))' <<<"$output"
    ask 0 '.*' '' stop --json
    jq --exit-status '.verb == "stop" and .status == 0' <<<"$output"
    ask 69 '.*' '' stop --json
    jq --exit-status '.status == 69 and .server == null and (.errors | length) == 1' <<<"$output"
}

@test "a program with an application of its own is asked by the same verbs" {
    local program=${DROVER%/*}/examples/time fifo=$PWD/ready
    mkfifo "$fifo"
    DROVER_LOG=$PWD/log DROVER_MARK=$BATS_TEST_TMPDIR/program
    DROVER_TEST=$DROVER_MARK "$program" --listen 127.0.0.1:0 --workers 2 --ready-fd 9 \
        >>"$DROVER_LOG" 2>&1 3>&- 4>&- 9>"$fifo" &
    DROVER_PID=$!
    read_ready "$fifo"
    ask 0 "$RELOADED" '' reload
    ask 0 "$STOPPED" '' stop
    drover_wait "$STOP_SECONDS"
    assert_equal "$status" 0
}
