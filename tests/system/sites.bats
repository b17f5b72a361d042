#!/usr/bin/env bats
#
# [site NAME] sections: which site a request is for, what each of them is, and that none sees more
# than its own. How their text is read, and what is wrong with it, is in check.bats and in units.
#
# bats file_tags=beside
#
# shellcheck disable=SC2030,SC2031,SC2153,SC2154 # each test is a subshell; the variables are the helper's

load helper
load http
load process
load lifecycle
load embed

setup() {
    make_site
    CONF=$BATS_TEST_TMPDIR/sites.conf
    ONE=$BATS_TEST_TMPDIR/one TWO=$BATS_TEST_TMPDIR/two
    mkdir -p "$ONE/sub" "$ONE/two" "$TWO/sub"
    echo one >"$ONE/index.html"
    echo two >"$TWO/index.html"
    echo 'one.css' >"$ONE/a.css"
    echo 'two.css' >"$TWO/a.css"
    echo 'page of one' >"$ONE/lost.html"
    echo secret >"$BATS_TEST_TMPDIR/secret"
}

# configure LINE...: the file, in one piece, so that no reload reads half of it.
configure() {
    printf '%s\n' "$@" >"$CONF.new"
    mv "$CONF.new" "$CONF"
}

# serve_conf ARGS...: a server of the file.
serve_conf() {
    drover_start --workers 1 -c "$CONF" "$@"
}

# at HOST PATH ARGS...: the answer's body.
at() {
    fetch "$2" -H "Host: $1" --path-as-is "${@:3}"
}

# status_at HOST PATH ARGS...: its status, and where it sends on.
status_at() {
    at "$@" --output /dev/null --write-out '%{http_code} %header{location}'
}

# ---- which site it is -------------------------------------------------------------------------

@test "by the host: names, wildcards, ports, dots, case; no host of a site is 404" {
    configure '[site one]' 'host = one.example' 'host = *.Many.example' "root = $ONE" \
        '[site two]' 'host = two.example.' 'host = [::1]' "root = $TWO"
    serve_conf
    assert_equal "$(at one.example /)" one
    assert_equal "$(at ONE.example.:8080 /)" one
    assert_equal "$(at a.b.many.EXAMPLE /)" one
    assert_equal "$(at two.example /)" two
    assert_equal "$(at '[::1]:80' /)" two
    for host in many.example example two.example.org one.examplex '.many.example' '""'; do
        [[ $(status_at "$host" /) == 40[04]' ' ]] || fail "$host: $(status_at "$host" /)"
    done
    assert_equal "$(status_at elsewhere.example /)" '404 '
    answers 200 'GET http://two.example/ HTTP/1.1\r\nHost: one.example\r\nConnection: close\r\n\r\n'
    assert_equal "$body" two
    answers 404 'GET / HTTP/1.0\r\n\r\n'
    answers 404 'GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'
    refuses 400 'GET / HTTP/1.1\r\n\r\n'
    refuses 400 'GET / HTTP/1.1\r\nHost: one.example\r\nHost: two.example\r\n\r\n'
    refuses 400 'GET / HTTP/1.1\r\nHost: one.example/../two\r\n\r\n'
    logged "serving 2 sites at $DROVER_URL/ with 1 worker"
}

@test "by the prefix, which the site does not see; a directory is sent on to its slash" {
    configure "root = $ONE" '[site two]' 'prefix = /two' "root = $TWO" \
        '[site echo]' 'prefix = /two/echo/' 'app = echo' \
        '[site only]' 'host = only.example' 'prefix = /deep/er' "root = $TWO"
    serve_conf
    assert_equal "$(at x /)" one
    assert_equal "$(at x /two/)" two
    assert_equal "$(at x /two/a.css)" two.css
    assert_equal "$(at x //two//./a.css)" two.css
    assert_equal "$(at x '/%74wo/a.css')" two.css
    assert_equal "$(at x /two/../a.css)" one.css
    assert_equal "$(at x '/two/%2e%2e/a.css')" one.css
    assert_equal "$(status_at x /twofold)" '404 '
    assert_equal "$(status_at x '/two?a=b')" "301 /two/?a=b"
    assert_equal "$(status_at x '/two' --head)" "301 /two/"
    assert_equal "$(status_at x /two/sub)" "301 /two/sub/"
    assert_equal "$(status_at x /two -X POST)" '405 '
    assert_equal "$(at x /two/echo --data word)" word
    assert_equal "$(at x /two/echo/any/where --data word)" word
    assert_equal "$(at only.example /deep/er/)" two
    assert_equal "$(at only.example /two/)" two
    assert_equal "$(at only.example /deep/er/../..)" one
    run at x /two/sub/
    assert_output --partial '<title>/two/sub/</title>'
    assert_output --partial '<a href="../">'
    logged "serving $ONE and 3 sites at "
}

