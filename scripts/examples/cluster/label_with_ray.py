"""Label a folder of parquet files with Ray Data: python label_with_ray.py TEXTS LABELS."""

import sys

import ray

import oktane

source, target = sys.argv[1:]
(
    ray.data.read_parquet(source)
    .map_batches(
        oktane.BatchPredictor,
        # An actor for each core: the model is loaded once, and runs on one thread.
        compute=ray.data.ActorPoolStrategy(size=int(ray.cluster_resources()["CPU"])),
        num_cpus=1,
        batch_format="pyarrow",
        batch_size=4096,
    )
    .write_parquet(target)
)
