"""The line that several tests of the client speak over."""

from tests.merchant.lines import api

__all__ = ["api"]
