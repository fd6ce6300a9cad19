"""The look of the window: one theme, own icons, and the pieces that every panel is assembled from. GUI thread only; no rule of the domain.

Theme
    install_theme(app, "system")    Fusion, palette, stylesheet: light, dark, or the desktop's choice, live; theme().choose("dark").
    color("good")                   QColor now: ask while painting, never keep. Tokens (tokens.THEMES): window panel field line
                                    line_strong text dim disabled accent accent_bg on_accent good warn bad stale sel hover zebra chip ...
    theme().changed                 signal, needed only by what stores colours itself (plots, HTML); theme().series(i): curve
                                    colours; theme().tint("bad"): pale background.
    value_font() mono_font() scaled_font(font, 0.9) row_px()    all derived from the system font; value_font has digits of one width.
    set_look(widget, look="dim")    properties of look.qss. QLabel: title dim good warn bad stale; QFrame: card divider armed;
                                    inputs: set_look(field, invalid=True).
Icons
    icon("map")  icon("warning", "warn")    QIcon that recolours itself. icon_names(); draw_icon(painter, rect, name, color); app_icon().
Words and buttons
    label(text, "dim", wrap=True, selectable=True)    QLabel, always plain text. ElidedLabel(text, "title"); divider();
                                    plain_tip(text): plant text made safe for setToolTip.
    button("Accept 28", "check", kind="primary")      kinds "" primary flat quiet danger; set_kind(button, kind).
    tool_button("refresh", "Refresh (F5)")            icon only; the text is tool tip and accessible name. checkable=True.
    Chip("Unmapped", 12)            toggle filter; set_count(n).
    ChipBar([("all", "All")])       one of several: chosen(str), set_count(key, n), choose(key), current, add_right(widget).
    SearchField("Filter nodes...", "filter")          query(str) when the typing rests; Enter asks at once, Escape clears.
Surfaces
    Card("Tags", table)             set_count(12, of=412), add_right(widget), add(widget, stretch), set_title(text); flush=True: no margins.
    EmptyState("connect", "No endpoint yet", "how")   add_button("Add endpoint...", "add").clicked.connect(...); set_words(...).
    MessageBar()                    show_error(user_error), show_message(what, "warning", where=, why=, fix=), add_action("Retry"),
                                    dismissed. Hidden until it has a message.
    Rail([RailMode("map", "Map", "map", "tip")])      chosen(str), set_count("map", 12, "unmapped"), choose(key), current, button(key).
    StatusDot("connected")          states connected connecting waiting lost paused off.
    ConnectionChip("filler-opcua")  set_state("waiting", "retry in 3 s"); clicked.
Tables
    calm_table(view, "Tags")  calm_tree(view, "Endpoints")      settings of every table and tree, with its accessible name.
    BadgeDelegate(view)             pills from BADGE_ROLE: Badge("suggested", "suggested 0.97", detail="tip"), a key of STATES, or a
                                    sequence of them. Same words under DisplayRole. set_badge(model, index, badge) for small models.
    PlainDelegate(view)             text alone, for tables that are painted many times a second.
    ValueDelegate(view, unit_chars=5)    value from DisplayRole, UNIT_ROLE text, QUALITY_ROLE "good" "uncertain" "bad" "stale".
    BadgeLabel("approved")          the pill as a widget; set_badge(badge or None).
    KeyValueTable(fit=True)         set_rows([KeyValue("Node", "nsu=..."), ("Rate", "250 ms"), KeyValue("Quality", "Good", badge="good")]);
                                    call it at every refresh. KeyValue(..., tip=, mono=True, heading=True).
"""

from widgets.look.badges import BADGE_ROLE, STATES, Badge, BadgeDelegate, BadgeLabel, draw_badge, plain_tip, set_badge
from widgets.look.buttons import Chip, ChipBar, button, set_kind, tool_button
from widgets.look.cards import Card, EmptyState
from widgets.look.connection import ConnectionChip, ConnectionState, StatusDot
from widgets.look.icons import app_icon, draw_icon, icon, icon_names
from widgets.look.key_value_table import KeyValue, KeyValueTable
from widgets.look.labels import ElidedLabel, divider, label
from widgets.look.message_bar import MessageBar
from widgets.look.plain_cells import PlainDelegate
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
from widgets.look.views import ColumnFit, calm_table, calm_tree

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
    "ColumnFit",
    "ConnectionChip",
    "ConnectionState",
    "ElidedLabel",
    "EmptyState",
    "KeyValue",
    "KeyValueTable",
    "MessageBar",
    "PlainDelegate",
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
