# Installation and packages.

define PKG_CONFIG_FILE
prefix=$(PREFIX)
includedir=$${prefix}/include
libdir=$(if $(filter $(PREFIX)/%,$(LIBDIR)),$${prefix}/$(LIBDIR:$(PREFIX)/%=%),$(LIBDIR))

Name: drover
Description: prefork HTTP server for applications in C
Version: $(VERSION)
Cflags: -I$${includedir}
Libs: -L$${libdir} -ldrover $(filter -fsanitize=%,$(SANITIZE))
endef
export PKG_CONFIG_FILE

# $(call fill,FILE,CONFIG,FOLDER): a file with the places of this installation in it.
fill = sed -e 's|@bindir@|$(PREFIX)/bin|g; s|@docdir@|$(PREFIX)/share/doc/drover|g' \
           -e 's|@datadir@|$(PREFIX)/share/drover|g; s|@sysconfdir@|$(SYSCONFDIR)|g' \
           -e 's|@config@|$(2)|g; s|@folder@|$(3)|g' $(1)
SHARED_UNITS := drover.socket drover@.socket
DROP_INS     := activated.conf low-port.conf notify-reload.conf own-user.conf
CONFIG        = $(DESTDIR)$(SYSCONFDIR)/drover/drover.conf

PROGRAMS      = drover drover-load drover-lab
FOLDERS       = $(foreach f,bin include share/doc/drover share/drover/site,'$(DESTDIR)$(PREFIX)/$(f)') \
                $(foreach f,'$(LIBDIR)/pkgconfig' '$(UNITDIR)' '$(SYSCONFDIR)/drover' '$(MANDIR)/man1' '$(MANDIR)/man3' \
                '$(MANDIR)/man5' '$(BASHDIR)' '$(ZSHDIR)' '$(FISHDIR)','$(DESTDIR)'$(f))
# What `make uninstall` removes beside the files.
MADE          = '$(DESTDIR)$(PREFIX)/share/drover/folders'

