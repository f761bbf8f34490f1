# minisip: make help lists what there is.
GO      ?= go
PREFIX  ?= /usr/local
UNITDIR ?= /etc/systemd/system
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 60s
SOAK ?= 10m
LOAD ?= -rate 3000 -calls 60000 -words no_re_sdp

export CGO_ENABLED = 0

# Fuzz targets: the public packages' stand in fuzz/, those of internal packages beside them.
FUZZ = ./fuzz ./cmd/minisip/internal/proxy ./cmd/minisip/internal/pack

.DEFAULT_GOAL := help
.PHONY: help run build test bench load fuzz interop soak install clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

run: build ## build and start in this directory; the first time, accounts for two phones are made
	@./minisip

build: ## build the static binary ./minisip
	@$(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION) -X main.installedAt=$(PREFIX)/bin/minisip' -o minisip ./cmd/minisip

test: ## gofmt, vet, all unit and golden tests, the fuzz targets' corpora; -race where there is a C compiler
	@bad=$$(gofmt -l .); if [ -n "$$bad" ]; then echo "gofmt would change: $$bad"; exit 1; fi
	@$(GO) vet ./...
	@$(GO) vet -tags interop ./...
	@GOOS=darwin $(GO) vet ./...
	@GOARCH=arm $(GO) vet ./...
	@if command -v $${CC:-gcc} >/dev/null 2>&1; then CGO_ENABLED=1 $(GO) test -race ./...; \
	 else echo "no C compiler: the race detector needs one, so these run without"; fi
	@$(GO) test -count=1 ./...

bench: ## parse, append, digest, a whole call, a relayed packet
	@$(GO) test -run '^$$' -bench . -benchmem ./sipmsg ./digest ./nat ./session ./rtprelay ./cmd/minisip/internal/...

load: build ## offer calls to a server on CPU 0 from CPU 1; LOAD=-h lists what else can be asked
	@$(GO) run ./cmd/minisip/internal/load -minisip ./minisip $(LOAD)

# Go's fuzzer at times ends with "context deadline exceeded" when its time is over: that is
# no finding. A finding is an input that it has written down.
fuzz: ## run each fuzz target for FUZZTIME (60s)
	@out=$$(mktemp); trap 'rm -f "$$out"' EXIT; \
	for pkg in $(FUZZ); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "$$pkg $$f"; \
	    if ! $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg >"$$out" 2>&1; then \
	      if ! grep -q 'context deadline exceeded' "$$out" || grep -q 'Failing input written' "$$out"; then \
	        cat "$$out"; exit 1; \
	      fi; \
	    fi; \
	    grep -E '^fuzz: elapsed' "$$out" | tail -n 1; \
	  done; \
	done

interop: ## real phones behind NATs in network namespaces, a real browser; needs root
	@$(GO) test -tags interop -count=1 -p 1 -timeout 20m -v ./cmd/minisip/interop/ ./cmd/minisip/internal/systemd/ ./cmd/minisip/internal/hep/ ./cmd/minisip/internal/status/...

soak: ## calls, media, cancels, lost phones, a kill -9 every minute, for SOAK (10m) and half as long without kills; RACE=-race detects races
	@CGO_ENABLED=$(if $(RACE),1,0) SOAK=$(SOAK) $(GO) test $(RACE) -run '^TestSoak$$' -count=1 -timeout 0 -v ./cmd/minisip

install: ## put binary and systemd unit in place (PREFIX /usr/local, UNITDIR /etc/systemd/system)
	@# Under sudo there is often no Go in the path; then what make build made is taken.
	@if command -v $(GO) >/dev/null 2>&1; then $(MAKE) --no-print-directory build; \
	 elif [ ! -x minisip ]; then echo "there is no $(GO) in the path: run make build as yourself first"; exit 1; fi
	install -D -m 0755 minisip $(DESTDIR)$(PREFIX)/bin/minisip
	./minisip unit > minisip.service
	install -D -m 0644 minisip.service $(DESTDIR)$(UNITDIR)/minisip.service
	rm -f minisip.service

clean: ## remove what make built; users.conf, state and logs stay
	rm -f minisip
