"""Fusion's UIManager as far as a form needs it: a person fills it in and clicks a button."""

from __future__ import annotations

from typing import Any

_PROPERTIES = {
    "LineEdit": {"ID", "Text", "Weight"},
    "ComboBox": {"ID", "Weight"},
    "SpinBox": {"ID", "Value", "Minimum", "Maximum", "Weight"},
    "Label": {"Text", "Weight"},
    "Button": {"ID", "Text", "Default"},
}


class Widget:
    """An element of a form."""

    def __init__(self, kind: str, properties: dict[str, Any]) -> None:
        assert set(properties) <= _PROPERTIES[kind], properties
        self.kind = kind
        self.ID = properties.get("ID", "")
        self.Text = properties.get("Text", "")
        self.Value = properties.get("Value", 0)
        self.CurrentText = ""
        self.choices: list[str] = []

    def AddItems(self, choices: list[str]) -> None:
        self.choices = list(choices)


class Manager:
    """Makes elements; groups are lists of them."""

    def __getattr__(self, kind: str) -> Any:
        if kind in ("VGroup", "HGroup"):
            return lambda children: children
        assert kind in _PROPERTIES, kind
        return lambda properties: Widget(kind, properties)


class Handlers:
    """`window.On.<id>.<event> = function`."""

    def __init__(self) -> None:
        self.__dict__["found"] = {}

    def __getattr__(self, name: str) -> Handlers:
        return self.__dict__["found"].setdefault(name, Handlers())


class FormFusion:
    """A Fusion whose user fills forms in; None: cancels them."""

    def __init__(self, filled: dict[str, Any] | None) -> None:
        self.filled = filled
        self.offered: dict[str, list[str]] = {}
        self.UIManager = Manager()


class Dispatchers:
    """`bmd`, as far as forms need it."""

    def __init__(self, fusion: FormFusion) -> None:
        self.fusion = fusion

    def UIDispatcher(self, manager: Manager) -> Dispatcher:
        assert isinstance(manager, Manager)
        return Dispatcher(self.fusion)


class Dispatcher:
    """Runs a form's loop: the person's clicks."""

    def __init__(self, fusion: FormFusion) -> None:
        self.fusion = fusion
        self.is_running = False

    def AddWindow(self, properties: dict[str, Any], children: list[Any]) -> Window:
        assert properties["ID"] == "Fresco"
        self.window = Window(children)
        return self.window

    def RunLoop(self) -> None:
        assert self.window.is_shown
        self.is_running = True
        items, filled = self.window.GetItems(), self.fusion.filled
        self.fusion.offered = {name: item.choices for name, item in items.items()}
        handlers = self.window.On.__dict__["found"]
        if filled is None:
            handlers["Cancel"].__dict__["Clicked"]({})
        else:
            names = {"LineEdit": "Text", "ComboBox": "CurrentText", "SpinBox": "Value"}
            for name, value in filled.items():
                setattr(items[name], names[items[name].kind], value)
            handlers["Accept"].__dict__["Clicked"]({})
        assert not self.is_running, "nothing has ended the loop"

    def ExitLoop(self) -> None:
        self.is_running = False


class Window:
    """A form that can be shown."""

    def __init__(self, children: list[Any]) -> None:
        self._children = children
        self.On = Handlers()
        self.is_shown = False

    def GetItems(self) -> dict[str, Widget]:
        return {item.ID: item for item in _widgets(self._children) if item.ID}

    def Show(self) -> None:
        self.is_shown = True

    def Hide(self) -> None:
        self.is_shown = False


def _widgets(parts: list[Any]) -> list[Widget]:
    found: list[Widget] = []
    for part in parts:
        found += _widgets(part) if isinstance(part, list) else [part]
    return found
