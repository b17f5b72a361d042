/*
 * limits - every bound of drover, with its unit and its reason.
 *
 * Bounds that a user may move are options (src/config/options.c); these are their defaults'
 * neighbours that stay fixed.
 */
#ifndef DROVER_BASE_LIMITS_H
#define DROVER_BASE_LIMITS_H

/* Workers at most. Slots are indexes into tables and into a reuseport group. */
#define SLOTS_MAX 256

/* Listening addresses at most, after host names were resolved. */
#define ADDRESSES_MAX 16 /* at most 32: sets of them are bits */

/* Bytes of the path of a unix socket: sun_path without its NUL, unix(7). */
#define SOCKET_PATH_MAX 107

/* Connections to the control socket at most, those that wait for what they have asked for among
 * them: people and scripts. More wait in its queue. */
#define CONTROL_PEERS_MAX 16

/* Milliseconds that one of these has to say what it asks for: a program says it at once. */
#define CONTROL_REQUEST_MS 2000

/* Bytes of such a request: a verb, and room for what it may be told. */
#define CONTROL_REQUEST_MAX 256

/* Bytes of an answer: an exit status, then all that is wrong with a configuration. */
#define CONTROL_ANSWER_MAX (16384 + 16)

/* Milliseconds until a server that takes no further connection counts as one that hangs. */
#define CONTROL_CONNECT_MS 5000

/* Processes at most that answer --admin, or did until a reload and still finish what they had. */
#define ADMIN_CHILDREN_MAX 8

/* Connections of one at most: scrapers, probes and browsers. For one more, the longest idle one is
 * closed. */
#define ADMIN_CONNECTIONS_MAX 256

/* Milliseconds that one of them may rest, or take for a request, at most: five scrapes or so. */
#define ADMIN_TIMEOUT_MAX_MS 300000

/* Milliseconds that one has at the end of the server for who is still connected. */
#define ADMIN_END_MS 200

/* Milliseconds between two looks at one while the board is not looked at: the server ends. */
#define ADMIN_LOOK_MS 1000

/* Milliseconds since its master has looked at the board after which a server is not healthy: some
 * five times as long as it waits between two looks. */
#define HEALTH_LOOK_MS 6000

/* --set on one command line: more keys than an application has. */
#define SETS_MAX 64

/* Bytes of a configuration file, and of a line of it: the longest path, and its key. */
#define CONFIG_FILE_MAX (256 * 1024)
#define CONFIG_LINE_MAX 8192

/* Values that are given at most, on the command line and in the file together. */
#define CONFIG_VALUES_MAX 2048

/* [site NAME] sections of a configuration file, the hosts of one, and the bytes of its name. */
#define SITES_MAX      256
#define SITE_HOSTS_MAX 32
#define SITE_NAME_MAX  63

/* Bytes of a host's name: of the longest that the DNS has, in text. No longer one is looked for. */
#define HOST_NAME_MAX_LENGTH 253

/* Bytes of a site's prefix: a few segments. */
#define SITE_PREFIX_MAX 255

/* --cache at most, and the bytes of a rule's pattern with its NUL. */
#define SITE_CACHES_MAX      32
#define SITE_CACHE_GLOB_SIZE 64

/* Bytes of a request line. RFC 9112, 3 asks for 8000 at least. */
#define HTTP_REQUEST_LINE_MAX 8192

/* Bytes of a whole request head, request line included: what browsers with many cookies send,
 * twice. A worker reads whole heads into one buffer of this size at least; a client that does not
 * end its head holds as much of the memory. */
#define HTTP_HEAD_MAX 32768

/* Bytes of one field line without its CRLF: half of a head, since the other fields, too, must have
 * their place. Browsers keep 4 kB of a cookie, servers and proxies mostly take 8 kB of a line. */
#define HTTP_FIELD_MAX 16384

/* Fields of a request head. A browser sends about 20. */
#define HTTP_FIELDS_MAX 100

/* Bytes of one chunk-size line with its extensions: nobody sends any, smugglers send long ones. */
#define HTTP_CHUNK_LINE_MAX 256

/* Bytes of all trailer fields together. */
#define HTTP_TRAILERS_MAX 8192

/* Ranges of one request. More are an attack or a mistake, and the whole file is sent instead,
 * which RFC 9110, 14.2 allows. */
#define HTTP_RANGES_MAX 32

/* Bytes of a request body that a handler did not ask for and that are read and dropped to keep
 * the connection; a longer one closes it. */
