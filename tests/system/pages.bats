#!/usr/bin/env bats
#
# pages - what a site adds to its answers: fields, Cache-Control, error pages, and the page that
# stands for those which are not there.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2089,SC2090,SC2153,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load http

setup() {
    make_site
    mkdir "$SITE/.errors"
}

# ask STATUS METHOD TARGET [FIELD...]: sets head and body as answers() does.
ask() {
    local request="$2 $3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" status=$1 line
    shift 3
    for line; do
        request+="$line\r\n"
    done
    answers "$status" "$request\r\n"
}

# refused STATUS MESSAGE ARGS...: the server does not start, and this ends what it says.
refused() {
    local wanted=$1 message=$2
    shift 2
    run timeout 20 "$DROVER" serve --listen 127.0.0.1:0 "$@" 3>&- 4>&-
    [[ $status == "$wanted" && $output == *": $message" ]] ||
        fail "not $wanted: $message"$'\n'"but $status: $output"
}

# Requests for every status that needs no broken machine, as `STATUS REQUEST`. 408 needs a timeout.
every_refusal() {
    local close='Host: x\r\nConnection: close\r\n' long
    long=$(printf '%09000d' 0)
    printf '%s\n' \
        '400 GET a HTTP/1.1\r\nHost: x\r\n\r\n' \
        '400 GET / HTTP/1.1\r\n\r\n' \
        "403 GET /outside.txt HTTP/1.1\r\n$close\r\n" \
        "404 GET /nothing HTTP/1.1\r\n$close\r\n" \
        "404 GET /.hidden HTTP/1.1\r\n$close\r\n" \
        "405 POST /hello.txt HTTP/1.1\r\n$close\r\n" \
        '408 GET / HTTP/1.1\r\nHost:' \
        "412 GET /hello.txt HTTP/1.1\r\n${close}If-Match: \"x\"\r\n\r\n" \
        "414 GET /$long HTTP/1.1\r\n$close\r\n" \
        "416 GET /hello.txt HTTP/1.1\r\n${close}Range: bytes=6-\r\n\r\n" \
        "417 GET /hello.txt HTTP/1.1\r\n${close}Expect: gold\r\n\r\n" \
        "431 GET / HTTP/1.1\r\n${close}X: $long$long$long$long\r\n\r\n" \
        "501 FETCH / HTTP/1.1\r\n$close\r\n" \
        '505 GET / HTTP/2.0\r\nHost: x\r\n\r\n'
}

# ---- error pages ------------------------------------------------------------------------------

@test "every status has the page that the site has for it, drover's own refusals too" {
    local status request options=()
    while read -r status; do
        echo "<h1>our $status" >"$SITE/.errors/$status.html"
        options+=(--error-page "$status=/.errors/$status.html")
    done < <(every_refusal | cut -d ' ' -f 1 | sort -u)
    drover_start --workers 1 --header-timeout 300ms "${options[@]}" "$SITE"
    while IFS= read -r request; do
        status=${request%% *}
        answers "$status" "${request#* }"
        assert_equal "$(field Content-Type)" 'text/html; charset=utf-8'
        assert_equal "$body" "<h1>our $status"
        assert_equal "$(field Content-Length)" 12
        refute field ETag
        refute field Last-Modified
    done < <(every_refusal)
    answers 405 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    assert_equal "$(field Allow)" 'GET, HEAD, OPTIONS'
    # What is no error, and what has no page.
    ask 301 GET /sub
    [[ $body == '<!DOCTYPE html>'*'<h1>301 '* ]]
    # Hidden to clients, as before.
    ask 404 GET /.errors/404.html
    assert_equal "$body" '<h1>our 404'
}

@test "an error page keeps the connection, has its own media type, and may be empty" {
    echo '{"error": "lost"}' >"$SITE/lost.json"
    drover_start --workers 1 --error-page 404=/lost.json --error-page 405=/zero.txt "$SITE"
    client <<'PYTHON'
c = Connection()
for i in range(3):
    status, fields, body = c.ask('/nothing')
    assert (status, fields['content-type'], body) == (404, 'application/json', b'{"error": "lost"}\n')
    status, fields, body = c.ask('/nothing', 'HEAD')
    assert (status, fields['content-length'], body) == (404, '18', b'')
    status, fields, body = c.ask('/', 'POST')
    assert (status, fields['content-length'], body) == (405, '0', b'')
    assert c.ask('/hello.txt')[2] == b'hello\n'
PYTHON
}

