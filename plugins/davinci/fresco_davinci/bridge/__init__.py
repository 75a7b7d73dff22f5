"""Carries calls from our own Python into Resolve, where a script answers them.

One protocol, two ways to carry it: lines of JSON over a pipe, for the menu scripts in Python
(`pipe`), and files, for the one in Lua (`mailbox`). A message asks for one thing, `do`:

    call   method `method` of the object `on` with `args`: what it gives
    has    whether the object `on` has the method `method`
    say    show `text` to the editor, as far as the script can
    form   show a form of Fusion's and give what was filled in; null if it was cancelled
    end    there is nothing more to do

An answer has `value`, or `error` with a sentence. Numbers, texts, switches, null and lists stand
for themselves; {"d": [[key, value], ...]} is a table, {"o": 7} object 7 of Resolve's; object 0 is
`resolve` itself. `remote` makes objects of all that which look like Resolve's own.
"""
