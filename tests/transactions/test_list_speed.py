"""The list costs the same at fifty thousand rows as at fifty: few queries, all of them along an index."""

import json
import re
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.models import F, Func
from django.http import QueryDict
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from merchant import setup
from merchant.models import Merchant
from tests.conftest import HARBOUR, HARBOUR_SECRET, LANTERN, SNOW, SNOW_SECRET, Person, connect, person
from tests.transactions import rows
from transactions import selection
from transactions.filters import TransactionFilter
from transactions.mirror import totals
from transactions.models import SavedView, Transaction

ROWS = 50_000
MOST_QUERIES = 6
# Of eight kilobytes: a page of rows with what stands over it, and by far not the whole table.
MOST_BLOCKS = 1_500

FILTERS = {
    "": "tx_newest",
    "cursor=last": "tx_newest",
    "sort=date": "tx_newest",
    "sort=amount": "tx_amount",
    "sort=-amount": "tx_amount",
    "sort=amount&cursor=last": "tx_amount",
    "status=chargeback": "tx_status",
    "status=chargeback&cursor=last": "tx_status",
    "status=rejected&status=canceled": "tx_newest",
    f"project={SNOW}": "tx_project",
    "method=QIWI": "tx_method",
    "country=DE": "tx_country",
    "currency=JPY": "tx_currency",
    "type=refund": "tx_refunds",
    "type=order": "tx_newest",
    "mode=test": "tx_test",
    "mode=live": "tx_newest",
    "fulfilment=unfulfilled": "tx_to_fulfil",
    "fulfilment=fulfilled": "tx_newest",
    "fulfilment=withdrawn": "tx_fulfilment",
    "period=last_month": "tx_newest",
    "from=2026-01-01&to=2026-01-02": "tx_newest",
    "amount_min=499990": "tx_amount",
    "amount_max=10": "tx_amount",
    "product=rare%20thing": "tx_bought_part",
    "product=RARE-SKU": "tx_bought_part",
    "product=sword": "tx_newest",
    "q=buyer4321%40": "tx_email_part",
    "q=buyer4321%40example.com": "tx_email",
    "q=example.com": "tx_newest",
    "q=t-4321": "tx_transaction_id",
    "q=receipt-100": "tx_refund_receipt",
    "q=0042": "tx_card",
    "q=4321.5": "tx_amount",
    "status=processed&method=QIWI&currency=EUR": "tx_",
}


@pytest.fixture(scope="module")
def reader(django_db_setup: None, django_db_blocker: object) -> Iterator[Browser]:
    """Somebody of a merchant with many rows; another merchant has as many again."""
    with django_db_blocker.unblock():
        merchant = connect(LANTERN, "Lantern Works", "http://127.0.0.1:1", "none")
        setup.connect_project(merchant, HARBOUR, name="Lantern Harbour", secret_key=HARBOUR_SECRET)
        setup.connect_project(merchant, SNOW, name="Snow Defender", secret_key=SNOW_SECRET)
        _fill(merchant)
        yield person(merchant, "ann", "owner").browser
        call_command("flush", interactive=False, verbosity=0)