@test "of two pages for a status the last counts" {
    echo one >"$SITE/one.txt"
    drover_start --workers 1 --error-page 404=/nothing --error-page 404=/one.txt "$SITE"
    assert_equal "$(fetch /lost)" one
}

@test "HUP renews the error pages; one that cannot be read anew stays as it was" {
    echo one >"$SITE/404.txt"
    drover_start --workers 2 --error-page 404=/404.txt "$SITE"
    echo two >"$SITE/404.txt"
    assert_equal "$(fetch /lost)" one
    kill -HUP "$DROVER_PID"
    wait_until 20 logged 'reload: every worker is a fresh one'
    wait_until 20 has_workers 2 # those that leave may have one more client
    assert_equal "$(fetch /lost)" two
    # The copy from the reload, in the master.
    rm "$SITE/404.txt"
    kill -KILL "$(worker_of 0)" "$(worker_of 1)"
    wait_until 20 has_workers 2
    wait_until 20 logged "--error-page 404=/404.txt: No such file or directory; the page that was read before is kept"
    assert_equal "$(fetch /lost)" two
}

@test "the start is refused for an error page that is not there, or too large" {
    head -c 65536 "$SITE/big.bin" >"$SITE/most.txt"
    head -c 65537 "$SITE/big.bin" >"$SITE/more.txt"
    refused 66 '--error-page 404=/nothing: No such file or directory' \
        --error-page 404=/nothing "$SITE"
    refused 66 '--error-page 404=/sub: is not a file' --error-page 404=/sub "$SITE"
    refused 66 '--error-page 404=/outside.txt: Invalid cross-device link' \
        --error-page 404=/outside.txt "$SITE"
    refused 66 '--error-page 404=/more.txt: has more than 65536 bytes' \
        --error-page 404=/more.txt "$SITE"
    refused 64 '--error-page 399=/a: must be STATUS=/PATH, a status from 400 to 599' \
        --error-page 399=/a "$SITE"
    drover_start --workers 1 --error-page 404=/most.txt "$SITE"
    fetch /nothing | cmp - "$SITE/most.txt"
}

# ---- fields -----------------------------------------------------------------------------------

# has_once NAME VALUE: is the field there, and no second one of the name?
has_once() {
    [[ $(grep -ci "^$1:" <<<"$head") == 1 && $(field "$1") == "$2" ]] || fail "not $1: $2: $head"
}

@test "--field is on every answer, once, errors and redirects and drover's refusals too" {
    local request pages
    echo lost >"$SITE/lost.txt"
    for pages in '' '--error-page=404=/lost.txt'; do
        drover_start --workers 1 --header-timeout 300ms $pages \
            --field 'X-Frame-Options: DENY' --field='X-Two:2' "$SITE"
        while IFS= read -r request; do
            answers "${request%% *}" "${request#* }"
            has_once X-Frame-Options DENY
            has_once X-Two 2
        done < <(every_refusal)
        for request in '200 GET /hello.txt' '200 GET /' '200 GET /list/' '200 HEAD /hello.txt' \
            '301 GET /sub' '204 OPTIONS /hello.txt' '206 GET /hello.txt Range:bytes=0-1' \
            '206 GET /hello.txt Range:bytes=0-0,2-2' '404 HEAD /nothing' \
            '304 GET /hello.txt If-None-Match:*'; do
            # shellcheck disable=SC2086 # the words of a request
            ask $request
            has_once X-Frame-Options DENY
            has_once X-Two 2
        done
        drover_stop
    done
}

@test "fields up to the limit, and those that are refused" {
    local i options=()
    for ((i = 0; i < 32; i++)); do
        options+=(--field "Link: <$i>")
    done
    drover_start --workers 1 "${options[@]}" "$SITE"
    ask 200 GET /hello.txt
    assert_equal "$(grep -c '^Link: <[0-9]*>$' <<<"$head")" 32
    refused 64 '--field X: 1: there are too many fields; 32 are allowed' \
        "${options[@]}" --field 'X: 1' "$SITE"
    refused 64 '--field Content-Length: 5: is a field that drover writes itself' \
        --field 'Content-Length: 5' "$SITE"
    refused 64 "--field X One: 1: must be NAME: VALUE, the name of letters, digits and dashes" \
        --field 'X One: 1' "$SITE"
    refused 64 '--field X: 1\x0d\x0aY: 2: has a control byte in it' --field $'X: 1\r\nY: 2' "$SITE"
}

