import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.workspace import logfile, redaction
from app.workspace.logfile import log_files, start_logging, stop_logging
from app.workspace.paths import log_dir
from app.workspace.redaction import never_show
from app.workspace.settings import Settings

CANARY = "canary-4711-secret"


@pytest.fixture(autouse=True)
def logging_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(redaction, "_known", set())
    root = logging.getLogger()
    level, levels = root.level, {name: logging.getLogger(name).level for name in logfile._CHATTY}
    yield
    stop_logging()
    root.setLevel(level)
    for name, chatty in levels.items():
        logging.getLogger(name).setLevel(chatty)


@pytest.mark.expect_log("connection lost")
def test_that_records_go_to_the_file_and_warnings_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    path = start_logging("window")
    logging.getLogger("app.x").info("opened %s", "Füller")
    logging.getLogger("app.x").warning("connection lost")
    logging.getLogger("app.x").debug("a detail")
    stop_logging()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line.split(" ", 1)[1].split(" ")[0] for line in lines] == ["INFO", "WARNING"]
    assert lines[0].endswith("app.x: opened Füller")
    assert lines[0][10] == "T"
    assert lines[0].split(" ")[0].endswith("Z")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "WARNING app.x: connection lost\n")


@pytest.mark.expect_log("refused")
def test_that_no_secret_reaches_the_log_not_even_in_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    never_show(CANARY)
    path = start_logging("command", verbose=True)
    logger = logging.getLogger("app.x")
    logger.info("connecting to opc.tcp://ada:other-%s@plc", "secret")
    logger.info("password=%s", "third")
    logger.info(CANARY)
    try:
        raise RuntimeError(f"server refused {CANARY}")
    except RuntimeError:
        logger.exception("refused with %s", CANARY)
    stop_logging()
    for text in (path.read_text(), capsys.readouterr().err):
        assert "refused with [hidden]" in text
        assert "Traceback" in text
        for secret in (CANARY, "other-secret", "third"):
            assert secret not in text


def test_that_the_log_file_rotates_and_its_size_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfile, "FILE_BYTES", 2000)
    start_logging("window")
    for number in range(500):
        logging.getLogger("app.x").info("line %d", number)
    stop_logging()
    files = log_files()
    assert len(files) == logfile.FILES
    assert all(file.stat().st_size <= 2000 for file in files)
    assert "line 499" in (log_dir() / "window.log").read_text()


@pytest.mark.expect_log("no log file is written")
def test_that_without_a_place_for_the_log_the_program_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TAGLOOM_LOG_DIR", str(tmp_path / "file" / "log"))
    start_logging("window")
    logging.getLogger("app.x").info("still alive")


def test_that_starting_again_does_not_log_twice() -> None:
    start_logging("window")
    path = start_logging("window")
    logging.getLogger("app.x").info("once")
    stop_logging()
    assert path.read_text().count("once") == 1


def test_that_the_level_of_the_log_file_is_a_setting() -> None:
    Settings().set("log_level", "warning")
    path = start_logging("window")
    logging.getLogger("app.x").info("not told")
    stop_logging()
    assert path.read_text() == ""
