"""Notes, tags and stars of runs: read and kept by the worker, undone like any other change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QUndoCommand

from qlab.errors import QlabError
from qlab_ui import work
from qlab_ui.panels.runs_model import Line
from qlab_ui.work import Note

if TYPE_CHECKING:
    from qlab_ui.window import MainWindow


class ChangeNote(QUndoCommand):
    """What is written about a run went from one to another."""

    def __init__(self, keep: Callable[[Path, Note], None], path: Path, old: Note, new: Note) -> None:
        what = "star" if old.star != new.star else "tags" if old.tags != new.tags else "notes"
        super().__init__(f"change of the {what}")
        self._keep, self._path, self._old, self._new = keep, path, old, new

    def undo(self) -> None:
        """Keep what stood there before."""
        self._keep(self._path, self._old)

    def redo(self) -> None:
        """Keep the new one."""
        self._keep(self._path, self._new)


class Noting:
    """Shows what is written about the run in front, and keeps what is changed."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._notes: dict[Path, Note] = {}  # as far as they have been read
        self._shown: Path | None = None
        window.notes.changed.connect(self._changed)

    def show(self) -> None:
        """Show the notes of the run in front; they are read where they have not been."""
        page = self._window.centre.current()
        path = page.path if page is not None else None
        if path == self._shown:
            return
        self._window.notes.keep()
        self._shown = path
        if path is None:
            running = page is not None
            self._window.notes.show_note(
                None, "Notes can be written once the run has a file." if running else ""
            )
            return
        self._window.notes.show_note(self._notes.get(path, Note()))
        self._window.worker.ask(lambda note: self._read(path, note), self._failed, work.read_note, str(path))

    def star(self, line: Line) -> None:
        """Put a star on a run of the list, or take it off."""
        if line.path is None:
            return
        path, old = line.path, self._notes.get(line.path)
        if old is not None:
            self._push(path, old, Note(old.text, old.tags, not old.star))
            return

        def read(note: Note) -> None:
            self._read(path, note)
            self.star(line)

        self._window.worker.ask(read, self._failed, work.read_note, str(path))

    def close(self) -> None:
        """Keep what was being written: here and now, because the worker ends with the window."""
        note = self._window.notes.note()
        if self._shown is None or note == self._notes.get(self._shown, Note()):
            return
        try:
            work.write_note(str(self._shown), note)
        except (QlabError, OSError) as error:
            self._window.tell("error", f"The notes could not be kept: {error}")

    def _changed(self, note: Note) -> None:
        if self._shown is not None:
            self._push(self._shown, self._notes.get(self._shown, Note()), note)

    def _push(self, path: Path, old: Note, new: Note) -> None:
        if old != new:
            self._window.form.undo_stack.push(ChangeNote(self._keep, path, old, new))

    def _keep(self, path: Path, note: Note) -> None:
        self._notes[path] = note
        if path == self._shown and self._window.notes.note() != note:
            self._window.notes.show_note(note)
        self._window.worker.ask(
            lambda _done: self._kept(path), self._failed, work.write_note, str(path), note
        )

    def _kept(self, path: Path) -> None:
        if path == self._shown:
            self._window.notes.line.setText("Kept beside the file.")
        self._window.files.refresh()

    def _read(self, path: Path, note: Note) -> None:
        self._notes[path] = note
        if path == self._shown and not self._window.notes.text.document().isModified():
            self._window.notes.show_note(note)

    def _failed(self, error: QlabError) -> None:
        self._window.notes.line.setText(str(error))
        self._window.tell("error", error.message, error.hint, toast=True)
