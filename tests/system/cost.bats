#!/usr/bin/env bats
#
# cost - what a request costs, beside nginx on the same machine in the same run: 64 clients that
# keep their connections, a file of 1 KiB, 2 workers each, the CPU time of all processes of the
# server (/proc/PID/schedstat). A ratio, since machines differ and drift.

# bats file_tags=alone

load helper
load process

setup() {
    SITE=$BATS_TEST_TMPDIR/site
    mkdir "$SITE"
    chmod 755 "$BATS_TEST_TMPDIR" "$SITE"
    head -c 1024 /dev/zero | tr '\0' x >"$SITE/1k"
    NGINX_PID='' STRACE=''
}

teardown() {
    [[ -z $NGINX_PID ]] || kill -QUIT "$NGINX_PID" || true
    [[ -z $STRACE ]] || kill -INT "$STRACE" 2>/dev/null || true
    drover_teardown
}

nginx_serves() {
    curl --silent --output /dev/null --max-time 1 "http://127.0.0.1:$NGINX_PORT/1k"
}

nginx_start() {
    local home=$BATS_TEST_TMPDIR/nginx
    NGINX_PORT=$(free_ports 1)
    mkdir "$home"
    cat >"$home/nginx.conf" <<EOF
$( ((EUID)) || echo 'user root;') # the site lies where only its owner may look
worker_processes 2;
daemon off;
pid $home/pid;
error_log $home/error.log;
events { worker_connections 1024; }
http {
    access_log off;
    sendfile on;
    keepalive_requests 1000000000;
    client_body_temp_path $home/body;
    proxy_temp_path $home/proxy;
    fastcgi_temp_path $home/fastcgi;
    uwsgi_temp_path $home/uwsgi;
    scgi_temp_path $home/scgi;
    server { listen 127.0.0.1:$NGINX_PORT reuseport; root $SITE; }
}
EOF
    nginx -p "$home" -c "$home/nginx.conf" >"$home/log" 2>&1 3>&- &
    NGINX_PID=$!
    wait_until 10 nginx_serves
}

# Nanoseconds of CPU that a process and its children have had.
cpu_of() {
    local pid ns total=0
    for pid in "$1" $(pgrep -P "$1"); do
        read -r ns _ <"/proc/$pid/schedstat"
        total=$((total + ns))
    done
    echo "$total"
}

# cost_of PID URL: nanoseconds a request, of one second's load.
cost_of() {
    local before after answered
    before=$(cpu_of "$1")
    answered=$("$DROVER_LOAD" --quiet --json --clients 64 --duration 1s --expect-length 1024 \
        "$2" | jq 'if .lost == 0 then .answered else error("lost some") end')
    after=$(cpu_of "$1")
    echo $(((after - before) / answered))
}

# bats test_tags=nosan
@test "a kept request of 1 KiB takes no more CPU than nginx's" {
    local ours=() theirs=() round ratio
    drover_start --workers 2 "$SITE"
    nginx_start
    for round in 1 2 3 4 5; do
        ours[round]=$(cost_of "$DROVER_PID" "$DROVER_URL/1k")
        theirs[round]=$(cost_of "$NGINX_PID" "http://127.0.0.1:$NGINX_PORT/1k")
    done
    ratio=$(paste <(printf '%s\n' "${ours[@]}") <(printf '%s\n' "${theirs[@]}") |
        awk '{ printf "%d\n", 100 * $1 / $2 }' | sort -n | sed -n 3p)
    echo "CPU a request: $(sort -n <(printf '%s\n' "${ours[@]}") | sed -n 3p) ns, nginx" \
        "$(sort -n <(printf '%s\n' "${theirs[@]}") | sed -n 3p) ns; ratio, median of 5 pairs:" \
        "0.$(printf %02d "$ratio")" >&3
    ((ratio <= 100))
}

# The system calls of one kept request: what is read and sent, and what it takes to find the file.
# bats test_tags=nosan
@test "a kept request costs no system call but its own" {
    local trace=$BATS_TEST_TMPDIR/trace worker before after
    drover_start --workers 1 "$SITE"
    worker=$(workers)
    strace -f -o "$trace" -p "$worker" 2>"$BATS_TEST_TMPDIR/strace.log" 3>&- &
    STRACE=$!
    wait_until 10 grep -q attached "$BATS_TEST_TMPDIR/strace.log"
    "$DROVER_LOAD" --quiet --clients 1 --requests 100 "$DROVER_URL/1k"
    kill -INT "$STRACE"
    wait "$STRACE" || true
    before=$(grep -n 'accept4' "$trace" | head -n 1 | cut -d: -f1)
    after=$(grep -c . "$trace")
    echo "system calls: $(tail -n "+$before" "$trace" | awk '{ sub(/\(.*/, "", $2); n[$2]++ }
        END { for (c in n) printf "%s %d, ", c, n[c] }') for 100 requests" >&3
    # epoll_wait, recvfrom, openat2, fstat, pread, close, sendto: 7; and some for the connection
    ((after - before < 100 * 7 + 30))
}
