import json
import tomllib
from pathlib import Path

MODES = ("connect", "map", "plot", "review", "deploy")


def assert_demo_left_everything(folder: Path) -> None:
    """What `tagloom demo` without a display leaves in ./tagloom-demo/: pictures, project, two configurations, page."""
    pictures = [path for path in folder.rglob("*.png") if path.read_bytes().startswith(b"\x89PNG\r\n")]
    for mode in MODES:
        assert any(mode in path.stem and path.stat().st_size > 10_000 for path in pictures), f"no picture of the mode {mode}"
    (project,) = folder.rglob("*.tagloom")
    assert json.loads(project.read_text(encoding="utf-8").splitlines()[-1]) == {"kind": "end"}
    losses = [json.loads(path.read_text(encoding="utf-8")) for path in folder.rglob("losses.json")]
    assert len(losses) >= 2
    assert any(tomllib.loads(path.read_text(encoding="utf-8")) for path in folder.rglob("telegraf.conf"))
    assert any(json.loads(path.read_text(encoding="utf-8")) for path in folder.rglob("*flows*.json"))
    assert any("</html>" in path.read_text(encoding="utf-8") for path in folder.rglob("*.html"))
