"""Text files, possibly compressed, as bytes that are surely UTF-8."""

import codecs
import io
from pathlib import Path
from typing import Any

import pyarrow as pa

COMPRESSED = (".gz", ".bz2", ".zst")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
BUFFER_BYTES = 1 << 20


def open_utf8(path: Path) -> io.BufferedReader:
    """Open a file, uncompressed if its name ends in one of `COMPRESSED`.

    Whatever is not UTF-8 in it becomes `REPLACEMENT`, which marks its line.
    """
    return io.BufferedReader(_ValidUtf8(pa.input_stream(str(path))), BUFFER_BYTES)


class _ValidUtf8(io.RawIOBase):
    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            block = self._stream.read(len(buffer))
            self._rest = self._decoder.decode(block, final=not block).encode()
            if not block:
                break
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def close(self) -> None:
        self._stream.close()
        super().close()
