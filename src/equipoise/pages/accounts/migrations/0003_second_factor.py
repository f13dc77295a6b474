"""A table for second factors."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Second factors."""

    dependencies = [("accounts", "0002_account_must_change")]

    operations = [
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("sealed", models.BinaryField()),
                ("since", models.BigIntegerField(default=0)),
                ("last_step", models.BigIntegerField(default=0)),
                ("recovery", models.TextField(default="[]")),
                ("failures", models.BigIntegerField(default=0)),
                ("paused_until", models.BigIntegerField(default=0)),
            ],
            options={"db_table": "second_factor"},
        )
    ]
