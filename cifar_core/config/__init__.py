"""Every setting, once: type, default, bounds, help text.

base        Settings, the base class; `setting` declares one
train       TrainConfig: the settings of a run; a batch_size out of its bounds is refused here
lr_test     LRTestConfig: the settings of an LR test
recipes     named starting points
reference   generates docs/settings.md
"""