def _fill(merchant: Merchant) -> None:
    harbour, snow = (merchant.projects.get(paysuper_id=each) for each in (HARBOUR, SNOW))
    pattern = rows.unsaved(merchant)
    pattern.save(force_insert=True)
    own = {
        "uuid": "gen_random_uuid()",
        "project_id": f"CASE WHEN n % 30 = 0 THEN {snow.pk} ELSE {harbour.pk} END",
        "type": "CASE WHEN n % 20 = 0 THEN 'refund' ELSE 'order' END",
        "status": "(ARRAY['created','rejected','canceled','chargeback','refunded'])[1 + n % 40]",
        "created_at": "timestamptz '2026-03-31 10:00Z' - n * interval '5 minutes'",
        "transaction_id": "'t-' || n",
        "bought": "CASE WHEN n % 5000 = 7 THEN E'A rare thing\\nRARE-SKU' ELSE 'Golden Sword ' || n % 9 END",
        "country": "(ARRAY['DE','US','JP','BH'])[1 + n % 4]",
        "method": "(ARRAY['BANKCARD','QIWI','BITCOIN'])[1 + n % 3]",
        "charge_currency": "(ARRAY['EUR','USD','JPY'])[1 + n / 7 % 3]",
        "charge_amount": "n * 10 + 0.5 * (n % 2)",
        "card_last4": "lpad((n % 9999)::text, 4, '0')",
        "customer_email": "'Buyer' || n || '@example.com'",
        "refund_receipt": "CASE WHEN n % 20 = 0 THEN 'receipt-' || n ELSE '' END",
        "is_production": "n % 1000 <> 0",
        "fulfilment": "CASE WHEN n < 500 OR n % 90 = 0 THEN 'unfulfilled' ELSE 'fulfilled' END",
    }
    own["status"] = f"coalesce({own['status']}, 'processed')"
    columns = {field.column: field.column for field in Transaction._meta.concrete_fields} | own
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO transactions_transaction ({', '.join(columns)}) "
            f"SELECT {', '.join(columns.values())} "
            f"FROM transactions_transaction CROSS JOIN generate_series(1, {ROWS}) AS n",
        )
        pattern.delete()
        totals.rebuild(merchant)
        cursor.execute("VACUUM ANALYZE")


def asked(reader: Browser, query: str) -> list[str]:
    """The statements of a page: session and membership, rows and figures."""
    with CaptureQueriesContext(connection) as captured:
        answer = reader.get(f"/transactions/?{query}")
    assert answer.status_code == 200
    assert answer.context["empty"] in ("", "no_match")
    return [each["sql"] for each in captured]


def plan(sql: str) -> dict:
    """How the statement is done behind the wall, with the settings that it was sent with."""
    settings = re.match(r"(SET LOCAL [^;]*; )*", sql)[0]
    assert "SET LOCAL ROLE" in settings
    with connection.cursor() as cursor:
        cursor.execute(f"{settings} EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql[len(settings) :]}")
        while cursor.nextset():
            pass
        return json.loads(json.dumps(cursor.fetchone()[0]))[0]["Plan"]


def nodes(node: dict) -> Iterator[dict]:
    yield node
    for child in node.get("Plans", []):
        yield from nodes(child)


@pytest.mark.parametrize("query", FILTERS)
def test_a_page_asks_at_most_six_queries(reader: Browser, query: str) -> None:
    cache.clear()
    reader.get("/transactions/")  # what is remembered for a minute
    statements = asked(reader, query)
    assert len(statements) <= MOST_QUERIES, "\n".join(statements)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["owner", "support", "accounting", "view_only"])
@pytest.mark.parametrize("query", ["", "status=refunded&size=25", "q=mara", "q=receipt-1", "cursor=last"])
def test_the_first_page_with_nothing_remembered_asks_no_more(
    lantern: Merchant, mirrored: Merchant, role: str, query: str
) -> None:
    who = person(mirrored, role, role)
    SavedView.objects.create(merchant=mirrored, owner=who.membership.user, name="Mine", query="q=a")
    cache.clear()
    assert len(statements := asked(who.browser, query)) <= MOST_QUERIES, "\n".join(statements)
    for part in ("newer/?seen=&", "figures/?"):
        with CaptureQueriesContext(connection) as captured:
            assert who.browser.get(f"/transactions/{part}{query}").status_code in (200, 204)
        assert len(captured) <= MOST_QUERIES + 1, part  # a text that is no id is asked for by itself


@pytest.mark.django_db
def test_an_empty_list_asks_no_more_either(ann: Person) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert ann.browser.get("/transactions/").context["empty"] == "none_yet"
    assert len(captured) <= MOST_QUERIES


