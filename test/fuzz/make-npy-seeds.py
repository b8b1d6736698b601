#!/usr/bin/env python3
"""Writes seeds for fuzz_npy as NumPy itself writes them. Usage: make-npy-seeds.py FOLDER (needs numpy)."""
import sys
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
small = np.arange(6, dtype=np.float32).reshape(2, 3)

for dtype in ["f2", "f4", "f8", "i1", "i8", "u2", "?"]:
    np.save(folder / f"{np.dtype(dtype).name}.npy", small.astype(dtype))
np.save(folder / "fortran.npy", np.asfortranarray(small))
np.save(folder / "scalar.npy", np.float32(1))
np.save(folder / "empty.npy", np.zeros((2, 0, 3), np.int32))
np.save(folder / "big-endian.npy", small.astype(">f4"))
np.save(folder / "structured.npy", np.zeros(2, [("a", "<f4"), ("b", "<i8")]))
for version in [(2, 0), (3, 0)]:
    with open(folder / f"version-{version[0]}.npy", "wb") as file:
        npy_format.write_array(file, small, version)
np.savez(folder / "stored.npz", x=small, y=small.astype(np.int64))
np.savez_compressed(folder / "deflated.npz", x=small)
(folder / "truncated.npz").write_bytes((folder / "stored.npz").read_bytes()[:400])
