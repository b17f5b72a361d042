#!/usr/bin/env bash
#
# systemd - what the tests under a real systemd share, on top of helper.bash, process.bash and
# lifecycle.bash: the box, with drover installed in it, and its systemctl, journal and clients.
#
# The tests' own commands stay outside, where all tools and files are. The box has the site at
# /srv/site, the build directory at /build; its files are below $INSIDE, and its network is where
# curl() and drover-load run.

# ---- the box ----------------------------------------------------------------------------------

# box_boot: once for a file, with what `make install` installs. BOX_LACKS says why there is none.
box_boot() {
    box_start
    [[ -z $BOX_LACKS ]] || return 0
    inside make --no-print-directory -C /project -o all install B=/build
    [[ $SAN != 1 ]] || allow_sanitizers
    systemctl daemon-reload
}

# box_start: the box as it comes. Exports what the tests need of it.
box_start() {
    local build=${DROVER%/*} leader
    export BOX=$BATS_FILE_TMPDIR/box SITE=$BATS_FILE_TMPDIR/site BOX_LACKS=''
    mkdir -p "$SITE"
    seq 1 1000000 | head -c 1024 >"$SITE/1k.bin"
    echo hello >"$SITE/hello.txt"
    ln -s hello.txt "$SITE/link.txt"
    chmod -R a+rX "$BATS_RUN_TMPDIR"
    if ! box up --bind-ro="$SITE:/srv/site" --bind-ro="$(cd "$build" && pwd):/build" 2>"$BOX.log"; then
        cat "$BOX.log" >&2
        BOX_LACKS=$(tail -n 1 "$BOX.log")
        return 0
    fi
    leader=$(box pid)
    export INSIDE=/proc/$leader/root NETWORK=/proc/$leader/ns/net
    # What load_begin starts is then drover-load itself, by its pid.
    printf '#!/bin/sh\nexec nsenter --net=%s %s "$@"\n' "$NETWORK" "$DROVER_LOAD" >"$BATS_FILE_TMPDIR/load"
    chmod 755 "$BATS_FILE_TMPDIR/load"
    export DROVER_LOAD=$BATS_FILE_TMPDIR/load
}

# box VERB [ARG...]
box() {
    local verb=$1
    shift
    "$BATS_TEST_DIRNAME/box" "$verb" "$BOX" "$@" 3>&- 4>&-
}

# inside COMMAND...: runs it in the box, as root.
inside() {
    box run timeout --kill-after=1 20 "$@"
}

# The leak checker traces its own process, which the sandbox forbids; nothing else is left out.
allow_sanitizers() {
    local unit
    for unit in drover drover@; do
        mkdir -p "$INSIDE/etc/systemd/system/$unit.service.d"
        printf '[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n' \
            >"$INSIDE/etc/systemd/system/$unit.service.d/sanitizers.conf"
    done
}

# ---- its service manager ----------------------------------------------------------------------

systemctl() {
    inside systemctl "$@"
}

# property NAME [UNIT]: as systemctl show says it, of drover.service.
property() {
    systemctl show --property "$1" --value "${2:-drover.service}"
}

# has_property NAME VALUE [UNIT]: for wait_until.
has_property() {
    [[ $(property "$1" "${3:-}") == "$2" ]]
}

# main_is_not PID: it has a main process, and that is another one. For wait_until.
main_is_not() {
    local pid
    pid=$(property MainPID)
    ((pid > 0 && pid != $1)) && has_property ActiveState active
}

# drop_in UNIT LINE...: into the next one of its settings, for this test.
drop_in() {
    local folder=$INSIDE/etc/systemd/system/$1.d
    shift
    mkdir -p "$folder"
    printf '%s\n' "$@" >"$folder/test.conf"
    systemctl daemon-reload
}

# configure NAME LINE...: the configuration NAME.conf, with the site.
configure() {
    local file=$INSIDE/etc/drover/$1.conf
    shift
    [[ " $*" == *' '@(app|root)' = '* ]] || set -- 'root = /srv/site' "$@"
    printf '%s\n' 'drain-timeout = 5s' "$@" >"$file.new"
    mv "$file.new" "$file"
}

# The workers of the main process, as the box counts.
worker_pids() {
    inside pgrep --parent "$(property MainPID "${1:-}")" '^drover:slot ' | paste -sd ' '
}

# journal [OPTION...]: what drover.service, and systemd of it, have said in this test, to the last line
# that journald has been sent.
journal() {
    inside journalctl --sync
    inside journalctl --quiet --no-pager --output cat --since "$SINCE" --unit 'drover*' "$@"
}

# journal_has TEXT: for wait_until.
journal_has() {
    journal | grep -qF -e "$1"
}

# priority_of TEXT: of the first line that has it, drover's own.
priority_of() {
    journal --output json | jq --raw-output --slurp --arg text "$1" \
        'map(select(._COMM != "systemd" and (.MESSAGE | contains($text)))) | .[0].PRIORITY'
}

# ---- its clients ------------------------------------------------------------------------------

# Outside, but for its network.
curl() {
    nsenter --net="$NETWORK" curl "$@" 3>&- 4>&-
}

# answer URL [CURL-OPTION...]: the status; 000 for none.
answer() {
    curl --silent --output /dev/null --write-out '%{http_code}\n' --max-time 10 --globoff "${@:2}" "$1"
}

# has_queued N: so many clients wait in the queues of port 8080. For wait_until.
has_queued() {
    (($(nsenter --net="$NETWORK" ss --no-header --listening --tcp --numeric 'sport = :8080' |
        awk '{ n += $2 } END { print n + 0 }') == $1))
}

# ---- before and after each test ---------------------------------------------------------------

systemd_setup() {
    [[ -z $BOX_LACKS ]] || skip "$BOX_LACKS"
    # shellcheck disable=SC2034 # the helpers'
    DROVER_SOCKET='' DROVER_URL=http://127.0.0.1:8080
    cp "$INSIDE/etc/drover/drover.conf" "$BATS_TEST_TMPDIR/drover.conf"
    SINCE=@$EPOCHREALTIME # a cursor would not do: with a filter journalctl 252 skips an entry
}

# What the test has changed is as it was after the installation.
systemd_teardown() {
    [[ -z $BOX_LACKS ]] || return 0
    [[ ${BATS_TEST_COMPLETED:-} == 1 ]] || systemd_show
    systemctl stop 'drover*.socket' 'drover*.service'
    systemctl reset-failed
    rm -f "$INSIDE"/etc/systemd/system/*.d/test.conf "$INSIDE"/etc/drover/*.conf
    ! inside id drover >/dev/null 2>&1 || inside userdel drover
    cp "$BATS_TEST_TMPDIR/drover.conf" "$INSIDE/etc/drover/drover.conf"
    systemctl daemon-reload
    drover_teardown # loads
    ! journal | grep -E 'ERROR: [A-Za-z]*Sanitizer|runtime error:' || fail 'a sanitizer has a finding'
}

systemd_show() {
    systemctl status --no-pager --lines 0 'drover*' || true
    journal --output short-monotonic | tail -n 100
}
