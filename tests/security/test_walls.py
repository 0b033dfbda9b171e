"""The database shows a merchant nobody else's rows, whatever a query forgets to ask."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import ProgrammingError

from fulfillment.models import Action, Batch, BatchItem, Claim, RefusalCount, ServerCall, ServerCallTry
from merchant import walls
from merchant.models import Membership, Merchant, Project, User
from merchant.walls import building, statements
from tests.conftest import Person
from transactions import mirror
from transactions.models import DailyTotal, Export, Item, Note, RawOrder, SavedView, Transaction

# What belongs to people or to the installation, and to no merchant.
NOBODYS = {
    "account.EmailAddress",
    "account.EmailConfirmation",
    "auth.Group",
    "auth.Permission",
    "contenttypes.ContentType",
    "merchant.User",
    "mfa.Authenticator",
    "sessions.Session",
    "usersessions.UserSession",
}
# Of what the sandbox brings in.
MIRRORED = (Transaction, Item, RawOrder, DailyTotal, Project, Membership, Merchant)


@pytest.fixture
def two(mirrored: Merchant, copper: Merchant, ann: Person, cleo: Person) -> tuple[Merchant, Merchant]:
    """Two merchants with everything that the sandbox has of them."""
    return mirrored, copper


def owner(row: models.Model) -> int:
    return row.pk if isinstance(row, Merchant) else row.merchant_id


def policies() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(building._POLICIES)
        return dict(cursor.fetchall())


def test_every_table_has_its_policy_or_belongs_to_nobody(db: None) -> None:
    known = policies()
    without = {
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model._meta.db_table not in known
    }
    through = {label for label in without if label.startswith(("merchant.User_", "auth.Group_"))}
    assert without - through == NOBODYS & without, (
        "A table without a row-level policy: give the model a `merchant` foreign key (the policy then comes "
        "by itself after migrating), or, if its rows belong to no merchant at all, add it to NOBODYS."
    )


def test_every_table_of_a_merchant_says_so_itself(db: None) -> None:
    for table, condition in policies().items():
        if table in ("fulfillment_batchitem", "fulfillment_servercalltry", "fulfillment_refusalcount"):
            assert condition.startswith("EXISTS (SELECT FROM ")
        elif table == "merchant_merchant":
            assert condition == f"id = {building.CURRENT}"
        else:
            assert condition.startswith(f"merchant_id = {building.CURRENT}"), table


def test_nothing_is_seen_without_a_merchant(two: tuple[Merchant, Merchant]) -> None:
    with walls.nobody():
        assert [model for model in MIRRORED if model._base_manager.exists()] == []
        with walls.own_rows():
            assert not Transaction.objects.exists()


@pytest.mark.parametrize("mine", [0, 1])
def test_queries_without_any_filter_find_the_own_rows_alone(
    two: tuple[Merchant, Merchant], mine: int
) -> None:
    all_rows = {model: model._base_manager.count() for model in MIRRORED}
    with walls.only(two[mine].pk):
        for model in MIRRORED:
            found = list(model._base_manager.all())
            assert {owner(row) for row in found} == {two[mine].pk}, model
            assert len(found) < all_rows[model]
        with walls.own_rows():
            assert {row.merchant_id for row in Transaction.objects.all()} == {two[mine].pk}


def test_the_walls_end_where_they_end(two: tuple[Merchant, Merchant]) -> None:
    both = Transaction.objects.count()
    with walls.only(two[0].pk):
        with walls.nobody():
            assert not Transaction.objects.exists()
            with walls.lifted():
                assert Transaction.objects.count() == both
        assert 0 < Transaction.objects.count() < both
        with pytest.raises(ZeroDivisionError), walls.only(two[1].pk):
            _ = 1 / 0
        assert Transaction.objects.first().merchant_id == two[0].pk
    assert Transaction.objects.count() == both


def test_a_row_of_another_merchant_is_not_written(two: tuple[Merchant, Merchant], ann: Person) -> None:
    mine, theirs = two
    entry, foreign = mine.transactions.first(), theirs.transactions.first()
    with walls.only(mine.pk):
        Note.objects.create(merchant=mine, transaction=entry, text="mine", written_by=ann.membership.user)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Note.objects.create(
                merchant=theirs, transaction=foreign, text="x", written_by=ann.membership.user
            )
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Note.objects.update(merchant=theirs)
        assert Transaction.objects.filter(pk=foreign.pk).update(product="stolen") == 0
        assert Transaction.objects.filter(pk=foreign.pk).delete() == (0, {})
    foreign.refresh_from_db()
    assert foreign.product != "stolen"


def test_children_follow_their_parents(two: tuple[Merchant, Merchant], ann: Person) -> None:
    mine, theirs = two
    for merchant in two:
        entry, user, number = merchant.transactions.first(), ann.membership.user, merchant.pk
        batch = Batch.objects.create(merchant=merchant, requested_by=user, kind="fulfil", key=str(number))
        BatchItem.objects.create(
            batch=batch, transaction=entry, position=1, seen_amount=1, seen_currency="EUR", state="waiting"
        )
        project = entry.project
        RefusalCount.objects.create(project=project, hour=entry.created_at, reason="no_signature", count=1)
        call = ServerCall.objects.create(
            merchant=merchant, project=project, transaction=entry, body="{}", try_at=entry.created_at
        )
        ServerCallTry.objects.create(call=call, number=1, sent_at=entry.created_at, milliseconds=1)
    for model in (BatchItem, RefusalCount, ServerCallTry):
        assert model.objects.count() == 2
        with walls.only(mine.pk):
            assert model.objects.count() == 1
        with walls.nobody():
            assert model.objects.count() == 0
    with walls.only(mine.pk), pytest.raises(DatabaseError), transaction.atomic():
        RefusalCount.objects.create(
            project=theirs.projects.first(), hour=entry.created_at, reason="too_large", count=1
        )


def test_the_mirror_is_written_behind_the_wall(lantern: Merchant, copper: Merchant, paysuper) -> None:
    from transactions import sync

    with walls.only(lantern.pk):
        report = sync.sync(lantern, full=True)
        assert report.added
        again = sync.sync(lantern, full=True)
        assert not again.added
    assert {total.merchant_id for total in DailyTotal.objects.all()} == {lantern.pk, copper.pk}
    assert Item.objects.filter(merchant=lantern).exists()
    assert RawOrder.objects.filter(merchant=lantern).count() == lantern.transactions.count()


def test_rows_are_not_copied_for_another_merchant(two: tuple[Merchant, Merchant]) -> None:
    mine, theirs = two
    with walls.only(mine.pk), transaction.atomic(), connection.cursor() as cursor:
        with pytest.raises(statements.Foreign), walls.copying(cursor, theirs.pk):
            pass
        with walls.nobody(), pytest.raises(statements.Foreign), walls.copying(cursor, mine.pk):
            pass


def test_a_project_of_somebody_else_is_told_apart_though_it_is_not_seen(
    two: tuple[Merchant, Merchant],
) -> None:
    from merchant.paysuper.errors import Unexpected

    mine, theirs = two
    project = theirs.projects.first()
    with walls.only(mine.pk), pytest.raises(Unexpected, match="another merchant"):
        mirror.update_project(mine, project.paysuper_id, "Taken over")
    project.refresh_from_db()
    assert project.name != "Taken over"


def test_a_task_knows_whose_row_it_is_about(two: tuple[Merchant, Merchant], ann: Person) -> None:
    mine, theirs = two
    export = Export.objects.create(merchant=theirs, requested_by=ann.membership.user, format="csv")
    with walls.only(mine.pk), walls.only_of(Export, export.pk):
        assert Transaction.objects.first().merchant_id == theirs.pk
    with walls.only_of(Export, "00000000-0000-0000-0000-000000000000"):
        assert not Transaction.objects.exists()


def owners_by_a_cursor_of_the_server() -> set[int]:
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT merchant_id FROM transactions_transaction")
        return {merchant for (merchant,) in cursor.fetchall()}


def test_large_results_and_many_statements_are_walled_too(two: tuple[Merchant, Merchant]) -> None:
    mine, theirs = two
    with walls.only(mine.pk):
        assert owners_by_a_cursor_of_the_server() == {mine.pk}
        with connection.cursor() as cursor, pytest.raises(ProgrammingError), transaction.atomic():
            cursor.executemany(
                "UPDATE merchant_project SET merchant_id = %s WHERE merchant_id = %s", [(theirs.pk, mine.pk)]
            )


@pytest.fixture
def autocommitting(transactional_db: None, lantern: Merchant, copper: Merchant) -> tuple:
    """Two merchants outside of any transaction."""
    return lantern, copper


def test_nothing_is_left_on_a_connection_that_is_kept(autocommitting: tuple[Merchant, Merchant]) -> None:
    lantern, copper = autocommitting
    with walls.only(copper.pk), walls.own_rows():
        assert owners_by_a_cursor_of_the_server() == {copper.pk}
        assert Transaction.objects.count()
        with transaction.atomic():
            assert Project.objects.count() == 1
    raw = connection.connection
    said = "SELECT current_user = session_user, current_setting('app.merchant', true), current_schema()"
    assert raw.execute(said).fetchone() == (True, "", "public")
    with walls.only(lantern.pk):
        assert not Transaction.objects.exists()
        with connection.cursor() as cursor:
            cursor.executemany("SELECT %s", [(1,), (2,)])
    assert raw.execute(said).fetchone() == (True, "", "public")
    assert Transaction.objects.exists()


def test_a_statement_that_fails_leaves_nothing_either(autocommitting: tuple[Merchant, Merchant]) -> None:
    lantern, _ = autocommitting
    with walls.only(lantern.pk):
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        with transaction.atomic():
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
            assert Project.objects.count() == 2
    assert Project.objects.count() == 3


def test_the_wall_is_built_once_and_mended_where_it_is_broken(db: None) -> None:
    before = policies()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP POLICY {building.POLICY} ON transactions_note")
        cursor.execute("ALTER TABLE transactions_savedview DISABLE ROW LEVEL SECURITY")
        cursor.execute("DROP VIEW own_rows.transactions_transaction")
        cursor.execute("CREATE TABLE new_thing (id bigint, merchant_id bigint REFERENCES merchant_merchant)")
        cursor.execute("REVOKE ALL ON transactions_export FROM paysuper_member")
    building.build()
    assert set(policies()) == {*before, "new_thing"}
    with walls.nobody():
        assert not SavedView.objects.exists()
        assert not Export.objects.exists()
        with walls.own_rows():
            assert not Transaction.objects.exists()


def test_a_migration_finds_no_view_in_its_way(db: None) -> None:
    building.make_way(plan=["something"])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE transactions_transaction ALTER COLUMN product TYPE text")
        cursor.execute("ALTER TABLE transactions_transaction ADD COLUMN later text")
    with walls.nobody(), walls.own_rows():
        assert not Transaction.objects.exists()  # below the policy meanwhile
    building.build()
    with walls.nobody(), walls.own_rows(), connection.cursor() as cursor:
        cursor.execute("SELECT later FROM transactions_transaction")
        assert cursor.fetchall() == []


def test_people_are_nobodys(ann: Person) -> None:
    with walls.nobody():
        assert User.objects.filter(pk=ann.membership.user_id).exists()
        assert MigrationRecorder.Migration.objects.exists()
        assert not Action.objects.exists()
        assert not Claim.objects.exists()


def test_building_twice_changes_nothing(db: None) -> None:
    said = "SELECT count(*), max(xmin::text::bigint) FROM pg_policy"
    with connection.cursor() as cursor:
        cursor.execute(said)
        before = cursor.fetchone()
        call_command("migrate", verbosity=0)
        cursor.execute(said)
        assert cursor.fetchone() == before
