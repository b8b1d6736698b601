"""Writes the corpus of fuzz_npy: files as NumPy writes them, and one for each way to be broken.   make-npy-seeds.py FOLDER (needs numpy)"""
import io, os, struct, sys, zipfile
import numpy as np
from numpy.lib import format as npy_format

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
small = np.arange(6, dtype=np.float32).reshape(2, 3)


def put(name, data):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def saved(write, *arguments, **arrays):
    file = io.BytesIO()
    write(file, *arguments, **arrays)
    return file.getvalue()


def npy(header, data=b"", version=1):
    """A file with any text as its header."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data


# Valid files.
for dtype in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"):
    put(f"{np.dtype(dtype).name}.npy", saved(np.save, small.astype(dtype)))
put("fortran.npy", saved(np.save, np.asfortranarray(small)))
put("fortran-3d.npy", saved(np.save, np.asfortranarray(np.arange(24, dtype=np.int16).reshape(2, 3, 4))))
put("fortran-empty.npy", saved(np.save, np.zeros((2, 0, 3), np.int32, order="F")))
put("scalar.npy", saved(np.save, np.float32(1)))
put("empty.npy", saved(np.save, np.zeros((2, 0, 3), np.int32)))
for version in ((2, 0), (3, 0)):
    put(f"version-{version[0]}.npy", saved(npy_format.write_array, small, version))
put("python-2.npy", npy("{\"shape\":(2L, 1L),'fortran_order':False,\"descr\":'=i2'}", b"1234"))
put("one-byte.npy", npy("{'descr': '>i1', 'fortran_order': False, 'shape': (), }", b"x"))
put("stored.npz", saved(np.savez, x=small, y=small.astype(np.int64)))
put("deflated.npz", saved(np.savez_compressed, x=small))

# Valid, but not supported.
put("big-endian.npy", saved(np.save, small.astype(">f4")))
put("structured.npy", saved(np.save, np.zeros(2, [("a", "<f4"), ("b", "<i8")])))
put("complex.npy", saved(np.save, small.astype(np.complex64)))
put("future.npy", npy("{}", version=9))

# Broken headers and data.
good = saved(np.save, small)
for size in (0, 5, 9, 30, len(good) - 1):
    put(f"first-{size}.npy", good[:size])
put("more.npy", good + b"x")
put("magic.npy", b"this is no array")
put("header-length.npy", npy("{" + " " * 20000, version=2))
for name, text in {
    "nothing": "", "no-braces": "'descr'", "no-keys": "{}", "other-key": "{'colour': 'red'}", "string": "{'descr", "colon": "{'descr' '<f4'}",
    "comma": "{'descr': '<f4' 'fortran_order': False}", "boolean": "{'descr': '<f4', 'fortran_order': 1}", "rest": "{'descr': '<f4'} x",
}.items():
    put(f"header-{name}.npy", npy(text))
for i, shape in enumerate(("(-1,)", "(99999999999999999999,)", "(1", "1", "(4611686018427387904, 4)", "('a',)", "(1,)}}", "(1 1)",
                           "(2305843009213693952,)", "(1099511627776,)", "(" + "1," * 65 + ")", "(0, 9223372036854775807)")):
    put(f"shape-{i}.npy", npy(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}", b"1234"))


# Broken archives.
def archive(*members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for name, data in members:
            out.writestr(name, data)
    return file.getvalue()


stored = saved(np.savez, x=small)
put("truncated.npz", stored[:-30])
put("checksum.npz", stored.replace(small.tobytes(), bytes(24)))
put("local-header.npz", b"XX" + stored[2:])
put("deflate-data.npz", (lambda data: data[:60] + b"\xff" * 20 + data[80:])(saved(np.savez_compressed, x=small)))
put("no-members.npz", archive())
put("text-member.npz", archive(("readme.txt", b"hello")))
put("long-member.npz", archive(("x.npy", good + b"x")))
put("short-member.npz", archive(("x.npy", good[:-1])))
put("unsupported-member.npz", archive(("x.npy", saved(np.save, small.astype(">f4")))))
same = bytearray(archive(("x.npy", good), ("y.npy", good)))
put("same-names.npz", bytes(same).replace(b"y.npy", b"x.npy"))
encrypted = bytearray(stored)
for at in (6, stored.index(b"PK\1\2") + 8):
    encrypted[at] |= 1
put("encrypted.npz", bytes(encrypted))
