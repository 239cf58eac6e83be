# Two commands do all the set-up on a fresh machine: `make up` and `make test`. `make help` lists the rest.

.DEFAULT_GOAL := help
SHELL := /bin/bash
TARGET := $(or $(CARGO_TARGET_DIR),target)
BIN := $(TARGET)/debug/livemeter

# Settings of `make up`: VIEWERS=0 for no audience, KAFKA=host:9092 for a real cluster.
export LIVEMETER_UP_VIEWERS := $(or $(VIEWERS),$(LIVEMETER_UP_VIEWERS),10000)
ifneq ($(DISK_MAX),)
export LIVEMETER_UP_DISK_MAX := $(DISK_MAX)
endif
ifneq ($(DATA),)
export LIVEMETER_UP_DATA := $(DATA)
endif

.PHONY: help up test faults lab cmcd bench-smoke bench-processor bench-freshness bench-files bench-recovery bench-ingest bench-billing fuzz build lint fmt contracts clean-data

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' Makefile

up: build ## build and start everything here; VIEWERS=0, KAFKA=host:9092, DISK_MAX=4GiB, DATA=dir
	@exec $(BIN) up $(if $(KAFKA),--kafka $(KAFKA))

test: ## every test, set-up included
	@tests/run

faults: ## the processor killed 200 times and cut off in every way, then its ledger against what was sent (FAULTS=200)
	@tests/setup bench
	@tests/faults

lab: ## a real live stream from two edges, metered from player to answer (LAB_SECONDS=180)
	@tests/setup lab
	@$(MAKE) --no-print-directory build
	@LIVEMETER_BIN_DIR=$(abspath $(TARGET))/debug tests/lab/run

cmcd: ## hls.js, dash.js and Shaka with their own CMCD, no SDK: the ledger against what their pages saw
	@tests/setup lab
	@$(MAKE) --no-print-directory build
	@LIVEMETER_BIN_DIR=$(abspath $(TARGET))/debug tests/lab/run-cmcd

bench-smoke: ## 100,000 viewers for two minutes against Apache Kafka; CPU, memory, lag, lost bytes
	@tests/setup bench
	cargo build --release --workspace --bins
	@KAFKA_TIER=4 LIVEMETER_BIN_DIR=$(abspath $(TARGET))/release $(TARGET)/release/smoke $(ARGS)

bench-processor: ## 10 million heartbeats through the processor, a bare loop and Apache Flink (ARGS="--events 1000000")
	@tests/setup peer
	@bench/peers/flink/fetch >/dev/null
	cargo build --release --workspace --bins
	@KAFKA_TIER=4 KAFKA_GROUP_DELAY_MS=3000 LIVEMETER_BIN_DIR=$(abspath $(TARGET))/release $(TARGET)/release/processor $(ARGS)

bench-freshness: ## 20,000 events a second: how long from a 2xx until SQL shows it (ARGS="--seconds 600")
	@tests/setup bench
	cargo build --release --workspace --bins
	@KAFKA_TIER=4 LIVEMETER_BIN_DIR=$(abspath $(TARGET))/release $(TARGET)/release/freshness $(ARGS)

bench-recovery: ## a million live sessions, SIGKILL, and how long until they are back (ARGS="--sessions 100000")
	@tests/setup bench
	cargo build --release --workspace --bins
	@KAFKA_TIER=4 LIVEMETER_BIN_DIR=$(abspath $(TARGET))/release $(TARGET)/release/recovery $(ARGS)

bench-files: ## files, log and bytes of a ledger after a raw stretch and a month, at an accelerated clock (ARGS='--days 2')
	cargo build --release --workspace --bins
	$(TARGET)/release/files $(ARGS)

bench-ingest: ## ingest against bare producers, an HTTP-to-Kafka peer and a handler that discards (ARGS="--seconds 60")
	@tests/setup peer
	@bench/peers/rdkafka/build >/dev/null
	@bench/peers/camel/fetch >/dev/null
	cargo build --release --workspace --bins
	@KAFKA_TIER=4 KAFKA_HEAP=1g LIVEMETER_BIN_DIR=$(abspath $(TARGET))/release $(TARGET)/release/ingest $(ARGS)

bench-billing: ## bills, reconciliation, DuckDB beside, a large log imported (ARGS="--vendors 5 --log-mb 100")
	cargo build --release --workspace --bins
	@LIVEMETER_BIN_DIR=$(abspath $(TARGET))/release $(TARGET)/release/billing $(ARGS)

fuzz: ## any bytes into the decoders, FUZZ_SECONDS=600 each; needs cargo-fuzz
	@fuzz/run

build: ## the two binaries, as `make up` uses them
	@tests/setup build
	@echo "Building (the first time takes a while: about 600 crates; later ones take seconds)"
	cargo build --workspace --bins

lint: ## formatting and lints, as the tests check them
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

fmt: ## format the Rust code
	cargo fmt --all

contracts: ## write the published contracts and the types made from them anew
	UPDATE_CONTRACTS=1 cargo test -p livemeter-schemas
	cd schemas/ts && npm ci --silent && npm run generate

clean-data: ## remove what `make up` has stored
	rm -rf data
