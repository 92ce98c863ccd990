"""Label a folder of parquet files with Spark: spark-submit label_with_spark.py TEXTS LABELS."""

import sys

from pyspark.sql import SparkSession

import oktane

source, target = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
predict = oktane.BatchPredictor()
texts = spark.read.parquet(source)
columns = ", ".join(f"`{field.name}` {field.dataType.simpleString()}" for field in texts.schema)
labeled = texts.mapInArrow(lambda batches: map(predict, batches), f"{columns}, label string, probability double")
labeled.write.mode("overwrite").parquet(target)
