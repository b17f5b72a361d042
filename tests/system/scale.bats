#!/usr/bin/env bats
#
# More workers and fewer, under load: no request is lost, kept connections stay the same ones, and
# nothing is left behind.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helper's

load helper
load process
load lifecycle

setup() {
    make_site
}

is_served() {
    [[ $(fetch /hello.txt --max-time 2 2>/dev/null) == hello ]]
}

@test "14 changes between 8 and 2 workers under load: no request is lost" {
    local before
    drover_start --workers 8 "$SITE"
    before=$(belongings)
    both_begin 4s
    for _ in 1 2 3 4 5 6 7; do
        scale 8 2
        scale 2 8
    done
    still_loaded
    nothing_is_lost
    keeps_belongings "$before"
}

@test "from 1 worker to 64 and back under load: no request is lost" {
    local slots
    drover_start --workers 1 "$SITE"
    both_begin 8s
    scale 1 64
    wait_until 20 has_workers 64
    slots=$(slots_served)
    assert_equal "$slots" "$(seq -s ' ' 0 63)"
    scale 64 1
    still_loaded
    wait_until 20 has_workers 1
    is_served
    nothing_is_lost
    ! logged 'cannot steer'
    # a slot's sockets stay: one that is left still has a queue
    assert_equal "$(listeners)" 64
}

@test "one more and one less, 30 times: no process, descriptor or slot is left behind" {
    local before
    drover_start --workers 4 "$SITE"
    scale 4 5
    scale 5 4
    wait_until 10 has_workers 4
    before=$(belongings)
    both_begin 3s
    for ((i = 0; i < 30; i++)); do
        scale 4 5
        scale 5 4
    done
    still_loaded
    nothing_is_lost
    keeps_belongings "$before"
}

@test "clients in the queue of a worker that is no longer wanted are served by others" {
    drover_start --workers 2 "$SITE"
    py "$DROVER_ADDR" "$DROVER_PID" "$(worker_of 1)" <<'PY'
address, master, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.kill(last, signal.SIGSTOP)
clients = [connect(address, 10) for _ in range(32)] # before or after that is seen
for client in clients:
    ask(client)
os.kill(master, signal.SIGTTOU)
for client in clients:
    assert answer(client) == (200, b"hello\n")
os.kill(last, signal.SIGCONT)
PY
    wait_until 10 has_workers 1
}

@test "a worker that is no longer wanted finishes its downloads, and gives away idle connections" {
    local idle=() first
    drover_start --workers 2 "$SITE"
    for ((i = 0; i < 16; i++)); do
        client_open
        idle+=("$CLIENT")
        client_ask "$CLIENT" /hello.txt
        client_answer "$CLIENT"
    done
    while :; do # until one is at the worker that will leave
        slow_client
        first=$(worker_of 1)
        scale 2 1
        sleep 0.05 # no state to wait for: it may have had nothing to finish
        is_gone "$first" || break
        client_close "$SLOW"
        scale 1 2
        wait_until 10 has_workers 2
    done
    for client in "${idle[@]}"; do
        client_ask "$client" /hello.txt
        client_answer "$client"
        assert_equal "$BODY" $'hello\n'
        [[ $HEAD != *'Connection: close'* ]]
    done
    assert_equal "$(name_of "$first")" 'drover:slot 1'
    slow_finish "$SLOW"
    wait_until 10 is_gone "$first"
}

@test "TTIN and TTOU during a reload: its end has the last number" {
    drover_start --workers 3 "$SITE"
    both_begin 3s
    for _ in 1 2 3 4 5; do
        kill -HUP "$DROVER_PID"
        kill -TTIN "$DROVER_PID"
        wait_until 10 has_workers 4
        kill -HUP "$DROVER_PID"
        kill -TTOU "$DROVER_PID"
        wait_until 10 has_workers 3
    done
    still_loaded
    nothing_is_lost
    assert_equal "$(slots_served)" '0 1 2'
}

# bats test_tags=nosan
@test "p99 under load while the number changes is at most 3 times the quiet one" {
    local try quiet busy
    drover_start --workers 8 "$SITE"
    for try in 1 2 3; do
        load_p99 true
        quiet=$P99
        load_p99 between_8_and_4
        busy=$P99
        tell "p99 of kept connections: quiet $quiet us, with 8 changes a second $busy us"
        ((busy > 3 * quiet)) || return 0
    done
    fail "$busy us instead of $quiet us"
}

between_8_and_4() {
    scale 8 4
    scale 4 8
}
