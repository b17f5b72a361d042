"""
servers - drover, the floors and the peers: their configuration, their start and their end.

Each is configured as well as its documentation allows for this machine and these works: as many
workers as the others, no access log, no limit of requests on a connection, no lookups that it can
spare itself. A class a server; SERVERS has them by name.
"""

import os
import random
import re
import shutil
import signal
import socket
import subprocess

import process

START_SECONDS = 10
STOP_SECONDS = 5
# Below the ports that the kernel gives to clients, so that none of theirs is in the way.
PORTS = range(20000, 32000)
MOST_CONNECTIONS = 16384
# What a server has open besides its connections, and more than enough.
SPARE_DESCRIPTORS = 256
BACKLOG = 4096
HOURS = 3600


class Failed(Exception):
    """A server that did not start, or does not answer as it should."""


def find(name):
    """The path of an installed program, also where PATH has no sbin; None without one."""
    return shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin")


def most_connections(options):
    """As many as one process can have open here."""
    return max(1, min(MOST_CONNECTIONS, options.descriptors - SPARE_DESCRIPTORS))


def free_port():
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failed("no port is free on 127.0.0.1")


class Server:
    """
    One server, from start() to stop(). `deferred`: with its own TCP_DEFER_ACCEPT. `site` is the folder
    that is served, `folder` is this server's alone, for what it writes.
    """
    name = None
    peer = True             # against drover, not part of it
    can_defer = False       # has a switch for deferred accept
    version_arguments = ("-v",)
    unable = ()             # works that it cannot do

    def __init__(self, options, site, folder, deferred=False, body=None):
        self.workers, self.site, self.folder = options.workers, site, folder
        self.deferred, self.body = deferred, body
        self.connections = most_connections(options)
        self.process, self.port = None, None

    @classmethod
    def find(cls, options):
        return find(cls.name)

    @classmethod
    def version(cls, options):
        said = subprocess.run([cls.find(options), *cls.version_arguments], text=True, timeout=10,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
        found = re.search(r"\d+(\.\d+)+\S*", said)
        return found.group() if found else "?"

    def command(self, options):
        """The arguments to start it with; writes its configuration first."""
        raise NotImplementedError

    def start(self, options):
        os.makedirs(self.folder)
        self.port = free_port()
        with open(f"{self.folder}/log", "w") as log:
            self.process = subprocess.Popen(self.command(options), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=self.folder,
                                            start_new_session=True)
        if not process.wait(START_SECONDS, self.is_up_or_over):
            raise Failed(f"{self.name} does not answer after {START_SECONDS} s{self.words()}")
        if self.process.poll() is not None:
            raise Failed(f"{self.name} did not start{self.words()}")

    def is_up_or_over(self):
        if self.process.poll() is not None:
            return True
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
                # one that listens may still reset what comes to it
                client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                return client.recv(1) != b""
        except OSError:
            return False

    def words(self):
        """The last of what it said."""
        said = process.read(f"{self.folder}/log").strip().splitlines()[-5:]
        return ":" + "".join(f"\n  {line}" for line in said) if said else ", and said nothing"

    def pids(self):
        return process.of_session(self.process.pid)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def stop(self):
        if self.process is None:
            return
        pids = self.pids()
        self.signal(signal.SIGTERM)
        if not process.wait(STOP_SECONDS, self.is_gone):
            self.signal(signal.SIGKILL, *self.pids())
            process.wait(STOP_SECONDS, self.is_gone)
        process.reap(pids)
        self.process = None

    def signal(self, number, *pids):
        for pid in pids or (self.process.pid,):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def is_gone(self):
        return self.process.poll() is not None and not self.pids()

    def write(self, text):
        path = f"{self.folder}/conf"
        with open(path, "w") as f:
            f.write(text)
        return path


class Drover(Server):
    name = "drover"
    peer = False
    version_arguments = ("version",)

    @classmethod
    def find(cls, options):
        return shutil.which(f"{options.build}/drover")

    def command(self, options):
        return [self.find(options), "serve", "--workers", str(self.workers), "--log-level", "warn",
                "--listen", f"127.0.0.1:{self.port},backlog={BACKLOG}", "--control", "off",
                "--idle-timeout", "1h", "--drain-timeout", "1s", self.site]

    def signal(self, number, *pids):
        super().signal(signal.SIGINT if number == signal.SIGTERM else number, *pids)


class Floor(Server):
    name = "floor"
    peer = False
    switches = ()

    @classmethod
    def find(cls, options):
        return shutil.which(f"{options.build}/drover-bench-floor")

    @classmethod
    def version(cls, options):
        return Drover.version(options) if Drover.find(options) else "?"

    def command(self, options):
        return [self.find(options), *self.switches, str(self.port), str(self.workers),
                f"{self.site}/{self.body}.floor"]


class Bare(Floor):
    """The loop as it was first written, to which two aims are ratios."""
    name = "bare"
    switches = ("--bare",)


class Nginx(Server):
    """
    A location a size, each with what was the fastest for it: 1 KiB is read and written (7.7 us with
    sendfile and tcp_nopush, 6.7 without), what is larger goes by sendfile, without tcp_nopush (100 KiB:
    35.9 us with, 15.8 without).
    """
    name = "nginx"
    can_defer = True

    def command(self, options):
        temporary = "".join(f"    {kind}_temp_path {self.folder}/{kind};\n" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        # the site lies where only its owner may look
        user = "user root;" if os.geteuid() == 0 else ""
        conf = self.write(f"""{user}
worker_processes {self.workers};
worker_rlimit_nofile {options.descriptors};
daemon off;
pid {self.folder}/pid;
error_log stderr error;
events {{ worker_connections {self.connections}; }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 1000000000;
    keepalive_timeout {HOURS}s;
    open_file_cache max=1000 inactive={HOURS}s;
    open_file_cache_valid 60s;
    open_file_cache_errors on;
    log_not_found off;
{temporary}    server {{
        listen 127.0.0.1:{self.port} reuseport backlog={BACKLOG}{" deferred" * self.deferred};
        root {self.site};
        location = /1k.bin {{ sendfile off; }}
    }}
}}
""")
        return [self.find(options), "-p", self.folder, "-e", "stderr", "-c", conf]


class H2o(Server):
    """It asks for TCP_DEFER_ACCEPT by itself, always: there is no switch."""
    name = "h2o"

    def command(self, options):
        # as root it would become another user, who cannot read the site
        user = "user: root\n" if os.geteuid() == 0 else ""
        conf = self.write(f"""num-threads: {self.workers}
max-connections: {self.connections}
{user}\
http1-request-timeout: {HOURS}
listen:
  host: 127.0.0.1
  port: {self.port}
hosts:
  default:
    paths:
      /:
        file.dir: {self.site}
""")
        return [self.find(options), "-c", conf]


class Lighttpd(Server):
    name = "lighttpd"
    can_defer = True

    def command(self, options):
        # 65535 is as many as the setting holds
        conf = self.write(f"""server.document-root = "{self.site}"
server.bind = "127.0.0.1"
server.port = {self.port}
server.max-worker = {self.workers}
server.max-fds = {options.descriptors}
server.max-connections = {self.connections}
server.listen-backlog = {BACKLOG}
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = {HOURS}
server.network-backend = "sendfile"
server.stat-cache-engine = "simple"
server.defer-accept = {int(self.deferred)}
mimetype.assign = ( "" => "application/octet-stream" )
""")
        return [self.find(options), "-D", "-f", conf]


class Haproxy(Server):
    """No server of files: it answers out of its configuration, which holds 1 KiB well."""
    name = "haproxy"
    can_defer = True
    unable = ("100k", "10m", "304", "range")

    def command(self, options):
        defer = " defer-accept" if self.deferred else ""
        conf = self.write(f"""global
    maxconn {self.connections}
    no strict-limits
    nbthread {self.workers}
defaults
    mode http
    timeout client {HOURS}s
    timeout http-request {HOURS}s
    timeout http-keep-alive {HOURS}s
frontend bench
    bind 127.0.0.1:{self.port} shards by-thread backlog {BACKLOG}{defer}
    http-request return status 200 content-type application/octet-stream """ f"""\
file {self.site}/1k.bin if {{ path /1k.bin }}
    http-request return status 404 content-type text/plain string "not found"
""")
        return [self.find(options), "-db", "-f", conf]


SERVERS = {kind.name: kind for kind in (Drover, Floor, Bare, Nginx, H2o, Lighttpd, Haproxy)}


class Fleet:
    """All servers that a run needs, each started when it is first asked for, and ended together."""

    def __init__(self, options, site, folder):
        self.options, self.site, self.folder = options, site, folder
        self.running = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.running.values():
            server.stop()

    def get(self, name, work, deferred=False):
        """The one that is to do this work."""
        kind = SERVERS[name]
        body = work.floor_bytes if issubclass(kind, Floor) else None
        key = name, deferred, body
        if key not in self.running:
            self.running[key] = self.fresh(name, deferred, body)
            self.running[key].start(self.options)
        return self.running[key]

    def fresh(self, name, deferred=False, body=None):
        """One more, not started."""
        folder = f"{self.folder}/{name}.{len(os.listdir(self.folder))}"
        return SERVERS[name](self.options, self.site, folder, deferred, body)
