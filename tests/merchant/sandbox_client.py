"""What the tests of the sandbox share: schemas, clients and short ways to ask."""

import functools
from pathlib import Path
from typing import Any

import httpx2
import yaml
from openapi_schema_validator import OAS31Validator

from merchant.paysuper.sandbox import Sandbox

LIST = "/admin/api/v1/order"
OWNER = "sandbox-lantern-owner-token"
Row = dict[str, Any]


@functools.cache
def spec() -> dict[str, Any]:
    """The project's own contract document."""
    return yaml.safe_load((Path(__file__).parents[1] / "paysuper" / "openapi.yaml").read_text())


@functools.cache
def schema(name: str) -> OAS31Validator:
    """A validator for one schema of the contract document."""
    return OAS31Validator({"$ref": f"#/components/schemas/{name}", "components": spec()["components"]})


def client(sandbox: Sandbox, token: str = OWNER) -> httpx2.Client:
    """A client with a bearer token."""
    return httpx2.Client(
        base_url=sandbox.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, verify=False
    )


def code(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    schema("Error").validate(answer.json())
    return answer.status_code, answer.json()["code"]


def pay(api: httpx2.Client, **wish: object) -> str:
    """A payment on request; its uuid."""
    answer = api.post("/sandbox/payments", json=wish)
    assert answer.status_code == 201, answer.text
    return answer.json()["uuid"]


def order(api: httpx2.Client, uuid: str) -> Row:
    """One order."""
    return api.get(f"{LIST}/{uuid}").json()


def refund(api: httpx2.Client, uuid: str, amount: float = 1) -> httpx2.Response:
    """Asks for a refund."""
    return api.post(f"{LIST}/{uuid}/refunds", json={"amount": amount, "reason": "Customer's request"})


def refunds(api: httpx2.Client, uuid: str) -> list[Row]:
    """The refunds of an order."""
    return api.get(f"{LIST}/{uuid}/refunds").json()["items"] or []
