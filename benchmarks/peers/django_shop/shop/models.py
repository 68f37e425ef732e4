"""The tables that each shop has, with the columns, indexes and checks they have in StoFlow."""

from typing import Any

from django.db import models
from django.db.models import CheckConstraint, Deferrable, F, Index, Q, UniqueConstraint
from django.db.models.functions import Coalesce

CHANNELS = ("ebay", "etsy", "vinted", "bazaar")
ACTIONS = ("publish", "update", "delete", "sync", "orders", "message", "link")


def one_of(table: str, column: str, *words: str) -> CheckConstraint:
    """A column that holds one of these words."""
    return CheckConstraint(condition=Q(**{f"{column}__in": words}), name=f"ck_{table}_{column}")


def word(**options: Any) -> models.CharField:
    """A short text from a list."""
    return models.CharField(max_length=32, **options)


def belongs_to(table: str, **options: Any) -> models.ForeignKey:
    """A reference; indexed only where StoFlow has that index."""
    return models.ForeignKey(table, models.CASCADE, db_index=False, **options)


class Product(models.Model):
    """One thing for sale."""

    handle = models.TextField()
    title = models.TextField()
    description = models.TextField()
    status = word()
    brand = models.TextField(null=True)
    category_code = models.TextField(null=True)
    condition_code = models.TextField(null=True)
    department_code = models.TextField(null=True)
    attributes = models.JSONField()
    tags = models.JSONField()
    option_names = models.JSONField()
    currency = models.TextField()
    version = models.BigIntegerField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "products"
        indexes = [
            Index(
                fields=["created_at", "id"],
                condition=Q(deleted_at=None),
                name="ix_products_live_newest",
            )
        ]
        constraints = [
            one_of("products", "status", "draft", "active", "archived"),
            UniqueConstraint(
                fields=["handle"], condition=Q(deleted_at=None), name="uq_products_live_handle"
            ),
        ]


class ProductVariant(models.Model):
    """What a buyer can order."""

    product = belongs_to(Product, related_name="variants")
    position = models.BigIntegerField()
    sku = models.TextField(null=True)
    barcode = models.TextField(null=True)
    option_values = models.JSONField()
    price_minor = models.BigIntegerField()
    quantity = models.BigIntegerField()
    weight_grams = models.BigIntegerField(null=True)
    channel_key = models.TextField()

    class Meta:
        db_table = "product_variants"
        indexes = [Index(fields=["sku"], name="ix_product_variants_sku")]
        constraints = [
            UniqueConstraint(
                fields=["product", "position"],
                deferrable=Deferrable.DEFERRED,
                name="uq_product_variants_position",
            ),
            UniqueConstraint(fields=["channel_key"], name="uq_product_variants_channel_key"),
            CheckConstraint(condition=Q(price_minor__gt=0), name="ck_variants_price"),
            CheckConstraint(condition=Q(quantity__gte=0), name="ck_variants_quantity"),
        ]


class ProductImage(models.Model):
    """A photo."""

    product = belongs_to(Product, related_name="images")
    position = models.BigIntegerField()
    sha256 = models.TextField()
    object_key = models.TextField()
    content_type = models.TextField()
    width = models.BigIntegerField()
    height = models.BigIntegerField()
    bytes = models.BigIntegerField()
    alt_text = models.TextField()
    source = models.TextField(null=True)

    class Meta:
        db_table = "product_images"
        indexes = [
            Index(fields=["source"], condition=~Q(source=None), name="ix_product_images_source")
        ]
        constraints = [
            UniqueConstraint(
                fields=["product", "position"],
                deferrable=Deferrable.DEFERRED,
                name="uq_product_images_position",
            ),
            UniqueConstraint(fields=["product", "sha256"], name="uq_product_images_sha256"),
        ]


class MissingImage(models.Model):
    """A photo that an import could not get."""

    product = belongs_to(Product)
    source = models.TextField()
    problem = models.TextField()
    tried_at = models.DateTimeField()

    class Meta:
        db_table = "missing_images"
        constraints = [UniqueConstraint(fields=["product", "source"], name="uq_missing_images")]


class EbayConnection(models.Model):
    """The shop's eBay account."""

    id = models.BigIntegerField(primary_key=True)
    status = word()
    remote_user_id = models.TextField()
    username = models.TextField()
    marketplace_id = models.TextField()
    access_token = models.TextField()
    access_expires_at = models.DateTimeField()
    refresh_token = models.TextField()
    refresh_expires_at = models.DateTimeField()
    scopes = models.JSONField()
    refreshing_until = models.DateTimeField(null=True)
    readiness = models.JSONField()
    connected_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ebay_connections"
        constraints = [
            CheckConstraint(condition=Q(id=1), name="ck_ebay_connections_only_one"),
            one_of("ebay_connections", "status", "connected", "needs_reauth", "disconnected"),
        ]


