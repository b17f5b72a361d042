#!/usr/bin/env bats
#
# apps - applications: those that are built in, modules, programs with drover_main(), their keys,
# what of an application is refused, the library as it is installed, and the examples.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; run sets stderr

# bats file_tags=beside

load helper
load http
load process
load lifecycle

setup() {
    ROOT=$BATS_TEST_DIRNAME/../..
    BUILD=${DROVER%/*}
    IT=$BATS_TEST_TMPDIR/it
    : "${CC:=cc}"
    cd "$BATS_TEST_TMPDIR" || return
}

# ---- building ---------------------------------------------------------------------------------

# module NAME [CC-OPTION...]: builds ./NAME.so of the C on standard input.
module() {
    local name=$1
    shift
    cat >"$name.c"
    "$CC" -Wall -Wextra -Werror -fPIC -I "$ROOT/include" -shared -o "$name.so" "$name.c" "$@"
}

# module_of INITIALIZER [DECLARATION]: ./it.so with this struct drover_app.
module_of() {
    module it <<C
#include <drover.h>
#include <stdio.h>
static void handle(void *c, const struct drover_request *q, struct drover_response *r)
{
    (void)c, (void)q, drover_response_body(r, "it", 2);
}
${2:-}
static const struct drover_app app = {$1};
void *unused = (void *)handle;
DROVER_MODULE(app);
C
}

# installed: the library and its header as `make install` leaves them; pkg-config finds them there.
installed() {
    local dest=$BATS_FILE_TMPDIR/dest
    export PKG_CONFIG_SYSROOT_DIR=$dest PKG_CONFIG_PATH=$dest/opt/drover/lib/pkgconfig
    [[ -e $dest ]] || make -C "$ROOT" -o all install "B=$BUILD" "SAN=$SAN" "CC=$CC" \
        "DESTDIR=$dest" PREFIX=/opt/drover >/dev/null 3>&- 4>&-
}

# program NAME [CC-OPTION...]: builds ./NAME of the C on standard input, with pkg-config alone.
program() {
    local name=$1 flags
    shift
    cat >"$name.c"
    installed
    read -ra flags < <(pkg-config --cflags --libs drover)
    "$CC" -Wall -Wextra -Wno-unused-parameter -Werror "$@" -o "$name" "$name.c" "${flags[@]}"
}

# start_program PROGRAM ARGS...: as drover_start, for a program with drover_main().
start_program() {
    local program=$1
    shift
    # shellcheck disable=SC2016 # $1 and $2 are the binary and "serve", which it does not want
    DROVER_UNDER=(bash -c 'exec "$0" "${@:3}"' "$program")
    drover_start "$@"
}

# refused STATUS MESSAGE ARGS...: `drover serve ARGS...` says exactly this.
refused() {
    local expected="$1: drover serve: $2"
    shift 2
    drover serve "$@"
    assert_equal "$status: $output" "$expected"
}

# ---- what is built in -------------------------------------------------------------------------

@test "hello: one text for every request" {
    drover_start --workers 1 --app hello
    assert_equal "$(fetch /)" hello
    assert_equal "$(fetch /any/path -d 'a body')" hello
    run fetch / --head
    assert_output --partial 'Content-Length: 6'
    run cat "$DROVER_LOG"
    assert_output --partial "serving hello at http://$DROVER_ADDR/ with 1 worker"
    drover_stop
    assert_equal "$status" 0
}

@test "echo: the body comes back with its media type" {
    local size
    drover_start --workers 1 --app echo
    run fetch / --include -H 'Content-Type: application/x-it' --data-binary 'some bytes'
    assert_line --partial 'Content-Type: application/x-it'
    assert_output --partial 'some bytes'
    for size in 0 1 4096 65536 1000000; do
        head -c "$size" /dev/urandom >bytes
        fetch / --data-binary @bytes --output back
        cmp bytes back
        fetch / -H 'Transfer-Encoding: chunked' --data-binary @bytes --output back
        cmp bytes back
    done
}

@test "echo: without a body method, target and fields" {
    drover_start --workers 1 --app echo
    run fetch '/a%20path?q=1' -H 'X-It: one' -H 'X-It: two'
    assert_line --index 0 'GET /a path?q=1'
    assert_line 'X-It: one'
    assert_line 'X-It: two'
    assert_line "Host: $DROVER_ADDR"
    assert_line --regexp '^from 127\.0\.0\.1 port [1-9]'
    run fetch / --request DELETE
    assert_line --index 0 'DELETE /'
}

@test "echo: behind a proxy it names the client that the proxy names" {
    drover_start --workers 1 --app echo --listen 127.0.0.1:0,proxy
    run fetch / --haproxy-protocol
    assert_line --regexp '^from 127\.0\.0\.1 port [1-9]'
    client <<'PYTHON'
c = Connection()
c.send('PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n' + request('/'))
assert c.answer()[2].endswith(b'\nfrom 192.0.2.1 port 4711\n')
PYTHON
    drover_stop
    drover_start --workers 1 --app echo --trust-proxy 127.0.0.0/8
    run fetch / -H 'X-Forwarded-For: 198.51.100.1, 192.0.2.1, 127.0.0.2'
    assert_line 'from 192.0.2.1 port 0'
}

@test "tcp-echo: every byte of a connection comes back" {
    local reply
    drover_start --workers 2 --app tcp-echo
    run cat "$DROVER_LOG"
    assert_output --partial "serving tcp-echo at $DROVER_ADDR with 2 workers"
    client <<'PYTHON'
import threading
for size in 1, 100, 65536, 3000000:
    sent = os.urandom(size)
    c = Connection()
    sender = threading.Thread(target=lambda: (c.socket.sendall(sent),
                                              c.socket.shutdown(socket.SHUT_WR)))
    sender.start()
    same(c.take(size), sent)
    sender.join()
    assert c.is_closed()
PYTHON
}

@test "status: health, metrics for Prometheus, JSON, and a page" {
    drover_start --workers 2 --app status
    assert_equal "$(fetch /healthz)" ok
    run fetch /metrics --include
    assert_line --partial 'Content-Type: text/plain; version=0.0.4'
    run fetch /metrics
    # each metric is a HELP, a TYPE and a sample
    refute_line --regexp '^[^#].* .* '
    assert_line --regexp '^# HELP [a-z_]+ .+'
    assert_line --regexp '^# TYPE [a-z_]+ (counter|gauge)$'
    assert_line --regexp '^[a-z_]+ [0-9]+$'
    assert_equal "$(grep -c '^# TYPE' <<<"$output")" "$(grep -vc '^#' <<<"$output")"
    assert_equal "$(fetch /status.json | jq -r .status)" ok
    fetch /status.json | jq -e '.metrics | length > 0'
    assert_equal "$(fetch /status.json | jq -r '.metrics | keys_unsorted[]')" \
        "$(fetch /metrics | sed -n 's/^# TYPE \([^ ]*\) .*/\1/p')"
    run fetch /
    assert_output --partial /status.json
    assert_equal "$(fetch /nothing --output /dev/null --write-out '%{http_code}')" 404
    run fetch /healthz --include --request PUT
    assert_line --partial '405 '
    assert_line --partial 'Allow: GET, HEAD'
}

@test "a name that is none: the nearest, and all there are" {
    local all='static, echo, hello, tcp-echo, status, and modules by their path, as in ./it.so'
    refused 64 "--app ehco: there is no such application; did you mean echo? There are $all" \
        --app ehco
    refused 64 "--app quux: there is no such application; there are $all" --app quux
    : >it.so
    refused 64 '--app it.so: the path of a module has a slash in it: --app ./it.so' --app it.so
    refused 64 '--app: must not be empty' --app ''
}

@test "what only the static site has is refused for the others" {
    refused 64 '--root is for the static site, not for --app echo' --app echo --root .
    refused 64 '--listing is for the static site, not for --app echo' --listing no --app echo
    refused 64 '.: a ROOT is for the static site, not for --app echo' --app echo .
}

# ---- modules ----------------------------------------------------------------------------------

@test "a module answers, by a relative and an absolute path" {
    local path
    module_of '.name = "it", .handle = handle'
    for path in ./it.so "$PWD/it.so"; do
        drover_start --workers 2 --app "$path"
        assert_equal "$(fetch /)" it
        kill -HUP "$DROVER_PID"
        wait_until 20 logged 'every worker is a fresh one'
        assert_equal "$(fetch /)" it
        drover_stop
        assert_equal "$status" 0
        : >"$DROVER_LOG"
    done
}

@test "a module of another ABI is refused" {
    module it <<'C'
const unsigned drover_module_abi = 3;
const void *const drover_module_app = (void *)16;
C
    refused 78 '--app ./it.so: was built for drover ABI 3, and this is ABI 2: build it anew' \
        --app ./it.so
}

@test "what is no module is refused, and what it is said" {
    refused 66 '--app ./none.so: No such file or directory' --app ./none.so
    refused 66 '--app ./: is not a file; a module is a shared object' --app ./
    echo text >text.so
    drover serve --app ./text.so
    assert_equal "$status" 78
    assert_output --regexp '^drover serve: --app \./text\.so: cannot be loaded as a module: '
    module it <<<'int nothing_of_drover;'
    refused 78 '--app ./it.so: is no module of drover: it lacks DROVER_MODULE(app), see drover.h' \
        --app ./it.so
    module it <<<'const unsigned drover_module_abi = 2; const void *const drover_module_app;'
    refused 78 '--app ./it.so: is no module of drover: it lacks DROVER_MODULE(app), see drover.h' \
        --app ./it.so
    refused 78 "--app $BUILD/examples/time: is a program, to be started itself; a module is $(
        )linked with -shared" --app "$BUILD/examples/time"
}

