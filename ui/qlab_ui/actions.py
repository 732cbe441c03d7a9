"""Every command of the window, in one table that menus, toolbar, palette and shortcut page read."""

from collections.abc import Callable
from dataclasses import dataclass

MENUS = ("File", "Edit", "View", "Run", "Analysis", "Instruments", "Window", "Help")


@dataclass(frozen=True)
class Situation:
    """What the window is doing: the actions are enabled by it."""

    ready: bool = False  # the bench process is up
    form: bool = False  # a form is shown
    busy: bool = False  # a run is queued or going
    paused: bool = False
    shown: bool = False  # a run is shown in a tab
    drawn: bool = False  # a run, or what was made of several, is shown in a tab
    fit: bool = False  # the shown run has a fit
    chosen: int = 0  # runs chosen in the list
    undo: bool = False
    redo: bool = False
    revealed: bool = False  # the hidden truth of simulated runs is shown
    simulated: bool = False  # the bench in use is
    expected: bool = False  # the expected curve is drawn


When = Callable[[Situation], bool]


def _always(_: Situation) -> bool:
    return True


def _shown(now: Situation) -> bool:
    return now.shown


def _drawn(now: Situation) -> bool:
    return now.drawn


def _busy(now: Situation) -> bool:
    return now.busy


@dataclass(frozen=True)
class Action:
    """One command: `slot` is the name of a method of `Commands`."""

    id: str
    text: str
    menu: str
    slot: str
    keys: tuple[str, ...] = ()
    when: When = _always
    icon: str = ""
    tip: str = ""
    plot: bool = False  # the key works only while a plot has the focus
    runs: bool = False  # the key works only while the list of runs has the focus
    group: int = 0  # a line stands between groups in the menu
    on: When | None = None  # it is ticked where this holds


