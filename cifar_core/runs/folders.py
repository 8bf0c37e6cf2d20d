"""The folders of jobs: one's own, those that came with the app, and what lies in them."""

from pathlib import Path

from cifar_core.records import layout
from cifar_core.system.paths import shipped_root


def all_run_dirs(root: Path) -> list[Path]:
    """The folders of one's own and of all shipped jobs."""
    shipped = shipped_root()
    return run_dirs(root) + (run_dirs(shipped) if shipped != root else [])


def run_dirs(root: Path) -> list[Path]:
    """The folders of all jobs in a folder, in no order."""
    try:
        return [
            path.parent
            for path in root.glob(f"*/{layout.REQUEST}")
            if not path.parent.name.startswith(".")
        ]
    except OSError:
        return []


def epoch_files(run_dir: Path) -> list[Path]:
    """The files of the epochs that were kept, the first epoch first."""
    paths = run_dir.glob(f"{layout.EPOCHS}/*.npz")
    return sorted(path for path in paths if path.stem.isdecimal())
