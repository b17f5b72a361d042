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
SYSCONFDIR ?= /etc
LIBDIR  ?= $(PREFIX)/lib
UNITDIR ?= $(PREFIX)/lib/systemd/system
MANDIR  ?= $(PREFIX)/share/man
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
ROOT    ?= .
LISTEN  ?= 127.0.0.1:8080
# -O1 under the sanitizers: their findings are the same, and are there after two thirds of the time.
CFLAGS  ?= $(if $(filter 1,$(SAN)),-O1,-O2) -g
SECONDS ?= 60
MINUTES ?= 1

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

DEFINES := -std=gnu17 -D_GNU_SOURCE $(if $(filter 1,$(STATIC)),-DDROVER_STATIC) \
           -Isrc -Iinclude -Itools
COMPILE  = $(CC) $(DEFINES) $(WARNINGS) $(HARDEN) $(SANITIZE) $(CPPFLAGS) $(CFLAGS)
LINKER   = $(CC) $(HARDEN) $(SANITIZE) $(CFLAGS) $(LINK) $(LDFLAGS)

# The examples, and the tests' applications, have what every embedder has; with -fPIC one object
# makes a program and a module.
EXAMPLE_DEFINES := -std=gnu17 -Iinclude
EXAMPLE_COMPILE  = $(CC) $(EXAMPLE_DEFINES) $(WARNINGS) -Wno-unused-parameter -fPIC \
                   $(filter-out -fPIE,$(HARDEN)) $(SANITIZE) $(CPPFLAGS) $(CFLAGS)

OBJCOPY ?= objcopy

# ---- files ------------------------------------------------------------------------------------

LIB_SOURCES  := $(filter-out src/main.c,$(wildcard src/*.c src/*/*.c))
LOAD_SOURCES := $(wildcard tools/load/*.c)
LAB_SOURCES  := $(wildcard tools/lab/*.c tools/lab/*/*.c)
BENCH_SOURCES := $(wildcard tools/bench/*.c)
DOCS_SOURCES := $(wildcard tools/docs/*.c)
UNIT_SOURCES := $(wildcard tests/unit/test_*.c)
APP_SOURCES  := $(wildcard tests/apps/*.c)
TEST_SOURCES := $(wildcard tests/fault/*.c tests/slow/*.c tests/board/*.c) $(APP_SOURCES)
FUZZ_SOURCES := $(wildcard tests/fuzz/*.c)
HEADERS      := $(wildcard include/*.h src/*/*.h tools/*/*.h tools/*/*/*.h tests/*/*.h)
SOURCES      := src/main.c $(LIB_SOURCES) $(LOAD_SOURCES) $(LAB_SOURCES) $(BENCH_SOURCES) $(DOCS_SOURCES)

