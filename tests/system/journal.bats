#!/usr/bin/env bats
#
# What drover writes when its stderr is the journal: JOURNAL_STREAM names the file's device and inode
# (systemd.exec(5)). Any file does; the journal itself is not needed.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load process
load lifecycle

setup() {
    make_site
    cd "$BATS_TEST_TMPDIR" || return
}

# journal_at FILE: makes it, and says that it is the journal.
journal_at() {
    : >>"$1"
    JOURNAL_STREAM=$(stat --format=%d:%i "$1")
    export JOURNAL_STREAM
}

# fails_with STATUS TEXT ARGS...: drover ARGS ends so, and this is what the journal gets.
fails_with() {
    local status_wanted=$1 text=$2
    shift 2
    status=0
    timeout --kill-after=1 20 "$DROVER" "$@" 2>errors 3>&- 4>&- || status=$?
    assert_equal "$status: $(<errors)" "$status_wanted: $text"
}

# Every line of the log is of the form: a priority, who, words.
is_journal() {
    ! grep -vE '^<[3467]>((new )?master|worker [0-9]+): ' "$DROVER_LOG"
}

@test "a server's lines have a priority and no time: the master's, a worker's, and those after an upgrade" {
    journal_at log
    drover_start --listen 127.0.0.1:0,proxy --workers 2 "$SITE"
    logged '<6>master: serving '
    curl -m 5 -s "$DROVER_URL/" || true # says nothing of PROXY
    wait_until 5 grep -qE '^<4>worker [01]: 127\.0\.0\.1 sends no PROXY header' "$DROVER_LOG"
    kill -USR2 "$DROVER_PID"
    wait_until 20 drover_ended
    follow_upgrade
    kill -TERM "$DROVER_PID"
    wait_until "$STOP_SECONDS" is_gone "$DROVER_PID"
    logged '<6>master: stopped: '
    logged '<6>new master: serving '
    is_journal
}

# has_line PRIORITY REGEXP: the whole of a line.
has_line() {
    grep -qxE "<$1>$2" "$DROVER_LOG"
}

@test "a line a moment, with its cause, the worker and its pid, and how long it took" {
    local totals='[0-9]+ requests were answered on [0-9]+ connections; [0-9]+ connections were closed at the deadline'
    journal_at log
    printf '%s\n' 'listen = 127.0.0.1:0' 'workers = 2' "root = $SITE" >"$SITE.conf"
    drover_start -c "$SITE.conf"
    has_line 6 "master: serving $SITE at http://$DROVER_ADDR/ with 2 workers"
    kill -KILL "$(worker_of 0)"
    wait_until 10 has_line 4 'master: worker 0 \(pid [0-9]+\) ended: killed by SIGKILL; its standby goes on'
    wait_until 10 has_line 6 'master: worker 0 \(pid [0-9]+\) goes on with 0 connections, after [0-9]+\.[0-9] ms'
    kill -HUP "$DROVER_PID"
    wait_until 10 has_line 6 'master: reload: every worker is a fresh one: 2, after [0-9]+ ms'
    has_line 6 'master: reload: is asked for by SIGHUP'
    [[ $(count_logged ' accepts, after ') == 0 ]] # those of a start or reload have its line
    kill -TTIN "$DROVER_PID"
    wait_until 10 has_line 6 'master: scale: one worker more: 3'
    wait_until 10 has_line 6 'master: worker 2 \(pid [0-9]+\) accepts, after [0-9]+ ms'
    kill -TTOU "$DROVER_PID"
    wait_until 10 has_line 6 'master: scale: one worker less: 2'
    echo 'workres = 3' >>"$SITE.conf"
    kill -HUP "$DROVER_PID"
    wait_until 10 has_line 4 'master: reload: nothing is changed: .*unknown key "workres".*'
    sed -i '$d' "$SITE.conf"
    kill -USR2 "$DROVER_PID"
    wait_until 20 drover_ended
    has_line 6 'master: upgrade: is asked for by SIGUSR2'
    has_line 6 "master: upgrade: pid [0-9]+ serves after [0-9]+ ms; pid $DROVER_PID leaves when its workers have"
    has_line 6 "master: upgrade: left to the new server: $totals"
    follow_upgrade
    kill -TERM "$DROVER_PID"
    wait_until "$STOP_SECONDS" is_gone "$DROVER_PID"
    has_line 6 'master: stopping on SIGTERM'
    has_line 6 "master: stopped: $totals; the stop took [0-9]+ ms"
    is_journal
}

@test "a server whose stderr is a file, and no longer the journal, writes the time" {
    journal_at other
    drover_start --workers 1 "$SITE"
    drover_stop
    assert_equal "$status" 0
    run grep -vE '^[-0-9]{10} [:0-9]{8}\.[0-9]{3} (error|warn |info |debug) master: ' "$DROVER_LOG"
    assert_output ''
    run cat other
    assert_output ''
}

@test "usage and configuration errors are errors in the journal, each line of them" {
    journal_at errors
    printf '%s\n' 'worker = 4' 'workers = 0' >site.conf
    fails_with 78 '<3>drover serve: site.conf:1:1: unknown key "worker"; did you mean "workers"?
<3>drover serve: site.conf:2:11: workers = 0: must be "auto" or a whole number from 1 to 256' \
        serve -c site.conf
    fails_with 78 '<3>site.conf:1:1: unknown key "worker"; did you mean "workers"?
<3>site.conf:2:11: workers = 0: must be "auto" or a whole number from 1 to 256' check -c site.conf
    fails_with 64 '<3>drover: there is no command "serv"; did you mean serve?' serv
    fails_with 64 '<3>drover: there is no command "quux"; drover help lists them' quux
    fails_with 64 "<3>drover: there is no command \"$SITE\"; to serve that directory: drover serve $SITE" \
        "$SITE"
}
