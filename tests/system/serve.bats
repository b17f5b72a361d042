#!/usr/bin/env bats
#
# serve - what a client is answered: files, folders, ranges, refusals, and what it costs to be slow.

# bats file_tags=beside

load helper
load http

setup() {
    make_site
}

# ---- files ------------------------------------------------------------------------------------

@test "a file is answered with its bytes, its length and its type" {
    local name
    drover_start "$SITE"
    for name in hello.txt 1k.bin big.bin index.html list/a.txt; do
        fetch "/$name" --dump-header "$BATS_TEST_TMPDIR/head" >"$BATS_TEST_TMPDIR/got"
        cmp "$SITE/$name" "$BATS_TEST_TMPDIR/got"
        head=$(<"$BATS_TEST_TMPDIR/head")
        assert_equal "$(field Content-Length)" "$(stat -c %s "$SITE/$name")"
        assert_equal "$(field Last-Modified)" 'Thu, 29 Feb 2024 12:00:00 GMT'
        assert_equal "$(field Accept-Ranges)" bytes
        [[ $(field ETag) =~ ^\"[!-~]+\"$ ]]
        [[ $(field Date) == *' GMT' && $(field Server) == drover ]]
    done
}

@test "the type goes by the name, and text says its charset" {
    local name type
    drover_start "$SITE"
    while read -r name type; do
        : >"$SITE/$name"
        assert_equal "$name $(fetch "/$name" --output /dev/null --write-out '%{content_type}')" \
            "$name $type"
    done <<'TABLE'
page.html    text/html; charset=utf-8
page.HTM     text/html; charset=utf-8
style.css    text/css; charset=utf-8
code.js      text/javascript; charset=utf-8
code.mjs     text/javascript; charset=utf-8
note.txt     text/plain; charset=utf-8
data.json    application/json
picture.svg  image/svg+xml
picture.png  image/png
font.woff2   font/woff2
code.wasm    application/wasm
paper.pdf    application/pdf
a.tar.gz     application/gzip
a.html.zip   application/zip
no-dot       application/octet-stream
a.unknown    application/octet-stream
TABLE
}

@test "a file of any length comes whole: empty, around the bound of the copy, 10 MiB" {
    local size
    drover_start "$SITE"
    for size in 0 1 32767 32768 32769 65536 65537 10485760; do
        head -c "$size" "$BATS_TEST_TMPDIR/site/big.bin" >"$SITE/$size"
        ((size <= 1048576)) || head -c "$size" /dev/urandom >"$SITE/$size"
        fetch "/$size" | cmp "$SITE/$size" -
        head=$(fetch "/$size" --head)
        assert_equal "$(field Content-Length)" "$size"
    done
}

@test "HEAD is answered as GET, without the body" {
    local path get head
    drover_start "$SITE"
    for path in /hello.txt /big.bin / /list/ /sub /nothing /zero.txt; do
        get=$(fetch "$path" --dump-header - --output /dev/null | grep -v '^Date:')
        head=$(fetch "$path" --head | grep -v '^Date:')
        assert_equal "$head" "$get"
        # Where curl would not see a body: the next answer follows at once.
        client "$path" <<'PYTHON'
c = Connection()
c.send(request(args[0], 'HEAD') + request('/hello.txt'))
c.answer('HEAD')
status, fields, body = c.answer()
assert (status, body) == (200, b'hello\n'), (status, body)
PYTHON
    done
}

@test "a folder is its index.html, if it has one" {
    drover_start "$SITE"
    fetch / | cmp "$SITE/index.html" -
    fetch /sub/ | cmp "$SITE/sub/index.html" -
    fetch '/sub/?query' | cmp "$SITE/sub/index.html" -
    fetch /list/ | grep -q '<a href'
}

@test "a file changed since has its new bytes and another tag" {
    local before
    drover_start "$SITE"
    before=$(fetch /hello.txt --head | grep ETag)
    echo HELLO >"$SITE/hello.txt"
    assert_equal "$(fetch /hello.txt)" HELLO
    refute [ "$(fetch /hello.txt --head | grep ETag)" == "$before" ]
    rm "$SITE/hello.txt"
    assert_equal "$(fetch /hello.txt --output /dev/null --write-out '%{http_code}')" 404
}

# ---- listings ---------------------------------------------------------------------------------

# The hrefs of the page on standard input, as a browser reads them, in their order.
hrefs() {
    grep -oP '<a href="\K[^"]*' |
        sed "s/&#38;/\&/g; s/&#39;/'/g; s/&#34;/\"/g; s/&#60;/</g; s/&#62;/>/g"
}

@test "a listing leads to every file, whatever its name, and shows no other" {
    local href bodies=$BATS_TEST_TMPDIR/bodies
    make_odd_names "$SITE/odd"
    touch "$SITE/odd/.hidden"
    mkfifo "$SITE/odd/fifo"
    ln -s ../../secret "$SITE/odd/outside"
    ln -s missing "$SITE/odd/dangling"
    ln -s /etc "$SITE/odd/outside-folder"
    drover_start "$SITE"
    fetch /odd/ >"$BATS_TEST_TMPDIR/page"
    hrefs <"$BATS_TEST_TMPDIR/page" | grep -vxF ../ | while IFS= read -r href; do
        # A name with a colon must not become a scheme.
        [[ $href == ./* ]] || fail "not relative: $href"
        fetch "/odd/$href" --globoff --path-as-is --fail
        printf '\0'
    done | LC_ALL=C sort -z >"$bodies"
    printf '%s\0' "${ODD_NAMES[@]}" | LC_ALL=C sort -z | cmp - "$bodies"
}

@test "a name in a listing is no HTML" {
    make_odd_names "$SITE/odd"
    mkdir "$SITE/<i>&amp;\"'"
    drover_start "$SITE"
    fetch /odd/ >"$BATS_TEST_TMPDIR/page"
    # Every tag is one of the page's own, and each link ends.
    run -0 bash -c "grep -oE '<[^ >]*' '$BATS_TEST_TMPDIR/page' | LC_ALL=C sort -u | paste -sd ' '"
    assert_output '<!DOCTYPE </a </h1 </html </style </table </title <a <h1 <html <link <meta <style <table <tbody <td <th <thead <title <tr'
    assert_equal "$(grep -o '<a ' "$BATS_TEST_TMPDIR/page" | wc -l)" $((${#ODD_NAMES[@]} + 1))
    assert_equal "$(grep -o '</a>' "$BATS_TEST_TMPDIR/page" | wc -l)" $((${#ODD_NAMES[@]} + 1))
    # Nor is the folder's own, in title and heading.
    fetch '/%3Ci%3E&amp;%22%27/' >"$BATS_TEST_TMPDIR/page"
    grep -qF '<h1>/&#60;i&#62;&#38;amp;&#34;&#39;/</h1>' "$BATS_TEST_TMPDIR/page"
    refute grep -qF -e '<i>' -e '&amp;' "$BATS_TEST_TMPDIR/page"
}

@test "a listing is sorted, folders first, with sizes and times" {
    local listed
    mkdir -p "$SITE/sorted"/{Zoo,apple,.git}
    (
        cd "$SITE/sorted"
        touch b.txt A.txt c.txt B2.txt .dot
        truncate -s 1023 1023
        truncate -s 1024 1024
        truncate -s 1536k 1536k
        truncate -s 5G 5G
        ln -s ../sub link-to-folder
        ln -s 1023 link-to-file
        touch --date '2021-03-04 05:06:07 UTC' 1023
    )
    drover_start "$SITE"
    fetch /sorted/ >"$BATS_TEST_TMPDIR/page"
    listed=$(hrefs <"$BATS_TEST_TMPDIR/page" | paste -sd ' ')
    assert_equal "$listed" "../ ./apple/ ./link-to-folder/ ./Zoo/ ./1023 ./1024 ./1536k ./5G ./A.txt ./b.txt ./B2.txt ./c.txt ./link-to-file"
    row() {
        grep -F "href=\"./$1\"" "$BATS_TEST_TMPDIR/page" | sed 's/.*<\/a>//; s/<[^>]*>/|/g'
    }
    assert_equal "$(row 1023)" '|1023 B|2021-03-04 05:06'
    assert_equal "$(row link-to-file)" '|1023 B|2021-03-04 05:06'
    [[ $(row 1024) == '|1.0 KiB|'* ]]
    [[ $(row 1536k) == '|1.5 MiB|'* ]]
    [[ $(row 5G) == '|5.0 GiB|'* ]]
    [[ $(row apple/) == '||20'* ]]
    # The root has nothing above it.
    rm "$SITE/index.html"
    fetch / >"$BATS_TEST_TMPDIR/page"
    refute grep -qF 'href="../"' "$BATS_TEST_TMPDIR/page"
}

@test "a listing of 10,000 names is whole" {
    mkdir "$SITE/many"
    (cd "$SITE/many" && seq -f 'file-%05g' 10000 | xargs touch)
    drover_start "$SITE"
    fetch /many/ | hrefs | grep -vxF ../ >"$BATS_TEST_TMPDIR/listed"
    seq -f './file-%05g' 10000 | cmp - "$BATS_TEST_TMPDIR/listed"
}

@test "--listing no: a folder without an index is forbidden, one with an index is served" {
    drover_start --listing no "$SITE"
    refuses 403 'GET /list/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    refuses 403 'GET /empty/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    fetch /sub/ | cmp "$SITE/sub/index.html" -
    fetch /list/a.txt | cmp "$SITE/list/a.txt" -
}

@test "names that start with a dot are served and listed only with --dot-files yes" {
    local path
    mkdir -p "$SITE/list/.git/deep"
    echo config | tee "$SITE/list/.git/config" "$SITE/list/.git/deep/config" "$SITE/list/...x" >/dev/null
    drover_start "$SITE"
    for path in /.hidden /list/.git /list/.git/ /list/.git/config /list/.git/deep/config \
        /list/%2egit/config /list/...x; do
        answers 404 "GET $path HTTP/1.0\r\n\r\n"
    done
    refute grep -q 'git\|\.\.\.x' <(fetch /list/)
    drover_stop
    drover_start --dot-files yes "$SITE"
    assert_equal "$(fetch /.hidden)" hidden
    assert_equal "$(fetch /list/.git/deep/config)" config
    fetch /list/ | hrefs | grep -xF ./.git/
    fetch /list/ | hrefs | grep -xF ./...x
    # The dots that lead upward are names of no file.
    answers 400 'GET /../secret HTTP/1.0\r\n\r\n'
}

@test "/.well-known/ is served in any case, and in it nothing that starts with a dot" {
    local path
    mkdir -p "$SITE/.well-known/acme-challenge/.git" "$SITE/.well-known2" "$SITE/list/.well-known"
    echo token >"$SITE/.well-known/acme-challenge/token"
    echo hidden | tee "$SITE/.well-known/.hidden" "$SITE/.well-known/acme-challenge/.git/config" \
        "$SITE/.well-known2/x" "$SITE/list/.well-known/x" >/dev/null
    drover_start "$SITE"
    assert_equal "$(fetch /.well-known/acme-challenge/token)" token
    assert_equal "$(fetch /%2ewell-known/acme-challenge/token)" token
    for path in /.well-known/.hidden /.well-known/acme-challenge/.git/config /.well-known2/x \
        /list/.well-known/x /.well-known/../.hidden /.well-known/none; do
        answers 404 "GET $path HTTP/1.0\r\n\r\n"
    done
    refute grep -qF .well-known <(fetch /)
}

# ---- redirects --------------------------------------------------------------------------------

@test "a folder without its slash is redirected, on this host, with its query" {
    local target location
    mkdir "$SITE/evil.example" "$SITE/with space" "$SITE/\\evil.example" "$SITE"/$'\r\nX-Evil: 1'
    drover_start "$SITE"
    while read -r target location; do
        answers 301 "GET $target HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert_equal "$target $(field Location)" "$target $location"
        refute field X-Evil
    done <<'TABLE'
/sub                          /sub/
/list/dir                     /list/dir/
/sub?x=1&y=//z?               /sub/?x=1&y=//z?
/with%20space?%20             /with%20space/?%20
//evil.example                /evil.example/
///evil.example?//            /evil.example/?//
/./evil.example               /evil.example/
/.//evil.example              /evil.example/
/sub/..//evil.example         /evil.example/
/%2e/%2e/evil.example         /evil.example/
/%5Cevil.example              /%5Cevil.example/
http://other.example/sub?q    /sub/?q
http://x//evil.example        /evil.example/
/%0D%0AX-Evil:%201            /%0D%0AX-Evil:%201/
TABLE
    assert_equal "$(fetch /sub --location)" "$(<"$SITE/sub/index.html")"
}

# ---- conditions and ranges --------------------------------------------------------------------

@test "conditions: 304, 412, or the file" {
    drover_start "$SITE"
    client <<'PYTHON'
c = Connection()
whole = content('/hello.txt')
status, fields, body = c.ask('/hello.txt')
tag, date = fields['etag'], fields['last-modified']
older, newer = 'Thu, 29 Feb 2024 11:59:59 GMT', 'Thu, 29 Feb 2024 12:00:01 GMT'
assert date == 'Thu, 29 Feb 2024 12:00:00 GMT', date
for wanted, *conditions in [
        (304, f'If-None-Match: {tag}'),
        (304, f'If-None-Match: W/{tag}'),
        (304, f'If-None-Match: "a", "b,c",{tag} , "d"'),
        (304, 'If-None-Match: "a"', f'If-None-Match: {tag}'),
        (304, 'If-None-Match: *'),
        (200, 'If-None-Match: "other"'),
        (200, f'If-None-Match: {tag[1:-1]}'),
        (304, f'If-Modified-Since: {date}'),
        (304, f'If-Modified-Since: {newer}'),
        (304, 'If-Modified-Since: Thursday, 29-Feb-24 12:00:00 GMT'),
        (304, 'If-Modified-Since: Thu Feb 29 12:00:00 2024'),
        (200, f'If-Modified-Since: {older}'),
        (200, 'If-Modified-Since: yesterday'),
        (200, 'If-None-Match: "other"', f'If-Modified-Since: {date}'),
        (304, f'If-None-Match: {tag}', f'If-Modified-Since: {older}'),
        (200, f'If-Match: {tag}'),
        (200, 'If-Match: *'),
        (412, 'If-Match: "other"'),
        (412, f'If-Match: W/{tag}'),
        (200, f'If-Unmodified-Since: {date}'),
        (412, f'If-Unmodified-Since: {older}'),
        (200, f'If-Match: {tag}', f'If-Unmodified-Since: {older}'),
        (412, 'If-Match: "other"', f'If-None-Match: {tag}'),
        (304, f'If-None-Match: {tag}', 'Range: bytes=0-1'),
        (412, 'If-Match: "other"', 'Range: bytes=0-1')]:
    for method in 'GET', 'HEAD':
        status, fields, body = c.ask('/hello.txt', method, *conditions)
        assert status == wanted, (method, conditions, status)
        if status == 200 and method == 'GET':
            same(body, whole)
        if status == 304:
            assert fields['etag'] == tag and fields['last-modified'] == date, fields
            assert 'content-type' not in fields, fields
# Where there is nothing, there is nothing to compare with.
assert c.ask('/nothing', 'GET', 'If-Match: "other"')[0] == 404
assert c.ask('/list/', 'GET', 'If-None-Match: "a"')[0] == 200
PYTHON
}

@test "a file from the future was not changed after it is sent" {
    drover_start "$SITE"
    touch -d 2035-01-01 "$SITE/hello.txt"
    run fetch -D - -o /dev/null /hello.txt
    assert_equal "$(grep -i ^Last-Modified: <<<"$output" | cut -d' ' -f2-)" \
        "$(grep -i ^Date: <<<"$output" | cut -d' ' -f2-)"
}

@test "ranges: one, the last bytes, open, several, none" {
    drover_start "$SITE"
    client <<'PYTHON'
c = Connection()


def parts_of(fields, body):
    """The bytes between the boundaries, each with its Content-Range."""
    kind, boundary = fields['content-type'].split('; boundary=')
    assert kind == 'multipart/byteranges', kind
    first, *parts, last = body.split(b'--' + boundary.encode())
    assert first.strip() == b'' and last == b'--\r\n', (first, last)
    for part in parts:
        lines, _, data = part.partition(b'\r\n\r\n')
        assert b'Content-Type: application/octet-stream' in lines, lines
        yield lines.decode().partition('Content-Range: ')[2].split('\r')[0], data[:-2]


for path in '/1k.bin', '/big.bin':
    whole = content(path)
    size = len(whole)
    tag = c.ask(path, 'HEAD')[1]['etag']
    for value, *wanted in [
            ('bytes=0-0', (0, 0)),
            ('bytes=5-99', (5, 99)),
            ('BYTES=5-99', (5, 99)),
            ('bytes=100-', (100, size - 1)),
            ('bytes=-10', (size - 10, size - 1)),
            ('bytes=-99999999', (0, size - 1)),
            ('bytes=1000-99999999999999999999999', (1000, size - 1)),
            (f'bytes={size - 1}-', (size - 1, size - 1)),
            (f'bytes=0-9,{size}-', (0, 9)),
            ('bytes=0-9,20-29', (0, 9), (20, 29)),
            ('bytes= 500-599 , ,  0-0,-1', (500, 599), (0, 0), (size - 1, size - 1)),
            (f'bytes=0-{size // 2},{size // 2 + 1}-', (0, size // 2), (size // 2 + 1, size - 1))]:
        status, fields, body = c.ask(path, 'GET', f'Range: {value}')
        assert status == 206, (value, status)
        assert fields['etag'] == tag
        ranges = [(f'bytes {first}-{last}/{size}', whole[first:last + 1]) for first, last in wanted]
        if len(ranges) == 1:
            assert fields['content-range'] == ranges[0][0], (value, fields)
            same(body, ranges[0][1])
        else:
            got = list(parts_of(fields, body))
            assert [r for r, data in got] == [r for r, data in ranges], (value, got)
            for (_, data), (_, want) in zip(got, ranges):
                same(data, want)
    for value in f'bytes={size}-', 'bytes=99999999-99999999', f'bytes={size}-,{size + 5}-':
        status, fields, body = c.ask(path, 'GET', f'Range: {value}')
        assert status == 416 and fields['content-range'] == f'bytes */{size}', (value, fields)
        assert b'<h1>416 ' in body, body
    # What is malformed or of no sense is as if it were not there.
    for value in ('bytes=5-2', 'bytes=', 'bytes=-', 'bytes=a-b', 'lines=0-9', 'bytes 0-9',
                  'bytes=0-9;10-19', 'bytes=0-,0-', 'bytes=' + ','.join(['0-0'] * 1000)):
        status, fields, body = c.ask(path, 'GET', f'Range: {value}')
        assert status == 200, (value, status)
        same(body, whole)
    status, fields, body = c.ask(path, 'HEAD', 'Range: bytes=0-9')
    assert status == 200 and fields['content-length'] == str(size), (status, fields)
status, fields, body = c.ask('/zero.txt', 'GET', 'Range: bytes=0-')
assert status == 416, status
PYTHON
}

@test "If-Range: the range only of the file that the client has a part of" {
    drover_start "$SITE"
    client <<'PYTHON'
c = Connection()
whole = content('/big.bin')
fields = c.ask('/big.bin', 'HEAD')[1]
tag, date = fields['etag'], fields['last-modified']
for wanted, value in [
        (206, tag), (200, 'W/' + tag), (200, '"other"'), (200, tag[1:-1]),
        (206, date), (200, 'Thu, 29 Feb 2024 12:00:01 GMT'), (200, 'Thu, 29 Feb 2024 11:59:59 GMT')]:
    status, fields, body = c.ask('/big.bin', 'GET', 'Range: bytes=7-99', f'If-Range: {value}')
    assert status == wanted, (value, status)
    same(body, whole[7:100] if wanted == 206 else whole)
PYTHON
}

# ---- connections ------------------------------------------------------------------------------

@test "100 pipelined requests are answered in order, small and big, GET and HEAD" {
    drover_start "$SITE"
    client <<'PYTHON'
kinds = [('/hello.txt', 'GET', 200), ('/1k.bin', 'GET', 200), ('/big.bin', 'GET', 200),
         ('/zero.txt', 'GET', 200), ('/big.bin', 'HEAD', 200), ('/nothing', 'GET', 404),
         ('/sub', 'GET', 301), ('/list/', 'GET', 200), ('/hello.txt', 'POST', 405),
         ('/outside.txt', 'GET', 403)]
c = Connection()
wanted = [kinds[i % 10] for i in range(100)]
c.send(''.join(request(f'{path}?{i}', method) for i, (path, method, _) in enumerate(wanted)))
for i, (path, method, code) in enumerate(wanted):
    status, fields, body = c.answer(method)
    assert status == code, (i, path, status)
    if status == 200 and method == 'GET' and path != '/list/':
        same(body, content(path))
    if status == 301:
        assert fields['location'] == f'/sub/?{i}', (i, fields)
# The connection is still of use, and nothing is left in it.
assert c.ask('/hello.txt')[2] == b'hello\n'
assert c.is_silent()
PYTHON
}

@test "5000 pipelined requests of one client do not hold up another's one" {
    drover_start --workers 1 "$SITE"
    client <<'PYTHON'
first, second = Connection(), Connection()
first.send(request('/hello.txt') * 5000)
assert second.ask('/1k.bin')[0] == 200
for i in range(5000):
    status, fields, body = first.answer()
    assert (status, body) == (200, b'hello\n'), i
PYTHON
}

@test "HTTP/1.1 keeps the connection, unless the client says close" {
    drover_start "$SITE"
    client <<'PYTHON'
c = Connection()
for i in range(3):
    status, fields, body = c.ask('/hello.txt')
    assert 'connection' not in fields, fields
for says in 'close', 'Close', 'x, close', 'keep-alive, close':
    c = Connection()
    status, fields, body = c.ask('/hello.txt', 'GET', f'Connection: {says}')
    assert fields['connection'] == 'close' and body == b'hello\n', fields
    assert c.is_closed()
# A refusal by the application leaves the connection as it is.
c = Connection()
for path in '/nothing', '/outside.txt', '/.hidden', '/':
    c.ask(path)
c.ask('/', 'POST')
assert c.ask('/hello.txt')[2] == b'hello\n'
PYTHON
}

@test "HTTP/1.0 ends the connection, unless both say keep-alive" {
    drover_start "$SITE"
    client <<'PYTHON'
c = Connection()
c.send('GET /hello.txt HTTP/1.0\r\n\r\n')
status, fields, body = c.answer()
assert (status, fields['connection'], body) == (200, 'close', b'hello\n'), fields
assert c.is_closed()
c = Connection()
for i in range(3):
    c.send('GET /big.bin HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n')
    status, fields, body = c.answer()
    assert fields['connection'] == 'keep-alive', fields
    same(body, content('/big.bin'))
c.send('GET /big.bin HTTP/1.0\r\n\r\n')
same(c.answer()[2], content('/big.bin'))
assert c.is_closed()
PYTHON
}

@test "a client that has said all it has to say gets its answers" {
    drover_start "$SITE"
    client <<'PYTHON'
c = Connection()
c.send(request('/big.bin') * 3 + request('/hello.txt'))
c.socket.shutdown(socket.SHUT_WR)
for path in ['/big.bin'] * 3 + ['/hello.txt']:
    same(c.answer()[2], content(path))
assert c.is_closed()
PYTHON
}

@test "what comes after the last request does not cost its answer" {
    drover_start --workers 1 "$SITE"
    head -c 20000000 /dev/urandom >"$SITE/20m"
    client <<'PYTHON'
for more in '\r\n', 'x' * 100000, request('/hello.txt') * 100:
    c = Connection(65536)
    c.send(request('/20m', 'GET', 'Connection: close'))
    c.until(b'\r\n\r\n')
    c.send(more)
    same(c.take(20000000), content('/20m'))
PYTHON
}

@test "a request that comes in pieces is the same request" {
    drover_start "$SITE"
    client <<'PYTHON'
requests = [
    (request('/hello.txt', 'GET', 'Accept: */*', 'If-None-Match: "a", "b"'), 'GET'),
    ('\r\n' + request('/big.bin', 'HEAD'), 'HEAD'),
    (request('/list/', 'POST', 'Content-Length: 5') + 'a\r\n\r\n', 'POST'),
    (request('/sub?x', 'GET', 'Transfer-Encoding: chunked')
     + '3;a="b\\"";c\r\nabc\r\n0a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n', 'GET'),
    (request('/1k.bin', 'GET', 'Range: bytes=1-9,20-29'), 'GET')]


def told(answer):
    status, fields, body = answer
    boundary = fields.get('content-type', '').partition('boundary=')[2]
    del fields['date']
    if boundary:
        fields['content-type'] = 'multipart'
        body = body.replace(boundary.encode(), b'')
    return status, fields, body


c = Connection()
for text, method in requests:
    c.send(text)
    whole = told(c.answer(method))
    c.send_each(text)
    assert told(c.answer(method)) == whole, ('byte by byte', text)
    for cut in range(1, len(text)):
        c.send(text[:cut])
        time.sleep(0.0005)
        c.send(text[cut:])
        assert told(c.answer(method)) == whole, (cut, text)
# All of them, and each cut falls into the middle of another's.
text = ''.join(text for text, _ in requests)
for size in 7, 64, 333:
    for at in range(0, len(text), size):
        c.send(text[at:at + size])
        time.sleep(0.0005)
    assert [c.answer(method)[0] for _, method in requests] == [200, 200, 405, 301, 206]
assert c.is_silent()
PYTHON
}

@test "a body that nobody asked for is skipped, and the connection stays in step" {
    drover_start "$SITE"
    client <<'PYTHON'
def chunked(data, size):
    chunks = [data[at:at + size] for at in range(0, len(data), size)]
    return ''.join(f'{len(chunk):x}\r\n{chunk}\r\n' for chunk in chunks) + '0\r\n\r\n'


# What looks like a request in it is none.
trap = request('/nothing') * 3
c = Connection()
for method, code in ('GET', 200), ('POST', 405), ('PUT', 405), ('DELETE', 405), ('OPTIONS', 204):
    for body in trap, 'x', 'x' * 200000, trap * 5000:
        assert len(body) <= 1024 * 1024
        c.send(request('/hello.txt', method, f'Content-Length: {len(body)}') + body)
        assert c.answer(method)[0] == code, (method, len(body))
        c.send(request('/hello.txt', method, 'Transfer-Encoding: chunked') + chunked(body, 1000))
        assert c.answer(method)[0] == code, (method, len(body))
    c.send(request('/hello.txt', method, 'Content-Length: 0'))
    assert c.answer(method)[0] == code
# Pipelined behind each other.
c.send((request('/hello.txt', 'POST', f'Content-Length: {len(trap)}') + trap
        + request('/1k.bin', 'GET', 'Transfer-Encoding: chunked') + chunked(trap, 3)) * 100)
for i in range(100):
    assert c.answer()[0] == 405 and c.answer()[2] == content('/1k.bin'), i
assert c.ask('/hello.txt')[2] == b'hello\n'
assert c.is_silent()
PYTHON
}

@test "Expect: 100-continue is answered at once, finally, and the body is not waited for" {
    drover_start "$SITE"
    client <<'PYTHON'
for method, code in ('POST', 405), ('GET', 200):
    c = Connection()
    c.send(request('/hello.txt', method, 'Content-Length: 1000', 'Expect: 100-continue'))
    status, fields, body = c.answer(method)
    assert status == code and fields['connection'] == 'close', (status, fields)
    c.send('x' * 1000)
    assert c.is_closed()
# A client that does not wait has its body skipped; HTTP/1.0 does not know of it.
c = Connection()
c.send(request('/hello.txt', 'POST', 'Content-Length: 3', 'Expect: 100-Continue') + 'abc')
assert c.answer()[0] == 405
c.send('POST /hello.txt HTTP/1.0\r\nExpect: x\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc')
assert c.answer()[0] == 405
assert c.ask('/hello.txt')[2] == b'hello\n'
PYTHON
    # curl waits for a second with a body of this size, were there no answer.
    run -0 fetch /hello.txt --request POST --header 'Expect: 100-continue' \
        --data-binary "@$SITE/1k.bin" --output /dev/null --write-out '%{http_code}'
    assert_output 405
}

# ---- refusals ---------------------------------------------------------------------------------

@test "400: what is no HTTP, or could be read in two ways" {
    local host='Host: x\r\n'
    drover_start "$SITE"
    refuses 400 'hello\r\n\r\n'
    refuses 400 'GET /\r\n\r\n'
    refuses 400 'GET / HTTP/1.1 \r\nHost: x\r\n\r\n'
    refuses 400 'GET  / HTTP/1.1\r\nHost: x\r\n\r\n'
    refuses 400 ' GET / HTTP/1.1\r\nHost: x\r\n\r\n'
    refuses 400 'GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n'
    refuses 400 'GET / http/1.1\r\nHost: x\r\n\r\n'
    refuses 400 'GET / HTTP/11\r\nHost: x\r\n\r\n'
    refuses 400 'G(T / HTTP/1.1\r\nHost: x\r\n\r\n'
    refuses 400 'GET hello.txt HTTP/1.1\r\nHost: x\r\n\r\n'
    refuses 400 'GET * HTTP/1.1\r\nHost: x\r\n\r\n'
    refuses 400 'GET /#top HTTP/1.1\r\nHost: x\r\n\r\n'
    refuses 400 'GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n'
    refuses 400 'GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n'
    refuses 400 'GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    refuses 400 'GET /hello.txt%00.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    refuses 400 'GET /%4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    refuses 400 'GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    refuses 400 'GET /../secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    refuses 400 'GET /sub/../../secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    refuses 400 'GET / HTTP/1.1\nHost: x\n\n'
    refuses 400 'GET / HTTP/1.1\r\nHost: x\n\r\n'
    refuses 400 'GET / HTTP/1.1\rHost: x\r\n\r\n'
    refuses 400 'GET / HTTP/1.1\r\n\r\n'
    refuses 400 "GET / HTTP/1.1\r\n$host$host\r\n"
    refuses 400 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'
    refuses 400 'GET / HTTP/1.1\r\nHost: a,b\r\n\r\n'
    refuses 400 'GET / HTTP/1.1\r\nHost: user@x\r\n\r\n'
    refuses 400 'GET / HTTP/1.1\r\nHost : x\r\n\r\n'
    refuses 400 "GET / HTTP/1.1\r\n${host}A: b\r\n folded\r\n\r\n"
    refuses 400 "GET / HTTP/1.1\r\n${host}no colon\r\n\r\n"
    refuses 400 "GET / HTTP/1.1\r\n$host: empty\r\n\r\n"
    refuses 400 "GET / HTTP/1.1\r\n${host}A: \0\r\n\r\n"
    refuses 400 "GET / HTTP/1.1\r\n${host}A: a\rb\r\n\r\n"
    refuses 400 "POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"
    refuses 400 "POST / HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n"
    refuses 400 "POST / HTTP/1.1\r\n${host}Content-Length: +1\r\n\r\na"
    refuses 400 "POST / HTTP/1.1\r\n${host}Content-Length: 0x1\r\n\r\na"
    refuses 400 "POST / HTTP/1.1\r\n${host}Content-Length: 99999999999999999999\r\n\r\na"
    refuses 400 "POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    refuses 400 "POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    refuses 400 "POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"
    refuses 400 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
    refuses 400 "POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n"
    refuses 400 "POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"
    refuses 400 "POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n"
    # TLS, as from a browser that was given https://.
    refuses 400 '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'
}

@test "403: links that lead outside, and what is no file" {
    local path user=()
    ln -s hello.txt "$SITE/link"
    ln -s "$SITE/hello.txt" "$SITE/absolute"
    ln -s /etc/passwd "$SITE/passwd"
    ln -s .. "$SITE/up"
    ln -s ../../../../../../../../../../etc "$SITE/etc"
    ln -s link-to-passwd "$SITE/two" && ln -s /etc/passwd "$SITE/link-to-passwd"
    ln -s loop "$SITE/loop"
    ln -s /proc/self/root/etc/passwd "$SITE/magic"
    mkfifo "$SITE/fifo"
    "$PYTHON" -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$SITE/socket"
    echo secret >"$SITE/unreadable" && chmod 000 "$SITE/unreadable"
    mkdir "$SITE/closed" && echo secret >"$SITE/closed/file" && chmod 000 "$SITE/closed"
    ((EUID == 0)) && user=(--user nobody)
    drover_start "${user[@]}" "$SITE"
    for path in /absolute /passwd /up /up/secret /up/site/hello.txt /etc /etc/ /etc/passwd /two \
        /loop /magic /outside.txt /slash /slash/ /slash/etc/passwd /fifo /socket /unreadable \
        /closed/ /closed/file; do
        refuses 403 "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    done
    assert_equal "$(fetch /link)" hello
    chmod 755 "$SITE/closed"
}

@test "403: the log has the reason, once a second at most" {
    local user=() before
    ln -s /etc/passwd "$SITE/passwd"
    echo secret >"$SITE/unreadable" && chmod 000 "$SITE/unreadable"
    ((EUID == 0)) && user=(--user nobody)
    drover_start --workers 1 "${user[@]}" "$SITE"
    before=$SECONDS
    for _ in {1..30}; do
        answers 403 'GET /passwd HTTP/1.0\r\n\r\n'
    done
    logged 'info  worker 0: /passwd: a link leads out of ROOT'
    (($(grep -c 'out of ROOT' "$DROVER_LOG") <= SECONDS - before + 2))
    wait_until 20 refused_and_told
}

# For wait_until.
refused_and_told() {
    answers 403 'GET /unreadable HTTP/1.0\r\n\r\n'
    logged 'info  worker 0: /unreadable: Permission denied'
}

@test "404: what is not there, or is hidden" {
    local path
    drover_start "$SITE"
    for path in /nothing /nothing/ /sub/nothing /hello.txt/ /hello.txt/x /hello.txt/index.html \
        /.hidden /.well-known/x /list%2Fa.txt /list%2fa.txt /hello.txt%20 /HELLO.TXT /%FF \
        "/$(printf '%0256d' 0)" "/$(printf '%0255d' 0)/x"; do
        refuses 404 "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    done
}

@test "405 and OPTIONS say what is allowed" {
    local method
    drover_start "$SITE"
    for method in POST PUT DELETE PATCH TRACE; do
        refuses 405 "$method /hello.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert_equal "$(field Allow)" 'GET, HEAD, OPTIONS'
    done
    answers 204 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    assert_equal "$(field Allow)" 'GET, HEAD, OPTIONS'
    answers 204 'OPTIONS /hello.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    assert_equal "$(field Allow)" 'GET, HEAD, OPTIONS'
    assert_equal "$(<"$SITE/hello.txt")" hello
}

@test "413, 414, 417, 431: what is too much" {
    local long many=''
    drover_start "$SITE"
    refuses 413 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n'
    refuses 413 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\n'
    refuses 413 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\nExpect: 100-continue\r\n\r\n'
    client <<'PYTHON'
# The answer comes before all of the body has, and no reset overtakes it.
for fields, chunk in ([f'Content-Length: {3 << 20}'], 'x' * 65536), (
        ['Transfer-Encoding: chunked'], '10000\r\n' + 'x' * 65536 + '\r\n'):
    c = Connection()
    c.send(request('/hello.txt', 'PUT', *fields))
    for i in range(40):
        c.send(chunk)
    status, fields, body = c.answer()
    assert status == 413 and fields['connection'] == 'close', (status, fields)
    assert c.is_closed()
PYTHON
    printf -v long '%05000d' 0
    refuses 414 "GET /$long$long HTTP/1.1\r\nHost: x\r\n\r\n"
    refuses 414 "GET /?$long$long HTTP/1.1\r\nHost: x\r\n\r\n"
    refuses 414 "GET /${long//0/a/} HTTP/1.1\r\nHost: x\r\n\r\n"
    refuses 414 "GET /${long//0/a/}"
    answers 200 "GET /hello.txt?$long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    refuses 417 'GET / HTTP/1.1\r\nHost: x\r\nExpect: the-unexpected\r\nConnection: close\r\n\r\n'
    refuses 431 "GET / HTTP/1.1\r\nHost: x\r\nA: $long$long$long$long$long$long$long\r\n\r\n"
    refuses 431 "GET / HTTP/1.1\r\nHost: x\r\n$long$long$long$long$long$long$long"
    printf -v many 'F%d: x\\r\\n' {1..101}
    refuses 431 "GET / HTTP/1.1\r\nHost: x\r\n$many\r\n"
    printf -v many 'F%d: x\\r\\n' {1..98}
    answers 200 "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n$many\r\n"
}

@test "a refusal of HEAD has no body, as any other answer to it" {
    drover_start "$SITE"
    client <<'PYTHON'
long = 'a' * 40000
for status, text in [
        (400, 'HEAD / HTTP/1.1\r\n\r\n'),
        (400, 'HEAD * HTTP/1.1\r\nHost: x\r\n\r\n'),
        (400, 'HEAD / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n'),
        (400, '\r\nHEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n'),
        (400, 'HEAD /a b HTTP/1.1\r\nHost: x\r\n\r\n'),
        (400, request('/', 'HEAD', 'Transfer-Encoding: chunked') + 'x\r\n'),
        (413, request('/', 'HEAD', 'Content-Length: 9999999')),
        (414, 'HEAD /' + long),
        (431, request('/', 'HEAD', 'A: ' + long)),
        (501, request('/', 'HEAD', 'Transfer-Encoding: gzip')),
        (505, 'HEAD / HTTP/2.0\r\nHost: x\r\n\r\n')]:
    c = Connection()
    c.send(text)
    got, fields, _ = c.answer('HEAD')
    assert got == status, (got, text[:80])
    assert int(fields['content-length']) > 0 and fields['connection'] == 'close', fields
    assert c.is_closed(), (c.bytes, text[:80])
PYTHON
}

@test "a refusal is heard by a client that first sends all of a large body" {
    drover_start "$SITE"
    client <<'PYTHON'
for head in request('/', 'PUT', f'Content-Length: {32 << 20}'), 'PUT / HTTP/2.0\r\n\r\n':
    c = Connection()
    c.send(head)
    c.send(bytes(32 << 20))
    status, fields, _ = c.answer()
    assert status in (413, 505) and fields['connection'] == 'close', (status, fields)
    assert c.is_closed()
PYTHON
}

@test "408 of a HEAD has no body, whatever of it has come" {
    drover_start --header-timeout 200ms --body-timeout 200ms "$SITE"
    client <<'PYTHON'
for text in 'HEAD ', 'HEAD / HTTP/1.1\r\nHos', request('/', 'HEAD', 'Content-Length: 2') + 'x':
    c = Connection()
    c.send(text)
    status, fields, _ = c.answer('HEAD')
    assert status == 408 and fields['connection'] == 'close', (status, text)
    assert c.is_closed(), (c.bytes, text)
PYTHON
}

@test "501, 505: what is not known here" {
    drover_start "$SITE"
    refuses 501 'BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    refuses 501 'get / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    refuses 501 'CONNECT x:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    refuses 501 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'
    refuses 501 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'
    refuses 505 'GET / HTTP/2.0\r\nHost: x\r\n\r\n'
    refuses 505 'GET / HTTP/0.9\r\nHost: x\r\n\r\n'
    refuses 505 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
}

@test "nothing outside ROOT is served, whatever the path" {
    local path answer status
    echo secret >"$BATS_TEST_TMPDIR/site-secret"
    mkdir -p "$SITE/a/b" && ln -s ../../.. "$SITE/a/b/up" && ln -s . "$SITE/self"
    drover_start --dot-files yes "$SITE"
    # Each as it is, by curl and by hand. The file outside holds the word secret.
    while IFS= read -r path; do
        status=$(curl --silent --globoff --path-as-is --max-time 20 --http1.1 \
            --output "$BATS_TEST_TMPDIR/got" --write-out '%{http_code}' \
            --request-target "$path" "$DROVER_URL")
        [[ $status == 40[034] ]] || fail "$path: $status"
        refute grep -qF -e secret -e root: "$BATS_TEST_TMPDIR/got"
        answer=$(raw "GET ${path//\\/\\\\} HTTP/1.0\r\n\r\n" | tr -d '\0')
        [[ $answer == 'HTTP/1.1 40'[034]' '* && $answer != *secret* && $answer != *root:* ]] ||
            fail "$path: $answer"
    done <<'TABLE'
/../secret
/../../../../../../../../../../etc/passwd
/..
/../
/../site-secret
/../site/../secret
/./../secret
/.//../secret
//../secret
///..//secret
/sub/../../secret
/sub/../sub/../../secret
/nothing/../../secret
/hello.txt/../../secret
/sub/..//../secret
/%2e%2e/secret
/%2E%2E/secret
/.%2e/secret
/%2e./secret
/..%2fsecret
/%2e%2e%2fsecret
/..%2Fsecret
/sub/%2e%2e/%2e%2e/secret
/sub/..%2f..%2fsecret
/..%5csecret
/..\secret
/\..\secret
/%5c..%5c..%5csecret
/..%00/secret
/hello.txt%00/../../secret
/%2e%2e%00/secret
/%252e%252e/secret
/%252e%252e%252fsecret
/%c0%ae%c0%ae/secret
/%c0%ae%c0%ae%c0%afsecret
/%uff0e%uff0e/secret
/..;/secret
/.../secret
/..../secret
/. ./secret
/..%20/secret
/%20../secret
/..%09/secret
/~root/secret
/outside.txt
/outside.txt/
/slash/etc/passwd
/slash/../secret
/slash/proc/self/root/etc/passwd
/slash/proc/self/cwd/secret
/a/b/up/secret
/a/b/up/site/hello.txt
/a/b/up/../secret
/self/self/self/../../../../secret
/self/../../secret
/%2fetc%2fpasswd
/%2Fetc/passwd
//etc/passwd
/etc/passwd
http://x/../secret
http://x/%2e%2e/secret
http://x//etc/passwd
file:///etc/passwd
../secret
etc/passwd
%2fetc%2fpasswd
TABLE
}

# ---- those who take their time ----------------------------------------------------------------

@test "408: a head that does not get ready in time, byte by byte, too" {
    drover_start --header-timeout 300ms "$SITE"
    client <<'PYTHON'
for start in 'G', 'GET / HTTP/1.1\r\n', request('/hello.txt') + 'GET /':
    c = Connection()
    began = time.monotonic()
    c.send(start)
    if start.endswith(' /'):
        assert c.answer()[2] == b'hello\n'
    status, fields, body = c.answer()
    assert status == 408 and fields['connection'] == 'close', (status, fields)
    assert b'<h1>408 ' in body, body
    assert c.is_closed()
    assert time.monotonic() - began > 0.25, 'too early'
# The time runs from the first byte on, not anew with each.
c = Connection()
for i in range(int(seconds * 100)):
    c.send('GET / HTTP/1.1\r\n' if i == 0 else 'X: y\r\n')
    if not c.is_silent(0.01):
        break
assert c.answer()[0] == 408
PYTHON
}

@test "a connection without a byte is closed without one" {
    drover_start --listen 127.0.0.1:0,defer=no --header-timeout 300ms "$SITE"
    client <<'PYTHON'
c = Connection()
assert c.is_closed()
PYTHON
}

@test "408: a body that does not come in time" {
    drover_start --body-timeout 300ms "$SITE"
    client <<'PYTHON'
for fields, start in ('Content-Length: 10', 'abc'), ('Transfer-Encoding: chunked', '5\r\nab'):
    c = Connection()
    began = time.monotonic()
    c.send(request('/hello.txt', 'POST', fields) + start)
    status, fields, body = c.answer()
    assert status == 408 and fields['connection'] == 'close', (status, fields)
    assert c.is_closed()
    assert time.monotonic() - began > 0.25, 'too early'
PYTHON
}

@test "an idle connection is closed after its time, not before" {
    drover_start --idle-timeout 400ms "$SITE"
    client <<'PYTHON'
c = Connection()
began = time.monotonic()
assert c.ask('/hello.txt')[0] == 200
assert c.is_closed()
assert time.monotonic() - began > 0.35, 'too early'
PYTHON
    drover_stop
    # Each request starts it anew; 0 is never. How long the others take shows in this one.
    drover_start --idle-timeout 0 --header-timeout 100ms --send-timeout 100ms "$SITE"
    client <<'PYTHON'
c = Connection()
assert c.ask('/hello.txt')[0] == 200
assert c.is_silent(0.5)
assert c.ask('/hello.txt')[0] == 200
PYTHON
}

@test "a slow reader gets all of a big file, and holds nobody up" {
    drover_start --workers 1 "$SITE"
    head -c 20000000 /dev/urandom >"$SITE/20m"
    client <<'PYTHON'
slow, other = Connection(4096), Connection()
slow.send(request('/20m') + request('/hello.txt'))
slow.until(b'\r\n\r\n')
for i in range(100):
    assert other.ask('/1k.bin')[2] == content('/1k.bin')
parts = []
for i in range(20000000 // 10000):
    parts.append(slow.take(10000))
same(b''.join(parts), content('/20m'))
assert slow.answer()[2] == b'hello\n'
PYTHON
}

@test "a client that takes nothing of its answer is let go, and its file closed" {
    drover_start --workers 1 --send-timeout 1500ms --idle-timeout 0 "$SITE"
    truncate -s 100M "$SITE/100m"
    client "$(worker_of 0)" <<'PYTHON'
def descriptors():
    return len(os.listdir(f'/proc/{args[0]}/fd'))


at_rest = descriptors()
c = Connection(4096)
began = time.monotonic()
c.send(request('/100m'))
c.until(b'\r\n\r\n')
assert descriptors() == at_rest + 2
wait(lambda: descriptors() == at_rest)
assert time.monotonic() - began > 1.45, 'too early'
taken = 0
try:
    while part := c.socket.recv(1 << 20):
        taken += len(part)
except ConnectionResetError:
    pass
assert 0 < taken < 100 << 20, taken
PYTHON
}

@test "a client that takes its answer slowly, but does, is not let go" {
    drover_start --workers 1 --send-timeout 2s "$SITE"
    truncate -s 100M "$SITE/100m"
    client <<'PYTHON'
c = Connection(65536)
c.send(request('/100m'))
c.until(b'\r\n\r\n')
began = time.monotonic()
left = 100 << 20
while time.monotonic() - began < 3:
    left -= len(c.take(1 << 20))
    time.sleep(0.1)
assert left > 50 << 20, 'it was never waited for'
c.take(left)
assert c.ask('/hello.txt')[0] == 200
PYTHON
}

@test "a file that gets shorter while it is sent ends the connection, not the server" {
    drover_start --workers 1 "$SITE"
    truncate -s 100M "$SITE/100m"
    client "$(worker_of 0)" <<'PYTHON'
c = Connection(4096)
c.send(request('/100m'))
c.until(b'\r\n\r\n')
os.truncate(site + '/100m', 1000)
taken = len(c.bytes)
try:
    while part := c.socket.recv(1 << 20):
        taken += len(part)
except ConnectionResetError:
    pass
assert taken < 100 << 20, taken
assert Connection().ask('/hello.txt')[0] == 200
assert os.path.exists(f'/proc/{args[0]}')
PYTHON
}

@test "a client beyond --max-connections waits in the queue until another ends" {
    drover_start --workers 1 --max-connections 2 "$SITE"
    client <<'PYTHON'
first, second = Connection(), Connection()
assert first.ask('/hello.txt')[0] == second.ask('/hello.txt')[0] == 200
waiting = [Connection() for i in range(3)]
for c in waiting:
    c.send(request('/hello.txt', 'GET', 'Connection: close'))
assert not select.select([c.socket for c in waiting], [], [], 0.3)[0], 'served, or refused'
# Those who are in still are.
assert first.ask('/hello.txt')[0] == second.ask('/hello.txt')[0] == 200
first.socket.close()
for c in waiting:
    assert c.answer()[2] == b'hello\n'
assert second.ask('/hello.txt')[0] == 200
PYTHON
}
