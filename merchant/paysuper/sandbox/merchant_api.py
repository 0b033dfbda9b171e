"""Projects, users and roles of the own merchant, and the webhook test (contract §9, §12, §13.7)."""

import re

from msgspec.structs import replace

from merchant.paysuper.sandbox.answers import Answer, Refusal, ok
from merchant.paysuper.sandbox.calls import Call, member
from merchant.paysuper.sandbox.catalogue import (
    ACCOUNTING,
    DEVELOPER,
    MERCHANT_BY_ID,
    OWNER,
    PRODUCTS,
    PROJECTS,
    SUPPORT,
    TOKENS,
    VIEW_ONLY,
    Project,
)
from merchant.paysuper.sandbox.catalogue_api import page
from merchant.paysuper.sandbox.drafting import Wish
from merchant.paysuper.sandbox.journal import Change
from merchant.paysuper.sandbox.views import REDIRECT

Json = dict[str, object]
# Nothing else may become a link of the checkout or a Location header.
ADDRESS = re.compile(r"https?://[^\s<>\"']+")
_CREATED = {"seconds": 1602849611, "nanos": 500000000}
_UPDATED = {"seconds": 1611992700}
_KINDS = ("simple", "product", "key", "virtual_currency")
_CASES = ("correct_payment", "non_existing_user", "existing_user", "invalid_signature")
_CHANGEABLE = {
    "url": "url_process_payment",
    "secret": "secret_key",
    "success": "url_redirect_success",
    "fail": "url_redirect_fail",
}
_ROLES = {
    OWNER: "Owner",
    DEVELOPER: "Developer",
    ACCOUNTING: "Accounting",
    SUPPORT: "Support",
    VIEW_ONLY: "View only",
}


def list_projects(call: Call) -> Answer:
    """Projects with secret and webhook address, for every role (contract §9)."""
    search = call.single("quick_search").lower()
    statuses = call.query.get("status[]", ["3"])
    found = [
        project
        for project in MERCHANT_BY_ID[call.user.merchant_id].projects
        if search in " ".join(project.name.values()).lower() and "3" in statuses
    ]
    items = [_project(call, project) for project in found]
    return ok({"count": len(items), "items": page(call, items) or None})


def get_project(call: Call) -> Answer:
    """One project, wrapped."""
    return ok({"status": 200, "item": _project(call, _own_project(call))})


def change_project(call: Call) -> Answer:
    """Another webhook address, secret or return address; what is not sent stays (contract §9)."""
    project, document = _own_project(call), call.document()
    wanted = {name: member(document, member_name, str) for name, member_name in _CHANGEABLE.items()}
    for name, value in wanted.items():
        if name == "secret" and value == "":
            raise Refusal("ma000002", "SecretKey", "required")
        if name != "secret" and value and not ADDRESS.fullmatch(str(value)):
            raise Refusal("ma000002", _CHANGEABLE[name], "url")
    changed = {name: str(value) for name, value in wanted.items() if value is not None}
    with call.world.store.lock:
        state = replace(call.world.store.projects[project.id], **changed)
        call.world.store.commit(Change(projects={project.id: state}))
    return ok(_project(call, project))


def _own_project(call: Call) -> Project:
    project = PROJECTS.get(call.object_id("ProjectId"))
    if project is None or project.merchant_id != call.user.merchant_id:
        raise Refusal("pr000002")
    return project


def _project(call: Call, project: Project) -> Json:
    state = call.world.store.projects[project.id]
    return {
        "id": project.id,
        "merchant_id": project.merchant_id,
        "name": project.name,
        "callback_protocol": "default",
        "limits_currency": "",
        "min_payment_amount": 0,
        "max_payment_amount": 0,
        "secret_key": state.secret,
        "url_process_payment": state.url,
        "url_redirect_fail": state.fail,
        "url_redirect_success": state.success,
        "status": 3,
        "created_at": _CREATED,
        "updated_at": _UPDATED,
        "products_count": len(PRODUCTS[project.id]),
        "localizations": [*project.name],
        "full_description": None,
        "short_description": {"en": "Row, light, trade."},
        "currencies": [{"currency": "EUR", "region": "EUR"}],
        "cover": None,
        "virtual_currency": None,
        "vat_payer": project.vat_payer,
        "redirect_settings": REDIRECT,
        "webhook_testing": None,
        "webhook_mode": "default",
        "form_default_text": None,
    }


def my_merchants(call: Call) -> Answer:
    """Which merchant and role the token has (contract §12)."""
    merchant = MERCHANT_BY_ID[call.user.merchant_id]
    mine = {"id": merchant.id, "name": merchant.name, "role": call.user.role}
    return ok({"status": 200, "merchants": [mine]})


def merchant_users(call: Call) -> Answer:
    """The users of the merchant, a bare array (contract §12)."""
    users = [user for user in TOKENS.values() if user.merchant_id == call.user.merchant_id]
    return ok(
        [
            {
                "id": f"6{user.user_id[1:]}",
                "merchant_id": user.merchant_id,
                "role": user.role,
                "status": 1,
                "user_id": user.user_id,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "email": user.email,
                "created_at": _CREATED,
                "updated_at": _UPDATED,
            }
            for user in users
        ]
    )


def list_roles(_call: Call) -> Answer:
    """The roles that a user can be given (contract §12)."""
    return ok({"items": [{"id": role, "name": name} for role, name in _ROLES.items()]})


def send_test_webhook(call: Call) -> Answer:
    """Sends a made-up order that is never stored; the body decides the project (contract §13.7)."""
    document = call.document()
    case, kind = member(document, "testing_case", str), member(document, "type", str)
    project = PROJECTS.get(str(member(document, "project", str)))
    amount = member(document, "amount", (int, float))
    if case not in _CASES:
        raise Refusal("ma000023")
    if kind not in _KINDS:
        raise Refusal("wh000001")
    if project is None or project.merchant_id != call.user.merchant_id:
        raise Refusal("pr000002")
    wish = Wish(project_id=project.id, kind=str(kind), currency="USD", amount=float(str(amount or 1)))
    order = call.world.payments.made_up(wish)
    webhooks = call.world.delivery.prepare(order, str(case))
    call.world.store.commit(Change(webhooks=webhooks))
    call.world.delivery.send(webhooks)
    return ok({"status": 200, "order_id": order.uuid})
