"""The audit cannot be rewritten, not even by the product itself."""

from django.db import migrations

FORBID = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events cannot be changed or deleted';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON merchant_auditevent
FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
"""
ALLOW = """
DROP TRIGGER audit_is_append_only ON merchant_auditevent;
DROP FUNCTION audit_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("merchant", "0001_initial")]

    operations = [migrations.RunSQL(FORBID, ALLOW)]
