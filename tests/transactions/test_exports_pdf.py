import re
from decimal import Decimal

import pytest
from fontTools.ttLib import TTFont
from pypdf import PdfReader

from tests.transactions.export_rows import HEADING, everything, lookalikes, make_project, sale, unsaved
from transactions import exports
from transactions.exports import TooManyRows, pdf_file, write
from transactions.exports.columns import titled
from transactions.exports.pdf_chart import charts
from transactions.exports.report import Kind
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)


def pages(path, heading=HEADING) -> list[str]:
    write("pdf", everything(), path / "a.pdf", heading)
    return [page.extract_text() for page in PdfReader(path / "a.pdf").pages]


@pytest.fixture
def short_pieces(monkeypatch):
    """One page a piece, so that few rows make several."""
    monkeypatch.setattr(pdf_file, "PAGES_PER_PIECE", 1)
    monkeypatch.setattr(pdf_file, "_ROWS_PER_PIECE", pdf_file.ROWS_PER_PAGE)


def test_says_what_it_is_and_adds_up_by_currency_and_status(tmp_path):
    project = make_project()
    for number, cents in enumerate(["0.10", "0.20", "0.70"]):
        sale(project, number, charge_amount=Decimal(cents))
    sale(project, 4, type="refund", status="refunded", charge_amount=Decimal("0.70"))
    sale(project, 5, charge_currency="JPY", charge_amount=Decimal(1200))
    sale(project, 6, charge_currency="BHD", charge_amount=Decimal("12.345"))

    summary, table = pages(tmp_path)

    for words in ("Café Nórd GmbH", HEADING.filter_in_words, "Europe/Berlin", "Ann Accountant", " UTC)"):
        assert words in summary
    for amount in ("€1.00", "-€0.70", "¥1,200", "12.345"):
        assert amount in summary
    assert "Page 1 of 2" in summary
    assert "Page 2 of 2" in table


def test_the_table_has_every_row_in_order_over_all_pieces(tmp_path, short_pieces):
    project = make_project()
    rows = [unsaved(project, number, charge_amount=Decimal(number)) for number in range(100)]
    Transaction.objects.bulk_create(rows)

    summary, *tables = pages(tmp_path)

    assert len(tables) == 4
    shown = [found for page in tables for found in re.findall(r"tx-\d{5}", page)]
    assert shown == [f"tx-{number:05}" for number in reversed(range(100))]
    assert all("Transaction ID" in page for page in tables)
    assert [re.search(r"Page (\d+) of (\d+)", page).groups() for page in (summary, *tables)] == [
        (str(number), "5") for number in range(1, 6)
    ]
    assert "2026-10-29 02:00:00" in tables[0]  # 99 hours later, in Berlin's winter
    assert "€99.00" in tables[0]


