"""What the user wants done: task files, loading, and few-shot splits."""

from mto.tasks.distractors import with_distractors
from mto.tasks.form import Form, Kind
from mto.tasks.kinds import ItemFile
from mto.tasks.load import (
    TaskEntry,
    is_rows_file,
    list_tasks,
    load_task,
    task_files,
    task_from_rows,
)
from mto.tasks.read_file import read_any_task_file, read_task_file
from mto.tasks.schema import TaskFile
from mto.tasks.split import Split, draw_split, folds
from mto.tasks.split_files import read_split, write_split
from mto.tasks.task import SHOTS, DataWarning, Example, Row, Task, TaskSource, TaskType, example_id, fold_case

__all__ = [
    "SHOTS",
    "DataWarning",
    "Example",
    "Form",
    "ItemFile",
    "Kind",
    "Row",
    "Split",
    "Task",
    "TaskEntry",
    "TaskFile",
    "TaskSource",
    "TaskType",
    "draw_split",
    "example_id",
    "fold_case",
    "folds",
    "is_rows_file",
    "list_tasks",
    "load_task",
    "read_any_task_file",
    "read_split",
    "read_task_file",
    "task_files",
    "task_from_rows",
    "with_distractors",
    "write_split",
]
