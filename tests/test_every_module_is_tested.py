"""Every module has a test file of its name, or the file that tests it stands in a table."""

import re

from cifar_core.system.paths import repository

CORE, TESTS = repository() / "cifar_core", repository() / "tests"
# Modules without a test file of their own name, by the file that tests them.
TESTED_IN = {
    # A contract over the whole catalog: each operation goes through all of these.
    "augment/test_catalog.py": "augment.albumentations_calls augment.catalog_color "
    "augment.catalog_geometry augment.params augment.presets",
    "augment/test_independence.py": "augment.pipeline",
    "augment/test_kernels.py": "augment.draws augment.kernels_cpu",
    "augment/test_preview.py": "augment.applied",
    # A contract over every registered model, and over every method at every layer.
    "models/test_models.py": "models.convnet models.resnet models.sepnet models.speednet",
    "explain/test_gradcam.py": "explain.library explain.methods",
    # Seen at the data sets that they draw and read.
    "data/test_shapes.py": "data.shape_outlines data.shape_paint",
    "data/test_sources.py": "data.batch_files data.parquet_files data.split_build",
    # Seen at the commands and jobs that they are part of, run for real.
    "cli/test_main.py": "__main__ cli.data cli.output cli.report",
    "jobs/test_launch.py": "jobs.launch_analysis jobs.context jobs.tasks.shared",
    "jobs/test_resume.py": "jobs.tasks.train",
    "reliability/test_turns.py": "jobs.queue",
    "evaluation/test_features.py": "jobs.tasks.embed",
    "evaluation/test_augmentation_effect.py": "jobs.tasks.effect",
    "explain/test_road.py": "jobs.tasks.road",
    "report/test_html.py": "jobs.tasks.report plots.html",
    "jobs/tasks/test_lr_find.py": "cli.lr_find",
    "report/test_publish.py": "cli.publish explain.error_maps",
    "pages/test_start_once.py": "runs.dedup",
    "checkpoints/test_checkpoint_sealed.py": "checkpoints.manifest",
    "forecast/test_preflight.py": "forecast.measure",
    "training/test_engine.py": "training.state",
    "evaluation/test_predictor.py": "training.inference",
    # Names, types and texts without code of their own, seen at those who use them.
    "runs/test_lifecycle_names.py": "runs.names",
    "runs/test_files.py": "runs.requests records.layout errors",
    "data/test_download.py": "system.progress",
    "data/test_store.py": "data.arrays",
    "plots/test_training.py": "plots.references",
    "config/test_train.py": "config.display",
    "test_docs.py": "config.reference",
}


def has_test_file(module: str) -> bool:
    """Whether tests/ has a file of the module's name, or several that begin with it."""
    room, _, name = module.rpartition(".")
    folder = TESTS / room.replace(".", "/")
    return any(re.fullmatch(rf"test_{name}(_\w+)?\.py", file.name) for file in folder.glob("*"))


def test_every_module_has_its_test_file_or_stands_in_the_table() -> None:
    """Pages are run by tests/pages and tests/e2e, whose files are named after what a user does."""
    modules = {
        ".".join(path.relative_to(CORE).with_suffix("").parts)
        for path in CORE.rglob("*.py")
        if path.stem != "__init__"
    }
    listed = [module for line in TESTED_IN.values() for module in line.split()]
    assert sorted(m for m in modules if not has_test_file(m)) == sorted(listed)
    assert [file for file in TESTED_IN if not (TESTS / file).is_file()] == []
