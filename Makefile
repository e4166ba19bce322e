# Nothing needs to be installed or started by hand. What is built goes to bin and .cache.
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
PROGRAM  := bin/breaking-backups
SERVERS  := .cache/bin/servers
# The longest first: they are tested in this order, one more at once than there are processors, as each waits now and then.
ATONCE   := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PACKAGES := ./dump/postgres/... ./cmd/... ./dump/mysql/... ./... ./testdata/servers/... ./testdata/bench ./testdata/deploy ./testdata/docs
TIMEOUT  := 45m
# The race detector, with all that it finds: what it remembers of the memory may lie in large pages, which it forbids
# otherwise, though faults of small ones are half of what large buffers cost; and a process that ends gives what still runs 50 ms to be
# caught in a race, not a second, as each run of the program by the tests of cmd is one more process.
RACE     := GORACE='no_huge_pages_for_shadow=0 atexit_sleep_ms=50'
IMAGE    := breaking-backups:$(VERSION)

.PHONY: help demo build cross dist dist-again test test-race test-browser page-pictures test-short test-regress test-matrix lint lint-beside bench bench-go image setup tools clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## back up a sample shop, change it, back it up again, restore the first: the whole road in one go; ENGINE=mariadb, ENGINE=mongo
	@testdata/demo/demo $(ENGINE)

build: tools ## build the program into bin, and beside it the restic that it is tested with
	@CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(PROGRAM) ./cmd/breaking-backups
	@restic=$$($(SERVERS) restic) && { cmp -s "$$restic" bin/restic || install -m 755 "$$restic" bin/restic; }

cross: ## build the program for Linux, macOS, FreeBSD and Windows into bin/cross
	@VERSION='$(VERSION)' testdata/dist/cross bin/cross

dist: ## make a release in bin/dist: the program for every system, what each is made of (SBOM), the licences, checksums
	@VERSION='$(VERSION)' testdata/dist/dist bin/dist

dist-again: dist ## make it once more, elsewhere and from nothing, and want the same bytes; SYSTEMS=linux/amd64 for less
	@VERSION='$(VERSION)' SYSTEMS='$(SYSTEMS)' testdata/dist/again bin/dist

test: setup ## set everything up, then lint and test against real servers and real restic
	@$(MAKE) --no-print-directory -k -j2 lint-beside test-race test-browser

# go vet is lint's.
test-race:
	@rm -f .cache/test.code; { $(RACE) go test -race -vet=off -p $(ATONCE) -timeout $(TIMEOUT) $(PACKAGES); echo $$? >.cache/test.code; } 2>&1 | tee .cache/test.log
	@read -r code <.cache/test.code; [ "$$code" = 0 ] || { echo; echo 'What failed, of all that is above:'; grep -aE '^ *--- FAIL|^panic: |^[[:space:]]+Test|^FAIL|^WARNING: DATA RACE' .cache/test.log; exit "$$code"; }

# The page in a real browser, in a module of its own.
test-browser:
	@cd testdata/browser && GOWORK=off go test -timeout $(TIMEOUT) .

page-pictures: setup ## take the pictures of the page in docs anew
	@cd testdata/browser && GOWORK=off go test -run TestPages -update .

test-short: ## the tests that need no server
	@go test -short -timeout $(TIMEOUT) $(PACKAGES)

test-regress: tools build ## restore PostgreSQL's own regression database and hold it against the original
	@testdata/servers/install postgresql gcc
	@testdata/regress/regress

test-matrix: tools ## the engines' tests on servers of other versions, and dumps of each into each; MATRIX="/srv/trixie /srv/mysql84" for more servers
	@testdata/matrix/matrix $(MATRIX)

# The tests wait now and then: lint has what is left.
lint-beside:
	@nice testdata/lint/lint

lint: ## gofumpt, go vet, the types of every other system, staticcheck, govulncheck
	@testdata/lint/lint

bench: setup build ## hold the program against the engine's own tools and restic side by side: a quarter of an hour; ENGINE=mariadb, ENGINE=mongo; ONLY=dump,memory,backup,frames,second,restore,heap,small,many,databases,objects,wide
	@testdata/servers/install mydumper
	@go build -buildvcs=false -o .cache/bin/bench ./testdata/bench
	@BENCH_ONLY='$(ONLY)' PATH="$(CURDIR)/bin:$$(dirname $$($(SERVERS) restic)):$$(dirname $$($(SERVERS) mongodump)):$$PATH" $(SERVERS) $(subst mongo,ferret,$(or $(ENGINE),postgres)) .cache/bin/bench $(or $(ENGINE),postgres)

bench-go: setup ## the packages' own benchmarks
	@go test -run '^$$' -bench . -timeout 60m $(PACKAGES)

image: ## build the container image
	@docker build --build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) \
		--build-arg CREATED=$$(date -u +%Y-%m-%dT%H:%M:%SZ) -t $(IMAGE) .

setup: tools ## install and build what the tests need
	@testdata/servers/install postgresql mariadb gcc zstd npm chromium promtool
	@for tool in restic s3 ferret mongodump mongorestore bsondump; do $(SERVERS) $$tool >/dev/null || exit 1; done
	@$(SERVERS) versions >/dev/null

tools:
	@CGO_ENABLED=0 go build -buildvcs=false -trimpath -o $(SERVERS) ./testdata/servers/cmd/servers

clean: ## remove what was built
	@rm -rf bin .cache
