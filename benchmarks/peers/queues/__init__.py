"""Job queues on one flat table: each of these prints one line of JSON.

python -m queues.procrastinate_jobs JOBS PICK_UPS, with BENCH_DATABASE_URL, an empty database.
"""