EXAMPLE_SOURCES := $(wildcard tools/examples/*.c)

LIB_OBJECTS  := $(LIB_SOURCES:%.c=$(B)/%.o)
LOAD_OBJECTS := $(LOAD_SOURCES:%.c=$(B)/%.o)
BENCH_OBJECTS := $(BENCH_SOURCES:%.c=$(B)/%.o)
PARSER_PARTS := $(B)/tools/bench/parser.o $(B)/tools/bench/heads.o
LOAD_PARTS   := $(filter-out %/main.o,$(LOAD_OBJECTS))
LAB_OBJECTS  := $(LAB_SOURCES:%.c=$(B)/%.o)
LAB_PARTS    := $(filter-out %/main.o,$(LAB_OBJECTS)) $(LOAD_PARTS)
LAB_LIBS     := -ljansson -lm
UNIT_TESTS   := $(UNIT_SOURCES:tests/unit/%.c=$(B)/tests/%)
EXAMPLES     := $(EXAMPLE_SOURCES:tools/examples/%.c=$(B)/examples/%) \
                $(if $(filter 1,$(STATIC)),,$(EXAMPLE_SOURCES:tools/examples/%.c=$(B)/examples/%.so))
APPS         := $(APP_SOURCES:tests/apps/%.c=$(B)/apps/%) $(APP_SOURCES:tests/apps/%.c=$(B)/apps/%.so)
HELPERS      := $(B)/fault.so $(B)/slow $(B)/board $(B)/drover-bench-floor \
                $(B)/drover-bench-parser $(APPS)

# Filled in by drover-docs; a static build has no drover-lab to ask.
DOCS_OBJECTS := $(DOCS_SOURCES:%.c=$(B)/%.o)
DOCS_PARTS   := $(filter-out %/main.o,$(DOCS_OBJECTS))
MANUALS      := $(patsubst tools/manual/%.in,$(B)/man/%,$(wildcard tools/manual/*.in))
COMPLETIONS  := $(patsubst tools/completions/%.in,$(B)/completions/%,$(wildcard tools/completions/*.in))
DOCUMENTS    := $(if $(filter 1,$(STATIC)),,$(MANUALS) $(COMPLETIONS))

# The fuzz targets have a compiler, flags and a library of their own: the floors that parse.
FUZZ         := $(B)/fuzz
FUZZ_OBJECTS := $(patsubst %.c,$(FUZZ)/%.o,$(wildcard $(addsuffix /*.c,src/base src/config src/http src/os)) \
                src/worker/access_format.c)
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,$(FUZZ)/%,$(wildcard tests/fuzz/fuzz_*.c))

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
.PHONY: all run test unit system tests soak model compare-lifecycle lab bench bench-quick bench-parser bench-board bench-guard bench-standby fuzz fuzz-targets fuzz-objects static dist deb lint lint-all lint-gcc \
        lint-clang lint-tidy lint-cppcheck lint-shell lint-format sizes layers install uninstall \
        clean help setup manuals completions FORCE

Q := $(if $(filter 1,$(V)),,@)
# $(call say,WORD,FILE): what is being made, unless the command itself is shown.
say = $(if $(Q),@printf '  %-4s %s\n' $(1) $(2))

# The package sets that the goals need, for one call of tools/setup before anything else is done.
SETS := build \
        $(if $(filter 1,$(STATIC)),,$(if $(filter-out run static setup model bench bench-quick bench-parser bench-board bench-guard bench-standby help clean uninstall fuzz fuzz-targets layers,$(or $(MAKECMDGOALS),all)),lab)) \
        $(if $(findstring clang,$(CC)),clang) \
        $(if $(findstring musl,$(CC)),static) \
        $(if $(filter test system soak compare-lifecycle,$(MAKECMDGOALS)),test) \
        $(if $(filter bench bench-quick bench-standby,$(MAKECMDGOALS)),bench) \
        $(if $(filter test unit tests lint $(B)/tests/%,$(MAKECMDGOALS)),unit) \
        $(if $(filter lint%,$(MAKECMDGOALS)),lint clang) \
        $(if $(filter sizes,$(MAKECMDGOALS)),lint) \
        $(if $(filter lab,$(MAKECMDGOALS)),report) \
        $(if $(filter bench-guard,$(MAKECMDGOALS)),guard) \
        $(if $(filter model,$(MAKECMDGOALS)),model) \
        $(if $(filter deb,$(MAKECMDGOALS)),deb) \
        $(if $(filter fuzz fuzz-targets $(if $(filter 1,$(SAN)),,test),$(MAKECMDGOALS)),fuzz)

# ---- build ------------------------------------------------------------------------------------

all: $(B)/drover $(B)/drover-load $(if $(filter 1,$(STATIC)),,$(B)/drover-lab) $(B)/libdrover.a \
     $(EXAMPLES) $(DOCUMENTS) ## build all of it (the default)

setup:
	@tools/setup $(SETS)

include tools/docs/docs.mk

# All objects, used by drover itself or not: a module may call any function of drover.h, and these
# are what it is shown.
$(B)/drover: $(B)/src/main.o $(LIB_OBJECTS) $(B)/api.list $(B)/stamp/members
	$(call say,LINK,$@)
	$(Q)$(LINKER) $(if $(filter 1,$(STATIC)),,-Wl,--dynamic-list=$(B)/api.list) \
		-o $@ $(filter %.o,$^) $(LDLIBS)

$(B)/drover-load: $(LOAD_OBJECTS) $(B)/libinternal.a
	$(call say,LINK,$@)
	$(Q)$(LINKER) -o $@ $^ $(LDLIBS)

$(B)/drover-lab: $(LAB_OBJECTS) $(LOAD_PARTS) $(B)/libinternal.a
	$(call say,LINK,$@)
	$(Q)$(LINKER) -pthread -o $@ $^ $(LDLIBS) $(LAB_LIBS)

$(B)/drover-bench-floor: $(B)/tools/bench/floor.o
	$(call say,LINK,$@)
	$(Q)$(LINKER) -o $@ $^ $(LDLIBS)

$(B)/drover-bench-parser: $(PARSER_PARTS) $(B)/libinternal.a
	$(call say,LINK,$@)
	$(Q)$(LINKER) -o $@ $^ $(LDLIBS)

$(B)/drover-bench-board: $(B)/tools/bench/board.o $(B)/libinternal.a
	$(call say,LINK,$@)
	$(Q)$(LINKER) -o $@ $^ $(LDLIBS)

# Made anew each time: `ar` would keep the object of a source that is gone.
$(B)/libinternal.a: $(LIB_OBJECTS) $(B)/stamp/members
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(LIB_OBJECTS)

# For embedders: one object with what the functions of drover.h need, and no other name is to be
# seen in it, so that theirs do not clash with ours.
$(B)/libdrover.a: $(B)/libinternal.a $(B)/api.names
	$(call say,AR,$@)
	$(Q)$(LD) -r -o $(@:.a=.o) $$(sed 's/^/-u /' $(B)/api.names) $<
	$(Q)$(OBJCOPY) --keep-global-symbols=$(B)/api.names $(@:.a=.o)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(@:.a=.o)

# The functions of drover.h, one a line.
$(B)/api.names: include/drover.h $(B)/stamp/flags | setup
	@mkdir -p $(@D)
	@$(CC) -E -P $< | tr '\n;{}' ' \n\n\n' | grep -v typedef | \
		grep -oE '\bdrover_[a-z_]+ *\(' | tr -d ' (' | sort -u >$@

$(B)/api.list: $(B)/api.names
	@{ echo '{'; sed 's/$$/;/' $<; echo '};'; } >$@

$(B)/examples/%.so: $(B)/tools/examples/%.o
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANITIZE) $(CFLAGS) -shared $(LDFLAGS) -o $@ $<

$(B)/examples/%: $(B)/tools/examples/%.o $(B)/libdrover.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINKER) -o $@ $^ $(LDLIBS)

$(B)/apps/%.so: $(B)/tests/apps/%.o
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANITIZE) $(CFLAGS) -shared $(LDFLAGS) -o $@ $<

$(B)/apps/%: $(B)/tests/apps/%.o $(B)/libdrover.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINKER) -o $@ $^ $(LDLIBS)

$(B)/tools/examples/%.o: tools/examples/%.c $(B)/stamp/flags | setup
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(EXAMPLE_COMPILE) -MMD -MP -c -o $@ $<

$(B)/tests/apps/%.o: tests/apps/%.c $(B)/stamp/flags | setup
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(EXAMPLE_COMPILE) -MMD -MP -c -o $@ $<

# It speaks to the master as none should.
$(B)/tests/apps/forges.o: EXAMPLE_DEFINES += -Isrc

# They take files in that no compiler sees.
$(B)/src/status/page.o: src/status/page.html src/status/page.css src/status/page.js
$(B)/tools/lab/report/style.o: tools/lab/report/report.css

$(B)/%.o: %.c $(B)/stamp/flags | setup $(KERNEL_HEADERS)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -DDROVER_VERSION='"$(VERSION)"' -MMD -MP -c -o $@ $<

# Stamps change only when their text does, and then what depends on them is made again.
$(B)/stamp/flags: STAMP = $(VERSION) $(COMPILE) / $(EXAMPLE_COMPILE) / $(LINKER) $(LDLIBS)
$(B)/stamp/members: STAMP = $(LIB_OBJECTS)
$(B)/stamp/fuzz: STAMP = $(FUZZ_COMPILE) / $(FUZZ_OBJECTS)
$(B)/stamp/flags $(B)/stamp/members $(B)/stamp/fuzz: FORCE
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

$(B)/tests/test_load_%: $(B)/tests/unit/test_load_%.o $(LOAD_PARTS) $(B)/libinternal.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINKER) -o $@ $^ $(LDLIBS) -lcriterion

$(B)/tests/test_lab_%: $(B)/tests/unit/test_lab_%.o $(LAB_PARTS) $(B)/libinternal.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINKER) -pthread -o $@ $^ $(LDLIBS) $(LAB_LIBS) -lcriterion

$(B)/tests/test_docs_%: $(B)/tests/unit/test_docs_%.o $(DOCS_PARTS) $(B)/libinternal.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINKER) -o $@ $^ $(LDLIBS) -lcriterion

$(B)/tests/test_%: $(B)/tests/unit/test_%.o $(B)/libinternal.a
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

$(B)/board: tests/board/board.c $(B)/libinternal.a $(B)/stamp/flags | setup
	$(call say,LINK,$@)
	$(Q)$(COMPILE) $(LINK) -o $@ $(filter-out %/flags,$^)

tests: all $(UNIT_TESTS) $(HELPERS)

# The targets have sanitizers of their own, so SAN=1 has nothing to add to them.
test: tests $(if $(filter 1,$(SAN)),,fuzz-targets) ## build and run every test; SAN=1 under the sanitizers
	@B='$(B)' SAN='$(SAN)' CC='$(CC)' tests/run

unit: $(UNIT_TESTS) ## the unit tests alone (Criterion)
	@B='$(B)' SAN='$(SAN)' tests/run unit

system: all $(HELPERS) ## the system tests alone (bats); FILE=serve for one file
	@B='$(B)' SAN='$(SAN)' CC='$(CC)' tests/run system $(FILE)

soak: $(B)/drover $(B)/drover-load ## hard moments at random under load, for MINUTES=1; SEED=n draws the same ones again
	@B='$(B)' tests/soak --minutes '$(MINUTES)' $(if $(SEED),--seed '$(SEED)')

model: | setup ## how a connection outlives its process, as a model: all orders of steps; DEEP=1 for more
	@B='$(B)' tests/model/run $(if $(filter 1,$(DEEP)),deep)

compare-lifecycle: $(B)/drover $(B)/drover-load ## the same moments against drover and nginx: what each loses
	@B='$(B)' tools/bench/lifecycle $(MOMENTS)

lab: $(B)/drover-lab ## what every way to share a listener costs here: build/report.html; QUICK=1 in 3 minutes
	$< all $(if $(filter 1,$(QUICK)),--quick) --out $(B)/drover-lab.jsonl --page $(B)/report.html

bench: $(B)/drover $(B)/drover-load $(B)/drover-bench-floor ## what a request costs, beside the floor, nginx, h2o, lighttpd, HAProxy: 15 minutes
	@B='$(B)' tools/bench/bench

bench-quick: $(B)/drover $(B)/drover-load $(B)/drover-bench-floor ## the most telling part of it, in 2 minutes
	@B='$(B)' tools/bench/bench --quick

bench-parser: $(B)/drover-bench-parser ## how fast request heads are parsed; fails when too slow
	@$<

bench-board: $(B)/drover-bench-board ## what counting a request costs; fails when it is too much
	@$<

bench-guard: $(B)/drover ## what a request costs, in counts: fails where the record is better; RECORD=1 writes it
	@B='$(B)' tools/bench/guard $(if $(filter 1,$(RECORD)),--renew) $(if $(filter 1,$(V)),--verbose)

bench-standby: $(B)/drover $(B)/drover-load $(B)/apps/hang.so ## what standbys cost, and how soon they go on: 3 minutes
	@B='$(B)' tools/bench/standby

# ---- fuzz -------------------------------------------------------------------------------------

# clang alone has libFuzzer. What it finds is to end the process; -O1 keeps its words readable.
FUZZ_COMPILE = clang $(DEFINES) $(WARNINGS) -O1 -g -fno-omit-frame-pointer \
               -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

$(FUZZ)/%.o: %.c $(B)/stamp/fuzz | setup
	$(call say,FUZZ,$<)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_COMPILE) -MMD -MP -c -o $@ $<

$(FUZZ)/libdrover.a: $(FUZZ_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

# No target may wait for a name server: tests/fuzz/fuzz.c has the other half of this.
$(FUZZ)/fuzz_%: $(FUZZ)/tests/fuzz/fuzz_%.o $(FUZZ)/tests/fuzz/fuzz.o $(FUZZ)/libdrover.a
	$(call say,LINK,$@)
	$(Q)clang -fsanitize=fuzzer,address,undefined -Wl,--wrap=getaddrinfo -o $@ $^

fuzz-targets: $(FUZZ_TARGETS)

# For the warnings of the compiler at hand alone.
fuzz-objects: $(FUZZ_SOURCES:%.c=$(B)/%.o)
	@:

fuzz: fuzz-targets ## fuzz the parsers for SECONDS=60, split among them; crashes go to build/fuzz/crashes
	@B='$(B)' tests/fuzz/run '$(SECONDS)'

# ---- lint -------------------------------------------------------------------------------------

lint: setup ## both compilers with -Werror, clang-tidy, cppcheck, shellcheck, clang-format; DEEP=1 for more
	@$(MAKE) --keep-going --output-sync=target lint-all && $(MAKE) sizes

lint-all: lint-gcc lint-clang lint-tidy lint-cppcheck lint-shell lint-format

# .ci/run names the folders of its own builds, which are made with these flags already.
LINT_GCC   ?= build/lint/gcc
LINT_CLANG ?= build/lint/clang

lint-gcc:
	@$(MAKE) B=$(LINT_GCC) CC=gcc SAN= WERROR=1 tests fuzz-objects

lint-clang:
	@$(MAKE) B=$(LINT_CLANG) CC=clang SAN= WERROR=1 tests fuzz-objects

lint-tidy: $(patsubst %.c,build/lint/tidy/%.ok,$(SOURCES) $(EXAMPLE_SOURCES))

# clang's analyser follows the paths of a function up to so many nodes; by default it is three times
# as many, which takes three times as long. DEEP=1 has those.
TIDY_DEPTH := $(if $(filter 1,$(DEEP)),,-Xclang -analyzer-config -Xclang max-nodes=75000)

# All headers: a finding may be in one of them. The output is of interest only when there is one.
build/lint/tidy/%.ok: %.c .clang-tidy $(HEADERS) Makefile | setup
	$(call say,TIDY,$<)
	@mkdir -p $(@D)
	@out=$$(clang-tidy --quiet $< -- \
		$(if $(filter tools/examples/%,$<),$(EXAMPLE_DEFINES),$(DEFINES)) $(TIDY_DEPTH) -DDROVER_VERSION='"$(VERSION)"' 2>&1) || \
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
		-Isrc -Iinclude -Itools $(SOURCES) $(EXAMPLE_SOURCES)

lint-shell: | setup
	$(call say,LINT,shellcheck)
	@grep -rIlE '^#!(/usr/bin/env (ba)?(sh|ts)|/bin/sh)$$' tools tests .ci | xargs shellcheck --external-sources

lint-format: | setup
	$(call say,LINT,clang-format)
	@clang-format --dry-run --Werror $(SOURCES) $(EXAMPLE_SOURCES) $(UNIT_SOURCES) $(TEST_SOURCES) \
		$(FUZZ_SOURCES) $(HEADERS)

sizes: | setup ## how long functions and files are
	@tools/sizes $(SOURCES) $(HEADERS)

layers: $(B)/drover ## check that includes run downward only
	@tools/layers $(B)

include tools/package/package.mk

clean: ## remove the build directory
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(filter-out %.d,$(MAKEFILE_LIST))

-include $(patsubst %.o,%.d,$(B)/src/main.o $(LIB_OBJECTS) $(LOAD_OBJECTS) $(LAB_OBJECTS) $(BENCH_OBJECTS) $(DOCS_OBJECTS) \
           $(EXAMPLE_SOURCES:%.c=$(B)/%.o) $(APP_SOURCES:%.c=$(B)/%.o) \
           $(UNIT_SOURCES:%.c=$(B)/%.o) $(FUZZ_OBJECTS) \
           $(FUZZ_SOURCES:%.c=$(FUZZ)/%.o))