ACTIONS: tuple[Action, ...] = (
    Action("open", "Open runs…", "File", "open_runs", ("Ctrl+O",), icon="folder", tip="Open run files"),
    Action("open_folder", "Open folder…", "File", "open_folder", tip="List the runs of another folder"),
    Action(
        "examples",
        "Open example runs",
        "File",
        "open_examples",
        tip="A dozen simulated runs, made once on this machine",
    ),
    Action(
        "export",
        "Export…",
        "File",
        "export",
        ("Ctrl+E",),
        _drawn,
        "export",
        "Save the picture or the values",
        group=1,
    ),
    Action(
        "save_notes",
        "Save notes",
        "File",
        "save_notes",
        ("Ctrl+S",),
        _shown,
        tip="Keep what is written about the shown run now",
    ),
    Action(
        "fair_report",
        "FAIR report…",
        "File",
        "fair_report",
        (),
        _shown,
        group=1,
        tip="What the shown file meets of the FAIR metrics, and what to do for the rest",
    ),
    Action(
        "profile",
        "Who are you?…",
        "File",
        "profile",
        group=2,
        tip="Name or pseudonym, affiliation, licence, funding: filled once, written into each file",
    ),
    Action("preferences", "Preferences…", "File", "preferences", ("Ctrl+,",), group=2),
    Action("quit", "Quit", "File", "leave", ("Ctrl+Q",), tip="Close the window; a run goes on", group=3),
    Action("undo", "Undo", "Edit", "undo", ("Ctrl+Z",), lambda now: now.undo),
    Action("redo", "Redo", "Edit", "redo", ("Ctrl+Shift+Z", "Ctrl+Y"), lambda now: now.redo),
    Action("copy_figure", "Copy figure", "Edit", "copy_figure", ("Ctrl+Shift+C",), _drawn, group=1),
    Action("copy_values", "Copy values", "Edit", "copy_values", ("Ctrl+C",), _drawn, "copy", group=1),
    Action("find_run", "Find run", "Edit", "find_run", ("Ctrl+F",), icon="search", group=2),
    Action(
        "delete_runs",
        "Delete chosen runs",
        "Edit",
        "delete_runs",
        ("Del",),
        lambda now: now.chosen > 0,
        "trash",
        "Move the runs chosen in the list to the trash; Undo brings them back",
        runs=True,
        group=2,
    ),
    Action("trash", "Trash…", "Edit", "show_trash", tip="Put deleted runs back", group=2),
    Action("find_experiment", "Find experiment", "Edit", "find_experiment", ("Ctrl+P",), group=2),
    Action("reset_form", "Reset all parameters", "Edit", "reset_form", (), lambda now: now.form, group=3),
    Action("palette", "Command palette…", "View", "command_palette", ("Ctrl+Shift+P",)),
    Action(
        "fit_view",
        "Fit view",
        "View",
        "fit_view",
        ("Home",),
        _drawn,
        plot=True,
        group=1,
        tip="Show everything",
    ),
    Action("autoscale", "Autoscale", "View", "autoscale", ("A",), _drawn, plot=True, group=1),
    Action("log_x", "Logarithmic x axis", "View", "log_x", ("L",), _drawn, plot=True, group=1),
    Action("log_y", "Logarithmic y axis", "View", "log_y", ("Shift+L",), _drawn, plot=True, group=1),
    Action("grid", "Grid", "View", "grid", ("G",), _drawn, plot=True, group=1),
    Action("cursor", "Cursor", "View", "cursor", ("C",), _drawn, plot=True, group=1),
    Action(
        "measure",
        "Measure",
        "View",
        "measure",
        ("M",),
        _drawn,
        tip="Two cursors on a curve, a region on a map: distances and means with units",
        plot=True,
        group=1,
    ),
    Action(
        "cuts",
        "Cuts",
        "View",
        "cuts",
        ("X",),
        _drawn,
        tip="Row and column of a map at the cursor",
        plot=True,
        group=1,
    ),
    Action(
        "histogram",
        "Histogram",
        "View",
        "histogram",
        ("H",),
        _drawn,
        tip="How often each value occurs",
        plot=True,
        group=1,
    ),
    Action("runs_table", "Runs as a table", "View", "runs_as_table", group=1, tip="List the runs"),
    Action(
        "runs_pictures",
        "Runs as pictures",
        "View",
        "runs_as_pictures",
        group=1,
        tip="Small pictures of the runs",
    ),
    Action(
        "expected",
        "Expected curve",
        "View",
        "expected_curve",
        tip="Draw what the experiment's own model expects beside the points",
        group=1,
        on=lambda now: now.expected,
    ),
    Action(
        "reveal",
        "Reveal the truth",
        "View",
        "reveal",
        tip="Show what is hidden in simulated runs beside what was found",
        group=1,
        on=lambda now: now.revealed,
    ),
    Action("theme_system", "Theme: as the system", "View", "theme_system", group=2),
    Action("theme_light", "Theme: light", "View", "theme_light", group=2),
    Action("theme_dark", "Theme: dark", "View", "theme_dark", group=2),
    Action("larger", "Larger text", "View", "larger", ("Ctrl++", "Ctrl+="), group=3),
    Action("smaller", "Smaller text", "View", "smaller", ("Ctrl+-",), group=3),
    Action("full_screen", "Full screen", "View", "full_screen", ("F11",), group=4),
    Action(
        "run",
        "Run",
        "Run",
        "run",
        ("Ctrl+Return", "Ctrl+Enter", "F5"),
        lambda now: now.form,
        "run",
        "Measure with the values of the form",
    ),
    Action(
        "queue",
        "Queue",
        "Run",
        "queue",
        ("Ctrl+Shift+Return",),
        lambda now: now.form,
        "queue",
        tip="Measure with the values of the form after the runs that wait",
    ),
    Action(
        "study",
        "Sweep whole runs…",
        "Run",
        "study",
        (),
        lambda now: now.form,
        tip="One run for each value of a parameter or a knob",
    ),
    Action(
        "pause",
        "Pause or resume",
        "Run",
        "pause",
        ("Ctrl+Space",),
        _busy,
        "pause",
        "Pause at the next point, or go on",
        group=1,
    ),
    Action(
        "stop",
        "Stop after this point",
        "Run",
        "stop",
        ("Ctrl+Backspace",),
        _busy,
        "stop",
        "End the run at the next point and make safe",
        group=1,
    ),
    Action(
        "halt",
        "Stop now",
        "Run",
        "halt",
        ("Ctrl+Shift+Backspace",),
        _busy,
        "halt",
        "Send no further command, end the run, make safe",
        group=1,
    ),
    Action(
        "skip",
        "Skip to the next run",
        "Run",
        "skip",
        ("Ctrl+Shift+Space",),
        _busy,
        tip="End the run at the next point and go on with the queue",
        group=1,
    ),
    Action(
        "extend",
        "Measure longer…",
        "Run",
        "extend",
        ("Ctrl+Shift+E",),
        _busy,
        tip="Add passes to the run that goes",
        group=1,
    ),
    Action("hold", "Hold or release the queue", "Run", "hold", group=2, tip="Start no other run, or go on"),
    Action(
        "again",
        "Run again with the values of the shown run",
        "Run",
        "again",
        ("Ctrl+Shift+R",),
        _shown,
        "again",
        group=2,
    ),
    Action(
        "load",
        "Load the settings of the shown run",
        "Run",
        "load_settings",
        ("Ctrl+L",),
        _shown,
        group=2,
        tip="Fill the form with the values of the shown run",
    ),
    Action(
        "fit", "Fit", "Analysis", "fit", ("Ctrl+T",), _shown, "fit", "Fit the shown run with the chosen model"
    ),
    Action("next_fit", "Next fit model", "Analysis", "next_fit", ("Ctrl+Shift+T",), _shown),
    Action(
        "compare",
        "Compare chosen runs",
        "Analysis",
        "compare",
        ("Ctrl+M",),
        lambda now: now.chosen > 1,
        group=1,
        tip="Draw the runs chosen in the list over each other",
    ),
    Action(
        "difference",
        "What is different",
        "Analysis",
        "difference",
        (),
        lambda now: now.chosen == 2,
        group=1,
        tip="Settings in which the two chosen runs differ",
    ),
    Action(
        "subtract",
        "Subtract the second chosen run",
        "Analysis",
        "subtract",
        (),
        lambda now: now.chosen == 2,
        group=1,
        tip="Draw the first chosen run minus the second, with errors",
    ),
    Action(
        "trend",
        "Plot chosen runs against…",
        "Analysis",
        "trend",
        ("Ctrl+Shift+M",),
        lambda now: now.chosen > 1,
        group=1,
        tip="A fitted value, figure or setting of each chosen run over another",
    ),
    Action(
        "refit",
        "Fit chosen runs…",
        "Analysis",
        "refit",
        (),
        lambda now: now.chosen > 0,
        group=1,
        tip="Fit every chosen run with one model, with a table of results",
    ),
    Action("copy_result", "Copy result", "Analysis", "copy_result", (), lambda now: now.fit, "copy", group=2),
    Action(
        "safe",
        "Make safe",
        "Instruments",
        "make_safe",
        ("Ctrl+Alt+Escape",),
        icon="safe",
        tip="Stop everything and bring each instrument to its safe state",
    ),
    Action(
        "edit_bench",
        "Bench…",
        "Instruments",
        "edit_bench",
        icon="connect",
        tip="Connect instruments: drivers, addresses, roles, limits, safe values",
        group=1,
    ),
    Action(
        "simulated_world",
        "Simulated world…",
        "Instruments",
        "simulated_world",
        when=lambda now: now.simulated,
        tip="Change what is hidden in the simulated bench: the field, T1, the noise behind T2*",
        group=1,
    ),
    Action("open_bench", "Open a bench file…", "Instruments", "open_bench", icon="folder", group=1),
    Action(
        "watchdogs",
        "Watchdogs…",
        "Instruments",
        "watchdogs",
        tip="Conditions that pause, stop or make safe",
        group=1,
    ),
    Action("pane_1", "Go to experiments", "Window", "pane_1", ("Alt+1",)),
    Action("pane_2", "Go to parameters", "Window", "pane_2", ("Alt+2",)),
    Action("pane_3", "Go to plot", "Window", "pane_3", ("Alt+3",)),
    Action("pane_4", "Go to runs", "Window", "pane_4", ("Alt+4",)),
    Action("pane_5", "Go to result", "Window", "pane_5", ("Alt+5",)),
    Action("pane_6", "Go to log", "Window", "pane_6", ("Alt+6",)),
    Action("pane_7", "Go to queue", "Window", "pane_7", ("Alt+7",)),
    Action("pane_8", "Go to instruments", "Window", "pane_8", ("Alt+8",)),
    Action("pane_9", "Go to sequence", "Window", "pane_9", ("Alt+9",)),
    Action("pane_10", "Go to notes", "Window", "pane_10", ("Alt+0",)),
    Action("close_tab", "Close tab", "Window", "close_tab", ("Ctrl+W",), _drawn, group=1),
    Action(
        "layout_measure",
        "Layout: measure",
        "Window",
        "layout_measure",
        group=2,
        tip="Everything for measuring",
    ),
    Action(
        "layout_analyse",
        "Layout: analyse",
        "Window",
        "layout_analyse",
        group=2,
        tip="Runs and results, without the form",
    ),
    Action(
        "layout_teach",
        "Layout: teach",
        "Window",
        "layout_teach",
        group=2,
        tip="The sequence and the help beside the plot",
    ),
    Action("reset_layout", "Reset layout", "Window", "reset_layout", group=2),
    Action(
        "help",
        "Help on this experiment",
        "Help",
        "help_here",
        ("F1",),
        lambda now: now.form,
        tip="What the chosen experiment is, with its formulas",
    ),
    Action("tour", "Tour", "Help", "tour", tip="Eight steps through the window; leave it at any time"),
    Action("shortcuts", "Keyboard", "Help", "shortcuts", ("Ctrl+/",)),
    Action(
        "copy_report",
        "Copy report",
        "Help",
        "copy_report",
        group=1,
        tip="Versions and the last messages, for a report of a fault",
    ),
    Action("about", "About qlab", "Help", "about", group=2),
)
TOOLBAR = ("run", "queue", "pause", "stop", "", "fit", "@fit", "", "export", "safe")
PLOT_MENU = (
    "fit_view",
    "autoscale",
    "",
    "log_x",
    "log_y",
    "grid",
    "cursor",
    "",
    "measure",
    "cuts",
    "histogram",
    "",
    "copy_figure",
    "copy_values",
    "export",
)
BY_ID = {action.id: action for action in ACTIONS}
