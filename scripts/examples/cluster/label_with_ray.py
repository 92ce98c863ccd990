"""Label a folder of parquet files with Ray Data: python label_with_ray.py TEXTS LABELS."""

import sys

import ray

import oktane

source, target = sys.argv[1:]
(
    ray.data.read_parquet(source)
    .map_batches(
        oktane.BatchPredictor,
        # An actor for each core but one: the model is loaded once, and runs on one thread. Actors keep their cores. If
        # they had all of them, none would be left for reading and writing, and the job would wait forever.
        compute=ray.data.ActorPoolStrategy(size=max(1, int(ray.cluster_resources()["CPU"]) - 1)),
        num_cpus=1,
        batch_format="pyarrow",
        batch_size=4096,
    )
    .write_parquet(target)
)
