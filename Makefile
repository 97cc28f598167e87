# Commands for people; .ci/run calls the same ones.
GO ?= go

.PHONY: help
help: ## print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build ./meridian, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -o meridian ./cmd/meridian

.PHONY: start
start: build ## start a durable server on 127.0.0.1:5432, data in ./meridian-data
	./meridian start

.PHONY: test
test: ## everything a change must pass: lint, tests, race tests, end-to-end
	./test/run

.PHONY: lint
lint: ## go vet, staticcheck and the project's own rules
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.7.0 ./...
	$(GO) test -count=1 ./internal/lint

.PHONY: unit
unit: ## unit tests
	$(GO) test ./...

.PHONY: race
race: ## tests of the concurrent parts under the race detector
	$(GO) test -race ./internal/... 

.PHONY: e2e
e2e: build ## the real binary under real clients: psql, pgbench, crashes
	$(GO) test -count=1 -tags e2e ./test/...

.PHONY: bench
bench: build ## side by side with PostgreSQL on this machine; results to docs/benchmarks.md
	./test/bench/run

.PHONY: fuzz
fuzz: ## every fuzz target for a minute
	./test/fuzz

.PHONY: sim
sim: ## replay a simulated cluster: make sim SEED=7 [TEST=TestRegions]
	$(GO) test ./test/sim -count=1 -v -run '^$(or $(TEST),TestTrouble)$$' -seed $(or $(SEED),1)

.PHONY: soak
soak: ## simulate clusters, seed after seed, until one fails or you stop it
	@from=$$(date +%s); while $(GO) test ./test/sim -count=1 -timeout 30m -from $$from -seeds 100; do from=$$((from + 100)); done

.PHONY: clean
clean: ## remove built files (not the data)
	rm -f meridian
