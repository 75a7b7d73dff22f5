"""A short manual: what is done in which order."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

translate = QCoreApplication.translate


def pages() -> str:
    """The manual, in Markdown."""
    return "\n\n".join(
        (
            translate("Manual", "## Choose a look"),
            translate(
                "Manual",
                "Drop a clip into the window, or open the sample. On the left its frame comes in "
                "every look that the model knows. Click one: the viewer shows it on the frame in "
                "view. **Vary** tries it fainter and stronger. All that you try is kept there.",
            ),
            translate("Manual", "## Restyle the clip"),
            translate(
                "Manual",
                "**I** and **O** set the part that you want. **Restyle the clip** begins; "
                "keyframes come first, then the frames between. You may go on working.",
            ),
            translate("Manual", "## Compare"),
            translate(
                "Manual",
                "**W** wipes between clip and result, **S** shows both, **1** and **2** one of "
                "them. Hold **C** to see the clip. To compare two results, select one in **Jobs** "
                "and press **A** there; **X** swaps the two, **0** brings the clip back.",
            ),
            translate("Manual", "## Mend single pictures"),
            translate(
                "Manual",
                "Go to a keyframe with **[** and **]**. **R** makes it anew, **Del** removes it, "
                "**M** adds one, and a picture painted by you can take its place. Only what "
                "depends on it is made again; **Ctrl+Z** goes back.",
            ),
            translate("Manual", "## Take it with you"),
            translate(
                "Manual",
                "**Export…** above the viewer writes a film or pictures. The project is saved by "
                "itself; **Ctrl+S** gives it a place of its own.",
            ),
        )
    )


class Manual(QDialog):
    """Shows it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("How it goes"))
        self.resize(520, 560)
        text = QTextBrowser()
        text.setMarkdown(pages())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(text)
        column.addWidget(buttons)
