"""The wheel, built and installed away from the checkout, runs the demo there."""

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.prove.demo_artefacts import assert_demo_left_everything
from tests.prove.tracked import copy_checkout
from tests.steps.checkout import CHECKOUT, LOCK

pytestmark = [pytest.mark.prove("wheel"), pytest.mark.timeout(1200)]

# In the clean environment: every process notes each file that it opens under the checkout or the copy that was built.
# By a .pth file, because Debian's Python has a sitecustomize of its own, which would come first.
AUDIT = """
import os, sys
_note = os.open({log!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def _hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and os.path.abspath(arguments[0]).startswith({forbidden!r}):
        os.write(_note, (arguments[0] + "\\n").encode())
sys.addaudithook(_hook)
"""


@dataclass(frozen=True)
class Installed:
    wheel: Path
    python: Path
    opened: Path  # files opened under the checkout, one a line

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        hidden = ("PYTHON", "TAGLOOM_", "DISPLAY", "WAYLAND", "QT_", "VIRTUAL_ENV")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        return subprocess.run(
            command, check=False, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600
        )

    @property
    def tagloom(self) -> str:
        return str(self.python.parent / "tagloom")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    source = copy_checkout(folder / "source")
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), str(source))
    (wheel,) = (folder / "dist").iterdir()
    call(sys.executable, "-m", "venv", str(folder / "venv"))
    python = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    (folder / "run.txt").write_text(LOCK.read_text(encoding="utf-8").split("# --- test")[0], encoding="utf-8")
    wheels = os.environ.get("TAGLOOM_WHEELS")
    offline = ["--no-index", "--find-links", wheels] if wheels else []
    pip = [str(python), "-I", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    call(*pip, *offline, "--require-hashes", "--only-binary", ":all:", "-r", str(folder / "run.txt"))
    call(*pip, "--no-index", "--no-deps", str(wheel))
    packages = subprocess.check_output([python, "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    opened = folder / "opened.txt"
    text = AUDIT.format(log=str(opened), forbidden=(str(CHECKOUT) + os.sep, str(source) + os.sep))
    Path(packages.strip(), "audit_of_the_proof.py").write_text(text)
    Path(packages.strip(), "audit_of_the_proof.pth").write_text("import audit_of_the_proof\n")
    return Installed(wheel, python, opened)


def call(*command: str) -> None:
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"


def test_that_the_wheel_carries_licences_and_resources_and_no_tests(installed: Installed) -> None:
    names = zipfile.ZipFile(installed.wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"app", "widgets", "resources", "projects"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    shipped = {str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / "resources").rglob("*") if path.is_file()}
    assert {name for name in shipped if "__pycache__" not in name} <= set(names)


def test_that_what_is_installed_fits_together(installed: Installed, tmp_path: Path) -> None:
    done = installed.run(str(installed.python), "-I", "-m", "pip", "check", cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_that_the_commands_teach_themselves(installed: Installed, tmp_path: Path) -> None:
    done = installed.run(installed.tagloom, "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout


def test_that_the_demo_runs_from_the_wheel_alone(installed: Installed, tmp_path: Path) -> None:
    done = installed.run(installed.tagloom, "demo", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_demo_left_everything(tmp_path / "tagloom-demo")
    assert installed.opened.read_text() == "", "files of the checkout were opened"


def test_that_a_look_into_the_checkout_would_have_been_noted(installed: Installed, tmp_path: Path) -> None:
    """Last, since it writes to the note: the test above could fail."""
    path = str(CHECKOUT / "run.py")
    assert installed.run(str(installed.python), "-c", f"open({path!r})", cwd=tmp_path).returncode == 0
    assert path in installed.opened.read_text().splitlines()
