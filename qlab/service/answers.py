"""Questions to a bench process: are these parameters good, what does this order come to. On a thread of their own."""

import queue
from collections.abc import Callable

from qlab.errors import QlabError
from qlab.service.channel import Message


class Answers:
    """Answers questions one by one; `tell` sends the answers."""

    def __init__(self, tell: Callable[[Message], None]) -> None:
        self._tell = tell
        self._questions: queue.Queue[Message | None] = queue.Queue()

    def ask(self, question: Message | None) -> None:
        """Take a question; None ends the work."""
        self._questions.put(question)

    def work(self) -> None:
        """Answer questions until told to end."""
        while (question := self._questions.get()) is not None:
            try:
                self._tell(_ANSWERS[str(question["do"])](question))
            except Exception as error:  # noqa: BLE001 - a broken plug-in may raise anything
                said = f"{type(error).__name__}: {error}"
                self._tell({"event": "log", "level": "error", "message": said})


def _checked(question: Message) -> Message:
    from qlab.catalogue import check

    answer = check(question["experiment"], question["parameters"], question["bench"])
    return {"event": "checked", "token": question["token"], "asker": question.get("asker", 0), **answer}


def _followed(question: Message) -> Message:
    from qlab.following import follow

    about = {"event": "followed", "token": question["token"], "asker": question.get("asker", 0)}
    named = (question["program"], int(question["point"]), question["bench"], question.get("truth") or {})
    try:
        return {**about, "path": follow(*named)}
    except QlabError as error:
        return {**about, "problem": str(error)}
    except Exception as error:  # noqa: BLE001 - a stranger's world may raise anything; the window says so
        return {**about, "problem": f"{type(error).__name__}: {error}"}


def _planned(question: Message) -> Message:
    from qlab.orders import plan
    from qlab.session import Order

    planned = {"event": "planned", "run": question["run"]}
    try:
        made = plan(Order.model_validate(question["order"]))
    except QlabError as error:
        return {**planned, "problem": error.message, "hint": error.hint}
    except Exception as error:  # noqa: BLE001 - a broken plug-in may raise anything; its order fails
        return {**planned, "problem": f"{type(error).__name__}: {error}", "hint": "Run `qlab doctor`."}
    return {**planned, "plan": made.model_dump(mode="json")}


_ANSWERS: dict[str, Callable[[Message], Message]] = {
    "check": _checked,
    "follow": _followed,
    "plan": _planned,
}
