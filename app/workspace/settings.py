"""Settings are data: one table says what there is; the file holds only what a person changed."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Final, NamedTuple

from app.errors import UserError
from app.projectfile.durable import replace_file
from app.workspace.aside import move_aside
from app.workspace.paths import config_dir

_LOGGER = logging.getLogger(__name__)

SettingValue = bool | int | float | str


class Setting(NamedTuple):
    """One setting. Its type is that of its default; a float takes whole numbers too."""

    default: SettingValue
    help: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


SETTINGS: Final[dict[str, Setting]] = {
    "theme": Setting("system", "Colours of the window.", choices=("system", "light", "dark")),
    "utc": Setting(False, "Show times in UTC and not in the time zone of this computer."),
    "notation": Setting("", "How Modbus addresses are written.", choices=("", "one-based", "modicon", "hex")),
    "recent_projects": Setting(20, "How many projects the list of recent ones holds.", low=0, high=200),
    "browse_cache_days": Setting(180, "How long nodes that were browsed can be searched without a connection.", low=0, high=3650),
    "reviewer": Setting("", "Name that approvals and comments carry; empty for the name of this computer's user."),
    "log_level": Setting("info", "How much the log file tells.", choices=("debug", "info", "warning")),
}


_KIND_WORDS: Final[dict[type, str]] = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


class Settings:
    """The settings of this person. A broken file is kept aside, and what it said wrongly is the default.

    Attributes:
        notices: Sentences a person should read: which file was broken, where it is now.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config_dir() / "settings.json"
        self.notices: list[str] = []
        self._held = self._read()

    def get(self, name: str) -> SettingValue:
        """Raises ``KeyError`` for a name that is not in ``SETTINGS``, which is a bug."""
        default = SETTINGS[name].default
        return self._held.get(name, default)

    def set(self, name: str, value: SettingValue) -> None:
        """Keep one setting, atomically; what other processes set meanwhile stays.

        Raises:
            UserError: The value is not one the setting can have, or the file cannot be written.
        """
        if wrong := _fault(SETTINGS[name], value):
            raise UserError(f"Cannot set {name}", where=f"{name} = {value}", why=wrong, fix=SETTINGS[name].help)
        self._held = {**self._read(), name: value}
        if value == SETTINGS[name].default:
            del self._held[name]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError("Cannot keep the setting", where=str(self.path), why=error.strerror or str(error)) from error
        replace_file(self.path, json.dumps(self._held, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n")

    def _read(self) -> dict[str, SettingValue]:
        """What the file says, where it makes sense. Names we do not know may be those of a newer release and are kept."""
        try:
            held = json.loads(self.path.read_bytes())
            if not isinstance(held, dict):
                raise ValueError("it is not a JSON object")
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._tell(f"The settings cannot be read ({error.strerror or error}): {self.path}. Defaults are used.")
            return {}
        except (ValueError, RecursionError) as error:
            self._keep_aside(f"The settings were not readable ({error})")
            return {}
        wrong = {name: why for name, value in held.items() if name in SETTINGS and (why := _fault(SETTINGS[name], value))}
        if wrong:
            self._keep_aside("Some settings were not valid (" + "; ".join(f"{name}: {why}" for name, why in wrong.items()) + ")")
        return {name: value for name, value in held.items() if name not in wrong}

    def _keep_aside(self, what: str) -> None:
        try:
            self._tell(f"{what}. Defaults are used; the file is now {move_aside(self.path)}")
        except OSError as error:
            self._tell(f"{what}. Defaults are used; the file stays, since it cannot be renamed ({error.strerror or error}): {self.path}")

    def _tell(self, notice: str) -> None:
        _LOGGER.warning("%s", notice)
        self.notices.append(notice)


def _fault(setting: Setting, value: object) -> str:
    """Why a setting cannot have a value; "" when it can."""
    wanted = type(setting.default)
    if type(value) is not wanted and not (wanted is float and type(value) is int):
        return f"it must be {_KIND_WORDS[wanted]}"
    if setting.choices and value not in setting.choices:
        return f"it must be one of {', '.join(setting.choices)}"
    if isinstance(value, int | float) and not (
        (setting.low is None or value >= setting.low) and (setting.high is None or value <= setting.high)
    ):
        return f"it must be between {setting.low} and {setting.high}"
    return ""
