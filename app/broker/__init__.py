"""The Celery app and the table transport."""
