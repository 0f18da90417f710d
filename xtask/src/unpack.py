"""Unpacks WHEEL's members below ROOT that are named, or lie in a folder named with a final "/", into
PREFIX: unpack.py WHEEL PREFIX ROOT NAME... A name without a match is an error."""

import pathlib
import shutil
import sys
import zipfile

wheel, prefix, root, *keep = sys.argv[1:]
archive = zipfile.ZipFile(wheel)
files = [name for name in archive.namelist() if name.startswith(root) and not name.endswith("/")]
for wanted in keep:
    names = [n for n in files if n == root + wanted or (wanted.endswith("/") and n.startswith(root + wanted))]
    if not names:
        sys.exit(f"expected {root}{wanted} in the wheel, found none")
    for name in names:
        path = pathlib.Path(prefix, name[len(root):])
        path.parent.mkdir(parents=True, exist_ok=True)
        # Reading to the end checks the member's sum.
        with archive.open(name) as reader, open(path, "wb") as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
