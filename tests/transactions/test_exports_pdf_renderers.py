import socketserver
import threading

import pytest
from pypdf import PdfReader

from tests.transactions.export_rows import HEADING, everything, make_project, sale
from transactions.exports import pdf_file, pdf_renderers, write
from transactions.exports.pdf_renderers import Piece, RenderingFailed, renderers

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_renderer_loads_nothing(tmp_path):
    asked = []

    class Notes(socketserver.BaseRequestHandler):
        def handle(self):
            asked.append(self.request.recv(100))

    with socketserver.TCPServer(("127.0.0.1", 0), Notes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        secret = tmp_path / "secret.css"
        secret.write_text("p::after { content: 'read from disk' }")
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        html = (
            f"<link rel=stylesheet href='{secret.as_uri()}'><img src='{address}'>"
            f"<p style='background:url({address})'>x"
        )
        with renderers(f"@import url({address});", 1) as drawn:
            drawn.render(Piece(html, tmp_path / "a.pdf"))
        server.shutdown()

    assert asked == []
    assert PdfReader(tmp_path / "a.pdf").pages[0].extract_text() == "x"


def test_the_renderer_gets_no_secrets(monkeypatch):
    seen = []
    monkeypatch.setattr(pdf_renderers, "_tell", lambda process, message: None)
    popen = pdf_renderers.subprocess.Popen
    monkeypatch.setattr(
        pdf_renderers.subprocess, "Popen", lambda *args, **more: seen.append(more) or popen(*args, **more)
    )

    with renderers("", 1):
        pass

    assert not {"SECRET_KEY", "DATABASE_URL", "ENCRYPTION_KEYS"} & set(seen[0]["env"])


def test_a_renderer_that_dies_fails_the_export_and_leaves_no_file(tmp_path, monkeypatch):
    program = tmp_path / "dies.py"
    program.write_text("raise SystemExit(1)")
    monkeypatch.setattr(pdf_renderers, "_PROGRAM", program)
    sale(make_project())

    with pytest.raises(RenderingFailed):
        write("pdf", everything(), tmp_path / "a.pdf", HEADING)

    assert list(tmp_path.iterdir()) == [program]


def test_pages_that_were_not_planned_fail_the_export(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf_file, "_cells", lambda columns, row: [("text", "x")] * 2)
    monkeypatch.setattr(pdf_file, "ROWS_PER_PAGE", 40)
    project = make_project()
    for number in range(40):
        sale(project, number)

    with pytest.raises(RenderingFailed, match="1 pages were planned and 2 drawn"):
        write("pdf", everything(), tmp_path / "a.pdf", HEADING)
