"""The reference of all settings, and the table of their options in the README.

`python -m tests.settings.page` writes both anew.
"""

from __future__ import annotations

from pathlib import Path

from fresco_cli.choices import SettingOption, options_of
from fresco_settings import Declared, RestyleSettings, parameters_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "settings.md"
README = ROOT / "README.md"
BEGIN = "<!-- made by python -m tests.settings.page -->\n"
END = "<!-- end of what is made -->\n"
_HEAD = """\
# All settings

What can be chosen about a restyle, under the names that the desktop app and the plugins show. The
name below each is the one of `fresco_settings.RestyleSettings`, of the contract
(`protos/fresco/v1/settings.proto`), of saved presets and of reports. What is left open is decided
by the preset, the style and the model, in this order; what is set by hand wins.

This page is made by `python -m tests.settings.page` from the declarations in
`settings/fresco_settings`."""


def page(declared: type = RestyleSettings) -> str:
    """The text of the page."""
    groups: dict[str, list[Declared]] = {}
    for parameter in parameters_of(declared):
        groups.setdefault(parameter.group, []).append(parameter)
    options = {name: option for name, (option, _) in options_of(declared).items()}
    parts = [_HEAD]
    for title, members in groups.items():
        parts += [f"\n## {title}\n", "| setting | meaning | values | default | command line |"]
        parts += ["| --- | --- | --- | --- | --- |"]
        parts += [_row(parameter, options.get(parameter.option)) for parameter in members]
    return "\n".join(parts) + "\n"


def table(declared: type = RestyleSettings) -> str:
    """The README's table."""
    rows = ["| option | meaning | default |", "| --- | --- | --- |"]
    for option, _ in options_of(declared).values():
        values = f" ({option.values})" if option.values else ""
        meaning = _with_details(option.meaning, option.details)
        rows.append(_cells(_usage(option), f"{meaning}{values}", option.default))
    return "\n".join(rows) + "\n"


def readme(text: str) -> str:
    """The README with its table made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _row(parameter: Declared, option: SettingOption | None) -> str:
    values = parameter.range_text or ("on, off" if parameter.kind == "switch" else "")
    return _cells(
        f"{parameter.title}<br>`{parameter.name}`",
        _with_details(parameter.description, parameter.long_text),
        values,
        parameter.default_text,
        _usage(option) if option else "",
    )


def _with_details(meaning: str, details: str) -> str:
    return f"{meaning}; {details}" if details else meaning


def _usage(option: SettingOption) -> str:
    return ", ".join(f"`{one}`" for one in option.usage)


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    README.write_text(readme(README.read_text(encoding="utf-8")), encoding="utf-8")
