from collections import Counter
from decimal import Decimal

import pytest
from pypdf import PdfReader

from tests.transactions.export_rows import HEADING, everything, make_project, unsaved
from transactions.exports import pdf_file, write
from transactions.exports.pdf_join import Facts, NotAPiece, join
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def joined(tmp_path, monkeypatch):
    """A report of a summary and three pieces of one page each."""
    monkeypatch.setattr(pdf_file, "PAGES_PER_PIECE", 1)
    monkeypatch.setattr(pdf_file, "_ROWS_PER_PIECE", pdf_file.ROWS_PER_PAGE)
    project = make_project()
    Transaction.objects.bulk_create(
        [unsaved(project, number, charge_amount=Decimal(number)) for number in range(80)]
    )
    write("pdf", everything(), tmp_path / "a.pdf", HEADING)
    return PdfReader(tmp_path / "a.pdf", strict=True)


def elements(element):
    """An element of the tree of tags and all below."""
    yield element
    kids = element.get("/K", [])
    for kid in kids if isinstance(kids, list) else [kids]:
        below = kid.get_object()
        if isinstance(below, dict):
            yield from elements(below)


def test_the_pages_of_all_pieces_hang_in_one_tree_of_tags(joined):
    root = joined.trailer["/Root"]["/StructTreeRoot"]
    document = root["/K"][0].get_object()
    tags = list(elements(document))

    assert document["/S"] == "/Document"
    assert [kid.get_object()["/S"] for kid in document["/K"]] == ["/Part"] * 4
    found = Counter(each["/S"] for each in tags)
    assert (found["/Table"], found["/TR"], found["/H1"]) == (4, 80 + 3 + 2, 1)
    assert found["/Figure"] == 1
    assert all(kid.get_object()["/P"] == each for each in tags for kid in _objects(each))


def _objects(element):
    return [kid for kid in element.get("/K", []) if hasattr(kid, "idnum")]


def test_headers_of_cells_are_those_of_their_own_table(joined):
    tags = list(elements(joined.trailer["/Root"]["/StructTreeRoot"]["/K"][0].get_object()))
    for table in [each for each in tags if each["/S"] == "/Table"]:
        own = list(elements(table))
        named = {each["/ID"] for each in own if each["/S"] == "/TH"}
        used = {name for each in own if each["/S"] == "/TD" for name in each["/A"]["/Headers"]}
        assert used == named
    names = [each["/ID"] for each in tags if each["/S"] == "/TH"]
    assert len(names) == len(set(names))


def test_every_page_knows_its_own_marks(joined):
    kids = joined.trailer["/Root"]["/StructTreeRoot"]["/ParentTree"]["/Kids"]
    marks = {}
    for kid in kids:
        numbers, (lowest, highest) = kid.get_object()["/Nums"], kid.get_object()["/Limits"]
        marks |= dict(zip(numbers[::2], numbers[1::2], strict=True))
        assert (numbers[0], numbers[-2]) == (lowest, highest)

    assert list(marks) == list(range(len(joined.pages)))
    for page in joined.pages:
        for element in marks[page["/StructParents"]]:
            assert element.get_object()["/Pg"] == page


def test_the_same_rows_of_the_same_moment_make_the_same_bytes(tmp_path):
    project = make_project()
    Transaction.objects.bulk_create([unsaved(project, number, product="Меч 剣") for number in range(40)])
    first = write("pdf", everything(), tmp_path / "a.pdf", HEADING)

    again = write("pdf", everything(), tmp_path / "b.pdf", HEADING, as_of=first.as_of)

    assert again.sha256 == first.sha256


def test_something_else_is_not_joined(tmp_path):
    (tmp_path / "other.pdf").write_bytes(b"%PDF-1.4\nstartxref\n9\n%%EOF")

    with pytest.raises(NotAPiece):
        join([tmp_path / "other.pdf"], tmp_path / "a.pdf", Facts("a", "b", "D:2026"))
