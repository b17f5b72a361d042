#!/usr/bin/env bash
#
# terminal - programs on a terminal of the tests' own, on top of helper.bash and process.bash:
# `load helper`, `load process`, `load terminal`.

# on_terminal [ARG...] <<'PY': runs Python that has a terminal: with what py() has, and Terminal.
# Its arguments are in args, and DROVER is the binary.
on_terminal() {
    local code
    code=$(cat)
    py "$DROVER" "$@" <<<"$TERMINAL"$'\n'"$code"
}

TERMINAL=$(
    cat <<'PYTHON'
import fcntl, pty, re, struct, subprocess, termios
DROVER, args = sys.argv[1], sys.argv[2:]

class Terminal:
    """A program on a pseudoterminal, and the screen that it has drawn: what ECMA-48 and xterm say
    of the sequences that it may use. Any other one is an error."""

    def __init__(self, argv, rows=24, columns=80, **environment):
        self.master, self.slave = pty.openpty()
        self.raw, self.rest = b"", b""
        self.alternate, self.hidden, self.wraps = False, False, True
        self.main = None
        self.cursor, self.saved = [0, 0], [0, 0]
        self.look = ""
        self.resize(rows, columns, False)
        self.lines = self.blank()
        self.before = termios.tcgetattr(self.slave)
        env = dict(os.environ, TERM="xterm", **environment)
        self.process = subprocess.Popen(argv, stdin=self.slave, stdout=self.slave,
            stderr=self.slave, env=env, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def blank(self):
        return [[" "] * self.columns for _ in range(self.rows)]

    def resize(self, rows, columns, tell=True):
        """The kernel sends SIGWINCH by itself."""
        self.rows, self.columns = rows, columns
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.lines = [(line + [" "] * columns)[:columns] for line in self.lines[:rows]]
            self.lines += [[" "] * columns for _ in range(rows - len(self.lines))]

    def put(self, byte):
        row, column = self.cursor
        if byte == "\r":
            self.cursor[1] = 0
        elif byte == "\n":
            if row >= self.rows - 1:
                self.lines = self.lines[1:] + [[" "] * self.columns]
            else:
                self.cursor[0] += 1
        elif byte >= " " and byte < "\x7f":
            if column >= self.columns and self.wraps:
                self.put("\r")
                self.put("\n")
                row, column = self.cursor
            column = min(column, self.columns - 1)
            if row < self.rows: # else it has become smaller meanwhile
                self.lines[row][column] = byte
            self.cursor[1] = column + 1
        else:
            raise AssertionError(f"a control character: {byte!r}")

    def control(self, private, numbers, final):
        row, column = self.cursor
        if private and final in "hl" and numbers == [1049]:
            if final == "h":
                self.main, self.saved = self.lines, list(self.cursor)
                self.lines, self.alternate = self.blank(), True
            else:
                self.lines, self.cursor, self.alternate = self.main, list(self.saved), False
        elif private and final in "hl" and numbers == [25]:
            self.hidden = final == "l"
        elif private and final in "hl" and numbers == [7]:
            self.wraps = final == "h"
        elif final == "H":
            self.cursor = [numbers[0] - 1, numbers[1] - 1]
        elif final == "K" and not numbers:
            if row < self.rows:
                self.lines[row][column:] = [" "] * (self.columns - column)
        elif final == "J" and numbers == [2]:
            self.lines = self.blank()
        elif final == "m":
            self.look = numbers
        else:
            raise AssertionError(f"an unknown sequence: {private} {numbers} {final}")

    def feed(self, data):
        self.raw += data
        data = self.rest + data
        at = 0
        sequence = re.compile(rb"\x1b\[(\??)([0-9;]*)([A-Za-z])")
        while at < len(data):
            if data[at] == 0x1b:
                match = sequence.match(data, at)
                if not match:
                    break
                numbers = [int(n) for n in match[2].split(b";") if n]
                self.control(bool(match[1]), numbers, match[3].decode())
                at = match.end()
            else:
                self.put(chr(data[at]))
                at += 1
        self.rest = data[at:]

    def read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.feed(os.read(self.master, 65536))
        return True

    def wait(self, seconds):
        """Reads what comes within that time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.read(left)

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.lines)

    def until(self, found, seconds=20):
        """Until the screen has the pattern, or the function says so. Returns the match."""
        deadline = time.monotonic() + seconds
        test = found if callable(found) else lambda: re.search(found, self.text(), re.M)
        while not (result := test()):
            left = deadline - time.monotonic()
            assert left > 0, f"not within {seconds} s: {found}\n{self.text()}"
            self.read(min(left, 0.1))
        return result

    def press(self, keys):
        os.write(self.master, keys if isinstance(keys, bytes) else keys.encode())

    def restored(self):
        return (not self.alternate and not self.hidden and self.wraps and self.look in ("", [])
                and termios.tcgetattr(self.slave) == self.before)

    def end(self, seconds=20):
        """Its exit status, once it has ended and all that it has written was read."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"has not ended\n{self.text()}"
            self.read(0.05)
        while self.read(0):
            pass
        return self.process.returncode
PYTHON
)
