"""Whether a merchant's audit is what it was when it was written."""

from dataclasses import dataclass

from django.db import connection

from merchant.models import AuditHead, Merchant

_SHOWN = 20
# What a row says, as the database links it. Written out here too: whoever rewrites the audit could rewrite
# the database's own function as well.
_HASH = """
encode(sha256(convert_to(jsonb_build_array(
    merchant_id, number, previous_hash, id, (extract(epoch FROM at) * 1000000)::bigint, user_id, event,
    subject, data, host(address), request_id
)::text, 'UTF8')), 'hex')
"""
# One statement, so that rows and head are of one moment.
_BREAKS = f"""
WITH head AS (
    SELECT * FROM merchant_audithead WHERE merchant_id = %(merchant)s
), linked AS (
    SELECT id, number, hash, previous_hash, {_HASH} AS true_hash,
        lag(number) OVER chain AS number_before, lag(hash) OVER chain AS hash_before
    FROM merchant_auditevent WHERE merchant_id = %(merchant)s AND number IS NOT NULL
    WINDOW chain AS (ORDER BY number, id)
), expected AS (
    SELECT linked.*, coalesce(number_before + 1, kept_from, 1) AS true_number,
        coalesce(hash_before, kept_hash, '') AS true_previous
    FROM linked LEFT JOIN head ON true
), last AS (
    SELECT number, hash FROM linked ORDER BY number DESC, id DESC LIMIT 1
)
SELECT number, CASE
    WHEN number <> true_number AND number_before IS NULL THEN
        'the entries before it, from ' || true_number || ' on, are missing'
    WHEN number > true_number THEN 'entries are missing between ' || number_before || ' and ' || number
    WHEN number <> true_number THEN 'its number occurs twice'
    WHEN hash <> true_hash THEN 'it was changed (row ' || id || ')'
    ELSE 'it does not follow the entry before it'
END FROM expected WHERE number <> true_number OR hash <> true_hash OR previous_hash <> true_previous
UNION ALL
SELECT NULL, 'row ' || id || ' is in no chain'
FROM merchant_auditevent WHERE merchant_id = %(merchant)s AND number IS NULL
UNION ALL
SELECT head.number, 'the entries up to it, which was the last one, are missing'
FROM head LEFT JOIN last ON true WHERE head.number > coalesce(last.number, head.kept_from - 1)
UNION ALL
SELECT last.number, 'it is not the entry that the chain ended with'
FROM last LEFT JOIN head ON true
WHERE head.number IS NULL OR head.number < last.number
    OR (head.number = last.number AND head.hash <> last.hash)
ORDER BY 1 NULLS LAST LIMIT %(shown)s
"""


@dataclass(frozen=True)
class Break:
    """A place at which the chain does not hold: the entry's number (None: it has none), and what is wrong."""

    number: int | None
    what: str

    def __str__(self) -> str:
        return self.what if self.number is None else f"Entry {self.number}: {self.what}"


def breaks(merchant: Merchant) -> list[Break]:
    """Where the merchant's chain does not hold, the earliest places first; at most twenty."""
    with connection.cursor() as cursor:
        cursor.execute(_BREAKS, {"merchant": merchant.pk, "shown": _SHOWN})
        return [Break(number, what) for number, what in cursor.fetchall()]


def head(merchant: Merchant) -> str:
    """The chain's end as "number:hash", to be kept elsewhere: it shows if a whole chain is written anew."""
    return str(AuditHead.objects.filter(merchant=merchant).first() or "0:")


def still_has(merchant: Merchant, noted: str) -> bool:
    """Whether the chain has an end that was noted before, as `head` gave it."""
    number, _, digest = noted.partition(":")
    if number == "0":
        return not digest
    found = AuditHead.objects.filter(merchant=merchant, kept_from=int(number) + 1, kept_hash=digest)
    return merchant.audit_events.filter(number=int(number), hash=digest).exists() or found.exists()