@test "a module that needs what nobody has is refused, and what it needs named" {
    module it <<'C'
#include <drover.h>
void no_such_function(void);
static void handle(void *c, const struct drover_request *q, struct drover_response *r)
{
    (void)c, (void)q, (void)r, no_such_function();
}
static const struct drover_app app = {.name = "it", .handle = handle};
DROVER_MODULE(app);
C
    refused 78 "--app ./it.so: needs no_such_function, which neither it nor its libraries nor $(
        )drover has" --app ./it.so
}

@test "a module may use every function of drover.h, and nothing else of drover" {
    local exported
    exported=$(nm --dynamic --defined-only "$DROVER" | awk '$3 ~ /^drover_/ { print $3 }' | sort)
    assert_equal "$exported" "$(<"$BUILD/api.names")"
    (($(wc -l <"$BUILD/api.names") > 40))
    grep -qx drover_metrics_each "$BUILD/api.names"
    # the symbols of libc and of a sanitizer have a version, or are its own
    if [[ $SAN != 1 ]]; then
        run bash -c 'nm --dynamic --defined-only "$1" | grep -vE " drover_|@| (data_start|environ)$"' \
            bash "$DROVER"
        assert_output ''
    fi
}

@test "a struct that cannot be used is refused, and why" {
    local struct message
    while IFS='|' read -r struct message; do
        module_of "$struct"
        refused 78 "--app ./it.so: $message" --app ./it.so
    done <<'ROWS'
.name = "it"|it has neither handle nor stream, one of which is to be set
.handle = handle|its name must be 1 to 63 letters, digits, '-' and '_'
.name = "i t", .handle = handle|its name must be 1 to 63 letters, digits, '-' and '_'
.name = "it", .stream = &(struct drover_protocol){0}|its stream has no frame function
.name = "it", .handle = handle, .stream = &(struct drover_protocol){0}|it has both handle and stream, one of which is to be set
.name = "it", .handle = handle, .metrics = (struct drover_metric[]){{"A", 0, ""}, {0}}|the metric "A": its name must be 1 to 63 letters of a to z and '_'
.name = "it", .handle = handle, .keys = (struct drover_key[]){{"k", 0, 0, 0, 0, "", 0}, {0}}|the key "k": it has no place for its value
ROWS
}

