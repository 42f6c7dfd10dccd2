"""Measurements that take longer than tests: speed, memory, thresholds. One command each."""