@test "where drover was started is not served by surprise" {
    configure '[site one]' 'host = one.example' "root = $ONE"
    cd "$TWO"
    serve_conf
    assert_equal "$(at one.example /)" one
    assert_equal "$(status_at two.example /)" '404 '
    assert_equal "$(status_at two.example /a.css)" '404 '
    drover_stop
    serve_conf "$TWO" --listing no
    assert_equal "$(at one.example /)" one
    assert_equal "$(at two.example /)" two
    assert_equal "$(status_at two.example /sub/)" '403 '
    assert_equal "$(status_at one.example /sub/)" '200 '
}

# ---- what each site is ------------------------------------------------------------------------

@test "fields, pages and what is hidden are each site's own" {
    configure 'max-body = 10' \
        '[site one]' 'host = one' "root = $ONE" 'field = X-Site: one' 'error-page = 404=/lost.html' \
        '[site two]' 'host = two' "root = $TWO" 'listing = no' 'dot-files = yes' \
        '[site app]' 'host = app' "app = $BUILD/apps/every.so" 'set = whole=yes'
    echo hidden | tee "$ONE/.h" >"$TWO/.h"
    serve_conf
    run at one /none --include
    assert_line --partial 'HTTP/1.1 404'
    assert_line --partial 'X-Site: one'
    assert_line 'page of one'
    run at two /none --include
    refute_output --partial 'X-Site'
    refute_output --partial 'page of one'
    assert_equal "$(status_at one /sub/)" '200 '
    assert_equal "$(status_at two /sub/)" '403 '
    assert_equal "$(status_at one /.h)" '404 '
    assert_equal "$(at two /.h)" hidden
    answers 413 'POST /body HTTP/1.1\r\nHost: app\r\nContent-Length: 11\r\n\r\n'
    assert_equal "$body" 'every: 413'
    refuses 400 'GET nothing HTTP/1.1\n\n'
    refuses 400 'GET /%00 HTTP/1.1\r\nHost: one\r\nConnection: close\r\n\r\n'
}

@test "the same name of two sites is two files, kept or not, with its own tag" {
    local tag_one tag_two
    configure '[site one]' 'host = one' "root = $ONE" '[site two]' 'host = two' "root = $TWO" \
        '[site again]' 'host = again' "root = $ONE" 'cache-control = no-store'
    touch -d '10 seconds ago' "$ONE/a.css" "$TWO/a.css"
    serve_conf
    # Small files are kept from their second request on.
    for _ in 1 2 3 4; do
        run curl --silent --max-time 20 -H 'Host: one' "$DROVER_URL/a.css" \
            --next --silent --max-time 20 -H 'Host: two' "$DROVER_URL/a.css" \
            --next --silent --max-time 20 -H 'Host: again' "$DROVER_URL/a.css"
        assert_output $'one.css\ntwo.css\none.css'
    done
    tag_one=$(at one /a.css --output /dev/null --write-out '%header{etag}')
    tag_two=$(at two /a.css --output /dev/null --write-out '%header{etag}')
    [[ $tag_one != "$tag_two" ]]
    assert_equal "$(status_at two /a.css -H "If-None-Match: $tag_two")" '304 '
    assert_equal "$(status_at two /a.css -H "If-None-Match: $tag_one")" '200 '
    assert_equal "$(at again /a.css --output /dev/null --write-out '%header{cache-control}')" no-store
    assert_equal "$(at one /a.css --output /dev/null --write-out '%header{cache-control}')" ''
}

