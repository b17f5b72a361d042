#!/usr/bin/env bats
#
# What bash, zsh and fish complete: each in its own shell, as it is installed.
#
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; run sets output

# bats file_tags=beside

load helper

setup() {
    COMPLETIONS=$(cd "${DROVER%/*}" && pwd)/completions
    PATH=$(cd "${DROVER%/*}" && pwd):$PATH
    mkdir -p "$BATS_TEST_TMPDIR/here/folder"
    cd "$BATS_TEST_TMPDIR/here" || return
    : >site.conf
    SHELL_USED=''
}

# Each takes the words of a line, the last of which is to be completed, and prints what it may be.
in_bash() {
    # shellcheck disable=SC2016 # for the other shell
    bash --norc -c '. "$0"; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        _drover "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf "%s\n" "${COMPREPLY[@]}"' "$COMPLETIONS/drover.bash" "$@"
}

in_fish() {
    XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/fish XDG_DATA_HOME=$BATS_TEST_TMPDIR/fish HOME=$BATS_TEST_TMPDIR \
        fish --no-config -c "source $COMPLETIONS/drover.fish; complete -C '$*'" | cut -f 1
}

# zsh completes at a terminal alone, so there is one; compadd says what it was given.
in_zsh() {
    mkdir -p "$BATS_TEST_TMPDIR/zsh"
    cp "$COMPLETIONS/drover.zsh" "$BATS_TEST_TMPDIR/zsh/_drover"
    cat >"$BATS_TEST_TMPDIR/zsh/.zshrc" <<'RC'
PROMPT='' RPROMPT=''
fpath=($ZDOTDIR $fpath)
autoload -Uz compinit && compinit -u -d $ZDOTDIR/dump
unsetopt zle_bracketed_paste 2>/dev/null; zle_bracketed_paste=()
zstyle ':completion:*' insert-tab false
compadd() {
    local -a found
    [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]] || {
        builtin compadd -A found "$@"
        print -rl -- $found >>$ZDOTDIR/found
    }
    builtin compadd "$@"
}
finish() { comppostfuncs=(finish); print -r -- done >>$ZDOTDIR/found }
comppostfuncs=(finish)
bindkey '^I' complete-word
RC
    rm -f "$BATS_TEST_TMPDIR/zsh/found"
    # shellcheck disable=SC2016 # for the other shell
    LINE="$*" ZDOTDIR=$BATS_TEST_TMPDIR/zsh TERM=dumb timeout 60 zsh -f -c '
        zmodload zsh/zpty
        zpty shell "ZDOTDIR=$ZDOTDIR zsh -d -i"
        zpty -w shell "print rea""dy"
        zpty -r shell text "*ready*"
        complete() {
            rm -f $ZDOTDIR/found
            zpty -n -w shell "$1"$'"'\\t'"'
            repeat 1000; do
                grep -qsx done $ZDOTDIR/found && break
                sleep 0.02
            done
        }
        # the first time it is loaded, which the second is to be without
        complete "drover sto"
        complete $'"'\\x15'"'"$LINE"
        zpty -d shell' </dev/null >/dev/null 2>&1 3>&- 4>&-
    sed '/^done$/,$d' "$BATS_TEST_TMPDIR/zsh/found"
}

# completes TEXT... -- WORD...: in the shell of the test, each of these is offered for the line.
completes() {
    local wanted=() word
    while [[ $1 != -- ]]; do
        wanted+=("$1")
        shift
    done
    shift
    run "in_$SHELL_USED" "$@"
    for word in "${wanted[@]}"; do
        grep -qxF -e "$word" <<<"$output" || fail "$SHELL_USED, $*: no '$word' in: $output"
    done
}

# completes_not TEXT -- WORD...
completes_not() {
    local unwanted=$1
    shift 2
    run "in_$SHELL_USED" "$@"
    ! grep -qxF -e "$unwanted" <<<"$output" || fail "$SHELL_USED, $*: '$unwanted' in: $output"
}

# Every command, and of each every option that its --help has.
knows_all() {
    local command commands options
    mapfile -t commands < <("$DROVER" help | sed -nE 's/^  ([a-z]+) .*/\1/p')
    ((${#commands[@]} > 5))
    completes "${commands[@]}" -- drover ''
    for command in "$@"; do
        mapfile -t options < <("$DROVER" "$command" --help | sed -nE 's/^  (--[a-z-]+).*/\1/p')
        completes "${options[@]}" -- drover "$command" --
    done
}

knows_values() {
    completes error warn info debug -- drover serve --log-level ''
    completes static echo -- drover serve --app ''
    completes site.conf -- drover check -c ''
    completes auto yes no -- drover serve --preempt ''
    completes on off -- drover serve --standby ''
    completes root -- drover serve --user ro
    completes loopback veth -- drover-lab run --net ''
    completes epoll-lt epoll-exclusive -- drover-lab run epoll-
    completes --expect-file -- drover-load --expect-
    completes_not site.conf -- drover serve ''
}

# A server's socket is offered while it is there.
knows_sockets() {
    drover_start --workers 1 .
    completes "$XDG_RUNTIME_DIR/drover-$DROVER_PID.control" -- drover stop --control ''
    drover_stop
    completes_not "$XDG_RUNTIME_DIR/drover-$DROVER_PID.control" -- drover stop --control ''
}

@test "bash: commands, options and values, from the code's tables" {
    SHELL_USED=bash
    knows_all serve check doctor stop reload
    knows_values
    completes folder -- drover serve ''
    completes info -- drover serve --log-level = i
    completes_not - -- drover serve -
    knows_sockets
    # bash itself finds it so
    run -0 bash --norc -c ". '$COMPLETIONS/drover.bash'; complete -p drover drover-load drover-lab"
    assert_line 'complete -F _drover drover'
}

@test "fish: commands, options and values, from the code's tables" {
    SHELL_USED=fish
    knows_all serve stop
    knows_values
    completes folder/ -- drover serve ''
    knows_sockets
}

@test "zsh: commands, options and values, from the code's tables" {
    SHELL_USED=zsh
    knows_all stop
    completes --listen --workers --root -- drover serve --
    completes error warn info debug -- drover serve --log-level ''
    completes site.conf -- drover check -c ''
    completes epoll-lt epoll-exclusive -- drover-lab run epoll-
    completes --expect-file -- drover-load --expect-
    knows_sockets
}
