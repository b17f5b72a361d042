#!/usr/bin/env bats
#
# coding - precompressed siblings: which is sent to whom, with which fields, and what it costs.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load http

# A page with all three siblings. What they hold tells them apart; drover does not look into it.
setup() {
    make_site
    local ending
    cp "$SITE/1k.bin" "$SITE/page.html"
    for ending in br zst gz; do
        { echo "this is $ending" && head -c 100 "$SITE/1k.bin"; } >"$SITE/page.html.$ending"
    done
    touch --date '2024-02-29 12:00:00 UTC' "$SITE"/page.html*
    STRACE=''
}

teardown() {
    [[ -z $STRACE ]] || kill -INT "$STRACE" 2>/dev/null || true
    drover_teardown
}

# ask TARGET [FIELD...]: sets head and body as answers() does, of a 200 if STATUS is not set.
ask() {
    local request="${METHOD:-GET} $1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" line
    shift
    for line; do
        request+="$line\r\n"
    done
    answers "${STATUS:-200}" "$request\r\n"
}

# sends CODING ENDING TARGET [FIELD...]: is it the sibling of that ending? - and '' for neither.
sends() {
    local coding=$1 ending=$2 file=$SITE$3
    shift 2
    ask "$@" || return
    [[ $(field Content-Encoding || echo -) == "$coding" ]] || fail "not $coding: $*"$'\n'"$head"
    [[ $(field Content-Length) == "$(stat -c %s "$file$ending")" ]] || fail "not $file$ending: $head"
}

# ---- the choice -------------------------------------------------------------------------------

@test "each client gets the densest coding that it likes best" {
    drover_start --workers 1 "$SITE"
    sends br .br /page.html 'Accept-Encoding: gzip, deflate, br, zstd'
    sends br .br /page.html 'Accept-Encoding: *'
    sends zstd .zst /page.html 'Accept-Encoding: gzip, zstd'
    sends gzip .gz /page.html 'Accept-Encoding: gzip, deflate'
    sends gzip .gz /page.html 'Accept-Encoding: x-gzip'
    sends gzip .gz /page.html 'Accept-Encoding: br;q=0.5, gzip'
    sends gzip .gz /page.html 'Accept-Encoding: br;q=0, zstd;q=0, *'
    sends zstd .zst /page.html 'Accept-Encoding: gzip' 'Accept-Encoding: zstd'
    sends - '' /page.html
    sends - '' /page.html 'Accept-Encoding:'
    sends - '' /page.html 'Accept-Encoding: identity'
    sends - '' /page.html 'Accept-Encoding: deflate, compress'
    sends - '' /page.html 'Accept-Encoding: identity, gzip;q=0.5'
    # None that there is: the file as it is, rather than 406.
    sends - '' /page.html 'Accept-Encoding: deflate, identity;q=0'
    sends - '' /page.html 'Accept-Encoding: *;q=0'
}

