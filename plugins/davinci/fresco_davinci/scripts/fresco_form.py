"""A form of Fusion's UIManager, for Resolve editions that have it. Python 3.6 or newer."""

WIDTH, ROW = 460, 34


def show_form(fields, names):
    """What was filled in, by field; None if it was cancelled. `names` are the script's globals."""
    fusion, bmd = names.get("fusion") or names.get("fu"), names.get("bmd")
    manager = getattr(fusion, "UIManager", None)
    if manager is None or getattr(bmd, "UIDispatcher", None) is None:
        raise RuntimeError("this Resolve shows no forms")
    dispatcher = bmd.UIDispatcher(manager)
    window = dispatcher.AddWindow(
        {
            "ID": "Fresco",
            "WindowTitle": "Fresco",
            "Geometry": [200, 200, WIDTH, ROW * (len(fields) + 2)],
        },
        [manager.VGroup([_row(manager, field) for field in fields] + [_buttons(manager)])],
    )
    items = window.GetItems()
    for field in fields:
        if field["kind"] == "choice":
            items[field["id"]].AddItems(field["choices"])
            items[field["id"]].CurrentText = field["value"]
    result = {}

    def accept(event):
        for field in fields:
            item = items[field["id"]]
            names_of = {"text": "Text", "choice": "CurrentText", "number": "Value"}
            result[field["id"]] = getattr(item, names_of[field["kind"]])
        dispatcher.ExitLoop()

    def cancel(event):
        dispatcher.ExitLoop()

    window.On.Accept.Clicked = accept
    window.On.Cancel.Clicked = cancel
    window.On.Fresco.Close = cancel
    window.Show()
    dispatcher.RunLoop()
    window.Hide()
    return result or None


def _row(manager, field):
    label = manager.Label({"Text": field["label"], "Weight": 0.35})
    return manager.HGroup([label, _widget(manager, field)])


def _widget(manager, field):
    if field["kind"] == "choice":
        return manager.ComboBox({"ID": field["id"], "Weight": 0.65})
    if field["kind"] == "number":
        return manager.SpinBox(
            {
                "ID": field["id"],
                "Value": field["value"],
                "Minimum": field["least"],
                "Maximum": field["most"],
                "Weight": 0.65,
            }
        )
    return manager.LineEdit({"ID": field["id"], "Text": field["value"], "Weight": 0.65})


def _buttons(manager):
    return manager.HGroup(
        [
            manager.Button({"ID": "Cancel", "Text": "Cancel"}),
            manager.Button({"ID": "Accept", "Text": "Restyle", "Default": True}),
        ]
    )