#define BODY_DISCARD_MAX (1024 * 1024)

/* Bytes of a request body that is gathered for a handler, unless --max-body says otherwise. */
#define BODY_MAX_DEFAULT (1024 * 1024)

/* Bytes of a streamed answer that are pulled at once, and then sent. */
#define PULL_PIECE_MAX 16384
/* Bytes of a PROXY header of version 1 with its CRLF: the specification's own bound. */
#define PROXY_LINE_MAX 107

/* Bytes of a PROXY header of version 2: its 16 fixed ones and addresses and TLVs, which with names,
 * a certificate's too, are some hundred; the length's own 65535 would be a buffer a connection. */
#define PROXY_HEADER_MAX (16 + 2048)

/* Bytes of a file's name below ROOT, as PATH_MAX without the NUL. */
#define FILE_PATH_MAX 4095

/* --field at most, and the bytes of one's name with its NUL. A site with all that the security
 * guides ask for has about ten. */
#define SITE_FIELDS_MAX     32
#define SITE_FIELD_NAME_MAX 64

/* --error-page at most: statuses that a site would word by itself. */
#define SITE_PAGES_MAX 32

/* Bytes of one such page: every worker holds them all in memory. */
#define PAGE_MAX (64 * 1024)

/* Bytes that one worker reads at once, for all of its connections. At least HTTP_HEAD_MAX. */
#define READ_BUFFER_SIZE 65536

/* Bytes of answers that are gathered before they are written; the last of them may be one of
 * FILE_INLINE_MAX above that, or a kept file (handlers/kept.h). With READ_BUFFER_SIZE of requests
 * behind them, that is what a client that pipelines and does not read holds in the worker. */
#define WRITE_GATHER_MAX 32768

/* Files up to this many bytes are read into the answer and leave in one send; longer ones go by
 * sendfile. Below it a copy costs less than the second system call. */
#define FILE_INLINE_MAX 32768

/* Answers that stand ready and leave together, at the end of a turn: as many as it has events. */
#define UNSENT_MAX 64

/* Descriptors, from 0 on, whose connections a standby can go on with; a byte each and worker. One
 * with a higher number ends with its worker. */
#define DESK_FDS_MAX 32768

/* Bytes of requests whose answers are held back until the end of a turn: browsers' heads have 500
 * to 1,000. An answer to what has no room there leaves at once. */
#define DESK_HELD_MAX 32768

/* Bytes of memory that a worker reads into. */
#define DESK_READ_SIZE (READ_BUFFER_SIZE + DESK_HELD_MAX)

/* Of a request's first line that is told when it ends its worker. */
#define DESK_LINE_MAX 256

/* Bytes of a file whose head leaves at once, in a packet of its own: its client wakes for it, and
 * is there when the file comes. 100 KiB came at 1.2 times the rate then; 200 KiB at half of it. */
#define HEAD_ALONE_MAX (128 * 1024)

/* Pipelined requests that are answered before another connection has its turn. */
#define PIPELINE_TURN_MAX 64

/* Bytes of a file sent before another connection has its turn. */
#define SENDFILE_TURN_MAX (2 * 1024 * 1024)

/* Bytes that the kernel keeps of an answer before it has sent them: without a bound 4 MiB for each
 * client that does not read, and 800 of these used up what TCP may have on a machine of 24 GiB.
 * Large files came no slower. */
#define SEND_BACKLOG_MAX (128 * 1024)

/* Bytes of a streamed answer sent before another connection has its turn. */
#define PULL_TURN_MAX (256 * 1024)

/* Bytes that a client must send of its body, or take of an answer, for its timeout to start anew:
 * one that dribbles is ended, at less than 550 bytes a second with the default of 30 s. */
#define PROGRESS_BYTES 16384

/* Bytes of a stream's frame at most: where the protocol says nothing, and whatever it says. */
#define FRAME_MAX_DEFAULT 65536
#define FRAME_MAX         (16 * 1024 * 1024)

/* Bytes of room that a stream keeps, in each direction, while nothing waits there. */
#define STREAM_KEEP_BYTES 4096

/* Times that a stream is sent to before another connection has its turn. */
#define STREAM_TURN_MAX 16

/* Seconds after which a silent client is asked for a sign of life (tcp(7)), after which it is asked
 * again, and how often before it counts as gone. */
#define KEEPALIVE_IDLE_S  60
#define KEEPALIVE_AGAIN_S 15
#define KEEPALIVE_TIMES   4