# ---- keys -------------------------------------------------------------------------------------

KEYS='static const char *word; static int64_t count, room, wait; static int loud;
static const struct drover_key keys[] = {
    {"word", DROVER_TEXT, "none", 0, 0, "which word", &word},
    {"count", DROVER_NUMBER, "3", 1, 9, "how many", &count},
    {"room", DROVER_SIZE, "64k", 0, 0, "how much", &room},
    {"wait", DROVER_DURATION, "250ms", 0, 60000, "how long", &wait},
    {"loud", DROVER_YES_NO, "no", 0, 0, "whether", &loud}, {0}};
static void show(void *c, const struct drover_request *q, struct drover_response *r)
{
    char text[256];
    int n = snprintf(text, sizeof text, "%s %lld %lld %lld %d", word, (long long)count,
                     (long long)room, (long long)wait, loud);
    (void)c, (void)q, drover_response_body(r, text, (size_t)n);
}'

@test "--set: the keys of an application" {
    module_of '.name = "it", .handle = show, .keys = keys' "$KEYS"
    drover_start --workers 1 --app ./it.so
    assert_equal "$(fetch /)" 'none 3 65536 250 0'
    drover_stop
    # before --app, too, and the last one counts
    drover_start --workers 1 --set count=5 --set=word=a=b --app ./it.so --set room=2m \
        --set wait=1s --set loud=yes --set count=9
    assert_equal "$(fetch /)" 'a=b 9 2097152 1000 1'
}

