"""Selections: the same images have the same link, names stay, the oldest unnamed ones go."""

from pathlib import Path

import pytest

from cifar_core.errors import RunError
from cifar_core.evaluation.selections import (
    MAX_UNNAMED,
    delete_selection,
    find_selection,
    named_selections,
    save_selection,
)


def test_the_same_images_have_the_same_link(tmp_path: Path) -> None:
    first = save_selection(tmp_path, "test", [7, 3, 7])
    assert first.indices == (3, 7)
    assert save_selection(tmp_path, "test", [3, 7]) == first
    assert find_selection(tmp_path, first.selection_id) == first
    assert save_selection(tmp_path, "val", [3, 7]).selection_id != first.selection_id


def test_a_name_stays_until_another_is_given(tmp_path: Path) -> None:
    save_selection(tmp_path, "test", [1, 2], " birds on blue ")
    kept = save_selection(tmp_path, "test", [1, 2])
    assert str(kept) == "birds on blue (2)"
    assert named_selections(tmp_path, "test") == [kept]
    assert named_selections(tmp_path, "val") == []
    renamed = save_selection(tmp_path, "test", [1, 2], "birds")
    assert named_selections(tmp_path, "test") == [renamed]


def test_the_oldest_unnamed_ones_are_dropped(tmp_path: Path) -> None:
    named = save_selection(tmp_path, "test", [0, 9999], "stays")
    kept = [save_selection(tmp_path, "test", [n]) for n in range(MAX_UNNAMED + 3)]
    assert len(list(tmp_path.glob("selections/*.json"))) == MAX_UNNAMED + 1
    assert find_selection(tmp_path, named.selection_id) == named
    assert find_selection(tmp_path, kept[-1].selection_id) == kept[-1]
    with pytest.raises(RunError, match="no selection"):
        find_selection(tmp_path, kept[0].selection_id)


def test_a_forgotten_one_is_gone(tmp_path: Path) -> None:
    kept = save_selection(tmp_path, "test", [4], "one")
    delete_selection(tmp_path, kept.selection_id)
    delete_selection(tmp_path, kept.selection_id)
    assert named_selections(tmp_path, "test") == []


def test_an_unfit_name_is_refused(tmp_path: Path) -> None:
    for name in ("", "   ", "x" * 61):
        with pytest.raises(RunError, match="1 to 60 characters"):
            save_selection(tmp_path, "test", [1], name)
    assert not list(tmp_path.iterdir())


def test_nothing_picked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="needs at least one image"):
        save_selection(tmp_path, "test", [])


def test_an_unknown_id_is_refused(tmp_path: Path) -> None:
    for text in ("../request", "", "0123456789", "a/b"):
        with pytest.raises(RunError, match="There is no selection"):
            find_selection(tmp_path, text)
        delete_selection(tmp_path, text)


def test_a_damaged_selection_is_as_none(tmp_path: Path) -> None:
    selection = save_selection(tmp_path, "test", [1], "one")
    path = tmp_path / "selections" / f"{selection.selection_id}.json"
    damaged = ("", "[]", '{"name": 1}', '{"name":"a","split":"test","indices":["x"]}')
    for content in damaged:
        path.write_text(content)
        assert named_selections(tmp_path, "test") == [], content
        with pytest.raises(RunError):
            find_selection(tmp_path, selection.selection_id)


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "selections").write_text("a file in the way")
    with pytest.raises(RunError, match="cannot be written"):
        save_selection(tmp_path, "test", [1])
