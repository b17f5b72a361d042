#!/usr/bin/env bats
#
# make install and make uninstall: what is where, what systemd says of the units, and whose the
# configuration is. What is built with the library that was installed is in apps.bats, the service that
# is run in systemd.bats.
#
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; run sets output

# bats file_tags=beside

load helper

setup() {
    ROOT=$BATS_TEST_DIRNAME/../..
    DEST=$BATS_TEST_TMPDIR/dest
}

# installation GOAL [NAME=VALUE...]: make install or uninstall, of what is built.
installation() {
    make -C "$ROOT" -o all "$@" "B=$(cd "${DROVER%/*}" && pwd)" "SAN=$SAN" >/dev/null 3>&- 4>&-
}

# There is no systemd that runs, and none is needed for this.
analyze() {
    run env SYSTEMD_COLORS=0 SYSTEMD_EMOJI=0 SYSTEMD_PAGER='' systemd-analyze "$@" 3>&- 4>&-
}

# exposed UNIT: its score, as in "1.2".
exposed() {
    analyze security --offline=true "$1"
    sed -n 's/.*Overall exposure level for [^ ]* \([0-9.]*\) .*/\1/p' <<<"$output"
}

@test "make install puts each file where it belongs" {
    local functions
    installation install "DESTDIR=$DEST" PREFIX=/usr
    run find "$DEST" -type f -printf '%m %P\n'
    assert_equal "$(sort -k 2 <<<"$output")" "\
644 etc/drover/drover.conf
755 usr/bin/drover
755 usr/bin/drover-lab
755 usr/bin/drover-load
644 usr/include/drover.h
644 usr/lib/libdrover.a
644 usr/lib/pkgconfig/drover.pc
644 usr/lib/systemd/system/drover.service
644 usr/lib/systemd/system/drover.socket
644 usr/lib/systemd/system/drover@.service
644 usr/lib/systemd/system/drover@.socket
644 usr/share/bash-completion/completions/drover
644 usr/share/doc/drover/LICENSE
644 usr/share/doc/drover/README.md
644 usr/share/drover/activated.conf
644 usr/share/drover/doctor.conf
644 usr/share/drover/folders
644 usr/share/drover/low-port.conf
644 usr/share/drover/notify-reload.conf
644 usr/share/drover/own-user.conf
644 usr/share/drover/site/index.html
644 usr/share/fish/vendor_completions.d/drover.fish
644 usr/share/man/man1/drover-lab.1
644 usr/share/man/man1/drover-load.1
644 usr/share/man/man1/drover.1
644 usr/share/man/man3/libdrover.3
644 usr/share/man/man5/drover.conf.5
644 usr/share/zsh/site-functions/_drover"
    run find "$DEST" -type l ! -path '*/man3/*' -printf '%P %l\n'
    assert_equal "$(sort <<<"$output")" "\
usr/share/bash-completion/completions/drover-lab drover
usr/share/bash-completion/completions/drover-load drover
usr/share/fish/vendor_completions.d/drover-lab.fish drover.fish
usr/share/fish/vendor_completions.d/drover-load.fish drover.fish"
    # a page by the name of each function
    functions=$(sed 's/$/.3 libdrover.3/' "${DROVER%/*}/api.names")
    assert_equal "$(find "$DEST/usr/share/man/man3" -type l -printf '%f %l\n' | sort)" "$functions"
    # the pages name this installation's places
    grep -qF '/etc/drover/drover.conf' "$DEST/usr/share/man/man1/drover.1"
    grep -qF '/usr/share/drover' "$DEST/usr/share/man/man1/drover.1"
    run -1 grep -rlE '@[a-z]+@' "$DEST/usr/share/man"
}

@test "make uninstall: what was there before is there again, and nothing else" {
    local before
    mkdir -p "$DEST/usr/share/man/man1" "$DEST/usr/share/zsh/site-functions" "$DEST/usr/bin"
    : >"$DEST/usr/bin/other"
    before=$(find "$DEST" | sort)
    installation install "DESTDIR=$DEST" PREFIX=/usr
    installation install "DESTDIR=$DEST" PREFIX=/usr
    : >"$DEST/usr/share/man/man3/other.3"
    installation uninstall "DESTDIR=$DEST" PREFIX=/usr
    [[ -e $DEST/usr/share/man/man3/other.3 ]] # somebody else's keeps its folder
    rm -r "$DEST/usr/share/man/man3"
    assert_equal "$(find "$DEST" | sort)" "$before"
}

@test "a configuration that is there is not written over, and one that was changed stays" {
    installation install "DESTDIR=$DEST"
    echo 'workers = 2' >>"$DEST/etc/drover/drover.conf"
    installation install "DESTDIR=$DEST"
    installation uninstall "DESTDIR=$DEST"
    assert_equal "$(find "$DEST" -type f)" "$DEST/etc/drover/drover.conf"
    assert_equal "$(tail -n 1 "$DEST/etc/drover/drover.conf")" 'workers = 2'
    installation uninstall "DESTDIR=$DEST"
}

@test "UNITDIR and SYSCONFDIR: units and configuration are there, and name each other's places" {
    local unit
    installation install "DESTDIR=$DEST" PREFIX=/opt/it UNITDIR=/units SYSCONFDIR=/opt/etc
    unit=$DEST/units/drover@.service
    grep -qxF 'ExecStart=/opt/it/bin/drover serve -c /opt/etc/drover/%i.conf' "$unit"
    grep -qxF 'ExecReload=/opt/it/bin/drover reload --control %t/drover-%i/control' "$unit"
    grep -qxF 'RuntimeDirectory=drover-%i' "$unit"
    grep -qxF 'ExecStart=/opt/it/bin/drover serve -c /opt/etc/drover/drover.conf' "${unit/@/}"
    grep -qxF 'root = /opt/it/share/drover/site' "$DEST/opt/etc/drover/drover.conf"
    run -1 grep -rIE '@[a-z]+@' "$DEST/units" "$DEST/opt"
    installation uninstall "DESTDIR=$DEST" PREFIX=/opt/it UNITDIR=/units SYSCONFDIR=/opt/etc
    assert_equal "$(find "$DEST" -type f)" ''
    # who may not write to /etc is told of it
    make -C "$ROOT" help 3>&- 4>&- | grep -E '^  make install .*SYSCONFDIR'
    grep -F 'SYSCONFDIR' "$ROOT/README.md"
}

@test "the configuration that is installed is one that drover takes" {
    installation install "PREFIX=$DEST" "SYSCONFDIR=$DEST/etc"
    run -0 "$DEST/bin/drover" check -c "$DEST/etc/drover/drover.conf"
}

@test "systemd has no complaint of the units, and rates them as little exposed" {
    local unit units=$DEST/lib/systemd/system score
    installation install "PREFIX=$DEST" "SYSCONFDIR=$DEST/etc"
    for unit in drover.service drover.socket drover@.service drover@.socket; do
        analyze verify --man=no "$units/$unit"
        assert_equal "$status $output" '0 '
    done
    for unit in drover.service drover@.service; do
        score=$(exposed "$units/$unit")
        echo "# $unit: $score" >&3
        awk -v score="$score" 'BEGIN { exit !(score != "" && score <= 1.5) }'
    done
    # Each drop-in is a file that systemd takes; notify-reload.conf is for later ones than 252.
    mkdir "$units/drover.service.d"
    for unit in activated low-port own-user; do
        cp "$DEST/share/drover/$unit.conf" "$units/drover.service.d/it.conf"
        analyze verify --man=no "$units/drover.service"
        assert_equal "$status $output" '0 '
        score=$(exposed "$units/drover.service")
        echo "# $unit.conf: $score" >&3
        [[ $unit != activated ]] || awk -v score="$score" 'BEGIN { exit !(score != "" && score <= 0.4) }'
    done
}
