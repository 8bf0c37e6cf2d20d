"""What a run will take on this machine, before it is started.

forecast     seconds, memory and what limits the speed, from measured throughput
measure      measures the throughput of a config
preflight    the process that measures, and the file it leaves
disk_space   what a run will occupy, and whether it fits
"""