@test "--set: what is wrong, and what is allowed" {
    module_of '.name = "it", .handle = show, .keys = keys' "$KEYS"
    refused 64 '--set count=10: must be a whole number from 1 to 9' --app ./it.so --set count=10
    refused 64 "--set wait=5: must be a number with ms, s, m or h, as in 250ms or 10s, from 0 $(
        )to 1m" --app ./it.so --set wait=5
    refused 64 '--set loud=1: must be yes or no' --app ./it.so --set loud=1
    refused 64 '--set cuont=1: there is no key "cuont"; did you mean count?' \
        --app ./it.so --set cuont=1
    refused 64 "--set quux=1: there is no key \"quux\"; the application has word, count, room, $(
        )wait, loud" --app ./it.so --set quux=1
    refused 64 '--set count: its value is missing, as in count=VALUE' \
        --app ./it.so --set count
    refused 64 '--set a=b: the application has no keys' --app echo --set a=b
    refused 64 '--set a=b: the application has no keys' --set a=b
}

@test "--help shows the keys of the application" {
    local argument
    module_of '.name = "it", .handle = show, .keys = keys' "$KEYS"
    for argument in '--app ./it.so --help' '--help --app=./it.so'; do
        # shellcheck disable=SC2086 # words
        drover serve $argument
        assert_success
        assert_line '  --set word=TEXT   (default: none)'
        assert_line '        how many'
        assert_line '  --set room=SIZE   (default: 64k)'
    done
    drover serve --help
    refute_line --partial 'can be told'
    assert_line --partial '  --listing '
    drover serve --app hello --help
    assert_line 'The application hello has no keys.'
    refute_line --partial '  --listing '
    refute_line --partial '  --root '
    drover serve --help --app ./none.so
    assert_equal "$status: $output" '66: drover serve: --app ./none.so: No such file or directory'
}

@test "metrics: the sum over all workers, which outlives them; drover's own beside them" {
    local before
    module_of '.name = "it", .handle = count, .metrics = metrics' '
static const struct drover_metric metrics[] = {{"seen", DROVER_COUNTER, "requests seen"}, {0}};
static void add(void *r, const struct drover_metric *metric, int64_t value)
{
    char text[256];
    int n = snprintf(text, sizeof text, "%s %lld\n", metric->name, (long long)value);
    drover_response_body(r, text, (size_t)n);
}
static void count(void *c, const struct drover_request *q, struct drover_response *r)
{
    (void)c, (void)q, drover_metric_add(drover_response_worker(r), 0, 1);
    drover_metrics_each(drover_response_worker(r), add, r);
}'
    drover_start --workers 4 --app ./it.so
    for _ in {1..20}; do
        fetch / >/dev/null
    done
    run fetch /
    assert_line 'seen 21'
    assert_line --index 0 --regexp '^drover_[a-z_]+ [0-9]+$'
    before=$(workers)
    kill -HUP "$DROVER_PID"
    wait_until 20 logged 'every worker is a fresh one'
    [[ $(workers) != "$before" ]]
    run fetch /
    assert_line 'seen 22'
}

# ---- hooks ------------------------------------------------------------------------------------

BEFORE='static int calls, loaded;
static int before(void *c, char why[DROVER_WHY_SIZE])
{
    (void)c, (void)why;
    calls++;
    return 0;
}
static void show(void *c, const struct drover_request *q, struct drover_response *r)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%d", calls);
    (void)c, (void)q, drover_response_body(r, text, (size_t)n);
}'

