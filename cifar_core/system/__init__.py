"""What the operating system gives: files, processes, locks, hardware, memory, randomness.

paths             the cache, the folder of the runs, the repository
files             atomic writes, and reads that meet anything
json_files        JSON files as frozen, checked dataclasses
processes         start processes that outlive whoever starts them
process_identity  which process is ours: pid and start time
locks             locks that die with their holder: of a folder, of a device
threads           fewer threads beside another process
progress          how far something long has come
memory            what the system has left; peak memory of a process
utilisation       how busy CPU and GPU are now
runtime           device, precision and memory format, each with its reason; bf16 or not
seeds             all randomness from (seed, purpose, epoch, step)
"""
