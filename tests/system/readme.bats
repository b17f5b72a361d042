#!/usr/bin/env bats
#
# The README's commands, each as it stands there, from its top to its end, in a box: a machine of its own
# that is gone afterwards. What it says below a command is what the command says.
#
# shellcheck disable=SC2030,SC2031 # each test is a subshell

# bats file_tags=nosan,beside

load helper
load process
load systemd

README=$BATS_TEST_DIRNAME/../../README.md

# Which commands are not run here, by how they begin, and the test that runs them: FILE: TEST.
ELSEWHERE=$(
    cat <<'TABLE'
make test   run: what runs this is what it says
make bench  bench: bench: every work has its rows, on the page and as JSON, and nothing is left running
make lab    lab: every strategy serves singles, and each line has all that it must have
make deb    package: make deb: lintian finds no error; what is in the packages, whose it is, and what they need
apt         package: installed: enabled and started, a page is served, and nothing differs from the package
TABLE
)

setup_file() {
    box_boot
}

teardown_file() {
    box down
}

setup() {
    [[ -z $BOX_LACKS ]] || skip "$BOX_LACKS"
}

teardown() {
    :
}

# elsewhere: the beginnings of the commands, a line each.
elsewhere() {
    awk -F '  +' '{ print $1 }' <<<"$ELSEWHERE"
}

# readme WORD...: the command of that name; it reads the README where no other page is named.
readme() {
    "$BATS_TEST_DIRNAME/readme" "$@"
}

@test "what is not run here is run by another test, and stands in the README" {
    local line start file name commands
    commands=$(readme commands "$README")
    while IFS= read -r line; do
        start=${line%%  *} name=${line##*  }
        file=${name%%: *} name=${name#*: }
        grep -q "^$start" <<<"$commands" || fail "the README has no command '$start'"
        [[ $file == run ]] || grep -qxF -- "@test \"$name\" {" "$BATS_TEST_DIRNAME/$file.bats" ||
            fail "$start: $file.bats has no test '$name'"
    done <<<"$ELSEWHERE"
}

# checked TEXT: the page of that text is run.
checked() {
    echo "$1" >page
    readme run page none
}

# shellcheck disable=SC2016 # backquotes, as they are
@test "a command that does not do what its page says is found, with its line" {
    local page='```console
$ echo one 12.5 ms; echo two; echo three
one 7 us
...
three
$ echo of this nothing is said
$ (exit 3)                # exit status 3
```'
    cd "$BATS_TEST_TMPDIR"
    : >none
    run -0 checked "$page"
    assert_output '3 commands'
    run -1 checked "${page/three$'\n'$/four$'\n'$}"
    assert_line 'line 2: echo one 12.5 ms; echo two; echo three'
    assert_line 'four'
    run -1 checked "${page/one 7/one x}"
    assert_line 'one x us'
    run -1 checked "${page/(exit 3)/(exit 4)}"
    assert_line 'its exit status is 4:'
    run -1 checked "$(printf '%s\n' '`a.c`:' '' '```' 'x' '```' '```console' '$ cat a.c b.c' '```')"
    assert_output --regexp $'\nx\n.*b.c'
    echo '(exit' >none
    run -0 checked "$page"
    assert_output '2 commands'
}

# In words and tables; those in commands are run.
# shellcheck disable=SC2013,SC2016 # each is one word; backquotes, as they are
@test "every option that the README names is one" {
    local known option
    known=$(
        for verb in $("$DROVER" help | awk '/^  / { print $1 }'); do
            "$DROVER" "$verb" --help 2>&1 || true
        done
        "$DROVER_LOAD" --help
        "$DROVER_LAB" --help
    )
    for option in $(sed '/^```/,/^```/d' "$README" | grep -oE '`[^`]*`' | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
        [[ $option == --now ]] || grep -qF -e "$option" <<<"$known" || fail "$option: no program has it"
    done
}

@test "every file that the README points to is there" {
    local file
    # shellcheck disable=SC2013 # each is one word
    for file in $(grep -oE '\]\([^)#]+' "$README" | sed 's/^](//'); do
        [[ -e $BATS_TEST_DIRNAME/../../$file ]] || fail "$file is not there"
    done
    # and the tests behind the figures
    # shellcheck disable=SC2013,SC2016 # backquotes, as they are
    for file in $(sed -n '/^| what | seen | bound | NAME |/,/^$/p' "$README" \
        "$BATS_TEST_DIRNAME/../../tools/bench/README.md" | awk -F '|' 'NF == 6 { print $5 }' | grep -oE '[a-z]+'); do
        [[ -e $BATS_TEST_DIRNAME/$file.bats ]] || fail "there is no $file.bats"
    done
}

@test "every command does what the README says" {
    # A clone in its user's home, in which all is built.
    inside bash -ec '
        mkdir -p /home/me/drover
        ln -s /project/* /home/me/drover
        rm -f /home/me/drover/build
        ln -s /build /home/me/drover/build
        printf "#!/bin/sh\nexec /usr/bin/make -o all -o build/drover B=build \"\$@\"\n" >/usr/local/sbin/make
        chmod 755 /usr/local/sbin/make'
    elsewhere >"$INSIDE/tmp/elsewhere"
    run box run timeout 120 bash -c \
        'cd /home/me/drover && exec python3 /project/tests/system/readme run /project/README.md /tmp/elsewhere'
    assert_success
    tell "$output"
    ((${output% commands} > 40))
}