@test "before_fork: once, in the master, before the workers" {
    module_of '.name = "it", .handle = show, .before_fork = before' "$BEFORE"' void *u = &loaded;'
    drover_start --workers 3 --app ./it.so
    assert_equal "$(fetch /)" 1
    kill -HUP "$DROVER_PID"
    wait_until 20 logged 'every worker is a fresh one'
    assert_equal "$(fetch /)" 1
}

@test "a module that another one has replaced: a reload says so, an upgrade runs it" {
    local changed='app = ./it.so has changed on disk: an upgrade runs the new one'
    module_of '.name = "it", .handle = handle'
    drover_start --workers 1 --control ./control --app ./it.so
    drover reload --control ./control
    refute_output --partial 'has changed'
    module new < <(sed 's/"it", 2/"new", 3/' it.c)
    mv new.so it.so
    drover reload --control ./control
    assert_success
    assert_output --regexp "^reload: every worker is a fresh one: 1, after [0-9]+ ms; $changed\$"
    grep -qF "warn  master: reload: $changed" "$DROVER_LOG"
    assert_equal "$(fetch /)" it
    drover upgrade --control ./control
    assert_success
    wait_until 20 follow_upgrade
    assert_equal "$(fetch /)" new
    drover reload --control ./control
    assert_success
    refute_output --partial 'has changed'
}

@test "before_fork: what it fails with ends the server, and why" {
    module_of '.name = "it", .handle = handle, .before_fork = before' '
static int before(void *c, char why[DROVER_WHY_SIZE])
{
    (void)c;
    snprintf(why, DROVER_WHY_SIZE, "the words are not there");
    return 66;
}'
    drover serve --listen 127.0.0.1:0 --app ./it.so
    assert_equal "$status" 66
    assert_output --partial 'application it: the words are not there'
    # after the options
    refused 64 '--workers 0: must be "auto" or a whole number from 1 to 256' --workers 0 \
        --app ./it.so
    module_of '.name = "it", .handle = handle, .before_fork = before' '
static int before(void *c, char why[DROVER_WHY_SIZE]) { (void)c, (void)why; return 256; }'
    drover serve --listen 127.0.0.1:0 --app ./it.so
    assert_equal "$status" 70
    assert_output --partial 'application it: it gave no reason'
}

# ---- programs ---------------------------------------------------------------------------------

@test "drover_main: help and refusals under the program's own name" {
    local time=$BUILD/examples/time
    run "$time" --help
    assert_success
    assert_line --index 0 'usage: time [OPTIONS]'
    assert_line --regexp '^  --listen ADDR '
    assert_line '  --set zone=TEXT   (default: UTC)'
    refute_line --regexp '^  --(app|root|listing|dot-files) '
    while IFS='|' read -r arguments message; do
        # shellcheck disable=SC2086 # words
        run timeout 20 "$time" $arguments 3>&- 4>&-
        assert_equal "$status: $output" "64: time: $message"
    done <<'ROWS'
--root .|--root is for the static site
--listing=no|--listing is for the static site
--dot-files yes|--dot-files is for the static site
--app echo|--app is for drover serve; time is an application
/srv|/srv: time takes options alone, as --help lists them; drover status asks it as it runs
--workers 0|--workers 0: must be "auto" or a whole number from 1 to 256
--listne :0|--listne: there is no such option; did you mean --listen?
--quux|--quux: there is no such option; time --help lists them
--set zoen=UTC|--set zoen=UTC: there is no key "zoen"; did you mean zone?
ROWS
}

@test "make install: a program and a module with what it has put there" {
    installed
    program time <"$ROOT/tools/examples/time.c"
    start_program ./time --workers 2
    assert_equal "$(fetch /time | jq -r .time | cut -c 20-)" +0000
    drover_stop
    assert_equal "$status" 0
    DROVER_UNDER=()
    read -ra flags < <(pkg-config --cflags drover)
    "$CC" -shared -fPIC -o time.so time.c "${flags[@]}"
    drover_start --workers 1 --app ./time.so
    assert_equal "$(fetch /time | jq -r .time | cut -c 20-)" +0000
}

