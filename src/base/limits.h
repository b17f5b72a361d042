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
#define ADDRESSES_MAX 16

/* Bytes of a request line. RFC 9112, 3 asks for 8000 at least. */
#define HTTP_REQUEST_LINE_MAX 8192

/* Bytes of a whole request head, request line included: what browsers with many cookies send,
 * twice. One worker reads a head into one buffer of this size at least. */
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

/* Bytes of a PROXY header of version 1 with its CRLF: the specification's own bound. */
#define PROXY_LINE_MAX 107

/* Bytes of a PROXY header of version 2: its 16 fixed ones and addresses and TLVs, which with names,
 * a certificate's too, are some hundred; the length's own 65535 would be a buffer a connection. */
#define PROXY_HEADER_MAX (16 + 2048)

/* Bytes of a file's name below ROOT, as PATH_MAX without the NUL. */
#define FILE_PATH_MAX 4095

/* Bytes that one worker reads at once, for all of its connections. At least HTTP_HEAD_MAX. */
#define READ_BUFFER_SIZE 65536

/* Bytes of answers that are gathered before they are written. */
#define WRITE_GATHER_MAX 65536

/* Files up to this many bytes are read into the answer and leave in one send; longer ones go by
 * sendfile. Below it a copy costs less than the second system call. */
#define FILE_INLINE_MAX 32768

/* Pipelined requests that are answered before another connection has its turn. */
#define PIPELINE_TURN_MAX 64

/* Bytes of a file sent before another connection has its turn. */
#define SENDFILE_TURN_MAX (2 * 1024 * 1024)

/* Connections accepted from one listener before the others have their turn. */
#define ACCEPT_TURN_MAX 16

/* Milliseconds that a worker stops accepting after it ran out of descriptors or memory. */
#define ACCEPT_PAUSE_MS 100

/* Lingering close (RFC 9112, 9.6): how long, and how much, is read and dropped after the last
 * answer, so that a reset does not overtake it. */
#define LINGER_MS        2000
#define LINGER_BYTES_MAX (4 * 1024 * 1024)

/* Respawn: the first is at once, the next ones wait this long, doubled each time up to the cap;
 * a worker that stayed this long is healthy and starts the count anew. Milliseconds. */
#define RESPAWN_DELAY_MS     100
#define RESPAWN_DELAY_MAX_MS 30000
#define RESPAWN_HEALTHY_MS   10000

/* Milliseconds from a drain's deadline, which the worker keeps itself, to its SIGKILL. */
#define DRAIN_GRACE_MS 1000

#endif
