"""What the benchmarks compare with: published ways of doing the same, written plainly."""
