#!/usr/bin/env bats
#
# clients - programs that nobody here wrote, and drover-load, against one server.
#
# shellcheck disable=SC2030,SC2031 # `output` is of the test that `run` is called in

# bats file_tags=beside

load helper
load http

setup() {
    make_site
}

# ---- curl -------------------------------------------------------------------------------------

@test "curl: ranges" {
    local size
    drover_start "$SITE"
    size=$(stat -c %s "$SITE/big.bin")
    fetch /big.bin --fail --range 0-99 | cmp <(head -c 100 "$SITE/big.bin") -
    fetch /big.bin --fail --range -10 | cmp <(tail -c 10 "$SITE/big.bin") -
    fetch /big.bin --fail --range $((size - 7))- | cmp <(tail -c 7 "$SITE/big.bin") -
    fetch /1k.bin --fail --range 100-199,300-399 >"$BATS_TEST_TMPDIR/parts"
    grep -aq 'Content-Range: bytes 300-399/1024' "$BATS_TEST_TMPDIR/parts"
    run -0 fetch /1k.bin --range 5000- --output /dev/null --write-out '%{http_code}'
    assert_output 416
    # What is there already is not fetched again.
    head -c 1000000 "$SITE/big.bin" >"$BATS_TEST_TMPDIR/resumed"
    run -0 fetch /big.bin --continue-at - --output "$BATS_TEST_TMPDIR/resumed" \
        --write-out '%{http_code} %{size_download}'
    assert_output "206 $((size - 1000000))"
    cmp "$SITE/big.bin" "$BATS_TEST_TMPDIR/resumed"
}

@test "curl: conditions, by tag and by date" {
    local tag=$BATS_TEST_TMPDIR/tag copy=$BATS_TEST_TMPDIR/copy
    drover_start "$SITE"
    again() {
        fetch /hello.txt --write-out '%{http_code}' --output "$copy" "$@"
    }
    assert_equal "$(again --etag-save "$tag" --remote-time)" 200
    cmp "$SITE/hello.txt" "$copy"
    assert_equal "$(stat -c %Y "$copy")" "$(stat -c %Y "$SITE/hello.txt")"
    assert_equal "$(again --etag-compare "$tag")" 304
    assert_equal "$(again --time-cond "$copy")" 304
    echo changed >"$SITE/hello.txt"
    assert_equal "$(again --etag-compare "$tag")" 200
    assert_equal "$(<"$copy")" changed
    assert_equal "$(again --time-cond '2024-02-29 12:00:00 UTC')" 200
}

@test "curl: HEAD, HTTP/1.0, a kept connection, many at a time" {
    drover_start "$SITE"
    assert_equal "$(field Content-Length "$(fetch /big.bin --head)")" "$(stat -c %s "$SITE/big.bin")"
    fetch /big.bin --http1.0 | cmp "$SITE/big.bin" -
    run -0 fetch '/big.bin?[1-20]' --output /dev/null --write-out '%{http_code} %{num_connects}\n'
    assert_line --index 0 '200 1'
    assert_equal "$(grep -cx '200 0' <<<"$output")" 19
    run -0 fetch '/big.bin?[1-40]' --parallel --parallel-max 20 --output /dev/null \
        --write-out '%{http_code} %{size_download}\n'
    assert_equal "$(grep -cx "200 $(stat -c %s "$SITE/big.bin")" <<<"$output")" 40
    # curl asks for HTTP/2 where it may, and is content with less.
    fetch /hello.txt --http2 | cmp "$SITE/hello.txt" -
}

@test "curl: paths as they are" {
    local path
    drover_start "$SITE"
    for path in /../secret /%2e%2e/secret /sub/../../secret /outside.txt /slash/etc/passwd; do
        run -22 fetch "$path" --path-as-is --fail
        refute_output --partial secret
    done
    assert_equal "$(fetch /sub/../hello.txt --path-as-is)" hello
    assert_equal "$(fetch /./list//.//../hello.txt --path-as-is)" hello
    assert_equal "$(fetch /list/%25%34%31%23%3f.txt)" d
}

# ---- many requests ----------------------------------------------------------------------------

@test "wrk: kept connections, none fails" {
    drover_start "$SITE"
    run -0 wrk --threads 2 --connections 32 --duration 2s "$DROVER_URL/1k.bin"
    refute_output --partial 'Socket errors'
    refute_output --partial 'Non-2xx'
    [[ $output =~ ([0-9]+)' requests in' ]]
    ((BASH_REMATCH[1] > 100))
}

@test "wrk: big files by sendfile, none fails" {
    drover_start "$SITE"
    run -0 wrk --threads 2 --connections 32 --duration 1s "$DROVER_URL/big.bin"
    refute_output --partial 'Socket errors'
    refute_output --partial 'Non-2xx'
    [[ $output =~ ([0-9]+)' requests in' ]]
    ((BASH_REMATCH[1] > 10))
}

# ab_counts NAME: the number that ab says after NAME.
ab_counts() {
    awk -F ': *' -v name="$1" '$1 == name { print $2 + 0; exit }' <<<"$output"
}

