"""Small real stages that the tests of the store and of the stage runner make artifacts with."""

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from dragon_core.artifacts import ArtifactReference, Draft, ExternalFiles, Inputs, Parameters, Progress, Shard, Stage
from dragon_core.errors import DragonError


class NumbersParams(Parameters):
    shard_count: int = 3
    max_reject_share: float = 1.0


class Numbers(Stage):
    """Shards of numbers; every seventh is rejected."""

    name = "numbers"
    version = 1
    source: ExternalFiles | None = None
    params: NumbersParams = NumbersParams()
    made: ClassVar[list[str]] = []

    def shards(self, inputs: Inputs) -> Sequence[str]:
        return [f"part-{i:05}.parquet" for i in range(self.params.shard_count)]

    def make_shards(self, inputs: Inputs, shards: Iterable[Shard]) -> None:
        for shard in shards:
            start = int(shard.name[5:10]) * 10
            kept = [n for n in range(start, start + 10) if n % 7]
            for number in set(range(start, start + 10)) - set(kept):
                shard.reject("numbers", number, "a multiple of seven")
            shard.write_table(shard.name, pa.table({"number": kept}))
            shard.count(numbers=len(kept))
            self.made.append(shard.name)

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        draft.check_rejects(draft.counts["numbers"] + len(draft.rejects), self.params.max_reject_share)


class TotalParams(Parameters):
    factor: int = 1


class Total(Stage):
    """The sum of the numbers, in one piece."""

    name = "total"
    version = 1
    numbers: ArtifactReference
    params: TotalParams = TotalParams()
    made: ClassVar[list[str]] = []

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        parts = inputs.numbers.parts
        total = 0
        for done, part in enumerate(parts):
            total += sum(pq.read_table(inputs.numbers.path(part))["number"].to_pylist())
            progress(done + 1, len(parts), total=total)
        draft.write_json("total.json", {"total": total * self.params.factor})
        draft.count(parts=len(parts))
        self.made.append(self.reference.key)


class GatedParams(Parameters):
    gate: str
    shard_count: int = 8
    faulty: tuple[str, ...] = ()


class Gated(Stage):
    """Of every four shards the third stays half made until the file `open` is in the folder `gate`.

    Each shard that is begun leaves a file there, named by the shard and the process. The faulty ones fail.
    """

    name = "gated"
    version = 1
    params: GatedParams

    def shards(self, inputs: Inputs) -> Sequence[str]:
        return [f"part-{i}" for i in range(self.params.shard_count)]

    def make_shards(self, inputs: Inputs, shards: Iterable[Shard]) -> None:
        gate = Path(self.params.gate)
        for shard in shards:
            number = int(shard.name.removeprefix("part-"))
            with shard.writing(shard.name) as path, path.open("w") as file:
                file.write("".join(f"{line}\n" for line in range(number)))
                file.flush()
                (gate / f"{shard.name}.{os.getpid()}").touch()
                deadline = time.monotonic() + 60
                while number % 4 == 2 and not (gate / "open").exists():
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"nobody opened {gate}")
                    time.sleep(0.02)
                if shard.name in self.params.faulty:
                    raise DragonError(f"{shard.name} is faulty.")
                file.write("whole\n")
            shard.count(shards=1)
