# drover: build, test, install. `make help` lists the targets.
#
# A target installs what it lacks by itself (tools/setup). Nothing is built outside $(B).
#
#   CC=clang                       another compiler
#   SAN=1                          with Address- and UndefinedBehaviorSanitizer, in build/san
#   B=DIR                          another build directory
#   V=1                            show the commands

VERSION := 0.1.0

PREFIX  ?= /usr/local
DESTDIR ?=
ROOT    ?= .
LISTEN  ?= 127.0.0.1:8080
CFLAGS  ?= -O2 -g

B := $(if $(filter 1,$(SAN)),build/san,build)

# ---- flags ------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wcast-qual -Wsign-compare -Wconversion $(if $(filter 1,$(WERROR)),-Werror)
HARDEN   := -fstack-protector-strong -fPIE
LINK     := -pie -Wl,-z,relro,-z,now

ifeq ($(SAN),1)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else
# Some distributions' compilers define it already, with another value.
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif

ifeq ($(STATIC),1)
# musl's include path has no kernel headers; a folder of links adds these and nothing else.
KERNEL_HEADERS := $(B)/include/linux
HARDEN += -isystem $(B)/include
LINK   := -static -Wl,-z,relro,-z,now
endif

DEFINES := -std=gnu17 -D_GNU_SOURCE -Isrc -Iinclude -Itools
COMPILE  = $(CC) $(DEFINES) $(WARNINGS) $(HARDEN) $(SANITIZE) $(CPPFLAGS) $(CFLAGS)
LINKER   = $(CC) $(HARDEN) $(SANITIZE) $(CFLAGS) $(LINK) $(LDFLAGS)

# ---- files ------------------------------------------------------------------------------------

