"""The line to PaySuper. Knows neither Django nor Celery: it could be its own distribution."""
