# SPDX-License-Identifier: Apache-2.0
# Everything that is done to this repository by hand or by a machine. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PREFIX ?= /usr/local
DESTDIR ?=

# Tests are dynamic and products static: two scratch paths (docs/hacking.md).
RELEASE := .build-release
DIST := $(RELEASE)/dist
SWIFT_PROGRAMS := orch orchd orch-edge
STATIC := -c release --static-swift-stdlib --scratch-path $(RELEASE)

# `make run` leaves nothing outside this folder: its daemon has a home of its own.
export SWIFT_BACKTRACE := enable=no
TRY_HOME := $(CURDIR)/$(RELEASE)/home
TRY := ORCH_HOME='$(TRY_HOME)' $(DIST)/bin/orch

# The keeper has no Swift in it and must stay under a megabyte: the C compiler builds it, static where libc.a is there.
CC := $(shell command -v cc || command -v clang || echo cc)
KEEPER := $(RELEASE)/keeper/orch-keeper
KEEPER_FLAGS := -std=gnu11 -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=3 -Wl,-z,relro,-z,now -D_GNU_SOURCE -ISources/COrch/include
KEEPER_SOURCES := $(wildcard Sources/orch-keeper/*.c Sources/COrch/*.c) Sources/COrch/clone.S

# Debian's and Ubuntu's names of what the build needs beside the Swift toolchain, and of what the tests of the examples need.
LIBRARIES := libyaml-dev libsqlite3-dev zlib1g-dev pkg-config
SERVERS := postgresql redis-server python3-venv
# A validator of JSON Schema that others wrote, for the tests of ours.
JUDGES := python3-jsonschema python3-ruamel.yaml
LOAD := gunicorn hey
# What others say of exports; kubernetes-validate of PyPI is asked too where it is.
READERS := systemd docker-compose

# The modules that have no clock, no chance and no I/O, and the C symbols that their release objects may refer to: memory, rounding,
PURE := OrchModel OrchEngine OrchManifest OrchWire OrchDaemon OrchSimulator
PURE_MAY_CALL := memcpy|memmove|memset|memcmp|malloc|free|malloc_usable_size|strlen|round|trunc|floor|ceil|pow|rint|fmod|yaml_[a-z_]*|_*swift[A-Z_].*|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_
PURE_MAY_NOT := \$$s5Glibc|\$$s10Foundation|\$$s20FoundationEssentials|ContinuousClock|SuspendingClock|SystemRandomNumberGenerator

##@ Try it

.PHONY: run
run: dist ## build orch, start the quickstart example with it and show what it does
	@$(TRY) apply examples/quickstart/orch.yaml
	@echo
	@$(TRY) status
	@printf '%s\n' '' 'All of that runs now, and is kept running. To go on, in this shell:' '' \
	  '    export ORCH_HOME=$(TRY_HOME) PATH=$(CURDIR)/$(DIST)/bin:$$PATH' \
	  '    cd examples/quickstart' '' \
	  '    orch logs -f            # everything it says, merged by time; Ctrl-C leaves it running' \
	  '    orch why oven           # the oven went out once: the story' \
	  '    orch diff               # after you changed a line of orch.yaml: what apply would do' \
	  '    orch apply              # does that, and touches nothing else' \
	  '    orch down               # stops all of it, in reverse order' \
	  '    orch daemon stop        # and nothing of orch is left' ''

.PHONY: dist
dist: libraries ## build the release programs as a tree that runs: .build-release/dist
	@for program in $(SWIFT_PROGRAMS); do swift build $(STATIC) --product $$program; done
	@$(MAKE) $(KEEPER)
	@$(MAKE) tree TO='$(DIST)'

.PHONY: install
install: dist ## put bin/orch and libexec/orch/* under PREFIX (/usr/local)
	@$(MAKE) tree TO='$(DESTDIR)$(PREFIX)'
	@echo 'installed bin/orch and libexec/orch/* under $(DESTDIR)$(PREFIX)'

$(KEEPER): $(KEEPER_SOURCES) $(wildcard Sources/orch-keeper/*.h Sources/COrch/*.h Sources/COrch/include/*.h)
	@mkdir -p $(@D)
	@if ! $(CC) -static $(KEEPER_FLAGS) $(KEEPER_SOURCES) -o $@ 2>$@.log; then \
	  $(CC) $(KEEPER_FLAGS) $(KEEPER_SOURCES) -o $@; \
	  echo "make: orch-keeper is linked dynamically, which takes more memory: $(CC) -static failed ($@.log). Debian's libc6-dev has libc.a." >&2; \
	fi

# A running program can't be written to, so each is put beside its place and moved there.
.PHONY: tree
tree:
	@install -d '$(TO)/bin' '$(TO)/libexec/orch'
	@place() { install -m 755 "$$1" "$$2.new"; strip --strip-debug "$$2.new"; mv -f "$$2.new" "$$2"; }; \
	place $(RELEASE)/release/orch '$(TO)/bin/orch'; \
	for program in $(RELEASE)/release/{orchd,orch-edge} $(KEEPER); do place $$program '$(TO)/libexec/orch/'$$(basename $$program); done

##@ Work on it

.PHONY: test
test: libraries servers ## build and run all tests, those of the examples included
	swift build --build-tests
	@TORTURE_SECONDS=60 swift test --skip-build --disable-xctest 2>&1 | tee .build/tests.log || { \
	  echo '== what failed'; grep -A 30 '^✘ Test .* recorded an issue' .build/tests.log || tail -n 20 .build/tests.log; exit 1; }

.PHONY: sim
SEEDS ?= 20000
SEED ?=
sim: libraries ## run simulated lives of whole fleets: SEEDS=20000 of them, or the one of SEED=
	@swift build $(STATIC) --product orch-sim
	@$(RELEASE)/release/orch-sim $(if $(SEED),--seed $(SEED),$(SEEDS)) \
	  | awk '{ print } /^VIOLATION / || /, [1-9][0-9]* broken$$/ { broken = 1 } END { exit broken }'

.PHONY: mutants
MUTANTS ?=
mutants: ## plant every bug of Tests/Mutants/mutants.txt and see the simulator find it (MUTANTS=names for some)
	@python3 Tests/Mutants/run.py $(MUTANTS)

.PHONY: torture
SERVICES ?= 1000
LAUNCHES ?= 20000
torture: dist ## kill the daemon for SECONDS=60 under SERVICES=1000 that write and LAUNCHES=20000 short launches, upgrade it, and hold their books against ours
	swift build --build-tests
	TORTURE_SERVICES=$(SERVICES) TORTURE_LAUNCHES=$(LAUNCHES) TORTURE_SECONDS=$(SECONDS) $(if $(SEED),TORTURE_SEED=$(SEED)) \
	  ORCH_PROGRAMS='$(CURDIR)/$(DIST)/bin' swift test --skip-build --disable-xctest --filter TortureTests

.PHONY: fuzz
SECONDS ?= 60
TARGETS ?=
fuzz: libraries ## feed what libFuzzer invents to all that reads bytes from outside, for SECONDS=60 each (TARGETS=names for some)
	@Tests/Fuzz/run.sh $(SECONDS) $(TARGETS)

.PHONY: bench
ROWS ?=
ROUNDS ?= 5
PEER_ROUNDS ?= 1
FULL ?=
bench: dist ## hold the release programs against the budgets of docs/performance.md, the machine's limit and peers (ROWS="G1 G4" for some, FULL=1)
	@swift build $(STATIC) --product orch-sim
	@python3 Tests/Benchmarks/bench.py $(DIST) --sim $(RELEASE)/release/orch-sim --rounds $(ROUNDS) --peer-rounds $(PEER_ROUNDS) $(if $(FULL),--full) $(ROWS)

.PHONY: check
check: libraries format-check arrows pure tidy ## all rules of the house: format, imports, purity, tidiness

.PHONY: format
format: ## format all Swift sources in place
	swift format --in-place --parallel --recursive Package.swift Sources Tests

.PHONY: format-check
format-check:
	swift format lint --strict --parallel --recursive Package.swift Sources Tests

# An import that Package.swift doesn't declare builds as long as something else happens to build it first.
.PHONY: arrows
arrows:
	swift build --explicit-target-dependency-import-check error

# Purity, asked of the objects themselves: no C symbol but memory's, no clock, no chance.
.PHONY: pure
pure:
	@for module in $(PURE); do \
	  swift build $(STATIC) --target $$module; \
	  bad=$$(find -L $(RELEASE)/release/$$module.build -name '*.o' -exec nm -u {} + | awk '$$1 == "U" { print $$2 }' | sort -u \
	    | awk '!/^\$$s/ && !/^($(PURE_MAY_CALL))$$/ || /$(PURE_MAY_NOT)/'); \
	  if [ -n "$$bad" ]; then echo "$$module is not pure: it refers to" $$bad >&2; exit 1; fi; \
	done; echo 'pure: $(PURE)'

.PHONY: tidy
tidy:
	swift build --build-tests
	swift test --skip-build --disable-xctest --filter TidyTests

.PHONY: docs
docs: libraries ## write anew what is made: the schema, docs/manifest.md, docs/commands.md, what imports and exports give, what bad manifests get (docs/picture.py is run by hand)
	swift build --build-tests
	ORCH_WRITE_DOCS=1 swift test --skip-build --disable-xctest --filter 'PageTests|ImportTests|OrchManifestTests.ExportTests|RefusedTests'

.PHONY: clean
clean: ## stop what `make run` started and remove all that was built
	@if [ -x $(DIST)/bin/orch ] && [ -d '$(TRY_HOME)' ]; then $(TRY) daemon stop || true; fi
	rm -rf .build $(RELEASE)

.PHONY: help
help: ## list these targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo

# ---- what the machine has to have ----------------------------------------------------------------

# $(call installed,PACKAGES,WHAT FOR): by apt-get, as root or through sudo; says what to do where that can't be.
define installed
	@missing=; for package in $(1); do \
	  case $$(dpkg-query -W -f '$${db:Status-Status}' $$package 2>/dev/null || true) in installed) ;; *) missing="$$missing $$package" ;; esac; \
	done; \
	if [ -n "$$missing" ]; then \
	  as=; if [ "$$(id -u)" != 0 ]; then as='sudo -n'; sudo -n true 2>/dev/null || as='sudo'; fi; \
	  can() { command -v apt-get >/dev/null && { [ -z "$$as" ] || command -v sudo >/dev/null; }; }; \
	  if ! can; then echo "make: missing for $(2):$$missing (Debian's names). Install them, then run make again." >&2; exit 1; fi; \
	  echo "make: installing for $(2):$$missing"; \
	  $$as apt-get update -qq || echo 'make: apt-get update failed, trying with the lists that are here' >&2; \
	  $$as env DEBIAN_FRONTEND=noninteractive TZ=UTC apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends $$missing </dev/null; \
	fi
endef

.PHONY: libraries
libraries:
	@command -v swift >/dev/null || { echo 'make: no swift in PATH. Install Swift 6.3 or later: https://www.swift.org/install/linux/' >&2; exit 1; }
	@if command -v dpkg-query >/dev/null; then :; \
	elif pkg-config --exists yaml-0.1 sqlite3 zlib; then exit 0; \
	else echo 'make: needs the development files of libyaml, SQLite 3 and zlib, and pkg-config. Install them, then run make again.' >&2; exit 1; fi
	$(if $(shell pkg-config --exists yaml-0.1 sqlite3 zlib 2>/dev/null && echo yes),,$(call installed,$(LIBRARIES),the build))

# As root the example's own setup installs them, and keeps Debian from starting them.
.PHONY: servers
servers:
	$(if $(filter 0,$(shell id -u)),,$(call installed,$(SERVERS),the tests of examples/booking))
	@if [ -x examples/booking/setup ]; then examples/booking/setup; fi
	$(if $(shell /usr/bin/python3 -c 'import jsonschema, ruamel.yaml' 2>/dev/null && echo yes),,$(call installed,$(JUDGES),the tests of the schema))
	$(call installed,$(LOAD),the tests under load)
	$(call installed,$(READERS),the tests of exports)
