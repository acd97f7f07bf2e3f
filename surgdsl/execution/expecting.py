"""Expecting: what an auditor who has the text and the model can ask of any certificate about them.

The digests are computed from the auditor's own files, before there is a certificate, and never read from one.
"""

from __future__ import annotations

from surgdsl.execution import digest
from surgdsl.execution.graph import Scribe
from surgdsl.language.program import Program
from surgdsl.planning.opening import Opened


def expected(program: Program, opened: Opened) -> dict[str, str]:
    """The digests of the input's weights, of its graph, and of the text, by the name of the verifier's option."""
    scribe = Scribe()
    return {
        "input": scribe.manifest(opened.start),
        "graph": digest.graph(scribe.graph(opened.start)),
        "spec": digest.blob(program.spec.encode()),
    }
