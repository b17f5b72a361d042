#!/usr/bin/env bats
#
# The configuration file: drover serve -c, drover check, drover check --print.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test is a subshell; the variables are the helper's

# bats file_tags=beside

load helper
load process

setup() {
    make_site
    cd "$BATS_TEST_TMPDIR" || return
}

# conf LINE...: the file site.conf.
conf() {
    printf '%s\n' "$@" >site.conf
}

# wrong STATUS TEXT ARGS...: drover check ARGS ends so, and says exactly this.
wrong() {
    local status_wanted=$1 text=$2
    shift 2
    drover check "$@"
    assert_equal "$status: $output" "$status_wanted: $text"
}

descriptors() {
    find /proc/self/fd -mindepth 1 | wc -l
}

# ---- drover check -----------------------------------------------------------------------------

@test "a good file: one line and 0" {
    conf '# the site' 'workers = 2' "root = $SITE" 'field = "X-A: a #b"  # a field'
    wrong 0 'site.conf: no errors' -c site.conf
    wrong 0 'site.conf: no errors' --config site.conf
    wrong 0 'site.conf: no errors' --config=site.conf --workers 3
    echo >site.conf
    wrong 0 'site.conf: no errors' -c site.conf
}

@test "an empty file is good for a start, and a reload would refuse it" {
    : >site.conf
    wrong 0 $'site.conf: no errors\nsite.conf is empty: a reload refuses it' -c site.conf
}

@test "the same address twice, in a file" {
    conf 'listen = 127.0.0.1:8123' "root = $SITE" 'listen = 127.0.0.1:8123'
    wrong 78 'site.conf:3:10: listen = 127.0.0.1:8123: was given already: 127.0.0.1:8123' -c site.conf
    wrong 0 'site.conf: no errors' -c site.conf --listen 127.0.0.1:8124
    conf 'listen = fd:web' 'listen = 127.0.0.1:0' 'listen = 127.0.0.1:0' "root = $SITE"
    wrong 0 'site.conf: no errors' -c site.conf
}

@test "errors of the file and of the command line are told together" {
    conf 'worker = 4'
    wrong 78 '--workers 0: must be "auto" or a whole number from 1 to 256
site.conf:1:1: unknown key "worker"; did you mean "workers"?' -c site.conf --workers 0
}

@test "a start that tells twenty errors says what tells all" {
    seq -f 'wrong-%g = 1' 23 >site.conf
    drover serve -c site.conf
    assert_equal "$status: ${#lines[@]} ${lines[20]}" \
        '78: 21 drover serve: and 3 more: drover check -c site.conf tells all'
}

@test "every error of a file at once, each with line, column and what is allowed" {
    conf 'worker = 4' 'workers = 0' '' 'listing =' 'root = none' 'set = a=b' 'user = nosuchuser' \
        '[site'
    wrong 78 'site.conf:1:1: unknown key "worker"; did you mean "workers"?
site.conf:2:11: workers = 0: must be "auto" or a whole number from 1 to 256
site.conf:4:10: listing: its value is missing, as in listing = yes|no
site.conf:5:8: root = none: No such file or directory
site.conf:6:7: set = a=b: the application has no keys
site.conf:7:8: user = nosuchuser: there is no such user
site.conf:8:1: a section begins with [site NAME]' -c site.conf
}

@test "all of hundreds are told; of more than a thousand how many are left" {
    seq -f 'wrong-%g = 1' 300 >site.conf
    drover check -c site.conf
    assert_equal "$status: ${#lines[@]} ${lines[299]%%;*}" \
        '78: 300 site.conf:300:1: unknown key "wrong-300"'
    seq -f 'wrong-%g = 1' 1003 >site.conf
    drover check -c site.conf
    assert_equal "$status: ${#lines[@]} ${lines[1000]}" '78: 1001 and 3 more'
}

@test "errors are on stderr, and nothing on stdout" {
    conf 'worker = 4'
    drover check -c site.conf
    assert_equal "$status" 78
    run bash -c '"$0" check -c site.conf 2>/dev/null' "$DROVER"
    assert_equal "$status: $output" '78: '
}

@test "a terminal is safe from what is in a file" {
    printf 'pid\x1b[2Jfile = 1\n\xff\x9b = 1\nroot = /\xc2\x9b\n' >site.conf
    wrong 78 'site.conf:1:4: there is a control byte; in a value in "quotes" it is \x1b
site.conf:2:1: unknown key "\xff\x9b"; keys are the options that drover check --help lists, without dashes
site.conf:3:8: root = /\xc2\x9b: No such file or directory' -c site.conf
}