@pytest.mark.parametrize("query", FILTERS)
def test_a_page_reads_along_an_index_and_little_of_it(reader: Browser, query: str) -> None:
    used, blocks = set(), 0
    for sql in asked(reader, query):
        if "transactions_transaction" not in sql:
            continue
        top = plan(sql)
        blocks += top["Shared Hit Blocks"] + top["Shared Read Blocks"]
        for node in nodes(top):
            big = node.get("Relation Name") in ("transactions_transaction", "transactions_item")
            assert not (big and node["Node Type"] == "Seq Scan"), sql
            used.add(node.get("Index Name", ""))
    assert any(name.startswith(FILTERS[query]) for name in used), used
    assert blocks <= MOST_BLOCKS


def test_the_planner_takes_no_rare_part_of_an_address_for_frequent_because_it_has_it_as_a_sample(
    reader: Browser,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT histogram_bounds::text::text[] FROM pg_stats WHERE tablename = 'tx_email_part' LIMIT 1"
        )
        samples = cursor.fetchone()[0]
    for sample in samples[1 : len(samples) : len(samples) // 5]:
        part = sample.partition("EXAMPLE")[0]
        found = next(sql for sql in asked(reader, f"q={part.replace('@', '%40')}") if "LIMIT 51" in sql)
        [walk] = [node for node in nodes(plan(found)) if node.get("Index Name") == "tx_email_part"]
        assert walk["Plan Rows"] < ROWS / 200, part


@pytest.mark.parametrize("order", ["-date", "date", "-amount", "amount"])
@pytest.mark.parametrize("query", ["", "status=rejected"])
def test_every_page_in_either_direction_costs_the_same(reader: Browser, order: str, query: str) -> None:
    address, cursors = f"sort={order}&{query}", ["", "last"]
    for first, direction in (("", "next"), ("last", "previous")):
        page = reader.get(f"/transactions/?{address}&cursor={first}").context["page"]
        cursors.append(getattr(page, direction).replace("+", "%2B"))
    for cursor in cursors:
        rows_query = next(sql for sql in asked(reader, f"{address}&cursor={cursor}") if "LIMIT 51" in sql)
        top = plan(rows_query)
        assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] <= MOST_BLOCKS, cursor
        assert not any(
            node["Node Type"] == "Seq Scan" and "transaction" in node["Relation Name"] for node in nodes(top)
        )


@pytest.fixture
def slowness() -> Iterator[None]:
    """A condition that takes the database ten milliseconds a row."""
    make = "CREATE FUNCTION slow(text) RETURNS text LANGUAGE sql AS 'SELECT pg_sleep(0.01)::text || $1'"
    with connection.cursor() as cursor:
        cursor.execute(make)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION slow")


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_takes_too_long_ends_in_a_message(
    ann: Person, mirrored: Merchant, slowness: None, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIST_STATEMENT_TIMEOUT = 0.05
    condition = Func(F("customer_email"), function="slow")
    monkeypatch.setattr(
        TransactionFilter, "by_product", lambda _, found, *__: found.alias(slow=condition).filter(slow="x")
    )
    for headers in ({}, {"HX-Request": "true"}):
        answer = ann.browser.get("/transactions/?product=sword", headers=headers)
        assert answer.status_code == 200
        assert "This search takes too long" in answer.content.decode()
        figures = ann.browser.get("/transactions/figures/?product=sword", headers=headers)
        assert figures.status_code == 200
        assert "too many to add up" in figures.content.decode()
    # Nor does what else looks through this list: a card from it, its news, and a selection of all of it.
    card = ann.browser.get(f"/transactions/{mirrored.transactions.first().pk}/", {"in": "product=sword"})
    assert card.status_code == 200
    assert (card.context["origin"].previous, card.context["origin"].next) == ("", "")
    assert ann.browser.get("/transactions/newer/?product=sword&seen=").status_code == 204
    with pytest.raises(selection.BadSelection, match="too slow"):
        selection.selected(ann.membership, QueryDict("everything=yes&query=product%3Dsword"))
    # Other lists and other statements of the same connection are as before.
    assert ann.browser.get("/transactions/").context["page"].rows
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
