#!/usr/bin/env bats
#
# drover top: on a terminal, and in a pipe.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154 # each test is a subshell; the variables are
# the helper's and bats' own

# bats file_tags=beside

load helper
load process
load terminal

setup() {
    make_site
    cd "$BATS_TEST_TMPDIR" || return
    export TZ=UTC
}

# top_start ARGS...: a server whose control socket is named: whatever else runs here is none of ours.
top_start() {
    drover_start --control "$PWD/control" "$@"
}

# ---- a terminal -------------------------------------------------------------------------------

@test "drover top: the workers are shown, keys do what they should, and q leaves all as it was" {
    top_start --workers 3 "$SITE"
    on_terminal "$DROVER_PID" <<'PY'
t = Terminal([DROVER, "top", "--control=control", "--interval", "100ms"])
t.until(rf"^drover [0-9.]+  pid {args[0]}  serving ")
t.until(r"^ +2 +[0-9]+ +1 accepts +0 +0 +[0-9.]+ ")  # what a second has is known from the second look on
assert t.alternate and t.hidden
assert re.search(r"^\^SLOT +PID", t.text(), re.M), t.text()
t.until(r"^ LAST EVENTS\n [0-9:]{8} serving ")
first = t.until(r"AGE\n +([0-9])")[1]
assert first == "0"
t.press("R")
t.until(r"^vSLOT.*\n +2 ")
t.press("\x1b[C")  # right
t.until(r"^ SLOT +vPID")
def left_in_pieces():  # which a busy machine may part by more than a key has
    t.press(b"\x1b")
    t.press(b"[D")
    t.wait(0.3)
    return re.search("^vSLOT", t.text(), re.M)
t.until(left_in_pieces)
t.press("?")
t.until(r"^q, Ctrl-C +leave")
t.press("\x1b")    # alone
t.until(r"^vSLOT")
t.press("p")
t.until("^paused")
t.press("p")
t.until("^q leaves")
t.press("q")
assert t.end() == 0
assert t.restored(), t.raw[-200:]
assert t.text().strip() == "", t.text()
PY
}

@test "drover top: another size, a small one too, is drawn at once; scrolling" {
    top_start --workers 8 "$SITE"
    on_terminal <<'PY'
t = Terminal([DROVER, "top", "--control=control", "--interval", "1h"], 24, 80)
t.until(r"^ +7 +[0-9]+ ")
t.resize(10, 40)
t.until(lambda: re.search(r"CPU%$", t.text(), re.M) and re.search(r"^ +5 +[0-9]+ accepts", t.text(), re.M))
assert not re.search(r"^ +6 ", t.text(), re.M)
t.press("\x1b[B\x1b[B")
t.until(r"^ +7 +[0-9]+ accepts")
t.press("\x1b[5~")
t.until(r"CPU%\n +0 ")
t.resize(40, 132)
t.until(r"WASTE/S CSW/S QUEUE DROPS +AGE$")
t.press("q")
assert t.end() == 0 and t.restored()
PY
}

@test "drover top: r reloads, and says what has come of it" {
    printf '%s\n' 'workers = 1' "root = $SITE" >site.conf
    top_start --listen 127.0.0.1:0 -c site.conf
    on_terminal <<'PY'
t = Terminal([DROVER, "top", "--control=control", "--interval", "100ms"], 24, 132)
t.until(r"^ +0 +[0-9]+ +1 accepts ")
t.press("r")
t.until(r"^reload: every worker is a fresh one: 1, after [0-9]+ ms$")
t.until(r"^ +0 +[0-9]+ +2 accepts ")
with open("site.conf", "a") as conf:
    conf.write("workers = 0\nlisting = maybe\n")
t.press("r")
t.until(r"^reload: site\.conf:3:11: workers = 0: .* \(and more: drover check\)$")
t.until(r"^ +0 +[0-9]+ +2 accepts ")
t.press("q")
assert t.end() == 0 and t.restored()
PY
}

