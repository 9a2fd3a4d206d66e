"""Time and peak memory of selection from a Parquet folder larger than memory may be, without and with class floors.

    python -m benchmarks.streaming_selection 10000000 100000000

Makes a folder of files of 10^7 rows (float32 score, int64 id, int16 label of 1000 classes), 13 bytes per row, selects
from it in a process of its own, and removes it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from perceptron_theory.keeplists.streaming.selection import select_stream

FILE_ROWS = 10_000_000
ROW_GROUP = 1_000_000


def make(folder: Path, rows: int, classes: int) -> None:
    """Scores that differ between classes, of unequal size; 30 % of them are 0, as forgetting counts are."""
    schema = pa.schema({"score": pa.float32(), "id": pa.int64(), "label": pa.int16()})
    for file, first in enumerate(range(0, rows, FILE_ROWS)):
        rng = np.random.default_rng(file)
        with pq.ParquetWriter(folder / f"part-{file:05d}.parquet", schema) as writer:
            for start in range(first, min(first + FILE_ROWS, rows), ROW_GROUP):
                n = min(ROW_GROUP, rows - start)
                label = (classes * rng.random(n) ** 1.5).astype(np.int16)
                score = rng.gamma(1.0 + 2.0 * label / classes).astype(np.float32)
                score[rng.random(n) < 0.3] = 0.0
                ids = np.arange(start, start + n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(1)
                writer.write_table(pa.table([score, ids.astype(np.int64), label], schema=schema))


def measure(folder: str, out: str, floor: str, workers: str) -> None:
    """In a process of its own: select, and say how long it took and how much memory the largest process had."""
    started = time.perf_counter()
    with ProcessPoolExecutor(int(workers)) if int(workers) else nullcontext() as executor:
        keep = select_stream(
            folder,
            0.3,
            higher_is="harder",
            ids="id",
            labels="label",
            class_floor=float(floor) if floor else None,
            out=out,
            executor=executor,
        )
    seconds = time.perf_counter() - started
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in used)
    print(json.dumps([keep.count, seconds, cpu, max(one.ru_maxrss for one in used) / 2**20]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="+")
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=0, help="processes; default: one, without an executor")
    parser.add_argument("--scratch", help="folder for the tables; default: the system's")
    arguments = parser.parse_args()
    print(f"{'rows':>13} {'kept':>12} {'floors':>7} {'seconds':>9} {'CPU s':>9} {'peak GiB':>9}")
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
            table = Path(scratch, "table")
            table.mkdir()
            make(table, rows, arguments.classes)
            for floor in ("", "0.5"):
                call = "import sys; from benchmarks.streaming_selection import measure; measure(*sys.argv[1:])"
                given = [str(table), str(Path(scratch, "out")), floor, str(arguments.workers)]
                done = subprocess.run([sys.executable, "-c", call, *given], check=True, capture_output=True).stdout
                kept, seconds, cpu, peak = json.loads(done)
                print(f"{rows:13,} {kept:12,} {floor or 'none':>7} {seconds:9.1f} {cpu:9.1f} {peak:9.2f}", flush=True)


if __name__ == "__main__":
    main()
