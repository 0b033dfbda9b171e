from django.db import migrations

# The default of 100 samples takes a text that one in a hundred thousand rows holds for one in a hundred, when
# it happens to be among them, and the planner then reads the list until it has found a page.
_SAMPLES = 1000
_INDEXES = ("tx_email_part", "tx_bought_part")


class Migration(migrations.Migration):
    """The planner knows the texts that are searched in parts well enough to tell rare from frequent."""

    dependencies = [("transactions", "0017_schedule_trouble_told")]

    operations = [
        migrations.RunSQL(
            [f"ALTER INDEX {name} ALTER COLUMN 1 SET STATISTICS {_SAMPLES}" for name in _INDEXES],
            [f"ALTER INDEX {name} ALTER COLUMN 1 SET STATISTICS -1" for name in _INDEXES],
        ),
    ]
