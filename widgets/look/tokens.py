"""The palette: one hex colour per token and theme. Widgets ask for a token; nothing outside this file names a colour."""

from typing import Final, Literal

ThemeName = Literal["light", "dark"]

THEMES: Final[dict[ThemeName, dict[str, str]]] = {
    "light": {
        "window": "#F4F6F8",
        "panel": "#FFFFFF",
        "field": "#F8FAFB",
        "line": "#DDE3E9",
        "line_strong": "#8C99A8",
        "text": "#17212B",
        "dim": "#5F6D82",
        "disabled": "#A3ADB8",
        "accent": "#0B6E99",
        "accent_hover": "#0A5F85",
        "accent_bg": "#E3F1F7",
        "on_accent": "#FFFFFF",
        "rail": "#17212B",
        "rail_active": "#2B3540",
        "rail_hover": "#212C37",
        "rail_text": "#B8C4D0",
        "rail_text_active": "#FFFFFF",
        "rail_mark": "#4FB3DB",
        "rail_count": "#E0A042",
        "rail_count_text": "#14191F",
        "good": "#24703F",
        "warn": "#945600",
        "bad": "#B93224",
        "stale": "#76818E",
        "on_bad": "#FFFFFF",
        "sel": "#D6EAF3",
        "hover": "#EDF2F6",
        "zebra": "#FAFBFC",
        "chip": "#EAEEF2",
        "chip_hover": "#DFE5EB",
        "scroll": "#CAD2DA",
        "scroll_hover": "#A3AFBB",
        "tip": "#17212B",
        "tip_text": "#F4F6F8",
    },
    "dark": {
        "window": "#14191F",
        "panel": "#1B222A",
        "field": "#161C23",
        "line": "#2B3540",
        "line_strong": "#66758A",
        "text": "#E3E9EF",
        "dim": "#8FA0B3",
        "disabled": "#596573",
        "accent": "#4FB3DB",
        "accent_hover": "#6FC3E5",
        "accent_bg": "#173445",
        "on_accent": "#0B1116",
        "rail": "#0E1217",
        "rail_active": "#20272F",
        "rail_hover": "#181E25",
        "rail_text": "#8FA0B3",
        "rail_text_active": "#FFFFFF",
        "rail_mark": "#4FB3DB",
        "rail_count": "#E0A042",
        "rail_count_text": "#14191F",
        "good": "#5CC48A",
        "warn": "#E0A042",
        "bad": "#F07F76",
        "stale": "#8592A0",
        "on_bad": "#14191F",
        "sel": "#1F3B4D",
        "hover": "#232C36",
        "zebra": "#1E262F",
        "chip": "#26303A",
        "chip_hover": "#303C48",
        "scroll": "#35414D",
        "scroll_hover": "#4B5968",
        "tip": "#E3E9EF",
        "tip_text": "#14191F",
    },
}

TINT: Final = 0.13
"""How much of a state's colour stands in the background of its pill or message bar."""

SERIES: Final[dict[ThemeName, tuple[str, ...]]] = {
    # After Okabe and Ito (2008), which stay apart for colour-blind eyes; lightness moved so that each has 3:1 on its panel.
    "light": ("#0B6E99", "#B26A00", "#1E8A62", "#B0487E", "#5B5BC7", "#A8452A", "#5C6B1E", "#4A5766"),
    "dark": ("#4FB3DB", "#E6A23C", "#4CC49A", "#E08AB4", "#9C9CF2", "#F0825F", "#B9C25A", "#A9B6C4"),
}
"""Curve colours in the order in which curves are added; they repeat after the eighth."""

GRID_PX: Final = 8
"""Margins and gaps are multiples of this (or its half)."""
