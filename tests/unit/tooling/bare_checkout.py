"""A checkout with our run.py and nothing else of ours: three tiny packages, so that a whole set-up takes seconds."""

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.steps.checkout import CHECKOUT

REPORT = """
import json, os, sys
try:
    import probe
    probe = True
except ImportError:
    probe = False
import gauge
print(json.dumps({"arguments": sys.argv[1:], "gauge": gauge.VERSION, "probe": probe, "module": __spec__.name, "cwd": os.getcwd()}))
sys.exit(int(os.environ.get("CODE", "0")))
"""


@dataclass(frozen=True)
class BareCheckout:
    folder: Path
    environment: dict[str, str]

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """`run.py ARGUMENTS`, in an empty folder of its own."""
        elsewhere = self.folder.parent / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, str(self.folder / "run.py"), *arguments],
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=elsewhere,
            start_new_session=True,
        )

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **environment)
        with process:
            output, errors = process.communicate(timeout=100)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def lock(self, *, gauge: str, broken_hash: bool = False) -> None:
        """Write requirements.txt: `gauge` to run, `probe` to test."""
        texts = []
        for section, name, version in (("run", "gauge", gauge), ("test", "probe", "1.0")):
            digest = hashlib.sha256(make_wheel(self.folder.parent / "wheels", name, version).read_bytes()).hexdigest()
            digest = "0" * 64 if broken_hash else digest
            texts.append(f"# --- {section}: of the test\n{name}=={version} \\\n    --hash=sha256:{digest}\n")
        (self.folder / "requirements.txt").write_text("".join(texts))


def make_bare_checkout(folder: Path) -> BareCheckout:
    top = folder / "checkout"
    for package in ("app", "app/commands", "tests"):
        (top / package).mkdir(parents=True)
        (top / package / "__init__.py").touch()
    for module in ("app/commands/__main__.py", "tests/__main__.py"):
        (top / module).write_text(REPORT)
    (top / "run.py").write_bytes((CHECKOUT / "run.py").read_bytes())
    (folder / "wheels").mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TAGLOOM_", "PYTHON", "DISPLAY"))}
    bare = BareCheckout(top, {**environment, "TAGLOOM_WHEELS": str(folder / "wheels")})
    bare.lock(gauge="1.0")
    return bare


def make_wheel(folder: Path, name: str, version: str) -> Path:
    """A wheel with one module that knows its version (PyPA, Binary distribution format 1.0)."""
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    records = [f"{path},sha256={digest(text)},{len(text)}\n" for path, text in files.items()]
    files[f"{about}/RECORD"] = "".join([*records, f"{about}/RECORD,,\n"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(zipfile.ZipInfo(member, (2020, 1, 1, 0, 0, 0)), text)
    return path


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
