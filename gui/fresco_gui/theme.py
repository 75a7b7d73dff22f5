"""A neutral look, dark or light: no hue near the picture but the colour that marks focus."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QColor, QPainter, QPalette, QPen
from PyQt6.QtWidgets import QApplication

_Role = QPalette.ColorRole
_Group = QPalette.ColorGroup


@dataclass
class Tokens:
    """Colours by what they are for. Text on its ground has a contrast of 4.5:1 or more."""

    window: str = "#262626"
    panel: str = "#2e2e2e"
    field: str = "#1d1d1d"
    raised: str = "#3a3a3a"
    pressed: str = "#565656"
    border: str = "#484848"
    text: str = "#e4e4e4"
    faint_text: str = "#b0b0b0"
    disabled_text: str = "#9c9c9c"
    accent: str = "#c8ccd0"
    accent_over: str = "#e0e2e4"
    on_accent: str = "#181818"
    focus: str = "#7fb2e5"
    on_focus: str = "#101010"
    good: str = "#79b78a"
    warning: str = "#d9b25f"
    bad: str = "#e58a80"
    problem: str = "#3b2a29"
    problem_border: str = "#7a4a46"
    progress: str = "#5c6773"


DARK = Tokens()
LIGHT = Tokens(
    window="#e9e9e9",
    panel="#f2f2f2",
    field="#ffffff",
    raised="#dadada",
    pressed="#c2c2c2",
    border="#adadad",
    text="#1c1c1c",
    faint_text="#4c4c4c",
    disabled_text="#5e5e5e",
    accent="#3b4046",
    accent_over="#22262b",
    on_accent="#f6f6f6",
    focus="#1f5f9e",
    on_focus="#ffffff",
    good="#1f6334",
    warning="#6f5200",
    bad="#9c2f24",
    problem="#f6e2e0",
    problem_border="#c98a84",
    progress="#9fb3c6",
)
TOKENS = Tokens()
"""Those that hold now; painters read them when they paint."""
_ARROWS = Path(__file__).parent / "arrows"

_STYLE = """
QToolTip {{ color: {text}; background: {raised}; border: 1px solid {border}; padding: 4px; }}
QMainWindow::separator {{ background: {field}; width: 4px; height: 4px; }}
QMainWindow::separator:hover {{ background: {border}; }}
QSplitter::handle {{ background: {field}; }}
QDockWidget {{ color: {faint_text}; }}
QDockWidget::title {{ background: {panel}; padding: 5px 8px; }}
QMenuBar {{ background: {window}; }}
QMenuBar::item:selected, QMenu::item:selected {{ background: {focus}; color: {on_focus}; }}
QMenu {{ background: {panel}; color: {text}; border: 1px solid {border}; }}
QMenu::item:disabled {{ color: {disabled_text}; }}
QMenu::item:disabled:selected {{ background: {panel}; color: {disabled_text}; }}
QMenu::separator {{ height: 1px; background: {border}; margin: 4px 8px; }}
QStatusBar {{ background: {panel}; color: {faint_text}; }}
QStatusBar::item {{ border: none; }}
QLineEdit, QPlainTextEdit, QTextEdit, QListView, QTableView {{
    background: {field}; color: {text}; border: 1px solid {border}; border-radius: 3px;
    selection-background-color: {focus}; selection-color: {on_focus};
    placeholder-text-color: {faint_text}; }}
QLineEdit {{ min-height: 20px; padding: 1px 4px; }}
QAbstractSpinBox, QComboBox {{
    background: {field}; color: {text}; border: 1px solid {border}; border-radius: 3px;
    min-height: 20px; padding: 1px 4px; selection-background-color: {focus};
    selection-color: {on_focus}; placeholder-text-color: {faint_text}; }}
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
QTableView {{ selection-background-color: {raised}; selection-color: {text}; }}
QTableView::item {{ padding: 0 3px; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QPushButton, QToolButton {{
    background: {raised}; color: {text}; border: 1px solid {border}; border-radius: 3px;
    padding: 4px 12px; }}
QToolButton {{ padding: 4px 6px; }}
QToolButton[popupMode="2"] {{ padding-right: 18px; }}
QToolButton::menu-indicator {{
    image: url({arrows}/down.svg); width: 8px; height: 8px; right: 5px;
    subcontrol-position: center right; subcontrol-origin: padding; }}
QWidget#transport QToolButton {{ padding: 4px; }}
QToolButton#fold {{
    background: transparent; border-color: transparent; color: {faint_text}; padding: 4px 0; }}
