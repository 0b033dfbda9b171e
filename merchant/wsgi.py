"""The WSGI application for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
application = get_wsgi_application()

from merchant import walls  # noqa: E402 - settings come first
from merchant.celery import app  # noqa: E402 - the same

walls.close()

# The web only rings the bell. A broker that hangs must not keep anybody waiting, PaySuper least of all.
app.conf.broker_transport_options |= {"socket_connect_timeout": 1, "socket_timeout": 2}
