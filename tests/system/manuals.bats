#!/usr/bin/env bats
#
# The manual pages: that each option, key, command, signal, exit status and function is in them, that
# they are well-formed, and that what they show as an example works.
#
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; run sets output

# bats file_tags=beside

load helper

setup() {
    ROOT=$BATS_TEST_DIRNAME/../..
    BUILD=$(cd "${DROVER%/*}" && pwd)
    MAN=$BUILD/man
}

# page NAME: as people read it, on lines that are not broken.
page() {
    mandoc -T ascii -O width=1000 "$MAN/$1" 2>/dev/null | col -b
}

# has PAGE WORDS...: each of them stands in the page as a word.
has() {
    local name=$1 text word
    shift
    (($# > 0)) # a list of nothing proves nothing
    text=$(page "$name")
    for word; do
        grep -qE -e "(^|[^-a-zA-Z_])$word([^-a-zA-Z_]|\$)" <<<"$text" || fail "$name has nothing of $word"
    done
}

# options_of COMMAND...: the options that its --help lists, as in "--listen".
options_of() {
    "$@" --help | sed -nE 's/^  (--[a-z-]+).*/\1/p' | sort -u
}

# commands_of PROGRAM
commands_of() {
    "$1" help | sed -nE 's/^  ([a-z]+) .*/\1/p'
}

# examples PAGE PROMPT: what stands there behind the prompt.
examples() {
    sed -nE "s/^\\.Dl $2 //p" "$MAN/$1"
}

@test "mandoc has no complaint, and each page has what one looks for in it" {
    local file section
    run -0 mandoc -T lint -W warning "$MAN"/*
    assert_output ''
    for file in "$MAN"/*; do
        for section in NAME SYNOPSIS DESCRIPTION EXAMPLES 'SEE ALSO'; do
            [[ $file == *.5 && $section == SYNOPSIS ]] || grep -qx ".Sh $section" "$file"
        done
        # a table that nobody has filled in
        run -1 grep -E '^@.*@$' "$file"
    done
    for section in OPTIONS SIGNALS FILES 'EXIT STATUS' DIAGNOSTICS; do
        grep -qx ".Sh $section" "$MAN/drover.1"
    done
}

@test "drover(1): every command, and every option of each" {
    local command commands options
    mapfile -t commands < <(commands_of "$DROVER")
    has drover.1 "${commands[@]}"
    for command in "${commands[@]}"; do
        [[ $command != @(help|version) ]] || continue
        mapfile -t options < <(options_of "$DROVER" "$command")
        has drover.1 "${options[@]}"
    done
}

@test "drover.conf(5): every key, with what is allowed" {
    local keys
    mapfile -t keys < <(options_of "$DROVER" serve | grep -vxE -e '--(config|ready-fd)' | cut -c 3-)
    has drover.conf.5 "${keys[@]/%/ =}"
    mapfile -t keys < <("$DROVER" serve --help | sed -nE 's/^  ([a-z-]+ =) .*/\1/p') # of sections
    has drover.conf.5 "${keys[@]}"
    page drover.conf.5 | grep -A 3 '^ *workers = N' | grep -F 'from 1 to 256'
    page drover.conf.5 | grep -A 3 '^ *log-level = LEVEL' | grep -F 'It must be error, warn, info or debug.'
}

@test "the manuals' defaults and bounds: what they stand for, and how many of a list there may be" {
    local name example most text
    text=$(page drover.conf.5)
    for name in drover.1 drover.conf.5; do
        page "$name" | grep -F 'Default: where drover was started.'
        page "$name" | grep -F 'Default: 0s, none.'
        [[ $(page "$name" | grep -cF 'Default: 0, no bound.') == 3 ]]
        run -1 grep -F 'there is no colon' "$MAN/$name"
    done
    grep -A 3 '^ *lame-duck = ' <<<"$text" | grep -F 'at most 1h; 0 is none.'
    [[ $(page drover.1) != *'-c FILE, --config FILE'*'or -c FILE'* ]]
    while IFS='|' read -r name example; do
        for ((most = 1; most < 100; most++)); do
            # shellcheck disable=SC2059 # it is one
            printf "$name = $example\n" "$most"
        done >"$BATS_TEST_TMPDIR/many.conf"
        run -78 "$DROVER" check -c "$BATS_TEST_TMPDIR/many.conf"
        most=$(grep -oE 'there are too many[a-z ]*; [0-9]+' <<<"$output" | grep -oE -m 1 '[0-9]+$')
        grep -A 4 "^ *$name = " <<<"$text" | grep -E "may be repeated, up to $most " ||
            fail "drover.conf(5) does not say that $name may stand $most times"
    done <<'ROWS'
listen|127.0.0.1:%d
trust-proxy|10.0.0.%d
set|a%d=1
field|X-%d: 1
error-page|4%02d=/a
cache|a%d max-age=1
ROWS
}

@test "drover.conf(5): every directive of the access log, and each member of its objects" {
    local list name
    run -64 "$DROVER" check --access-format %Z
    list=${output##*there are: }
    for name in ${list//,/}; do
        page drover.conf.5 | grep -qF -e "$name" || fail "drover.conf(5) has nothing of $name"
    done
    drover_start --access-log "$BATS_TEST_TMPDIR/access" --access-format json --log-format json .
    fetch / >/dev/null
    drover_stop
    mapfile -t list < <(jq -r 'keys[]' "$BATS_TEST_TMPDIR/access" "$DROVER_LOG" | sort -u)
    has drover.conf.5 "${list[@]}"
}

@test "drover(1): every metric, and every member of drover status --json" {
    local names admin
    drover_start --admin 127.0.0.1:0 .
    wait_until 10 logged 'answers at http://'
    admin=$(grep -o 'answers at http://[0-9.:]*' "$DROVER_LOG")
    mapfile -t names < <("$DROVER" status --json | jq -r 'keys[]')
    has drover.1 "${names[@]}"
    mapfile -t names < <("$DROVER" status --json | jq -r '.totals, .ended | keys[]')
    has drover.1 "${names[@]}"
    mapfile -t names < <("$DROVER" status --json | jq -r '.workers[0], .slots[0] | keys[]' | sort -u)
    has drover.1 "${names[@]}"
    mapfile -t names < <(sed -n '/SLOT_EMPTY\]/,/};/p' "$ROOT/src/status/snapshot.c" | grep -o '"[a-z]*"' | tr -d '"')
    ((${#names[@]} == 8))
    has drover.1 "${names[@]}"
    mapfile -t names < <(curl -sS -m 10 "${admin#answers at }/metrics" |
        sed -n 's/^# TYPE \([^ ]*\) .*/\1/p')
    ((${#names[@]} > 20))
    has drover.1 "${names[@]}"
    # each label, and its values
    local text name label value
    text=$(page drover.1)
    while read -r name label value; do
        [[ $label != @(le|slot|version) ]] || continue
        grep -A 1 "^ *$name\$" <<<"$text" | grep -qE "by $label: .*\b$value\b" ||
            fail "drover(1) has nothing of $name{$label=\"$value\"}"
    done < <(curl -sS -m 10 "${admin#answers at }/metrics" | sed -nE 's/^([a-z_]+)\{([a-z]+)="([^"]*)"\}.*/\1 \2 \3/p')
    drover_stop
}

@test "drover-load(1), drover-lab(1): every option and every cause of a loss, every command" {
    local command commands options causes
    mapfile -t options < <(options_of "$DROVER_LOAD")
    has drover-load.1 "${options[@]}"
    mapfile -t causes < <("$DROVER_LOAD" --help | sed -nE 's/^  ([a-z_]+)  .*/\1/p')
    has drover-load.1 "${causes[@]}"
    mapfile -t commands < <(commands_of "$DROVER_LAB")
    has drover-lab.1 "${commands[@]}"
    for command in run claims report; do
        mapfile -t options < <(options_of "$DROVER_LAB" "$command")
        has drover-lab.1 "${options[@]}"
    done
}

@test "drover(1): every signal that the master takes, and every exit status that the code has" {
    local names name number
    mapfile -t names < <(grep -ohE '\bSIG(TERM|INT|QUIT|HUP|USR1|USR2|TTIN|TTOU)\b' "$ROOT"/src/master/*.c | sort -u | cut -c 4-)
    has drover.1 "${names[@]}"
    for name in "${names[@]}"; do
        grep -E 'signals: .*\bCHLD\b' "$ROOT/README.md" | grep -qw "$name" || fail "the README's picture lacks $name"
    done
    mapfile -t names < <(grep -rohE '\bEX_[A-Z]+\b' "$ROOT"/src/{base,cli,master,config} | sort -u)
    ((${#names[@]} > 5))
    for name in "${names[@]}"; do
        number=$(awk -v name="$name" '$1 == "#define" && $2 == name { print $3 }' /usr/include/sysexits.h)
        [[ $name == EX_OK ]] || grep -qx ".It $number" "$MAN/drover.1" || fail "$name, $number, is not there"
    done
}

@test "drover(1): the words of the log are those that drover has" {
    local words
    for words in 'serving' 'accepts, after' 'is asked for by' 'every worker is a fresh one' 'one worker more' \
        'one worker less' 'hangs since' 'goes on after' 'was stopped' 'did not start' \
        'has not left in time' 'was leaving' 'nothing is changed' 'no worker can start' 'stopping at once on'; do
        grep -qaF "$words" "$DROVER" || fail "drover does not say '$words'"
        page drover.1 | grep -qF "$words" || fail "drover(1) has nothing of '$words'"
    done
}

@test "libdrover(3): every function, macro, constant and struct of drover.h" {
    local names
    mapfile -t names <"$BUILD/api.names"
    ((${#names[@]} > 40))
    has libdrover.3 "${names[@]}"
    mapfile -t names < <(grep -oE '\bDROVER_[A-Z0-9_]+' "$ROOT/include/drover.h" | sort -u |
        grep -vxE 'DROVER_(H|EXPORT)')
    has libdrover.3 "${names[@]}"
    mapfile -t names < <(grep -oE '^(struct|enum) drover_[a-z_]+' "$ROOT/include/drover.h" | sort -u)
    has libdrover.3 "${names[@]}"
}

@test "libdrover(3): the example is built as a program and as a module, and answers" {
    local it=$BATS_TEST_TMPDIR/it
    sed -n '/^#include <drover.h>/,/^\.Ed/p' "$MAN/libdrover.3" | sed '/^\.Ed/d' >"$it.c"
    read -ra cc <<<"${CC:-cc}"
    [[ $SAN != 1 ]] || cc+=(-fsanitize=address -fsanitize=undefined)
    "${cc[@]}" -Wall -Wextra -Werror -I"$ROOT/include" -o "$it" "$it.c" "$BUILD/libdrover.a"
    "${cc[@]}" -fPIC -shared -I"$ROOT/include" -o "$it.so" "$it.c"
    run -0 "$it" --help
    drover_start --app "$it.so" --workers 1
    assert_equal "$(fetch /here)" 'it is /here'
    drover_stop
}

@test "drover.conf(5): the examples are configurations, and the diagnostics come as they stand" {
    local conf=$BATS_TEST_TMPDIR/site.conf
    make_site
    awk -v to="$conf" '/^\.Sh/ { on = $2 == "EXAMPLES" } /^\.Ed/ { shown = 0 } on && shown { print >(to "." n) }
        on && /^\.Bd/ { shown = 1; n++ }' "$MAN/drover.conf.5"
    for conf in "$conf".*; do
        sed -i "s|/srv/www|$SITE|; s|/run/|$BATS_TEST_TMPDIR/|; s|404.html|index.html|" "$conf"
        run -0 "$DROVER" check -c "$conf"
    done
    cd "$BATS_TEST_TMPDIR"
    printf 'listen = :0\n\n\nworker = 4\nroot = /srv/wwww\n' >site.conf
    run -78 "$DROVER" check -c site.conf
    assert_output "$(sed -n '/^site.conf:/p' "$MAN/drover.conf.5")"
}

@test "drover(1), drover-load(1), drover-lab(1): the examples are run" {
    local line lines
    make_site
    mkdir "$BATS_TEST_TMPDIR/etc"
    printf 'listen = 127.0.0.1:0\nroot = %s\n' "$SITE" >"$BATS_TEST_TMPDIR/etc/drover.conf"
    PATH=$BUILD:$PATH
    mapfile -t lines < <(examples drover.1 '\$')
    ((${#lines[@]} >= 5))
    for line in "${lines[@]}"; do
        line=${line//\/etc\/drover/$BATS_TEST_TMPDIR/etc}
        case $line in
        'drover serve '*) # it has to stay within the test
            read -ra words <<<"$line"
            drover_start --listen 127.0.0.1:0 "${words[@]:4:2}" "$SITE"
            ;;
        *) run -0 bash -c "$line" ;;
        esac
    done
    drover_wait "$STOP_SECONDS" # the last one was a stop

    drover_start "$SITE"
    cd "$SITE"
    mapfile -t lines < <(examples drover-load.1 '\$')
    ((${#lines[@]} >= 3))
    for line in "${lines[@]}"; do
        line=${line//127.0.0.1:8080/$DROVER_ADDR}
        run -0 bash -c "${line//[12]s /200ms }"
    done
    drover_stop
    run -0 drover-lab list
    # what takes its time is read, and not done
    for line in run claims report; do
        examples drover-lab.1 '\$' | grep -q "^drover-lab $line "
    done
}