@test "drover top: ended by a signal, the terminal is restored, and the reason stays on it" {
    top_start --workers 1 "$SITE"
    on_terminal <<'PY'
for number in signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT:
    t = Terminal([DROVER, "top", "--control=control"])
    t.until(r"^ +0 .* accepts ")
    t.process.send_signal(number)
    assert t.end() == -number
    assert t.restored(), t.raw[-200:]
    assert t.text().strip() == f"drover top: ended by {number.name}", t.text()
t = Terminal([DROVER, "top", "--control=control"])
t.until(r"^ +0 .* accepts ")
t.press("\x03")    # Ctrl-C is another way to leave
assert t.end() == 0 and t.restored() and t.text().strip() == "", t.text()
t = Terminal([DROVER, "top", "--control=control"])
t.until(r"^ +0 .* accepts ")
t.press("\x13")    # Ctrl-S: it takes nothing any more, and that holds up nobody
t.process.send_signal(signal.SIGTERM)
assert t.end() == -signal.SIGTERM and termios.tcgetattr(t.slave) == t.before
PY
}

@test "drover top: Ctrl-Z gives the terminal back, fg takes it again" {
    top_start --workers 1 "$SITE"
    on_terminal <<'PY'
t = Terminal(["bash", "--norc", "--noprofile", "--noediting", "-i"], PS1="$ ")
t.until(r"\$$")
t.press(f"'{DROVER}' top --control control --interval 1h\n")
t.until(r"^ +0 .* accepts ")
t.press("\x1a")
t.until("Stopped")
assert t.restored(), t.raw[-200:]
t.press("fg\n")
t.until(lambda: t.alternate and re.search(r"^ +0 .* accepts ", t.text(), re.M))
# stopped by another signal: the shell takes the keys that were there, and has set its own modes
pid = children(t.process.pid)[0]
os.kill(pid, signal.SIGSTOP)
t.press("\n\n")
t.until("Stopped")
seen = len(t.raw)
t.press("fg\n")
t.until(lambda: b"\x1b[?1049h" in t.raw[seen:] and re.search(r"^ +0 .* accepts ", t.text(), re.M))
t.press("q")
t.until(lambda: not t.alternate)
t.press("echo status $?\n")
t.until("status 0$")
assert t.restored()
t.press("exit\n")
assert t.end() == 0
PY
}

@test "drover top follows an upgrade, and waits when the server has ended, for the next one" {
    copy_drover
    top_start --workers 1 "$SITE"
    on_terminal "$DROVER_PID" "$SITE" <<'PY'
t = Terminal([DROVER, "top", "--control=control", "--interval", "100ms"], 24, 132)
t.until(rf"pid {args[0]}  serving")
subprocess.run([DROVER, "upgrade", "--control=control"], check=True, timeout=20, stdout=subprocess.DEVNULL)
new = t.until(r"^the server is pid ([0-9]+) now$")[1]
assert new != args[0]
t.until(rf"pid {new}  serving")
t.until(r"^ +0 .* accepts +0 +0 ")
subprocess.run([DROVER, "stop", "--control=control"], check=True, timeout=20, stdout=subprocess.DEVNULL)
t.until(rf"^pid {new} has ended: waiting for a server$")
t.until(r"^ LAST EVENTS\n( .*\n)* [0-9:]{8} stopped: ")
assert not re.search(" accepts ", t.text())
next_one = subprocess.Popen([DROVER, "serve", "--control=control", "--listen", "127.0.0.1:0", "--workers", "2", args[1]],
    stderr=subprocess.DEVNULL, env=dict(os.environ, DROVER_TEST=os.environ["BATS_TEST_TMPDIR"] + "/x"))
t.until(rf"^the server is pid {next_one.pid} now$")
t.until(r"^ +1 .* accepts ")
next_one.terminate()
assert next_one.wait(20) == 0
ended = f"pid {next_one.pid} has ended: "
t.until(f"^{ended}waiting for a server$")
# one whose board is of another layout, which it says in its second number
board = os.memfd_create("board")
os.write(board, struct.pack("=QQ", 0x64726f7665724231, 1000000).ljust(1 << 16, b"\0"))
if os.path.exists("control"):
    os.unlink("control")
other = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
other.bind("control")
other.listen()
other.settimeout(20)
peer = other.accept()[0]
assert peer.recv(64) == b"board"
socket.send_fds(peer, [b"0 1"], [board])
peer.close()
t.until(f"^{ended}the one that is there now is of another version; leave, and look with its own drover top$")
t.press("q")
other.close()
assert t.end() == 0 and t.restored()
assert t.text().strip().startswith(f"drover top: {ended}"), t.text()
PY
}