@test "ab: HTTP/1.0, with and without keep-alive, none fails" {
    drover_start "$SITE"
    run -0 ab -q -k -n 20000 -c 32 "$DROVER_URL/1k.bin"
    assert_equal "$(ab_counts 'Complete requests')" 20000
    assert_equal "$(ab_counts 'Keep-Alive requests')" 20000
    assert_equal "$(ab_counts 'Failed requests')" 0
    refute_output --partial 'Non-2xx'
    run -0 ab -q -n 5000 -c 32 "$DROVER_URL/1k.bin"
    assert_equal "$(ab_counts 'Complete requests')" 5000
    assert_equal "$(ab_counts 'Failed requests')" 0
    refute_output --partial 'Non-2xx'
    run -0 ab -q -n 200 -c 16 "$DROVER_URL/big.bin"
    assert_equal "$(ab_counts 'HTML transferred')" $((200 * (1024 * 1024 + 7)))
    assert_equal "$(ab_counts 'Failed requests')" 0
}

# asks PATH OPTION...: asks for the file with drover-load, and none is lost.
asks() {
    local path=$1
    shift
    run -0 --separate-stderr "$DROVER_LOAD" --json --clients 32 --expect-length "$(stat -c %s "$SITE$path")" \
        "$@" "$DROVER_URL$path"
    jq -e '.lost == 0 and .local == 0 and .answered == .requests' <<<"$output"
}

@test "drover-load: kept connections, a connection a request, a unix socket: none is lost" {
    drover_start "$SITE"
    asks /1k.bin --requests 20000
    jq -e '.requests == 20000 and .connections == 32' <<<"$output"
    asks /1k.bin --requests 5000 --close --sources 8
    jq -e '.requests == 5000 and .connections == 5000' <<<"$output"
    asks /big.bin --requests 500
    asks /big.bin --requests 200 --close
    drover_stop
    drover_start --listen "unix:$BATS_TEST_TMPDIR/s" "$SITE"
    asks /1k.bin --requests 5000 --unix "$DROVER_SOCKET"
    asks /1k.bin --requests 2000 --close --unix "$DROVER_SOCKET"
}

# ---- wget -------------------------------------------------------------------------------------

@test "wget: a mirror by the listings is the tree, times too, and is up to date then" {
    local tree=$BATS_TEST_TMPDIR/tree copy=$BATS_TEST_TMPDIR/copy i
    mkdir -p "$tree"/{deep/er/empty,'with space',ünï}
    make_odd_names "$tree/odd names"
    # What wget makes of these is its own: it decodes once more, and a name has an end.
    rm "$tree/odd names"/{%41,%2e%2e%2f,0000*}
    for i in {1..40}; do
        head -c $((i * i * 100)) /dev/urandom >"$tree/deep/er/$i.bin"
    done
    echo u >"$tree/ünï/ü.txt"
    find "$tree" -exec touch --date '2024-02-29 12:00:00 UTC' {} +
    drover_start "$tree"
    mirror() {
        LC_ALL=C.UTF-8 wget --mirror --no-host-directories --directory-prefix="$copy" \
            --restrict-file-names=nocontrol --reject 'index.html*' --server-response \
            --tries=1 --timeout=20 --execute robots=off --no-config "$DROVER_URL/" 2>&1
    }
    run -0 mirror
    refute_output --regexp 'HTTP/1.1 [345]'
    diff --recursive "$tree" "$copy"
    times() {
        (cd "$1" && find . -type f -printf '%T@ %p\0' | LC_ALL=C sort -z)
    }
    cmp <(times "$tree") <(times "$copy")
    run -0 mirror
    assert_equal "$(grep -c 'HTTP/1.1 304' <<<"$output")" "$(find "$tree" -type f -printf x | wc -c)"
    assert_equal "$(grep -c 'HTTP/1.1 200' <<<"$output")" "$(find "$tree" -type d -printf x | wc -c)"
}

# ---- addresses --------------------------------------------------------------------------------

# shellcheck disable=SC2153 # drover_start sets DROVER_ADDRS
@test "curl: unix sockets, by path and by name, beside a port" {
    local path=$BATS_TEST_TMPDIR/s name=drover-test-$BATS_TEST_NUMBER-$$
    drover_start --listen "unix:$path" --listen "unix:@$name" --listen 127.0.0.1:0 "$SITE"
    assert_equal "${#DROVER_ADDRS[@]}" 3
    assert_equal "$DROVER_SOCKET" "$path"
    [[ -S $path ]]
    curl --silent --fail --max-time 20 --unix-socket "$path" http://x/big.bin | cmp "$SITE/big.bin" -
    curl --silent --fail --max-time 20 --abstract-unix-socket "$name" http://x/big.bin | cmp "$SITE/big.bin" -
    curl --silent --fail --max-time 20 "http://${DROVER_ADDRS[2]}/big.bin" | cmp "$SITE/big.bin" -
    drover_stop
    [[ ! -e $path ]]
}

requires_ipv6() {
    grep -qs . /proc/net/if_inet6 || skip 'this machine has no IPv6'
}

@test "curl: IPv6" {
    requires_ipv6
    drover_start --listen '[::1]:0' "$SITE"
    [[ $DROVER_ADDR == '[::1]:'* ]]
    fetch /big.bin --globoff | cmp "$SITE/big.bin" -
    # ::1 alone: IPv4 stays outside.
    run -7 curl --silent --max-time 20 "http://127.0.0.1:$(port_of)/"
}

@test "curl: a port without a host takes both families" {
    requires_ipv6
    drover_start --listen :0 "$SITE"
    assert_equal "${#DROVER_ADDRS[@]}" 1
    curl --silent --fail --max-time 20 "http://127.0.0.1:$(port_of)/hello.txt" | cmp "$SITE/hello.txt" -
    curl --silent --fail --max-time 20 --globoff "http://[::1]:$(port_of)/hello.txt" | cmp "$SITE/hello.txt" -
}
