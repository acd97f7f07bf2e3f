"""How long the commands take, as whole processes, and how small the result is: `make bench`.

The README's figures come from here. Wall time is what a user waits, so nothing is measured from within.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
EXAMPLES = ("digits_mlp", "mnist_cnn")


def timed(*command: str) -> float:
    """Return the wall seconds of a command of this environment; a failure ends the benchmark with its output."""
    path = Path(sys.executable).with_name(command[0])
    start = time.perf_counter()
    done = subprocess.run([str(path), *command[1:]], cwd=HOUSE, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return seconds


def spread(seconds: list[float]) -> str:
    """Return least, middle and most of some times."""
    return f"{min(seconds):7.2f} {statistics.median(seconds):7.2f} {max(seconds):7.2f}"


def measure(example: str, repeats: int) -> None:
    """Print the times of one example's commands and the sizes of its model."""
    specification, weights = f"examples/{example}.surg", HOUSE / "examples" / f"{example}.safetensors"
    with tempfile.TemporaryDirectory() as folder:
        results = [Path(folder) / str(index) for index in range(repeats)]
        lines = {
            "check": [timed("surg", "check", specification) for _ in results],
            "run": [timed("surg", "run", specification, "--out", str(result)) for result in results],
            "verify": [timed("surg-verify", str(result)) for result in results],
        }
        certificates = {(result / "certificate" / "cert.json").read_bytes() for result in results}
        size = (results[0] / "model.safetensors").stat().st_size
    for command, seconds in lines.items():
        sys.stdout.write(f"{example:12} {command:8} {spread(seconds)}\n")
    before = weights.stat().st_size
    sys.stdout.write(f"{example:12} file     {before} -> {size} bytes, {size / before:.2%}; ")
    sys.stdout.write(f"{len(certificates)} distinct certificate(s) in {repeats} run(s)\n")


def main() -> None:
    """Measure every example that needs no data of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    sys.stdout.write(f"{'example':12} {'command':8} {'least':>7} {'middle':>7} {'most':>7}   seconds of wall time\n")
    for example in EXAMPLES:
        measure(example, repeats)


if __name__ == "__main__":
    main()
