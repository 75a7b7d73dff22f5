"""Runs in whatever Python Resolve has (3.6 or newer), with nothing but its standard library.

A menu script calls `run`. It starts Fresco's own program, and answers what that asks of Resolve:
one JSON object a line, as `fresco_davinci.bridge` describes it.
"""

import json
import os
import subprocess
import sys
import tempfile

# What Resolve sets for its own Python would break another one.
_HOSTS_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")
_TAIL = 2000


def run(program, command, names, options=()):
    """Start `program` for `command`, and answer it until it ends; `names` are the script's globals.

    Returns its exit code.
    """
    executor = Executor(_resolve(names), names)
    arguments = list(program) + ["resolve-companion", "--pipe", "--do", command] + list(options)
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(),
                **_hidden(),
            )
        except OSError as error:
            print(
                "Fresco cannot be started ({}). Run “fresco install-plugin resolve” again.".format(
                    error
                )
            )
            return 1
        try:
            _serve(process, executor)
        finally:
            for stream in (process.stdin, process.stdout):
                try:
                    stream.close()
                except OSError:
                    pass
        code = process.wait()
        if code != 0 and not executor.has_said:
            errors.seek(0)
            tail = errors.read().decode("utf-8", "replace")[-_TAIL:].strip()
            print("Fresco ended with an error. {}".format(tail))
    return code


def _serve(process, executor):
    for line in process.stdout:
        message = json.loads(line.decode("utf-8"))
        if message["do"] == "end":
            return
        answer = json.dumps(executor.answer(message))
        try:
            process.stdin.write(answer.encode("ascii") + b"\n")
            process.stdin.flush()
        except OSError:
            return


def _environment():
    return {name: value for name, value in os.environ.items() if name not in _HOSTS_VARIABLES}


def _hidden():
    """No console window on Windows."""
    if sys.platform == "win32":
        return {"creationflags": 0x08000000}
    return {}


def _resolve(names):
    """The object that scripts are given, under one of the names it has had."""
    found = names.get("resolve")
    if found is None:
        for name in ("app", "fu", "fusion"):
            if names.get(name) is not None:
                found = names[name].GetResolve()
                break
    if found is None and names.get("bmd") is not None:
        found = names["bmd"].scriptapp("Resolve")
    return found


class Executor(object):
    """Does in Resolve what messages ask for. Objects stay here; messages name them by number."""

    def __init__(self, resolve, names=None):
        self._objects = {0: resolve}
        self._names = names or {}
        self.has_said = False

    def answer(self, message):
        """The answer to a message; errors are answers as well."""
        try:
            return {"value": self._encoded(self._done(message))}
        except Exception as error:  # noqa: BLE001 - whatever a call raises is told
            return {"error": "{}: {}".format(type(error).__name__, error)}

    def _done(self, message):
        what = message["do"]
        if what == "say":
            self.has_said = True
            print(message["text"])
            return None
        if what == "form":
            from fresco_form import show_form

            return show_form(self._decoded(message["fields"]), self._names)
        method = getattr(self._objects[message["on"]], message["method"], None)
        if what == "has":
            return callable(method)
        if not callable(method):
            raise AttributeError("this Resolve has no {}".format(message["method"]))
        return method(*[self._decoded(argument) for argument in message["args"]])

    def _decoded(self, value):
        if isinstance(value, list):
            return [self._decoded(part) for part in value]
        if not isinstance(value, dict):
            return value
        if "o" in value:
            return self._objects[value["o"]]
        return {key: self._decoded(part) for key, part in value["d"]}

    def _encoded(self, value):
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, dict):
            return {"d": [[key, self._encoded(part)] for key, part in value.items()]}
        if isinstance(value, (list, tuple)):
            return [self._encoded(part) for part in value]
        number = len(self._objects)
        self._objects[number] = value
        return {"o": number}
