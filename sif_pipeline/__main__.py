"""`python -m sif_pipeline` is `sif-pipeline`."""

from sif_pipeline.cli import main

main()