@test "README: its application is built by its lines" {
    local readme=$ROOT/README.md line lines
    installed
    # shellcheck disable=SC2016 # three backquotes, as they are
    sed -n '/^```c$/,/^```$/{/^```c$/d;/^```$/q;p}' "$readme" >hi.c
    mapfile -t lines < <(sed -n 's/^\$ \(cc .*\)/\1/p' "$readme")
    assert_equal "${#lines[@]}" 2
    for line in "${lines[@]}"; do
        eval "${line/#cc/$CC -Wall -Werror}"
    done
    start_program ./hi --workers 1
    assert_equal "$(fetch '/a%20b')" 'hi, 127.0.0.1: this is /a b'
    drover_stop
    DROVER_UNDER=()
    drover_start --app ./hi.so --workers 1
    assert_equal "$(fetch /)" 'hi, 127.0.0.1: this is /'
}

@test "the library shows the functions of drover.h alone, and the names of others do not clash" {
    local names
    names=$(nm --extern-only --defined-only "$BUILD/libdrover.a" | awk 'NF == 3 { print $3 }' | sort)
    assert_equal "$names" "$(<"$BUILD/api.names")"
    program it <<'C'
#include <drover.h>
#include <string.h>
/* Names that drover has inside. */
const char *log_info(void) { return "mine"; }
int buf_add = 3, worker_run = 4, options_print = 5, conn_step = 6, span_of = 7, master_run = 8;
static void handle(void *c, const struct drover_request *q, struct drover_response *r)
{
    (void)c, (void)q, drover_response_body(r, log_info(), strlen(log_info()));
}
static const struct drover_app app = {.name = "it", .handle = handle};
int main(int argc, char *argv[])
{
    return buf_add == 3 && master_run == 8 ? drover_main(argc, argv, &app) : 1;
}
C
    start_program ./it --workers 1
    assert_equal "$(fetch /)" mine
    drover_stop
    assert_equal "$status" 0
    run cat "$DROVER_LOG"
    assert_output --partial 'master: serving it at'
}

@test "an application in C++" {
    local flags
    installed
    cat >it.cpp <<'C'
#include <drover.h>
#include <string>

namespace
{
std::string greeting = "plus plus";

void handle(void *, const drover_request *request, drover_response *response)
{
    auto path = drover_request_path(request);
    auto text = greeting + " " + std::string(path.p, path.n);
    drover_response_body(response, text.data(), text.size());
}

drover_app make_app()
{
    drover_app app{};
    app.name = "it";
    app.handle = handle;
    return app;
}

const drover_app app = make_app();
}

DROVER_MODULE(app);

int main(int argc, char *argv[])
{
    return drover_main(argc, argv, &app);
}
C
    read -ra flags < <(pkg-config --cflags --libs drover)
    c++ -std=c++17 -Wall -Wextra -Werror -pedantic -fPIC -o it it.cpp "${flags[@]}"
    start_program ./it --workers 1
    assert_equal "$(fetch /x)" 'plus plus /x'
    drover_stop
    read -ra flags < <(pkg-config --cflags drover)
    c++ -std=c++17 -Wall -Wextra -Werror -pedantic -fPIC -shared -o it.so it.cpp "${flags[@]}"
    DROVER_UNDER=()
    drover_start --workers 1 --app ./it.so
    assert_equal "$(fetch /y)" 'plus plus /y'
}

# ---- the examples -----------------------------------------------------------------------------

@test "time: zones, a deferred answer; as a module, too" {
    local before after
    start_program "$BUILD/examples/time" --workers 1 --set zone=Etc/GMT-5
    assert_equal "$(fetch /time | jq -r .time | cut -c 20-)" +0500
    assert_equal "$(fetch '/time?zone=UTC' | jq -r .time | cut -c 20-)" +0000
    assert_equal "$(fetch '/time?zone=Mars' --output /dev/null --write-out '%{http_code}')" 404
    assert_equal "$(fetch '/time?zone=../../../etc/passwd' --output /dev/null \
        --write-out '%{http_code}')" 404
    for path in '/tick?after=5' '/tick?after=5s' '/tick?after=60001ms' /tick /; do
        assert_equal "$(fetch "$path" --output /dev/null --write-out '%{http_code}')" 404
    done
    before=$(now_us)
    fetch '/tick?after=300ms' | jq -e .time
    after=$(now_us)
    ((after - before >= 300000))
    # somebody who does not wait changes nothing
    run curl --silent --max-time 0.1 "$DROVER_URL/tick?after=1000ms"
    assert_failure
    fetch '/tick?after=1000ms' | jq -e .time
    drover_stop
    assert_equal "$status" 0
    DROVER_UNDER=()
    drover_start --workers 2 --app "$BUILD/examples/time.so" --set zone=Etc/GMT+3
    assert_equal "$(fetch /time | jq -r .time | cut -c 20-)" -0300
}

