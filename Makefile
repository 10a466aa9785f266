# The one entry to everything that is done here: `make help` lists it.

FUZZTIME ?= 10s
TIMES ?= 50
STEPS ?=
VULNDB ?=

# The modules. Those of the workspace are told by go.work; every other folder with a go.mod stands outside it.
# A new module is found by itself: nothing else in this file, in scripts/ or in .ci/ names one.
export GOWORK := $(CURDIR)/go.work
WORKSPACE = $(or $(patsubst $(CURDIR)/%,%,$(shell go list -m -f '{{.Dir}}')),$(error no module found: is Go installed, and is go.work whole))
OUTSIDE = $(filter-out $(WORKSPACE),$(patsubst %/go.mod,%,$(wildcard */go.mod cmd/*/go.mod core/internal/*/go.mod)))
PACKAGES = $(patsubst %,./%/...,$(WORKSPACE))

# Tools are built from the versions in tools/go.mod, once for each version of Go: bin/.name-version says that bin/name is there.
GOVERSION := $(shell go env GOVERSION 2>/dev/null)
GOLANGCI_LINT := bin/.golangci-lint-$(GOVERSION)
GOTESTSUM := bin/.gotestsum-$(GOVERSION)
TOOLS = golangci-lint gotestsum deadcode govulncheck

.DEFAULT_GOAL := help
.PHONY: size help demo sso test lint vulncheck fmt tidy e2e screenshots fuzz vectors conformance docs api api-check compat bench bench-permission bench-test allocations keys-grid attack-grid bench-sessions nightly repeat soak tools release-check doccheck mutants mutate-rules standalone test-386 ci tools-test gotestsum clean deadcode licences dependencies links workflows sleeps coverage footprint

help: ## List what can be made
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

demo: ## Print the answers of five services to ten requests; SERVE=1 opens the playground, a page to try everything on
	go run ./examples/playground $(if $(SERVE),,-table)

sso: ## Build the command-line tool, one static file, into bin/
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -o bin/sso ./cmd/sso

test: gotestsum ## Test every module of the workspace, with the race detector where it works
	@scripts/test $(PACKAGES)

lint: $(GOLANGCI_LINT) ## Lint and vet every module, and check that go.mod is tidy
	@scripts/lint $(PACKAGES) -- $(OUTSIDE) -- $(WORKSPACE) $(OUTSIDE)

vulncheck: bin/.govulncheck-$(GOVERSION) ## Hold every module against the pinned vulnerability database; VULNDB=https://vuln.go.dev for the live one
	@cd tools && GOWORK=off go run ./vulncheck -db '$(VULNDB)'

size: ## Print the lines and the exported names of each part; fails above the budget
	@cd tools && GOWORK=off go run ./size

fmt: $(GOLANGCI_LINT) ## Format every module
	@bin/golangci-lint fmt $(WORKSPACE) $(OUTSIDE)

tidy: ## Tidy go.mod and go.sum of every module
	@set -e; for m in $(WORKSPACE) $(OUTSIDE); do echo "tidy $$m"; (cd $$m && GOWORK=off go mod tidy); done

e2e: gotestsum ## Test against real identity providers; what is missing is installed or told
	@scripts/e2e-deps
	@cd e2e && GOWORK=off ../scripts/test -count=1 ./...
	@$(MAKE) --no-print-directory bench-sessions

bench-sessions: ## Measure lookups of sessions beside a bare GET of Redis, and the bytes of a session
	@cd e2e && GOWORK=off go test -count=1 -run '^(TestCost|TestBytes)' -v ./sessions

screenshots: ## Take the pictures of the playground anew; writes docs/img
	@scripts/e2e-deps
	@cd e2e && GOWORK=off go test -count=1 -run '^TestScreenshots$$' -v ./browser -screenshots ../../docs/img

fuzz: ## Run every fuzz test for FUZZTIME (10s) each
	@scripts/fuzz $(FUZZTIME) $(PACKAGES)

vectors: gotestsum ## Test against the vectors of Project Wycheproof
	@cd core/internal/wycheproof && GOWORK=off ../../../scripts/test ./...

conformance: ## Print every case of the suite for every front door; writes docs/reports/CONFORMANCE.md
	@mkdir -p bin
	@go test -json -count=1 -run '^TestConformance$$' $(addprefix ./,$(filter %sso,$(WORKSPACE))) > bin/conformance.json || true
	@cd e2e && GOWORK=off go test -json -count=1 -run '^TestConformance$$' ./routers >> ../bin/conformance.json || true
	@go run ./examples/internal/conformance -o docs/reports/CONFORMANCE.md < bin/conformance.json

docs: ## Write the reference of settings out of the comments; writes docs/CONFIGURATION.md
	@go run ./examples/internal/configuration

api: ## Write the public surface of every package; writes api/
	@cd tools && GOWORK=off go run ./surface write

api-check: ## Check that api/ is what the code says
	@cd tools && GOWORK=off go run ./surface check

compat: ## The same, and that nothing of the last release is broken without a word in CHANGELOG.md
	@cd tools && GOWORK=off go run ./surface compat

bench-permission: ## Measure granted checks beside an RSA verification
	@cd core && go test -run '^$$' -bench Grant ./permission

