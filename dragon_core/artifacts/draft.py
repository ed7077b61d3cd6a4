"""What a running stage writes to: a shard, or the draft of the whole artifact."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dragon_core.artifacts.errors import TooManyRejectsError
from dragon_core.artifacts.folder import Folder
from dragon_core.artifacts.identity import file_digest
from dragon_core.artifacts.manifest import FileRecord, ShardRecord

REJECTS_NAME = "rejects.parquet"
# What a stage measured, in JSON.
METRICS_NAME = "metrics.json"
# What a stage has to tell of its artifact, in Markdown: its page in the UI.
SUMMARY_NAME = "summary.md"
REJECTS = pa.schema([("source", pa.string()), ("record", pa.string()), ("reason", pa.string())])
ROWS_PER_GROUP = 4096

# Source, record and reason.
Reject = tuple[str, str, str]


class Tally:
    """Keeps count of what is read.

    Attributes:
        counts: What was counted.
        rejects: (source, record, reason) of every record that could not be used.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.rejects: list[Reject] = []

    def count(self, **numbers: int) -> None:
        """Add to the counts."""
        self.counts.update(numbers)

    def reject(self, source: str, record: int | str, reason: str) -> None:
        """Record that a record of the input could not be used, and why."""
        # What is wrong with a record may be that it is no Unicode.
        written, because = (text.encode("utf-8", "backslashreplace").decode("utf-8") for text in (str(record), reason))
        self.rejects.append((source, written, because))


class Writer(Tally):
    """Writes whole files into an artifact's folder and keeps count.

    Attributes:
        files: The files written, in order.
    """

    def __init__(self, folder: Folder) -> None:
        super().__init__()
        self._folder = folder
        self.files: list[FileRecord] = []

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """Give a temporary path; what was written there becomes the file `name` of the artifact at exit."""
        with self._folder.writing(name) as path:
            yield path
            record = FileRecord(name=name, size=path.stat().st_size, sha256=file_digest(path))
        self.files.append(record)

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write a Parquet file with zstd compression."""
        with self.writing(name) as path:
            pq.write_table(table, path, compression="zstd", row_group_size=ROWS_PER_GROUP)

    def write_batches(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Write a Parquet file batch by batch, each a row group, so that only one need be in memory."""
        with self.writing(name) as path, pq.ParquetWriter(path, schema, compression="zstd") as file:
            for batch in batches:
                file.write_batch(batch)

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file, indented and with sorted keys."""
        with self.writing(name) as path:
            path.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


class Shard(Writer):
    """One shard in the making.

    Attributes:
        name: Its name, one of those that `Stage.shards` gave.
    """

    def __init__(self, folder: Folder, name: str) -> None:
        super().__init__(folder)
        self.name = name


class Draft(Writer):
    """The whole artifact in the making: begins with what its shards wrote, committed when `Stage.finish` returns."""

    def __init__(self, folder: Folder, shards: Sequence[ShardRecord]) -> None:
        super().__init__(folder)
        for shard in shards:
            self.files.extend(shard.files)
            self.counts.update(shard.counts)
            self.rejects.extend(shard.rejects)

    def path(self, name: str) -> Path:
        """Local path of a file that is written already."""
        return next(self._folder.local_copy(file) for file in self.files if file.name == name)

    @property
    def scratch(self) -> Path:
        """A local folder for the state of an unfinished run; it outlives a kill and is deleted at the commit."""
        return self._folder.scratch

    def check_rejects(self, total: int, share: float) -> None:
        """Refuse to go on when too many records were rejected.

        Args:
            total: How many records were read, good and bad.
            share: Largest share of rejects that is acceptable, in [0, 1].

        Raises:
            TooManyRejectsError: The share of rejects is larger.
        """
        refuse_many(self.rejects, total, share)


def refuse_many(rejects: Sequence[Reject], total: int, share: float) -> None:
    """Refuse to go on when too many records were rejected, as `Draft.check_rejects`."""
    count = len(rejects)
    if count > share * total:
        source, record, reason = rejects[0]
        often, times = Counter(reason for _, _, reason in rejects).most_common(1)[0]
        most = f" {times} of them have one reason: {often}." if times > 1 and often != reason else ""
        raise TooManyRejectsError(
            f"{count} of {total} records were rejected ({count / max(total, 1):.1%}, {share:.1%} is allowed); the"
            f" first is record {record} of {source}: {reason}.{most} Mend the source, or raise max_reject_share."
        )


def rejects_table(rejects: list[Reject]) -> pa.Table:
    """The rejects as a table with the columns source, record, reason."""
    return pa.Table.from_pylist([dict(zip(REJECTS.names, reject, strict=True)) for reject in rejects], schema=REJECTS)
