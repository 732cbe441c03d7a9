"""What a run says on stderr while it goes: its progress, its states, its log."""

import sys
from typing import Any


def tell(event: dict[str, Any]) -> None:
    """Say what an event of a run means."""
    match event["event"]:
        case "progress" if event["total"] and sys.stderr.isatty():
            share = event["done"] / event["total"]
            bar = "#" * round(30 * share)
            left = event["remaining"]
            shown = f"{left:.0f} s left" if isinstance(left, int | float) and left == left else ""
            print(f"\r[{bar:<30}] {event['done']}/{event['total']}  {shown} ", end="", file=sys.stderr)
        case "state" if event["state"] in {
            "running",
            "paused",
            "finished",
            "stopped",
            "failed",
            "interrupted",
        }:
            print(f"{event['state']}{': ' + event['reason'] if event['reason'] else ''}", file=sys.stderr)
        case "log":
            print(f"{event['level']}: {event['message']}", file=sys.stderr)
        case "bench" if event["state"] != "starting":
            print(event["message"], file=sys.stderr)
        case "safe":
            for name, what in event["report"].items():
                if what != "safe":
                    print(f"{name}: {what}", file=sys.stderr)
