"""client - asks what was recorded, one thing at a time, and checks each answer."""

import re
import socket
import time

from guarding import server

ANSWER_SECONDS = 20
RECEIVE_BYTES = 256 * 1024  # the whole of an answer, so that the server can send it at once


class Refused(Exception):
    """The server has answered, but not what was expected."""


def settle(pid):
    """Until the worker waits again: what it does next is then the same each time."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while (state := server.state(pid)) != "S":
        if state in ("", "Z"):
            raise Refused(f"worker {pid} has ended")
        if time.monotonic() > deadline:
            raise Refused(f"worker {pid} does not come to rest")
        time.sleep(0.00002)


def connect(address):
    s = socket.socket()
    s.settimeout(ANSWER_SECONDS)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.connect(address)
    return s


class Answers:
    """What comes on a connection, an answer at a time."""

    def __init__(self, sock, kind):
        self.sock, self.kind, self.data = sock, kind, b""

    def more(self):
        data = self.sock.recv(RECEIVE_BYTES)
        if not data:
            raise Refused(f"the connection ends behind {self.data[:80]!r}")
        self.data += data

    def take(self):
        while (at := self.data.find(b"\r\n\r\n")) < 0:
            self.more()
        head, end = self.data[:at], at + 4
        status = int(head.split(b" ", 2)[1])
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        length = int(length[1]) if length and status != 304 else 0
        if status != self.kind.status or self.kind.length not in (None, length):
            raise Refused(f"answered with {status} and {length} bytes; "
                          f"{self.kind.status} and {self.kind.length} were expected")
        while len(self.data) < end + length:
            self.more()
        self.data = self.data[end + length:]

    def end(self):
        if self.data or self.sock.recv(1):
            raise Refused("more bytes than the answer has")


class Client:
    """One of a kind at one worker, for a `with`."""

    def __init__(self, at, kind, request):
        self.address, self.worker = at.address, at.workers[0]
        self.kind, self.request = kind, request
        self.sock = self.answers = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.sock:
            self.sock.close()
            self.sock = None
            settle(self.worker)

    def ask(self):
        if not self.sock:
            self.sock = connect(self.address)
            settle(self.worker)
            self.answers = Answers(self.sock, self.kind)
        self.sock.sendall(self.request)
        for _ in range(self.kind.requests):
            self.answers.take()
        if self.kind.closes:
            self.answers.end()
            self.close()
        else:
            settle(self.worker)

    def rounds(self, count):
        """So many times what the file has."""
        try:
            for _ in range(count):
                self.ask()
        except OSError as e:
            raise Refused(f"no answer: {e}") from e
