.DEFAULT_GOAL := help
.PHONY: help demo up check-connections test test-live test-kill lint bench clean

help:       ## list the targets
	@sed -n 's/^\([a-z-]*\): *## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20
demo:       ## one night of the sandbox company: install, run, show, stop
	@scripts/demo
up:         ## the same, and everything stays up until Ctrl-C
	@scripts/up
check-connections: ## try the key of each connected system; no personal data touched
	@scripts/check-connections --store
test:       ## the whole test suite
	@scripts/test
test-live:  ## the modules' tests against real servers named in the environment
	@scripts/test-live
test-kill:  ## 200 trials of SIGKILL at random instants
	@scripts/test-kill
lint:       ## format, lint, types, layers, policy file
	@scripts/lint
bench:      ## what is fast, measured beside the raw clients
	@scripts/bench
clean:      ## remove the virtual environment, state and caches
	@scripts/clean