bench: ## Measure what a token costs here and in peers; QUICK=1 for less; writes docs/reports/BENCHMARKS.md
	@mkdir -p bin docs/reports/img
	@cd bench && GOWORK=off go build -o ../bin/speed ./speed && ../bin/speed $(if $(QUICK),-quick,-o ../docs/reports/BENCHMARKS.md)

allocations: ## Count what a request allocates, which the race detector would spoil
	@go test -count=1 -run 'Alloca' ./core/...
	@cd bench && GOWORK=off go test -count=1 -run 'Alloca' ./...

bench-test: gotestsum ## Test what compares this library with its peers
	@cd bench && GOWORK=off ../scripts/test ./...

keys-grid: ## Compare this library and its peers when the provider of keys fails; writes docs/reports/KEYS-GRID.md
	@cd bench && GOWORK=off go run ./keysgrid -o ../docs/reports/KEYS-GRID.md

attack-grid: ## Send the attack corpus to this library and its peers; writes docs/reports/SECURITY-TESTING.md
	@cd bench && GOWORK=off go run ./attackgrid -o ../docs/reports/SECURITY-TESTING.md

ci: ## All that a change must pass
	@.ci/run

nightly: ## The longer checks, which take hours; STEPS='repeat fuzz' for some of them; writes docs/reports/NIGHTLY.md
	@scripts/nightly $(STEPS)

repeat: ## Run all tests TIMES times (50), each time in another order
	@scripts/repeat $(TIMES) $(PACKAGES)

soak: gotestsum ## Test live sessions through a minute of outages of Redis
	@cd e2e && SOAK=60s GOWORK=off ../scripts/test -count=1 ./sessions

release-check: ## Rehearse a release: serve every module, and require, build and call them from outside
	@cd tools && GOWORK=off go run ./surface compat
	@cd tools && GOWORK=off go run ./release rehearse

mutants: ## Put faults into the shipped code, which the tests must find (PKG=core/keys for one package); writes docs/reports/MUTATIONS.md
	@cd tools && GOWORK=off go build -o ../bin/mutants ./mutants
	@bin/mutants -o docs/reports/MUTATIONS.md $(if $(ONLY),-only '$(ONLY)') $(PKG)

mutate-rules: ## Take away the rules of security one by one, which the tests must find; writes docs/reports/MUTATIONS.md
	@cd tools && GOWORK=off go build -o ../bin/mutants ./mutants
	@bin/mutants -rules $(if $(ONLY),-only '$(ONLY)',-o docs/reports/MUTATIONS.md)

coverage: ## Print which share of each module its tests run; fails below 90 %
	@cd tools && GOWORK=off go run ./coverage

footprint: ## Measure what this library adds to a small service of each framework; writes docs/reports/FOOTPRINT.md
	@cd tools && GOWORK=off go run ./footprint -o ../docs/reports/FOOTPRINT.md

standalone: gotestsum ## Vet and test each module by itself with the lowest Go it promises, and build it for other machines
	@scripts/standalone $(WORKSPACE)

test-386: ## Test core and the adapters with 32-bit integers
	@scripts/test-386 core $(filter %sso,$(filter-out cmd/%,$(WORKSPACE)))

sleeps: ## Tell every test that sleeps in real time without a reason
	@cd tools && GOWORK=off go run ./sleeps

doccheck: ## Tell every exported name without a comment, and every exported function without an Example
	@cd tools && GOWORK=off go run ./doccheck

deadcode: bin/.deadcode-$(GOVERSION) ## Tell every function that nothing reaches, not even a test or an Example
	@cd tools && GOWORK=off go run ./deadcode

licences: ## Check the licence of every module that is compiled in, and that docs/reports/DEPENDENCIES.md lists them
	@cd tools && GOWORK=off go run ./licences

dependencies: ## Write what each module brings into a service; writes docs/reports/DEPENDENCIES.md
	@cd tools && GOWORK=off go run ./licences -write

links: ## Check the links in every Markdown file
	@cd tools && GOWORK=off go run ./links

workflows: ## Check that the workflows are YAML and do nothing but call make
	@cd tools && GOWORK=off go run ./workflows

tools-test: gotestsum ## Test the programs that check the repository
	@cd tools && GOWORK=off ../scripts/test ./...

tools: $(TOOLS:%=bin/.%-$(GOVERSION)) ## Build the tools into bin/ (the others do so by themselves)

clean: ## Remove what was built or installed inside the repository
	rm -rf bin .cache e2e/oidcprovider/node_modules

# Tests run without gotestsum too, so that a machine with nothing but Go and make can run them.
gotestsum:
	@$(MAKE) -s --no-print-directory $(GOTESTSUM) || echo 'NOTE: gotestsum could not be built, so plain go test runs and nothing counts the tests.'

bin/.%-$(GOVERSION): tools/go.mod tools/go.sum
	@echo 'Building $*$(if $(filter golangci-lint,$*),; the first time takes a minute or two).'
	@cd tools && GOWORK=off go build -o ../bin/ $$(GOWORK=off go list -f '{{.ImportPath}}' tool | grep '/$*$$')
	@touch $@