@test "a file that cannot be read is named with the reason" {
    mkdir dir
    mkfifo fifo
    wrong 66 'drover check: -c none: No such file or directory' -c none
    wrong 66 'drover check: -c dir: is a directory' -c dir
    wrong 66 'drover check: -c fifo: is not a regular file, which can be read again at a reload' \
        -c fifo
    wrong 66 'drover check: -c /dev/zero: is not a regular file, which can be read again at a reload' \
        -c /dev/zero
    conf 'workers = 1'
    ln -s site.conf link
    wrong 0 'link: no errors' -c link
    truncate -s 262145 site.conf
    wrong 78 '-c site.conf: is larger than 262144 bytes' -c site.conf
}

@test "a file without permission" {
    ((EUID == 0)) || skip 'needs root'
    conf 'workers = 1'
    chmod 600 site.conf
    chmod 755 "$BATS_TEST_TMPDIR"
    run setpriv --reuid=nobody --regid=65534 --clear-groups "$DROVER" check -c "$PWD/site.conf"
    assert_equal "$status" 77
    assert_output --regexp 'site.conf: Permission denied$'
}

@test "the application, its keys and its address are checked as a start would" {
    conf 'app = ecoh'
    wrong 78 'site.conf:1:7: app = ecoh: there is no such application; did you mean echo? There are static, echo, hello, tcp-echo, status, and modules by their path, as in ./it.so' \
        -c site.conf
    conf 'app = ./it.so'
    wrong 78 'site.conf:1:7: app = ./it.so: No such file or directory' -c site.conf
    : >it.so
    drover check -c site.conf
    assert_equal "$status" 78
    assert_output --partial 'site.conf:1:7: app = ./it.so: cannot be loaded as a module: '
    conf 'app = echo' 'set = a=b' 'root = .'
    wrong 78 'site.conf:2:7: set = a=b: the application has no keys
site.conf:3:8: root is for the static site, not for --app echo' -c site.conf
    conf 'listen = name.invalid:80'
    RES_OPTIONS='timeout:1 attempts:1' drover check -c site.conf # where no name server answers
    assert_equal "$status" 78
    assert_output --partial 'site.conf:1:10: listen = name.invalid:80: host "name.invalid": '
    conf 'error-page = 404=/none.html' "root = $SITE"
    wrong 78 'site.conf:1:14: error-page = 404=/none.html: No such file or directory' -c site.conf
    conf "root = $SITE"
    wrong 66 'drover check: --fallback /none.html: No such file or directory' \
        -c site.conf --fallback /none.html
}

@test "options alone are checked, and refused as serve does" {
    wrong 0 'options: no errors' --workers 2 "$SITE"
    wrong 64 'drover check: --worker: there is no such option; did you mean --workers?' --worker 2
    wrong 66 'drover check: ROOT none: No such file or directory' none
}

@test "it binds nothing, and runs beside the server of the same file" {
    drover_start --workers 1 --pidfile "$PWD/pid" "$SITE"
    conf "listen = $DROVER_ADDR" "pidfile = $PWD/pid" "root = $SITE"
    wrong 0 'site.conf: no errors' -c site.conf
    assert_equal "$(<pid)" "$DROVER_PID"
    drover_stop
    assert_equal "$status" 0
}

@test "--help and the list of commands" {
    drover check --help
    assert_equal "$status" 0
    assert_output --partial 'usage: drover check [--print] [-c FILE] [OPTIONS] [ROOT]'
    assert_output --partial '  --config FILE   (default: none)'
    drover help
    assert_output --partial '  check '
}

# ---- drover check --print ---------------------------------------------------------------------

@test "--print: what holds, and where it comes from" {
    conf 'workers = 3' '' "root = $SITE" 'set-nothing = 1'
    sed -i '$d' site.conf
    drover check --print -c site.conf --idle-timeout 7s
    assert_equal "$status" 0
    assert_line 'workers = 3  # site.conf:1'
    assert_line "root = $SITE  # site.conf:3"
    assert_line 'idle-timeout = 7s  # option'
    assert_line 'max-body = 1m  # default'
    assert_line '# pidfile: off  # default'
}

