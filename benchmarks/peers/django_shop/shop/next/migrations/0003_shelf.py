from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_later_tables")]

    operations = [
        migrations.AddField("product", "shelf", models.TextField(null=True)),
        migrations.AddIndex("product", models.Index(fields=["shelf"], name="ix_products_shelf")),
    ]
