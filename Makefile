# `make help` lists what you can run. scripts/modules finds the modules: nothing here, in scripts/ or in .ci/ names one.

FUZZTIME ?= 10s
STEPS ?=
PROFILE ?=
VULNDB ?=
ONLY ?=

export GOWORK := $(CURDIR)/go.work
RELEASED := $(shell scripts/modules released)
ALL := $(shell scripts/modules all)
PACKAGES := $(RELEASED:%=./%/...)

# Tools are built at the versions in tools/go.mod, once for each version of Go: bin/.name-version marks that bin/name exists.
GOVERSION := $(shell go env GOVERSION 2>/dev/null)
tool = $(1:%=bin/.%-$(GOVERSION))

.DEFAULT_GOAL := help
.PHONY: rules-check links help demo sso test lint vulncheck size fmt tidy e2e fuzz vectors conformance docs api bench keys-grid attack-grid mutate-rules soak nightly release-check ci clean tools

help:
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: ## Print the answers of five services to ten requests; SERVE=1 opens the playground, where you send requests
	go run ./examples/playground $(if $(SERVE),,-table)

sso: ## Build the command-line tool into bin/
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -o bin/sso ./cmd/sso

test: ## Test every module of the workspace, with the race detector if there is a C compiler
	@$(if $(PROFILE),scripts/test-covered $(PROFILE) $(RELEASED),scripts/test $(PACKAGES))

lint: $(call tool,golangci-lint deadcode go-licenses vale) ## Check code, prose, go.mod, api/, links and licences
	@scripts/lint

vulncheck: $(call tool,govulncheck) ## Check the library for known vulnerabilities; VULNDB=https://vuln.go.dev queries the live database
	@cd tools && GOWORK=off go build -o ../bin/ ./vulncheck
	@bin/vulncheck -db '$(VULNDB)' bin/govulncheck $(filter-out examples,$(RELEASED))

rules-check links:
	@cd tools && GOWORK=off go build -o ../bin/ ./mutants ./links
	@$(if $(filter links,$@),git ls-files -z '*.md' | xargs -0 bin/links,bin/mutants -check)

size: ## Print lines of code and exported names; fails above the budget
	@cd tools && GOWORK=off go run ./size

fmt: $(call tool,golangci-lint) ## Format every module
	@bin/golangci-lint fmt $(ALL)

tidy: ## Tidy go.mod and go.sum of every module
	@set -e; for m in $(ALL); do echo "tidy $$m"; (cd $$m && GOWORK=off go mod tidy); done

e2e: ## Test with real identity providers, Redis and a browser; installs them if you are root
	@scripts/e2e-deps
	@cd e2e && GOWORK=off ../scripts/test -count=1 ./...

fuzz: ## Run every fuzz test for FUZZTIME (10s)
	@scripts/fuzz $(FUZZTIME) $(PACKAGES)

vectors: ## Test with the vectors of Project Wycheproof
	@cd core/internal/wycheproof && GOWORK=off ../../../scripts/test ./...

conformance: ## Run the conformance suite in every framework; writes docs/reports/CONFORMANCE.md
	@mkdir -p bin
	@go test -json -count=1 -run '^TestConformance$$' $(addprefix ./,$(filter %sso,$(RELEASED))) > bin/conformance.json || true
	@cd e2e && GOWORK=off go test -json -count=1 -run '^TestConformance$$' ./routers >> ../bin/conformance.json || true
	@go run ./examples/internal/conformance -o docs/reports/CONFORMANCE.md < bin/conformance.json

docs: $(call tool,go-licenses) ## Write docs/CONFIGURATION.md, the tables of docs/ERRORS.md, the tokens of docs/PROVIDERS.md and docs/reports/DEPENDENCIES.md; SCREENSHOTS=1 also docs/img
	@go run ./examples/internal/configuration
	@go test -count=1 -run '^TestErrorsPage$$' ./core/sso -update
	@go test -count=1 -run '^TestProvidersPage$$' ./cmd/sso/internal/cli -update
	@scripts/licences -write $(filter-out examples,$(RELEASED))
	@$(if $(SCREENSHOTS),scripts/e2e-deps && cd e2e && GOWORK=off go test -count=1 -run '^TestScreenshots$$' -v ./browser -screenshots ../../docs/img)

api: ## Write api/, the documentation of every public package
	@scripts/api

bench: ## Measure the cost of a token here and in other libraries; QUICK=1 for less; writes docs/reports/BENCHMARKS.md and the costs in docs/PRODUCTION.md
	@mkdir -p bin docs/reports/img
	@cd bench && GOWORK=off go build -o ../bin/speed ./speed && ../bin/speed $(if $(QUICK),-quick,-o ../docs/reports/BENCHMARKS.md -costs ../docs/PRODUCTION.md)

keys-grid: ## Compare with other libraries while keys fail; writes docs/reports/KEYS-GRID.md
	@cd bench && GOWORK=off go run ./keysgrid -o ../docs/reports/KEYS-GRID.md

attack-grid: ## Compare with other libraries under attack; writes docs/reports/SECURITY-TESTING.md
	@cd bench && GOWORK=off go run ./attackgrid -o ../docs/reports/SECURITY-TESTING.md

mutate-rules: ## Break the security rules one by one, which tests must notice; ONLY='^core/keys/' for some; writes docs/reports/MUTATIONS.md
	@cd tools && GOWORK=off go build -o ../bin/ ./mutants
	@bin/mutants -only '$(ONLY)' -o docs/reports/MUTATIONS.md

soak: ## Test live sessions for a minute while Redis fails, and measure a lookup
	@cd e2e && SOAK=60s GOWORK=off ../scripts/test -count=1 ./sessions
	@cd e2e && GOWORK=off go test -count=1 -run '^(TestCost|TestBytes)' -v ./sessions

nightly: $(call tool,gotestsum gremlins) ## Run the checks that take hours; STEPS='repeat fuzz' for some; writes docs/reports/NIGHTLY.md
	@scripts/nightly $(STEPS)

release-check: ## Rehearse a release: modules outside of the repository require, build and test ours
	@scripts/release-check $(RELEASED)

ci: ## Run what a change must pass
	@.ci/run

clean:
	rm -rf bin .cache e2e/oidcprovider/node_modules

tools: $(call tool,golangci-lint gotestsum deadcode go-licenses vale)

bin/.%-$(GOVERSION): tools/go.mod tools/go.sum
	@echo 'Building $*$(if $(filter golangci-lint,$*),; the first time takes a minute or two).'
	@cd tools && GOWORK=off go build -o ../bin/ $$(GOWORK=off go list -f '{{.ImportPath}}' tool | grep -E '/$*(/v[0-9]+)?$$')
	@touch $@
