"""The app under Streamlit's AppTest: opening a page, what is written on it."""

from typing import Any

from streamlit.testing.v1 import AppTest

from cifar_core.system.paths import repository
from tests.waiting import LIMIT_S


def app(page: str = "home", /, **query: str) -> AppTest:
    """The app after its first run, on a page."""
    at = AppTest.from_file(repository() / "app.py", default_timeout=LIMIT_S).run()
    for name, value in query.items():
        at.query_params[name] = value
    if page != "home":
        at.switch_page(f"pages/{page}.py").run()
    return at


def opened_again(at: AppTest, page: str, /, run: str = "first", **query: str) -> AppTest:
    """A page in a session that is open already, as after a click on a link: one run less."""
    at.query_params.clear()
    for name, value in {"run": run, **query}.items():
        at.query_params[name] = value
    at.switch_page(f"pages/{page}.py").run()
    assert not at.exception, page
    return at


def texts(at: AppTest) -> str:
    """Everything written on the page."""
    parts = [*at.title, *at.caption, *at.markdown, *at.subheader, *at.info, *at.error]
    return "\n".join(str(part.value) for part in parts)


def button(at: AppTest, label: str) -> Any:
    return next(b for b in at.button if b.label == label)


def in_url(at: AppTest, name: str) -> str:
    """A value in the URL; AppTest has it bare or in a list, by how it got there."""
    value: Any = at.query_params[name]
    return value if isinstance(value, str) else value[0]
