"""Files of the shape of the published ImageNet scores, which cannot be had where the tests run.

As far as it is documented: one header row, commas, a running index, the name of the image, the score;
1,281,167 rows. Names of columns and the exact form of the image names are invented.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np


def write_published(folder: Path, metric: str = "DDD", rows: int = 1_281_167, header: str = ",image,score") -> Path:
    """`ImageNet-1K_<metric>.csv` in a folder."""
    rng = np.random.default_rng(0)
    classes = rng.integers(1_000, size=rows).tolist()
    scores = rng.normal(size=rows).astype(np.float32).astype(np.float64).tolist()
    path = folder / f"ImageNet-1K_{metric}.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(header + "\n")
        file.writelines(
            f"{row},n{label:08d}/n{label:08d}_{row}.JPEG,{score!r}\n"
            for row, (label, score) in enumerate(zip(classes, scores, strict=True))
        )
    return path
