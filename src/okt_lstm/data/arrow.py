"""Arrow files, which oktane's readers of tables know as soon as this module is imported: IPC files and streams.

The library datasets keeps what `save_to_disk` writes as streams.
"""

from collections.abc import Iterator

from oktane.lines import FileError
from oktane.paths import SUFFIXES
from oktane.readers import READERS
from oktane.row_reader import Row, RowReader


class _ArrowReader(RowReader):
    """The rows of an Arrow file, typed."""

    def _start(self) -> None:
        import pyarrow as pa

        try:
            if self.head.startswith(b"ARROW1"):
                file = pa.ipc.open_file(self._stream)
                self._batches = (file.get_batch(index) for index in range(file.num_record_batches))
                self.schema = file.schema
            else:
                stream = pa.ipc.open_stream(self._stream)
                self._batches, self.schema = iter(stream), stream.schema
        except pa.ArrowInvalid as exception:
            raise FileError(f"{self.path}: not an Arrow file ({exception})") from None
        self.columns = self.schema.names

    def __iter__(self) -> Iterator[Row]:
        import pyarrow as pa

        try:
            for batch in self._batches:
                for row in batch.to_pylist():
                    self.number += 1
                    yield row
        except (pa.ArrowException, OSError, UnicodeDecodeError) as exception:
            raise FileError(f"{self.path}, after row {self.number}: damaged Arrow file ({exception})") from None


for suffix in (".arrow", ".feather"):
    SUFFIXES[suffix] = "arrow"
READERS["arrow"] = _ArrowReader