@test "Cache-Control by the name of the file: the first rule that matches, else cache-control" {
    cache() {
        fetch "$@" --output /dev/null --write-out '%{http_code} %header{cache-control}'
    }
    configure "root = $ONE" 'cache = lost.* none' 'cache = *.html no-cache' \
        'cache = [a-c].* max-age=3600, immutable' 'cache-control = max-age=5' 'fallback = /index.html'
    echo d >"$ONE/d.txt"
    echo c >"$ONE/sub/c.txt"
    touch -d '10 seconds ago' "$ONE"/*.* "$ONE/sub/c.txt"
    serve_conf --cache '*.txt command' --cache 'lost.* private'
    for _ in 1 2 3; do # the last ones are kept
        assert_equal "$(cache /a.css)" '200 max-age=3600, immutable'
        assert_equal "$(cache /)" '200 no-cache'
        assert_equal "$(cache /sub/c.txt)" '200 command'
    done
    assert_equal "$(cache /lost.html)" '200 private'
    assert_equal "$(cache /d.txt -H 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT')" '304 command'
    assert_equal "$(cache /somewhere -H 'Accept: text/html')" '200 no-cache'
    assert_equal "$(cache /a.jpg)" '404 '
    echo e >"$ONE/e"
    assert_equal "$(cache /e)" '200 max-age=5'
}

# ---- several applications ---------------------------------------------------------------------

@test "applications beside each other: bodies whole or as they come, upgrades, hooks, counters" {
    cp "$BUILD/apps/every.so" "$BATS_TEST_TMPDIR/copy.so"
    configure 'drain-timeout = 500ms' 'app = status' \
        '[site every]' 'prefix = /every' "app = $BUILD/apps/every.so" 'set = whole=yes' \
        'set = word=first' \
        '[site copy]' 'prefix = /copy' "app = $BATS_TEST_TMPDIR/copy.so" 'set = word=second' \
        '[site later]' 'prefix = /later' "app = $BUILD/apps/later.so" \
        '[site 4you]' 'host = four' 'prefix = /later' "app = $BUILD/apps/later.so"
    serve_conf
    run fetch '/every/describe/a%20b?x'
    assert_line 'path=/describe/a b'
    assert_line 'prefix=/every'
    assert_equal "$(fetch /every/keys)" 'first -3 65536 1000 0'
    assert_equal "$(fetch /copy/keys)" 'second -3 65536 1000 0'
    assert_equal "$(fetch /every/hooks)" '1 1 0 1'
    # One is called with the whole body, the other at the head.
    run fetch /every/body --data-binary @"$SITE/1k.bin"
    assert_output --partial 1024
    run fetch /later/upload --data-binary @"$SITE/big.bin"
    assert_output --partial 1048583
    run fetch '/later/after?1&2'
    assert_success
    fetch /every/add?3 --output /dev/null
    fetch /copy/add?4 --output /dev/null
    run fetch /metrics
    assert_line 'added 3'
    assert_line 'copy_added 4'
    assert_line 'received 1048583'
    refute_output --partial 'every_added'
    assert_equal "$(at four /later/count | awk '$1 == "received" { print $2 }')" 1048583
    # What was counted stays whose it was.
    configure 'drain-timeout = 500ms' 'app = status' \
        '[site later]' 'prefix = /late' "app = $BUILD/apps/later.so"
    reload
    run fetch /metrics
    assert_line 'added 3'
    assert_line 'received 1048583'
    assert_equal "$(fetch /late/count | awk '$1 == "received" { print $2 }')" 1048583
    wait_until 20 logged_times 2 'every has stopped, its worker'
}

@test "one application in two sites has one set of keys, and a raw stream has none" {
    configure '[site a]' 'prefix = /a' "app = $BUILD/apps/every.so" 'set = word=x' \
        '[site b]' 'prefix = /b' "app = $BUILD/apps/every.so" \
        '[site c]' 'prefix = /c' 'app = tcp-echo' \
        '[site d]' 'prefix = /d' 'app = ech' \
        '[site e]' 'prefix = /e' "app = $BUILD/apps/later.so" 'set = n=1'
    drover check -c "$CONF"
    assert_equal "$status" 78
    assert_output "$CONF:7:7: app = $BUILD/apps/every.so: answers for site a, too, and has one set of keys: who sets one can have one site of it, with several hosts
$CONF:10:7: app = tcp-echo: has the bytes of a connection to itself, which say no host and no path; it cannot be used with [site NAME] sections
$CONF:13:7: app = ech: there is no such application; did you mean echo? There are static, echo, hello, tcp-echo, status, and modules by their path, as in ./it.so
$CONF:17:7: set = n=1: the application has no keys"
    configure '[site a]' 'prefix = /a' 'app = hello'
    drover check -c "$CONF" --app tcp-echo
    assert_equal "$status" 78
    assert_output --partial '--app tcp-echo: has the bytes of a connection to itself'
}

@test "a site that cannot start is named, and what is wrong in it has its place" {
    configure 'drain-timeout = 1s' '[site a]' 'host = a' "root = $ONE" \
        '[site b]' 'host = b' "root = $TWO" 'fallback = /none.html'
    drover check -c "$CONF"
    assert_equal "$status: $output" "78: $CONF:8:12: fallback = /none.html: No such file or directory"
    configure '[site a]' 'host = a' "root = $ONE" \
        '[site b]' 'host = b' "app = $BUILD/apps/every.so" 'set = broken=by and by'
    drover serve --listen 127.0.0.1:0 -c "$CONF" --workers 1
    assert_equal "$status" 78
    assert_output --partial 'site b: by and by'
}

# ---- nothing outside ---------------------------------------------------------------------------

@test "nothing outside of a site's own root is reached" {
    local path
    ln -s ../secret "$ONE/link"
    ln -s ../two/a.css "$ONE/other"
    configure '[site one]' 'host = one' "root = $ONE" \
        '[site two]' 'host = one' 'prefix = /two' "root = $TWO"
    serve_conf
    for path in /../secret /two/../../secret '/two/%2e%2e/%2e%2e/secret' '/two/..%2f../secret' \
        /two/sub/../../../secret //../secret '/two//../..//secret' '/%2e%2e/two/a.css' \
        '/two\..\..\secret' '/two/.%00./secret' /two/link /link /other '/two/%2e%2e%2fone/a.css'; do
        run at one "$path" --include
        [[ $output == 'HTTP/1.1 4'* ]] || fail "$path: $output"
        refute_output --partial secret$'\n'
        refute_output --partial .css
    done
    assert_equal "$(at one /two/../a.css)" one.css
    assert_equal "$(at one /two/../two/a.css)" two.css
}

# ---- while it runs -----------------------------------------------------------------------------

@test "a reload changes the sites, and no request is lost" {
    local i many=()
    for i in {1..20}; do
        many+=("[site s$i]" "host = s$i" "root = $ONE")
    done
    configure "root = $SITE" "${many[@]}"
    drover_start --workers 2 -c "$CONF"
    assert_equal "$(at s20 /)" one
    both_begin
    configure '[site all]' "root = $SITE" '[site two]' 'host = s20' "root = $TWO"
    reload
    assert_equal "$(at s20 /)" two
    assert_equal "$(at s19 /hello.txt)" hello
    configure "root = $SITE" "${many[@]}"
    reload
    assert_equal "$(at s20 /)" one
    configure "root = $SITE" '[site two]' 'rot = x'
    reload_refused "$CONF:3:1: unknown key \"rot\"; did you mean \"root\"?"
    assert_equal "$(at s20 /)" one
    nothing_is_lost
}

@test "many sites are told apart" {
    local i lines=()
    mkdir "$BATS_TEST_TMPDIR"/{1..256}
    for i in {1..256}; do
        echo "$i" >"$BATS_TEST_TMPDIR/$i/index.html"
        lines+=("[site s$i]" "host = s$i.example" "root = $BATS_TEST_TMPDIR/$i")
    done
    configure "${lines[@]}"
    serve_conf
    for i in 1 17 255 256; do
        assert_equal "$(at "s$i.example" /)" "$i"
    done
    configure "${lines[@]}" '[site more]' 'host = more' "root = $ONE"
    drover check -c "$CONF"
    assert_equal "$status" 78
    assert_output --partial "$CONF:769:7: there are too many sections; 256 are allowed"
}
