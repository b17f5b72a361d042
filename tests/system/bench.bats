#!/usr/bin/env bats
#
# bench - that a measurement can fail. How fast the machine is does not matter here: that is what
# `make bench` asks.
#
# bats file_tags=nosan

load helper

bench() {
    run "${DROVER%/*}/drover-bench-parser" "$@"
}

@test "the parser's speed is shown for each head and for all of them" {
    bench --no-check
    assert_success
    assert_line --regexp '^chrome, first page +[0-9]+ bytes +[0-9.]+ ns/parse +[0-9.]+ GB/s$'
    assert_line --regexp '^all of them, mixed +[0-9.]+ GB/s$'
    assert_equal "${#lines[@]}" 8
}

@test "a parser that is fast enough passes, a slower one fails" {
    bench --at-least=0.001
    assert_success
    bench --at-least=1000
    assert_failure 1
    assert_line 'too slow: at least 1000.00 GB/s are wanted'
}

@test "a bound that is no number is refused" {
    for bound in --at-least= --at-least=1x --at-least 1.5; do
        bench "$bound"
        assert_failure 64
    done
}
