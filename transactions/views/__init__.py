"""The overview, the list, the card and the exports: looking at what happened."""

from transactions.views.card import transaction_card
from transactions.views.display import display
from transactions.views.exports import (
    cancel_export,
    export_again,
    export_detail,
    export_download,
    export_list,
    export_notes,
    export_selection,
)
from transactions.views.figures import list_figures
from transactions.views.home import home
from transactions.views.keys import show_key
from transactions.views.listing import transaction_list
from transactions.views.newer import newer_count
from transactions.views.notes import add_note, delete_note
from transactions.views.proof import verify_file
from transactions.views.receipts import transaction_receipt
from transactions.views.recipes import delete_recipe, export_recipes
from transactions.views.saved import change_view, default_view, delete_view, saved_views
from transactions.views.schedules import (
    delete_schedule,
    edit_schedule,
    mail_again,
    new_schedule,
    pause_schedule,
    run_schedule,
    schedule_detail,
    schedule_list,
)

__all__ = [
    "add_note",
    "cancel_export",
    "change_view",
    "default_view",
    "delete_note",
    "delete_recipe",
    "delete_schedule",
    "delete_view",
    "display",
    "edit_schedule",
    "export_again",
    "export_detail",
    "export_download",
    "export_list",
    "export_notes",
    "export_recipes",
    "export_selection",
    "home",
    "list_figures",
    "mail_again",
    "new_schedule",
    "newer_count",
    "pause_schedule",
    "run_schedule",
    "saved_views",
    "schedule_detail",
    "schedule_list",
    "show_key",
    "transaction_card",
    "transaction_list",
    "transaction_receipt",
    "verify_file",
]
