"""Every setting, once: type, default, bounds, help text.

base        Settings, the base class; `setting` declares one
train       TrainConfig: the settings of a run; a batch_size out of its bounds is refused here
lr_test     LRTestConfig: the settings of an LR test
recipes     named starting points
display     settings as text, and those in which runs differ
reference   generates docs/settings.md
"""
