"""The audit is a chain: each row carries the hash of the row before it, and the end of each chain is kept.

Rows are linked by a deferred trigger, which is to say when their transaction ends. A lock taken any earlier
would be held beside the locks of orders and actions, in whatever order these come, and be a deadlock one day;
taken last, it is held by nobody who still waits for something.
"""

import django.db.models.deletion
from django.db import migrations, models


# Everything that a row says, in an order and a form that stay the same. `verify_audit` has its own copy.
FUNCTIONS = """
CREATE FUNCTION audit_hash(event merchant_auditevent) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
        event.merchant_id, event.number, event.previous_hash, event.id,
        (extract(epoch FROM event.at) * 1000000)::bigint, event.user_id, event.event, event.subject, event.data,
        host(event.address), event.request_id
    )::text, 'UTF8')), 'hex')
$$;

CREATE FUNCTION audit_link(event_id bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    event merchant_auditevent;
    head merchant_audithead;
BEGIN
    SELECT * INTO event FROM merchant_auditevent WHERE id = event_id;
    IF event.number IS NOT NULL THEN
        RETURN;
    END IF;
    INSERT INTO merchant_audithead (merchant_id, number, hash) VALUES (event.merchant_id, 0, '')
    ON CONFLICT (merchant_id) DO NOTHING;
    SELECT * INTO head FROM merchant_audithead WHERE merchant_id = event.merchant_id FOR NO KEY UPDATE;
    event.number := head.number + 1;
    event.previous_hash := head.hash;
    event.hash := audit_hash(event);
    UPDATE merchant_auditevent
    SET number = event.number, previous_hash = event.previous_hash, hash = event.hash WHERE id = event.id;
    UPDATE merchant_audithead SET number = event.number, hash = event.hash
    WHERE merchant_id = event.merchant_id;
END $$;

CREATE FUNCTION audit_link_new() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM audit_link(NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION audit_begins_unlinked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.number := NULL;
    NEW.previous_hash := '';
    NEW.hash := '';
    RETURN NEW;
END $$;

-- What runs with the owner's rights finds the owner's tables and nobody's temporary ones.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION audit_link(bigint) SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION audit_link_new() SET search_path = %I, pg_temp', current_schema());
END $$;
"""
NOT_ANY_MORE = """
DROP FUNCTION audit_begins_unlinked();
DROP FUNCTION audit_link_new();
DROP FUNCTION audit_link(bigint);
DROP FUNCTION audit_hash(merchant_auditevent);
"""
# Linking is no change of what was said; rows whose time is over may go (merchant.audit.dropping).
APPEND_ONLY = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.number IS NULL AND NEW.number IS NOT NULL
            AND to_jsonb(NEW) - '{number,previous_hash,hash}'::text[]
                = to_jsonb(OLD) - '{number,previous_hash,hash}'::text[]
        THEN
            RETURN NEW;
        END IF;
    ELSIF OLD.number < (SELECT kept_from FROM merchant_audithead WHERE merchant_id = OLD.merchant_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit events cannot be changed or deleted';
END $$;
"""
AS_BEFORE = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events cannot be changed or deleted';
END $$;
"""
LINK_WHAT_IS_THERE = """
DO $$
DECLARE
    found bigint;
BEGIN
    FOR found IN SELECT id FROM merchant_auditevent ORDER BY id LOOP
        PERFORM audit_link(found);
    END LOOP;
END $$;
"""
TRIGGERS = """
CREATE TRIGGER audit_begins_unlinked BEFORE INSERT ON merchant_auditevent
FOR EACH ROW EXECUTE FUNCTION audit_begins_unlinked();
CREATE CONSTRAINT TRIGGER audit_is_linked AFTER INSERT ON merchant_auditevent
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_link_new();
"""
NO_TRIGGERS = """
DROP TRIGGER audit_is_linked ON merchant_auditevent;
DROP TRIGGER audit_begins_unlinked ON merchant_auditevent;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('merchant', '0006_webhook_secrets'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditHead',
            fields=[
                ('merchant', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='merchant.merchant')),
                ('number', models.BigIntegerField()),
                ('hash', models.CharField(blank=True, max_length=64)),
                ('kept_from', models.BigIntegerField(db_default=1, default=1)),
                ('kept_hash', models.CharField(blank=True, db_default='', max_length=64)),
            ],
        ),
        migrations.AddField(
            model_name='auditevent',
            name='address',
            field=models.GenericIPAddressField(null=True),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='hash',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='number',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='previous_hash',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='request_id',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['merchant', '-id'], name='audit_newest'),
        ),
        migrations.AddConstraint(
            model_name='auditevent',
            constraint=models.UniqueConstraint(fields=('merchant', 'number'), name='one_audit_event_per_number'),
        ),
        migrations.RunSQL(APPEND_ONLY, AS_BEFORE),
        migrations.RunSQL(FUNCTIONS, NOT_ANY_MORE),
        migrations.RunSQL(LINK_WHAT_IS_THERE, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
