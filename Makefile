# The only door: `make` says what there is.
#
# Files are found by listing the directories, so that a new one needs no line
# here.  All paths are relative: the tree may stand anywhere.

BUILD ?= build
PORT ?= 8080
SECONDS ?= 60
JOBS ?= 2
V ?= 0

MODULE = ngx_ws_chat_module
CC = gcc
CLANG = clang

Q = $(if $(filter 1,$(V)),,@)
T = tests/tools
PY = build/venv/bin/python
SUBMAKE = $(MAKE) --no-print-directory $(if $(Q),-s) -j $(JOBS) PARALLEL=1

WARN = -Wall -Wextra -Wpointer-arith -Wno-unused-parameter -Werror
CPPFLAGS = -I$(MODULE)/core -Ibackend/core
CFLAGS = -std=gnu11 -g -O2 $(WARN) -MMD -MP
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
LIBS = -ljansson -lmsgpackc -lcrypto -lz -lm
FUZZLIBS = $(LIBS) -ldl -lpthread

export V JOBS NGINX_SRC NGINX_FLAGS SEED COUNT FAULT

CORE = $(wildcard $(MODULE)/core/*.c)
BKCORE = $(wildcard backend/core/*.c)
UNIT = $(wildcard tests/unit/test_*.c)
UNITHELP = $(filter-out $(UNIT),$(wildcard tests/unit/*.c))
FUZZ = $(wildcard tests/fuzz/fuzz_*.c)
DAEMONS = $(patsubst backend/ws_chat_%.c,build/backend/ws-chat-%,\
	$(wildcard backend/ws_chat_*.c))

coreobjs = $(patsubst $(MODULE)/core/%.c,build/$(1)/%.o,$(CORE)) \
	$(patsubst backend/core/%.c,build/$(1)/%.o,$(BKCORE))
BKOBJ = $(patsubst backend/%.c,build/backend/%.o,\
	$(filter-out backend/ws_chat_%.c,$(wildcard backend/*.c)))
BKLIBS = -lrdkafka -lpq -lmicrohttpd -lhiredis -lpthread
UNITBIN = $(patsubst tests/unit/%.c,build/unit/%,$(UNIT))
UNITOBJ = $(patsubst tests/unit/%.c,build/unit/%.o,$(UNITHELP))
BENCHOBJ = $(patsubst tests/bench/%.c,build/bench/%.o,\
	$(wildcard tests/bench/*.c))
FLOOROBJ = $(patsubst tests/bench/control/%.c,build/floor/%.o,\
	$(wildcard tests/bench/control/*.c))
REPLAYBIN = $(patsubst tests/fuzz/%.c,build/replay/%,$(FUZZ))
FUZZBIN = $(patsubst tests/fuzz/%.c,build/fuzz/%,$(FUZZ))


.PHONY: help build backend run farm farm-status farm-dashboard farm-stop stop \
	test check lint unit client e2e e2e-store e2e-redis e2e-farm backend-test \
	bench-test faults reloads whole asan interop page fuzz bench bench-farm node-kill install \
	deb deb-check deb-test readme-test ansible-lint fleet clean setup-run setup-farm setup-backend \
	setup-deb setup-test setup-ansible setup-fleet setup-bench build-test build-asan core \
	conformance daemons units fuzzers benches

help:
	@echo 'make run [PORT=8080]      the chat on this machine, in two workers'
	@echo 'make farm [PORT=8080]     all of a farm on this machine, Kafka and PostgreSQL too'
	@echo 'make farm-status          what each of them says; make farm-stop ends them'
	@echo 'make farm-dashboard       do its dashboard and alerts have data? ARGS=--pictures'
	@echo 'make stop                 end all that runs'
	@echo 'make build                build/$(MODULE).so for the installed NGINX'
	@echo '  NGINX_SRC=dir           for the NGINX of a source tree'
	@echo '  BUILD=dir               into another directory'
	@echo 'make backend              build/backend/: relay, archiver, history'
	@echo 'make deb                  Debian packages into build/deb/'
	@echo 'make install [DESTDIR=]   the module, where NGINX looks for modules'
	@echo 'make clean                remove build/'
	@echo
	@echo 'make test                 everything below but bench; prints the time of each stage'
	@echo 'make check                lint, unit and client, while you work'
	@echo 'make lint | unit | client | e2e | e2e-store | e2e-redis | e2e-farm'
	@echo 'make asan | interop | page | backend-test | bench-test'
	@echo 'make ansible-lint         the roles of ansible/'
	@echo 'make fleet                hosts are booted, provisioned, updated under traffic'
	@echo 'make fuzz [SECONDS=60]    libFuzzer, so long for each target'
	@echo 'make faults [COUNT=20]    all that serves chats dies, so often each'
	@echo '  SEED=n FAULT=name       the same choices again; one kind alone'
	@echo 'make reloads              ten in a minute under 5,000 sockets that chat'
	@echo 'make whole                back and forth through 200,000 messages of a chat'
	@echo 'make conformance URL=     does that server speak docs/PROTOCOL.md?'
	@echo 'make deb-check            is all in the packages?'
	@echo 'make deb-test             install, upgrade, stop, purge on a booted Debian 12'
	@echo 'make readme-test          what README says, done on a Debian 12 with nothing in it'
	@echo 'make bench [ARGS=--help]  the figures of README, beside other servers'
	@echo 'make bench-farm           durable chats beside Kafka alone; ARGS=--help'
	@echo 'make node-kill            a node with 4,000 members dies; ARGS=--help'
	@echo 'e2e..., and asan take ARGS="-k name" for pytest;'
	@echo 'V=1 shows the commands, JOBS=2 is how many things run at once'


# what users need

build: setup-run
	$(Q)$(T)/build-module "$(BUILD)"

backend: setup-backend
	$(Q)$(SUBMAKE) daemons

run: build
	$(Q)$(T)/run-chat start "$(PORT)"

farm: build setup-farm
	$(Q)$(SUBMAKE) daemons
	$(Q)$(T)/run-farm start "$(PORT)"

farm-status:
	$(Q)$(T)/run-farm status

farm-dashboard: setup-test
	$(Q)$(PY) tests/farm/dashboard $(ARGS)

farm-stop:
	$(Q)$(T)/run-farm stop

stop:
	$(Q)if [ ! -f build/farm.dir ]; then $(T)/run-chat stop; else \
		$(T)/run-farm stop; \
		if [ -f build/run.dir ]; then $(T)/run-chat stop; fi; fi

install: build
	$(Q)$(T)/install-module "$(BUILD)" "$(DESTDIR)"

deb: setup-deb
	$(Q)$(T)/build-deb

clean:
	$(Q)if [ -f build/run.dir ]; then $(T)/run-chat stop; fi
	$(Q)if [ -f build/farm.dir ]; then $(T)/run-farm stop; fi
	$(Q)rm -rf build


# tests

test: setup-test
	$(Q)$(T)/run-stages

check: lint unit client

lint: setup-test
	$(Q)$(PY) tests/lint/lint.py
	$(Q)$(PY) -m pytest -q tests/lint tests/vectors

unit: setup-test
	$(Q)$(SUBMAKE) units
	$(Q)$(T)/run-unit $(UNITBIN)
	$(Q)$(T)/run-replay $(REPLAYBIN)

client: setup-test
	$(Q)$(T)/run-node client $(wildcard tests/client/*.test.mjs)

e2e: build backend build-test setup-test build/mock-broker
	$(Q)$(T)/run-e2e plain $(ARGS)

e2e-store: build build-test setup-test
	$(Q)$(T)/run-e2e store $(ARGS)

e2e-redis: build setup-test
	$(Q)$(T)/run-e2e redis $(ARGS)

e2e-farm: build backend setup-test
	$(Q)$(T)/run-e2e farm $(ARGS)

backend-test: backend setup-test build/mock-broker
	$(Q)$(T)/run-e2e backend $(ARGS)

faults: build backend setup-test build/mock-broker
	$(Q)$(T)/run-faults $(ARGS)

reloads: build setup-test
	$(Q)WSC_LONG=1 JOBS=1 $(T)/run-e2e plain --timeout 300 -rP \
		-k ten_reloads tests/e2e/test_reload.py $(ARGS)

whole: build backend setup-test
	$(Q)WSC_LONG=1 JOBS=1 $(T)/run-e2e farm --timeout 3000 -rP \
		tests/farm/test_whole.py $(ARGS)

asan: build build-asan setup-test
	$(Q)$(T)/run-e2e asan $(ARGS)

interop: build setup-test
	$(Q)tests/interop/run-autobahn $(ARGS)

page: build setup-test
	$(Q)$(T)/run-node page $(wildcard tests/page/*.test.mjs)

ansible-lint: setup-ansible
	$(Q)$(T)/run-ansible-lint

fleet: setup-fleet deb
	$(Q)$(T)/run-fleet $(ARGS)

fuzz: setup-test
	$(Q)$(SUBMAKE) fuzzers
	$(Q)$(T)/run-fuzz $(SECONDS) $(FUZZBIN)

bench-test: build backend setup-test build/mock-broker
	$(Q)$(SUBMAKE) benches
	$(Q)$(T)/run-pytest bench -q -n 4 --timeout 300 tests/bench $(ARGS)

bench: build setup-bench
	$(Q)$(SUBMAKE) benches
	$(Q)tests/bench/run $(ARGS)

bench-farm: build backend setup-farm
	$(Q)$(SUBMAKE) benches
	$(Q)tests/bench/bench-farm $(ARGS)

deb-check: deb setup-test
	$(Q)$(PY) -m pytest -q --timeout 300 tests/deb/test_packages.py $(ARGS)

deb-test: deb-check
	$(Q)$(PY) -m pytest -q --timeout 1200 tests/deb/test_install.py $(ARGS)

readme-test: setup-test
	$(Q)$(PY) -m pytest -v -rP --timeout 3600 tests/deb/test_readme.py $(ARGS)

conformance: setup-test
	$(Q)$(PY) tests/conformance/conformance $(URL) $(ARGS)

node-kill: build setup-test
	$(Q)$(PY) tests/farm/node-kill $(ARGS)

setup-run setup-farm setup-backend setup-deb setup-test setup-ansible \
setup-fleet setup-bench: setup-%:
	$(Q)$(T)/setup $*

build-test: setup-run
	$(Q)$(T)/build-module build/test test

build-asan: setup-run
	$(Q)$(T)/build-module build/asan test asan


# the core library: as it ships, for the unit tests, for the fuzzers

core: build/core/libwsc.a

build/core/libwsc.a: $(call coreobjs,core)
build/core-asan/libwsc.a: $(call coreobjs,core-asan)
build/core-fuzz/libwsc.a: $(call coreobjs,core-fuzz)

# the directory too: a file that went away leaves the archive
build/%/libwsc.a: $(CORE) $(BKCORE) $(MODULE)/core backend/core
	$(Q)rm -f $@
	$(Q)ar rcs $@ $(filter %.o,$^)

vpath %.c $(MODULE)/core backend/core

build/core/%.o: %.c | build/core/.dir
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -c -o $@ $<

build/core-asan/%.o: %.c | build/core-asan/.dir
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -c -o $@ $<

build/core-fuzz/%.o: %.c | build/core-fuzz/.dir
	$(Q)$(CLANG) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) \
		-fsanitize=fuzzer-no-link -c -o $@ $<


# unit tests: each tests/unit/test_*.c is a program, the other files there
# are linked to all of them

units: $(UNITBIN) $(REPLAYBIN)

build/unit/%.o: tests/unit/%.c | build/unit/.dir
	$(Q)$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS) $(SANITIZE) -c -o $@ $<

build/unit/test_%: build/unit/test_%.o $(UNITOBJ) build/core-asan/libwsc.a
	$(Q)$(CC) $(SANITIZE) -o $@ $^ -lcmocka $(LIBS)


# fuzzers, and the replay of their corpora as ordinary tests

build/replay/%.o: tests/fuzz/%.c | build/replay/.dir
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -c -o $@ $<

build/replay/fuzz_%: build/replay/fuzz_%.o build/replay/replay_main.o \
		build/core-asan/libwsc.a
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(LIBS)

fuzzers: $(FUZZBIN)

build/fuzz/%.o: tests/fuzz/%.c | build/fuzz/.dir
	$(Q)$(CLANG) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) \
		-fsanitize=fuzzer-no-link -c -o $@ $<

build/fuzz/fuzz_%: build/fuzz/fuzz_%.o build/core-fuzz/libwsc.a
	$(Q)$(CLANG) $(SANITIZE) -fsanitize=fuzzer -o $@ $^ $(FUZZLIBS)


# the daemons; what only they need is in backend/core, with the core library

daemons: $(DAEMONS)

build/backend/%.o: backend/%.c | build/backend/.dir
	$(Q)$(CC) $(CPPFLAGS) -Ibackend -I$$(pg_config --includedir) $(CFLAGS) \
		-c -o $@ $<

build/backend/ws-chat-%: build/backend/ws_chat_%.o $(BKOBJ) build/core/libwsc.a
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(BKLIBS) $(LIBS)


# a broker that fails as it is told to

build/mock-broker: tests/mock/mock_broker.c
	$(Q)$(CC) $(CFLAGS) -o $@ $< -lrdkafka


# the load generator, and the bare servers that ours is compared with

benches: build/bench/wsbench build/bench/wsfloor build/bench/kafka-loop

build/bench/%.o: tests/bench/%.c | build/bench/.dir
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

build/floor/%.o: tests/bench/control/%.c | build/floor/.dir
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

build/bench/wsbench: $(BENCHOBJ) build/core/libwsc.a
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lssl $(LIBS)

build/bench/kafka-loop: tests/bench/kafka/kafka_loop.c \
		build/bench/wsbench_hist.o
	$(Q)$(CC) $(CPPFLAGS) -Itests/bench $(CFLAGS) -o $@ $^ -lrdkafka

build/bench/wsfloor: $(FLOOROBJ) build/core/libwsc.a
	$(Q)$(CC) -o $@ $^ $(LIBS)


build/%/.dir:
	$(Q)mkdir -p $(@D)
	$(Q)touch $@

ifndef PARALLEL
.NOTPARALLEL:
endif

.SECONDARY:
.DELETE_ON_ERROR:

-include $(wildcard build/core*/*.d build/unit/*.d build/replay/*.d \
	build/fuzz/*.d build/bench/*.d build/floor/*.d build/backend/*.d)