@test "--cache-control is on files, and on nothing else" {
    local request
    drover_start --workers 1 --cache-control 'max-age=60, immutable' "$SITE"
    for request in '200 GET /hello.txt' '200 HEAD /hello.txt' '200 GET /' \
        '206 GET /hello.txt Range:bytes=0-1' '206 GET /hello.txt Range:bytes=0-0,2-2' \
        '304 GET /hello.txt If-None-Match:*'; do
        # shellcheck disable=SC2086 # the words of a request
        ask $request
        has_once Cache-Control 'max-age=60, immutable'
    done
    for request in '404 GET /nothing' '301 GET /sub' '200 GET /list/' '405 POST /' \
        '204 OPTIONS /' '416 GET /hello.txt Range:bytes=6-' '412 GET /hello.txt If-Match:"x"'; do
        # shellcheck disable=SC2086
        ask $request
        refute field Cache-Control
    done
}

# ---- the fallback -----------------------------------------------------------------------------

@test "--fallback answers for pages that are not there, and for nothing else" {
    local path
    mkdir "$SITE/closed"
    drover_start --workers 1 --fallback /index.html --listing no --cache-control no-cache "$SITE"
    for path in /app /app/ /app/users/7 /app/v1.2/users '/app?x=a.b' /hello.txt/x /nothing/ \
        "/$(printf '%0300d' 0)"; do
        ask 200 GET "$path"
        assert_equal "$body" "$(<"$SITE/index.html")"
        assert_equal "$(field Content-Type)" 'text/html; charset=utf-8'
        has_once Cache-Control no-cache
        has_once Vary Accept
        ask 200 HEAD "$path"
        assert_equal "$(field Content-Length)" "$(stat -c %s "$SITE/index.html")"
    done
    # A file like any other: conditional, and in parts.
    ask 304 GET /app "If-None-Match: $(field ETag)"
    ask 206 GET /app 'Range: bytes=0-8'
    assert_equal "$body" '<!doctype'
    # What is there; what has a dot; what must not be seen; what is hidden; other methods.
    ask 200 GET /hello.txt
    refute field Vary
    for path in /app.js /app/logo.png /nothing.html /v1.2 /v1.2/ /hello.txt/ /.app /.git/config \
        /.well-known/app; do
        ask 404 GET "$path"
    done
    for path in /empty/ /outside.txt /slash/etc; do
        ask 403 GET "$path"
    done
    ask 405 POST /app
    ask 204 OPTIONS /app
}

@test "--fallback is for those who take HTML" {
    local accept
    drover_start --workers 1 --fallback /index.html "$SITE"
    for accept in '*/*' 'text/html,application/xml;q=0.9,*/*;q=0.8' 'text/*' 'application/json, */*'; do
        ask 200 GET /app "Accept: $accept"
    done
    for accept in application/json 'image/webp,image/*' 'text/html;q=0, */*'; do
        ask 404 GET /app "Accept: $accept"
        has_once Vary Accept
        ask 200 GET /hello.txt "Accept: $accept"
    done
}

@test "--fallback has siblings, and is checked at the start" {
    gzip --keep "$SITE/index.html"
    drover_start --workers 1 --fallback /index.html "$SITE"
    ask 200 GET /app 'Accept-Encoding: gzip'
    assert_equal "$(field Content-Encoding)" gzip
    assert_equal "$(grep '^Vary' <<<"$head" | paste -sd ' ')" 'Vary: Accept Vary: Accept-Encoding'
    rm "$SITE/index.html"
    ask 404 GET /app
    refused 66 '--fallback /index.html: No such file or directory' --fallback /index.html "$SITE"
    refused 66 '--fallback /sub: is not a file' --fallback /sub "$SITE"
    refused 66 '--fallback /outside.txt: Invalid cross-device link' --fallback /outside.txt "$SITE"
    refused 64 '--fallback sub/x: must be a file below ROOT, as in /index.html' \
        --fallback sub/x "$SITE"
}
