"""Every setting, once: type, default, bounds, help text.

base        what all settings have in common; what refuses a wrong value
train       TrainConfig: the settings of a run (batch_size and its bounds, for example)
lr_test     LRTestConfig: those of an LR test
recipes     named starting points
reference   makes docs/settings.md
"""
