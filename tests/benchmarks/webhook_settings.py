"""The product's settings with the addresses of `webhook_server`."""

from merchant.settings import *  # noqa: F403 - the same settings are the point

ROOT_URLCONF = "tests.benchmarks.webhook_server"
