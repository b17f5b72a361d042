#!/usr/bin/env bats
#
# site - Debian's documentation of Python, 1,000 files that nobody here wrote, and a browser.

# bats file_tags=beside

load helper
load http

setup() {
    export HOME=$BATS_TEST_TMPDIR/home # the browser's
    mkdir "$HOME"
}

# ---- the browser ------------------------------------------------------------------------------

# browse URL OPTION...: opens the page in Chromium, which prints what the options say, and leaves
# what it asked the network for in $NET. It knows no address but the server's.
browse() {
    local url=$1 name profile
    shift
    NET=$BATS_TEST_TMPDIR/net.json
    profile=$(mktemp -d "$BATS_TEST_TMPDIR/profile.XXXX")
    for name in chromium chromium-browser google-chrome; do
        type -P "$name" >/dev/null && break
    done
    timeout --kill-after=5 90 "$name" --headless --no-sandbox --disable-gpu --disable-quic \
        --no-first-run --disable-background-networking --disable-component-update --disable-sync \
        --disable-default-apps --disable-extensions --disable-dev-shm-usage --hide-scrollbars \
        --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1' \
        --user-data-dir="$profile" --log-net-log="$NET" "$@" "$url" \
        2>"$BATS_TEST_TMPDIR/browser.log" 3>&- 4>&- ||
        fail "the browser: $? $(tail -n 5 "$BATS_TEST_TMPDIR/browser.log")"
}

# requested: a line for each request to the server: URL, status, error. One that the browser
# answered from its memory has neither.
requested() {
    jq -r --arg url "$DROVER_URL/" '
        .constants.logEventTypes as $type
        | [.events[] | select(.params)] | group_by(.source.id)[]
        | {url: [.[] | select(.type == $type.URL_REQUEST_START_JOB).params.url // empty][0],
           status: [.[] | select(.type == $type.HTTP_TRANSACTION_READ_RESPONSE_HEADERS)
                    .params.headers[0] | split(" ")[1]] | join(","),
           error: [.[].params.net_error // empty] | join(",")}
        | select(.url // "" | startswith($url))
        | "\(.url | ltrimstr($url) | "/" + .) \(.status) \(.error)"' "$NET"
}

# ---- the site ---------------------------------------------------------------------------------

@test "every file of the site is what is on the disk" {
    local docs copy=$BATS_TEST_TMPDIR/copy
    docs=$(docs_site)
    # Its links lead to /usr/share/javascript: within this root.
    drover_start --dot-files yes /usr/share
    find -L "$docs" -type f -printf '%P\n' >"$BATS_TEST_TMPDIR/files"
    (($(wc -l <"$BATS_TEST_TMPDIR/files") > 500))
    while IFS= read -r file; do
        printf 'url = "%s/%s"\noutput = "%s/%s"\n' \
            "$DROVER_URL${docs#/usr/share}" "$file" "$copy" "$file"
    done <"$BATS_TEST_TMPDIR/files" >"$BATS_TEST_TMPDIR/config"
    curl --silent --show-error --fail --fail-early --max-time 120 --create-dirs --globoff \
        --config "$BATS_TEST_TMPDIR/config"
    diff --recursive --brief "$docs" "$copy"
    # Again, many at a time.
    rm -r "$copy"
    curl --silent --show-error --fail --fail-early --max-time 120 --create-dirs --globoff \
        --parallel --parallel-max 32 --no-progress-meter --config "$BATS_TEST_TMPDIR/config"
    diff --recursive --brief "$docs" "$copy"
}

@test "a page of the site opens in a browser, with its styles and scripts" {
    local docs
    docs=$(docs_site)
    drover_start /usr/share
    browse "$DROVER_URL${docs#/usr/share}/library/socket.html" --dump-dom >"$BATS_TEST_TMPDIR/dom"
    # The text, and what only its scripts put there.
    grep -qF 'Low-level networking interface' "$BATS_TEST_TMPDIR/dom"
    grep -qF 'class="copybutton"' "$BATS_TEST_TMPDIR/dom"
    requested | tee "$BATS_TEST_TMPDIR/requests"
    # Each got a good answer, or came from memory after one.
    refute grep -vE ' (200|304) $|  $' "$BATS_TEST_TMPDIR/requests"
    (($(grep -cE '\.css(\?[^ ]*)? 200 $' "$BATS_TEST_TMPDIR/requests") >= 3))
    (($(grep -cE '\.js(\?[^ ]*)? 200 $' "$BATS_TEST_TMPDIR/requests") >= 5))
    grep -q '/library/socket.html 200 $' "$BATS_TEST_TMPDIR/requests"
}

# ---- the listing ------------------------------------------------------------------------------

@test "a browser finds every file of a listing behind its link, and its name in the page" {
    local site=$BATS_TEST_TMPDIR/site
    make_odd_names "$site/odd"
    rm "$site/odd"/$'\xff\xfe' # a page cannot show that name
    # The page asks for the listing, and for what is behind each of its links.
    cat >"$site/check.html" <<'HTML'
<!doctype html>
<meta charset="utf-8">
<title>check</title>
<iframe src="/odd/"></iframe>
<script>
onload = async () => {
    const listing = document.querySelector("iframe").contentDocument
    const rows = [...listing.querySelectorAll("tbody tr")].slice(1)
    let wrong = listing.compatMode == "CSS1Compat" ? "" : "quirks "
    for (const row of rows) {
        const link = row.querySelector("a")
        const answer = await fetch(link.href)
        const name = await answer.text()
        if (!answer.ok || link.textContent != name || row.cells.length != 3)
            wrong += `<${link.textContent}> is <${name}> `
    }
    document.title = `${rows.length} names, wrong: ${wrong || "none"}`
}
</script>
HTML
    drover_start "$site"
    browse "$DROVER_URL/check.html" --dump-dom --virtual-time-budget=30000 >"$BATS_TEST_TMPDIR/dom"
    run -0 grep -o '<title>.*</title>' "$BATS_TEST_TMPDIR/dom"
    assert_output "<title>$((${#ODD_NAMES[@]} - 1)) names, wrong: none</title>"
}

@test "a listing follows the browser's light and dark colours" {
    local scheme
    make_site
    # shellcheck disable=SC2153 # make_site sets it
    drover_start "$SITE"
    for scheme in 0 1; do # dark, light
        browse "$DROVER_URL/list/" --screenshot="$BATS_TEST_TMPDIR/$scheme.png" \
            --window-size=800,600 --blink-settings=preferredColorScheme=$scheme
    done
    # The corner of the page, far from any text.
    corner() {
        "$PYTHON" -I -S -c "$FIRST_PIXEL" "$BATS_TEST_TMPDIR/$1.png"
    }
    (($(corner 0) < 64))
    (($(corner 1) > 192))
}

# Prints the brightness of a PNG's first pixel, 0 to 255: a filter has no effect there.
FIRST_PIXEL='
import sys, zlib
data = open(sys.argv[1], "rb").read()
packed, at = b"", 8
while at < len(data):
    length = int.from_bytes(data[at:at + 4], "big")
    if data[at + 4:at + 8] == b"IDAT":
        packed += data[at + 8:at + 8 + length]
    at += length + 12
print(sum(zlib.decompress(packed)[1:4]) // 3)
'
