#!/usr/bin/env bash
#
# embed - what the tests of drover.h share: servers of tests/apps, and their clients. `load helper`
# and `load http` first.

# shellcheck disable=SC2034,SC2154 # DROVER_UNDER is for the helper, status from it
BUILD=${DROVER%/*}

# app NAME ARGS...: a server of tests/apps/NAME.c, as a module.
app() {
    drover_start --app "$BUILD/apps/$1.so" --drain-timeout 500ms "${@:2}"
}

# program NAME ARGS...: the same as a program.
program() {
    # shellcheck disable=SC2016 # $1 and $2 are the binary and "serve", which it does not want
    DROVER_UNDER=(bash -c 'exec "$0" "${@:3}"' "$BUILD/apps/$1")
    drover_start "${@:2}"
}

# counted NAME [VALUE]: does the metric have this value? Without one, prints it. For wait_until.
counted() {
    local value
    value=$(fetch /count | awk -v name="$1" '$1 == name { print $2 }')
    if (($# == 1)); then
        printf '%s\n' "$value"
    else
        ((value == $2))
    fi
}

# The server comes to its end in order, so that what it has not freed shows under SAN=1.
teardown() {
    if [[ ${BATS_TEST_COMPLETED:-} == 1 && -n ${DROVER_PID:-} ]] && ! drover_ended; then
        drover_stop
        assert_equal "$status" 0
    fi
    drover_teardown
}

# The kilobytes of memory that a process has had at most.
peak_kb() {
    awk '$1 == "VmHWM:" { print $2 }' "/proc/$1/status"
}

CLIENT+='

import struct


def counts():
    c = Connection()
    return {name: int(value) for name, value in
            (line.split() for line in c.ask("/count", "GET", "Connection: close")[2].decode()
             .splitlines())}


def reset(c):
    """Ends the connection so that the server sees it at once."""
    c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.socket.close()


def rest(c):
    """All that comes until the end."""
    while c.more():
        pass
    return c.bytes


def ends(c):
    """Does the server end it, in order or with a reset?"""
    try:
        return c.is_closed()
    except ConnectionResetError:
        return True


def chunks(c):
    """The next chunk; empty at the end."""
    n = int(c.until(b"\r\n"), 16)
    body = c.take(n)
    assert c.take(2) == b"\r\n"
    return body


def fnv(data):
    sum = 2166136261
    for byte in data:
        sum = (sum ^ byte) * 16777619 & 0xffffffff
    return f"{sum:08x}"
'