# A configuration that is there belongs to whoever runs the machine: it is never written over, and
# only taken away as it was put there.
install: all ## install below PREFIX=/usr/local, in DESTDIR=; units, too, and drover/ in SYSCONFDIR=/etc
	tools/package/folders make $(MADE) $(FOLDERS)
	install -m 755 $(PROGRAMS:%=$(B)/%) '$(DESTDIR)$(PREFIX)/bin'
	install -m 644 include/drover.h '$(DESTDIR)$(PREFIX)/include'
	install -m 644 $(B)/libdrover.a '$(DESTDIR)$(LIBDIR)'
	install -m 644 README.md LICENSE '$(DESTDIR)$(PREFIX)/share/doc/drover'
	printf '%s\n' "$$PKG_CONFIG_FILE" | install -m 644 /dev/stdin '$(DESTDIR)$(LIBDIR)/pkgconfig/drover.pc'
	install -m 644 $(SHARED_UNITS:%=systemd/%) '$(DESTDIR)$(UNITDIR)'
	$(call fill,systemd/drover.service.in,drover,drover) | install -m 644 /dev/stdin '$(DESTDIR)$(UNITDIR)/drover.service'
	$(call fill,systemd/drover.service.in,%i,drover-%i) | install -m 644 /dev/stdin '$(DESTDIR)$(UNITDIR)/drover@.service'
	install -m 644 $(DROP_INS:%=systemd/%) '$(DESTDIR)$(PREFIX)/share/drover'
	$(call fill,systemd/doctor.conf.in) | install -m 644 /dev/stdin '$(DESTDIR)$(PREFIX)/share/drover/doctor.conf'
	install -m 644 systemd/index.html '$(DESTDIR)$(PREFIX)/share/drover/site'
	for page in $(notdir $(MANUALS)); do \
		$(call fill,$(B)/man/$$page) | install -m 644 /dev/stdin '$(DESTDIR)$(MANDIR)'/man$${page##*.}/$$page || exit; \
	done
	while read -r name; do ln -sf libdrover.3 '$(DESTDIR)$(MANDIR)/man3'/$$name.3 || exit; done <$(B)/api.names
	install -m 644 $(B)/completions/drover.bash '$(DESTDIR)$(BASHDIR)/drover'
	install -m 644 $(B)/completions/drover.zsh '$(DESTDIR)$(ZSHDIR)/_drover'
	install -m 644 $(B)/completions/drover.fish '$(DESTDIR)$(FISHDIR)/drover.fish'
	for name in drover-load drover-lab; do \
		ln -sf drover '$(DESTDIR)$(BASHDIR)'/$$name && ln -sf drover.fish '$(DESTDIR)$(FISHDIR)'/$$name.fish || exit; \
	done
	[ -e '$(CONFIG)' ] || $(call fill,systemd/drover.conf.in) | install -m 644 /dev/stdin '$(CONFIG)'

uninstall: ## remove what install put there, but for a configuration that was changed
	rm -f $(patsubst %,'$(DESTDIR)$(PREFIX)/%',$(PROGRAMS:%=bin/%) include/drover.h)
	rm -f $(patsubst %,'$(DESTDIR)$(LIBDIR)/%',libdrover.a pkgconfig/drover.pc)
	rm -f $(patsubst %,'$(DESTDIR)$(UNITDIR)/%',$(SHARED_UNITS) drover.service drover@.service)
	rm -f $(foreach page,$(notdir $(MANUALS)),'$(DESTDIR)$(MANDIR)'/man$(subst .,,$(suffix $(page)))/$(page))
	! [ -d '$(DESTDIR)$(MANDIR)/man3' ] || find '$(DESTDIR)$(MANDIR)/man3' -maxdepth 1 -type l -lname libdrover.3 -delete
	rm -f $(PROGRAMS:%='$(DESTDIR)$(BASHDIR)'/%) $(PROGRAMS:%='$(DESTDIR)$(FISHDIR)'/%.fish) '$(DESTDIR)$(ZSHDIR)/_drover'
	rm -f $(patsubst %,'$(DESTDIR)$(PREFIX)/share/drover/%',$(DROP_INS) doctor.conf site/index.html)
	rm -f $(patsubst %,'$(DESTDIR)$(PREFIX)/share/doc/drover/%',README.md LICENSE)
	! $(call fill,systemd/drover.conf.in) | cmp -s - '$(CONFIG)' || rm '$(CONFIG)'
	tools/package/folders remove $(MADE)

# ---- packages ---------------------------------------------------------------------------------

# Of the Debian packages: the revision of this version's, who answers for them.
REVISION   ?= 1
MAINTAINER ?= drover maintainers <maintainers@drover.invalid>
OUT        ?= $(B)
STAGE       = $(abspath $(OUT))/deb

dist: ## the source as build/drover-VERSION.tar.gz, the same bytes each time
	tools/package/dist drover-$(VERSION) $(OUT)/drover-$(VERSION).tar.gz

deb: all ## Debian packages, build/drover_VERSION-REVISION_ARCH.deb and drover-dev's; needs no root
	@rm -rf $(STAGE) && mkdir -p $(STAGE)
	$(Q)$(MAKE) -o all install DESTDIR='$(STAGE)/drover' PREFIX=/usr SYSCONFDIR=/etc \
		ZSHDIR=/usr/share/zsh/vendor-completions UNITDIR=/lib/systemd/system \
		LIBDIR=/usr/lib/$$(dpkg-architecture -qDEB_HOST_MULTIARCH) >$(STAGE)/log
	$(call say,DEB,$(OUT)/drover_$(VERSION)-$(REVISION))
	$(Q)tools/package/deb $(STAGE) '$(VERSION)-$(REVISION)' '$(MAINTAINER)' $(OUT)
	@rm -rf $(STAGE)
