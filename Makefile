# What a contributor runs. `make check` is exactly what CI runs; `make help` lists the rest.

GO       ?= go
# Inputs, not seconds: before Go 1.27 a target may fail at its deadline without a finding (go.dev/issue/75804).
FUZZTIME ?= 100000x

# The linters are pinned in a module of their own, so that they never become dependencies of Tagma.
TOOL := $(GO) tool -modfile=tools/go.mod

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
SEEDS    ?= 200
MINUTES  ?= 10
GROUPS   := 60
SEED     ?= 1
PROOF    ?= 12000
COMEBACK ?=
PEERS    ?=
MAN      ?= build/man
NESTED   := testnet/peers client/oteltagma $(patsubst %/go.mod,%,$(wildcard examples/*/go.mod))
.PHONY: page page-sources page-check page-e2e page-pictures concepts concepts-page consensus consensus-page help check fmt lint test race fuzz explore sim swarm groups scenarios demo comeback pages graph rules proof bench bench-watch bench-durability bench-peers nested profile mutants man

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

check: ## everything CI checks, in its order
	@.ci/run

fmt: ## format all Go files
	$(TOOL) gofumpt -w .

lint: ## go.mod in order, formatting, and the linters of .golangci.yml
	$(GO) mod tidy -diff
	@unformatted=$$($(TOOL) gofumpt -l .); \
	if [ -n "$$unformatted" ]; then \
		echo "not in gofumpt's format, mend it with: make fmt"; echo "$$unformatted"; exit 1; \
	fi
	$(TOOL) golangci-lint run ./...

# One package more is tested at once than there are processors: those that run clusters wait for much of their time.
BESIDE := -p $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

test: ## all tests
	$(GO) test $(BESIDE) ./...

race: ## all tests but the long ones and those of one goroutine, under the race detector; vet is part of test
	$(GO) test $(BESIDE) -race -short -vet=off -timeout 20m ./...

# The targets are looked up in the sources: to ask the tests for them links every package's.
TESTS := {{range .TestGoFiles}}{{$$.ImportPath}} {{$$.Dir}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$$.ImportPath}} {{$$.Dir}}/{{.}}{{"\n"}}{{end}}

fuzz: ## every fuzz target for FUZZTIME (100000x: so many inputs)
	@listed=$$($(GO) list -f '$(TESTS)' ./... | while read -r package file; do \
		[ -z "$$package" ] || sed -n "s|^func \(Fuzz[A-Za-z0-9_]*\)(.*|$$package \1|p" "$$file"; \
	done); \
	while read -r package name; do \
		echo "$$package $$name"; \
		$(GO) test -vet=off -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null; \
	done <<<"$$listed"

explore: ## every run of the core within two views, one replica Byzantine, and one that forgets everything
	$(GO) run ./cmd/tagma-testnet explore --views 2
	$(GO) run ./cmd/tagma-testnet explore --views 1 --all-correct --amnesia 1
	$(GO) run ./cmd/tagma-testnet explore --views 2 --crash-faults
	$(GO) run ./cmd/tagma-testnet explore --views 2 --byzantine 2 --amnesia 1 --fair-every 0

sim: ## SEEDS plans (200) in virtual time, each twice
	$(GO) run ./cmd/tagma-testnet sim --seeds $(SEEDS) --twice

swarm: ## MINUTES (10) of plans with everything drawn, from SEED (1) on
	$(GO) run ./cmd/tagma-testnet sim --swarm --seed $(SEED) --minutes $(MINUTES) --out $${TMPDIR:-/tmp}

groups: ## transactions over two and over three clusters, GROUPS (60) seeds each
	$(GO) run ./cmd/tagma-testnet sim --groups 2 --seed $(SEED) --seeds $(GROUPS)
	$(GO) run ./cmd/tagma-testnet sim --groups 3 --seed $(SEED) --seeds $(GROUPS)

scenarios: ## every scenario, in the simulator
	$(GO) run ./cmd/tagma-testnet run --engine sim scenarios/*.toml scenarios/schedules/*.toml scenarios/groups/*.toml

demo: ## a local cluster of four, one of them malicious, and a verdict
	$(GO) run ./cmd/tagma-testnet demo

concepts: ## every concept of fault tolerance happens, and is checked
	$(GO) run ./cmd/tagma-testnet concepts

concepts-page: ## write the cards of docs/concepts.md from testnet/concepts
	{ sed '/^<!-- cards: /q' docs/concepts.md; $(GO) run ./cmd/tagma-testnet concepts --page; } > build.concepts && mv build.concepts docs/concepts.md

consensus: ## what an operation costs in both fault models, and a run in the words of Paxos, VR and Raft
	$(GO) run ./cmd/tagma-testnet consensus

consensus-page: ## write the measured part of docs/consensus.md
	{ sed '/^<!-- measured: /q' docs/consensus.md; $(GO) run ./cmd/tagma-testnet consensus; } > build.consensus && mv build.consensus docs/consensus.md

comeback: ## how replicas come back from lost and old disks, with figures; COMEBACK="--keys 1000000" for a large state
	$(GO) run ./cmd/tagma-testnet comeback $(COMEBACK)

pages: ## the commands of pages of documentation, and what they print
	$(GO) run ./testnet/doccheck docs/recovery.md docs/build-an-application.md

rules: ## write docs/rules.md from internal/rules/rules.go
	$(GO) test ./internal/rules -run Page -update

man: ## write a manual page for every command to MAN (build/man)
	$(GO) test -count 1 ./cmd/tagma ./cmd/tagma-testnet -run TestMan -args -man $(abspath $(MAN))

graph: ## write who imports whom into docs/architecture.md, from internal/tidy/imports.go
	$(GO) test ./internal/tidy -run ImportTable -update

proof: ## what takes too long for every change: PROOF (12000) seeds of the swarm, 5,000 over several clusters, all mutants, a large state, 250 damages to disks (an hour or two)
	$(GO) run ./cmd/tagma-testnet sim --swarm --seed 1 --seeds $(PROOF) --out $${TMPDIR:-/tmp}
	$(MAKE) --no-print-directory groups GROUPS=2500
	$(GO) run ./cmd/tagma-testnet comeback --keys 1000000
	TAGMA_DAMAGES=200 $(GO) test -count 1 -timeout 1h -run TestK2_DamagedReplicas -v ./internal/node
	$(GO) run ./testnet/mutants/hunt

mutants: ## each deliberate break must be caught; writes the table of docs/testing.md
	$(GO) run ./testnet/mutants/hunt --table docs/testing.md

bench: ## four replica processes and clients on this machine; figures beside their targets
	@scripts/bench.sh

bench-watch: ## what 1,000 watchers of disjoint prefixes and 100 watchers of everything cost
	$(GO) test ./internal/node -run '^$$' -bench BenchmarkWatch -benchtime 6000x

bench-durability: ## pessimistic against optimistic, in turns, as ratios with their range
	@scripts/durability.sh

bench-peers: ## Tagma and etcd under the same loads, in turns, as ratios; PEERS="--quick" takes less than three minutes
	$(GO) run -C testnet/peers . $(PEERS)

nested: ## lint, build and test the modules inside this one: the comparison with etcd, the way to OpenTelemetry, the examples
	@unformatted=$$(gofmt -l examples); [ -z "$$unformatted" ] || { echo "not in gofmt's format: $$unformatted"; exit 1; }
	@for dir in $(NESTED); do \
		echo "$$dir"; \
		(cd $$dir && $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run -c $(CURDIR)/.golangci.yml ./...) || exit 1; \
		$(GO) test -C $$dir ./... || exit 1; \
	done

PAGE := internal/page/web

page: page-sources ## the front end of the page: its sources as below, and build internal/page/dist
	cd $(PAGE) && npm run --silent build

page-sources: ## install the packages of the page's front end, check types, lint, and test
	npm --prefix $(PAGE) ci --no-audit --no-fund --loglevel error
	cd $(PAGE) && npm run --silent types && npm run --silent lint && npm test --silent

page-check: ## fail if internal/page/dist is not what the sources of the page build
	@built=$$(mktemp -d); trap 'rm -rf "$$built"' EXIT; \
	(cd $(PAGE) && npm run --silent build -- --outDir "$$built" --logLevel warn); \
	diff -r internal/page/dist "$$built" >/dev/null || { \
		echo "internal/page/dist is not what internal/page/web builds: run make page and commit both" >&2; exit 1; }

CHROMIUM ?= /usr/bin/chromium

page-e2e: page-tools ## the page in a real browser: every control, the tour, keyboard and accessibility (needs chromium)
	cd $(PAGE) && npx playwright test -c e2e/playwright.config.ts $(E2E)

page-pictures: page-tools ## write the pictures of the page into docs/page (needs chromium)
	cd $(PAGE) && npx playwright test -c e2e/pictures.config.ts

.PHONY: page-tools
page-tools:
	@command -v "$(CHROMIUM)" >/dev/null || { \
		echo "there is no browser at $(CHROMIUM): install the package chromium, or name a browser with CHROMIUM=PATH" >&2; exit 2; }
	@npm --prefix $(PAGE) ci --no-audit --no-fund --loglevel error
	@mkdir -p build
	$(GO) build -o build/tagma-testnet ./cmd/tagma-testnet

profile: ## where the replicas' processor time goes under each of those loads
	@scripts/profile.sh
