from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("shop", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("key", models.TextField(primary_key=True, serialize=False)),
                ("fingerprint", models.TextField()),
                ("status", models.BigIntegerField(null=True)),
                ("headers", models.JSONField()),
                ("body", models.TextField()),
                ("leased_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "idempotency_keys",
            },
        ),
        migrations.CreateModel(
            name="Sentinel",
            fields=[
                ("tenant_id", models.BigIntegerField(primary_key=True, serialize=False)),
            ],
            options={
                "db_table": "tenant_sentinel",
            },
        ),
        migrations.AddField(
            model_name="jobbatch",
            name="cancelled_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="jobbatch",
            name="paused_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="jobbatch",
            name="resumed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="jobbatch",
            index=models.Index(
                condition=models.Q(("paused_at", None), _negated=True),
                fields=["id"],
                name="ix_job_batches_paused",
            ),
        ),
        migrations.AddIndex(
            model_name="marketplacejob",
            index=models.Index(
                condition=models.Q(("status", "pending")),
                fields=["lane", "due_at"],
                name="ix_marketplace_jobs_due_at",
            ),
        ),
        migrations.AddIndex(
            model_name="idempotencykey",
            index=models.Index(fields=["created_at"], name="ix_idempotency_keys_created_at"),
        ),
    ]