/* Connections accepted from one listener before the others have their turn. */
#define ACCEPT_TURN_MAX 16

/* Milliseconds that a worker stops accepting after it ran out of descriptors or memory. */
#define ACCEPT_PAUSE_MS 100

/* Connections whose time is up that are ended before the others have their turn, at some 15 us
 * each: thousands that came to rest together are due together. */
#define EXPIRE_TURN_MAX 64

/* Descriptors of one connection at most: its socket, and the file that it is sent. */
#define CONN_FDS_MAX 2

/* Descriptors of a worker that are neither a connection's nor listeners: its loop, signals,
 * channel, root, the standard three, the one it keeps for turning clients away, and those of a
 * request that is being answered (a listing has three at a time). */
#define SPARE_FDS 64

/* Milliseconds that descriptors lack before clients are turned away: who leaves meanwhile makes
 * room for one who waits, and a client that hears 503 tries again no later than that. */
#define SHED_AFTER_MS 1000

/* Clients turned away at one door with each try, one every ACCEPT_PAUSE_MS: so much of a turn do
 * the clients that are in not get. */
#define SHED_TURN_MAX 16

/* Bytes of a request that are read before its client is turned away: what is unread makes the
 * close a reset, and nobody sends more than a head before the answer. */
#define SHED_READ_MAX (2 * HTTP_HEAD_MAX)

/* Lingering close (RFC 9112, 9.6): how long, and how much, is read and dropped after the last
 * answer, so that a reset does not overtake it: as many as a client that sends all before it reads
 * has at hand, who would not look for the answer after EPIPE. */
#define LINGER_MS        2000
#define LINGER_BYTES_MAX (64 * 1024 * 1024)

/* Bytes so dropped before another connection has its turn, and for LINGER_MS to start anew: a
 * client of half a megabyte a second may send all it has. */
#define LINGER_TURN_MAX (1024 * 1024)

/* Connections that one worker hands over to others, or takes over, before its clients have their
 * turn: each costs two system calls or three. */
#define HANDOVER_TURN_MAX 64

/* Milliseconds until a worker whose heirs' inboxes are all full tries again: an inbox holds some
 * 270 connections, which its reader takes in about one. */
#define HANDOVER_AGAIN_MS 2

/* Milliseconds without a new client after which, where no handshake can begin any more, those that
 * were under way have ended, a retransmission in a fast network included; and how long that is
 * waited for at most: who still comes then has found a way round the filter. */
#define SHUT_QUIET_MS     20
#define SHUT_QUIET_MAX_MS 100

/* Milliseconds between two looks at what a worker has resident: a system call, and no worker grows
 * so fast that it matters. */
#define RSS_LOOK_MS 1000

/* Respawn: the first is at once, the next ones wait this long, doubled each time up to the cap;
 * a worker that stayed this long is healthy and starts the count anew. Milliseconds. */
#define RESPAWN_DELAY_MS     100
#define RESPAWN_DELAY_MAX_MS 30000
#define RESPAWN_HEALTHY_MS   10000

/* The same where a standby takes a worker's place: an end costs its clients a millisecond, so that
 * is put off only where workers end faster than they are of use. */
#define STANDBY_HEALTHY_MS 100

/* A turn in which a worker has spent so much of its own time is worth a successor, where that helps
 * some of its clients and costs none; or half of --hang-timeout where that is less. Far more than
 * HANG_TURN_MS: for a handler that is merely slow others accept, but its worker need not leave.
 * Each worker of a slot that is superseded so doubles it there, until no turn of the slot's has
 * been as long for STANDBY_PATIENT_MS. */
#define STANDBY_TURN_MS    200
#define STANDBY_PATIENT_MS 10000

/* At most, and where somebody would lose by it: half of --hang-timeout; half of what that is when
 * nothing is said, where there is none. */
#define STANDBY_TURN_MAX_MS 15000

/* A standby that has not made a successor in this time is stopped or gone, and is given up. */
#define STANDBY_WAIT_MS 1000

/* Connections wait at a standby for so many milliseconds of a respawn's delay at most, and go to
 * other slots before a longer one. */
#define STANDBY_HOLD_MS 500

/* Milliseconds between two workers of a slot that are replaced since their standbys have ended, or
 * between any two that go without. */
#define STANDBY_RELIEVE_MS 1000

/* Milliseconds without new standbys once a worker could not be forked for want of processes; and
 * until one that goes without is replaced, which takes twice as long each time that it was in vain,
 * up to the cap: it costs a fork. */
