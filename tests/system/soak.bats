#!/usr/bin/env bats
#
# The soak, for a moment; `make soak MINUTES=n` is the real one.
#
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; the variables are the helper's

load helper
load process

@test "10 seconds of random moments: what is lost is what killed workers held" {
    run env B="${DROVER%/*}" timeout 120 "$BATS_TEST_DIRNAME/../soak" --seconds 10 --seed 1 3>&- 4>&-
    tell "$output"
    assert_success
}
