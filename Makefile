# Two commands matter: `make run` and `make test`. Each makes what it needs first and asks no question.
.PHONY: env test-env run reset test test-nightly prove-blind prove-blind-full guide bench format
.DEFAULT_GOAL := run
export PYTHON ?= python3
BIN := .venv/bin
STUDY ?= studies/nct07197606
# The ports of the two doors; 8000 and 8001, or any free ones, where none are given.
PORT ?=
VAULT_PORT ?=
PORTS = $(if $(PORT),--port $(PORT)) $(if $(VAULT_PORT),--vault-port $(VAULT_PORT))

env: ## the environment in .venv, with the equipoise command
	@requirements/install.sh run

test-env: env ## what the tests need on top: packages, Chromium, a Chinese font
	@requirements/install.sh test
	@requirements/browser.sh

run: env ## a rehearsal half-way: makes its two stores when there are none, then serves both doors
	@$(BIN)/equipoise demo --rehearsed --study $(STUDY) $(PORTS)

reset: env ## the rehearsal from the beginning; what was entered in it is lost
	@$(BIN)/equipoise demo --rehearsed --study $(STUDY) $(PORTS) --reset

test: test-env ## everything that must hold; at most 15 minutes on two cores
	@.ci/steps

test-nightly: test-env ## what is too slow for every commit: the nightly tests, properties on many more examples, the full proof
	@HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -q -m "not browser"
	@$(BIN)/python -m tests.blind --full

prove-blind: test-env ## the trial in worlds that differ only in the secret, and planted leaks; WRITE=--write writes its page
	@$(BIN)/python -m tests.blind $(WRITE)

prove-blind-full: test-env ## the same with twenty relabellings of the arms, every play without its leak, ten times the lists
	@$(BIN)/python -m tests.blind --full

guide: test-env ## the pictures of the user guide, taken anew while its course is played
	@EQUIPOISE_PICTURES=1 $(BIN)/python -m pytest -q tests/browser/test_a_whole_participant.py tests/browser/test_the_lock.py tests/browser/test_diary_course.py

bench: env ## measurements, printed as a table; no result passes or fails
	@$(BIN)/python -m bench

format: test-env
	@$(BIN)/ruff check --quiet --fix-only src tests bench
	@$(BIN)/ruff format src tests bench