LIB_SOURCES  := $(filter-out src/main.c,$(wildcard src/*.c src/*/*.c))
LOAD_SOURCES := $(wildcard tools/load/*.c)
UNIT_SOURCES := $(wildcard tests/unit/test_*.c)
TEST_SOURCES := $(wildcard tests/fault/*.c tests/slow/*.c)
HEADERS      := $(wildcard include/*.h src/*/*.h tools/*/*.h tests/unit/*.h)
SOURCES      := src/main.c $(LIB_SOURCES) $(LOAD_SOURCES)

LIB_OBJECTS  := $(LIB_SOURCES:%.c=$(B)/%.o)
LOAD_OBJECTS := $(LOAD_SOURCES:%.c=$(B)/%.o)
LOAD_PARTS   := $(filter-out %/main.o,$(LOAD_OBJECTS))
HELPERS      := $(B)/fault.so $(B)/slow
UNIT_TESTS   := $(UNIT_SOURCES:tests/unit/%.c=$(B)/tests/%)

# ---- make itself ------------------------------------------------------------------------------

MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
ifneq ($(filter clean,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all run test unit system tests static lint lint-all lint-gcc lint-clang lint-tidy \
        lint-cppcheck lint-shell lint-format sizes layers install uninstall clean help setup FORCE

Q := $(if $(filter 1,$(V)),,@)
# $(call say,WORD,FILE): what is being made, unless the command itself is shown.
say = $(if $(Q),@printf '  %-4s %s\n' $(1) $(2))

# The package sets that the goals need, for one call of tools/setup before anything else is done.
SETS := build \
        $(if $(findstring clang,$(CC)),clang) \
        $(if $(findstring musl,$(CC)),static) \
        $(if $(filter test system,$(MAKECMDGOALS)),test) \
        $(if $(filter test unit tests lint $(B)/tests/%,$(MAKECMDGOALS)),unit) \
        $(if $(filter lint%,$(MAKECMDGOALS)),lint clang) \
        $(if $(filter sizes,$(MAKECMDGOALS)),lint)

# ---- build ------------------------------------------------------------------------------------

all: $(B)/drover $(B)/drover-load ## build drover and drover-load (the default)

setup:
	@tools/setup $(SETS)

$(B)/drover: $(B)/src/main.o $(B)/libdrover.a
	$(call say,LINK,$@)
	$(Q)$(LINKER) -o $@ $^ $(LDLIBS)

$(B)/drover-load: $(LOAD_OBJECTS) $(B)/libdrover.a
	$(call say,LINK,$@)
	$(Q)$(LINKER) -o $@ $^ $(LDLIBS)

# Made anew each time: `ar` would keep the object of a source that is gone.
$(B)/libdrover.a: $(LIB_OBJECTS) $(B)/stamp/members
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(LIB_OBJECTS)

$(B)/%.o: %.c $(B)/stamp/flags | setup $(KERNEL_HEADERS)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -DDROVER_VERSION='"$(VERSION)"' -MMD -MP -c -o $@ $<

# Stamps change only when their text does, and then what depends on them is made again.
$(B)/stamp/flags: STAMP = $(VERSION) $(COMPILE) / $(LINKER) $(LDLIBS)
$(B)/stamp/members: STAMP = $(LIB_OBJECTS)
$(B)/stamp/flags $(B)/stamp/members: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(STAMP))' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(B)/include/linux: | setup
	@mkdir -p $(@D)
	@for name in asm asm-generic linux; do \
		for dir in /usr/include/$$(gcc -print-multiarch) /usr/include; do \
			[ -d $$dir/$$name ] && ln -sfn $$dir/$$name $(@D)/$$name && break; \
		done || exit 1; \
	done

static: ## build static binaries with musl, in build/static
	$(Q)$(MAKE) B=build/static STATIC=1 SAN= CC=musl-gcc all
	@! readelf --program-headers build/static/drover | grep -q INTERP

run: $(B)/drover ## serve ROOT=. at LISTEN=127.0.0.1:8080
	@exec $(B)/drover serve --drain-timeout 1s --listen '$(LISTEN)' '$(ROOT)'

# ---- test -------------------------------------------------------------------------------------

$(B)/tests/test_load_%: $(B)/tests/unit/test_load_%.o $(LOAD_PARTS) $(B)/libdrover.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINKER) -o $@ $^ $(LDLIBS) -lcriterion

$(B)/tests/test_%: $(B)/tests/unit/test_%.o $(B)/libdrover.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINKER) -o $@ $^ $(LDLIBS) -lcriterion

# Preloaded by tests. No fortified calls: they are what it defines.
$(B)/fault.so: tests/fault/fault.c $(B)/stamp/flags | setup
	$(call say,LINK,$@)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE $(WARNINGS) -O1 -g -fPIC -shared -U_FORTIFY_SOURCE \
		$(if $(SANITIZE),-DSANITIZED) -o $@ $< -ldl

$(B)/slow: tests/slow/slow.c $(B)/stamp/flags | setup
	$(call say,LINK,$@)
	$(Q)$(COMPILE) $(LINK) -o $@ $<

tests: all $(UNIT_TESTS) $(HELPERS)

test: tests ## build and run every test; SAN=1 under the sanitizers
	@B='$(B)' SAN='$(SAN)' tests/run

unit: $(UNIT_TESTS) ## the unit tests alone (Criterion)
	@B='$(B)' SAN='$(SAN)' tests/run unit

system: all $(HELPERS) ## the system tests alone (bats); FILE=serve for one file
	@B='$(B)' SAN='$(SAN)' tests/run system $(FILE)

# ---- lint -------------------------------------------------------------------------------------

lint: setup ## both compilers with -Werror, clang-tidy, cppcheck, shellcheck, clang-format
	@$(MAKE) --keep-going --output-sync=target lint-all && $(MAKE) sizes

lint-all: lint-gcc lint-clang lint-tidy lint-cppcheck lint-shell lint-format

lint-gcc:
	@$(MAKE) B=build/lint/gcc CC=gcc SAN= WERROR=1 tests

lint-clang:
	@$(MAKE) B=build/lint/clang CC=clang SAN= WERROR=1 tests

lint-tidy: $(SOURCES:%.c=build/lint/tidy/%.ok)

# All headers: a finding may be in one of them. The output is of interest only when there is one.
build/lint/tidy/%.ok: %.c .clang-tidy $(HEADERS) Makefile | setup
	$(call say,TIDY,$<)
	@mkdir -p $(@D)
	@out=$$(clang-tidy --quiet $< -- $(DEFINES) -DDROVER_VERSION='"$(VERSION)"' 2>&1) || \
		{ printf '%s\n' "$$out"; exit 1; }
	@touch $@

lint-cppcheck: | setup
	$(call say,LINT,cppcheck)
	@mkdir -p build/lint/cppcheck
	@cppcheck --quiet --error-exitcode=1 --cppcheck-build-dir=build/lint/cppcheck -j $$(nproc) \
		--enable=warning,performance,portability,style --inline-suppr --std=c11 \
		--suppress=missingIncludeSystem --suppress=unusedStructMember \
		--suppress=constParameter --suppress=variableScope \
		-D_GNU_SOURCE -D__linux__ -DDROVER_VERSION='"$(VERSION)"' \
		-Isrc -Iinclude -Itools $(SOURCES)

lint-shell: | setup
	$(call say,LINT,shellcheck)
	@grep -rIlE '^#!/usr/bin/env (ba)?(sh|ts)$$' tools tests .ci | xargs shellcheck --external-sources

lint-format: | setup
	$(call say,LINT,clang-format)
	@clang-format --dry-run --Werror $(SOURCES) $(UNIT_SOURCES) $(TEST_SOURCES) $(HEADERS)

sizes: | setup ## how long functions and files are
	@tools/sizes $(SOURCES) $(HEADERS)

layers: $(B)/drover ## check that includes run downward only
	@tools/layers $(B)

# ---- install ----------------------------------------------------------------------------------

install: all ## install below PREFIX=/usr/local, in DESTDIR=
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/doc/drover'
	install -m 755 $(B)/drover $(B)/drover-load '$(DESTDIR)$(PREFIX)/bin'
	install -m 644 README.md LICENSE '$(DESTDIR)$(PREFIX)/share/doc/drover'

uninstall: ## remove what install put there
	rm -f '$(DESTDIR)$(PREFIX)/bin/drover' '$(DESTDIR)$(PREFIX)/bin/drover-load'
	rm -rf '$(DESTDIR)$(PREFIX)/share/doc/drover'

clean: ## remove the build directory
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

-include $(patsubst %.o,%.d,$(B)/src/main.o $(LIB_OBJECTS) $(LOAD_OBJECTS) \
           $(UNIT_SOURCES:%.c=$(B)/%.o))
