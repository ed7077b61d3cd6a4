"""Orchestration: the Prefect flows over `dragon_core`. No tensors, no data frames, no file formats."""
