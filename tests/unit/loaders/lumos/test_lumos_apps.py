from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from loaders.lumos.apps import create_app, find_app
from loaders.lumos.client import LumosApi
from loaders.lumos.retries import Retry
from schemas.errors import ConfigError, LumosRefusedError, LumosUnavailableError
from schemas.source_file.blocks import App
from tests.leases import still_held

CATEGORIES = ["HR & Learning", "IT & Security", "Other"]


class Lumos:
    """The endpoints of apps, over a list of them."""

    def __init__(self, *apps: dict[str, Any], trouble_on_post: int | None = None) -> None:
        self.apps = list(apps)
        self.posted: list[dict[str, Any]] = []
        self.trouble_on_post = trouble_on_post
        self.is_made_in_trouble = False
        self.pages: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0]
        if path == "/apps/categories":
            return httpx.Response(200, json=CATEGORIES)
        if path == "/apps" and request.method == "POST":
            return self.made(httpx.Response(200, content=request.read()).json())
        if path == "/apps":
            return self.listed(request.url.params)
        found = [app for app in self.apps if path == f"/apps/{app['id']}"]
        return httpx.Response(200, json=found[0]) if found else httpx.Response(404)

    def made(self, body: dict[str, Any]) -> httpx.Response:
        self.posted.append(body)
        if self.trouble_on_post is None or self.is_made_in_trouble:
            self.apps.append(app(body["name"], "made"))
        if self.trouble_on_post is not None:
            return httpx.Response(self.trouble_on_post)
        return httpx.Response(200, json=self.apps[-1])

    def listed(self, params: httpx.QueryParams) -> httpx.Response:
        like = params["name_search"].lower()
        found = [one for one in self.apps if like in one["user_friendly_label"].lower()]
        page, size = int(params["page"]), int(params["size"])
        self.pages.append(page)
        items = found[(page - 1) * size : page * size]
        return httpx.Response(200, json={"items": items, "total": len(found)})


def app(name: str, app_id: str, *, disconnected: bool = False) -> dict[str, Any]:
    return {"id": app_id, "user_friendly_label": name, "disconnected": disconnected}


def api_of(lumos: Lumos) -> LumosApi:
    return LumosApi(
        "https://api.lumos.example",
        SecretStr("lsk_x"),
        transport=httpx.MockTransport(lumos),
        retry=Retry(attempts=2),
        sleep=lambda _: None,
    )


def named(name: str, category: str | None = None) -> App:
    create = None if category is None else {"category": category, "description": "People"}
    return App.model_validate({"name": name, "create": create})


def test_an_app_is_found_by_its_exact_name_among_many_like_it() -> None:
    others = [app(f"HR Portal {n}", f"no-{n}") for n in range(150)]
    lumos = Lumos(app("hr portal", "lower"), *others, app("HR Portal", "right"))
    assert find_app(api_of(lumos), named("HR Portal")) == "right"
    assert lumos.pages == [1, 2]


def test_an_app_that_is_not_there_is_not_found() -> None:
    assert find_app(api_of(Lumos(app("HR Portal 2", "x"))), named("HR Portal")) is None


def test_a_disconnected_app_is_not_the_one_that_is_meant() -> None:
    lumos = Lumos(app("HR", "old", disconnected=True), app("HR", "new"))
    assert find_app(api_of(lumos), named("HR")) == "new"


def test_two_apps_of_one_name_are_for_a_person_to_tell_apart() -> None:
    lumos = Lumos(app("HR", "one"), app("HR", "two"))
    with pytest.raises(LumosRefusedError, match=r"2 apps.*app\.id.*one, two"):
        find_app(api_of(lumos), named("HR"))


def test_an_app_is_found_by_its_id() -> None:
    assert find_app(api_of(Lumos(app("HR", "one"))), App(id="one", name=None)) == "one"


@pytest.mark.parametrize("app_id", ["two", "../apps", "one/../two", "a?b#c"])
def test_an_id_that_lumos_does_not_know_is_refused(app_id: str) -> None:
    with pytest.raises(LumosRefusedError, match=r"app\.id: Lumos has no app") as caught:
        find_app(api_of(Lumos(app("HR", "one"))), App(id=app_id, name=None))
    assert caught.value.status == 404
    assert caught.value.__context__ is None


def test_a_new_app_is_made_as_the_source_file_says() -> None:
    lumos = Lumos()
    assert create_app(api_of(lumos), named("HR", "HR & Learning"), check=still_held) == "made"
    said = {"name": "HR", "category": "HR & Learning", "description": "People"}
    assert lumos.posted == [said]


@pytest.mark.parametrize(
    ("category", "hint"),
    [
        ("HR", "did you mean 'HR & Learning'"),
        ("HR_AND_LEARNING", "did you mean 'HR & Learning'"),
        ("it & securty", "did you mean 'IT & Security'"),
        ("Zzz", "it has HR & Learning, IT & Security, Other"),
    ],
)
def test_a_category_that_lumos_does_not_have_is_refused(category: str, hint: str) -> None:
    lumos = Lumos()
    with pytest.raises(ConfigError, match=hint):
        create_app(api_of(lumos), named("HR", category), check=still_held)
    assert lumos.posted == []


def test_an_app_that_may_not_be_made_is_not_made() -> None:
    with pytest.raises(ConfigError, match="may not be made"):
        create_app(api_of(Lumos()), named("HR"), check=still_held)


def test_an_app_that_was_made_before_the_answer_was_lost_is_not_made_twice() -> None:
    lumos = Lumos(trouble_on_post=502)
    lumos.is_made_in_trouble = True
    assert create_app(api_of(lumos), named("HR", "Other"), check=still_held) == "made"
    assert len(lumos.posted) == 1


def test_an_app_that_was_not_made_is_an_outage() -> None:
    lumos = Lumos(trouble_on_post=502)
    with pytest.raises(LumosUnavailableError, match="502"):
        create_app(api_of(lumos), named("HR", "Other"), check=still_held)


@pytest.mark.parametrize("answer", [[], {"items": 3}, {"items": [3]}, {"total": 1}, 7])
def test_a_list_of_apps_in_another_shape_is_refused(answer: object) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
    with (
        LumosApi("https://x.example", SecretStr("t"), transport=transport) as api,
        pytest.raises(LumosRefusedError, match="is LUMOS_API_URL right"),
    ):
        find_app(api, named("HR"))
