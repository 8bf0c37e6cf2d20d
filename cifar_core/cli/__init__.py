"""python -m cifar_core COMMAND.

main      the parser; the commands summary and train
settings  a command-line option for each setting
data      data, augment
runs      runs list, show, stop, resume, extend, rename, delete
lr_find   lr-find
explain   evaluate, explain
report    rank, report
plot      plot
publish   publish
sheets    data sheet, errors
out_file  the file that a command writes: checked first, written whole
follow    a job on the terminal from start to end
terminal  what a terminal gets: nothing that controls it
output    tables, JSON and text in any terminal
"""
