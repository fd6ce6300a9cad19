"""The demo without a display: the whole journey, and what it leaves."""

import csv
import json
import re
from pathlib import Path

import pytest

from app.projectfile import open_file, write
from tests.e2e.commandline import tagloom

MODES = ("connect", "map", "plot", "review", "deploy")
DEMO_S = 300.0  # on a busy machine; alone it takes about 40 s


@pytest.mark.timeout(DEMO_S + 30)
def test_that_the_demo_without_a_display_makes_the_whole_journey_and_leaves_it(tmp_path: Path) -> None:
    done = tagloom("demo", cwd=tmp_path, timeout_s=DEMO_S)
    assert done.code == 0, done.out + done.err
    said = dict(line.split(": ", 1) for line in done.out.splitlines() if re.match(r"[A-Z]\w+: ", line))
    assert list(said) == ["Plant", "Connect", "Browse", "Watch", "Map", "Save", "Check", "Export", "Review", "Pictures"]
    nodes = re.search(r"filler-opcua ([\d,]+) nodes", said["Browse"])
    assert nodes
    assert int(nodes[1].replace(",", "")) > 300
    assert re.match(r"70 tags, [\d,]+ samples \([\d,]+ good, \d+ uncertain, \d+ bad\)", said["Watch"])
    assert said["Map"].startswith("69 of 70 mapped attributes have an IT value")
    folder = tmp_path / "tagloom-demo"
    (project,) = folder.rglob("*.tagloom")
    assert write(open_file(project).project) == project.read_bytes()
    with (folder / "samples.csv").open(encoding="utf-8", newline="") as file:
        names = {row["tag"] for row in csv.DictReader(file)}
    assert len(names) == 70
    assert all(json.loads(path.read_text(encoding="utf-8")) for path in folder.rglob("losses.json"))
    assert "</html>" in (folder / "review.html").read_text(encoding="utf-8")
    pictures = [path.name for path in folder.rglob("*.png")]
    assert all(any(mode in name for name in pictures) for mode in MODES)


@pytest.mark.timeout(DEMO_S + 30)
def test_that_steps_that_fail_are_named_and_the_demo_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "tagloom-demo" / "review.html").mkdir(parents=True)  # nothing can be written there
    (tmp_path / "tagloom-demo" / "pictures").write_text("", "utf-8")
    done = tagloom("demo", "--headless", cwd=tmp_path, timeout_s=DEMO_S)
    assert done.code == 2
    assert "FAILED: Review, Pictures" in done.out
    assert "review.html" in done.err
    assert "No pictures of the window" in done.err
    assert "Export: " in done.out
