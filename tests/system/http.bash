#!/usr/bin/env bash
#
# http - what the tests of serving share, beside helper: requests byte by byte, and clients that
# do what no tool does.

# Seconds that a client waits for bytes, or for an end, that must come.
: "${CLIENT_SECONDS:=30}"

# ---- one request, as bytes --------------------------------------------------------------------

# raw REQUEST: sends the request, whose backslashes printf %b reads, over a connection of its own,
# and prints all that comes until the server closes. A server that does not is a failure.
raw() {
    local connection status=0
    exec {connection}<>"/dev/tcp/${DROVER_ADDR%:*}/$(port_of)" || return
    printf '%b' "$1" >&"$connection" || status=$?
    timeout "$CLIENT_SECONDS" cat <&"$connection" || status=$?
    exec {connection}>&-
    return "$status"
}

# answers STATUS REQUEST: is that the status of the answer? Leaves the answer's head and body in
# `head` and `body`, the carriage returns taken out.
answers() {
    local answer line=${2//$'\n'/ }
    answer=$(
        set -o pipefail
        raw "$2" | tr -d '\r\0'
    ) || fail "the connection was not closed in order: ${line:0:200}" || return
    head=${answer%%$'\n\n'*} body=${answer#*$'\n\n'}
    [[ $head == "HTTP/1.1 $1 "* ]] ||
        fail "not $1: ${line:0:200}"$'\n'"but ${answer:0:300}"
}

# refuses STATUS REQUEST: is that the status, and does a short page of HTML say so?
refuses() {
    local length
    answers "$1" "$2" || return
    length=$(field Content-Length)
    [[ $(field Content-Type) == 'text/html; charset=utf-8' ]] || fail "$1: no HTML: $head"
    [[ $body == '<!DOCTYPE html>'*"<h1>$1 "*'</html>' ]] || fail "$1: no page: $body"
    ((length < 1000 && length == ${#body} + 1)) || fail "$1: Content-Length: $length"
}

# field NAME [HEAD]: the value of a field of `head`, if it is there.
field() {
    local line
    while IFS= read -r line; do
        line=${line%$'\r'}
        [[ ${line,,} == "${1,,}: "* ]] && printf '%s\n' "${line#*: }" && return
    done <<<"${2-$head}"
    return 1
}

# ---- clients in Python ------------------------------------------------------------------------

# client [ARGUMENT...]: runs the Python program on standard input, which has what stands below and
# its arguments in `args`. Any assertion that does not hold fails the test.
client() {
    local program
    program=$(cat)
    SITE=${SITE:-} "$PYTHON" -I -S -c "$CLIENT
$program" "$DROVER_ADDR" "$CLIENT_SECONDS" "$@" 3>&- 4>&-
}

# No module that python3-minimal lacks.
CLIENT=$(
    cat <<'PYTHON'
import os, re, select, socket, sys, time

host, port = sys.argv[1].rsplit(':', 1)
seconds = float(sys.argv[2])
args = sys.argv[3:]
site = os.environ['SITE']


class Connection:
    """A connection whose every wait is bounded."""

    def __init__(self, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect((host, int(port)))
        self.bytes = b''

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def send_each(self, text):
        """Byte by byte, with time for the server to see each."""
        for byte in text.encode():
            self.send(bytes([byte]))
            time.sleep(0.0005)

    def more(self):
        part = self.socket.recv(1 << 20)
        self.bytes += part
        return part

    def until(self, mark):
        while mark not in self.bytes:
            assert self.more(), f'closed after {self.bytes!r:.300}'
        text, _, self.bytes = self.bytes.partition(mark)
        return text

    def take(self, length):
        parts = [self.bytes]
        left = length - len(self.bytes)
        while left > 0:
            part = self.socket.recv(min(left, 1 << 20))
            assert part, f'closed {left} of {length} bytes before the end of a body'
            parts.append(part)
            left -= len(part)
        whole = b''.join(parts)
        self.bytes = whole[length:]
        return whole[:length]

    def answer(self, method='GET'):
        """The status, the fields in lower case, the body."""
        first, *lines = self.until(b'\r\n\r\n').decode('latin-1').split('\r\n')
        assert first.startswith('HTTP/1.1 '), first
        status = int(first.split()[1])
        fields = {name.lower(): value for name, value in (line.split(': ', 1) for line in lines)}
        length = int(fields.get('content-length', 0))
        has_body = method != 'HEAD' and status not in (204, 304)
        return status, fields, self.take(length) if has_body else b''

    def ask(self, target, method='GET', *fields):
        self.send(request(target, method, *fields))
        return self.answer(method)

    def is_silent(self, for_seconds=0):
        """Has nothing come, not even an end?"""
        return not self.bytes and not select.select([self.socket], [], [], for_seconds)[0]

    def is_closed(self):
        """Is the end the next to come?"""
        return not self.bytes and not self.more()


def request(target, method='GET', *fields):
    lines = [f'{method} {target} HTTP/1.1', 'Host: x', *fields]
    return '\r\n'.join(lines) + '\r\n\r\n'


def content(path):
    with open(site + path, 'rb') as file:
        return file.read()


def wait(condition):
    """Polls until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f'not within {seconds} s'
        time.sleep(0.01)


def same(got, wanted):
    """Equal, without a traceback of a megabyte."""
    assert len(got) == len(wanted), f'{len(got)} bytes instead of {len(wanted)}'
    assert got == wanted, 'other bytes'
PYTHON
)

# ---- names that a page could trip over --------------------------------------------------------

# make_odd_names DIR: in it, a file for each name in ODD_NAMES, which holds its own name.
make_odd_names() {
    local name
    mkdir -p "$1"
    for name in "${ODD_NAMES[@]}"; do
        printf '%s' "$name" >"$1/$name"
    done
}

# shellcheck disable=SC2016 # as they are
ODD_NAMES=(
    plain.txt
    "a & b <c>\"'.txt"
    '<script>alert(1);' '<a href="x">y' '&lt;b&gt;'
    '<!--' ']]>' '&amp;' '&#60;' '%41' '%2e%2e%2f' '100%'
    'with space' ' leading' 'trailing '
    'colon:name' 'http:' 'javascript:alert(1)' 'C:' 'C#.txt' 'what?' '?' '#' 'a=b&c=d;e+f'
    'back\slash' '\\evil' '[v6]' '{a,b}' '$HOME' '*' '~' '`id`' '^' '|' '@' '!' ',' '-' '--help'
    'späte Grüße' '日本語.txt' $'\xff\xfe' $'tab\there' $'new\nline' $'bell\a' $'del\177'
    "$(printf '%0255d' 0)"
)