@test "--print: what it prints is a file that comes to the same" {
    conf "root = $SITE" 'field = "X-A: a #b"' "field = 'X-B: \"q\" \\'" 'listen = :1' 'listen = :2'
    drover check --print -c site.conf --field 'X-C: c' --listen 127.0.0.1:0
    printf '%s\n' "$output" >printed.conf
    wrong 0 'printed.conf: no errors' -c printed.conf
    drover check --print -c printed.conf
    printf '%s\n' "$output" >again.conf
    assert_equal "$(sed 's/  # [^#]*$//' again.conf)" "$(sed 's/  # [^#]*$//' printed.conf)"
    assert_line --regexp '^field = "?X-A: a #b"?  # printed.conf:'
    refute_line --regexp '^listen = :1'
}

# ---- drover serve -c --------------------------------------------------------------------------

@test "serve -c: the file is served, and the command line goes before it" {
    conf 'workers = 3' 'listen = 127.0.0.1:1' 'field = X-A: file' 'field = X-B: "file" # words' \
        'field = X-C: it is # words'
    drover_start -c site.conf --workers 1 --field 'x-a: option' "$SITE"
    assert_equal "$(worker_count)" 1
    run fetch / --head
    assert_line --regexp '^x-a: option'
    assert_line --regexp '^X-B: "file"'
    assert_line --regexp '^X-C: it is.?$'
    refute_output --partial 'X-A: file'
    drover_stop
    assert_equal "$status" 0
}

@test "serve -c: root of the file, relative to where drover was started" {
    mkdir -p etc
    conf 'root = site' 'workers = 1'
    mv site.conf etc
    drover_start -c etc/site.conf
    run fetch /index.html --output /dev/null --write-out '%{http_code}'
    assert_output 200
    drover_stop
}

@test "serve -c: a bad file is 78, a wrong option 64, a missing ROOT 66" {
    conf 'worker = 4' 'workers = 0'
    drover serve -c site.conf "$SITE"
    assert_equal "$status: $output" \
        '78: drover serve: site.conf:1:1: unknown key "worker"; did you mean "workers"?
drover serve: site.conf:2:11: workers = 0: must be "auto" or a whole number from 1 to 256'
    drover serve -c site.conf --workers 0 "$SITE"
    assert_equal "$status: ${#lines[@]} ${lines[0]}" \
        '78: 3 drover serve: --workers 0: must be "auto" or a whole number from 1 to 256'
    conf 'workers = 1'
    drover serve -c site.conf --workers 0 "$SITE"
    assert_equal "$status: $output" \
        '64: drover serve: --workers 0: must be "auto" or a whole number from 1 to 256'
    drover serve -c site.conf none
    assert_equal "$status: $output" '66: drover serve: ROOT none: No such file or directory'
    drover serve -c none "$SITE"
    assert_equal "$status: $output" '66: drover serve: -c none: No such file or directory'
}

@test "serve: -c without a file, and twice" {
    drover serve -c
    assert_equal "$status: $output" '64: drover serve: -c: its value is missing, as in -c FILE'
    drover serve -c a -c b
    assert_equal "$status: $output" \
        '64: drover serve: --config b: one file is read, and was given already: a'
}

@test "a program with drover_main() has -c, for what it offers" {
    local time=${DROVER%/*}/examples/time
    conf 'listen = 127.0.0.1:0' 'workers = 1' 'set = zone=Asia/Tokyo' 'listing = no' 'app = echo' \
        'set = zoen=UTC'
    run timeout 20 "$time" -c site.conf 3>&- 4>&-
    assert_equal "$status: $output" \
        '78: time: site.conf:4:1: listing: is for the static site of drover serve
time: site.conf:5:1: app: is for drover serve; this program is an application
time: site.conf:6:7: set = zoen=UTC: there is no key "zoen"; did you mean zone?'
    sed -i '4,$d' site.conf
    # shellcheck disable=SC2016 # $0 is the program; "$DROVER" and "serve" are not wanted
    DROVER_UNDER=(bash -c 'exec "$0" "${@:3}"' "$time")
    drover_start -c site.conf
    run fetch /time
    assert_output --partial '+0900"}'
    drover_stop
    assert_equal "$status" 0
}

@test "a file with comments, lists and quotes is a good one" {
    cat >site.conf <<EOF
# Keys are the long options' names.
listen = 127.0.0.1:8080
listen = unix:/run/site.sock
workers = 4                         # a comment has white space before its #
root = $SITE
idle-timeout = 30s
field = X-Frame-Options: DENY
field = "X-Words: a #b"             # quotes, where the value has " #" in it
EOF
    wrong 0 'site.conf: no errors' -c site.conf
    drover check --print -c site.conf --workers 2
    assert_line 'workers = 2  # option'
    assert_line 'field = "X-Words: a #b"  # site.conf:8'
}
