"""The order list and the single order of the sandbox over real HTTP (contract §1, §2, §5, §6)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx2
import pytest

from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.sandbox.catalogue import MERCHANTS, METHODS
from tests.merchant.sandbox_client import LIST, OWNER, Row, client, code, schema, spec

UNTIL = 1_613_725_200_000


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(orders=600, seed=7, until=UNTIL) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with client(sandbox) as ready:
        yield ready


@pytest.fixture(scope="module")
def rows(api: httpx2.Client) -> list[Row]:
    return api.get(LIST, params={"limit": 1000}).json()["items"]


def listed(api: httpx2.Client, query: str) -> list[Row]:
    return api.get(f"{LIST}?limit=1000&{query}").json()["items"] or []


def uuids(rows: list[Row]) -> set[str]:
    return {row["uuid"] for row in rows}


def moment(row: Row) -> float:
    return row["created_at"]["seconds"] + row["created_at"].get("nanos", 0) / 1e9


def text(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%S")


def test_every_row_follows_the_contract(rows: list[Row]) -> None:
    view = schema("OrderView")
    for row in rows:
        view.validate(row)


def test_a_page_and_an_order_have_exactly_the_members_of_the_contract(
    api: httpx2.Client, rows: list[Row]
) -> None:
    known = set(spec()["components"]["schemas"]["OrderViewBase"]["properties"])
    assert {name for row in rows for name in row} == known
    one = api.get(f"{LIST}/{rows[0]['uuid']}").json()
    schema("OrderView").validate(one)
    assert one == rows[0]


def test_the_data_shows_every_status_type_method_and_shape(rows: list[Row]) -> None:
    assert {row["status"] for row in rows} == {
        "created",
        "pending",
        "processed",
        "rejected",
        "canceled",
        "refunded",
        "chargeback",
    }
    assert {row["payment_method"]["external_id"] for row in rows if row["payment_method"]} == set(METHODS)
    assert {row["currency"] for row in rows} == {"EUR", "USD", "GBP", "RUB", "JPY", "BHD", "KRW"}
    assert {len(row["items"] or ()) for row in rows} >= {0, 1, 2, 3}
    assert any(row["user"] is None for row in rows)
    assert any(row["billing_address"] for row in rows)
    assert any(not row["is_production"] for row in rows)
    assert any(row["order_charge"]["currency"] != row["currency"] for row in rows)
    assert any(len(str(row["total_payment_amount"])) > 12 for row in rows)
    assert any(item["platform_id"] and item["code"] for row in rows for item in row["items"] or ())
    assert len({moment(row) for row in rows}) < len(rows)


def test_hostile_texts_travel_escaped_as_go_escapes_them(api: httpx2.Client) -> None:
    raw = api.get(LIST, params={"limit": 1000}).content
    assert raw.endswith(b"}\n")
    assert not set(b"<>&") & set(raw)
    assert b"\\u003cscript\\u003e" in raw
    assert b"\\u2028" in raw
    assert "\u202e".encode() in raw
    assert b"=HYPERLINK(" in raw


def test_refund_rows_repeat_the_transaction_of_their_original(rows: list[Row]) -> None:
    by_uuid = {row["uuid"]: row for row in rows}
    refunds = [row for row in rows if row["type"] == "refund"]
    assert refunds
    for row in refunds:
        original = by_uuid[row["parent_order"]["uuid"]]
        assert row["transaction"] == original["transaction"]
        assert row["status"] == original["status"]
        assert row["refund"] == original["refund"]
        assert row["report_summary"]["charge"]["amount"] == -original["order_charge"]["amount"]


def test_accounting_adds_up_and_is_blank_until_accounted(rows: list[Row]) -> None:
    for row in rows:
        paid = row["status"] in ("processed", "refunded", "chargeback") and row["type"] == "order"
        parts = [row[name]["amount"] for name in ("tax_fee_total", "fees_total", "net_revenue")]
        assert round(sum(parts), 2) == row["gross_revenue"]["amount"]
        assert bool(row["gross_revenue"]["currency"]) == paid
        assert (row["merchant_id"] != "0" * 24) == (paid or row["type"] == "refund")


def test_the_same_seed_gives_the_same_orders_and_another_seed_does_not(rows: list[Row]) -> None:
    with Sandbox(orders=600, seed=7, until=UNTIL) as again, client(again) as api:
        assert listed(api, "") == rows
    with Sandbox(orders=600, seed=8, until=UNTIL) as other, client(other) as api:
        assert not uuids(listed(api, "")) & uuids(rows)


def test_a_merchant_sees_only_its_own_orders(sandbox: Sandbox, api: httpx2.Client, rows: list[Row]) -> None:
    with client(sandbox, "sandbox-copper-owner-token") as foreigner:
        copper = listed(foreigner, "")
    assert {row["project"]["merchant_id"] for row in rows} == {MERCHANTS[0].id}
    assert {row["project"]["merchant_id"] for row in copper} == {MERCHANTS[1].id}
    assert code(api.get(f"{LIST}/{copper[0]['uuid']}")) == (404, "fm000021")


@pytest.mark.parametrize(
    ("status", "statuses", "types"),
    [
        ("processed", {"processed", "refunded", "chargeback"}, {"order"}),
        ("refunded", {"refunded"}, {"refund"}),
        ("chargeback", {"chargeback"}, {"refund"}),
        ("created", {"created"}, {"order"}),
        ("pending", {"pending"}, {"order"}),
        ("canceled", {"canceled"}, {"order"}),
        ("rejected", {"rejected"}, {"order"}),
    ],
)
def test_each_status_means_what_the_table_says(
    api: httpx2.Client, rows: list[Row], status: str, statuses: set[str], types: set[str]
) -> None:
    expected = {row["uuid"] for row in rows if row["status"] in statuses and row["type"] in types}
    found = listed(api, f"status[]={status}")
    assert uuids(found) == expected
    assert {row["status"] for row in found} == statuses


def test_mixing_a_refund_status_restricts_the_row_type_of_all(api: httpx2.Client) -> None:
    assert {row["status"] for row in listed(api, "status[]=canceled&status[]=refunded")} == {"refunded"}
    both = listed(api, "status[]=processed&status[]=refunded")
    assert {row["type"] for row in both} == {"order", "refund"}


def test_lists_without_brackets_are_ignored_and_encoded_brackets_work(
    api: httpx2.Client, rows: list[Row]
) -> None:
    assert uuids(listed(api, "status=created")) == uuids(rows)
    assert {row["status"] for row in listed(api, "status%5B%5D=created")} == {"created"}
    assert {row["status"] for row in listed(api, "STATUS[]=created")} == {"created"}


def test_filters_for_project_country_method_id_and_test_orders(api: httpx2.Client, rows: list[Row]) -> None:
    project = MERCHANTS[0].projects[1].id
    assert {row["project"]["id"] for row in listed(api, f"project[]={project}")} == {project}
    assert {row["user"]["address"]["country"] for row in listed(api, "country[]=DE&country[]=JP")} == {
        "DE",
        "JP",
    }
    assert listed(api, "country[]=de") == []
    qiwi = listed(api, f"payment_method[]={METHODS['QIWI'].id}")
    assert {row["payment_method"]["external_id"] for row in qiwi} == {"QIWI"}
    assert uuids(listed(api, f"id={rows[5]['uuid']}")) == {rows[5]["uuid"]}
    assert uuids(listed(api, "hide_test=true")) == {row["uuid"] for row in rows if row["is_production"]}


def test_quick_search_switches_other_filters_off_and_takes_text_literally(
    api: httpx2.Client, rows: list[Row]
) -> None:
    wanted = next(row for row in rows if row["status"] == "processed")
    found = listed(
        api, f"quick_search={wanted['uuid'].upper()}&status[]=created&project_date_to=2001-01-01T00:00:00"
    )
    assert uuids(found) == {wanted["uuid"]}
    assert listed(api, "quick_search=.*") == []
    assert uuids(listed(api, "quick_search=lantern+works")) == uuids(rows)
    assert listed(api, f"quick_search={wanted['transaction']}") == []


def test_account_looks_at_player_card_and_uuid_and_invoice_replaces_it(
    api: httpx2.Client, rows: list[Row]
) -> None:
    wanted = next(row for row in rows if row["user"] and row["user"]["email"])
    same = {row["uuid"] for row in rows if row["user"] and row["user"]["email"] == wanted["user"]["email"]}
    assert uuids(listed(api, f"account={wanted['user']['email'].upper()}")) >= same
    assert uuids(listed(api, "account=400000...0077"))
    assert listed(api, "account=no-such-player&status[]=processed") == []
    invoices = listed(api, "quick_search=INV-")
    assert invoices
    assert listed(api, "invoice_id=INV-none&account=p-4") == []


def test_project_date_is_exact_and_includes_both_ends(api: httpx2.Client, rows: list[Row]) -> None:
    first, last = int(moment(rows[100])), int(moment(rows[200])) + 1
    found = listed(api, f"project_date_from={text(first)}&project_date_to={text(last)}")
    assert uuids(found) == {row["uuid"] for row in rows if first <= moment(row) <= last}
    precise = f"{text(moment(rows[100]))}.{rows[100]['created_at'].get('nanos', 0):09d}"
    assert rows[100]["uuid"] in uuids(listed(api, f"project_date_from={precise}&project_date_to={precise}"))


def test_pm_date_is_widened_to_whole_days_and_overridden_by_project_date(
    api: httpx2.Client, rows: list[Row]
) -> None:
    day = int(moment(rows[100])) // 86400 * 86400
    noon = f"pm_date_from={text(day + 43200)}&pm_date_to={text(day + 43200)}"
    assert uuids(listed(api, noon)) == {row["uuid"] for row in rows if day <= moment(row) < day + 86400}
    later = int(moment(rows[300]))
    assert uuids(listed(api, f"{noon}&project_date_from={text(later)}")) == {
        row["uuid"] for row in rows if moment(row) >= later
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=1001", (400, "ma000002")),
        ("limit=ten", (400, "ma000023")),
        ("hide_test=perhaps", (400, "ma000023")),
        ("status[]=paid", (400, "ma000002")),
        ("status[]=", (400, "ma000002")),
        ("project[]=1", (400, "ma000002")),
        ("country[]=DEU", (400, "ma000002")),
        ("id=1", (400, "ma000002")),
        ("type=virtual_currency", (400, "ma000002")),
        ("pm_date_from=1613569263", (400, "ma000111")),
        ("project_date_to=2021-02-17T13:41:03Z", (400, "ma000111")),
        ("project_date_to=2021-02-30T13:41:03", (400, "ma000111")),
    ],
)
def test_values_outside_the_rules_are_refused(
    api: httpx2.Client, query: str, expected: tuple[int, str]
) -> None:
    assert code(api.get(f"{LIST}?{query}")) == expected


def test_the_type_filter_and_unknown_parameters_change_nothing(api: httpx2.Client, rows: list[Row]) -> None:
    assert uuids(listed(api, "type=key&colour=red&id=")) == uuids(rows)


def test_limit_and_offset_page_through_without_gap_in_the_default_order(
    api: httpx2.Client, rows: list[Row]
) -> None:
    assert len(api.get(LIST).json()["items"]) == 100
    assert len(api.get(f"{LIST}?limit=-5&offset=-5").json()["items"]) == 100
    pages = [api.get(f"{LIST}?limit=90&offset={start}").json() for start in range(0, len(rows) + 90, 90)]
    assert [row for page in pages for row in page["items"] or ()] == rows
    assert {page["count"] for page in pages} == {len(rows)}
    assert api.get(f"{LIST}?offset=99999").json()["items"] is None


def test_sorting_descending_and_ties_change_places_between_requests(
    api: httpx2.Client, rows: list[Row]
) -> None:
    pages = [listed(api, "sort[]=-created_at") for _ in range(2)]
    for page in pages:
        assert [moment(row) for row in page] == sorted(map(moment, rows), reverse=True)
    assert [row["uuid"] for row in pages[0]] != [row["uuid"] for row in pages[1]]
    rising = listed(api, "sort[]=%2Btotal_payment_amount")
    assert [row["total_payment_amount"] for row in rising] == sorted(
        row["total_payment_amount"] for row in rows
    )
    assert listed(api, "sort[]=colour") == rows
    assert listed(api, "sort[]=+created_at") == rows


def test_an_order_id_that_is_no_uuid_or_unknown(api: httpx2.Client) -> None:
    assert code(api.get(f"{LIST}/123")) == (400, "ma000002")
    assert code(api.get(f"{LIST}/00000000-0000-4000-a000-000000000000")) == (404, "fm000021")


@pytest.mark.parametrize(
    "header", ["", "Bearer short", "Basic abcdefghijkl", "Bearer unknown-token-of-nobody"]
)
def test_a_missing_or_bad_token_is_a_401_without_code(sandbox: Sandbox, header: str) -> None:
    answer = httpx2.get(sandbox.url + LIST, headers={"Authorization": header})
    assert answer.status_code == 401
    assert list(answer.json()) == ["message"]


def test_the_token_pattern_is_not_anchored(sandbox: Sandbox) -> None:
    answer = httpx2.get(sandbox.url + LIST, headers={"Authorization": f"xx Bearer {OWNER} yy"})
    assert answer.status_code == 200


def test_unknown_paths_and_methods_answer_like_the_framework(api: httpx2.Client) -> None:
    assert api.get("/admin/api/v1/nothing").json() == {"message": "Not Found"}
    assert api.delete(LIST).status_code == 405
    assert api.put("/system/api/v1/order/x/replace_code").json() == {"message": "Forbidden"}


def test_money_never_shows_a_fraction_that_go_would_not_write(api: httpx2.Client) -> None:
    raw = api.get(LIST, params={"limit": 1000}).text
    floats: list[str] = []
    json.loads(raw, parse_float=floats.append)
    assert floats
    assert not [number for number in floats if number.endswith(".0")]
