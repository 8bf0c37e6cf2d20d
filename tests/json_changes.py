"""Other values for any place in a JSON file, and how they get there."""

import json
from collections.abc import Iterator
from typing import Any

NESTED = "[" * 3000 + "]" * 3000
# Written as JSON text, since some of them are none that Python would write.
VALUES = ["null", "true", "0", "-1", "1e400", "1" * 400, '"x"', '""', "[]", "{}", "[[4]]", NESTED]
VALUES += ['"\\ud83d\\ude42"', '{"pid": 1}', "NaN"]


def paths_of(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The place of every value in nested objects."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield (*path, name)
        yield from paths_of(inner, (*path, name))


def changed(content: str, path: tuple[str, ...], text: str | None) -> str:
    """JSON with another value, given as text, at a place; without it for None."""
    whole = json.loads(content)
    inner = whole
    for name in path[:-1]:
        inner = inner[name]
    if text is None:
        del inner[path[-1]]
        return json.dumps(whole)
    inner[path[-1]] = "@@@"
    return json.dumps(whole).replace('"@@@"', text)
