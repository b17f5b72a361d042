#!/usr/bin/env bats
#
# The source package and the Debian packages: what is in them, what lintian says, and what becomes of a
# service when its package is installed, upgraded, removed and purged, in a real systemd.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154 # each test is a subshell; the variables are the helpers'

# nosan: a package is made of the programs as they are built for users.
# bats file_tags=beside,nosan

load helper
load process
load lifecycle
load systemd

# Two revisions of the same programs, and the box.
setup_file() {
    export DEBS=$BATS_FILE_TMPDIR/debs
    mkdir "$DEBS"
    export DPKG_DEB_COMPRESSOR_LEVEL=0 # the time is of more worth here
    packaged deb
    packaged deb REVISION=2
    box_start
    [[ -z $BOX_LACKS ]] || return 0
    cp -r "$DEBS" "$INSIDE/srv/debs"
    # as on a machine of its own: an image of a container may forbid services, and leave files out
    rm -f "$INSIDE/usr/sbin/policy-rc.d" "$INSIDE"/etc/dpkg/dpkg.cfg.d/*
    traces >"$BATS_FILE_TMPDIR/before"
}

teardown_file() {
    box down
}

setup() {
    DROVER_SOCKET='' DROVER_URL=http://127.0.0.1:8080
    SINCE=@$EPOCHREALTIME
}

teardown() {
    [[ ${BATS_TEST_COMPLETED:-} == 1 || -n $BOX_LACKS ]] || systemd_show
    drover_teardown
}

# packaged GOAL [NAME=VALUE...]: make dist or deb, of what is built, into $DEBS.
packaged() {
    make -C "$BATS_TEST_DIRNAME/../.." -o all "$@" "B=$(cd "${DROVER%/*}" && pwd)" OUT="$DEBS" >"$DEBS/log" 2>&1 \
        3>&- 4>&- || {
        cat "$DEBS/log"
        return 1
    }
}

needs_box() {
    [[ -z $BOX_LACKS ]] || skip "$BOX_LACKS"
}

deb() {
    printf '%s\n' "$DEBS/$1_"*"-${2:-1}_"*.deb
}

# packages OPTION...: dpkg in the box. The page index of man-db, a trigger, takes its time and is not of
# interest.
packages() {
    box run timeout --kill-after=1 90 env DEBIAN_FRONTEND=noninteractive dpkg --no-triggers "$@"
}

# installs REVISION: both packages.
installs() {
    local names
    mapfile -t names < <(basename -a "$(deb drover "$1")" "$(deb drover-dev "$1")")
    packages --install "${names[@]/#//srv/debs/}"
}

# What there is in the box that has drover's name, or its own folders.
traces() {
    inside find /etc /usr /lib /var /run -xdev -maxdepth 4 -name '*drover*' ! -path '/var/log/journal/*' | sort
}

@test "make dist: what git has, the same bytes each time, also from itself" {
    local first=$BATS_TEST_TMPDIR/first.tar.gz unpacked=$BATS_TEST_TMPDIR/unpacked root=$BATS_TEST_DIRNAME/../..
    packaged dist
    mv "$DEBS"/drover-*.tar.gz "$first"
    mkdir "$unpacked"
    tar -xzf "$first" -C "$unpacked"
    unpacked=$(echo "$unpacked"/drover-*)
    if git -C "$root" ls-files --error-unmatch Makefile >/dev/null 2>&1; then # else all that is there
        assert_equal "$(cd "$unpacked" && find . -type f -printf '%P\n' | sort)" "$(git -C "$root" ls-files | sort)"
    fi
    make -C "$unpacked" dist OUT="$BATS_TEST_TMPDIR" >/dev/null 3>&- 4>&-
    cmp "$first" "$BATS_TEST_TMPDIR"/drover-*.tar.gz
    # it builds: what is made of it is asked for, and nothing lacks
    run -0 make -C "$unpacked" --dry-run all 3>&- 4>&-
    assert_output --partial 'src/main.c'
}

@test "make deb: lintian finds no error; what is in the packages, whose it is, and what they need" {
    run -0 lintian --allow-root --fail-on error "$(deb drover)" "$(deb drover-dev)"
    tell "$output"
    refute_line --regexp '^E:'
    run -0 dpkg-deb --contents "$(deb drover)"
    run -1 grep -v ' root/root ' <<<"$output"
    run -0 dpkg-deb --contents "$(deb drover)"
    for path in ./usr/bin/drover ./lib/systemd/system/drover.service ./etc/drover/drover.conf \
        ./usr/share/man/man1/drover.1.gz ./usr/share/man/man5/drover.conf.5.gz \
        ./usr/share/bash-completion/completions/drover ./usr/share/zsh/vendor-completions/_drover \
        ./usr/share/fish/vendor_completions.d/drover.fish ./usr/share/doc/drover/copyright \
        ./usr/share/doc/drover/changelog.Debian.gz; do
        grep -qE " root/root .* $path\$" <<<"$output" || fail "no $path"
    done
    refute_output --partial drover.h
    refute_output --partial share/drover/folders
    run -0 dpkg-deb --contents "$(deb drover-dev)"
    for path in usr/include/drover.h libdrover.a pkgconfig/drover.pc usr/bin/drover-lab man3/libdrover.3.gz \
        'man3/drover_main.3.gz -> libdrover.3.gz'; do
        assert_output --partial "$path"
    done
    assert_equal "$(dpkg-deb --info "$(deb drover)" conffiles)" /etc/drover/drover.conf
    run -0 dpkg-deb --field "$(deb drover)" Depends
    assert_output --regexp '^libc6 \([^,]*$'
    # stripped, and still with all that modules may call
    dpkg-deb --fsys-tarfile "$(deb drover)" | tar -xO ./usr/bin/drover >"$BATS_TEST_TMPDIR/drover"
    run -0 readelf --sections --wide "$BATS_TEST_TMPDIR/drover"
    refute_output --partial .debug_info
    run -0 readelf --dyn-syms --wide "$BATS_TEST_TMPDIR/drover"
    assert_output --partial drover_response_status
}

@test "installed: enabled and started, a page is served, and nothing differs from the package" {
    needs_box
    run -0 installs 1
    assert_equal "$(systemctl is-enabled drover) $(property ActiveState)" 'enabled active'
    assert_equal "$(answer http://127.0.0.1:8080/)" 200
    run -0 inside dpkg --verify drover drover-dev
    assert_output ''
    run -0 inside drover check -c /etc/drover/drover.conf
    run -0 inside env MANPATH=/usr/share/man man -w drover drover.conf drover_response_status
    assert_output --partial man3/libdrover.3.gz
    run -0 inside pkg-config --cflags --libs drover
    assert_output --partial -ldrover
}

@test "upgraded under load: every service goes on as the new binary, and no request is lost" {
    local before shop
    needs_box
    configure drover 'workers = 2' 'listen = :8080'
    configure shop 'workers = 2' 'listen = :8081'
    cp "$INSIDE/etc/drover/drover.conf" "$BATS_TEST_TMPDIR/changed.conf"
    systemctl reload drover
    systemctl start drover@shop
    before=$(property MainPID) shop=$(property MainPID drover@shop)
    both_begin
    run -0 installs 2
    refute_output --partial 'nothing is changed'
    wait_until 30 main_is_not "$before"
    (($(property MainPID drover@shop) != shop))
    run -0 inside drover version
    assert_equal "$(property NRestarts) $(property ActiveState drover@shop)" '0 active'
    nothing_is_lost
    # what the administrator has written stays
    cmp "$INSIDE/etc/drover/drover.conf" "$BATS_TEST_TMPDIR/changed.conf"
    assert_equal "$(answer http://127.0.0.1:8081/hello.txt)" 200
}

@test "a server that cannot be asked is restarted; one that the new binary could not follow stays" {
    local before shop
    needs_box
    configure drover 'control = off' 'listen = :8080'
    systemctl restart drover
    configure shop 'nonsense'
    before=$(property MainPID) shop=$(property MainPID drover@shop)
    run -0 installs 1
    assert_output --partial 'nonsense'
    assert_output --partial 'drover@shop.service goes on as the program that it was'
    wait_until 30 main_is_not "$before"
    assert_equal "$(answer http://127.0.0.1:8080/hello.txt)" 200
    assert_equal "$(property MainPID drover@shop)" "$shop"
    assert_equal "$(answer http://127.0.0.1:8081/hello.txt)" 200
}

@test "removed: all is stopped, and the configuration stays; purged: nothing is left" {
    needs_box
    run -0 packages --remove drover-dev drover
    assert_equal "$(property ActiveState) $(property ActiveState drover@shop)" 'inactive inactive'
    assert_equal "$(answer http://127.0.0.1:8080/)" 000
    run -1 inside pgrep drover
    [[ -e $INSIDE/etc/drover/drover.conf && ! -e $INSIDE/usr/bin/drover ]]
    rm "$INSIDE/etc/drover/shop.conf" # the administrator's own
    run -0 packages --purge drover drover-dev
    assert_equal "$(traces)" "$(<"$BATS_FILE_TMPDIR/before")"
}