#define STANDBY_BARREN_MS     5000
#define STANDBY_BARREN_MAX_MS 3600000

/* Milliseconds without new ones once so many workers in a row have ended while they may have been
 * making theirs: by a seccomp filter that kills, say, or in an emulator that knows no such call. */
#define STANDBY_DOUBT_MS   60000
#define STANDBY_DOUBTS_MAX 2

/* Workers of a slot that signals have ended are a row while each ends within so many milliseconds
 * of the one before; from so many on it is logged, at most as often, with that many of the requests
 * they were at. */
#define CRASH_ROW_MS       10000
#define CRASH_ROW_LEAST    3
#define CRASH_AGAIN_MS     10000
#define CRASH_REQUESTS_MAX 3

/* A reload, or an upgrade, is given up once a worker has ended so often before it accepted. */
#define COMING_ENDS_MAX 3

/* Milliseconds from the SIGABRT of a worker that hangs, which may take time to write a core, to its
 * SIGKILL. */
#define ABORT_GRACE_MS 2000

/* Milliseconds until the service manager is asked again to store what it had no room for. */
#define STORE_RETRY_MS 50

/* Milliseconds between two looks at the board: while it moves, so that a hang is seen within 100,
 * and while it does not: no more than one wake-up in any second. */
#define PULSE_MS      25
#define PULSE_IDLE_MS 1100

/* Milliseconds between two samples of what was done, which rates are made of. Where the pulse makes
 * turns, each comes with the first one behind that. */
#define RECORD_SAMPLE_MS 1000

/* A turn of a worker's loop that has taken so long, HANG_OWN_MS of it without having waited for a
 * CPU, hangs: turns take a few milliseconds. Its CPU time is counted from when it is first seen to
 * have taken HANG_SIGHT_MS, so that healthy workers cost the master few looks at theirs. */
#define HANG_TURN_MS  40
#define HANG_SIGHT_MS 5
#define HANG_OWN_MS   20

/* A queue from which nothing was taken for so many milliseconds is steered around. */
#define QUEUE_STILL_MS 75

/* drover doctor: seconds that one probe has, which takes microseconds; and milliseconds that it
 * waits for what must not happen, and for what must. */
#define PROBE_SECONDS   3
#define PROBE_STILL_MS  20
#define PROBE_ANSWER_MS 500

/* Milliseconds from a drain's deadline, which the worker keeps itself, to its SIGKILL. */
#define DRAIN_GRACE_MS 1000

/* Milliseconds between two renewals of the line for the service manager, and until a message that
 * found no room in its queue is sent again. */
#define SERVICE_RENEW_MS 1000
#define SERVICE_AGAIN_MS 100

/* Milliseconds that an old master waits, at an upgrade, for the service manager to have read who
 * the main process is: it reads within one, unless it is stuck. */
#define SERVICE_BARRIER_MS 5000

/* Bytes of that line: a terminal has some 200 in a row, an error with a path in it is no longer
 * than this. */
#define SERVICE_LINE_SIZE 512

/* drover top: milliseconds since its last look from which on a master may have gone, and
 * another one * is looked for: it looks once in PULSE_IDLE_MS; and between two such searches. */
#define TOP_SILENT_MS (2 * PULSE_IDLE_MS)
#define TOP_SEARCH_MS 500

/* Bytes of --access-format, and what it is made of: pieces of text and directives. */
#define ACCESS_FORMAT_MAX 1024
#define ACCESS_PARTS_MAX  80

/* Bytes of a line of the access log: twice the longest request line that is served, so that a value
 * is cut only where a client has filled it with bytes that must be escaped. */
#define ACCESS_LINE_MAX (2 * HTTP_REQUEST_LINE_MAX)

/* Bytes of lines that a worker gathers for one write(2), and milliseconds until it writes those it
 * has. */
#define ACCESS_GATHER_MAX 65536
#define ACCESS_FLUSH_MS   1000

/* Milliseconds until what could not be written is tried again, with lines that need the room; and
 * from one word about lost lines to the next. */
#define ACCESS_RETRY_MS 100
#define ACCESS_WARN_MS  60000

/* Milliseconds that reopened log files wait for the workers to have written to the old ones: a
 * worker that hangs for longer has its lines in the new ones. */
#define REOPEN_WAIT_MS 2000

/* Milliseconds from one look of a master that has handed over to the next, at whether its log files
 * were opened anew by others; and where it cannot do the same. */
#define LOGS_LOOK_MS  1000
#define LOGS_AGAIN_MS 60000

#endif