@test "the answer is the sibling's, with the media type of the name and a tag of its own" {
    local tag ending coding tags=()
    drover_start --workers 1 "$SITE"
    ask /page.html
    tags+=("$(field ETag)")
    for coding in br:br zstd:zst gzip:gz; do
        ending=${coding#*:}
        ask /page.html "Accept-Encoding: ${coding%:*}"
        assert_equal "$(field Content-Type)" 'text/html; charset=utf-8'
        assert_equal "$(field Vary)" Accept-Encoding
        assert_equal "$(field Last-Modified)" 'Thu, 29 Feb 2024 12:00:00 GMT'
        assert_equal "$(field Content-Length)" "$(stat -c %s "$SITE/page.html.$ending")"
        assert_equal "${body%%$'\n'*}" "this is $ending"
        tag=$(field ETag)
        [[ $tag == '"'*'"' ]]
        tags+=("$tag")
        METHOD=HEAD ask /page.html "Accept-Encoding: ${coding%:*}"
        assert_equal "$(field Content-Encoding)$(field ETag)" "${coding%:*}$tag"
        assert_equal "$(field Content-Length)" "$(stat -c %s "$SITE/page.html.$ending")"
    done
    assert_equal "$(printf '%s\n' "${tags[@]}" | sort -u | wc -l)" 4
}

@test "what was compressed is what curl unpacks" {
    cp "$SITE/big.bin" "$SITE/big.txt"
    gzip --keep "$SITE/big.txt"
    drover_start --workers 1 "$SITE"
    fetch /big.txt --compressed --header 'Accept-Encoding: gzip' >"$BATS_TEST_TMPDIR/got"
    cmp "$BATS_TEST_TMPDIR/got" "$SITE/big.txt"
    fetch /big.txt --header 'Accept-Encoding: gzip' >"$BATS_TEST_TMPDIR/got"
    cmp "$BATS_TEST_TMPDIR/got" "$SITE/big.txt.gz"
}

@test "Vary is on every answer of a name with siblings, and on no other" {
    local tag accept
    drover_start --workers 1 "$SITE"
    for accept in '' ' gzip' ' identity' ' deflate'; do
        ask /page.html "Accept-Encoding:$accept"
        assert_equal "$(field Vary)" Accept-Encoding
        tag=$(field ETag)
        STATUS=304 ask /page.html "Accept-Encoding:$accept" "If-None-Match: $tag"
        assert_equal "$(field Vary)" Accept-Encoding
        assert_equal "$(field ETag)" "$tag"
        refute field Content-Encoding
        STATUS=206 ask /page.html "Accept-Encoding:$accept" 'Range: bytes=0-1'
        assert_equal "$(field Vary)" Accept-Encoding
        ask /hello.txt "Accept-Encoding:$accept"
        refute field Vary
    done
    METHOD=HEAD ask /page.html
    assert_equal "$(field Vary)" Accept-Encoding
    # One coding's tag is not another's.
    ask /page.html 'Accept-Encoding: gzip'
    ask /page.html 'Accept-Encoding: br' "If-None-Match: $(field ETag)"
    ask /list/ 'Accept-Encoding: gzip'
    refute field Vary
}

@test "ranges are of the encoded bytes" {
    local tag
    drover_start --workers 1 "$SITE"
    STATUS=206 ask /page.html 'Accept-Encoding: zstd' 'Range: bytes=8-10'
    assert_equal "$body" zst
    assert_equal "$(field Content-Range)" "bytes 8-10/$(stat -c %s "$SITE/page.html.zst")"
    assert_equal "$(field Content-Encoding)" zstd
    assert_equal "$(field Accept-Ranges)" bytes
    tag=$(field ETag)
    STATUS=206 ask /page.html 'Accept-Encoding: zstd' 'Range: bytes=8-10' "If-Range: $tag"
    # Another coding is another representation: all of it.
    ask /page.html 'Accept-Encoding: br' 'Range: bytes=8-9' "If-Range: $tag"
    assert_equal "${body%%$'\n'*}" 'this is br'
    STATUS=416 ask /page.html 'Accept-Encoding: br' 'Range: bytes=200-'
    assert_equal "$(field Content-Range)" "bytes */$(stat -c %s "$SITE/page.html.br")"
    STATUS=412 ask /page.html 'Accept-Encoding: br' "If-Match: $tag"
}

# ---- which siblings count ---------------------------------------------------------------------

@test "an older sibling is of another content" {
    touch --date '2024-02-29 12:00:01 UTC' "$SITE/page.html"
    touch --date '2024-02-29 12:00:01 UTC' "$SITE/page.html.gz"
    touch --date '2024-02-29 12:00:00.999999999 UTC' "$SITE/page.html.br"
    touch --date '2024-02-29 12:00:02 UTC' "$SITE/page.html.zst"
    drover_start --workers 1 "$SITE"
    sends zstd .zst /page.html 'Accept-Encoding: br, gzip, zstd'
    sends gzip .gz /page.html 'Accept-Encoding: br, gzip'
    sends - '' /page.html 'Accept-Encoding: br'
    # Changed under a server that knows its siblings: from the next answer on.
    touch --date '2024-03-01 12:00:00 UTC' "$SITE/page.html"
    sends - '' /page.html 'Accept-Encoding: br, gzip, zstd'
}

gets_gzip() {
    [[ $(fetch "$1" --head --header 'Accept-Encoding: gzip') == *Content-Encoding:\ gzip* ]]
}

@test "a sibling that goes is gone at once, and one that comes is noticed" {
    drover_start --workers 1 "$SITE"
    sends gzip .gz /page.html 'Accept-Encoding: gzip'
    mv "$SITE/page.html.gz" "$SITE/away"
    sends - '' /page.html 'Accept-Encoding: gzip'
    mv "$SITE/away" "$SITE/page.html.gz"
    wait_until 10 gets_gzip /page.html
    ask /hello.txt 'Accept-Encoding: gzip'
    refute field Vary
    gzip --keep "$SITE/hello.txt"
    wait_until 10 gets_gzip /hello.txt
}

@test "index.html has siblings, a listing has none" {
    gzip --keep "$SITE/index.html"
    gzip --keep --stdout "$SITE/hello.txt" >"$SITE/list/index.html.gz"
    drover_start --workers 1 "$SITE"
    sends gzip index.html.gz / 'Accept-Encoding: gzip'
    assert_equal "$(field Content-Type)" 'text/html; charset=utf-8'
    ask /list/ 'Accept-Encoding: gzip'
    refute field Content-Encoding
    assert_equal "$(field Content-Type)" 'text/html; charset=utf-8'
    [[ $body == *index.html.gz* ]]
}

@test "a sibling asked for by its own name is a file like any other" {
    drover_start --workers 1 "$SITE"
    sends - '' /page.html.gz 'Accept-Encoding: gzip'
    assert_equal "$(field Content-Type)" application/gzip
    refute field Vary
    STATUS=404 ask /page.html.xz 'Accept-Encoding: gzip'
}

@test "types that are dense already have no siblings" {
    local name
    for name in a.png a.jpg a.mp4 a.mp3 a.zip a.woff2; do
        cp "$SITE/1k.bin" "$SITE/$name"
        gzip --keep "$SITE/$name"
    done
    cp "$SITE/1k.bin" "$SITE/a.svg"
    gzip --keep "$SITE/a.svg"
    drover_start --workers 1 "$SITE"
    for name in a.png a.jpg a.mp4 a.mp3 a.zip a.woff2; do
        sends - '' "/$name" 'Accept-Encoding: gzip'
        refute field Vary
    done
    sends gzip .gz /a.svg 'Accept-Encoding: gzip'
}

@test "siblings that lead outside, or are no files, or are hidden, are not sent" {
    rm "$SITE"/page.html.*
    ln -s ../secret "$SITE/page.html.br"
    mkdir "$SITE/page.html.zst"
    mkfifo "$SITE/page.html.gz"
    gzip --keep "$SITE/.hidden"
    drover_start --workers 1 "$SITE"
    sends - '' /page.html 'Accept-Encoding: br, zstd, gzip'
    refute field Vary
    STATUS=404 ask /.hidden 'Accept-Encoding: gzip'
    STATUS=404 ask /.hidden.gz 'Accept-Encoding: gzip'
    drover_stop
    drover_start --workers 1 --dot-files yes "$SITE"
    sends gzip .gz /.hidden 'Accept-Encoding: gzip'
}

@test "--precompressed=no: no sibling, no Vary" {
    drover_start --workers 1 --precompressed no "$SITE"
    sends - '' /page.html 'Accept-Encoding: br, zstd, gzip'
    refute field Vary
    sends - '' /page.html.gz 'Accept-Encoding: gzip'
}

# ---- what it costs ----------------------------------------------------------------------------

# calls_of PATH [LOAD-OPTION...]: prints the system calls of 100 kept requests.
calls_of() {
    local path=$1 trace=$BATS_TEST_TMPDIR/trace log=$BATS_TEST_TMPDIR/strace.log
    shift
    : >"$log"
    strace -f -o "$trace" -p "$(workers)" 2>"$log" 3>&- &
    STRACE=$!
    wait_until 10 grep -q attached "$log"
    "$DROVER_LOAD" --quiet --clients 1 --requests 100 "$@" "$DROVER_URL$path" >/dev/null
    kill -INT "$STRACE"
    wait "$STRACE" || true
    STRACE=''
    sed -n '/accept4/,$p' "$trace" | wc -l
}

# bats test_tags=nosan,alone
@test "who looks for siblings pays three calls a second, and three more for one that is sent" {
    local plain with sent
    drover_start --workers 1 "$SITE"
    plain=$(calls_of /hello.txt --field 'Accept-Encoding: gzip, br')
    with=$(calls_of /page.html)
    sent=$(calls_of /page.html --field 'Accept-Encoding: gzip, br')
    echo "system calls of 100 requests: $plain without siblings, $with with, $sent with one sent" >&3
    # 7 a request, as in cost.bats; openat2, fstat, close for the sibling
    ((plain < 730 && with < 730 && sent > 1000 && sent < 1030))
}
