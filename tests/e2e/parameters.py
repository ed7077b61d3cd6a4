"""Parameters with which the product's pipelines finish within seconds on the made-up dictionary."""

from typing import Any

PARAMETERS: dict[str, Any] = {
    "corpus": {"holdout_share": 0.2, "segments_per_shard": 1, "words_per_segment": 16},
    "training": {
        "steps": 30,
        "warmup_steps": 2,
        "batch_size": 4,
        "node_size": 16,
        "interaction_size": 16,
    },
    "execution": {"num_threads": 1, "checkpoint_interval": 3},
    "questions": {"train": 30, "dev": 10, "test": 20},
    "finetuning": {"epochs": 1},
}
