"""Makes requirements.txt from pyproject.toml: one file for every platform and Python, with hashes, in two sections."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.steps.checkout import CHECKOUT, LOCK

SECTIONS = {
    "run": "what Tagloom itself needs",
    "test": "what `run.py test`, `prove`, `bench` and `lock` need besides",
}
HEADER = """\
# Made by `python3 run.py lock` from pyproject.toml; do not edit. run.py splits it at the lines "# --- NAME".
# A package that both sections need stands in the first only.
"""


def uv_environment() -> dict[str, str]:
    """The package index and certificates that pip is told to use, in uv's words; uv reads no setting of pip's."""
    environment = dict(os.environ)
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    configured = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()
    for name, value in {
        "UV_DEFAULT_INDEX": os.environ.get("PIP_INDEX_URL") or configured,
        "SSL_CERT_FILE": os.environ.get("PIP_CERT"),
    }.items():
        if value:
            environment.setdefault(name, value)
    return environment


def uv_compile(source: Path, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Resolve `source` to wheels only; nothing else is downloaded than what the index says of them."""
    command = [sys.executable, "-m", "uv", "--quiet", "pip", "compile", str(source), "--output-file", str(output), *options]
    command += ["--only-binary", ":all:", "--no-python-downloads", "--no-header"]
    return subprocess.run(
        command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT, env=uv_environment()
    )


def resolve(group: str, known: str) -> str:
    """The resolution for all platforms and every Python from 3.11 on; wheels only, no index address in it.

    `known` is an earlier lock ("" for none), whose versions are kept where they still fit.
    """
    options = ["--group", "pins", "--group", group, "--universal", "--python-version", "3.11"]
    options += ["--generate-hashes", "--no-emit-index-url"]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "requirements.txt")  # uv prefers the versions that it finds in its output file
        output.write_text(known, encoding="utf-8")
        done = uv_compile(Path("pyproject.toml"), output, *options)
        if done.returncode:
            sys.exit(done.stderr)
        return output.read_text(encoding="utf-8")


def blocks(resolution: str) -> list[str]:
    """One text per requirement: its line, its hashes and who wants it."""
    return re.findall(r"^\S.*\n(?:[ \t].*\n)*", resolution, flags=re.MULTILINE)


def name_of(block: str) -> str:
    return block.split("==")[0].strip()


def in_sections(everything: str, run_only: str) -> str:
    """Both from one resolution, so that a version is the same whether the test tools are there or not."""
    run_names = {name_of(block) for block in blocks(run_only)}
    texts = {"run": "", "test": ""}
    for block in blocks(everything):
        texts["run" if name_of(block) in run_names else "test"] += block
    return HEADER + "".join(f"\n# --- {name}: {SECTIONS[name]}\n{text}" for name, text in texts.items())


def main(arguments: list[str]) -> int:
    upgrade = [option for option in arguments if option == "--upgrade"]
    if arguments != upgrade:
        print("usage: python3 run.py lock [--upgrade]     (without --upgrade, versions that still fit stay)", file=sys.stderr)
        return 2
    known = "" if upgrade or not LOCK.exists() else LOCK.read_text(encoding="utf-8")
    everything = resolve("test", known)
    LOCK.write_text(in_sections(everything, resolve("pins", everything)), encoding="utf-8", newline="\n")
    return 0
