"""The native module: the Rust library, with data in and out as Arrow streams and NumPy arrays.

Nothing here is public; the typed modules beside it are. JSON is text, so that no Python object is built that nobody reads.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypedDict, Unpack

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]
"""Height x width for grey, height x width x 3 for colour; values in [0, 1]."""

__version__: str
FEATURES: list[str]
PRESETS: list[str]

class ModelFileError(ValueError):
    """A model file that is damaged, of another format, or of a newer version."""

class Roles(TypedDict, total=False):
    """The roles of the columns of a table; of images only `normal` is read, folders separated by commas."""

    label: str | None
    normal: str | None
    columns: Sequence[str]
    ignore: Sequence[str]
    time: str | None
    id: Sequence[str]
    timezone: str | None
    duplicates: str | None
    sample_key: Sequence[str]

class Table:
    """Named columns; shares the memory of what it was made from where types allow."""

    @staticmethod
    def from_arrow(stream: Any, source: str) -> Table:
        """From an object with `__arrow_c_stream__`."""
    @staticmethod
    def from_matrix(
        values: npt.NDArray[np.float32] | npt.NDArray[np.float64], names: Sequence[str], source: str
    ) -> Table:
        """From rows x columns of numbers; NaN is a missing cell."""
    @staticmethod
    def from_columns(names: Sequence[str], columns: Sequence[Any], source: str) -> Table:
        """From one 1-D array (bool, integers, floats, datetime64) or list of `str | None`
        or `bool | None` a column."""
    @staticmethod
    def read(
        paths: Sequence[str], wanted: Model | None = None, sample: tuple[int, int, Sequence[str]] | None = None
    ) -> tuple[Table, list[str], list[str]]:
        """Reads files as the command does; also returns notes and warnings. With a model, only the columns that it
        reads, in its types. With a sample (rows, seed, key), only a uniform sample of rows, as a fit takes it."""
    @property
    def names(self) -> list[str]: ...
    @property
    def n_rows(self) -> int: ...
    def kinds(self) -> list[Literal["bool", "int", "float", "time", "text", "other"]]:
        """What each column holds."""
    def slice(self, offset: int, length: int) -> Table:
        """Shares memory."""
    def select(self, names: Sequence[str]) -> Table: ...
    def with_column(self, name: str, values: Any) -> Table:
        """With one column more, as for `from_columns`; it replaces one of its name."""
    def without(self, names: Sequence[str]) -> Table: ...
    @staticmethod
    def concat(tables: Sequence[Table]) -> Table: ...
    def column(self, i: int) -> Any:
        """A column: `bool` and `int` without missing cells and `float` as arrays of their type (missing is NaN), `time`
        as datetime64[us], UTC, all else as a list with None for missing cells."""
    def integers(self, i: int) -> tuple[npt.NDArray[np.int64] | npt.NDArray[np.uint64], list[bool]] | None:
        """Whole numbers with all their digits, and which are missing; None for a column of another kind."""
    def zone(self, i: int) -> str | None:
        """The time zone of a column of times."""
    def to_matrix(self) -> Floats:
        """All columns as numbers, rows x columns; missing is NaN.

        Raises TypeError if a column is not of numbers."""
    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...
    def __arrow_c_schema__(self) -> Any: ...

class Summary:
    """A uniform sample of the rows of a partition, and counts over all of them; summaries of partitions join, in any
    order, to that of the whole, to the last bit."""

    def __new__(cls, rows: int, seed: int, key: Sequence[str] = (), expected: int | None = None) -> Summary:
        """At most `rows` rows are kept. `key` names the columns that identify a row; without, its number does. With the
        `expected` number of rows in all, little more is kept of a partition than can be in the sample."""
    def add(self, table: Table, first_row: int) -> None:
        """Adds rows, which are those from `first_row` on in the whole data."""
    def join(self, other: Summary) -> None:
        """Adds another summary, which is then empty."""
    @property
    def n_rows(self) -> int: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> Summary: ...
    def into_table(self) -> Table:
        """The sample, which `fit` takes whole; the summary is then empty."""

class RoundsFit:
    """A fit of tables in rounds: first of the sample, then of the rows beyond it, partition by partition, at last the
    calibration."""

    def __new__(
        cls,
        recipe: Recipe,
        sample: Table,
        *,
        threads: int | None = None,
        listener: Listener | None = None,
        **roles: Unpack[Roles],
    ) -> RoundsFit:
        """Fits to the sample of a `Summary`, as `fit` does. `recipe` has the number of rounds (`train.rounds.count`)."""
    @property
    def model(self) -> Model:
        """The model of the sample, with which partitions train."""
    @property
    def rounds_done(self) -> int: ...
    def job(self) -> bytes | None:
        """The next round, for `RoundPart`; None after the last."""
    def end_round(self, change: bytes, listener: Listener | None = None) -> None:
        """Takes the sum of the changes of all partitions (`add_changes`)."""
    def state(self) -> bytes:
        """What to go on from later, after the same start."""
    def resume(self, state: bytes) -> None: ...
    def finish(self, listener: Listener | None = None) -> tuple[Model, bool]:
        """The calibrated model, as `fit` gives it; the fit is then used up."""

class RoundPart:
    """The rows of a partition that belong to a round, and their training."""

    def __new__(cls, job: bytes) -> RoundPart: ...
    def add(self, table: Table, first_row: int) -> None:
        """Adds rows, which are those from `first_row` on in the whole data."""
    def train(self, model: Model) -> bytes:
        """How the rows change the weights: a pure function of model, job and rows."""

def add_changes(one: bytes, other: bytes) -> bytes:
    """The sum of two changes, the same to the last bit in whatever order changes are added."""

class Images:
    """Images to fit, score or restore: of files, or held in memory."""

    @staticmethod
    def open(sources: Sequence[str], memory: int | None = None) -> Images:
        """Images of folders, files, patterns and arrays on disk; as many bytes of `memory` hold decoded ones."""
    @staticmethod
    def of(
        arrays: Sequence[Image | npt.NDArray[np.uint8] | npt.NDArray[np.uint16]], names: Sequence[str] | None = None
    ) -> Images:
        """Whole numbers are divided by the largest of their type, as those of files are."""
    def __len__(self) -> int: ...
    def get(self, i: int) -> Image: ...
    def name(self, i: int) -> str: ...
    def folder(self, i: int) -> str: ...
    def depth(self, i: int) -> int:
        """Bits of a value in the file, 8 or 16; 16 for images in memory."""
    def skipped(self) -> list[tuple[str, str]]:
        """Files that could not be read, and why."""
    @property
    def source(self) -> str: ...

class Recipe:
    """Every setting of a model."""

    @staticmethod
    def build(
        *,
        kind: str | None = None,
        preset: str | None = None,
        toml: str | None = None,
        layout: str | None = None,
        corrupt: str | None = None,
        categorical: Sequence[str] = (),
        numeric: Sequence[str] = (),
        text: Sequence[str] = (),
        date: Sequence[str] = (),
        date_format: Sequence[str] = (),
        missing: Sequence[str] = (),
        assignments: Sequence[str] = (),
        seed: int | None = None,
        threshold: str | None = None,
    ) -> Recipe:
        """A recipe by the library's order of precedence. `kind` is table, series or images; an assignment is
        `path=value`."""
    def set(self, assignment: str) -> Recipe:
        """A copy with one field changed."""
    def to_toml(self) -> str: ...
    def to_json(self) -> str: ...
    def check(self) -> None: ...

Listener = Callable[[str, dict[str, Any]], bool | None]
"""Gets, on the calling thread: ("started", {members, steps}), ("checked", {member, steps, step, epoch, train_loss,
validation_loss, learning_rate}), ("finished", {member}), ("recovered", {member, step, factor}), ("noted", {text}) and
("warned", {text}); in a search ("run", {...TrialRun as in its JSON, recalled}). True stops the training with the best
weights so far, or the search with the best trial."""

def fit(
    recipe: Recipe,
    data: Table | Images,
    *,
    threads: int | None = None,
    listener: Listener | None = None,
    validation: Table | None = None,
    **roles: Unpack[Roles],
) -> tuple[Model, bool]:
    """Fits a model, without the GIL. The flag says whether Ctrl-C ended the training: the model then has the best
    weights so far; with no weights yet, KeyboardInterrupt is raised. `validation` holds rows that stop the training and
    choose the weights instead of a share of `data`."""

def tune(
    base: Recipe,
    data: Table | Images,
    *,
    goal: str = "reconstruction",
    held: Sequence[str] = (),
    trials: int = 20,
    seconds: float | None = None,
    threads: int | None = None,
    listener: Listener | None = None,
    journal: str | None = None,
    runner: Any = None,
    **roles: Unpack[Roles],
) -> tuple[Recipe, str]:
    """The best recipe and the search as JSON. A `runner` trains the runs elsewhere: its `lookahead` says how many runs it
    can begin before they are asked for, `begin(recipes)` gets them, the first ones first, `known(recipe)` gives the outcome
    of a run that has ended, else None, and `wait(recipe, is_start)` waits a while for it. Recipes are JSON; outcomes are
    what `Trials.run` returns."""

class Trials:
    """The samples of a search, prepared, on which recipes are trained."""

    def __init__(
        self,
        base: Recipe,
        data: Table | Images,
        *,
        goal: str = "reconstruction",
        threads: int | None = None,
        **roles: Unpack[Roles],
    ) -> None: ...
    def run(self, recipe: str, is_start: bool) -> str:
        """Trains a recipe, given as JSON; its outcome and the seconds that it took as JSON."""

class Scores:
    """Scores of rows or images."""

    @property
    def score(self) -> Floats: ...
    @property
    def p_value(self) -> Floats: ...
    @property
    def is_anomaly(self) -> npt.NDArray[np.bool_]: ...
    @property
    def flag(self) -> list[str | None]:
        """Remarks on points of series: warm_up, missing, after_gap, duplicate."""
    @property
    def counts(self) -> dict[str, Any]:
        """What was filled, clipped or ignored: rows, missing, clipped, unseen_levels, extra_columns, gaps, gap_points,
        unscored, unknown_series, infinite, outside, unreadable, broken (invariants), lacking (columns to compare),
        notes; only what is not zero or empty, and rows."""

class Model:
    """A fitted model of any kind; immutable."""

    @staticmethod
    def load(path: str) -> Model: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> Model: ...
    def to_bytes(self) -> bytes: ...
    def save(self, path: str) -> None: ...
    @property
    def kind(self) -> Literal["table", "series", "images", "restorer", "encoder"]: ...
    @property
    def recipe(self) -> Recipe: ...
    @property
    def threshold(self) -> float: ...
    @property
    def code_size(self) -> int: ...
    def names(self) -> list[str]:
        """The columns that a model of tables or series reads."""
    def columns_read(self) -> list[str]:
        """These, and those that never changed in training rows and are compared where they are there."""
    def schema_json(self) -> str: ...
    def index_columns(self) -> list[str]:
        """Series id and time, for series."""
    @property
    def rows_are_independent(self) -> bool: ...
    def report_json(self) -> str: ...
    def report_html(self) -> str: ...
    def card(
        self,
        license: str | None = None,
        repository: str | None = None,
        file: str | None = None,
        found: str | None = None,
    ) -> str:
        """The model card as Markdown. `found` is what `new_data_json` returned for data that the model was not fitted to;
        `file` is the name of the model file in the examples."""
    def verdict(self) -> str | None:
        """The report's verdict on the fit as JSON; None for kinds without one."""
    def with_threads(self, threads: int | None) -> Model: ...
    def with_threshold(self, rule: str) -> Model: ...
    def to_onnx(self, inputs: str) -> bytes: ...
    def onnx_feeds(self, table: Table, inputs: str) -> list[tuple[str, Floats | npt.NDArray[np.float32] | list[str]]]:
        """Arrays of the shapes of the inputs; of texts a list, for the shape (n, 1)."""
    def onnx_image_feeds(self, images: Images) -> list[tuple[str, npt.NDArray[np.float32]]]: ...
    def window_scores(self, table: Table) -> Floats:
        """Of series: the scores of the windows that `onnx_feeds` gives, each as a whole."""
    def encoder(self) -> Model:
        """The encoder alone."""

    # Tables and series.
    def score(self, table: Table) -> Scores: ...
    def explain(self, table: Table, k: int) -> tuple[Scores, Table]:
        """Also a table of row, rank, column, expected, got, share, direction."""
    def score_table(self, table: Table, k: int = 0, form: str = "text") -> Table:
        """Columns score, p_value, is_anomaly, of series flag, null for rows without a score; and `k` reasons in the form
        text, columns or objects."""
    def reconstruct(self, table: Table) -> Table: ...
    def encode(self, table: Table) -> Table:
        """Columns code_0, code_1, ...; for series after those that identify the window."""
    def decode(self, codes: Table) -> Table: ...
    def generate(self, n: int, first: int, seed: int, condition: str | None = None) -> Table: ...
    def vary(self, table: Table, n: int, first: int, spread: float, seed: int) -> Table: ...
    def between(self, table: Table, a: int, b: int, steps: int) -> Table: ...
    def events(self, table: Table) -> Table:
        """Of series: start, end, points, first_row, last_row, peak, peak_row, p_value, reasons."""
    def stream(self) -> Stream: ...
    def evaluate(self, table: Table, label: str, normal: str | None) -> str:
        """Metrics as JSON."""
    def drift(self, table: Table, level: float) -> str:
        """The comparison with the data of the fit, as JSON."""
    def drift_images(self, images: Images, level: float, resize: bool = False) -> str:
        """The same of images."""
    def new_data_html(self, data: Table | Images, label: str | None, normal: str | None) -> str: ...
    def new_data_json(self, data: Table | Images, label: str | None, normal: str | None) -> str: ...
    def generation_quality(self, data: Table | Images, n: int, seed: int) -> str: ...

    # Images.
    def score_images(self, images: Images, heat: bool, resize: bool = False) -> tuple[Scores, list[Image]]:
        """With `heat`, the squared error of every pixel, height x width, in units of a typical pixel's."""
    def heat_overlays(self, images: Images, resize: bool = False) -> list[Image]:
        """The images overlaid with their heat maps."""
    def reconstruct_images(self, images: Images, resize: bool = False) -> list[Image]: ...
    def encode_images(self, images: Images, resize: bool = False) -> list[npt.NDArray[np.float32]]:
        """The codes of each image: samples x code_size; one sample unless the model sees patches."""
    def decode_images(self, codes: npt.NDArray[np.float32]) -> list[Image]: ...
    def generate_images(self, n: int, first: int, seed: int) -> list[Image]: ...
    def evaluate_images(self, images: Images, normal: str | None) -> str:
        """Detection with `normal`, the folders of normal images, else the quality of the reconstruction; as JSON."""
    @property
    def sees_patches(self) -> bool: ...

    # Restorers.
    def restore(self, images: Images, mask: Images | None = None) -> list[Image]: ...
    def evaluate_restorer(self, images: Images) -> str: ...

    # Compression.
    def compress(
        self,
        data: Table | Images,
        path: str,
        *,
        max_error: list[str] = ...,
        lossless: bool = False,
        bits: float | None = None,
        quality: int | None = None,
        chunk_rows: int | None = None,
        verify: bool = False,
    ) -> str:
        """Writes a compressed file; returns its summary as JSON."""
    def decompress(self, path: str, first: int | None = None, last: int | None = None) -> Table:
        """All rows, or rows `first..last`."""
    def decompress_images(self, path: str) -> tuple[list[str], list[Image]]: ...

class Stream:
    """Scores points as they arrive."""

    def push(self, row: Table) -> dict[str, Any]:
        """series, time, score, p_value, is_anomaly, flag, reasons (a list of dicts)."""
    def remember(self, row: Table) -> None: ...
    @property
    def counts(self) -> dict[str, Any]: ...

def corrupt_images(images: Images, damages: str, seed: int) -> list[Image]:
    """Images with a corruption such as `gaussian:25`, to try a restorer on."""

def demo_table(name: str, rows: int | None = None, seed: int = 0) -> Table:
    """Data that the project makes itself: `payments`, `machines`, `heartbeat` or `wide`."""

def demo_images(name: str, n: int, seed: int = 0, first: int = 0) -> Images:
    """Images `first..first + n` that the project makes itself: `parts`, `scratched` (the same with a defect), `scratches`
    (where it is) or `scenes`."""

def write_file(path: str, content: bytes) -> None:
    """Writes a file whole or not at all."""

def main(arguments: Sequence[str]) -> int:
    """Runs the command `narrows`; returns its exit code."""
