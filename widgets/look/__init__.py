"""The look of the window: one theme, own icons, and the pieces that every panel is assembled from. GUI thread only; no rule of the domain.

Theme
    ``install_theme(app, "system")``      Fusion, palette, stylesheet; light, dark or the desktop's choice, live. ``theme().choose("dark")`` switches.
    ``color("good")``                     QColor now; ask while painting, never keep. Tokens: tokens.THEMES (window panel field line line_strong text dim
                                          disabled accent accent_bg on_accent good warn bad stale sel hover zebra chip …).
    ``theme().changed``                   only for what stores colours itself (plots, HTML); ``theme().series(i)`` curve colours; ``theme().tint("bad")``.
    ``value_font()`` ``mono_font()`` ``scaled_font(font, 0.9)`` ``row_px()``      all from the system font.
    ``set_look(widget, look="dim")``      dynamic property of look.qss. QLabel: title dim good warn bad stale. QFrame: card divider armed. QLineEdit: invalid=True.
Icons
    ``icon("map")`` ``icon("warning", "warn")``   QIcon that recolours itself; ``icon_names()``; ``draw_icon(painter, rect, name, color)``; ``app_icon()``.
Words and buttons
    ``label(text, "dim", wrap=True, selectable=True)`` ``ElidedLabel(text, "title")`` ``divider()``      plain text always; ``plain_tip(text)`` for tool tips.
    ``button("Accept 28", "check", kind="primary")``   kinds: "" primary flat quiet danger; ``set_kind(button, kind)``; ``tool_button("refresh", "Refresh (F5)")``.
    ``Chip("Unmapped", 12)``; ``ChipBar([("all", "All"), …])``: ``chosen(str)``, ``set_count(key, n)``, ``choose(key)``, ``add_right(widget)``.
    ``SearchField("Filter 18,522 nodes…", "filter")``: ``query(str)`` after the typing rests; Enter asks at once, Escape clears.
Surfaces
    ``Card("Tags", table, flush=True)``: ``set_count(12, of=412)``, ``add_right(widget)``, ``add(widget, stretch)``.
    ``EmptyState("connect", "No endpoint yet", "why or how")``: ``add_button("Add endpoint…", "add").clicked.connect(…)``.
    ``MessageBar()``: ``show_error(user_error)`` or ``show_message(what, "warning", where=, why=, fix=)``, ``add_action("Retry")``, ``dismissed``.
    ``Rail([RailMode("map", "Map", "map", "tip"), …])``: ``chosen(str)``, ``set_count("map", 12, "unmapped")``, ``choose(key)``, ``current``.
    ``StatusDot("connected")``; ``ConnectionChip("filler-opcua")``: ``set_state("waiting", "retry in 3 s")``, ``clicked``; states connected connecting waiting
    lost paused off.
Tables
    ``calm_table(view, "Tags")`` ``calm_tree(view, "Endpoints")``   settings of every table and tree.
    ``BadgeDelegate(view)``     pills from ``index.data(BADGE_ROLE)``: ``Badge("suggested", "suggested 0.97", detail="…")``, a key of ``STATES``, or a sequence of them.
    ``ValueDelegate(view, unit_chars=5)``   value from DisplayRole, ``UNIT_ROLE`` text, ``QUALITY_ROLE`` good uncertain bad stale.
    ``BadgeLabel("approved")``  the pill as a widget; ``set_badge(…)``.
    ``KeyValueTable(fit=True)``: ``set_rows([KeyValue("Node", "nsu=…"), ("Rate", "250 ms"), KeyValue("Quality", "Good", badge="good")])``.
"""

from widgets.look.badges import BADGE_ROLE, STATES, Badge, BadgeDelegate, BadgeLabel, draw_badge, plain_tip, set_badge
from widgets.look.buttons import Chip, ChipBar, button, set_kind, tool_button
from widgets.look.cards import Card, EmptyState
from widgets.look.connection import ConnectionChip, ConnectionState, StatusDot
from widgets.look.icons import app_icon, draw_icon, icon, icon_names
from widgets.look.key_value_table import KeyValue, KeyValueTable
from widgets.look.labels import ElidedLabel, divider, label
from widgets.look.message_bar import MessageBar
from widgets.look.rail import Rail, RailMode
from widgets.look.search_field import SearchField
from widgets.look.theme import (
    Theme,
    as_choice,
    color,
    install_theme,
    mono_font,
    row_px,
    scaled_font,
    set_look,
    theme,
    value_font,
)
from widgets.look.values import QUALITY_ROLE, UNIT_ROLE, ValueDelegate
from widgets.look.views import calm_table, calm_tree

__all__ = [
    "BADGE_ROLE",
    "QUALITY_ROLE",
    "STATES",
    "UNIT_ROLE",
    "Badge",
    "BadgeDelegate",
    "BadgeLabel",
    "Card",
    "Chip",
    "ChipBar",
    "ConnectionChip",
    "ConnectionState",
    "ElidedLabel",
    "EmptyState",
    "KeyValue",
    "KeyValueTable",
    "MessageBar",
    "Rail",
    "RailMode",
    "SearchField",
    "StatusDot",
    "Theme",
    "ValueDelegate",
    "app_icon",
    "as_choice",
    "button",
    "calm_table",
    "calm_tree",
    "color",
    "divider",
    "draw_badge",
    "draw_icon",
    "icon",
    "icon_names",
    "install_theme",
    "label",
    "mono_font",
    "plain_tip",
    "row_px",
    "scaled_font",
    "set_badge",
    "set_kind",
    "set_look",
    "theme",
    "tool_button",
    "value_font",
]
