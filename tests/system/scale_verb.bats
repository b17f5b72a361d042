#!/usr/bin/env bats
#
# drover scale N: waits until it is so, and says what has become of it.
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
    LINKS=ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0"
}

# begins VERB...: drover VERB in the background, its output in ./VERB; ended by `ends`.
declare -gA BEGUN=()
begins() {
    "$DROVER" "$@" >"$1" 2>&1 3>&- 4>&- &
    BEGUN[$1]=$!
}

# ends STATUS VERB: with that status.
ends() {
    local status=0
    wait "${BEGUN[$2]}" || status=$?
    assert_equal "$2 $status" "$2 $1"
}

@test "drover scale returns when the new workers accept, and when the others have left the plan" {
    drover_start --workers 2 "$SITE"
    drover scale 5
    assert_success
    assert_output --regexp '^scaled: 5 workers, 3 more, after [0-9]+ ms$'
    has_workers 5
    "$DROVER" status --json 3>&- 4>&- | jq --exit-status '.workers_ready == 5 and .workers_wanted == 5'
    drover scale 5
    assert_output 'scaled: 5 workers, as there were'
    drover scale 1 --json
    assert_success
    assert_equal "$(jq -c '[.verb, .status, .server, .message, .errors]' <<<"$output")" \
        "[\"scale\",0,$DROVER_PID,\"1 worker; 4 finish what they have, and leave\",[]]"
    wait_until 10 has_workers 1
    assert_equal "$(fetch /hello.txt)" hello
}

@test "a number that is none is refused, here and by the server" {
    local word
    for word in 0 257 '' x 3x 1e2 +1 -1 99999999999999999999; do
        drover scale "$word"
        assert_failure 64
        assert_output --regexp "^drover scale: .*: must be a number of workers, 1 to 256; drover scale --help tells more$|--help tells more"
    done
    drover scale
    assert_failure 64
    assert_output 'drover scale: N: is missing; drover scale --help tells more'
    drover scale 2 3
    assert_failure 64
    drover scale --help
    assert_success
    assert_output --partial 'usage: drover scale N [--control PATH] [--json]'
    drover_start --workers 1 "$SITE"
    py "$XDG_RUNTIME_DIR/drover-$DROVER_PID.control" <<'PY'
for words in "scale", "scale ", "scale 0", "scale 257", "scale x", "scale 3x", "scale  3", "scale 3\0", "scale 99999999999999999999", "scale +1":
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(10)
    s.connect(sys.argv[1])
    s.send(words.encode())
    said = s.recv(65536).decode()
    assert said.startswith("64 scale ") and said.endswith(": must be a number of workers, 1 to 256"), (words, said)
PY
    assert_equal "$(worker_count)" 1
}

@test "twenty at once: each has an end, and the last that was heeded counts" {
    local i last pids=()
    drover_start --workers 2 "$SITE"
    for i in {1..20}; do
        "$DROVER" scale $((i % 7 + 1)) >"said.$i" 2>&1 3>&- 4>&- &
        pids+=("$!")
    done
    wait "${pids[@]}" || true
    for i in {1..20}; do
        grep -qE '^scaled: [1-7] workers?|^drover scale: another number was asked for meanwhile: [1-7]$' "said.$i" || fail "$(<"said.$i")"
    done
    last=$(grep -oP 'scaled: \K[0-9]+' "$DROVER_LOG" | tail -n 1)
    wait_until 10 has_workers "$last"
    "$DROVER" status --json 3>&- 4>&- | jq --exit-status ".workers_wanted == $last and .is_ready"
}

@test "a new worker that does not start: the reason, and as many as before" {
    local old
    misbehave "$LINKS" MISBEHAVE_SLOW="$PWD/slow"
    drover_start --workers 2 --start-timeout 500ms "$SITE"
    old=$(workers)
    touch slow
    drover scale 4
    assert_failure 69
    assert_output --regexp '^drover scale: worker [23] does not start$'
    rm slow
    wait_until 10 has_workers 2
    assert_equal "$(workers)" "$old"
    wait_until 30 "$DROVER" scale 4 3>&- 4>&- # a busy machine may need more than one try
    has_workers 4
}

@test "another number while one is under way: who asked for the first is told" {
    misbehave "$LINKS" MISBEHAVE_SLOW="$PWD/slow"
    drover_start --workers 2 "$SITE"
    touch slow
    begins scale 6
    wait_until 10 logged 'scale: from 2 to 6 workers'
    drover scale 1
    assert_success
    assert_output --regexp '^scaled: 1 worker; [0-9] finish what they have, and leave$'
    ends 69 scale
    assert_equal "$(<scale)" 'drover scale: another number was asked for meanwhile: 1'
    rm slow
    wait_until 10 has_workers 1
}

@test "during a reload, which begins anew: both come to their end, with that number" {
    misbehave "$LINKS" MISBEHAVE_SLOW="$PWD/slow"
    drover_start --workers 2 "$SITE"
    touch slow
    begins reload
    wait_until 10 logged 'reload: is asked for'
    begins scale 4
    wait_until 10 logged 'scale: from 2 to 4 workers'
    rm slow
    ends 0 scale
    ends 0 reload
    assert_equal "$(<reload)" "$(grep -oP 'reload: every worker is a fresh one: 4, after .*' "$DROVER_LOG")"
    grep -q 'info.* reload: it begins anew with another number of workers' "$DROVER_LOG"
    refute logged 'nothing is changed'
    wait_until 10 has_workers 4
}

@test "the number holds until the configuration has another one" {
    printf '%s\n' 'workers = 2' "root = $SITE" >site.conf
    drover_start --listen 127.0.0.1:0 -c site.conf
    drover scale 4
    assert_success
    drover reload
    assert_output --regexp '^reload: every worker is a fresh one: 4, '
    sed -i 's/workers = 2/workers = 3/' site.conf
    drover reload
    assert_output --regexp '^reload: every worker is a fresh one: 3, '
    drover scale 3
    assert_output 'scaled: 3 workers, as there were'
}

@test "during an upgrade: the new server has that number, and both have their end" {
    copy_drover
    drover_start --workers 2 "$SITE"
    begins upgrade
    begins scale 4
    ends 0 upgrade
    ends 0 scale
    DROVER_PID=$(grep -oP 'upgrade: pid \K[0-9]+' upgrade)
    wait_until 10 has_workers 4
}

@test "during a stop: the server stops" {
    local slow
    misbehave "$LINKS" MISBEHAVE_SLOW="$PWD/slow"
    drover_start --workers 2 "$SITE"
    slow_client
    slow=$SLOW
    touch slow
    begins scale 4
    wait_until 10 logged 'scale: from 2 to 4 workers'
    begins stop
    ends 69 scale
    assert_equal "$(<scale)" 'drover scale: the server stops'
    drover scale 3
    assert_failure 69
    assert_output 'drover scale: the server stops'
    rm slow
    slow_finish "$slow"
    ends 0 stop
}

@test "under load no request is lost" {
    drover_start --workers 2 "$SITE"
    both_begin
    for n in 8 1 16 3 2; do
        "$DROVER" scale "$n" 3>&- 4>&-
    done
    nothing_is_lost
}
