"""`run.py bench`: the benchmarks of tests/benchmarks, one process each."""

import subprocess
import sys

from tests.steps.checkout import CHECKOUT

PREFIX = "bench_"


def known() -> list[str]:
    return sorted(path.stem.removeprefix(PREFIX) for path in (CHECKOUT / "tests" / "benchmarks").glob(f"{PREFIX}*.py"))


def main(arguments: list[str]) -> int:
    """NAME… first (none: all), then options for each benchmark, such as `--data PATH`."""
    first_option = next((i for i, argument in enumerate(arguments) if argument.startswith("-")), len(arguments))
    names, options = arguments[:first_option], arguments[first_option:]
    if options == ["--list"]:
        print("\n".join(known()))
        return 0
    unknown = sorted(set(names) - set(known()))
    if unknown or not known():
        print(f"no benchmark named {', '.join(unknown) or 'anything'}; known: {', '.join(known()) or 'none yet'}", file=sys.stderr)
        return 2
    failed = []
    for name in names or known():
        print(f"=== {name}", flush=True)
        if subprocess.call([sys.executable, "-m", f"tests.benchmarks.{PREFIX}{name}", *options], cwd=CHECKOUT):
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))