class EbayPicture(models.Model):
    """A photo already at eBay."""

    sha256 = models.TextField(primary_key=True)
    image_url = models.TextField()
    expires_at = models.DateTimeField(null=True)
    uploaded_at = models.DateTimeField()

    class Meta:
        db_table = "ebay_pictures"


class EbayProductChoice(models.Model):
    """What a seller decided for eBay alone."""

    product = belongs_to(Product)
    category_id = models.TextField(null=True)
    aspects = models.JSONField()

    class Meta:
        db_table = "ebay_product_choices"
        constraints = [UniqueConstraint(fields=["product"], name="uq_ebay_product_choices")]


class JobBatch(models.Model):
    """Jobs that were asked for together."""

    action = word()
    requested_by = models.BigIntegerField()
    created_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    resumed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "job_batches"
        indexes = [Index(fields=["id"], condition=~Q(paused_at=None), name="ix_job_batches_paused")]
        constraints = [one_of("job_batches", "action", *ACTIONS)]


class MarketplaceJob(models.Model):
    """One piece of background work."""

    batch = belongs_to(JobBatch, null=True)
    channel = word()
    action = word()
    product = belongs_to(Product, null=True)
    lane = word()
    priority = models.BigIntegerField()
    status = word()
    outcome = word(null=True)
    due_at = models.DateTimeField()
    attempts = models.BigIntegerField()
    max_attempts = models.BigIntegerField()
    waiting_for = models.TextField(null=True)
    problem_code = models.TextField(null=True)
    problem_detail = models.TextField(null=True)
    problem_fields = models.JSONField()
    payload = models.JSONField()
    progress = models.JSONField()
    result = models.JSONField(null=True)
    lease_id = models.UUIDField(null=True)
    lease_owner = models.TextField(null=True)
    leased_until = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    requested_by = models.BigIntegerField()
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "marketplace_jobs"
        indexes = [
            Index(fields=["batch"], name="ix_marketplace_jobs_batch_id"),
            Index(fields=["product"], name="ix_marketplace_jobs_product_id"),
            Index(
                fields=["lane", "priority", "id"],
                condition=Q(status="pending"),
                name="ix_marketplace_jobs_due",
            ),
            Index(
                fields=["lane", "due_at"],
                condition=Q(status="pending"),
                name="ix_marketplace_jobs_due_at",
            ),
            Index(
                fields=["leased_until"],
                condition=Q(status__in=["running", "parked"]),
                name="ix_marketplace_jobs_leased",
            ),
        ]
        constraints = [
            one_of("marketplace_jobs", "channel", *CHANNELS),
            one_of("marketplace_jobs", "action", *ACTIONS),
            one_of("marketplace_jobs", "lane", "realtime", "bulk"),
            one_of(
                "marketplace_jobs", "status", "pending", "running", "parked", "done", "cancelled"
            ),
            one_of("marketplace_jobs", "outcome", "ok", "rejected", "unknown", "blocked"),
            UniqueConstraint(
                Coalesce(F("product_id"), 0),
                "channel",
                "action",
                condition=Q(status__in=["pending", "running", "parked"]),
                name="uq_marketplace_jobs_live",
            ),
        ]


class JobStep(models.Model):
    """One line of a job's story."""

    job = belongs_to(MarketplaceJob)
    attempt = models.BigIntegerField()
    name = models.TextField()
    lease_owner = models.TextField()
    request_digest = models.TextField(null=True)
    response_digest = models.TextField(null=True)
    http_status = models.BigIntegerField(null=True)
    detail = models.JSONField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()

    class Meta:
        db_table = "job_steps"
        indexes = [Index(fields=["job", "id"], name="ix_job_steps_job_id")]


class ChannelListing(models.Model):
    """What is listed where."""

    product = belongs_to(Product)
    channel = word()
    status = word()
    listing_id = models.TextField()
    url = models.TextField(null=True)
    remote = models.JSONField()
    product_version = models.BigIntegerField()
    read_back = models.JSONField()
    published_at = models.DateTimeField()
    checked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "channel_listings"
        constraints = [
            one_of("channel_listings", "channel", *CHANNELS),
            one_of("channel_listings", "status", "live", "ended"),
            UniqueConstraint(fields=["product", "channel"], name="uq_channel_listings"),
        ]


class IdempotencyKey(models.Model):
    """The answer to a request that may come again."""

    key = models.TextField(primary_key=True)
    fingerprint = models.TextField()
    status = models.BigIntegerField(null=True)
    headers = models.JSONField()
    body = models.TextField()
    leased_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_keys"
        indexes = [Index(fields=["created_at"], name="ix_idempotency_keys_created_at")]


class Sentinel(models.Model):
    """A row by which a schema says whose it is."""

    tenant_id = models.BigIntegerField(primary_key=True)

    class Meta:
        db_table = "tenant_sentinel"
