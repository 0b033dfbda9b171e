"""Activation keys that were kept in clear are encrypted, in steps: a large mirror is not locked meanwhile."""

import json

import merchant.encryption
import transactions.models.mirrored
from django.db import connection, migrations

AT_ONCE = 1000
HAVE_KEYS = """
SELECT transaction_id, document -> 'items' FROM transactions_raworder
WHERE transaction_id > %s AND document @? '$.items[*].code ? (@ != "")'
ORDER BY transaction_id LIMIT %s
"""
SEAL = """
UPDATE transactions_raworder SET document = jsonb_set(document, ARRAY['items', %s, 'code'], to_jsonb(%s::text))
WHERE transaction_id = %s AND document #>> ARRAY['items', %s, 'code'] = %s
"""


def change(cursor, how):
    """Give each key the form that `how` gives it."""
    last = "00000000-0000-0000-0000-000000000000"
    while True:
        cursor.execute(HAVE_KEYS, [last, AT_ONCE])
        rows = cursor.fetchall()
        if not rows:
            return
        for last, items in rows:
            for position, item in enumerate(json.loads(items) if isinstance(items, str) else items):
                code = item.get("code") if isinstance(item, dict) else None
                if code and isinstance(code, str | int) and (new := how(str(code))) != code:
                    place = str(position)
                    cursor.execute(SEAL, [place, new, last, place, str(code)])


def seal(apps, editor):
    sealed = merchant.encryption.SEAL + "gAAAA"
    with connection.cursor() as cursor:
        change(cursor, lambda code: code if code.startswith(sealed) else merchant.encryption.seal(code))


def unseal(apps, editor):
    with connection.cursor() as cursor:
        change(cursor, merchant.encryption.unseal)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('transactions', '0013_export_schedules'),
    ]

    operations = [
        migrations.AlterField(
            model_name='raworder',
            name='document',
            field=merchant.encryption.SealedTextsField(decoder=transactions.models.mirrored.ExactDecoder, sealed=('items', 'code')),
        ),
        migrations.RunPython(seal, unseal),
    ]