QToolButton#segment {{ border-radius: 0; padding: 5px; }}
QToolButton#segment:checked {{ background: {accent}; color: {on_accent}; }}
QComboBox QAbstractItemView {{
    background: {panel}; color: {text}; selection-background-color: {focus};
    selection-color: {on_focus}; }}
QToolButton#fold:hover {{ color: {text}; }}
QToolButton#fold:focus {{ border-color: {focus}; }}
QPushButton:hover, QToolButton:hover {{ background: {border}; }}
QPushButton:pressed, QToolButton:pressed, QToolButton:checked {{
    background: {pressed}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {disabled_text}; background: {panel}; }}
QPushButton:default, QPushButton#primary {{
    background: {accent}; color: {on_accent}; border-color: {accent}; font-weight: 600; }}
QPushButton#primary:focus {{ border: 2px solid {focus}; padding: 3px 11px; }}
QPushButton#primary:hover {{ background: {accent_over}; }}
QPushButton#primary:disabled {{
    background: {panel}; color: {disabled_text}; border-color: {border}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus,
QPushButton:focus, QToolButton:focus, QSlider:focus, QListView:focus, QTableView:focus,
QCheckBox:focus {{
    border: 1px solid {focus}; }}
QSlider {{ border: 1px solid transparent; border-radius: 3px; }}
QGroupBox {{ border: none; border-top: 1px solid {border}; margin-top: 18px; padding-top: 6px; }}
QGroupBox::title {{ subcontrol-origin: margin; left: 0; color: {faint_text}; }}
QTabWidget::pane {{ border: none; border-top: 1px solid {border}; }}
QTabBar::tab {{ background: {panel}; color: {faint_text}; padding: 5px 12px; border: none; }}
QTabBar::tab:selected {{ color: {text}; border-bottom: 2px solid {accent}; }}
QTabBar::tab:focus {{ border-bottom: 2px solid {focus}; }}
QProgressBar {{
    background: {field}; border: 1px solid {border}; border-radius: 3px; text-align: center;
    color: {text}; min-height: 14px; max-height: 16px; }}
QProgressBar::chunk {{ background: {progress}; border-radius: 2px; }}
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
QFrame#problem {{
    background: {problem}; border: 1px solid {problem_border}; border-radius: 4px; }}
QLabel#problemTitle {{ color: {bad}; font-weight: 600; }}
QFrame#result {{ background: {panel}; border-bottom: 1px solid {border}; }}
QFrame#drop {{ border: 2px dashed {border}; border-radius: 12px; background: {panel}; }}
QFrame#drop[isOver="true"] {{ border-color: {focus}; }}
"""


def apply(application: QApplication, scheme: Qt.ColorScheme | None = None) -> None:
    """Give the application its look: that of the system, light or dark, unless one is asked for.

    It follows when the system changes.
    """
    hints = application.styleHints()
    if scheme is None and hints is not None:
        scheme = hints.colorScheme()
        hints.colorSchemeChanged.connect(partial(_paint, application))
    _paint(application, scheme or Qt.ColorScheme.Unknown)


def _paint(application: QApplication, scheme: Qt.ColorScheme) -> None:
    chosen = LIGHT if scheme is Qt.ColorScheme.Light else DARK
    vars(TOKENS).update(vars(chosen))
    application.setStyle("Fusion")
    application.setPalette(palette(TOKENS))
    application.setStyleSheet(_STYLE.format(arrows=_arrows(chosen), **vars(TOKENS)))


def _arrows(tokens: Tokens) -> str:
    """The folder of arrows that are seen on these colours."""
    return (_ARROWS / "light" if tokens is LIGHT else _ARROWS).as_posix()


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
        _Role.HighlightedText: tokens.on_focus,
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
