import shutil
import subprocess
from pathlib import Path

from tests.steps.checkout import CHECKOUT


def copy_checkout(folder: Path) -> Path:
    """What a commit of everything would clone: tracked and new files, without what .gitignore names."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(command, cwd=CHECKOUT, text=True).split("\0"):
        if name and (CHECKOUT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, folder / name)
    return folder
