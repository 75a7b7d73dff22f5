"""A dark and neutral look: no hue near the picture but the one colour that marks focus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QColor, QPainter, QPalette, QPen
from PyQt6.QtWidgets import QApplication

_Role = QPalette.ColorRole
_Group = QPalette.ColorGroup


@dataclass(frozen=True)
class Tokens:
    """Colours by what they are for. Text on its ground has a contrast of 4.5:1 or more."""

    window: str = "#262626"
    panel: str = "#2e2e2e"
    field: str = "#1d1d1d"
    raised: str = "#3a3a3a"
    border: str = "#484848"
    text: str = "#e4e4e4"
    faint_text: str = "#a6a6a6"
    disabled_text: str = "#7c7c7c"
    accent: str = "#c8ccd0"
    focus: str = "#7fb2e5"
    good: str = "#79b78a"
    warning: str = "#d9b25f"
    bad: str = "#e58a80"


TOKENS = Tokens()
_ARROWS = Path(__file__).parent / "arrows"

_STYLE = """
QToolTip {{ color: {text}; background: {raised}; border: 1px solid {border}; padding: 4px; }}
QMainWindow::separator {{ background: {field}; width: 4px; height: 4px; }}
QMainWindow::separator:hover {{ background: {border}; }}
QSplitter::handle {{ background: {field}; }}
QDockWidget {{ color: {faint_text}; }}
QDockWidget::title {{ background: {panel}; padding: 5px 8px; }}
QMenuBar {{ background: {window}; }}
QMenuBar::item:selected, QMenu::item:selected {{ background: {raised}; }}
QMenu {{ background: {panel}; border: 1px solid {border}; }}
QMenu::separator {{ height: 1px; background: {border}; margin: 4px 8px; }}
QStatusBar {{ background: {panel}; color: {faint_text}; }}
QStatusBar::item {{ border: none; }}
QLineEdit, QPlainTextEdit, QTextEdit, QListView, QTableView {{
    background: {field}; color: {text}; border: 1px solid {border}; border-radius: 3px;
    selection-background-color: {focus}; selection-color: #101010; }}
QLineEdit {{ min-height: 20px; padding: 1px 4px; }}
QAbstractSpinBox, QComboBox {{
    background: {field}; color: {text}; border: 1px solid {border}; border-radius: 3px;
    min-height: 20px; padding: 1px 4px; selection-background-color: {focus};
    selection-color: #101010; }}
QComboBox {{ padding: 1px 6px; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url({arrows}/down.svg); width: 8px; height: 8px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{
    background: transparent; border: none; width: 18px; }}
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {{ background: {raised}; }}
QAbstractSpinBox::up-arrow {{ image: url({arrows}/up.svg); width: 8px; height: 8px; }}
QAbstractSpinBox::down-arrow {{ image: url({arrows}/down.svg); width: 8px; height: 8px; }}
QComboBox:disabled, QAbstractSpinBox:disabled {{ color: {disabled_text}; background: {panel}; }}
QComboBox:focus, QAbstractSpinBox:focus {{ border: 1px solid {focus}; }}
QListView::item {{ color: {text}; border: 1px solid transparent; }}
QListView::item:selected {{ background: {raised}; color: {text}; border-color: {focus}; }}
QComboBox QAbstractItemView {{ background: {panel}; }}
QTableView {{ selection-background-color: {raised}; selection-color: {text}; }}
QTableView::item {{ padding: 0 3px; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QPushButton, QToolButton {{
    background: {raised}; color: {text}; border: 1px solid {border}; border-radius: 3px;
    padding: 4px 12px; }}
QToolButton {{ padding: 4px 6px; }}
QWidget#transport QToolButton {{ padding: 4px; }}
QToolButton#fold {{
    background: transparent; border-color: transparent; color: {faint_text}; padding: 4px 0; }}
QToolButton#fold:hover {{ color: {text}; }}
QToolButton#fold:focus {{ border-color: {focus}; }}
QPushButton:hover, QToolButton:hover {{ background: {border}; }}
QPushButton:pressed, QToolButton:pressed, QToolButton:checked {{ background: #565656; }}
QPushButton:disabled, QToolButton:disabled {{ color: {disabled_text}; background: {panel}; }}
QPushButton:default, QPushButton#primary {{
    background: {accent}; color: #181818; border-color: {accent}; font-weight: 600; }}
QPushButton#primary:hover {{ background: #e0e2e4; }}
QPushButton#primary:disabled {{
    background: {panel}; color: {disabled_text}; border-color: {border}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus,
QPushButton:focus, QToolButton:focus, QListView:focus, QTableView:focus, QCheckBox:focus {{
    border: 1px solid {focus}; }}
QGroupBox {{ border: none; border-top: 1px solid {border}; margin-top: 18px; padding-top: 6px; }}
QGroupBox::title {{ subcontrol-origin: margin; left: 0; color: {faint_text}; }}
QTabWidget::pane {{ border: none; border-top: 1px solid {border}; }}
QTabBar::tab {{ background: {panel}; color: {faint_text}; padding: 5px 12px; border: none; }}
QTabBar::tab:selected {{ color: {text}; border-bottom: 2px solid {accent}; }}
QTabBar::tab:focus {{ border-bottom: 2px solid {focus}; }}
QProgressBar {{
    background: {field}; border: 1px solid {border}; border-radius: 3px; text-align: center;
    color: {text}; min-height: 14px; max-height: 16px; }}
QProgressBar::chunk {{ background: #5c6773; border-radius: 2px; }}
QHeaderView::section {{
    background: {panel}; color: {faint_text}; border: none; border-bottom: 1px solid {border};
    padding: 4px 6px; }}
QScrollBar:vertical {{ background: {window}; width: 10px; }}
QScrollBar:horizontal {{ background: {window}; height: 10px; }}
QScrollBar::handle {{
    background: {border}; border-radius: 4px; min-width: 24px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
    background: none; border: none; width: 0; height: 0; }}
QLabel#faint {{ color: {faint_text}; }}
QLabel#mistake {{ color: {bad}; }}
QLabel#title {{ font-size: 15pt; }}
QFrame#problem {{ background: #3b2a29; border: 1px solid #7a4a46; border-radius: 4px; }}
QLabel#problemTitle {{ color: {bad}; font-weight: 600; }}
QFrame#drop {{ border: 2px dashed {border}; border-radius: 12px; background: {panel}; }}
QFrame#drop[isOver="true"] {{ border-color: {focus}; }}
"""


def apply(application: QApplication) -> None:
    """Give the application its look."""
    application.setStyle("Fusion")
    application.setPalette(palette(TOKENS))
    application.setStyleSheet(_STYLE.format(arrows=_ARROWS.as_posix(), **vars(TOKENS)))


def paint_focus(painter: QPainter, rect: QRect) -> None:
    """The line around a painted view that has the keyboard."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(TOKENS.focus), 1))
    painter.drawRect(rect.adjusted(0, 0, -1, -1))


def palette(tokens: Tokens) -> QPalette:
    """The tokens as Qt's own widgets and painters know them."""
    made = QPalette()
    colours = {
        _Role.Window: tokens.window,
        _Role.WindowText: tokens.text,
        _Role.Base: tokens.field,
        _Role.AlternateBase: tokens.panel,
        _Role.ToolTipBase: tokens.raised,
        _Role.ToolTipText: tokens.text,
        _Role.Text: tokens.text,
        _Role.PlaceholderText: tokens.faint_text,
        _Role.Button: tokens.raised,
        _Role.ButtonText: tokens.text,
        _Role.BrightText: tokens.bad,
        _Role.Link: tokens.focus,
        _Role.Highlight: tokens.focus,
        _Role.HighlightedText: "#101010",
        _Role.Mid: tokens.border,
        _Role.Dark: tokens.field,
        _Role.Light: tokens.border,
        _Role.Shadow: "#101010",
    }
    for role, colour in colours.items():
        made.setColor(role, QColor(colour))
    for role in (_Role.WindowText, _Role.Text, _Role.ButtonText):
        made.setColor(_Group.Disabled, role, QColor(tokens.disabled_text))
    return made
