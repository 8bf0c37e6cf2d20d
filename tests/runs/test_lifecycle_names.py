"""Names of runs: what is refused and how, who gets one that many ask for, renaming."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cifar_core.errors import RunError
from cifar_core.runs.lifecycle import create_run, rename_run
from cifar_core.runs.names import check_name, free_name
from cifar_core.runs.store import DataJob, find_run, list_runs, read_run
from tests.real_jobs import REQUEST, folders, new_run
from tests.waiting import LIMIT_S

REFUSED = {
    "empty": "",
    "spaces": "   ",
    "slash": "a/b",
    "backslash": "a\\b",
    "parent": "..",
    "dots": "....",
    "hidden": ".hidden",
    "climbing": "../../etc",
    "too long": "x" * 61,
    "newline": "a\nb",
    "tab": "a\tb",
    "null": "a\0b",
    "escape": "a\x1b[31m",
    "colon": "a:b",
    "quote": 'a"b',
    "a dash first": "--help",
    "markup": "<b>",
    "line separator": "a\u2028b",
    "right to left": "a\u202eb",
    "a mark first": "\u0301a",
    "a joiner first": "\u200da",
    "a zero width space": "a\u200bb",
    "a control character": "a\x1b[31mb",
    "no character": "a\uffff",
}


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_an_unfit_name_is_refused_with_what_is_accepted(runs: Path, name: str) -> None:
    keeper = new_run(runs, "keeper")
    with pytest.raises(RunError) as refused:
        check_name(runs, name)
    sentence = str(refused.value)
    assert repr(name.strip()) in sentence
    assert "1 to 60 letters" in sentence
    assert "no slashes" in sentence
    with pytest.raises(RunError):
        rename_run(read_run(keeper), name)
    if name:
        with pytest.raises(RunError):
            new_run(runs, name)
    assert folders(runs) == {keeper.name}
    assert read_run(keeper).name == "keeper"


FIT = (
    *("a", "x" * 60, "Über 9", "lr=0.1, wd (5e-4) #2", "v1.2-b_c+", "_1", "学"),
    *("प्रशिक्षण 2", "การฝึก", "பயிற்சி", "می\u200cخواهم", "ፈተና", "훈련", "تدريب", "אימון"),
)


@pytest.mark.parametrize("name", FIT)
def test_a_fit_name_is_taken_as_it_is(runs: Path, name: str) -> None:
    path = new_run(runs, name)
    assert read_run(path).name == name
    assert find_run(runs, name).path == path


def test_a_name_is_the_same_however_its_letters_are_composed(runs: Path) -> None:
    decomposed = "re\u0301sume\u0301 1"
    path = new_run(runs, decomposed)
    assert read_run(path).name == "r\u00e9sum\u00e9 1"
    assert find_run(runs, decomposed).path == find_run(runs, "r\u00e9sum\u00e9 1").path == path
    with pytest.raises(RunError, match="already a run named"):
        check_name(runs, decomposed)


def test_a_taken_name_is_refused_also_by_the_id_of_another(runs: Path) -> None:
    first, second = new_run(runs, "first"), new_run(runs, "second")
    for name in ("first", " first ", second.name):
        with pytest.raises(RunError, match=f"already a run named '{name.strip()}'"):
            new_run(runs, name)
    with pytest.raises(RunError, match="already a run named 'first'"):
        rename_run(read_run(second), "first")
    with pytest.raises(RunError, match="already a run named"):
        rename_run(read_run(second), first.name)
    assert folders(runs) == {first.name, second.name}
    assert {run.name for run in list_runs(runs)} == {"first", "second"}


def test_twenty_threads_ask_for_one_name_and_one_gets_it(runs: Path) -> None:
    def ask(number: int) -> str:
        try:
            return create_run(runs, REQUEST, "wanted").name
        except RunError as error:
            return str(error)

    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(ask, range(20)))
    assert len([text for text in told if "already a run named 'wanted'" in text]) == 19
    (made,) = folders(runs)
    assert made in told


def test_processes_ask_for_one_name_and_one_gets_it(runs: Path) -> None:
    code = """
import sys
from pathlib import Path
from cifar_core.runs.lifecycle import create_run
from cifar_core.errors import RunError
from tests.real_jobs import DOWNLOAD
print("ready", flush=True)
sys.stdin.readline()
for n in range(5):
    try:
        print("got", create_run(Path(sys.argv[1]), DOWNLOAD, f"wanted {n}").name)
    except RunError as error:
        print("refused", error)
"""
    command = [sys.executable, "-c", code, str(runs)]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(4)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    told = [
        line for worker in workers for line in worker.communicate(timeout=LIMIT_S)[0].splitlines()
    ]
    assert len([line for line in told if line.startswith("got")]) == 5
    assert len([line for line in told if "already a run named" in line]) == 15
    assert {run.name for run in list_runs(runs, DataJob)} == {f"wanted {n}" for n in range(5)}


def test_free_names_count_up_past_those_taken(runs: Path) -> None:
    assert free_name(runs, "convnet") == "convnet-1"
    for name in ("convnet-1", "convnet-3"):
        new_run(runs, name)
    assert free_name(runs, "convnet") == "convnet-2"


def test_renaming_keeps_the_notes_and_noting_keeps_the_name(runs: Path) -> None:
    path = create_run(runs, REQUEST, "first", "the notes")
    rename_run(read_run(path), " renamed ")
    assert (read_run(path).name, read_run(path).notes) == ("renamed", "the notes")
    rename_run(read_run(path), notes="other\nnotes")
    assert (read_run(path).name, read_run(path).notes) == ("renamed", "other\nnotes")
    rename_run(read_run(path), notes="")
    assert read_run(path).notes == ""
    rename_run(read_run(path), "renamed")  # its own name is not taken
    rename_run(read_run(path), path.name)  # nor its own id
    assert find_run(runs, path.name).name == path.name
    assert new_run(runs, "first").is_dir()  # the old name is free again
