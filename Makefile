# make run and make test are all a newcomer needs; make help lists the rest.
SHELL := /bin/bash
VERSION := $(shell sed -n 's/^\#\# \[\([0-9][^]]*\)\].*/\1/p' CHANGELOG.md | head -n 1)
COMMIT  := $(shell git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# What the console is built from. Folders are listed too: they change when a file goes.
CONSOLE := server/console/dist/index.html
CONSOLE_SOURCES := $(shell find server/console/web server/console/clients/js/src -name node_modules -prune -o ! -name rest.generated.ts -print) \
	server/api/openapi.yaml

.PHONY: help run demo build console test test-short licenses sbom bench chaos check setup release clean

help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build and start the server on 127.0.0.1:6001
	@bin/chatcast serve

demo: build ## the server with a WhatsApp of this machine's own, and customers who write
	@go build -trimpath -o bin/demo ./cmd/demo
	@bin/demo

build: console ## build bin/chatcast: one file, pure Go, with the console
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/chatcast ./cmd/chatcast

console: $(CONSOLE) ## build the console, when npm is there and a source changed

$(CONSOLE): $(CONSOLE_SOURCES)
	@.ci/console

setup: ## get what the tests need: PostgreSQL, Redis, Chromium, npm packages, the console
	@.ci/setup

# The race detector watches everything but these packages of others:
#   modernc.org/sqlite/lib, libc, memory: translated from C, single-threaded within a connection. Not the driver: see decision 0234
#   golang.org/x/crypto/blowfish, edwards25519 of Go and of filippo.io: arithmetic of bcrypt and of WhatsApp's keys
#   go.mau.fi/whatsmeow/socket  noisesocket.go 82, framesocket.go 90: a callback is cleared while the socket's end reads it
#   go.mau.fi/whatsmeow/store   store.go 292, 305: a logout replaces the device's id and stores while goroutines read them
#   go.mau.fi/util/exsync       event.go 39: whatsmeow's "disconnect expected" is noted under a lock for reading
# In the first two lines it would find nothing and cost minutes (decisions 0003, 0131 and 0234). The
# last three are whatsmeow's own races, which our tests cannot avoid; its client, its SQL
# store and all of ours are watched.
RACE := -race -gcflags='modernc.org/sqlite/lib=-race=false' \
	-gcflags='modernc.org/libc/...=-race=false' -gcflags='modernc.org/memory=-race=false' -gcflags='golang.org/x/crypto/blowfish=-race=false' \
	-gcflags='crypto/internal/fips140/edwards25519/...=-race=false' -gcflags='filippo.io/edwards25519/...=-race=false' \
	-gcflags='go.mau.fi/whatsmeow/socket=-race=false' -gcflags='go.mau.fi/whatsmeow/store=-race=false' \
	-gcflags='go.mau.fi/util/exsync=-race=false'

# The packages that take longest begin first, so that no processor is idle at the end.
LONGEST := ./cmd/chatcast/e2e/console ./crm ./crm/whatsapp ./cmd/chatcast/e2e/program \
	./cmd/chatcast/e2e/access ./cmd/chatcast/e2e/browser ./server/api ./cmd/chatcast/e2e/kill ./cmd/chatcast/e2e/dialects

# Screenshots of the browser tests are left in artifacts/. The time limit of a package
# is for one that hangs: those that drive browsers take minutes on a busy machine. On a
# machine that is slower still, CHATCAST_TEST_SLOWNESS=3 gives each wait three times as long.
# GOGC: a tenth less processor time, for some memory. Four packages run at a time, because some of them wait (decision 0131); vet is for make check.
# The files of the tests are in memory where there is room (decision 0246); what go builds, which is much, is not.
test: setup ## run all tests, with the race detector, on SQLite and PostgreSQL
	@rm -rf artifacts && mkdir artifacts
	@GOGC=300 GOTMPDIR="$${GOTMPDIR:-$${TMPDIR:-/tmp}}" TMPDIR=$$(.ci/tmp) go tool gotestsum --format pkgname --format-hide-empty-pkg --jsonfile artifacts/test.json -- \
		$(RACE) -vet=off -timeout 30m -p 4 -artifacts -outputdir '$(CURDIR)/artifacts' $(LONGEST) ./...; status=$$?; \
	 echo; echo 'tests of 10 s and more:'; go tool gotestsum tool slowest --threshold 10s --jsonfile artifacts/test.json; exit $$status

test-short: ## the inner loop: what needs no PostgreSQL, browser, npm or built program, without the race detector
	@go test -short -timeout 30m $$(go list ./... | grep -v -e /e2e/ -e /cmd/demo)

licenses: ## write the licences of all modules into cmd/chatcast/licenses.txt, after go.mod changed
	@go test ./cmd/chatcast -run TestLicencesAreThoseOfTheProgram -update

sbom: build ## write what the program is made of into bin/chatcast.cdx.json
	@bin/chatcast sbom > bin/chatcast.cdx.json

bench: setup ## measure: message to browser, fan-out, WhatsApp's lines
	@go test -run '^$$' -bench . -benchtime 200x -count 1 ./cmd/chatcast/e2e/bench

# SEED=7 repeats the schedule of a run, which its report names.
chaos: SEED ?= 0
chaos: MINUTES ?= 10
chaos: BUS ?= postgres
chaos: setup ## break a cluster of three nodes for MINUTES=10 with SEED=, and check what everyone got
	@rm -rf artifacts && mkdir artifacts
	@GOGC=400 go test ./broadcasting -run '^TestPeersModel$$' -count 1 -v -timeout 1h -model.steps 6
	@go test ./cmd/chatcast/e2e/chaos -run '^TestChaos$$' -count 1 -v -timeout 24h -artifacts -outputdir '$(CURDIR)/artifacts' \
		-chaos.seed=$(SEED) -chaos.time=$(MINUTES)m -chaos.bus=$(BUS)

check: ## what .ci/run checks beside the tests: format, vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	 if [ -n "$$unformatted" ]; then echo "not formatted with gofmt: $$unformatted" >&2; exit 1; fi
	@go vet ./...
	@go tool staticcheck ./...

# goreleaser is not in go.mod: it would bring hundreds of modules along. By itself it gives
# up after an hour, which a small machine may need for five systems.
release: ## archives, deb and rpm packages, checksums and the source, in dist/; publishes nothing
	@GORELEASER_CURRENT_TAG=v$(VERSION) go run github.com/goreleaser/goreleaser/v2@v2.15.1 release --clean --timeout 6h --skip=publish,announce,validate

clean: ## remove what was built; data/ stays
	@rm -rf bin artifacts dist
	@find server/console/dist -mindepth 1 ! -name README.txt -delete
