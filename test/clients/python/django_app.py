"""Django: migrations of its own apps and of a model, inspectdb, the ORM, transactions."""

import decimal
import io
import os
import sys
import types

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"], "USER": os.environ["PGUSER"], "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"]}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "shop"],
    USE_TZ=True,
    SECRET_KEY="x",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
shop = types.ModuleType("shop")
shop.__path__ = [os.path.join(os.environ["TMPDIR"], "shop")]
shop.__file__ = os.path.join(shop.__path__[0], "__init__.py")
os.makedirs(os.path.join(shop.__path__[0], "migrations"), exist_ok=True)
for name in ("__init__.py", "migrations/__init__.py"):
    open(os.path.join(shop.__path__[0], name), "a").close()
sys.modules["shop"] = shop
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, connection, models, transaction  # noqa: E402
from django.db.models import Count, F, Q, Sum  # noqa: E402


class Customer(models.Model):
    name = models.CharField(max_length=50, unique=True)
    joined = models.DateTimeField(auto_now_add=True)
    data = models.JSONField(default=dict)

    class Meta:
        app_label = "shop"


class Order(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    total = models.DecimalField(max_digits=10, decimal_places=2, db_index=True)
    note = models.TextField(blank=True)
    paid = models.BooleanField(default=False)
    uid = models.UUIDField(null=True)

    class Meta:
        app_label = "shop"
        constraints = [models.CheckConstraint(check=Q(total__gte=0), name="total_gte_0")]
        indexes = [models.Index(fields=["customer", "-total"], name="by_total")]


call_command("makemigrations", "shop", verbosity=0)
call_command("migrate", verbosity=0)
call_command("migrate", verbosity=0)  # nothing is left
User.objects.create_user("ada", password="x")
assert User.objects.get(username="ada").has_perm("auth.add_user") is False

c = Customer.objects.create(name="Ada", data={"tags": ["x", "y"], "n": 1})
Order.objects.bulk_create([Order(customer=c, total=decimal.Decimal(i)) for i in range(50)])
assert Customer.objects.annotate(n=Count("orders"), s=Sum("orders__total")).values_list("n", "s").get() == (50, decimal.Decimal("1225"))
assert Order.objects.filter(Q(total__lt=5) | Q(total__gt=47)).update(total=F("total") + 1, paid=True) == 7
assert Customer.objects.filter(data__tags__contains="x", data__n=1).count() == 1
assert Order.objects.filter(customer__name__istartswith="a", paid=True).order_by("-total").first().total == 50
assert sum(1 for _ in Order.objects.all().iterator(chunk_size=10)) == 50
obj, made = Customer.objects.get_or_create(name="Bob")
assert made and not Customer.objects.get_or_create(name="Bob")[1]
try:
    with transaction.atomic():
        Customer.objects.create(name="Ada")
    raise AssertionError("a duplicate was taken")
except IntegrityError:
    pass
try:
    with transaction.atomic():
        Order.objects.create(customer=c, total=-1)
    raise AssertionError("a negative total was taken")
except IntegrityError:
    pass
with transaction.atomic():
    locked = Customer.objects.select_for_update().get(name="Ada")
    locked.data["n"] = 2
    locked.save()
    with transaction.atomic():
        Customer.objects.filter(name="Bob").delete()
c.delete()
assert Order.objects.count() == 0

out = io.StringIO()
call_command("inspectdb", "shop_order", "shop_customer", stdout=out)
for want in ("class ShopOrder", "total = models.DecimalField(max_digits=10, decimal_places=2)", "uid = models.UUIDField(blank=True, null=True)",
             "customer = models.ForeignKey('ShopCustomer', models.DO_NOTHING)", "name = models.CharField(unique=True, max_length=50)", "data = models.JSONField()"):
    assert want in out.getvalue(), (want, out.getvalue())
with connection.cursor() as cur:
    cons = connection.introspection.get_constraints(cur, "shop_order")
    assert cons["by_total"]["orders"] == ["ASC", "DESC"] and cons["total_gte_0"]["check"], cons
    assert connection.introspection.get_sequences(cur, "shop_order")[0]["column"] == "id"
call_command("sqlflush", stdout=io.StringIO())
call_command("flush", interactive=False, verbosity=0)
call_command("migrate", "shop", "zero", verbosity=0)
assert "shop_order" not in connection.introspection.table_names()
print("fine")
