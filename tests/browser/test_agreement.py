"""The two verifiers agree on every operator: calls alone, and cuts through them."""

from tests.browser.agreement import alone_with_symbols, cut_through, operation, verdicts
from tests.browser.calls import generator


def test_both_type_the_same_calls() -> None:
    folders = alone_with_symbols(generator(1), 3)
    pairs = verdicts(folders)
    assert not [(pair, operation(files)) for pair, files in zip(pairs, folders, strict=True) if pair[0] != pair[1]]
    assert {("", ""), ("V09", "V09")} <= set(pairs)


def test_both_accept_the_same_cuts() -> None:
    folders = cut_through(generator(1), 2)
    pairs = verdicts(folders)
    assert not [(pair, operation(files)) for pair, files in zip(pairs, folders, strict=True) if pair[0] != pair[1]]
    assert {("", ""), ("V14", "V14")} <= set(pairs)
