"""Whether a password was made by somebody else and has to be replaced first."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the column; everybody who is in already goes on as before."""

    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField("account", "must_change", models.BooleanField(default=False)),
    ]
