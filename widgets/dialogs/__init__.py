"""Dialogs, opened with open(), never exec().

What opens a dialog is imported from here. The dialog itself is imported when it is opened first: nobody opens all of them, and what
they need (certificates, tag lists, scans) takes longer to import than the window to paint.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from widgets.dialogs.add_endpoint import show_add_endpoint as show_add_endpoint
    from widgets.dialogs.approve import resolve_edit as resolve_edit
    from widgets.dialogs.approve import revoke_edit as revoke_edit
    from widgets.dialogs.approve import show_approve as show_approve
    from widgets.dialogs.approve import show_comment as show_comment
    from widgets.dialogs.asset import show_move_asset as show_move_asset
    from widgets.dialogs.asset import show_new_asset as show_new_asset
    from widgets.dialogs.asset import show_rename_asset as show_rename_asset
    from widgets.dialogs.asset_type import import_asset_types as import_asset_types
    from widgets.dialogs.asset_type import show_asset_type as show_asset_type
    from widgets.dialogs.browse_below import show_browse_below as show_browse_below
    from widgets.dialogs.choose_tag import show_choose_tag as show_choose_tag
    from widgets.dialogs.delivery import live_words as live_words
    from widgets.dialogs.delivery import show_delivery as show_delivery
    from widgets.dialogs.edit_endpoint import show_edit_endpoint as show_edit_endpoint
    from widgets.dialogs.find import show_find as show_find
    from widgets.dialogs.go_to import show_go_to as show_go_to
    from widgets.dialogs.group import show_new_group as show_new_group
    from widgets.dialogs.import_tags import show_import_file as show_import_file
    from widgets.dialogs.import_tags import show_import_tags as show_import_tags
    from widgets.dialogs.import_tags import show_paste_tags as show_paste_tags
    from widgets.dialogs.make_type import show_make_type as show_make_type
    from widgets.dialogs.own_certificate import show_save_certificate as show_save_certificate
    from widgets.dialogs.password import needs_password as needs_password
    from widgets.dialogs.password import show_password as show_password
    from widgets.dialogs.rebind import can_rebind as can_rebind
    from widgets.dialogs.rebind import show_rebind as show_rebind
    from widgets.dialogs.recent import show_recent as show_recent
    from widgets.dialogs.remove_endpoint import remove_endpoint_asking as remove_endpoint_asking
    from widgets.dialogs.save_as import show_save_as as show_save_as
    from widgets.dialogs.scan import show_scan as show_scan
    from widgets.dialogs.take_snapshot import show_take_snapshot as show_take_snapshot
    from widgets.dialogs.transform import show_transform as show_transform
    from widgets.dialogs.trust import show_trust as show_trust
    from widgets.dialogs.unsaved import ask_about_unsaved as ask_about_unsaved
    from widgets.dialogs.watch_all import watch_all_saying_what_it_costs as watch_all_saying_what_it_costs
    from widgets.dialogs.why_wrong import show_why_wrong as show_why_wrong

_OPENED_BY: Final = {
    "add_endpoint": ("show_add_endpoint",),
    "approve": (
        "resolve_edit",
        "revoke_edit",
        "show_approve",
        "show_comment",
    ),
    "asset": (
        "show_move_asset",
        "show_new_asset",
        "show_rename_asset",
    ),
    "asset_type": (
        "import_asset_types",
        "show_asset_type",
    ),
    "browse_below": ("show_browse_below",),
    "choose_tag": ("show_choose_tag",),
    "delivery": (
        "live_words",
        "show_delivery",
    ),
    "edit_endpoint": ("show_edit_endpoint",),
    "find": ("show_find",),
    "go_to": ("show_go_to",),
    "group": ("show_new_group",),
    "import_tags": (
        "show_import_file",
        "show_import_tags",
        "show_paste_tags",
    ),
    "make_type": ("show_make_type",),
    "own_certificate": ("show_save_certificate",),
    "password": (
        "needs_password",
        "show_password",
    ),
    "rebind": (
        "can_rebind",
        "show_rebind",
    ),
    "recent": ("show_recent",),
    "remove_endpoint": ("remove_endpoint_asking",),
    "save_as": ("show_save_as",),
    "scan": ("show_scan",),
    "take_snapshot": ("show_take_snapshot",),
    "transform": ("show_transform",),
    "trust": ("show_trust",),
    "unsaved": ("ask_about_unsaved",),
    "watch_all": ("watch_all_saying_what_it_costs",),
    "why_wrong": ("show_why_wrong",),
}
_MODULE_OF: Final = {name: module for module, names in _OPENED_BY.items() for name in names}


def __getattr__(name: str) -> Callable[..., object]:
    """The function of this name, whose module is imported when it is called."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(name)

    def call(*arguments: object, **named: object) -> object:
        function: Callable[..., object] = getattr(import_module(f"{__name__}.{module}"), name)
        return function(*arguments, **named)

    return call
