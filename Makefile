# What a developer types. The steps themselves stand in .ci/run, so that both do the same.
# COUNT: kills of each chaos test. FUZZTIME: of each fuzz target. ROUNDS and MILLIONS: of bench-kafka.
COUNT    ?= 20
FUZZTIME ?= 6s
ROUNDS   ?= 3
MILLIONS ?= 1
export COUNT FUZZTIME ROUNDS MILLIONS

# VERSION and COMMIT: of release and image, where git does not know them.
VERSION ?= $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null || echo v0.0.0-dev)
COMMIT  ?= $(shell git describe --always --abbrev=40 --exclude '*' --dirty 2>/dev/null || echo unknown)

.PHONY: check build release image format vet test race lint fuzz helm browser integration chaos recovery bench bench-kafka bench-scan clean

# Everything but the real Kafka: before each commit.
check:
	.ci/run format vet lint race fuzz

build:
	go build -o bin/regionwatch ./cmd/regionwatch

# Static binaries, SBOMs and checksums, in dist: see .ci/release.
release:
	VERSION='$(VERSION)' COMMIT='$(COMMIT)' .ci/release

# The image regionwatch:VERSION, built in a container from the source.
image:
	docker build -f deploy/docker/Dockerfile --build-arg VERSION='$(VERSION)' --build-arg COMMIT='$(COMMIT)' -t 'regionwatch:$(VERSION)' -t regionwatch:latest .

# Rewrites what is not formatted; check only tells.
format:
	.ci/run tools
	bin/golangci-lint fmt ./...

vet test race lint fuzz helm browser integration chaos recovery bench-kafka:
	.ci/run $@

# EVENTS: a file of events, one a line, plain or .gz; without it they are generated.
bench: export REGIONWATCH_BENCH_EVENTS = $(abspath $(EVENTS))
bench:
	go test -run '^$$' -bench 'BenchmarkCompare$$' -benchtime 5s -cpu 1 ./processor/detection/

# EVENTS: a file of events to repeat; MEGABYTES of text; ROUNDS. See .ci/bench-scan.
bench-scan:
	.ci/bench-scan

clean:
	rm -rf bin dist
