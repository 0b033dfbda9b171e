"""Logos that merchants upload: read as a picture, and drawn anew, so that nothing else comes along."""

import io
import warnings
from typing import IO

from PIL import Image

BYTES_AT_MOST = 512 * 1024
SIDE_AT_MOST = 2000
# Twice as large as it is shown, for fine screens.
_HEIGHT, _WIDTH = 80, 480
_FORMATS = ("PNG", "JPEG")


class NotALogo(Exception):
    """What was uploaded cannot be used; the message is for the person."""


def drawn(upload: IO[bytes]) -> bytes:
    """A small PNG of the uploaded picture. Raises NotALogo."""
    data = upload.read(BYTES_AT_MOST + 1)
    if len(data) > BYTES_AT_MOST:
        raise NotALogo("The picture is larger than 512 kB.")
    try:
        small = _small(data)
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        raise NotALogo("This is not a picture in PNG or JPEG.") from error
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    return file.getvalue()


def _small(data: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        picture = Image.open(io.BytesIO(data), formats=_FORMATS)
        if max(picture.size) > SIDE_AT_MOST:
            raise NotALogo(f"The picture is larger than {SIDE_AT_MOST} × {SIDE_AT_MOST} pixels.")
        small = picture.convert("RGBA")
        small.thumbnail((_WIDTH, _HEIGHT))
        return small
