import re

from tests.steps.checkout import CHECKOUT, LOCK
from tests.steps.lock import blocks, name_of


def test_that_every_library_handed_over_stands_with_its_licence_and_no_other() -> None:
    run = LOCK.read_text(encoding="utf-8").split("# --- test")[0]
    text = (CHECKOUT / "resources" / "THIRD_PARTY.md").read_text(encoding="utf-8").split("## Data")[0]
    rows = re.findall(r"^\| ([a-z0-9, -]+) \| (.+?) \|", text, flags=re.MULTILINE)
    named = [name for names, _licence in rows for name in names.split(", ") if name != "package"]
    assert sorted(named) == sorted({name_of(block) for block in blocks(run) if "==" in block})
