"""Files, processes, locks, hardware, memory, randomness.

paths             the cache, the folder of the runs, the repository
files             atomic writes, and reads that tolerate damage
json_files        JSON files as frozen, checked dataclasses
processes         start processes that outlive their parent
process_identity  identify a process by pid and start time
locks             locks on folders and devices
threads           fewer torch threads while another process uses the CPU
progress          progress of a long operation
memory            available memory; peak memory of a process
utilization       current load of CPU and GPU
runtime           device, precision and memory format, each with its reason; bf16 or not
seeds             all randomness from (seed, purpose, epoch, step)
"""