@test "upload: files come in whole or not at all, within their bound" {
    mkdir files
    start_program "$BUILD/examples/upload" --workers 2 --set dir=files --set max=4m
    head -c 3000000 /dev/urandom >bytes
    run fetch /a.bin --include --upload-file bytes
    assert_line --partial '201 '
    cmp bytes files/a.bin
    assert_equal "$(fetch /a.bin --request PUT --data-binary anew --output /dev/null \
        --write-out '%{http_code}')" 204
    assert_equal "$(<files/a.bin)" anew
    run fetch '/a%20b' --include -H 'Transfer-Encoding: chunked' --request PUT --data-binary @bytes
    assert_line --partial '201 '
    cmp bytes 'files/a b'
    run fetch /empty --include --request PUT --data-binary ''
    assert_line --partial '201 '
    [[ -e files/empty && ! -s files/empty ]]
    head -c 5000000 /dev/zero >large
    assert_equal "$(fetch /large --upload-file large --output /dev/null \
        --write-out '%{http_code}' || true)" 413
    for path in / /.hidden /sub/x; do
        assert_equal "$(fetch "$path" --request PUT --data-binary x --output /dev/null \
            --write-out '%{http_code}')" 403
    done
    assert_equal "$(fetch /a.bin --output /dev/null --write-out '%{http_code}')" 405
    # one that breaks off leaves nothing
    client <<'PYTHON'
c = Connection()
c.send('PUT /half HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n' + 'x' * 500)
c.socket.close()
PYTHON
    assert_equal "$(fetch /b --request PUT --data-binary x --output /dev/null \
        --write-out '%{http_code}')" 201
    assert_equal "$(find files -type f -printf '%P\n' | sort | paste -sd ,)" 'a b,a.bin,b,empty'
    drover_stop
    assert_equal "$status" 0
}

@test "upload: a directory that is not there is said, and no server starts" {
    run timeout 20 "$BUILD/examples/upload" --listen 127.0.0.1:0 --set dir=/nonexistent \
        3>&- 4>&-
    assert_equal "$status" 66
    assert_output --partial '--set dir=/nonexistent: No such file or directory'
}

@test "chat: names, lines for all, who comes and who leaves" {
    start_program "$BUILD/examples/chat" --workers 1
    client <<'PYTHON'
waits = []

def join(name):
    started = time.monotonic()
    c = Connection()
    assert c.until(b'\n') == b'Your name?'
    waits.append(time.monotonic() - started)
    c.send(name + '\r\n')
    assert c.until(b'\n') == name.encode() + b' has come'
    return c

ann = join('ann')
bob = join('bob')
# who speaks first does not wait for the client (TCP_DEFER_ACCEPT: a second, at least)
assert min(waits) < 0.5, waits
assert ann.until(b'\n') == b'bob has come'
silent = Connection()
assert silent.until(b'\n') == b'Your name?'
ann.send('hel')
ann.send('lo\none\ntwo\n')
for c in ann, bob:
    for line in b'hello', b'one', b'two':
        got = c.until(b'\n')
        assert got == b'ann: ' + line, got
ann.send('y' * 1000 + '\n')  # cut where the name takes room
assert bob.until(b'\n') == b'ann: ' + b'y' * 995
ann.until(b'\n')
bob.socket.close()
assert ann.until(b'\n') == b'bob has left'
assert silent.is_silent(0.1)
silent.send('x' * 2000 + '\n')  # longer than a line may be
try:
    assert silent.is_closed()
except ConnectionResetError:
    pass
ann.send('still here\n')
assert ann.until(b'\n') == b'ann: still here'
PYTHON
    drover_stop
    assert_equal "$status" 0
}
