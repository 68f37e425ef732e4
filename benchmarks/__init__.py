"""Questions answered with figures: `make bench NAME=provisioning`.

Each prints medians and ratios measured in one run; the last line is JSON. Machines are noisy, so
quote ratios. Benchmarks are commands, never timed tests.
"""
