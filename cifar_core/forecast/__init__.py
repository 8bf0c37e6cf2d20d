"""What a run will take on this machine, before it is started.

forecast     seconds, memory and what limits the speed, from measured throughput
measure      measures the throughput of a config
preflight    the process that measures, and the file it leaves
quick_run    a training sized for about a minute on this machine
disk_space   what a run will occupy, and whether it fits
"""