@test "drover top: a master that is stopped holds nobody up" {
    top_start --workers 1 "$SITE"
    on_terminal "$DROVER_PID" <<'PY'
t = Terminal([DROVER, "top", "--control=control", "--interval", "100ms"])
t.until(r"^ +0 .* accepts ")
os.kill(int(args[0]), signal.SIGSTOP)
try:
    t.until(rf"^the master \(pid {args[0]}\) is stopped by a signal: ")
    t.press("?")
    t.until("^q, Ctrl-C")
    t.press("q")
    t.press("r")
    t.press("q")
    assert t.end() == 0 and t.restored()
finally:
    os.kill(int(args[0]), signal.SIGCONT)
PY
}

@test "drover top without keys: stdin is no terminal" {
    top_start --workers 1 "$SITE"
    on_terminal <<'PY'
t = Terminal(["sh", "-c", f"exec setsid --wait '{DROVER}' top --control control --interval 100ms --count 2 </dev/null"])
assert t.end() == 0, t.raw
assert t.restored(), t.raw
assert b" accepts" in t.raw
PY
}

# ---- no terminal ------------------------------------------------------------------------------

@test "drover top in a pipe: frames of plain text, which end when nobody reads them" {
    top_start --workers 2 "$SITE"
    drover top --control control --interval 100ms --count 3
    assert_equal "$status" 0
    [[ $output != *$'\e'* ]]
    assert_equal "$(grep -c "^drover .* pid $DROVER_PID  serving " <<<"$output")" 3
    assert_equal "$(grep -cE '^ +1 +[0-9]+ +1 accepts +0 +[0-9.]+ ' <<<"$output")" 3
    # without --count, it is the end of its reader that ends it: with 0, and without a word
    set -o pipefail
    timeout 20 "$DROVER" top --control control --interval 100ms 2>said 3>&- 4>&- | head -n 5 >frame
    [[ ! -s said ]]
    grep -q '^drover .* serving ' frame
}

@test "drover top where TERM is dumb, or unset: plain text, on a terminal too" {
    top_start --workers 1 "$SITE"
    on_terminal <<'PY'
for how in "TERM=dumb", "-u TERM":
    t = Terminal(["sh", "-c", f"exec env {how} '{DROVER}' top --control control --interval 100ms --count 2"], 50, 80)
    assert t.end() == 0
    assert b"\x1b" not in t.raw and t.raw.count(b"LAST EVENTS") == 2, t.raw
    assert max(len(line) for line in t.raw.decode().split("\r\n")) <= 80
PY
}

@test "drover top in script(1)" {
    top_start --workers 1 "$SITE"
    TERM=xterm timeout 20 script -qec "'$DROVER' top --control control --interval 100ms --count 3" typescript \
        </dev/null >shown 3>&- 4>&-
    grep -q $'^\e\\[?1049h' shown
    [[ $(<shown) == *$'\e[?1049l' ]]
    grep -qa ' accepts' typescript
}

@test "drover top: no server, and what cannot be meant" {
    drover top --control control
    assert_equal "$status" 69
    assert_output 'drover top: control: no server is there'
    drover top --interval 5
    assert_equal "$status" 64
    assert_output 'drover top: --interval: must be a time from 100ms to 1h, such as 500ms, 2s or 1m; drover top --help tells more'
    drover top --count=0
    assert_equal "$status" 64
    drover top --control
    assert_equal "$status" 64
    drover top --intervall=1s
    assert_equal "$status" 64
    assert_output 'drover top: --intervall=1s: there is no such option; did you mean --interval?'
    drover top me
    assert_output 'drover top: me: there is nothing to be named here; drover top --help tells more'
    drover top --help
    assert_equal "$status" 0
    assert_line --partial 'usage: drover top '
}
