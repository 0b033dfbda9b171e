"""Renders pieces of a PDF in parallel.

Each renderer is a plain child process: Celery's own worker processes may not start children by
multiprocessing. It ends with its standard input, so also when its parent is killed, and gets neither our
settings nor our secrets.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROGRAM = Path(__file__).with_name("pdf_piece.py")
# How the folders begin that documents are drawn in.
FOLDER = "export-pdf-"
_MOST = 4
_ENDED = "The program that draws the PDF ended early."
_ENVIRONMENT = (
    "PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "XDG_CACHE_HOME", "XDG_DATA_HOME", "FONTCONFIG_FILE",
    "FONTCONFIG_PATH", "LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "WEASYPRINT_DLL_DIRECTORIES",
    "SYSTEMROOT",
)  # fmt: skip


class RenderingFailed(Exception):
    """A renderer died or made something else than was planned."""


@dataclass(frozen=True)
class Piece:
    """A document to render to `path`, planned to fill so many pages."""

    html: str
    path: Path
    pages: int = 0


class Renderers:
    """As many renderers as there are processors, or fewer for few pieces.

    `missing` are the characters so far that no font of this computer has.
    """

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        self.missing: set[str] = set()
        self._idle: queue.SimpleQueue[subprocess.Popen[str]] = queue.SimpleQueue()
        for process in processes:
            self._idle.put(process)
        self._threads = len(processes)

    def render(self, piece: Piece) -> int:
        """Render a piece; how many pages it has."""
        process = self._idle.get()
        try:
            answer = _ask(process, piece)
        finally:
            self._idle.put(process)
        self.missing.update(answer["missing"])
        return int(answer["pages"])

    def render_all(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Render the pieces in parallel; each in its order as soon as it is drawn.

        Raises RenderingFailed if one has other pages than were planned.
        """
        with ThreadPoolExecutor(self._threads) as threads:
            try:
                yield from threads.map(self._planned, pieces)
            finally:
                threads.shutdown(wait=False, cancel_futures=True)

    def _planned(self, piece: Piece) -> Piece:
        pages = self.render(piece)
        if pages != piece.pages:
            raise RenderingFailed(f"{piece.pages} pages were planned and {pages} drawn.")
        return piece


@contextmanager
def renderers(stylesheet: str, pieces: int) -> Iterator[Renderers]:
    """Renderers for so many pieces; their processes end with the block."""
    with ExitStack() as stack:
        processes = [
            _start(stack, stylesheet) for _ in range(max(1, min(pieces, os.cpu_count() or 1, _MOST)))
        ]
        yield Renderers(processes)


def _start(stack: ExitStack, stylesheet: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        _command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=_environment(),
    )
    stack.enter_context(process)
    stack.callback(process.kill)
    _tell(process, stylesheet)
    return process


def _ask(process: subprocess.Popen[str], piece: Piece) -> dict[str, Any]:
    try:
        _tell(process, {"html": piece.html, "path": str(piece.path)})
    except BrokenPipeError as error:
        raise RenderingFailed(_ENDED) from error
    answer = process.stdout.readline() if process.stdout else ""
    if not answer:
        raise RenderingFailed(_ENDED)
    told: dict[str, Any] = json.loads(answer)
    return told


def _tell(process: subprocess.Popen[str], message: object) -> None:
    if process.stdin:
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()


def draw(html: str, stylesheet: str, seconds: float) -> tuple[bytes, str]:
    """One document by a renderer of its own, and the characters that no font of this computer has.

    Raises RenderingFailed, also after so many seconds.
    """
    with tempfile.TemporaryDirectory(prefix=FOLDER) as folder:
        path = Path(folder, "document.pdf")
        told = json.dumps(stylesheet) + "\n" + json.dumps({"html": html, "path": str(path)}) + "\n"
        try:
            done = subprocess.run(
                _command(), input=told, capture_output=True, text=True, encoding="utf-8", env=_environment(),
                timeout=seconds, check=True,
            )  # fmt: skip
        except subprocess.SubprocessError as error:
            raise RenderingFailed(_ENDED) from error
        return path.read_bytes(), json.loads(done.stdout)["missing"]


def _command() -> list[str]:
    # Isolated: the folder of the program holds modules with names of their own.
    return [sys.executable, "-I", str(_PROGRAM)]


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
