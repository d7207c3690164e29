"""A SCIM service of django-scim2 on SQLite: `python serve_django.py PORT USERS FOLDER`.

Served at /scim/v2; whoever asks is let in. Every fifth user cannot log in. With `bulk` as a fourth
argument the users are made by bulk_create, which leaves every one of them the id "None".
"""

import sys
from pathlib import Path

_MODELS = """from django.contrib.auth.models import AbstractUser
from django.db import models
from django_scim.models import AbstractSCIMGroupMixin, AbstractSCIMUserMixin


class Team(AbstractSCIMGroupMixin):
    name = models.CharField(max_length=80, unique=True)


class Clerk(AbstractSCIMUserMixin, AbstractUser):
    scim_groups = models.ManyToManyField(Team, related_name="user_set")


def team():
    return Team
"""
urlpatterns = []


class EverybodyIsIn:
    """Logs the first user in."""

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, request):
        from staff.models import Clerk

        request.user = Clerk.objects.order_by("pk").first()
        return self.answer(request)


def set_up(folder: Path) -> None:
    """Makes the app `staff` with its models, and an empty database."""
    (folder / "staff").mkdir(parents=True, exist_ok=True)
    (folder / "staff" / "__init__.py").touch()
    (folder / "staff" / "models.py").write_text(_MODELS)
    sys.path.insert(0, str(folder))
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.urls import include, path

    apps = ["auth", "contenttypes", "sessions"]
    settings.configure(
        SECRET_KEY="for tests alone",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        AUTH_USER_MODEL="staff.Clerk",
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[*(f"django.contrib.{name}" for name in apps), "django_scim", "staff"],
        MIDDLEWARE=[f"{__name__}.EverybodyIsIn"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "db"}},
        SCIM_SERVICE_PROVIDER={
            "NETLOC": "localhost",
            "AUTHENTICATION_SCHEMES": [],
            "GROUP_MODEL": "staff.models.Team",
        },
    )
    django.setup()
    urlpatterns.append(path("scim/v2/", include("django_scim.urls", namespace="scim")))
    call_command("migrate", run_syncdb=True, verbosity=0)


def fill(count: int, *, in_bulk: bool) -> None:
    """Makes the users, and a team of the first."""
    from django.db import transaction
    from staff.models import Clerk, Team

    clerks = [
        Clerk(
            username=f"clerk{n}",
            scim_username=f"clerk{n}",
            is_active=n % 5 != 0,
            email=f"clerk{n}@example.com",
            first_name=f"Given{n}",
            last_name=f"Family{n}",
        )
        for n in range(1, count + 1)
    ]
    if in_bulk:
        Clerk.objects.bulk_create(clerks)
        return
    with transaction.atomic():  # one by one: the SCIM id is set as a user is saved
        for clerk in clerks:
            clerk.save()
        clerks[0].scim_groups.add(Team.objects.create(name="Desk", scim_display_name="Desk"))


if __name__ == "__main__":
    from wsgiref.simple_server import make_server

    set_up(Path(sys.argv[3]))
    fill(int(sys.argv[2]), in_bulk=len(sys.argv) > 4)
    from django.core.wsgi import get_wsgi_application

    make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application()).serve_forever()