def test_hostile_texts_keep_the_rows_equally_high(tmp_path):
    project = make_project()
    # A page full of one other script adds up what each row is too high.
    texts = lookalikes() * 2 + [{"product": "黄金の剣 हिन्दी བོད ﷽", "transaction_id": "\uff1d"}] * 70
    Transaction.objects.bulk_create(
        [unsaved(project, number, **values) for number, values in enumerate(texts)]
    )

    _, *tables = pages(tmp_path)

    assert len(tables) == -(-len(texts) // pdf_file.ROWS_PER_PAGE)


def test_hostile_texts_are_texts(tmp_path):
    project = make_project("<b>Sky</b>")
    texts = ["<script>alert(1)</script>", "{{ 7|add:7 }}%s", "Меч Ξίφος", "=1+1", "bell\x07 \x85 end"]
    for number, text in enumerate(texts):
        sale(project, number, product=text)

    table = pages(tmp_path)[1]

    for text in ["<b>Sky</b>", *texts[:4], "bell end"]:
        assert text in table


def test_sums_that_fill_more_than_a_page_are_counted_as_pages(tmp_path):
    project = make_project()
    codes = [a + b + "X" for a in "ABCDE" for b in "ABCDEFGH"]
    Transaction.objects.bulk_create(
        [unsaved(project, number, charge_currency=code) for number, code in enumerate(codes)]
    )

    found = [re.search(r"Page (\d+) of (\d+)", page).groups() for page in pages(tmp_path)]

    # Two of sums, one of charts, two of rows.
    assert found == [(str(number), "5") for number in range(1, 6)]


def test_the_chart_shows_amounts_by_day_and_currency(tmp_path):
    project = make_project()
    for number in range(0, 240, 24):
        sale(project, number, charge_amount=Decimal(number + 1))
        sale(project, number + 1, charge_amount=Decimal("1.5") * number, charge_currency="BHD")
    sale(project, 3, type="refund", status="refunded", charge_amount=Decimal(5000))

    summary = pages(tmp_path)[0]

    assert "Amounts per day" in summary
    assert "Status Processed" in summary
    assert "EUR up to €217.00" in summary
    assert "BHD up to BHD\xa0324.000" in summary or "BHD up to BHD 324.000" in summary
    assert "25 Oct 2026" in summary
    assert "3 Nov 2026" in summary


def test_a_chart_has_one_bar_a_month_over_a_long_time_and_downward_bars(tmp_path, report_of):
    project = make_project()
    sale(project, 0, charge_amount=Decimal(10))
    sale(project, 24 * 40, charge_amount=Decimal(20), type="refund")
    sale(project, 24 * 100, charge_amount=Decimal(30))

    found = report_of()

    assert (found.unit, found.status, found.others) == ("month", "Processed", 0)
    (chart,) = found.shown
    assert (chart.highest, chart.lowest, chart.first, chart.last) == (
        "€30.00", "-€20.00", "Oct 2026", "Feb 2027",
    )  # fmt: skip
    heights = [bar.height for bar in chart.bars]
    assert heights == pytest.approx([22 / 5, 22 * 2 / 5, 22 * 3 / 5], abs=0.01)
    assert [bar.y for bar in chart.bars] == pytest.approx([chart.axis - 22 / 5, chart.axis, 0], abs=0.01)


@pytest.fixture
def report_of(monkeypatch, tmp_path):
    """The report that a writer gets."""

    def report():
        seen = []
        monkeypatch.setitem(
            exports._WRITERS, "seen", lambda report, path: seen.append(charts(report)) or path.touch()
        )
        write("seen", everything(), tmp_path / "seen", HEADING)
        return seen[0]

    return report


def test_characters_without_a_font_are_said(tmp_path, monkeypatch):
    (tmp_path / "fonts.conf").write_text(
        "<fontconfig><dir>/usr/share/fonts/truetype/dejavu</dir>"
        f"<cachedir>{tmp_path / 'cache'}</cachedir></fontconfig>"
    )
    sale(make_project(), product="黄金の剣 sword")
    assert "no font" not in pages(tmp_path)[0]
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))

    summary, table = pages(tmp_path)

    assert "this computer has no font for CJK, Hiragana." in " ".join(summary.split())
    assert "sword" in table.replace("\0", "")


def test_long_amounts_are_not_cut(tmp_path):
    sale(make_project(), charge_amount=Decimal("999999999999999.99"), type="refund")

    summary, table = pages(tmp_path)

    assert "-€999,999,999,999,999.99" in summary
    assert "-€999,999,999,999,999.99" in table


def test_no_rows_make_a_summary_that_says_so(tmp_path):
    (only,) = pages(tmp_path)

    assert "No transactions match" in only
    assert "Page 1 of 1" in only


def test_too_many_rows_are_refused_with_the_ways_out(tmp_path, settings):
    settings.EXPORT_PDF_CEILING = 2
    project = make_project()
    for number in range(3):
        sale(project, number)

    with pytest.raises(TooManyRows, match=r"up to 2 rows and these are 3: choose CSV or XLSX"):
        write("pdf", everything(), tmp_path / "a.pdf", HEADING)

    assert list(tmp_path.iterdir()) == []


def test_the_file_knows_its_title_and_author(tmp_path):
    sale(make_project())

    pages(tmp_path)

    root = PdfReader(tmp_path / "a.pdf").trailer["/Root"]
    assert (root["/Lang"], root["/ViewerPreferences"]["/DisplayDocTitle"]) == ("en", True)
    metadata = PdfReader(tmp_path / "a.pdf").metadata
    assert (metadata.title, metadata.author) == ("Transactions of Café Nórd GmbH", "Ann Accountant")


@pytest.mark.parametrize("column", [each for each in titled("UTC") if each.short and each.kind is Kind.TEXT])
def test_what_is_not_clipped_fits_into_its_column(column):
    font = TTFont("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
    letters, widths = font.getBestCmap(), font["hmtx"]
    room = column.share - pdf_file._PADDING
    for code in range(32, 127):
        longest = next(n for n in range(90) if not pdf_file._fits(chr(code) * (n + 1), room))
        points = widths[letters[code]][0] / font["head"].unitsPerEm * 7.5

        assert longest * points / 72 * 25.4 <= room
        assert longest >= 3
